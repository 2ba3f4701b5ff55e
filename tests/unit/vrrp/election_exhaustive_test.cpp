#include "agent/vrrp/election.hpp"
#include "tests/unit/vrrp/election_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// Every sequence of a few events, compared step by step with a second opinion.
//
// The second opinion keeps no timer and no flag. It keeps the history and answers each question from it by the definition: when
// did the last advert count, who released since, how long have lower ones been heard. It is slow and has little to get wrong.

namespace vipd::vrrp {

namespace {

enum class kind {
    lower_low,
    lower_high,
    equal_low,
    equal_high,
    higher,
    release_low,
    release_high,
    half,
    wake,
    sleep,
    start,
    stop,
    step_down,
    raise,
    drop
};
constexpr std::size_t kind_count = 15;

struct heard_event {
    time_point at;
    ip_address source;
    unsigned priority;
    duration interval;
    bool counts = false;    // accepted by a Backup, or the one that made it a Backup
    bool releases = false;  // priority 0, the first of its source, and not heard by an owner of version 2
};

class reference {
public:
    explicit reference(const election_settings& s) : s_(s) {}

    state current = state::initialize;
    time_point due = never;

    log start(time_point now)
    {
        if (current != state::initialize) {
            return {};
        }
        if (s_.priority == 255) {
            return go_active(now, "startup");
        }
        return go_backup(now, "startup");
    }

    log stop(time_point now)
    {
        log out = wake_up(now);
        if (current == state::active) {
            out.push_back("advert 0");
        }
        if (current != state::initialize) {
            out.push_back(fmt::format("{} -> Initialize: shutdown", to_string(current)));
        }
        current = state::initialize;
        due = never;
        return out;
    }

    log step_down(time_point now)
    {
        log out = wake_up(now);
        if (current != state::active) {
            return out;
        }
        out.push_back("advert 0");
        append(out, go_backup(now, "stepped_down"));
        stepped_down_ = true;
        due = down_deadline();
        return out;
    }

    log change(time_point now, const election_settings& s)
    {
        log out;
        const bool is_drop = s.priority < s_.priority && !slept(now);
        listen_anew_if_slept(now);
        s_ = s;
        if (current == state::backup) {
            due = std::max(down_deadline(), std::min(due, now));
        }
        if (current == state::active && is_drop) {
            out.push_back(fmt::format("advert {}", s_.priority));
        }
        return out;
    }

    log timeout(time_point now)
    {
        log out = wake_up(now);
        if (now < due) {
            return out;
        }
        if (current == state::backup) {
            return go_active(now, why_active());
        }
        due = now - due >= s_.advert_interval ? now + s_.advert_interval : due + s_.advert_interval;
        return {fmt::format("advert {}", s_.priority)};
    }

    log hear(time_point now, const ip_address& source, unsigned priority, duration interval)
    {
        heard_event e{now, source, priority, interval};
        e.releases = priority == 0 && !was_zero_before(source) && !is_deaf();
        log out = wake_up(now);
        if (current == state::backup && priority != 0 && !is_deaf()) {
            e.counts = priority >= s_.priority || listens_to_lower(now);
        }
        if (current == state::active && is_deaf() && priority != 0 && priority < s_.priority) {
            out = {fmt::format("lower {} from {}", priority, source.to_string())};
        } else if (current == state::active && !is_deaf()) {
            append(out, hear_as_active(e));
        }
        history_.push_back(e);
        if (current == state::backup && !is_deaf() && (e.counts || e.releases)) {
            due = e.counts ? down_deadline() : std::min(due, down_deadline());
        }
        return out;
    }

private:
    static void append(log& to, const log& from) { to.insert(to.end(), from.begin(), from.end()); }

    // No Backup is quicker than one of priority 254; whoever is that late for what it had to do was not there.
    [[nodiscard]] bool is_too_late(time_point now) const
    {
        const duration skew = 2 * (s_.protocol_version == version::v3 ? s_.advert_interval : duration{1s}) / 256;
        const auto quickest = s_.down_timer_adverts * s_.advert_interval + skew;
        return s_.priority != 255 && now - (due - s_.advert_interval) > quickest;
    }

    // An Active no longer knows that it is one.
    [[nodiscard]] bool slept(time_point now) const { return current == state::active && is_too_late(now); }

    // For a Backup nothing that came before the sleep counts, but the interval of the Active.
    void listen_anew_if_slept(time_point now)
    {
        if (current == state::backup && is_too_late(now)) {
            woke_at_ = now;
            woke_ = history_.size();
            due = down_deadline();
        }
    }

    log wake_up(time_point now)
    {
        if (slept(now)) {
            return go_backup(now, "stalled");
        }
        listen_anew_if_slept(now);
        return {};
    }

    // Once for all that is heard at the same moment.
    log answer(time_point now) const
    {
        for (auto i = entered_; i < history_.size(); ++i) {
            if (history_[i].at == now && (history_[i].priority != 0 || history_[i].releases)) {
                return {};
            }
        }
        return {fmt::format("advert {}", s_.priority)};
    }

    log hear_as_active(heard_event& e)
    {
        const log own = answer(e.at);
        if (e.priority == 0) {
            if (!e.releases) {
                return {};
            }
            due = e.at + s_.advert_interval;
            log told = own;
            told.push_back(fmt::format("lower 0 from {}", e.source.to_string()));
            return told;
        }
        const bool wins = e.priority > s_.priority || (e.priority == s_.priority && e.source > s_.source);
        log out = own;
        if (wins) {
            append(out, go_backup(e.at, "heard_better"));
            e.counts = true;
        } else {
            out.push_back(fmt::format("lower {} from {}", e.priority, e.source.to_string()));
        }
        return out;
    }

    log go_active(time_point now, std::string_view why)
    {
        const log out = {fmt::format("advert {}", s_.priority), fmt::format("{} -> Active: {}", to_string(current), why)};
        current = state::active;
        entered_ = history_.size();
        due = now + s_.advert_interval;
        return out;
    }

    log go_backup(time_point now, std::string_view why)
    {
        const log out = {fmt::format("{} -> Backup: {}", to_string(current), why)};
        current = state::backup;
        entered_at_ = now;
        entered_ = history_.size();
        woke_at_ = now;
        woke_ = entered_;
        stepped_down_ = false;
        due = down_deadline();
        return out;
    }

    [[nodiscard]] bool was_zero_before(const ip_address& source) const
    {
        const auto last = std::find_if(history_.rbegin(), history_.rend(), [&](const auto& e) { return e.source == source; });
        return last != history_.rend() && last->priority == 0;
    }

    // Where the time that counts now begins: behind the last advert that counted since we are Backup.
    [[nodiscard]] std::size_t counted_end() const
    {
        std::size_t end = entered_;
        for (std::size_t i = entered_; i < history_.size(); ++i) {
            end = history_[i].counts ? i + 1 : end;
        }
        return end;
    }

    [[nodiscard]] duration active_interval() const
    {
        const auto end = counted_end();
        return end > entered_ && s_.protocol_version == version::v3 ? history_[end - 1].interval : s_.advert_interval;
    }

    [[nodiscard]] time_point down_deadline() const
    {
        const auto end = counted_end();
        const bool is_v3 = s_.protocol_version == version::v3;
        const auto a = active_interval();
        const duration skew = (256 - s_.priority) * (is_v3 ? a : duration{1s}) / 256;
        const bool waits_longest = stepped_down_ && end == entered_ && woke_at_ == entered_at_;
        auto deadline = std::max(end > entered_ ? history_[end - 1].at : entered_at_, woke_at_) + s_.down_timer_adverts * a +
                        (waits_longest ? (is_v3 ? a : duration{1s}) : skew);
        for (auto i = std::max(end, woke_); i < history_.size(); ++i) {
            deadline = history_[i].releases ? std::min(deadline, history_[i].at + skew) : deadline;
        }
        return deadline;
    }

    [[nodiscard]] bool listens_to_lower(time_point now) const
    {
        if (s_.priority == 255) {
            return false;
        }
        if (!s_.preempt) {
            return true;
        }
        // Priorities do not change in the sequences that have a delay, so that "lower" means the same throughout.
        std::optional<time_point> since;
        for (std::size_t i = woke_; i < history_.size(); ++i) {
            const auto& e = history_[i];
            if (e.priority >= s_.priority) {
                since.reset();
            } else if (e.priority != 0 && !since) {
                since = e.at;
            }
        }
        return now - since.value_or(now) < s_.preempt_delay;
    }

    [[nodiscard]] std::string_view why_active() const
    {
        std::string_view why = "no_advert";
        for (auto i = std::max(counted_end(), woke_); i < history_.size() && !is_deaf(); ++i) {
            if (history_[i].releases) {
                why = "active_released";
            } else if (history_[i].priority != 0) {
                why = "preempted_lower";
            }
        }
        return why;
    }

    [[nodiscard]] bool is_deaf() const { return s_.protocol_version == version::v2 && s_.priority == 255; }

    election_settings s_;
    std::vector<heard_event> history_;
    time_point entered_at_;
    std::size_t entered_ = 0;
    time_point woke_at_;  // as Backup; when it has not slept since, the same as above
    std::size_t woke_ = 0;
    bool stepped_down_ = false;
};

struct world {
    harness shipped;
    reference opinion;
    election_settings now_set;
};

unsigned clamp(unsigned priority)
{
    return std::clamp(priority, 1U, 255U);
}

// Carries out one event on both and returns what each said.
std::pair<log, log> apply(world& w, kind k, const election_settings& base)
{
    auto& h = w.shipped;
    auto& o = w.opinion;
    const auto hear = [&](const ip_address& source, unsigned priority, duration interval) {
        return std::pair{h.hear(source, priority, interval), o.hear(h.now, source, priority, interval)};
    };
    const auto change = [&](unsigned priority) {
        w.now_set.priority = static_cast<std::uint8_t>(priority);
        return std::pair{h.change(w.now_set), o.change(h.now, w.now_set)};
    };
    const unsigned p = base.priority;
    switch (k) {
        case kind::lower_low:
            return hear(low_peer, p - 1, 1s);
        case kind::lower_high:
            return hear(high_peer, p - 1, 400ms);
        case kind::equal_low:
            return hear(low_peer, p, 1s);
        case kind::equal_high:
            return hear(high_peer, p, 400ms);
        case kind::higher:
            return hear(low_peer, clamp(p + 1), 1s);
        case kind::release_low:
            return hear(low_peer, 0, 1s);
        case kind::release_high:
            return hear(high_peer, 0, 400ms);
        case kind::half:
            h.now += 500ms;
            return {h.timeout(), o.timeout(h.now)};
        case kind::wake:
            // One nanosecond late, and so that nothing happens in Initialize.
            h.now = h.machine.next_wakeup().at == never ? h.now : std::max(h.now, h.machine.next_wakeup().at + 1ns);
            return {h.timeout(), o.timeout(h.now)};
        case kind::sleep:
            // Nobody looks at the clock: what comes next finds it so.
            h.now += 4s;
            return {};
        case kind::start:
            return {h.startup(), o.start(h.now)};
        case kind::stop:
            return {h.shutdown(), o.stop(h.now)};
        case kind::step_down:
            return {h.step_down(), o.step_down(h.now)};
        case kind::raise:
            return change(clamp(base.priority + (base.priority == 255 ? 0U : 20U)));
        case kind::drop:
            return change(base.priority == 255 ? 255U : base.priority - 20U);
    }
    return {};
}

std::string_view name(kind k)
{
    static constexpr std::array<std::string_view, kind_count> names = {
        "lower_low", "lower_high", "equal_low", "equal_high", "higher",    "release_low", "release_high", "half",
        "wake",      "sleep",      "start",     "stop",       "step_down", "raise",       "drop"};
    return names[static_cast<std::size_t>(k)];
}

class exhaustive {
public:
    exhaustive(const election_settings& base, std::vector<kind> alphabet) : base_(base), alphabet_(std::move(alphabet)) {}

    // Depth first; the worlds are copied, so that each prefix is walked once.
    void walk(const world& before, std::size_t depth)
    {
        if (depth == 0 || ::testing::Test::HasFailure()) {
            return;
        }
        for (const auto k : alphabet_) {
            auto w = before;
            path_.push_back(k);
            const auto [shipped, opinion] = apply(w, k, base_);
            ++steps_;
            if (shipped != opinion || w.shipped.machine.current() != w.opinion.current ||
                w.shipped.machine.next_wakeup().at != w.opinion.due) {
                report(w, shipped, opinion);
                return;
            }
            walk(w, depth - 1);
            path_.pop_back();
        }
    }

    [[nodiscard]] std::size_t steps() const { return steps_; }

private:
    void report(const world& w, const log& shipped, const log& opinion) const
    {
        std::string text = fmt::format("priority {} version {} preempt {} delay {} ns:", base_.priority,
                                       static_cast<int>(base_.protocol_version), base_.preempt, base_.preempt_delay.count());
        for (const auto k : path_) {
            text.append(" ").append(name(k));
        }
        ADD_FAILURE() << text << "\nshipped: " << fmt::format("{}", fmt::join(shipped, "; ")) << " "
                      << to_string(w.shipped.machine.current()) << " due in " << w.shipped.until_wakeup().count()
                      << "\nopinion: " << fmt::format("{}", fmt::join(opinion, "; ")) << " " << to_string(w.opinion.current)
                      << " due in " << (w.opinion.due - w.shipped.now).count();
    }

    election_settings base_;
    std::vector<kind> alphabet_;
    std::vector<kind> path_;
    std::size_t steps_ = 0;
};

std::vector<kind> every_kind_but(std::initializer_list<kind> without)
{
    std::vector<kind> alphabet;
    for (std::size_t i = 0; i < kind_count; ++i) {
        const auto k = static_cast<kind>(i);
        if (std::ranges::find(without, k) == without.end()) {
            alphabet.push_back(k);
        }
    }
    return alphabet;
}

// From Backup and from Active, which only a long path would reach otherwise.
std::size_t walk_from_every_state(const election_settings& base, const std::vector<kind>& alphabet, std::size_t depth)
{
    exhaustive e{base, alphabet};
    for (const std::vector<kind>& prefix : {std::vector<kind>{}, {kind::start}, {kind::start, kind::wake}}) {
        world w{harness{base}, reference{base}, base};
        for (const auto k : prefix) {
            apply(w, k, base);
        }
        e.walk(w, depth);
    }
    return e.steps();
}

TEST(election_exhaustive, every_short_sequence_of_events_does_what_the_tables_say)
{
    std::size_t steps = 0;
    for (const auto v : {version::v2, version::v3}) {
        for (const unsigned priority : {100U, 255U}) {
            for (const bool preempt : {true, false}) {
                auto base = settings(priority);
                base.protocol_version = v;
                base.preempt = preempt;
                steps += walk_from_every_state(base, every_kind_but({}), 4);
            }
        }
    }
    EXPECT_EQ(steps, 2U * 2U * 2U * 3U * (15U + 15U * 15U + 15U * 15U * 15U + 15U * 15U * 15U * 15U));
}

TEST(election_exhaustive, every_short_sequence_with_a_preempt_delay_does_what_the_tables_say)
{
    for (const auto v : {version::v2, version::v3}) {
        auto base = settings();
        base.protocol_version = v;
        base.preempt_delay = 900ms;
        EXPECT_GT(walk_from_every_state(base, every_kind_but({kind::raise, kind::drop, kind::equal_low, kind::higher}), 5),
                  300'000U);
    }
}

}  // namespace

}  // namespace vipd::vrrp
