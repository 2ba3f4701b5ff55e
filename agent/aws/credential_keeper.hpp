#pragma once

// Keeps credentials at hand: fetches them at the start, again well before they expire, and at once when EC2 refuses them or
// they may have been revoked. While a new fetch is under way, or fails, the last ones stay in use, even past their expiration:
// EC2 decides whether they still work, and a source in trouble must not take away what may. [AWS SDKs call this static
// stability]

#include "agent/aws/credential_fetch.hpp"
#include "common/backoff.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vipd::aws {

class credential_keeper {
public:
    credential_keeper(std::uint64_t seed, log_sink& log);

    // `sts` as in credential_fetch. `now.wall` is the servers' time as well as it is known, here and below.
    void start(instant now, credential_plan plan, std::optional<sts_place> sts);

    // The next question; none while an answer is awaited or nothing is due.
    std::optional<credential_question> poll_question(instant now);
    void handle(instant now, credential_answer&& answer);
    [[nodiscard]] wakeup next_wakeup() const;

    // EC2 did not accept the credentials of `generation`; nothing happens when they have been replaced since.
    void refused(instant now, std::uint64_t generation);
    // IAM denied what was signed with the credentials of `generation`: others may be allowed it, and the source is asked for
    // them, once a minute at most, since mostly it is a policy that lacks something. They may well be good, so nothing waits.
    void doubted(instant now, std::uint64_t generation);
    // Until when nothing should be signed, because current() was refused and a fetch that may bring better ones is under way;
    // long past otherwise. At most a second after the fetch began: a source in trouble must not hold up what may work.
    [[nodiscard]] time_point hold_until() const { return fetch_ && refused_ ? hold_end_ : time_point{}; }

    [[nodiscard]] const std::optional<credentials>& current() const { return current_; }
    // Counts the changes of current().
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    [[nodiscard]] credential_source source() const;
    // The role that STS gives them for; empty when it gives none.
    [[nodiscard]] std::string role_arn() const { return plan_ ? role_arn_of(*plan_) : std::string{}; }
    // Why the last fetch failed; empty when it did not.
    [[nodiscard]] const std::string& problem() const { return problem_; }

private:
    [[nodiscard]] bool may_be_replaced(std::uint64_t generation) const;
    void take_step(instant now, credential_fetch::step&& step);
    void succeed(instant now, credentials&& keys);
    void fail(instant now, const error& cause);
    duration time_until_refresh(wall_time now);

    random_source random_;
    log_sink& log_;
    backoff backoff_;
    std::optional<credential_plan> plan_;
    std::optional<sts_place> sts_;
    std::optional<credential_fetch> fetch_;  // there while one is under way
    std::optional<credential_question> question_;
    time_point next_fetch_ = never;
    time_point fetch_began_{};
    bool refused_ = false;  // since the last fetch ended
    time_point hold_end_{};
    std::optional<credentials> current_;
    std::uint64_t generation_ = 0;
    std::string problem_;
};

}  // namespace vipd::aws
