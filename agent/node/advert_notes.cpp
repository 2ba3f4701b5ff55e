#include "agent/node/advert_notes.hpp"

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

constexpr duration discarded_pause = 10s;
constexpr duration differs_pause = 10min;

}  // namespace

void advert_notes::discarded(instant now, vrrp::discard_reason reason, std::string_view router, const vrrp::datagram& datagram)
{
    auto& l = discarded_[static_cast<std::size_t>(reason)];
    if (now.steady < l.next) {
        ++l.suppressed;
        return;
    }
    journal_.log().warning("advert_discarded", {{"router", router},
                                                {"reason", to_string(reason)},
                                                {"from", datagram.source.to_string()},
                                                {"to", datagram.destination.to_string()},
                                                {"ttl", datagram.ttl},
                                                {"bytes", datagram.message.size()},
                                                {"like_it_since_last_line", l.suppressed}});
    l = {now.steady + discarded_pause, 0};
}

void advert_notes::differs(instant now, const vrrp::admitted& a, std::string_view router)
{
    for (const bool interval : {false, true}) {
        if (!(interval ? a.interval_differs : a.address_list_differs)) {
            continue;
        }
        auto& next = differs_[{a.router, interval}];
        if (now.steady < next) {
            continue;
        }
        next = now.steady + differs_pause;
        journal_.set_now(now.wall);
        journal_.record(log_level::warning, "advert_differs", router,
                        {{"from", a.advert.source.to_string()},
                         {"what", interval ? "advert_interval" : "addresses"},
                         {"remedy", "configure the same on every node of the virtual router"}});
    }
}

}  // namespace vipd::node
