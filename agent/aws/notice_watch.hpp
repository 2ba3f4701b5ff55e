#pragma once

// Asks IMDS every few seconds whether EC2 is about to take this instance away, or Auto Scaling is: a Spot interruption (EC2
// User Guide, "Spot Instance interruption notices"), a rebalance recommendation, a scheduled event, the target lifecycle state
// (Auto Scaling User Guide, "Retrieve the target lifecycle state"). An item that is not there is no notice. While IMDS does not
// answer, what it said last stands, and it is asked less and less often.

#include "common/backoff.hpp"
#include "common/random.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::aws {

enum class notice_kind : std::uint8_t { spot, rebalance, scheduled_event, auto_scaling };
inline constexpr std::size_t notice_kind_count = 4;
// "spot interruption", "rebalance recommendation", "scheduled event", "Auto Scaling"
std::string_view to_string(notice_kind kind);

inline constexpr std::size_t notice_what_size_max = 64;  // bytes

struct notice {
    notice_kind kind = notice_kind::spot;
    std::string what;             // "terminate", "instance-retirement", "Terminated"
    std::optional<wall_time> at;  // from when on; not every kind says it
    friend bool operator==(const notice&, const notice&) = default;
};

struct notice_settings {
    // By kind. A recommendation is often given to many instances at once, so that one is asked for by whoever wants it.
    bool spot = true;
    bool rebalance = false;
    bool scheduled_events = true;
    bool auto_scaling = true;
    // A scheduled event is announced weeks ahead; it counts from this long before it begins.
    duration lead = std::chrono::minutes{2};
    friend bool operator==(const notice_settings&, const notice_settings&) = default;

    [[nodiscard]] bool wants(notice_kind kind) const;
};

class notice_watch {
public:
    explicit notice_watch(std::uint64_t seed) : random_(seed) {}

    // Also while it runs: what is no longer wanted is forgotten.
    void start(time_point now, const notice_settings& settings);
    // What another process of this instance was told last. It stands as if this one had been told: until IMDS says otherwise.
    void recall(const std::vector<notice>& last);

    // The next IMDS path to ask; none while an answer is awaited or nothing is due.
    std::optional<std::string> poll_path(time_point now);
    void handle(instant now, const result<std::string>& body);
    [[nodiscard]] wakeup next_wakeup() const;

    // Why this instance is about to go, by what was last heard; null when it is not.
    [[nodiscard]] const notice* current(wall_time now) const;
    // What was last heard, also of scheduled events that do not count yet; at most one of each kind.
    [[nodiscard]] std::vector<notice> heard() const;

private:
    void next_kind(time_point now);

    random_source random_;
    backoff failing_{{std::chrono::seconds{5}, std::chrono::minutes{1}}};
    notice_settings settings_;
    std::optional<std::size_t> asking_;  // the kind that is asked for in this pass
    bool awaiting_ = false;
    time_point next_pass_ = never;
    std::array<std::optional<notice>, notice_kind_count> heard_;
};

// What an answer says; empty when it is no notice. Malformed when it cannot be read.
result<std::optional<notice>> parse_notice(notice_kind kind, std::string_view body);

}  // namespace vipd::aws
