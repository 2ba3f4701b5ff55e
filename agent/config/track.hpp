#pragma once

// [[router.track]] as plain values. A check is what is looked at and how often: routers that track the same thing in the same
// way share one, whatever they call it. A tracker is what one router makes of a check.

#include "agent/aws/http_message.hpp"
#include "agent/config/hooks.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::config {

// The words of `kind`, in the order of the alternatives of check_target.
enum class track_kind : std::uint8_t { process, script, http, tcp, interface, file };
std::string_view to_string(track_kind kind);

// A process with this name, or the one whose number is in a file.
struct process_check {
    std::string process;   // as in /proc/PID/comm; empty: by the file
    std::string pid_file;  // empty: by the name
    friend auto operator<=>(const process_check&, const process_check&) = default;
};

// A program that ends with status 0.
struct script_check {
    command program;
    std::optional<account> runs_as;  // none: vipd's own user
    friend auto operator<=>(const script_check&, const script_check&) = default;
};

// Codes of HTTP, from the first to the last.
struct status_range {
    std::uint16_t first = 200;
    std::uint16_t last = 399;
    friend auto operator<=>(const status_range&, const status_range&) = default;
};

// A server that answers a GET with one of these codes.
struct http_check {
    aws::http_origin origin;
    std::string target = "/";  // path and query
    std::string host;          // header; empty: the origin's
    std::vector<status_range> status = {{}};
    std::string ca_bundle;  // empty: the system's
    bool verify = true;     // the certificate, and its name
    friend auto operator<=>(const http_check&, const http_check&) = default;
};

// Somebody who accepts connections there.
struct tcp_check {
    ip_address address;
    std::uint16_t port = 0;
    friend auto operator<=>(const tcp_check&, const tcp_check&) = default;
};

// A network interface that is there, up and running.
struct interface_check {
    std::string interface;
    friend auto operator<=>(const interface_check&, const interface_check&) = default;
};

// The number in a file; 0 while it is empty or not there.
struct file_check {
    std::string path;
    friend auto operator<=>(const file_check&, const file_check&) = default;
};

using check_target = std::variant<process_check, script_check, http_check, tcp_check, interface_check, file_check>;

// "http://127.0.0.1:8080/health", "process haproxy": for people.
std::string describe(const check_target& target);

inline constexpr int track_weight_max = 253;

struct health_check {
    check_target target;
    duration interval = std::chrono::seconds{1};  // from the beginning of one to the beginning of the next
    duration timeout = std::chrono::seconds{1};   // of one
    unsigned rise = 1;                            // how many in a row make it well
    unsigned fall = 1;                            // and how many failing

    [[nodiscard]] track_kind kind() const { return static_cast<track_kind>(target.index()); }
    friend auto operator<=>(const health_check&, const health_check&) = default;
};

// One [[router.track]]
struct tracker {
    std::string name;
    // None: a failing one takes the router out. Positive: added while it is well; negative: subtracted while it is not. Of a
    // file it is what the number in it is multiplied with.
    std::optional<std::int16_t> weight;
    health_check what;
    friend bool operator==(const tracker&, const tracker&) = default;
};

}  // namespace vipd::config
