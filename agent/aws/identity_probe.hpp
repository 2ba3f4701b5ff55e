#pragma once

// Learns from IMDS who this node is: the identity document, then each network interface. One pass asks everything and gives one
// whole identity or none, so that nobody sees half of one; a pass that fails is repeated with backoff, and what an earlier pass
// learnt stays: an interface that a pass describes by half is taken as it was known, and one that the list lacks is forgotten
// when the next pass lacks it too. Likewise an interface's list of addresses that was there is not gone because of one answer.
// IMDS lags behind an interface that was just attached, so a refresh is a few passes with growing pauses.

#include "agent/aws/identity.hpp"
#include "common/backoff.hpp"
#include "common/random.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::aws {

class identity_probe {
public:
    explicit identity_probe(std::uint64_t seed);

    void start(time_point now);
    // Interfaces may have changed: ask again at once, though not more than once a second, and a few times after that.
    void refresh(time_point now);

    // The next IMDS path to ask; none while an answer is awaited or nothing is due.
    std::optional<std::string> poll_path(time_point now);
    void handle(time_point now, result<std::string>&& body);

    [[nodiscard]] wakeup next_wakeup() const;

    // True once after each change of identity().
    bool take_changed();
    [[nodiscard]] const std::optional<instance_identity>& identity() const { return identity_; }
    // Why the last pass failed; empty when it did not.
    [[nodiscard]] const std::string& problem() const { return problem_; }

private:
    enum class state : std::uint8_t {
        idle,               // a pass is due at next_pass_
        asking_document,    // each of the others: asked, or to be asked
        asking_interfaces,  // the list of MAC addresses
        asking_field,       // `field_` of interface `position_`
    };

    void take_document(time_point now, const std::string& body);
    void take_interfaces(time_point now, const std::string& body);
    void take_field(time_point now, const std::string& body);
    template <class Value>
    void take_list(const std::string& body, std::vector<Value> instance_interface::*list);
    [[nodiscard]] const instance_interface* known(const std::string& mac) const;
    void keep_unlisted();
    void finish(time_point now);
    void fail(time_point now, std::string_view problem);

    random_source random_;
    backoff backoff_;
    state state_ = state::idle;
    bool awaiting_ = false;
    time_point next_pass_ = never;
    std::optional<time_point> last_pass_;
    std::size_t refreshes_left_ = 0;
    instance_identity found_;
    bool in_doubt_ = false;              // this pass lacked something
    bool was_in_doubt_ = false;          // the one before did
    std::vector<std::string> unlisted_;  // known interfaces that the last whole pass did not list
    // Known lists that this pass has missed, and that the last whole one has: an interface's MAC address and which of `fields`.
    std::set<std::pair<std::string, std::size_t>> missed_lists_;
    std::set<std::pair<std::string, std::size_t>> missed_lists_before_;
    std::size_t position_ = 0;
    std::size_t field_ = 0;
    std::optional<instance_identity> identity_;
    bool changed_ = false;
    std::string problem_;
};

// The identity document and the list of MAC addresses, for the probe and for the fuzzer.
result<instance_identity> parse_identity_document(std::string_view body);
std::vector<std::string> parse_mac_list(std::string_view body);

}  // namespace vipd::aws
