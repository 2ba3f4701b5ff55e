#pragma once

// Everything about talking to EC2 that is no decision about a virtual IP: who this node is, with which credentials, at which
// endpoint, how a call is signed, how many are under way at once, and what an answer means.
//
// The session keeps itself ready: identity (of this boot's cache until IMDS answers) and credentials are fetched at the start
// and refreshed early, connections are asked to be warm, so that a call made by a takeover needs nothing but its own round
// trip. Failures of IMDS or of a credential source never make it unready while the last credentials may still work.
//
// Calls: at most `connections` are under way, mutating ones first, in the order in which they were made; reads take at most
// half of the places, so that describes which hang cannot hold up a takeover. A call is signed when it is handed out, never
// before, and never sent twice: repeating is the caller's decision. The one exception is an answer that blames our credentials
// or our clock: the session mends that and tells the caller to try again with `credentials` or `clock`. Calls that are made
// while refused credentials are being replaced wait for the new ones, for a second at most.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ec2_reply.hpp"
#include "agent/aws/environment.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/aws/identity.hpp"
#include "agent/aws/notice_watch.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::aws {

struct session_settings {
    std::string region;                        // empty: from the environment, the profile, or IMDS
    std::optional<std::string> endpoint;       // https://...; overrides everything
    std::optional<std::string> imds_endpoint;  // http://...
    std::string profile;
    bool fips = false;
    bool dual_stack = false;
    unsigned connections = 16;  // 2..256
    unsigned warm_connections = 2;
    // Identity is wanted even when credentials come from elsewhere, unless every route names its interface id itself.
    bool needs_identity = true;
    std::string identity_cache;  // a file; empty: none
    std::string boot_id;         // as the kernel or systemd writes it; empty: not known, which switches the cache off
    friend bool operator==(const session_settings&, const session_settings&) = default;
};

using ec2_call_id = strong_number<struct ec2_call_tag>;
using file_read_id = strong_number<struct file_read_tag>;
using file_write_id = strong_number<struct file_write_tag>;

// --- outputs ---

struct cancel_http {
    http_exchange_id id;
};
// How many idle verified connections to `origin` the shell should hold open. Zero closes them.
struct keep_warm {
    http_origin origin;
    unsigned connections = 0;
};
// A small regular file (credentials, token): the shell answers with handle_file(). At most 64 KiB.
struct read_file {
    file_read_id id;
    std::string path;
};
// A small file without secrets (the identity): replaced whole or not at all, never waiting for a disk. The shell answers with
// handle_written().
struct write_file {
    file_write_id id;
    std::string path;
    std::string content;
};
struct call_done {
    ec2_call_id id;
    ec2_reply reply;
    time_point issued{};            // when call() was called
    time_point first_byte = never;  // of the request on the wire; never when it was not sent
    time_point finished{};
};
// identity() has changed, or is there for the first time.
struct identity_changed {};

using session_output = std::variant<http_exchange, cancel_http, keep_warm, read_file, write_file, call_done, identity_changed>;

enum class credential_source : std::uint8_t {
    none,
    environment,
    profile,
    container,
    instance_role,
    web_identity,
    assumed_role
};
std::string_view to_string(credential_source source);

struct session_snapshot {
    std::string region;
    std::string endpoint;  // "https://..."; empty until the region is known
    std::optional<instance_identity> identity;
    identity_source identity_from = identity_source::imds;  // when there is one
    credential_source source = credential_source::none;
    std::string role_arn;       // that STS gives credentials for; empty when it gives none
    std::string access_key_id;  // an identifier, not a secret
    std::optional<wall_time> credentials_expire;
    duration clock_skew{};   // server minus us
    std::string last_error;  // of IMDS or credentials; empty when all is well
    std::size_t calls_queued = 0;
    std::size_t calls_under_way = 0;
    bool ready = false;
};

class cloud_session {
public:
    cloud_session(const session_settings& settings, const environment& variables, std::uint64_t seed, log_sink& log);
    ~cloud_session();

    void start(instant now);
    void handle_http(instant now, http_exchange_id id, http_result&& result);
    void handle_file(instant now, file_read_id id, result<std::string>&& content);
    void handle_written(instant now, file_write_id id, const result<void>& outcome);
    void handle_timeout(instant now);
    [[nodiscard]] wakeup next_wakeup() const;
    // Takes the oldest output; empty when there is none.
    std::optional<session_output> poll_output();

    // Accepted always; answered by exactly one call_done unless cancelled. Calls made before the session is ready wait for it,
    // at most `wait_max`, and are then answered with not_sent and the reason.
    ec2_call_id call(instant now, const ec2_call& what, duration wait_max = std::chrono::seconds{3});
    // No call_done follows. What is on the wire is reset.
    void cancel(ec2_call_id id);

    // The EC2 call behind an exchange, for the permit; none for IMDS and STS.
    [[nodiscard]] std::optional<ec2_call_id> call_of(http_exchange_id id) const;

    // Interfaces may have changed (a link appeared): ask IMDS again, soon.
    void refresh_interfaces(instant now);

    // From now on IMDS is asked for what is about to happen to this instance.
    void watch_notices(instant now, const notice_settings& settings);
    // What it says that makes this node give way; null when there is nothing. Valid until the session is called again.
    [[nodiscard]] const notice* current_notice(instant now) const;
    // All that it said last, for a process that takes the place of this one, and what that one begins with; after
    // watch_notices().
    [[nodiscard]] std::vector<notice> heard_notices() const;
    void recall_notices(const std::vector<notice>& last);

    // Region, credentials and endpoint are there: a call can be signed this moment.
    [[nodiscard]] bool ready() const;
    [[nodiscard]] const std::optional<instance_identity>& identity() const;
    [[nodiscard]] session_snapshot snapshot(instant now) const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::aws
