#pragma once

// What is said about adverts that were discarded, or accepted although they differ: never a line per packet, because a stranger
// decides how many there are.

#include "agent/status/journal.hpp"
#include "agent/vrrp/admission.hpp"
#include "common/time.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace vipd::node {

class advert_notes {
public:
    explicit advert_notes(status::journal& journal) : journal_(journal) {}

    // At most one line every 10 s for each reason; `router` is its name, empty when none was found.
    void discarded(instant now, vrrp::discard_reason reason, std::string_view router, const vrrp::datagram& datagram);
    // Once in 10 minutes for each router and kind of difference.
    void differs(instant now, const vrrp::admitted& a, std::string_view router);

private:
    struct limit {
        time_point next = time_point::min();
        std::uint64_t suppressed = 0;
    };
    status::journal& journal_;
    std::array<limit, vrrp::discard_reason_count> discarded_{};
    std::map<std::pair<std::uint32_t, bool>, time_point> differs_;  // rule, interval (or addresses)
};

}  // namespace vipd::node
