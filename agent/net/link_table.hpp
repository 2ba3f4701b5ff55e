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
    // Whether it is there and can be used: one that is tentative cannot.
    [[nodiscard]] bool has_address(const ip_address& address) const;
    [[nodiscard]] bool has_address(int link_index, const ip_prefix& address) const;
    // Tentative or not; null: it is not there. Without a link: wherever it is, and where it can be used before all.
    [[nodiscard]] const link_address* find_address(int link_index, const ip_prefix& address) const;
    [[nodiscard]] const link_address* find_address(const ip_address& address) const;
    // In the kernel's order: primary addresses first. Tentative ones are among them.
    [[nodiscard]] std::vector<link_address> addresses_of(int link_index) const;
    [[nodiscard]] const std::map<int, link>& links() const { return links_; }
    [[nodiscard]] const policy_table& policies() const { return policies_; }

private:
    struct seen_address {
        std::uint64_t arrival = 0;
        link_address value;
    };

    void see(const link_address& value);
    void lose(const link_address& value);
    void forget_link(int index);
    void count_down(const link_address& value);

    std::map<int, link> links_;
    std::map<int, std::map<ip_prefix, seen_address>> addresses_;  // of each link
    std::uint64_t last_arrival_ = 0;
    std::map<ip_address, unsigned> address_counts_;  // on how many links it can be used
    policy_table policies_;
    bool complete_ = false;
};

// Why it cannot be used, to be read after its name; empty when it can.
std::string_view why_unusable(const link_address& address);

}  // namespace vipd::net
