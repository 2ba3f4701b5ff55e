#pragma once

// Finds the security group that lacks a rule for inbound protocol 112, by what it does to adverts.
//
// A security group lets the answers of an address through for 600 s after something was sent there, whatever its inbound rules
// say (for protocols other than TCP, UDP and ICMP it goes by address alone). A Backup sends nothing. So without the rule it
// hears nothing of the Active, becomes Active itself, hears the Active at once because now it has sent, steps back, and works
// for ten minutes; then it goes deaf and the same begins again. Neither node sees a packet that is wrong.
//
// A sign is a peer that becomes audible right after this node took over in silence, when
//   - it had not been heard before: at the first contact, or
//   - it had fallen silent about 600 s after this node last sent something.
// Two signs of one peer are the diagnosis. One is not: two nodes that boot together may take over side by side, and a partition
// may heal at an unlucky moment. What heals, returns or starts at any other time is no sign at all: a peer that comes back
// after a crash is silent when this node takes over, and a partition does not begin when the tracking ends.
// A peer that is heard for longer than tracking lasts, without having been sent anything, is let through by a rule: that ends
// the diagnosis.
//
// Times are of one router. Another router between the same nodes keeps the tracking alive as long as it sends, which hides the
// fault and heals it alike.

#include "common/ip.hpp"
#include "common/time.hpp"

#include <optional>
#include <vector>

namespace vipd::node {

class inbound_watch {
public:
    enum class verdict : std::uint8_t { nothing_new, rule_missing, rule_there };

    // What is known of those that stay is kept.
    void set_peers(const std::vector<ip_address>& peers);

    // Adverts have left for every peer.
    void sent(time_point now);
    // The down timer ran out and nobody was heard. `promptly` is how soon an Active peer would be heard if it could be: its
    // answer to our advert, or its next own one. Call it when the first advert has been sent.
    void took_over(time_point now, duration promptly);
    // A valid advert of a peer.
    verdict heard(time_point now, const ip_address& peer);

    [[nodiscard]] bool is_missing(const ip_address& peer) const;

private:
    struct peer_state {
        ip_address address;
        std::optional<time_point> heard_at;
        unsigned signs = 0;
        bool is_missing = false;
    };
    [[nodiscard]] bool is_sign(time_point now, const peer_state& p) const;
    [[nodiscard]] const peer_state* find(const ip_address& address) const;

    std::vector<peer_state> peers_;
    std::optional<time_point> sent_at_;
    std::optional<time_point> sent_before_;    // the time before that
    std::optional<time_point> silence_after_;  // the last takeover: what was sent last before it
    time_point took_over_at_ = never;
    duration promptly_{};
};

}  // namespace vipd::node
