#pragma once

// A cloud around a session, in simulated time: IMDS that wants its token, files, STS, a container endpoint, and EC2. Each
// exchange that the session starts is answered at once, unless a test steps in.

#include "agent/aws/cloud_session.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vipd::aws {

using namespace std::chrono_literals;

inline constexpr wall_time wall_at_start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

inline http_result answered(unsigned status, std::string body, std::vector<http_header> headers = {})
{
    http_result result;
    result.outcome = http_response{status, std::move(headers), std::move(body)};
    return result;
}

inline http_result broken(bool may_have_arrived, error_class kind, std::string text = "it broke")
{
    http_result result;
    result.outcome = http_failure{may_have_arrived, {kind, std::move(text)}};
    return result;
}

inline std::string role_document(const std::string& key, const std::string& expiration)
{
    return R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":")" + key +
           R"(","SecretAccessKey":"secret-of-role","Token":"token-of-role","Expiration":")" + expiration + "\"}";
}

// A region is given, and nobody wants to know who this node is.
inline session_settings region_only()
{
    session_settings settings;
    settings.region = "eu-west-1";
    settings.needs_identity = false;
    return settings;
}

class harness {
public:
    using answerer = std::function<std::optional<http_result>(const http_exchange&)>;

    explicit harness(const session_settings& settings = {}, std::map<std::string, std::string, std::less<>> variables = {},
                     std::uint64_t seed = 1) :
        session_(settings, environment{std::move(variables)}, seed, log)
    {
        const std::string macs = "/latest/meta-data/network/interfaces/macs/";
        imds = {
            {"/latest/dynamic/instance-identity/document",
             R"({"region":"eu-west-1","availabilityZone":"eu-west-1a","instanceId":"i-1","accountId":"111122223333"})"},
            {macs, "06:00:00:00:00:01/\n"},
            {macs + "06:00:00:00:00:01/interface-id", "eni-00000001"},
            {macs + "06:00:00:00:00:01/vpc-id", "vpc-00000001"},
            {macs + "06:00:00:00:00:01/subnet-id", "subnet-00000001"},
            {macs + "06:00:00:00:00:01/subnet-ipv4-cidr-block", "10.0.1.0/24"},
            {macs + "06:00:00:00:00:01/local-ipv4s", "10.0.1.10\n10.0.1.11"},
            {"/latest/meta-data/iam/security-credentials/", "node-role"},
            {"/latest/meta-data/iam/security-credentials/node-role", role_document("AKIDROLE", "2026-01-01T06:00:00Z")},
        };
    }

    void start()
    {
        session_.start(now);
        drain();
    }

    ec2_call_id call(const ec2_call& what, duration wait_max = 3s)
    {
        const auto id = session_.call(now, what, wait_max);
        drain();
        return id;
    }

    // Lets every wake-up up to `d` from here happen, each at its time.
    void run_for(duration d)
    {
        const auto end = now.steady + d;
        while (session_.next_wakeup().at <= end) {
            move_to(std::max(now.steady, session_.next_wakeup().at));
            session_.handle_timeout(now);
            drain();
            ASSERT_LT(++turns_, 100'000) << session_.next_wakeup().why;
        }
        move_to(end);
    }

    void move_to(time_point at)
    {
        now.wall += at - now.steady;
        now.steady = at;
    }

    void answer_ec2(const http_exchange& exchange, http_result result, duration took = 20ms)
    {
        if (auto* response = std::get_if<http_response>(&result.outcome)) {
            response->headers.push_back({"Content-Type", "text/xml;charset=UTF-8"});
        }
        result.started = now.steady;
        result.first_byte = now.steady;
        move_to(now.steady + took);
        result.finished = now.steady;
        session_.handle_http(now, exchange.id, std::move(result));
        drain();
    }

    void drain()
    {
        while (auto output = session_.poll_output()) {
            take(std::move(*output));
        }
    }

    // What a slow IMDS has not answered yet.
    void answer_slow_imds()
    {
        imds_slow = false;
        for (const auto& exchange : std::exchange(unanswered_, {})) {
            session_.handle_http(now, exchange.id, answer_imds(exchange));
            drain();
        }
    }

    cloud_session& operator*() { return session_; }
    cloud_session* operator->() { return &session_; }

    instant now{time_point{1h}, wall_at_start};
    test::recording_log log;
    std::map<std::string, std::string, std::less<>> imds;   // path -> body; 404 for all others
    std::map<std::string, std::string, std::less<>> files;  // not there: not_found
    std::string imds_token = "token-1";
    bool imds_up = true;
    bool imds_slow = false;  // answers when it is told to
    answerer intercept;      // before everything else; none: as usual

    std::vector<http_exchange> ec2;    // not answered yet: a test does
    std::vector<http_exchange> asked;  // everything else, in order
    std::vector<std::string> files_read;
    std::vector<std::string> files_written;
    result<void> write_outcome;  // of every write; nothing is written unless it is good
    std::vector<call_done> done_calls;
    std::vector<http_exchange_id> cancelled;
    std::vector<keep_warm> warm;
    unsigned identity_changes = 0;

private:
    void take(session_output&& output)
    {
        if (auto* exchange = std::get_if<http_exchange>(&output)) {
            take_exchange(std::move(*exchange));
        } else if (auto* file = std::get_if<read_file>(&output)) {
            files_read.push_back(file->path);
            const auto found = files.find(file->path);
            session_.handle_file(now, file->id,
                                 found == files.end() ? result<std::string>{error{error_class::not_found, "no such file"}}
                                                      : result<std::string>{found->second});
        } else if (auto* write = std::get_if<write_file>(&output)) {
            files_written.push_back(write->path);
            if (write_outcome) {
                files[write->path] = write->content;
            }
            session_.handle_written(now, write->id, write_outcome);
        } else if (auto* done = std::get_if<call_done>(&output)) {
            done_calls.push_back(std::move(*done));
        } else if (auto* cancel = std::get_if<cancel_http>(&output)) {
            cancelled.push_back(cancel->id);
        } else if (auto* keep = std::get_if<keep_warm>(&output)) {
            warm.push_back(*keep);
        } else {
            ++identity_changes;
        }
    }

    void take_exchange(http_exchange&& exchange)
    {
        if (session_.call_of(exchange.id)) {
            ec2.push_back(std::move(exchange));
            return;
        }
        asked.push_back(exchange);
        if (imds_slow) {
            unanswered_.push_back(std::move(exchange));
            return;
        }
        auto result = intercept ? intercept(exchange) : std::nullopt;
        if (!result) {
            result = answer_imds(exchange);
        }
        session_.handle_http(now, exchange.id, std::move(*result));
    }

    http_result answer_imds(const http_exchange& exchange) const
    {
        if (!imds_up) {
            return broken(false, error_class::unavailable, "connection refused");
        }
        const auto& request = exchange.request;
        if (request.method == "PUT") {
            return request.target == "/latest/api/token" ? answered(200, imds_token) : answered(403, "");
        }
        if (find_header(request.headers, "x-aws-ec2-metadata-token") != imds_token) {
            return answered(401, "");
        }
        const auto found = imds.find(request.target);
        return found == imds.end() ? answered(404, "") : answered(200, found->second);
    }

    cloud_session session_;
    std::vector<http_exchange> unanswered_;
    unsigned turns_ = 0;
};

}  // namespace vipd::aws
