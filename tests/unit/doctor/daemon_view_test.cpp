#include "agent/doctor/daemon_view.hpp"

#include <gtest/gtest.h>

namespace vipd::doctor {

namespace {

TEST(daemon_view, has_what_the_status_says_of_peers)
{
    const auto view = read_daemon_status(R"({"routers": [{"name": "web", "state": "Backup", "peers": [
        {"address": "10.0.2.10", "last_heard_age_seconds": 0.25, "inbound_blocked": true},
        {"address": "10.0.2.11", "last_heard_age_seconds": null, "inbound_blocked": false}]}]})");
    EXPECT_TRUE(view.runs);
    EXPECT_EQ(view.problem, "");
    EXPECT_EQ(view.find("mail"), nullptr);
    const auto* const web = view.find("web");
    ASSERT_NE(web, nullptr);
    EXPECT_EQ(web->state, "Backup");
    ASSERT_EQ(web->peers.size(), 2U);
    EXPECT_EQ(web->peers[0].last_heard_age_seconds, 0.25);
    EXPECT_TRUE(web->peers[0].inbound_blocked);
    EXPECT_EQ(web->peers[1].last_heard_age_seconds, std::nullopt);
    EXPECT_FALSE(web->peers[1].inbound_blocked);
}

TEST(daemon_view, has_why_a_router_takes_no_part)
{
    const auto view = read_daemon_status(R"({"maintenance": true, "routers": [{"name": "web", "state": "Initialize",
        "state_reason": "maintenance is on", "state_age_seconds": 12.5, "active_down_interval_seconds": 3.6, "peers": [],
        "trackers": [{"name": "haproxy", "state": "failing", "reason": "connection refused", "weight": null},
                     {"name": "load", "state": "failing", "reason": "the file says 1", "weight": -20},
                     {"name": "disk", "state": "well", "reason": "", "weight": null}]}]})");
    EXPECT_TRUE(view.maintenance);
    const auto* const web = view.find("web");
    ASSERT_NE(web, nullptr);
    EXPECT_EQ(web->state_reason, "maintenance is on");
    EXPECT_EQ(web->state_age_seconds, 12.5);
    EXPECT_EQ(web->active_down_interval_seconds, 3.6);
    ASSERT_EQ(web->failing_trackers.size(), 2U);
    EXPECT_EQ(web->failing_trackers[0].reason, "connection refused");
    EXPECT_FALSE(web->failing_trackers[0].has_weight);
    EXPECT_EQ(web->failing_trackers[1].name, "load");
    EXPECT_TRUE(web->failing_trackers[1].has_weight);
}

TEST(daemon_view, of_another_version_is_read_as_far_as_it_goes)
{
    const auto view =
        read_daemon_status(R"({"routers": [7, {"name": 7, "peers": [{"address": "here"}, {"address": "10.0.2.10"}, 7]}]})");
    ASSERT_EQ(view.routers.size(), 1U);
    EXPECT_EQ(view.routers[0].name, "");
    EXPECT_EQ(view.routers[0].peers.size(), 1U);
    EXPECT_EQ(view.routers[0].state_age_seconds, std::nullopt);
    EXPECT_FALSE(view.maintenance);
    EXPECT_TRUE(read_daemon_status(R"({"routers": {}})").routers.empty());
}

TEST(daemon_view, says_what_is_wrong_with_a_body_that_is_none)
{
    const auto view = read_daemon_status("<html>");
    EXPECT_TRUE(view.runs);
    EXPECT_NE(view.problem.find("the daemon's status is no JSON"), std::string::npos) << view.problem;
}

}  // namespace

}  // namespace vipd::doctor
