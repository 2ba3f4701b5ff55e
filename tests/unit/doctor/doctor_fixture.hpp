#pragma once

// An examination on one node of the example topology, in simulated time: every exchange goes to the model of the cloud.

#include "agent/doctor/examination.hpp"
#include "agent/doctor/judgements.hpp"
#include "tests/cloud/simulated_cloud.hpp"
#include "tests/support/recording_log.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::doctor {

inline constexpr std::string_view node_a = "i-0aaaaaaaaaaaaaaa1";  // 10.0.1.10, in eu-west-1a
inline constexpr std::string_view table_a = "rtb-0aaaaaaaaaaaaaaa2";
inline constexpr std::string_view interface_a = "eni-0aaaaaaaaaaaaaaa1";
inline constexpr std::string_view floating = "eni-0aaaaaaaaaaaaaaa9";
inline constexpr const char* peer_in_subnet = R"(["10.0.1.11"])";  // of node a
inline constexpr std::string_view group = "sg-0aaaaaaaaaaaaaaa1";

class doctor_test : public ::testing::Test {
protected:
    doctor_test();

    // --- what a test may change before it examines ---
    boost::json::object topology;
    std::string aws_keys;     // of [aws]
    std::string router_keys;  // beside name, vrid, interface and peers
    std::string peers = R"(["10.0.2.10"])";
    std::string moves;                      // [[router.route]] and the like
    std::vector<net::kernel_event> kernel;  // dump_done follows
    process_rights rights{"root", true, true};
    daemon_view daemon;
    std::optional<result<path_to_endpoint>> path;  // none: not answered
    duration clock_offset{};                       // of the cloud
    bool imds_answers = true;
    bool ec2_answers = true;
    // In place of the cloud's answer, where it gives one.
    std::function<std::optional<aws::http_response>(const std::string& body)> ec2_instead;

    // The only instance, interface, ... of the topology with that id.
    boost::json::object& item(std::string_view list, std::string_view id);
    boost::json::object& interface_of(std::string_view instance);
    void allow(const std::vector<std::string>& actions, const std::vector<std::string>& resources = {"*"});

    // As it is loaded from what was changed above; a failure, and an empty one, when it is wrong.
    [[nodiscard]] config::configuration configuration() const;
    // Until it has ended; what it made of it.
    const report& examine();

    // Of the last examination. The finding of that check with that verdict; an empty one, and a failure, when there is none.
    finding expect(verdict what, std::string_view check);
    void expect_no(verdict what, std::string_view check);
    [[nodiscard]] std::vector<finding> all(verdict what) const;
    [[nodiscard]] std::string text() const;  // as it is printed

    report result_;
    duration took{};
    std::vector<std::string> bodies;  // of the requests to EC2
    std::vector<cloud::exchange_record> records;
    std::unique_ptr<cloud::simulated_cloud> cloud_;
    test::recording_log log;

private:
    [[nodiscard]] std::string configuration_text() const;
    void start(instant now, const aws::http_exchange& exchange);
    void finish_due(instant now, examination& one);

    struct under_way {
        aws::http_exchange exchange;
        std::optional<cloud::exchange_id> id;  // none: nobody answers
        time_point started{}, ends{};
        std::optional<aws::http_response> instead;
    };
    std::vector<under_way> under_way_;
};

}  // namespace vipd::doctor
