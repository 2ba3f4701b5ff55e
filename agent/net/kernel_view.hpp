#pragma once

// What the kernel has said so far, so that only news go on: link events repeat without a change, and after lost events a fresh
// dump shows what is there but not what has gone in the meantime. Of rules and routes it keeps ours alone, and a bounded
// number: a machine that speaks BGP has a million others.
//
//     begin_dump(); apply() for every message, of the dump and of events alike, in the order of arrival; end_dump()

#include "agent/net/link.hpp"
#include "agent/net/netlink.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace vipd::net {

// Four times what a configuration may have (config/policies.cpp); what is beyond is not told of.
inline constexpr std::size_t policy_parts_seen_max = 16'384;

class kernel_view {
public:
    void begin_dump();

    // Appends what is news to `out`. Acknowledgements and ends of dumps are not looked at.
    void apply(const netlink_message& message, std::vector<kernel_event>& out);

    // What was known before begin_dump() and not told since is gone; then dump_done.
    void end_dump(std::vector<kernel_event>& out);

    // Whether a route of ours is known. The kernel does not tell of those that go with a link or an address.
    [[nodiscard]] bool has_routes() const { return !routes_.empty(); }

private:
    template <class Value>
    struct known {
        Value value;
        std::uint64_t dump = 0;  // the dump during or after which it was last told
    };
    using address_key = std::pair<int, ip_prefix>;

    void see(const link& value, std::vector<kernel_event>& out);
    void see(const link_address& value, std::vector<kernel_event>& out);
    void hear(const rule_told& told, std::vector<kernel_event>& out);
    void hear(const route_told& told, std::vector<kernel_event>& out);
    void lose_link(int index, std::vector<kernel_event>& out);
    void lose_address(const address_key& key, std::vector<kernel_event>& out);
    void lose_rule(const policy_rule& value, std::vector<kernel_event>& out);
    void lose_route(const route_key& key, std::vector<kernel_event>& out);

    std::map<int, known<link>> links_;
    std::map<address_key, known<link_address>> addresses_;
    std::map<policy_rule, std::uint64_t> rules_;  // with the dump, as in `known`
    std::map<route_key, known<route>> routes_;
    std::uint64_t dump_ = 0;
};

}  // namespace vipd::net
