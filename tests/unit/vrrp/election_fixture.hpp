#pragma once

// An election under a clock that is moved by hand. Each step gives what came out as text, so that a test compares all of it.

#include "agent/vrrp/election.hpp"
#include "common/overloaded.hpp"
#include "tests/unit/vrrp/values.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace vipd::vrrp {

using namespace std::chrono_literals;

using log = std::vector<std::string>;

inline const time_point start{duration{1'000'000'000'000}};

inline const auto us = address("10.0.0.20");
inline const auto low_peer = address("10.0.0.10");
inline const auto high_peer = address("10.0.0.200");

// "advert 100", "Backup -> Active: no_advert", "lower 99 from 10.0.0.10"
inline log describe(const std::vector<election_output>& outputs)
{
    log lines;
    for (const auto& output : outputs) {
        lines.push_back(std::visit(
            overloaded{
                [](const send_advert& a) { return fmt::format("advert {}", a.priority); },
                [](const transition& t) {
                    return fmt::format("{} -> {}: {}", to_string(t.from), to_string(t.to), to_string(t.reason));
                },
                [](const heard_lower_priority& h) { return fmt::format("lower {} from {}", h.priority, h.source.to_string()); },
            },
            output));
    }
    return lines;
}

class harness {
public:
    explicit harness(const election_settings& s) : machine(s) {}

    log startup()
    {
        return collect([&](auto& out) { machine.startup(now, out); });
    }
    log startup_after(duration silence)
    {
        return collect([&](auto& out) { machine.startup(now, now - silence, out); });
    }
    log shutdown()
    {
        return collect([&](auto& out) { machine.shutdown(now, out); });
    }
    log fault()
    {
        return collect([&](auto& out) { machine.fault(now, out); });
    }
    log step_down()
    {
        return collect([&](auto& out) { machine.step_down(now, out); });
    }
    log hear(const ip_address& source, unsigned priority, duration interval = 1s)
    {
        return collect([&](auto& out) { machine.handle(now, {source, static_cast<std::uint8_t>(priority), interval}, out); });
    }
    log change(const election_settings& s)
    {
        return collect([&](auto& out) { machine.change(now, s, out); });
    }
    log timeout()
    {
        return collect([&](auto& out) { machine.handle_timeout(now, out); });
    }
    log follow_to_active(time_point due)
    {
        return collect([&](auto& out) { machine.follow_group_to_active(now, due, out); });
    }
    log follow_to_backup()
    {
        return collect([&](auto& out) { machine.follow_group_to_backup(now, out); });
    }
    log resume(time_point believed_until)
    {
        return collect([&](auto& out) { machine.resume(now, believed_until, out); });
    }
    // Lets `d` pass and fires what is due then, once.
    log pass(duration d)
    {
        now += d;
        return timeout();
    }
    // Goes to the next wakeup and fires it.
    log wake()
    {
        now = machine.next_wakeup().at;
        return timeout();
    }
    [[nodiscard]] duration until_wakeup() const { return machine.next_wakeup().at - now; }
    [[nodiscard]] const transition& last_transition() const { return last_transition_; }

    time_point now = start;
    election machine;

private:
    template <class Step>
    log collect(Step step)
    {
        std::vector<election_output> out;
        step(out);
        for (const auto& output : out) {
            if (const auto* const t = std::get_if<transition>(&output)) {
                last_transition_ = *t;
            }
        }
        return describe(out);
    }

    transition last_transition_;
};

inline election_settings settings(unsigned priority = 100)
{
    election_settings s;
    s.source = us;
    s.priority = static_cast<std::uint8_t>(priority);
    return s;
}

inline election_settings settings_v2(unsigned priority = 100)
{
    auto s = settings(priority);
    s.protocol_version = version::v2;
    return s;
}

inline harness backup(const election_settings& s = settings())
{
    harness h{s};
    h.startup();
    EXPECT_EQ(h.machine.current(), state::backup);
    return h;
}

inline harness active(const election_settings& s = settings())
{
    harness h{s};
    h.startup();
    if (h.machine.current() == state::backup) {
        h.wake();
    }
    EXPECT_EQ(h.machine.current(), state::active);
    return h;
}

}  // namespace vipd::vrrp
