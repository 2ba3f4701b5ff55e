#include "agent/cli/status_table.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace vipd::cli {
namespace {

std::string table(std::string_view text, table_style style = {})
{
    return status_table(boost::json::parse({text.data(), text.size()}), style);
}

constexpr std::string_view two_routers = R"({
  "version": "0.1.0", "uptime_seconds": 86400.123, "ready": true, "maintenance": false, "uses_aws": true,
  "aws": { "ready": true, "region": "eu-west-1", "instance_id": "i-0123456789abcdef0",
           "credentials_remaining_seconds": 20544.5, "last_error": "" },
  "routers": [
    { "name": "haproxy", "vrid": 51, "state": "Active", "state_reason": "no advert for 722 ms", "state_age_seconds": 3605.214,
      "priority": 150, "effective_priority": 150, "active_address": "10.0.1.10", "active_priority": 150,
      "resources": [
        { "kind": "route", "name": "172.16.1.100/32 in rtb-0a1b2c", "state": "here", "owner": "eni-0a1b2c3d",
          "confirmed_age_seconds": 4.2, "last_error": "", "retry_in_seconds": null },
        { "kind": "route", "name": "172.16.1.100/32 in rtb-0f", "state": "taking", "owner": "none",
          "confirmed_age_seconds": 0.2, "last_error": "RequestLimitExceeded", "retry_in_seconds": 0.35 },
        { "kind": "address", "name": "172.16.1.100/32 on lo", "state": "here", "owner": "", "confirmed_age_seconds": null,
          "last_error": "", "retry_in_seconds": null }
      ] },
    { "name": "x", "vrid": 7, "state": "Backup", "state_reason": "", "state_age_seconds": 12, "priority": 150,
      "effective_priority": 100, "active_address": null, "active_priority": null, "resources": [] }
  ]
})";

TEST(status_table, routers_and_their_resources_stand_in_columns)
{
    EXPECT_EQ(table(two_routers), R"(vipd 0.1.0, up 1d 0h, ready
AWS: eu-west-1, i-0123456789abcdef0, credentials for 5h 42m

ROUTER   VRID  STATE   FOR    PRIORITY    ACTIVE           WHY
haproxy  51    Active  1h 0m  150         10.0.1.10 (150)  no advert for 722 ms
  route    172.16.1.100/32 in rtb-0a1b2c  here    eni-0a1b2c3d  read 4s ago
  route    172.16.1.100/32 in rtb-0f      taking  none          read 200ms ago  RequestLimitExceeded; next try in 350ms
  address  172.16.1.100/32 on lo          here
x        7     Backup  12s    100 of 150  -
)");
}

TEST(status_table, a_priority_that_was_set_at_run_time_is_marked)
{
    const auto shown = table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true, "routers": [
        {"name": "a", "vrid": 1, "state": "Backup", "state_age_seconds": 1, "priority": 150, "runtime_priority": 180,
         "effective_priority": 180},
        {"name": "b", "vrid": 2, "state": "Backup", "state_age_seconds": 1, "priority": 150, "runtime_priority": 180,
         "effective_priority": 120},
        {"name": "c", "vrid": 3, "state": "Backup", "state_age_seconds": 1, "priority": 150, "runtime_priority": null,
         "effective_priority": 150}]})");
    EXPECT_EQ(shown, R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  STATE   FOR  PRIORITY         ACTIVE  WHY
a       1     Backup  1s   180, set         -
b       2     Backup  1s   120 of 180, set  -
c       3     Backup  1s   150              -
)");
}

TEST(status_table, sync_groups_have_a_column_where_a_router_is_in_one)
{
    EXPECT_EQ(table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true, "routers": [
        {"name": "front", "vrid": 51, "state": "Backup", "state_age_seconds": 12, "priority": 150, "sync_group": "firewall",
         "state_reason": "waits for back"},
        {"name": "back", "vrid": 52, "state": "Backup", "state_age_seconds": 12, "priority": 150, "sync_group": "firewall"},
        {"name": "web", "vrid": 53, "state": "Backup", "state_age_seconds": 12, "priority": 150, "sync_group": null}]})"),
              R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  GROUP     STATE   FOR  PRIORITY  ACTIVE  WHY
front   51    firewall  Backup  12s  150       -       waits for back
back    52    firewall  Backup  12s  150       -
web     53    -         Backup  12s  150       -
)");
}

TEST(status_table, signatures_stand_among_the_resources)
{
    EXPECT_EQ(table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true, "routers": [
        {"name": "web", "vrid": 51, "state": "Backup", "state_age_seconds": 12, "priority": 150, "resources": [],
         "auth": {"kind": "hmac", "mode": "permissive", "active_key": 2, "keys": [1, 2]},
         "adverts": {"with_signature": 41, "without_signature": 7,
                     "discarded": {"checksum": 1, "auth_missing": 2, "auth_hmac": 3}}}]})"),
              R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  STATE   FOR  PRIORITY  ACTIVE  WHY
web     51    Backup  12s  150       -
  auth  hmac, key 2  permissive    41 signed, 7 not  5 discarded
)");
}

TEST(status_table, hooks_that_run_or_failed_stand_among_the_resources)
{
    EXPECT_EQ(table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true, "routers": [
        {"name": "web", "vrid": 51, "state": "Backup", "state_age_seconds": 12, "priority": 150, "resources": [], "hooks": [
         {"hook": "active", "event": "active", "command": "/a", "running_seconds": null,
          "last": {"outcome": "failed", "problem": "exit status 7", "age_seconds": 61}},
         {"hook": "owned", "event": "owned", "command": "/o", "running_seconds": null,
          "last": {"outcome": "succeeded", "problem": "", "age_seconds": 60}},
         {"hook": "notify", "event": "backup", "command": "/n", "running_seconds": 2.5, "last": null}]}]})"),
              R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  STATE   FOR  PRIORITY  ACTIVE  WHY
web     51    Backup  12s  150       -
  hook  active           failed   /a  1m 1s ago  exit status 7
  hook  notify (backup)  running  /n  for 2s
)");
}

TEST(status_table, trackers_stand_among_the_resources_with_what_they_do)
{
    EXPECT_EQ(table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true, "routers": [
        {"name": "web", "vrid": 51, "state": "Backup", "state_age_seconds": 12, "priority": 150, "resources": [], "trackers": [
         {"name": "haproxy", "what": "process haproxy", "state": "well", "reason": "", "age_seconds": 61, "contribution": 0},
         {"name": "backend", "what": "127.0.0.1:80", "state": "failing", "reason": "refused", "age_seconds": 5,
          "contribution": -60},
         {"name": "new", "what": "/run/w", "state": "unknown", "reason": "it has not been looked at yet", "age_seconds": null,
          "contribution": 0}]}]})"),
              R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  STATE   FOR  PRIORITY  ACTIVE  WHY
web     51    Backup  12s  150       -
  tracker  haproxy  well     process haproxy  for 1m 1s
  tracker  backend  failing  127.0.0.1:80     -60        refused
  tracker  new      unknown  /run/w
)");
}

TEST(status_table, colours_do_not_move_columns)
{
    std::string text = table(two_routers, {true});
    EXPECT_NE(text.find("\x1b[32mActive\x1b[0m"), std::string::npos);
    EXPECT_NE(text.find("\x1b[31mRequestLimitExceeded; next try in 350ms\x1b[0m"), std::string::npos);
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\x1b') {
            at = text.find('m', at);
        } else {
            plain.push_back(text[at]);
        }
    }
    EXPECT_EQ(plain, table(two_routers));
}

TEST(status_table, an_identity_of_the_cache_is_said_at_the_top)
{
    EXPECT_EQ(table(R"({"version":"0.1.0","uptime_seconds":1,"ready":true,
                        "aws":{"ready":true,"region":"eu-west-1","instance_id":"i-1","identity_source":"cache"},"routers":[]})"),
              "vipd 0.1.0, up 1s, ready\n"
              "AWS: eu-west-1, i-1, identity from the cache\n\nno routers\n");
}

TEST(status_table, a_broken_path_to_ec2_and_a_duel_are_said)
{
    EXPECT_EQ(table(R"({"version":"0.1.0","uptime_seconds":1,"ready":true,"ec2_path":{"works":false},
                        "aws":{"ready":true,"region":"eu-west-1","instance_id":"i-1"},"routers":[]})"),
              "vipd 0.1.0, up 1s, ready\nAWS: eu-west-1, i-1, the path to EC2 is broken\n\nno routers\n");
    const auto text = table(R"({"routers":[{"name":"a","resources":[{"kind":"route","duel":"held","retry_in_seconds":28}]}]})");
    EXPECT_NE(text.find("somebody else takes it away again and again; next try in 28s"), std::string::npos) << text;
}

TEST(status_table, what_is_wrong_with_the_node_is_said_at_the_top)
{
    EXPECT_EQ(table(R"({"version":"0.1.0","uptime_seconds":0.5,"ready":false,"maintenance":true,
                        "aws":{"ready":false,"region":"eu-west-1","instance_id":null,"credentials_remaining_seconds":-3,
                               "last_error":"IMDS did not answer"},"routers":[]})"),
              "vipd 0.1.0, up 500ms, not ready, in maintenance: it takes no part until `vipd maintenance off`\n"
              "AWS: eu-west-1, -, credentials have expired, not ready\n"
              "     IMDS did not answer\n\nno routers\n");
}

TEST(status_table, an_answer_of_another_version_is_still_shown)
{
    EXPECT_EQ(table("[]"), "vipd -, up -, not ready\n\nno routers\n");
    EXPECT_EQ(table(R"({"routers":[{"name":7,"state":null,"vrid":"x","resources":[1,{}]},3], "aws":null})"),
              "vipd -, up -, not ready\n\n"
              "ROUTER  VRID  STATE  FOR  PRIORITY  ACTIVE  WHY\n"
              "-       -     -      -    -         -\n"
              "  -  -  -\n"
              "  -  -  -\n"
              "-       -     -      -    -         -\n");
}

TEST(status_table, a_daemon_cannot_redraw_the_terminal)
{
    EXPECT_EQ(table(R"({"version":"\u001b[2J","routers":[]})"), "vipd \\x1b[2J, up -, not ready\n\nno routers\n");
}

TEST(status_table, what_the_node_has_whoever_is_active_stands_at_the_end)
{
    EXPECT_EQ(table(R"({"version": "0.1.0", "uptime_seconds": 1, "ready": true,
        "policies": [{ "kind": "policy", "name": "table 110", "state": "here", "owner": "this node: 1 of 1 rules, 2 of 2 routes here",
                       "confirmed_age_seconds": null, "last_error": "", "retry_in_seconds": null }],
        "routers": [{"name": "web", "vrid": 51, "state": "Backup", "state_age_seconds": 12, "priority": 150, "resources": []}]})"),
              R"(vipd 0.1.0, up 1s, ready

ROUTER  VRID  STATE   FOR  PRIORITY  ACTIVE  WHY
web     51    Backup  12s  150       -

this node, whoever is Active
  policy  table 110  here  this node: 1 of 1 rules, 2 of 2 routes here
)");
}

TEST(short_duration, has_two_units_at_most)
{
    EXPECT_EQ(short_duration(0), "0ms");
    EXPECT_EQ(short_duration(0.85), "850ms");
    EXPECT_EQ(short_duration(1.9), "1s");
    EXPECT_EQ(short_duration(59.9), "59s");
    EXPECT_EQ(short_duration(200), "3m 20s");
    EXPECT_EQ(short_duration(3600), "1h 0m");
    EXPECT_EQ(short_duration(90061), "1d 1h");
    EXPECT_EQ(short_duration(-1), "0s");
    EXPECT_EQ(short_duration(1e300), "46296d 7h");
}

}  // namespace
}  // namespace vipd::cli
