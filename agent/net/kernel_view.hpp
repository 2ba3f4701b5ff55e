#pragma once

// What the kernel has said about links and addresses so far, so that only news go on: link events repeat without a change, and
// after lost events a fresh dump shows what is there but not what has gone in the meantime.
//
//     begin_dump(); apply() for every message, of the dump and of events alike, in the order of arrival; end_dump()

#include "agent/net/link.hpp"
#include "agent/net/netlink.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace vipd::net {

class kernel_view {
public:
    void begin_dump();

    // Appends what is news to `out`. Acknowledgements and ends of dumps are not looked at.
    void apply(const netlink_message& message, std::vector<kernel_event>& out);

    // What was known before begin_dump() and not told since is gone; then dump_done.
    void end_dump(std::vector<kernel_event>& out);

private:
    template <class Value>
    struct known {
        Value value;
        std::uint64_t dump = 0;  // the dump during or after which it was last told
    };
    using address_key = std::pair<int, ip_prefix>;

    void see(const link& value, std::vector<kernel_event>& out);
    void see(const link_address& value, std::vector<kernel_event>& out);
    void lose_link(int index, std::vector<kernel_event>& out);
    void lose_address(const address_key& key, std::vector<kernel_event>& out);

    std::map<int, known<link>> links_;
    std::map<address_key, known<link_address>> addresses_;
    std::uint64_t dump_ = 0;
};

}  // namespace vipd::net
