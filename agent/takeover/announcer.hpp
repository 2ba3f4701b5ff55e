#pragma once

// Tells the neighbours of addresses that have come, where [router.announce] asks for it: a burst at once and others later,
// since nobody confirms one and a switch may still be learning where this node is. As keepalived does it: five, and five more
// after 5 s.
//
// An address of an interface without a link address (lo) is announced on the router's interface: there the neighbours are.

#include "agent/config/config.hpp"
#include "agent/net/link_table.hpp"
#include "common/bytes.hpp"
#include "common/time.hpp"

#include <string>
#include <vector>

namespace vipd::takeover {

// One frame, or one message, out of one interface.
struct announcement {
    int link_index = 0;
    ip_address address;  // IPv4: an Ethernet frame with ARP; IPv6: an ICMPv6 message, sent from the address itself
    byte_buffer bytes;
};

class announcer {
public:
    // Begins again when it is under way.
    void begin(time_point now, const config::announce_section& how, const config::address_entry& address,
               const std::string& router_interface);
    void stop() { under_way_.clear(); }

    // What is due by now; empty when nothing is. An address that has gone in the meantime is passed over.
    std::vector<announcement> take_due(time_point now, const net::link_table& kernel);
    [[nodiscard]] wakeup next_wakeup() const;

private:
    struct burst {
        config::address_entry address;
        std::string router_interface;
        config::announce_section how;
        unsigned left = 0;
        time_point at;
        bool is_first = true;
    };
    static void announce(const burst& b, const net::link_table& kernel, std::vector<announcement>& out);

    std::vector<burst> under_way_;
};

}  // namespace vipd::takeover
