#pragma once

// The example topology behind a client that signs as botocore does, for tests that speak EC2's protocol to the model.

#include "tests/cloud/simulated_cloud.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::cloud {

inline constexpr const char* table_a = "rtb-0aaaaaaaaaaaaaaa2";  // has the route, to interface_a
inline constexpr const char* table_b = "rtb-0aaaaaaaaaaaaaaa3";  // has it not
inline constexpr const char* interface_a = "eni-0aaaaaaaaaaaaaaa1";
inline constexpr const char* interface_b = "eni-0aaaaaaaaaaaaaaa2";
inline constexpr const char* interface_c = "eni-0aaaaaaaaaaaaaaa3";
inline constexpr const char* node_a = "i-0aaaaaaaaaaaaaaa1";
inline constexpr const char* node_b = "i-0aaaaaaaaaaaaaaa2";
inline constexpr const char* virtual_ip = "172.16.1.100/32";

// Signs by hand what the tests send. Independent of agent/aws/sigv4, dependent on the verifier's arithmetic only through the
// published vectors that the verifier is tested with.
aws::http_request signed_request(const std::string& form, const access_key& key, wall_time now,
                                 const std::string& region = "eu-west-1", const std::string& service = "ec2");

class cloud_test : public ::testing::Test {
protected:
    using parameters = std::vector<std::pair<std::string, std::string>>;

    explicit cloud_test(std::string_view topology = example_topology()) :
        cloud(*parse_topology(topology, now.steady - std::chrono::minutes{1}), 42)
    {}

    // Not zero: a time that could be taken for "not set".
    instant now{time_point{std::chrono::hours{1}}, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}}};
    simulated_cloud cloud;

    void pass(duration d)
    {
        now.steady += d;
        now.wall += d;
    }

    [[nodiscard]] const access_key& operator_key() { return cloud.keys().at("AKIAEXAMPLEOPERATOR1"); }

    static std::string form(const std::string& action, const parameters& values);
    static parameters route(const std::string& table, const std::string& interface,
                            const std::string& destination = virtual_ip);

    planned_reply send(const std::string& action, const parameters& values);
    // The answer at the time it is there.
    collected_reply ask(const std::string& action, const parameters& values);
    // Expects success.
    pugi::xml_document get(const std::string& action, const parameters& values);
    // "503 RequestLimitExceeded", or "200" when nothing was wrong.
    std::string verdict(const std::string& action, const parameters& values);
    std::string message(const std::string& action, const parameters& values);

    // Whose the virtual IP is in a table: the interface, or nothing.
    std::string owner(const std::string& table);

    aws::http_response imds(const std::string& method, const std::string& path, const std::vector<aws::http_header>& headers,
                            const std::string& node = node_a);
    std::string imds_token(int seconds = 21600, const std::string& node = node_a);
    std::string imds_text(const std::string& path, const std::string& node = node_a);
};

}  // namespace vipd::cloud
