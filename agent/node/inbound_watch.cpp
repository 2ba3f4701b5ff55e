#include "agent/node/inbound_watch.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

// Around the 600 s for which a security group remembers; how exactly it forgets is not documented.
constexpr duration tracking_min = 9min;
constexpr duration tracking_max = 12min;
constexpr unsigned signs_needed = 2;

}  // namespace

void inbound_watch::set_peers(const std::vector<ip_address>& peers)
{
    std::vector<peer_state> next;
    for (const auto& address : peers) {
        const auto* old = find(address);
        next.push_back(old == nullptr ? peer_state{address, std::nullopt, 0, false} : *old);
    }
    peers_ = std::move(next);
}

const inbound_watch::peer_state* inbound_watch::find(const ip_address& address) const
{
    const auto found = std::ranges::find(peers_, address, &peer_state::address);
    return found == peers_.end() ? nullptr : &*found;
}

void inbound_watch::sent(time_point now)
{
    if (sent_at_ != now) {
        sent_before_ = sent_at_;
        sent_at_ = now;
    }
}

void inbound_watch::took_over(time_point now, duration promptly)
{
    took_over_at_ = now;
    promptly_ = promptly;
    silence_after_ = sent_before_;
}

bool inbound_watch::is_sign(time_point now, const peer_state& p) const
{
    const bool is_first_since = took_over_at_ != never && (!p.heard_at || *p.heard_at < took_over_at_);
    if (!is_first_since || now - took_over_at_ > promptly_) {
        return false;
    }
    if (!p.heard_at) {
        return true;
    }
    const auto lasted = silence_after_ ? *p.heard_at - *silence_after_ : duration::zero();
    return lasted >= tracking_min && lasted <= tracking_max;
}

inbound_watch::verdict inbound_watch::heard(time_point now, const ip_address& peer)
{
    const auto found = std::ranges::find(peers_, peer, &peer_state::address);
    if (found == peers_.end()) {
        return verdict::nothing_new;
    }
    auto& p = *found;
    const bool sign = is_sign(now, p);
    p.heard_at = now;
    if (sign) {
        ++p.signs;
        const bool news = p.signs >= signs_needed && !p.is_missing;
        p.is_missing = p.is_missing || news;
        return news ? verdict::rule_missing : verdict::nothing_new;
    }
    const bool is_let_in = sent_at_ && now - *sent_at_ > tracking_max;
    if (is_let_in) {
        p.signs = 0;
        return std::exchange(p.is_missing, false) ? verdict::rule_there : verdict::nothing_new;
    }
    return verdict::nothing_new;
}

bool inbound_watch::is_missing(const ip_address& peer) const
{
    const auto* p = find(peer);
    return p != nullptr && p->is_missing;
}

}  // namespace vipd::node
