#pragma once

// A whole node in simulated time, for benchmarks: interfaces and addresses are told to it at once, EC2 says yes to everything
// at once, and adverts go nowhere. What is measured is then the node and nothing else.

#include "agent/node/node.hpp"
#include "common/log.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace vipd::bench {

inline constexpr std::size_t vrids_per_interface = 250;

struct fleet_options {
    std::size_t routers = 1;
    duration advert_interval = std::chrono::milliseconds{100};
    bool with_route = false;       // one [[router.route]] each, in one table, with fixed ids
    std::size_t policy_parts = 0;  // so many rules and so many routes each, in a table of its own
};

// Router i has VRID i % 250 + 1 on interface i / 250, address 10.99.k.1 and the one peer 10.99.k.2.
std::shared_ptr<const config::configuration> fleet_configuration(const fleet_options& options);

class silent_log : public log_sink {
public:
    void write(const log_record& /*record*/) override {}
};

class driven_node {
public:
    explicit driven_node(const fleet_options& options);

    node::node& machine() { return node_; }
    [[nodiscard]] instant now() const { return now_; }
    void set_now(time_point at);
    void advance(duration d) { set_now(now_.steady + d); }

    // Carries out every output the way a perfect world would. Returns how many adverts went out.
    std::size_t carry_out();
    // Time passes until `until`, with every timeout on time.
    void run_until(time_point until);
    // Says that every peer has just sent an advert with this priority.
    void hear_all(std::uint8_t priority);
    // The adverts that hear_all() gives to the node, ready made.
    [[nodiscard]] std::vector<byte_buffer> peer_adverts(std::uint8_t priority) const;
    [[nodiscard]] vrrp::datagram datagram(std::size_t router, byte_view message) const;

    // EC2's yes to one request.
    void answer(const aws::http_exchange& exchange);

    [[nodiscard]] bool all_are(vrrp::state state) const;

private:
    void tell_kernel();

    std::shared_ptr<const config::configuration> configuration_;
    silent_log log_;
    instant now_;
    node::node node_;
};

}  // namespace vipd::bench
