#pragma once

// Everything that a call needs besides itself: region, endpoint, credentials, and who this node is. What is decided about each
// is decided by the machines that are owned here (plan, probe, keeper, IMDS client); this file lets their questions become
// outputs and brings each answer to the one who asked.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/credential_keeper.hpp"
#include "agent/aws/identity_cache.hpp"
#include "agent/aws/identity_probe.hpp"
#include "agent/aws/imds.hpp"
#include "agent/aws/notice_watch.hpp"
#include "agent/aws/session_plan.hpp"
#include "common/backoff.hpp"
#include "common/log.hpp"
#include "common/random.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace vipd::aws {

// What the shell is still to be told, and the numbers by which its answers come back.
class session_outputs {
public:
    http_exchange_id put(http_exchange exchange);
    file_read_id read(std::string path);
    file_write_id write(std::string path, std::string content);
    void put_event(session_output event) { queue_.push_back(std::move(event)); }
    std::optional<session_output> take();

    // Takes back what was not taken yet; the count of it.
    template <class Predicate>
    std::size_t take_back(Predicate unwanted)
    {
        return std::erase_if(queue_, unwanted);
    }

private:
    std::deque<session_output> queue_;
    id_source<http_exchange_id> exchange_ids_;
    id_source<file_read_id> read_ids_;
    id_source<file_write_id> write_ids_;
};

// In every `instant` handed in, the wall time is the servers' as well as it is known.
class session_setup {
public:
    session_setup(const session_settings& settings, const environment& variables, random_source& seeds, log_sink& log,
                  session_outputs& outputs);

    void start(instant now);
    // False when the answer is not one that was asked for here; then `result` is untouched.
    bool handle_http(instant now, http_exchange_id id, http_result& result);
    // Whether the answer is of STS, whose clock is the one that signatures are judged by.
    [[nodiscard]] bool is_from_sts(http_exchange_id id) const { return id == sts_exchange_; }
    bool handle_file(instant now, file_read_id id, result<std::string>& content);
    void handle_written(instant now, file_write_id id, const result<void>& outcome);
    void handle_timeout(instant now);
    void refresh_interfaces(instant now);
    void watch_notices(instant now, const notice_settings& settings);
    void recall_notices(const std::vector<notice>& last) { notices_.recall(last); }
    [[nodiscard]] const notice* current_notice(wall_time now) const { return notices_.current(now); }
    [[nodiscard]] std::vector<notice> heard_notices() const { return notices_.heard(); }
    // EC2 did not accept the credentials of that generation.
    void refused(instant now, std::uint64_t keys_generation);
    // IAM denied a call that was signed with them.
    void doubted(instant now, std::uint64_t keys_generation);
    // Moves everything on that can be moved; after each of the others.
    void advance(instant now);
    [[nodiscard]] wakeup next_wakeup() const;

    [[nodiscard]] bool ready() const { return endpoint_.has_value() && keeper_.current().has_value(); }
    [[nodiscard]] const std::string& region() const { return region_; }
    [[nodiscard]] const std::optional<http_origin>& endpoint() const { return endpoint_; }
    [[nodiscard]] const std::optional<instance_identity>& identity() const
    {
        return probe_.identity() ? probe_.identity() : identity_cache_.stand_in();
    }
    [[nodiscard]] identity_source identity_from() const
    {
        return probe_.identity() ? identity_source::imds : identity_source::cache;
    }
    [[nodiscard]] const credential_keeper& keeper() const { return keeper_; }
    // Of the settings, the endpoint, the credentials or IMDS, the first that has one; empty when all is well.
    [[nodiscard]] std::string last_error() const;

private:
    // One of the two shared files.
    struct profile_file {
        std::string path;
        bool named = false;                   // by a variable: then it has to be there
        std::optional<file_read_id> reading;  // while it is being read
        result<std::string> content = std::string{};
    };

    void read_profile_files(instant now);
    bool take_profile_file(file_read_id id, result<std::string>& content);
    [[nodiscard]] result<profile_settings> profile_from_files() const;
    void follow_plan(instant now);
    void start_keeper(instant now);
    void find_region();
    void find_endpoint(instant now);
    bool pass_imds_answers(instant now);
    bool pass_questions(instant now);
    void ask_for_credentials(credential_question&& question);
    void retry_plan(instant now);
    void set_problem(std::string& which, std::string text);
    void take_identity(instant now);
    void take_cached_identity(const result<std::string>& content);
    void announce_identity();
    void log_imds_problem();

    session_settings settings_;
    environment variables_;
    log_sink& log_;
    session_outputs& outputs_;

    random_source random_;
    backoff plan_backoff_;
    time_point plan_retry_at_ = never;
    profile_file credentials_file_;
    profile_file config_file_;
    std::optional<session_plan> plan_;
    // Neither they nor anything else has credentials. Nothing can be signed before they are mended, and then they may name
    // another region and endpoint than those that would be found without them.
    bool waits_for_files_ = false;

    credential_keeper keeper_;
    bool keeper_started_ = false;
    identity_probe probe_;
    notice_watch notices_;
    bool probe_started_ = false;
    identity_cache identity_cache_;
    std::optional<imds_client> imds_;

    std::string region_;
    bool region_is_cached_ = false;  // nobody but the identity cache has named it
    std::optional<http_origin> endpoint_;
    std::optional<http_origin> sts_origin_;
    std::string plan_problem_;
    std::string endpoint_problem_;
    std::string sts_problem_;
    std::string logged_imds_problem_;

    // Who awaits what.
    std::optional<http_exchange_id> imds_exchange_;
    std::optional<http_exchange_id> credentials_exchange_;
    std::optional<http_exchange_id> sts_exchange_;  // the same, when it is one with STS
    std::optional<file_read_id> credentials_read_;
    std::optional<file_read_id> identity_read_;
    std::optional<file_write_id> identity_write_;
    std::optional<imds_ticket> credentials_ticket_;
    std::optional<imds_ticket> probe_ticket_;
    std::optional<imds_ticket> notices_ticket_;
};

}  // namespace vipd::aws
