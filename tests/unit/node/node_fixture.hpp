#pragma once

#include "agent/node/node.hpp"
#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace vipd::node {
using namespace std::chrono_literals;
using test::node_harness;
using kind = status::resource_kind;
using vrrp::state;

inline constexpr auto me = "eni-0000000000000000a";
inline constexpr auto other = "eni-0000000000000000b";
inline constexpr auto vip = "172.16.1.100/32";

class node_test : public testing::Test {
protected:
    void start_as_backup()
    {
        h.start();
        h.hear(200);
        ASSERT_EQ(h.state(), state::backup);
    }

    // Nobody is heard until the down timer has run out, and the first answers have come.
    void start_as_active()
    {
        h.start();
        h.advance(361ms + 100ms);
        ASSERT_EQ(h.state(), state::active);
    }

    // The peer speaks every 100 ms.
    void advance_with_peer(duration d, std::uint8_t priority)
    {
        for (duration passed{}; passed < d; passed += 100ms) {
            h.hear(priority);
            h.advance(100ms);
        }
    }

    std::shared_ptr<config::configuration> changed(const std::function<void(config::configuration&)>& edit)
    {
        auto next = std::make_shared<config::configuration>(*configuration);
        edit(*next);
        return next;
    }

    std::shared_ptr<config::configuration> configuration = node_harness::one_router();
    node_harness h{configuration};
};

}  // namespace vipd::node
