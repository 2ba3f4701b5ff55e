#pragma once

// `vipd doctor` as a machine: it asks the kernel, the instance metadata service and EC2, everything that can be asked at once
// at the same time, and ends when there is nothing left to ask or when its time is over, whichever comes first.
//
// It changes nothing. Of calls that would change something it makes only the dry run, which says so in the body that is signed;
// ask() is the one place where a question becomes a call, and refuses every other.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/environment.hpp"
#include "agent/doctor/evidence.hpp"
#include "agent/doctor/finding.hpp"
#include "agent/net/link.hpp"
#include "common/log.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vipd::doctor {

struct examination_settings {
    std::shared_ptr<const config::configuration> configuration;
    aws::environment environment;
    std::uint64_t seed = 1;
    process_rights rights;
    daemon_view daemon;
};

// For all of it.
inline constexpr duration examination_max = std::chrono::seconds{25};
// For identity and credentials. Who has not answered by then does not answer a daemon any sooner.
inline constexpr duration session_wait_max = std::chrono::seconds{8};

// --- outputs ---

// The shell answers with handle(path_to_endpoint).
struct find_path {
    aws::http_origin to;
};

using examination_output = std::variant<aws::http_exchange, aws::cancel_http, aws::keep_warm, aws::read_file, find_path>;

class examination {
public:
    examination(const examination_settings& settings, log_sink& log);

    void start(instant now);
    void handle(instant now, const net::kernel_event& event);
    void handle(instant now, result<path_to_endpoint>&& path);
    void handle_http(instant now, aws::http_exchange_id id, aws::http_result&& result);
    void handle_file(instant now, aws::file_read_id id, result<std::string>&& content);
    void handle_timeout(instant now);
    [[nodiscard]] wakeup next_wakeup() const;
    std::optional<examination_output> poll_output();

    [[nodiscard]] bool finished() const { return finished_; }
    // What is known now.
    [[nodiscard]] const evidence& snapshot() const { return known_; }

private:
    void advance(instant now);
    // False when there was none.
    bool take_session_outputs(instant now);
    void take_answer(instant now, aws::call_done&& answer);
    void ask(instant now, const aws::ec2_call& question);
    void repeat_questions(instant now);
    void ask_for_path();
    [[nodiscard]] bool is_waiting() const;

    evidence known_;
    std::unique_ptr<aws::cloud_session> session_;  // none when nothing is moved in AWS
    time_point session_until_ = never;
    time_point end_ = never;
    std::map<aws::ec2_call_id, aws::ec2_call> under_way_;
    std::multimap<time_point, aws::ec2_call> repetitions_;
    std::deque<examination_output> outputs_;
    bool path_asked_ = false;
    bool finished_ = false;
};

}  // namespace vipd::doctor
