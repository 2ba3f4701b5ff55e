// Any bytes on a netlink socket: nothing may crash, and what is decoded has to be digestible.

#include "agent/net/netlink.hpp"

#include "agent/net/kernel_view.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto decoded = vipd::net::decode_netlink({data, size});
    vipd::net::kernel_view view;
    std::vector<vipd::net::kernel_event> events;
    view.begin_dump();
    for (const auto& message : decoded.messages) {
        view.apply(message, events);
    }
    view.begin_dump();
    view.end_dump(events);
    // Everything that was told of is taken back, links with their addresses, and the end is told.
    ENSURE(events.size() <= decoded.messages.size() * 2 + 1);
    return 0;
}
