// [[router.track]]: what each kind takes, and what is said about the rest.

#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Line 7 is [[router.track]].
outcome with(std::vector<std::string> lines, const std::vector<std::string>& router = {})
{
    auto all = router;
    all.emplace_back("[[router.track]]");
    all.insert(all.end(), lines.begin(), lines.end());
    return outcome_of(router_with(all));
}

tracker read(std::vector<std::string> lines)
{
    const auto got = with(std::move(lines));
    EXPECT_THAT(got.errors, IsEmpty());
    EXPECT_THAT(got.warnings, IsEmpty());
    return got.errors.empty() ? got.value.routers[0].trackers[0] : tracker{};
}

TEST(trackers, little_is_enough)
{
    const auto t = read({R"(kind = "process")", R"(name = "haproxy")"});
    EXPECT_EQ(t.name, "haproxy");
    EXPECT_FALSE(t.weight);
    EXPECT_EQ(t.what.target, check_target{(process_check{"haproxy", ""})});
    EXPECT_EQ(t.what.interval, 1s);
    EXPECT_EQ(t.what.timeout, 1s);
    EXPECT_EQ(t.what.rise, 1U);
    EXPECT_EQ(t.what.fall, 1U);
}

TEST(trackers, every_kind_with_what_it_takes)
{
    const auto process = read({R"(kind = "process")", R"(name = "a-name-that-is-longer-than-the-kernels")",
                               R"(pid_file = "/run/haproxy.pid")", "weight = -50", R"(interval = "100ms")"});
    EXPECT_EQ(process.what.target, check_target{(process_check{"", "/run/haproxy.pid"})});
    EXPECT_EQ(process.weight, -50);
    EXPECT_EQ(process.what.timeout, 100ms);
    const auto script = read({R"(kind = "script")", R"(name = "s")", R"(command = ["/check", "-v"])", R"(user = "haproxy")",
                              R"(interval = "1m")", R"(timeout = "30s")", "rise = 2", "fall = 3"});
    EXPECT_EQ(script.what.target, check_target{(script_check{{{"/check", "-v"}}, account{"haproxy", 188, 188, {188, 4}}})});
    EXPECT_EQ(script.what.timeout, 30s);
    EXPECT_EQ(script.what.rise, 2U);
    EXPECT_EQ(script.what.fall, 3U);
    const auto http = read({R"(kind = "http")", R"(name = "h")", R"(url = "https://[::1]:8443/health?deep=1")",
                            R"(status = [200, "301-302"])", R"(host = "www.example.com")", R"(ca_bundle = "/etc/ca.pem")"});
    EXPECT_EQ(http.what.target,
              check_target{(http_check{
                  {true, "::1", 8443}, "/health?deep=1", "www.example.com", {{200, 200}, {301, 302}}, "/etc/ca.pem", true})});
    const auto tcp = read({R"(kind = "tcp")", R"(name = "t")", R"(address = "[::1]:3306")"});
    EXPECT_EQ(tcp.what.target, check_target{(tcp_check{*ip_address::parse("::1"), 3306})});
    const auto interface = read({R"(kind = "interface")", R"(name = "i")", R"(interface = "eth1")"});
    EXPECT_EQ(interface.what.target, check_target{interface_check{"eth1"}});
    const auto file = read({R"(kind = "file")", R"(name = "f")", R"(path = "/run/weight")", "weight = 253"});
    EXPECT_EQ(file.what.target, check_target{file_check{"/run/weight"}});
}

TEST(trackers, url_has_a_path_and_codes_from_200_to_399_unless_it_is_said)
{
    const auto t = read({R"(kind = "http")", R"(name = "h")", R"(url = "http://web.internal")", R"(interval = "1h")"});
    EXPECT_EQ(t.what.target, check_target{(http_check{{false, "web.internal", 80}, "/", "", {{200, 399}}, "", true})});
    EXPECT_EQ(t.what.timeout, 10s) << "the interval, but never that long";
    EXPECT_EQ(describe(t.what.target), "http://web.internal/");
    const auto query = read({R"(kind = "http")", R"(name = "h")", R"(url = "http://127.0.0.1?a=b")"});
    EXPECT_EQ(std::get<http_check>(query.what.target).target, "/?a=b");
    for (const auto* url : {"ftp://x/", "http://", "http://user:secret@x/", "http://x/#a", "http://x/a b", "/health"}) {
        const auto errors = with({R"(kind = "http")", R"(name = "h")", R"(url = ")" + std::string(url) + R"(")"}).errors;
        ASSERT_EQ(errors.size(), 1U) << url;
        EXPECT_TRUE(errors[0].ends_with("; allowed is an http:// or https:// URL without a user or fragment")) << errors[0];
        EXPECT_EQ(errors[0].find("secret"), std::string::npos) << errors[0];
    }
}

TEST(trackers, keys_of_other_kinds_are_refused_and_what_is_missing_is_named)
{
    EXPECT_THAT(with({R"(kind = "interface")", R"(name = "i")", R"(interface = "eth1")", R"(interval = "1s")"}).errors,
                ElementsAre("11:1: router[0].track[0].interval: has no meaning with kind = \"interface\", whose keys are "
                            "interface; remove it"));
    EXPECT_THAT(
        with({R"(kind = "file")", R"(name = "f")", R"(path = "/run/w")", "rise = 2"}).errors,
        ElementsAre("11:1: router[0].track[0].rise: has no meaning with kind = \"file\", whose keys are path, interval; "
                    "remove it"));
    EXPECT_THAT(with({R"(kind = "process")", R"(name = "p")", R"(timeout = "1s")"}).errors,
                ElementsAre("10:1: router[0].track[0].timeout: has no meaning with kind = \"process\", whose keys are process, "
                            "pid_file, interval, rise, fall; remove it"));
    EXPECT_THAT(with({R"(kind = "script")", R"(name = "s")"}).errors,
                ElementsAre("7:1: router[0].track[0].command: is missing; allowed is a list of 1 to 64, each a text: the "
                            "absolute path of a program, then its arguments, without a shell"));
    EXPECT_THAT(with({R"(kind = "tcp")", R"(name = "t")"}).errors,
                ElementsAre("7:1: router[0].track[0].address: is missing; allowed is \"ADDRESS:PORT\" or \"[IPV6]:PORT\""));
    EXPECT_THAT(
        with({R"(kind = "bfd")", R"(name = "t")"}).errors,
        ElementsAre("8:8: router[0].track[0].kind: found \"bfd\"; allowed is \"process\", \"script\", \"http\", \"tcp\", "
                    "\"interface\" or \"file\""));
}

TEST(trackers, values_that_cannot_be_are_refused)
{
    const std::vector<std::string> tcp = {R"(kind = "tcp")", R"(name = "t")"};
    const auto tcp_with = [&](const std::string& line) {
        auto lines = tcp;
        lines.push_back(line);
        if (!line.starts_with("address")) {
            lines.emplace_back(R"(address = "127.0.0.1:1")");
        }
        return with(lines).errors;
    };
    EXPECT_THAT(
        tcp_with("weight = 0"),
        ElementsAre("10:10: router[0].track[0].weight: found 0, which would do nothing; allowed are -253 to 253; without "
                    "weight a failing tracker takes the router out"));
    EXPECT_THAT(tcp_with("weight = 254"),
                ElementsAre("10:10: router[0].track[0].weight: found 254; allowed is a whole number from -253 to 253"));
    EXPECT_THAT(tcp_with(R"(interval = "99ms")"),
                ElementsAre("10:12: router[0].track[0].interval: found \"99ms\"; allowed is a duration from 100ms to 1h"));
    EXPECT_THAT(tcp_with("fall = 0"),
                ElementsAre("10:8: router[0].track[0].fall: found 0; allowed is a whole number from 1 to 100"));
    EXPECT_THAT(
        tcp_with(R"(address = "0.0.0.0:80")"),
        ElementsAre("10:11: router[0].track[0].address: found \"0.0.0.0\", where nobody can be reached; name the address, "
                    "such as 127.0.0.1"));
    EXPECT_THAT(with({R"(kind = "process")", R"(name = "longer-than-15-bytes")"}).errors,
                ElementsAre("9:8: router[0].track[0].name: found \"longer-than-15-bytes\", which is longer than the name of a "
                            "process is for the kernel (15 bytes); add process, with what `ps -o comm=` shows, or pid_file"));
    EXPECT_THAT(with({R"(kind = "process")", R"(name = "p")", R"(process = "a")", R"(pid_file = "/b")"}).errors,
                ElementsAre("11:12: router[0].track[0].pid_file: found \"/b\" beside process = \"a\"; the process is known by "
                            "one of the two; remove the other"));
}

TEST(trackers, what_is_about_tls_needs_tls)
{
    const auto http_with = [](const std::string& url, std::vector<std::string> lines) {
        lines.insert(lines.begin(), {R"(kind = "http")", R"(name = "h")", R"(url = ")" + url + R"(")"});
        return with(lines).errors;
    };
    EXPECT_THAT(
        http_with("http://x/", {"verify = false"}),
        ElementsAre("11:10: router[0].track[0].verify: has no meaning with an http:// URL, which is not verified; remove "
                    "it, or use https://"));
    EXPECT_THAT(http_with("https://x/", {"verify = false", R"(ca_bundle = "/ca")"}),
                ElementsAre("12:13: router[0].track[0].ca_bundle: has no effect with verify = false; remove one of the two"));
    EXPECT_THAT(http_with("https://x/", {"verify = false"}), IsEmpty());
    EXPECT_THAT(http_with("https://x/", {"status = [99]"}),
                ElementsAre("11:11: router[0].track[0].status[0]: found 99; allowed is a code from 100 to 599, or a range of "
                            "them such as \"200-299\""));
    EXPECT_THAT(http_with("https://x/", {R"(status = ["299-200"])"}).size(), 1U);
    EXPECT_THAT(http_with("https://x/", {"status = []"}),
                ElementsAre("11:10: router[0].track[0].status: found 0 entries; allowed are 1 to 32"));
}

TEST(trackers, names_are_there_once_in_a_router)
{
    const std::vector<std::string> again = {R"(kind = "process")",   R"(name = "p")", "[[router.track]]",
                                            R"(kind = "interface")", R"(name = "p")", R"(interface = "eth1")"};
    EXPECT_THAT(
        with(again).errors,
        ElementsAre("12:8: router[0].track[1].name: found \"p\", which is also the name of router[0].track[0]; give each "
                    "tracker of a router a name of its own"));
}

TEST(trackers, address_owner_has_no_weights_and_may_be_taken_out)
{
    const std::vector<std::string> owner = {"priority = 255", "address_owner = true"};
    EXPECT_THAT(with({R"(kind = "process")", R"(name = "p")"}, owner).errors, IsEmpty());
    EXPECT_THAT(with({R"(kind = "process")", R"(name = "p")", "weight = -1"}, owner).errors,
                ElementsAre("12:10: router[0].track[0].weight: found a weight in a router with priority 255, which nothing "
                            "changes; remove weight, and the tracker takes the router out while it fails"));
}

TEST(trackers, program_and_user_are_looked_at_as_those_of_hooks_are)
{
    const auto script_with = [](std::vector<std::string> lines) {
        lines.insert(lines.begin(), {R"(kind = "script")", R"(name = "s")"});
        return with(lines);
    };
    EXPECT_THAT(script_with({R"(command = ["/open"])"}).errors,
                ElementsAre("10:11: router[0].track[0].command[0]: \"/open\" has mode 0777 for vipd"));
    EXPECT_THAT(script_with({R"(command = ["/nowhere"])"}).warnings,
                ElementsAre("10:11: router[0].track[0].command[0]: \"/nowhere\" cannot be run: No such file or directory"));
    EXPECT_THAT(script_with({R"(command = ["/a"])", R"(user = "nobody-here")"}).errors,
                ElementsAre("11:8: router[0].track[0].user: \"nobody-here\" is no user of this machine"));
}

}  // namespace
}  // namespace vipd::config::test
