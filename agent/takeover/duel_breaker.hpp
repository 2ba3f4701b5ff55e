#pragma once

// Two that both want the same register: a partition in which both nodes are Active and both reach EC2, a second cluster with
// the same virtual IP, a script. Each sees the other's write as a loss and repairs it, for ever, and the address goes back and
// forth every second or two. An operator prefers a stable wrong zone to that. So a register that has been taken away often
// within a minute is not put back at once any more, but after 30 s, then 60 s and so on up to 5 min. One breaker for each
// register.
//
// Who gives way? The one that the other outranks, by the rule of the election (priority, then address), as far as this node
// has heard of another Active within the last 5 minutes:
//   - outranked (it took over when the better one fell silent): after 3 times within a minute;
//   - unknown (nothing was heard: an operator, another cluster; or the better side of a partition, which hears nothing of a
//     Backup that became Active behind it): after 6 times. The one that takes over fires first, so the better side is always
//     one loss ahead: with the same number it would be the first to give way.
//   - outranking (an advert of a lower Active was heard): never. It goes on within the register's budget, and the other gives
//     way. 3 times within a minute is a matter for a person all the same.
//
// It cannot storm: whatever is decided here, each write still needs the register's budget; once the breaker is open a register
// is written once in a pause, which only grows; and a duel cannot turn the breaker off by making epochs. An epoch begins with
// one write whatever happened before, for a takeover waits for nothing, but the breaker stays as open as it was, so that n
// epochs in a duel are n writes more. (Nothing that EC2 does begins an epoch; what does is the network between the nodes.) So
// does another target, which a person has configured. A register that nobody can resolve for a while has neither: its pause
// goes on, however often that happens.
//
// It cannot strand the address: a pause ends after 5 minutes at most, and at once when there is a reason to think that the duel
// is over: an epoch begins, the route leads to nobody (black hole, or none: whoever took it serves nobody), a lower Active is
// heard. A register that has been here for a whole minute has no duel, nor has one for which an epoch begins more than 5
// minutes after the last loss. Whoever else takes it than the one of the last pause is met without one, and with what is left
// of the patience for this minute: an operator's hand is no duel with a node that is long dead.

#include "common/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::takeover {

// What this node knows of the other one that may be Active.
enum class standing : std::uint8_t { unknown, outranked, outranking };
std::string_view to_string(standing s);

// For the person who is told of one.
inline constexpr std::string_view duel_remedy =
    "find who else takes it: the other node of a partition, a second cluster with this address, a script";

enum class duel_news : std::uint8_t {
    none,
    began,  // and the register is put back all the same
    held,   // it is not put back at once
    over,
};

class duel_breaker {
public:
    static constexpr duration window = std::chrono::minutes{1};
    static constexpr unsigned losses_noticed = 3;  // within the window
    static constexpr unsigned losses_unknown = 2 * losses_noticed;
    static constexpr duration pause_min = std::chrono::seconds{30};
    static constexpr duration pause_max = std::chrono::minutes{5};

    // Somebody else has taken the register, for `taken_by`: an interface. Returns how long to leave it there: zero to put it
    // back at once.
    duration lost(time_point now, standing s, const std::string& taken_by);
    void epoch_begins(time_point now);
    // It has been here for a window.
    void kept() { *this = duel_breaker{}; }

    // Worth a person's attention.
    [[nodiscard]] bool is_duel() const { return is_duel_; }
    // Not put back at once.
    [[nodiscard]] bool is_open() const { return pauses_ > 0; }
    // In the window before the last loss.
    [[nodiscard]] std::size_t losses() const { return losses_.size(); }

private:
    std::vector<time_point> losses_;  // at most losses_unknown, within a window
    bool is_duel_ = false;
    unsigned pauses_ = 0;   // so far; each is twice as long as the one before
    std::string taken_by_;  // when the last one began
};

// What was heard of another Active.
class rival {
public:
    // An advert that was heard at `at`, and whether its sender outranks this node.
    void heard(time_point at, bool outranks)
    {
        at_ = at;
        outranks_ = outranks;
    }
    void forget() { at_ = never; }
    [[nodiscard]] standing at(time_point now) const;

private:
    time_point at_ = never;
    bool outranks_ = false;
};

}  // namespace vipd::takeover
