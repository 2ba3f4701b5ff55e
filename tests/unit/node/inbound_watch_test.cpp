#include "agent/node/inbound_watch.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;
using verdict = inbound_watch::verdict;

constexpr time_point t0 = time_point{1000s};
constexpr duration promptly = 200ms;

class inbound_watch_test : public testing::Test {
protected:
    inbound_watch_test() { watch.set_peers({active, backup}); }

    // Takes over in silence at `now`; the Active is heard `after` that, and this node steps back.
    verdict take_over_and_hear(time_point now, duration after = 1ms)
    {
        watch.sent(now);
        watch.took_over(now, promptly);
        const auto v = watch.heard(now + after, active);
        watch.sent(now + after);
        return v;
    }
    // The Active is heard every second until then.
    void hear(time_point from, time_point to)
    {
        for (auto now = from; now <= to; now += 1s) {
            EXPECT_EQ(watch.heard(now, active), verdict::nothing_new);
        }
    }

    ip_address active = ip_address::v4(10, 0, 2, 10);
    ip_address backup = ip_address::v4(10, 0, 3, 10);
    inbound_watch watch;
};

TEST_F(inbound_watch_test, two_signs_are_the_diagnosis_of_that_peer_and_it_is_told_once)
{
    EXPECT_EQ(take_over_and_hear(t0), verdict::nothing_new);
    hear(t0 + 1s, t0 + 600s);
    EXPECT_EQ(take_over_and_hear(t0 + 604s), verdict::rule_missing);
    EXPECT_TRUE(watch.is_missing(active));
    EXPECT_FALSE(watch.is_missing(backup));
    hear(t0 + 605s, t0 + 1204s);
    EXPECT_EQ(take_over_and_hear(t0 + 1208s), verdict::nothing_new);
    EXPECT_TRUE(watch.is_missing(active));
}

TEST_F(inbound_watch_test, a_first_contact_is_one_sign_and_there_is_only_one_of_them)
{
    EXPECT_EQ(take_over_and_hear(t0), verdict::nothing_new);
    for (int i = 1; i < 20; ++i) {
        EXPECT_EQ(take_over_and_hear(t0 + i * 1s), verdict::nothing_new);
    }
    EXPECT_FALSE(watch.is_missing(active));
}

TEST_F(inbound_watch_test, silence_that_begins_at_another_time_is_no_sign)
{
    for (const auto heard_for : {10s, 300s, 530s, 730s, 3600s}) {
        inbound_watch fresh;
        watch = fresh;
        watch.set_peers({active});
        auto now = t0;
        for (int i = 0; i < 5; ++i) {
            EXPECT_EQ(take_over_and_hear(now), verdict::nothing_new);
            hear(now + 1s, now + heard_for);
            now += heard_for + 4s;
        }
        EXPECT_FALSE(watch.is_missing(active)) << to_seconds(heard_for);
    }
}

TEST_F(inbound_watch_test, a_peer_that_is_heard_some_time_after_we_began_to_send_is_no_sign)
{
    auto now = t0;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(take_over_and_hear(now, promptly + 1ms), verdict::nothing_new);
        hear(now + 1s, now + 600s);
        now += 604s;
    }
    EXPECT_FALSE(watch.is_missing(active));
}

TEST_F(inbound_watch_test, a_peer_that_is_heard_for_longer_than_tracking_lasts_is_let_in_by_a_rule)
{
    take_over_and_hear(t0);
    hear(t0 + 1s, t0 + 600s);
    ASSERT_EQ(take_over_and_hear(t0 + 604s), verdict::rule_missing);
    hear(t0 + 605s, t0 + 604s + 12min);
    EXPECT_TRUE(watch.is_missing(active));
    EXPECT_EQ(watch.heard(t0 + 604s + 12min + 1s, active), verdict::rule_there);
    EXPECT_FALSE(watch.is_missing(active));
    hear(t0 + 604s + 12min + 2s, t0 + 604s + 15min);
}

TEST_F(inbound_watch_test, peers_that_stay_keep_what_is_known_of_them_and_strangers_are_nobody)
{
    take_over_and_hear(t0);
    hear(t0 + 1s, t0 + 600s);
    watch.set_peers({active, ip_address::v4(10, 0, 9, 9)});
    EXPECT_EQ(watch.heard(t0 + 601s, backup), verdict::nothing_new);
    EXPECT_EQ(take_over_and_hear(t0 + 604s), verdict::rule_missing);
    watch.set_peers({backup});
    EXPECT_FALSE(watch.is_missing(active));
}

}  // namespace
}  // namespace vipd::node
