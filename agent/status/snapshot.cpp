#include "agent/status/snapshot.hpp"

namespace vipd::status {

std::string_view to_string(resource_kind kind)
{
    switch (kind) {
        case resource_kind::link:
            return "link";
        case resource_kind::address:
            return "address";
        case resource_kind::policy:
            return "policy";
        case resource_kind::route:
            return "route";
        case resource_kind::source_dest_check:
            return "source_dest_check";
        case resource_kind::secondary_ip:
            return "secondary_ip";
        case resource_kind::elastic_ip:
            return "elastic_ip";
        case resource_kind::network_interface:
            return "network_interface";
    }
    return "unknown";
}

std::string resource::label() const
{
    switch (kind) {
        case resource_kind::route:
            return table.empty() ? name : destination + " in " + table;
        case resource_kind::secondary_ip:
        case resource_kind::elastic_ip:
        case resource_kind::network_interface:
            return destination;
        case resource_kind::link:
        case resource_kind::address:
        case resource_kind::policy:
        case resource_kind::source_dest_check:
            break;
    }
    return name;
}

std::string_view to_string(resource_state state)
{
    switch (state) {
        case resource_state::unknown:
            return "unknown";
        case resource_state::elsewhere:
            return "elsewhere";
        case resource_state::taking:
            return "taking";
        case resource_state::accepted:
            return "accepted";
        case resource_state::here:
            return "here";
    }
    return "unknown";
}

std::string_view to_string(duel_state state)
{
    switch (state) {
        case duel_state::none:
            return "none";
        case duel_state::fought:
            return "fought";
        case duel_state::held:
            return "held";
    }
    return "none";
}

std::string_view to_string(hook_outcome outcome)
{
    switch (outcome) {
        case hook_outcome::succeeded:
            return "succeeded";
        case hook_outcome::failed:
            return "failed";
        case hook_outcome::signalled:
            return "signalled";
        case hook_outcome::timed_out:
            return "timed_out";
        case hook_outcome::not_started:
            return "not_started";
        case hook_outcome::abandoned:
            return "abandoned";
    }
    return "unknown";
}

std::string_view to_string(tracker_state state)
{
    switch (state) {
        case tracker_state::unknown:
            return "unknown";
        case tracker_state::well:
            return "well";
        case tracker_state::failing:
            return "failing";
    }
    return "unknown";
}

std::string_view to_string(check_result result)
{
    switch (result) {
        case check_result::passed:
            return "passed";
        case check_result::failed:
            return "failed";
        case check_result::timed_out:
            return "timed_out";
    }
    return "unknown";
}

std::string hook::label() const
{
    const std::string name{to_string(event)};
    return is_notify ? "notify (" + name + ")" : name;
}

}  // namespace vipd::status
