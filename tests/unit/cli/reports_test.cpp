#include "agent/cli/check_report.hpp"
#include "agent/cli/daemon_reports.hpp"
#include "agent/cli/help.hpp"
#include "agent/cli/http_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace vipd::cli {
namespace {

TEST(check_report, a_right_file_is_one_line)
{
    const auto got = check_report(R"([[router]]
name = "a"
vrid = 1
interface = "ens5"
peers = ["10.0.0.2"]
[[router.address]]
address = "10.1.1.1"
[[router.route]]
destination = "10.1.1.1"
tables = { vpc = true }
[[router.route]]
destination = "10.1.1.2"
tables = { vpc = true }
)",
                                  "/etc/vipd/vipd.toml");
    EXPECT_EQ(got.out, "/etc/vipd/vipd.toml: 1 router, 2 routes, 1 address: ok\n");
    EXPECT_EQ(got.err, "");
    EXPECT_EQ(got.exit_code, exit_success);
}

TEST(check_report, warnings_go_to_standard_error_and_do_not_fail)
{
    const auto got = check_report(
        "[[router]]\nname = \"a\"\nvrid = 1\ninterface = \"e\"\npeers = [\"10.0.0.2\"]\n"
        "advertised_addresses = [\"10.1.1.1\"]\nadvert_interval = \"10ms\"\n",
        "f.toml");
    EXPECT_EQ(got.out, "f.toml: 1 router, 0 routes, 0 addresses: ok, 1 warning\n");
    EXPECT_EQ(got.err,
              "f.toml:7:19: warning: router[0].advert_interval: 10ms is shorter than what a busy node keeps up without "
              "real-time scheduling; set realtime = true, or 100ms or more\n");
    EXPECT_EQ(got.exit_code, exit_success);
}

TEST(check_report, errors_are_lines_that_an_editor_understands)
{
    const auto got = check_report("realtime = 1\nrouter = []\n", "f.toml");
    EXPECT_EQ(got.out, "");
    EXPECT_EQ(got.err,
              "f.toml:1:12: error: realtime: found 1; allowed is true or false\n"
              "f.toml:2:10: error: router: found no entry; at least one [[router]] is needed\n"
              "f.toml: 2 errors\n");
    EXPECT_EQ(got.exit_code, exit_failure);
    EXPECT_EQ(
        check_report("a =\n", "f.toml").err,
        "f.toml:1:4: error: is not valid TOML: missing value after key-value separator '=': expected value, but got nothing\n"
        "f.toml: 1 error\n");
}

TEST(http_text, a_request_asks_for_the_connection_to_be_closed)
{
    EXPECT_EQ(to_text({"GET", "/v1/status", ""}),
              "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(to_text(maintenance_request(true)),
              "POST /v1/maintenance HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n"
              "Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"enabled\":true}");
    EXPECT_EQ(to_text(step_down_request("a-1")),
              "POST /v1/routers/a-1/step-down HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n"
              "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(step_down_request("").target, "/v1/step-down");
    EXPECT_EQ(maintenance_request(false).body, "{\"enabled\":false}");
    EXPECT_EQ(priority_request("", "120").target, "/v1/priority");
    EXPECT_EQ(priority_request("", "120").body, "{\"priority\":120}");
    EXPECT_EQ(priority_request("a-1", "default").target, "/v1/routers/a-1/priority");
    EXPECT_EQ(priority_request("a-1", "default").body, "{\"priority\":\"default\"}");
    EXPECT_EQ(reload_request().target, "/v1/reload");
    EXPECT_EQ(restart_request().target, "/v1/restart");
}

// --- vipd restart ---

constexpr std::string_view status_of_two = R"({"version": "0.1.0", "uptime_seconds": 12.5, "ready": true, "routers": [
    {"name": "a", "state": "Active"}, {"name": "b", "state": "Backup"}]})";

TEST(restart, says_which_process_answers)
{
    const auto seen = find_process(http_reply{200, std::string{status_of_two}});
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(seen->version, "0.1.0");
    EXPECT_DOUBLE_EQ(seen->uptime_seconds, 12.5);
    EXPECT_EQ(seen->active, (std::vector<std::string>{"a"}));
    EXPECT_FALSE(find_process(http_reply{200, R"({"version": "0.1.0", "ready": false})"}).has_value()) << "it starts";
    EXPECT_FALSE(find_process(error{error_class::not_found, "nobody"}).has_value());
}

TEST(restart, is_told_from_what_was_active_before_and_is_now)
{
    const process_seen before{"0.1.0", 100, {"a", "b"}};
    const auto done = restart_report(before, process_seen{"0.2.0", 0.1, {"a", "b"}});
    EXPECT_EQ(done.exit_code, exit_success);
    EXPECT_EQ(done.out, "vipd 0.2.0 has taken the place of vipd 0.1.0; Active here, as before: a, b\n");
    const auto lost = restart_report(before, process_seen{"0.2.0", 0.1, {}});
    EXPECT_EQ(lost.exit_code, exit_failure);
    EXPECT_NE(lost.err.find("Active here was a, b, and is no router"), std::string::npos) << lost.err;
    const auto same = restart_report(before, process_seen{"0.1.0", 110, {"a", "b"}});
    EXPECT_EQ(same.exit_code, exit_failure);
    EXPECT_NE(same.err.find("goes on as it was"), std::string::npos) << same.err;
    const auto nobody = restart_report(before, std::nullopt);
    EXPECT_EQ(nobody.exit_code, exit_failure);
    EXPECT_NE(nobody.err.find("nobody answers any more"), std::string::npos);
}

TEST(restart, is_asked_for_again_while_the_daemon_is_busy)
{
    EXPECT_TRUE(is_busy(http_reply{503, R"({"error": "a hook of router a is running; try again"})"}));
    EXPECT_FALSE(is_busy(http_reply{409, ""}));
    EXPECT_FALSE(is_busy(http_reply{200, ""}));
    EXPECT_FALSE(is_busy(error{error_class::unavailable, "nobody"}));
}

TEST(http_text, an_answer_ends_by_its_length_its_last_chunk_or_the_close)
{
    const auto body_of = [](std::string_view text) {
        const auto reply = parse_reply(text);
        return reply ? std::to_string(reply->status) + " " + reply->body : reply.error().text;
    };
    EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\ncontent-length:  2 \r\nX: y\r\n\r\nab"), "200 ab");
    EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "404 ");
    EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
              "200 ab0123456789");
    EXPECT_EQ(body_of("HTTP/1.0 200 OK\r\n\r\nall of it"), "200 all of it");
}

TEST(http_text, an_answer_that_says_where_it_ends_counts_when_the_connection_breaks_behind_it)
{
    const auto is_whole = [](std::string_view text) { return parse_reply(text, ending::broken_off).has_value(); };
    EXPECT_TRUE(is_whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"));
    EXPECT_TRUE(is_whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"));
    EXPECT_FALSE(is_whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"));
    EXPECT_FALSE(is_whole("HTTP/1.0 200 OK\r\n\r\nall of it?"));
}

TEST(http_text, an_answer_that_is_cut_or_none_is_an_error)
{
    const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse_reply(whole.substr(0, size))) << size;
    }
    EXPECT_TRUE(parse_reply(whole));
    EXPECT_FALSE(parse_reply("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"));
    EXPECT_FALSE(parse_reply("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab"));
    EXPECT_FALSE(parse_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n0\r\n\r\n"));
    EXPECT_FALSE(parse_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"));
    const auto stranger = parse_reply("SSH-2.0-OpenSSH_9.2\r\n");
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().text,
              "what answered does not speak vipd's HTTP (no status line); is another program listening on this socket?");
}

TEST(daemon_reports, what_the_daemon_did_is_its_own_sentence)
{
    const auto got = change_report(http_reply{200, R"({"message":"haproxy hands over"})"});
    EXPECT_EQ(got.out, "haproxy hands over\n");
    EXPECT_EQ(got.err, "");
    EXPECT_EQ(got.exit_code, exit_success);
}

TEST(daemon_reports, what_the_daemon_refused_is_its_own_sentence_and_a_failure)
{
    const auto got = change_report(http_reply{422, R"({"error":"vipd.toml:1:2: a\u001b[31m\nvipd.toml:3:4: b"})"});
    EXPECT_EQ(got.out, "");
    EXPECT_EQ(got.err, "vipd: vipd.toml:1:2: a\\x1b[31m\nvipd.toml:3:4: b\n");
    EXPECT_EQ(got.exit_code, exit_failure);
    EXPECT_EQ(change_report(http_reply{503, "oops"}).err, "vipd: the daemon answered with status 503 and no reason\n");
    EXPECT_EQ(change_report(http_reply{503, R"({"error":7})"}).err,
              "vipd: the daemon answered with status 503 and no reason\n");
    EXPECT_EQ(change_report(http_reply{200, "{"}).err,
              "vipd: the daemon's answer is not JSON; are the daemon and this command of the same version?\n");
}

TEST(daemon_reports, no_daemon_is_a_sentence_with_the_remedy)
{
    EXPECT_EQ(no_daemon("/run/vipd/vipd.sock", ENOENT).text,
              "no daemon is running here: there is no socket at \"/run/vipd/vipd.sock\"; start it with `systemctl start vipd` "
              "or `vipd "
              "run --config FILE`, or name its socket with --socket");
    EXPECT_EQ(no_daemon("/s", ECONNREFUSED).text,
              "no daemon is running here: nobody listens on the socket at \"/s\"; start it with "
              "`systemctl start vipd` or `vipd run --config FILE`");
    EXPECT_EQ(no_daemon("/s", EACCES).text, "the socket at \"/s\" is not open to this user; run the command with sudo");
    EXPECT_EQ(no_daemon("/s", ETIMEDOUT).text,
              "the daemon behind \"/s\" did not answer within 3s; `journalctl -u vipd` may say why");
    for (const int number : {ECONNRESET, EPIPE}) {
        EXPECT_EQ(no_daemon("/s", number).text, "the daemon behind \"/s\" is busy with other HTTP clients; ask again");
    }
    EXPECT_EQ(no_daemon("/s", ENOTSOCK).text, "cannot talk to the daemon at \"/s\": Socket operation on non-socket");
    const auto got = status_report(no_daemon("/s", EACCES), false, {});
    EXPECT_EQ(got.err, "vipd: the socket at \"/s\" is not open to this user; run the command with sudo\n");
    EXPECT_EQ(got.exit_code, exit_failure);
}

TEST(daemon_reports, the_plan_counts_what_would_change_and_lists_what_would_not)
{
    const auto got = plan_report(http_reply{200, R"({"routers":[
        {"name":"haproxy","state":"Backup","changes":["~ 172.16.1.100/32 in rtb-0a: ReplaceRoute from eni-0f to eni-0a",
                                                      "+ 172.16.1.100/32 on lo: is added", "= 172.16.1.100/32 in rtb-0b: stays"]},
        {"name":"lab","state":"Active","changes":["= 10.1.1.1/32 on lo: is there"]},
        {"name":"new","state":"Backup","changes":["? 10.1.1.2/32: the route tables have not been read yet"]}]})"});
    EXPECT_EQ(got.out,
              "haproxy (Backup): 2 changes\n"
              "  ~ 172.16.1.100/32 in rtb-0a: ReplaceRoute from eni-0f to eni-0a\n"
              "  + 172.16.1.100/32 on lo: is added\n"
              "  = 172.16.1.100/32 in rtb-0b: stays\n"
              "lab (Active): nothing would change\n"
              "  = 10.1.1.1/32 on lo: is there\n"
              "new (Backup): nothing would change, 1 not known yet\n"
              "  ? 10.1.1.2/32: the route tables have not been read yet\n");
    EXPECT_EQ(plan_report(http_reply{200, "{}"}).out, "no routers\n");
}

TEST(daemon_reports, a_plan_that_is_not_known_whole_says_what_is_missing_and_why)
{
    status::router r;
    r.name = "web";
    r.resources.resize(3);
    r.resources[0].name = "10.1.1.1/32 in rtb-0a";
    r.resources[0].last_error = "DescribeRouteTables was refused\x1b";
    r.resources[1].name = "10.1.1.2/32";
    r.resources[2].state = status::resource_state::here;
    const auto got = unfinished_plan({"web (Initialize): nothing would change, 2 not known yet\n", "", exit_success}, "in 10 s",
                                     "no credentials", std::vector{r});
    EXPECT_EQ(got.out, "web (Initialize): nothing would change, 2 not known yet\n");
    EXPECT_EQ(got.err,
              "vipd: not everything could be read in 10 s\n"
              "  no credentials\n"
              "  web: route 10.1.1.1/32 in rtb-0a: DescribeRouteTables was refused\\x1b\n"
              "  web: route 10.1.1.2/32: no answer yet\n");
    EXPECT_EQ(got.exit_code, exit_failure);
}

TEST(daemon_reports, json_is_passed_on_as_it_came)
{
    EXPECT_EQ(status_report(http_reply{200, "{ \"x\": 1 }"}, true, {}).out, "{ \"x\": 1 }\n");
    EXPECT_EQ(status_report(http_reply{200, "{}\n"}, true, {}).out, "{}\n");
    EXPECT_EQ(status_report(http_reply{200, "{\"x\": "}, true, {}).exit_code, exit_failure);
}

TEST(daemon_reports, a_name_that_no_router_can_have_is_not_sent)
{
    EXPECT_EQ(wrong_router_name("haproxy-1"), "");
    EXPECT_EQ(
        wrong_router_name("../reload"),
        "\"../reload\" is not the name of a router; allowed are 1 to 64 of the characters A-Z a-z 0-9 . _ -; `vipd status` "
        "lists them");
}

TEST(daemon_reports, a_priority_that_nobody_can_have_is_not_sent)
{
    for (const auto* good : {"1", "100", "254", "default"}) {
        EXPECT_EQ(wrong_priority(good), "") << good;
    }
    for (const auto* bad : {"", "0", "255", "256", "007", "-1", "+5", "1.5", "12x", " 12", "99999999999999999999", "Default"}) {
        EXPECT_NE(wrong_priority(bad), "") << bad;
    }
    EXPECT_EQ(wrong_priority("255\n"),
              "\"255\\x0a\" is no priority that can be set; allowed are 1 to 254, or default for the configured one");
}

TEST(help, every_command_has_a_summary_and_an_example_of_itself)
{
    std::set<std::string_view> names;
    for (const auto& command : commands()) {
        EXPECT_TRUE(names.insert(command.name).second);
        EXPECT_FALSE(command.summary.empty());
        EXPECT_NE(command.examples.find("vipd " + std::string(command.name)), std::string_view::npos) << command.name;
        EXPECT_EQ(&help_of(command.name), &command);
    }
    EXPECT_FALSE(names.contains("import"));
    EXPECT_EQ(unknown_command("status"), "");
    EXPECT_EQ(
        unknown_command("import\n"),
        "'import\\x0a' is no command of vipd; there are run, check, plan, doctor, iam-policy, status, step-down, maintenance, "
        "priority, reload, restart, version");
    EXPECT_TRUE(version_text().starts_with("vipd " VIPD_VERSION " ("));
}

}  // namespace
}  // namespace vipd::cli
