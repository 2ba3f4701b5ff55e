// Any bytes on a netlink socket: nothing may crash, what is decoded has to be digestible, and a rule or a route that is read
// says the same when it is written and read again.

#include "agent/net/netlink.hpp"

#include "agent/net/kernel_view.hpp"
#include "agent/net/link_table.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>

namespace {

using namespace vipd::net;

template <class Told>
Told only(const netlink_datagram& decoded)
{
    ENSURE(decoded.malformed == 0 && decoded.messages.size() == 1);
    const auto* told = std::get_if<Told>(&decoded.messages.front());
    ENSURE(told != nullptr);
    return *told;
}

void write_again(const rule_told& told)
{
    // One with another protocol may say more than a policy_rule holds.
    if (told.protocol != route_protocol) {
        return;
    }
    auto rule = told.value;
    // What the kernel never says: selectors of length 0, a mark without its mask, a name that is empty or too long.
    const auto is_whole = [](const auto& prefix) { return !prefix || prefix->length() > 0; };
    const auto is_name = [](const std::string& name) { return name.size() < 16; };
    if (!is_whole(rule.from) || !is_whole(rule.to) || (rule.mark_mask == 0 && rule.mark != 0) ||
        !is_name(rule.input_interface) || !is_name(rule.output_interface)) {
        return;
    }
    const auto again = only<rule_told>(decode_netlink(encode_change(add_rule{rule}, 1)));
    ENSURE(again.value == rule && again.protocol == route_protocol && !again.gone);
}

void write_again(const route_told& told)
{
    const bool is_default = told.value.key.destination.length() == 0;
    if (told.protocol != route_protocol || (is_default && !told.value.key.destination.address().is_unspecified())) {
        return;
    }
    const auto again = only<route_told>(decode_netlink(encode_change(replace_route{told.value}, 1)));
    ENSURE(again.value == told.value && again.protocol == route_protocol && again.replaces);
    ENSURE(only<route_told>(decode_netlink(encode_change(remove_route{told.value}, 1))).value.key == told.value.key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto decoded = decode_netlink({data, size});
    kernel_view view;
    link_table table;
    std::vector<kernel_event> events;
    view.begin_dump();
    for (const auto& message : decoded.messages) {
        view.apply(message, events);
        if (const auto* rule = std::get_if<rule_told>(&message)) {
            write_again(*rule);
        } else if (const auto* route = std::get_if<route_told>(&message)) {
            write_again(*route);
        }
    }
    view.begin_dump();
    view.end_dump(events);
    // Everything that was told of is taken back, links with their addresses, and the end is told.
    ENSURE(events.size() <= decoded.messages.size() * 2 + 1);
    for (const auto& event : events) {
        table.apply(event);
    }
    ENSURE(table.links().empty() && table.policies().rules().empty() && table.policies().routes().empty());
    return 0;
}
