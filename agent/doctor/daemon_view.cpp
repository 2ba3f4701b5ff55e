#include "agent/doctor/daemon_view.hpp"

#include "agent/aws/json.hpp"
#include "agent/config/text.hpp"

#include <boost/json/value.hpp>

#include <algorithm>

namespace vipd::doctor {

namespace {

namespace json = boost::json;

const json::array& list_of(const json::object& at, std::string_view name)
{
    static const json::array none;
    const auto* const value = at.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::optional<double> number_in(const json::object& at, std::string_view name)
{
    const auto* const value = at.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_number() ? std::optional{value->to_number<double>()} : std::nullopt;
}

bool is_true_in(const json::object& at, std::string_view name)
{
    const auto* const value = at.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::string text_in(const json::object& at, std::string_view name)
{
    constexpr std::size_t size_max = 400;  // why a router takes no part is a sentence or two
    return config::printable(aws::json_text(at, name), size_max);
}

std::optional<seen_peer> read_peer(const json::object& item)
{
    const auto address = ip_address::parse(aws::json_text(item, "address"));
    if (!address) {
        return std::nullopt;
    }
    seen_peer peer;
    peer.address = *address;
    peer.last_heard_age_seconds = number_in(item, "last_heard_age_seconds");
    peer.inbound_blocked = is_true_in(item, "inbound_blocked");
    return peer;
}

seen_router read_router(const json::object& item)
{
    seen_router seen{text_in(item, "name"), text_in(item, "state"), {}};
    seen.state_reason = text_in(item, "state_reason");
    seen.state_age_seconds = number_in(item, "state_age_seconds");
    seen.active_down_interval_seconds = number_in(item, "active_down_interval_seconds");
    for (const auto& entry : list_of(item, "peers")) {
        const auto* const peer = entry.if_object();
        if (auto read = peer == nullptr ? std::nullopt : read_peer(*peer)) {
            seen.peers.push_back(*read);
        }
    }
    for (const auto& entry : list_of(item, "trackers")) {
        const auto* const tracker = entry.if_object();
        if (tracker != nullptr && aws::json_text(*tracker, "state") == "failing") {
            seen.failing_trackers.push_back(
                {text_in(*tracker, "name"), text_in(*tracker, "reason"), number_in(*tracker, "weight").has_value()});
        }
    }
    return seen;
}

}  // namespace

const seen_router* daemon_view::find(std::string_view name) const
{
    const auto found = std::ranges::find(routers, name, &seen_router::name);
    return found == routers.end() ? nullptr : &*found;
}

daemon_view read_daemon_status(std::string_view body)
{
    daemon_view view;
    view.runs = true;
    const auto document = aws::parse_json_object(body, "the daemon's status");
    if (!document) {
        view.problem = document.error().text;
        return view;
    }
    view.maintenance = is_true_in(*document, "maintenance");
    for (const auto& item : list_of(*document, "routers")) {
        if (const auto* const router = item.if_object()) {
            view.routers.push_back(read_router(*router));
        }
    }
    return view;
}

}  // namespace vipd::doctor
