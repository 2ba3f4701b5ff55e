#include "agent/hooks/environment.hpp"

#include <fmt/format.h>

namespace vipd::hooks {

namespace {

std::string text_of(const std::optional<ip_address>& address)
{
    return address ? address->to_string() : "";
}

std::string_view keepalived_word(config::hook_event event)
{
    switch (event) {
        case config::hook_event::active:
            return "MASTER";
        case config::hook_event::backup:
            return "BACKUP";
        case config::hook_event::fault:
            return "FAULT";
        case config::hook_event::stopping:
            return "STOP";
        case config::hook_event::lower_priority_advert:
            return "MASTER_RX_LOWER_PRI";
        case config::hook_event::owned:
            break;
    }
    return "";
}

}  // namespace

std::vector<std::string> environment_of(const occasion& o)
{
    std::string addresses;
    for (const auto& address : o.addresses) {
        addresses += (addresses.empty() ? "" : " ") + address.to_string();
    }
    return {fmt::format("VIPD_ROUTER={}", o.router),
            fmt::format("VIPD_VRID={}", o.vrid),
            fmt::format("VIPD_EVENT={}", to_string(o.event)),
            fmt::format("VIPD_STATE={}", vrrp::to_string(o.state)),
            fmt::format("VIPD_PREVIOUS_STATE={}", vrrp::to_string(o.previous_state)),
            fmt::format("VIPD_EPOCH={}", o.epoch),
            fmt::format("VIPD_REASON={}", o.reason),
            fmt::format("VIPD_PRIORITY={}", o.priority),
            fmt::format("VIPD_ADDRESSES={}", addresses),
            fmt::format("VIPD_INTERFACE={}", o.interface),
            fmt::format("VIPD_SOURCE={}", text_of(o.source)),
            fmt::format("VIPD_ACTIVE_ADDRESS={}", text_of(o.active_address))};
}

std::vector<std::string> keepalived_arguments(const occasion& o)
{
    const auto word = keepalived_word(o.event);
    if (word.empty()) {
        return {};
    }
    return {"INSTANCE", std::string(o.router), std::string(word), std::to_string(o.priority)};
}

}  // namespace vipd::hooks
