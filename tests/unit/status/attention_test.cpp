#include "agent/status/attention.hpp"

#include "tests/support/fake_node.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;

// "critical: text" for each.
std::vector<std::string> lines(const std::vector<finding>& found)
{
    std::vector<std::string> out;
    for (const auto& f : found) {
        out.push_back(std::string(to_string(f.level)) + ": " + f.text);
    }
    return out;
}

using expected = std::vector<std::string>;

expected of_node(const node& n, duration when = {})
{
    return lines(findings(n, sample_process(), at(when).wall));
}

TEST(attention, is_not_asked_for_when_all_is_well)
{
    EXPECT_EQ(of_node(sample_node()), expected{});
    EXPECT_EQ(lines(findings(sample_router("a"))), expected{});
    EXPECT_EQ(lines(findings(sample_backup("a"))), expected{});
}

TEST(attention, resource_that_an_active_cannot_take_is_critical)
{
    const auto found = findings(sample_in_trouble("web"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].level, urgency::critical);
    EXPECT_EQ(found[0].router, "web");
    EXPECT_TRUE(found[0].text.starts_with("172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 is not here: ReplaceRoute was refused"));
    EXPECT_TRUE(found[0].text.ends_with("; next try in 3.2 s"));
}

TEST(attention, duel_is_a_warning_while_the_address_is_here_and_critical_while_it_is_not)
{
    auto r = sample_router("web");
    r.resources[0].duel = duel_state::fought;
    EXPECT_EQ(lines(findings(r)),
              expected{"warning: somebody else takes 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 away again and again: the other "
                       "node of a partition, a second cluster with this address, or a script"});
    r.resources[0].duel = duel_state::held;
    r.resources[0].state = resource_state::taking;
    r.resources[0].owner = "eni-0f";
    r.resources[0].retry_in = 28s;
    EXPECT_EQ(lines(findings(r)),
              expected{"critical: somebody else takes 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 away again and again (now it is "
                       "at eni-0f), and it is put back after longer and longer pauses only: the other node of a partition, a "
                       "second cluster with this address, or a script; next try in 28.0 s"});
}

TEST(attention, path_to_ec2_that_is_broken_is_said_with_its_reason)
{
    auto n = sample_node();
    n.ec2_path = ec2_path_state{.works = false, .trouble = "timeout", .age = 3min};
    EXPECT_EQ(of_node(n), expected{"warning: the path from this node to EC2 has been broken for 3 min 0 s: timeout"});
    n.ec2_path.reset();
    EXPECT_EQ(of_node(n), expected{});
}

TEST(attention, priority_that_is_not_the_configured_one_is_a_note)
{
    auto r = sample_router("web");
    r.effective_priority = 90;
    r.priority_reason = "api_weight: the path to EC2 is broken (timeout)";
    EXPECT_EQ(lines(findings(r)),
              expected{"note: its priority is 90 and not 150: api_weight: the path to EC2 is broken (timeout)"});
}

TEST(attention, priority_that_was_set_at_run_time_is_a_note_whatever_it_comes_to)
{
    auto r = sample_router("web");
    r.runtime_priority = 150;
    EXPECT_EQ(lines(findings(r)), expected{"note: its priority was set to 150 at run time; 150 is configured"});
    r.effective_priority = r.runtime_priority.emplace(180);
    r.priority_reason = "set to 180 at run time";
    EXPECT_EQ(lines(findings(r)), expected{"note: its priority is 180 and not 150: set to 180 at run time"});
    r.state = vrrp::state::initialize;
    r.state_reason = "maintenance is on";
    EXPECT_EQ(lines(findings(r)).back(), "note: its priority was set to 180 at run time; 150 is configured");
}

TEST(attention, peer_that_a_security_group_keeps_out_is_critical_and_the_remedy_is_named)
{
    auto r = sample_router("web");
    r.peers[0].inbound_blocked = true;
    const auto found = findings(r);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].level, urgency::critical);
    EXPECT_TRUE(found[0].text.starts_with("adverts of 10.0.2.10 arrive for ten minutes after this node has sent something"));
    EXPECT_TRUE(found[0].text.ends_with(std::string(inbound_blocked_remedy)));
}

TEST(attention, hook_whose_last_run_failed_is_a_warning)
{
    auto r = sample_router("web");
    r.hooks[0].last = hook_run{4, hook_outcome::failed, "exit status 7", 1s, 3min};
    EXPECT_EQ(lines(findings(r)), expected{"warning: the hook active failed 3 min 0 s ago: exit status 7 "
                                           "(/usr/local/sbin/promote --fast)"});
    r.hooks[0].is_notify = true;
    EXPECT_TRUE(lines(findings(r)).at(0).starts_with("warning: the hook notify (active) failed"));
}

TEST(attention, tracker_that_fails_is_a_warning_unless_the_router_says_so_itself)
{
    auto r = sample_router("web");
    auto& t = r.trackers[0];
    t.state = tracker_state::failing;
    t.reason = "no answer in 1s";
    t.age = 3min;
    const expected one = {"warning: the tracker backend has been failing for 3 min 0 s: no answer in 1s (127.0.0.1:8080)"};
    EXPECT_EQ(lines(findings(r)), one);
    t.weight.reset();
    r.state = vrrp::state::initialize;
    r.state_reason = "tracker backend: no answer in 1s";
    EXPECT_EQ(lines(findings(r)), expected{"warning: takes no part: tracker backend: no answer in 1s"});
}

TEST(attention, resource_on_its_way_is_a_warning)
{
    auto r = sample_router("web");
    r.resources[0].state = resource_state::taking;
    r.resources[0].owner = "eni-0f";
    EXPECT_EQ(lines(findings(r)),
              expected{"warning: 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 is being taken, last seen at eni-0f"});
    r.resources[0].state = resource_state::accepted;
    EXPECT_EQ(lines(findings(r)), expected{});
}

TEST(attention, world_that_was_not_read_for_a_minute_is_a_warning_while_active)
{
    auto r = sample_router("web");
    r.resources.resize(1);
    r.resources[0].confirmed_age = confirmed_age_expected;
    EXPECT_EQ(lines(findings(r)), expected{});
    r.resources[0].confirmed_age = 95s;
    EXPECT_EQ(lines(findings(r)),
              expected{"warning: 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 was last confirmed 1 min 35 s ago"});
}

TEST(attention, source_dest_check_is_critical_only_when_it_was_to_be_switched_off_and_that_fails)
{
    auto r = sample_router("web");
    r.resources.resize(1);
    auto& x = r.resources[0];
    x.kind = resource_kind::source_dest_check;
    x.name = "source/destination check of eni-1";
    x.state = resource_state::unknown;
    EXPECT_EQ(lines(findings(r)), expected{}) << "not read yet";
    x.last_error = "it cannot be read: UnauthorizedOperation";
    EXPECT_EQ(lines(findings(r)),
              expected{"warning: source/destination check of eni-1: it cannot be read: UnauthorizedOperation"});
    x.state = resource_state::elsewhere;
    x.last_error = "the check is on";
    EXPECT_EQ(lines(findings(r)), expected{"warning: source/destination check of eni-1: the check is on"});
    x.state = resource_state::taking;
    EXPECT_EQ(lines(findings(r)), expected{"critical: source/destination check of eni-1 is still on: the check is on"});
    x.last_error.clear();
    EXPECT_EQ(lines(findings(r)), expected{"warning: source/destination check of eni-1 is being switched off"});
}

TEST(attention, signatures_that_fail_are_a_warning_and_a_roll_out_that_is_not_finished_a_note)
{
    auto r = sample_backup("web");
    r.signatures = hmac{vrrp::hmac_mode::enforce, vrrp::anti_replay::time, 5s, 1, {1}};
    EXPECT_EQ(lines(findings(r)), expected{});
    r.received.discarded[static_cast<std::size_t>(vrrp::discard_reason::auth_missing)] = 2;
    r.received.discarded[static_cast<std::size_t>(vrrp::discard_reason::auth_hmac)] = 3;
    EXPECT_EQ(lines(findings(r)), expected{"warning: 5 adverts were discarded for their signature: \"Timers and counters\" has "
                                           "the reasons"});
    r.received.discarded = {};
    r.received.without_signature = 7;
    r.signatures->mode = vrrp::hmac_mode::permissive;
    EXPECT_EQ(lines(findings(r)), expected{"note: signatures are permissive: adverts without one are accepted, 7 so far"});
}

TEST(attention, failure_on_a_backup_is_a_warning)
{
    auto r = sample_backup("web");
    r.resources[0].last_error = "DescribeRouteTables timed out";
    EXPECT_EQ(lines(findings(r)), expected{"warning: 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718: DescribeRouteTables timed out"});
}

TEST(attention, router_that_takes_no_part_says_why)
{
    auto r = sample_router("web");
    r.state = vrrp::state::initialize;
    r.state_reason = "no source address on ens5";
    EXPECT_EQ(lines(findings(r)), expected{"warning: takes no part: no source address on ens5"});
}

TEST(attention, backup_without_an_active_is_a_warning)
{
    auto r = sample_backup("web");
    r.active_address.reset();
    EXPECT_EQ(lines(findings(r)), expected{"warning: no Active has been heard yet"});
}

TEST(attention, adverts_that_disagree_with_the_configuration_are_told)
{
    auto r = sample_router("web");
    r.election.owner_conflicts = 3;
    r.received.address_list_differs = 4;
    r.received.interval_differs = 5;
    const auto found = lines(findings(r));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0], "warning: 3 adverts had this node's own address or its priority 255: two nodes are configured alike");
    EXPECT_EQ(found[1], "note: 4 adverts named other addresses than this node's configuration");
    EXPECT_EQ(found[2], "note: 5 adverts had another interval than this node's configuration");
}

TEST(attention, credentials_are_watched_to_their_end_and_beyond)
{
    const auto n = sample_node();
    EXPECT_EQ(of_node(n, 6h - credentials_life_expected), expected{});
    EXPECT_EQ(of_node(n, 6h - 90s), expected{"warning: the AWS credentials end in 1 min 30 s and have not been renewed"});
    EXPECT_EQ(of_node(n, 6h + 2s), expected{"critical: the AWS credentials ended 2.0 s ago: no address can be moved"});
}

TEST(attention, clock_that_is_off_is_told_with_its_direction)
{
    auto n = sample_node();
    n.aws->clock_skew = 61s;
    EXPECT_EQ(of_node(n), expected{"warning: this node's clock is 1 min 1 s behind AWS's: check its time synchronisation"});
    n.aws->clock_skew = -6min;
    EXPECT_EQ(of_node(n),
              expected{"warning: this node's clock is 6 min 0 s ahead of AWS's, too far for a request to be accepted "
                       "without correction: check its time synchronisation"});
}

TEST(attention, failing_session_is_critical_when_no_call_can_be_signed)
{
    auto n = sample_node();
    n.aws->last_error = "IMDS timed out";
    EXPECT_EQ(of_node(n), expected{"warning: AWS: IMDS timed out"});
    n.aws->ready = false;
    EXPECT_EQ(of_node(n), expected{"critical: AWS: IMDS timed out"});
    n.aws->last_error.clear();
    EXPECT_EQ(of_node(n), expected{"warning: AWS: not ready yet, the identity or the credentials are being fetched"});
}

TEST(attention, an_identity_that_imds_has_not_confirmed_is_noted)
{
    auto n = sample_node();
    n.aws->identity_from = aws::identity_source::cache;
    EXPECT_EQ(
        of_node(n),
        expected{"note: the identity of this node is from its cache: the instance metadata service has not confirmed it yet"});
    n.aws->identity.reset();
    EXPECT_EQ(of_node(n), expected{});
}

TEST(attention, node_that_is_kept_out_or_starting_says_so)
{
    auto n = sample_node();
    n.maintenance = true;
    n.ready = false;
    EXPECT_EQ(of_node(n), (expected{"warning: not every router has been started yet",
                                    "warning: maintenance is on: this node takes no part; \"vipd maintenance off\" ends it"}));
}

TEST(attention, real_time_that_was_refused_and_lost_log_lines_are_told)
{
    auto p = sample_process();
    p.realtime_scheduling = false;
    p.log_lines_dropped = 9;
    const auto found = lines(findings(sample_node(), p, at({}).wall));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[0].starts_with("warning: real-time scheduling was asked for and refused"));
    EXPECT_EQ(found[1], "note: 9 log lines were dropped: their reader is too slow");
    p.realtime_lost = true;
    EXPECT_TRUE(lines(findings(sample_node(), p, at({}).wall))[0].starts_with("warning: the loop computed for a second"));
    p.realtime_wanted = false;
    p.log_lines_dropped = 0;
    EXPECT_TRUE(findings(sample_node(), p, at({}).wall).empty());
}

TEST(attention, policy_that_is_not_whole_is_told_with_what_is_missing)
{
    auto n = sample_node();
    n.policies[0].state = resource_state::taking;
    n.policies[0].owner =
        "1 of 1 rules, 1 of 2 routes here; missing: route default dev eth1 table 110 (interface 'eth1' is down)";
    EXPECT_EQ(of_node(n), expected{"warning: table 110 is not complete: " + n.policies[0].owner});
    n.policies[0].last_error = "route default dev eth1 table 110: Operation not permitted";
    EXPECT_EQ(of_node(n), expected{"critical: table 110 is not complete: " + n.policies[0].last_error});
    auto r = sample_router("web");
    r.resources = {sample_policy()};
    EXPECT_EQ(lines(findings(r)), expected{});
    r.resources[0].state = resource_state::taking;
    r.resources[0].owner = "0 of 1 rules, 2 of 2 routes here; missing: rule 90 from all lookup 110";
    EXPECT_EQ(lines(findings(r)), expected{"warning: table 110 is not complete: " + r.resources[0].owner});
}

}  // namespace
}  // namespace vipd::status::test
