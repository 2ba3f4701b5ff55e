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

std::optional<seen_peer> read_peer(const json::object& item)
{
    const auto address = ip_address::parse(aws::json_text(item, "address"));
    if (!address) {
        return std::nullopt;
    }
    seen_peer peer;
    peer.address = *address;
    if (const auto* const age = item.if_contains("last_heard_age_seconds"); age != nullptr && age->is_number()) {
        peer.last_heard_age_seconds = age->to_number<double>();
    }
    const auto* const blocked = item.if_contains("inbound_blocked");
    peer.inbound_blocked = blocked != nullptr && blocked->is_bool() && blocked->get_bool();
    return peer;
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
    for (const auto& item : list_of(*document, "routers")) {
        const auto* const router = item.if_object();
        if (router == nullptr) {
            continue;
        }
        seen_router seen{
            config::printable(aws::json_text(*router, "name")), config::printable(aws::json_text(*router, "state")), {}};
        for (const auto& entry : list_of(*router, "peers")) {
            const auto* const peer = entry.if_object();
            if (auto read = peer == nullptr ? std::nullopt : read_peer(*peer)) {
                seen.peers.push_back(*read);
            }
        }
        view.routers.push_back(std::move(seen));
    }
    return view;
}

}  // namespace vipd::doctor
