#pragma once

#include "agent/net/link.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace vipd::net {

// What the kernel has told of this node's links and addresses; one for all routers.
class link_table {
public:
    void apply(const kernel_event& event);

    // The first dump has been told completely.
    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] const link* find_link(std::string_view name) const;
    [[nodiscard]] bool has_address(const ip_address& address) const;
    [[nodiscard]] bool has_address(int link_index, const ip_prefix& address) const;
    // In the kernel's order: primary addresses first.
    [[nodiscard]] std::vector<ip_prefix> addresses_of(int link_index) const;
    [[nodiscard]] const std::map<int, link>& links() const { return links_; }

private:
    std::map<int, link> links_;
    std::map<int, std::vector<ip_prefix>> addresses_;
    bool complete_ = false;
};

}  // namespace vipd::net
