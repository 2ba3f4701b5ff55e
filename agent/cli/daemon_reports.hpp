#pragma once

// What the daemon's answers mean to the person who asked, and what it means that there is none.

#include "agent/cli/http_text.hpp"
#include "agent/cli/printed.hpp"
#include "agent/cli/status_table.hpp"
#include "agent/status/snapshot.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cli {

// GET /v1/status as it came (`as_json`) or as a table.
printed status_report(const result<http_reply>& reply, bool as_json, table_style style);

// GET /v1/plan: a line for every resource and what becoming Active would do to it.
printed plan_report(const result<http_reply>& reply);

// A plan of which some is not known: the same, and to standard error what could not be read and why. `when` completes "not
// everything could be read ...".
printed unfinished_plan(printed plan, std::string_view when, std::string_view session_error,
                        std::span<const status::router> routers);

// A POST: the daemon's sentence, to standard output when it did it and to standard error when it did not.
printed change_report(const result<http_reply>& reply);

http_request step_down_request(std::string_view router);  // empty: all of them
http_request maintenance_request(bool on);
http_request priority_request(std::string_view router, std::string_view priority);  // empty: the only one
http_request reload_request();
http_request restart_request();

// Whether the daemon has refused for now: it is to be asked again.
bool is_busy(const result<http_reply>& reply);

// Which process has answered GET /v1/status.
struct process_seen {
    std::string version;
    double uptime_seconds = 0;
    std::vector<std::string> active;  // names of routers
};
std::optional<process_seen> find_process(const result<http_reply>& status);

// After a restart: `after` is what answers now, none when nobody does. One that is older than `before` is that one.
printed restart_report(const process_seen& before, const std::optional<process_seen>& after);

// Why `router` cannot be a router's name; empty when it can.
std::string wrong_router_name(std::string_view router);

// Why `priority` is none that could be set; empty when it can.
std::string wrong_priority(std::string_view priority);

// No answer from the daemon's socket, and what to do about it. `error_number` is that of the call that failed.
error no_daemon(std::string_view socket, int error_number);

}  // namespace vipd::cli
