#pragma once

#include "agent/net/link.hpp"
#include "agent/net/policy_table.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace vipd::net {

// What the kernel has told of this node's links and addresses, and of our rules and routes; one for all routers.
class link_table {
public:
    void apply(const kernel_event& event);

    // The first dump has been told completely.
    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] const link* find_link(std::string_view name) const;
    // `mac` in lower case with colons.
    [[nodiscard]] const link* find_link_by_mac(std::string_view mac) const;
    [[nodiscard]] bool has_address(const ip_address& address) const;
    [[nodiscard]] bool has_address(int link_index, const ip_prefix& address) const;
    // In the kernel's order: primary addresses first.
    [[nodiscard]] std::vector<ip_prefix> addresses_of(int link_index) const;
    [[nodiscard]] const std::map<int, link>& links() const { return links_; }
    [[nodiscard]] const policy_table& policies() const { return policies_; }

private:
    void forget_link(int index);
    void count_down(const ip_address& address);

    std::map<int, link> links_;
    // Of each link, with the order of arrival.
    std::map<int, std::map<ip_prefix, std::uint64_t>> addresses_;
    std::uint64_t last_arrival_ = 0;
    std::map<ip_address, unsigned> address_counts_;  // on how many links
    policy_table policies_;
    bool complete_ = false;
};

}  // namespace vipd::net
