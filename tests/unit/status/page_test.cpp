#include "agent/status/page.hpp"

#include "tests/support/fake_node.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <variant>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;

std::string page_of(const fake_node& node)
{
    const auto got = draw(*page_body(node), at({}));
    EXPECT_TRUE(got.ended);
    return got.text;
}

std::size_t count(std::string_view text, std::string_view what)
{
    std::size_t n = 0;
    for (auto i = text.find(what); i != std::string_view::npos; i = text.find(what, i + what.size())) {
        ++n;
    }
    return n;
}

void expect_contains(const std::string& text, std::string_view what)
{
    EXPECT_NE(text.find(what), std::string::npos) << what << "\nin\n" << text;
}

TEST(page, says_first_that_this_node_is_active)
{
    fake_node node;
    node.routers = {sample_router("haproxy")};
    const auto text = page_of(node);
    expect_contains(text, "<title>This node is Active: haproxy - vipd</title>");
    expect_contains(text, "<section class=\"verdict active\"><h2>This node is Active</h2>");
    expect_contains(text, "haproxy, for 1 h 0 min (no advert for 722 ms)");
    expect_contains(text, "2026-11-21 03:12:45 UTC");
    expect_contains(text, "vipd on i-0123456789abcdef0 in eu-west-1a");
}

TEST(page, says_who_is_active_when_this_node_is_not)
{
    fake_node node;
    node.routers = {sample_backup("haproxy")};
    const auto text = page_of(node);
    expect_contains(text, "<h2>This node is Backup</h2>");
    expect_contains(text, "Active is 10.0.2.10 (priority 200), heard 121 ms ago");
}

TEST(page, sums_up_several_routers)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_backup("b"), sample_router("c")};
    expect_contains(page_of(node), "<h2>2 Active, 1 Backup</h2>");
    node.routers = {sample_router("a"), sample_router("c")};
    expect_contains(page_of(node), "<h2>This node is Active for all</h2>");
    node.routers.clear();
    expect_contains(page_of(node), "<h2>No virtual router</h2>");
}

TEST(page, shows_what_needs_attention_most_urgent_first)
{
    fake_node node;
    node.the_node.maintenance = true;
    node.routers = {sample_in_trouble("web")};
    const auto text = page_of(node);
    const auto critical = text.find("<li class=\"critical\">");
    const auto warning = text.find("<li class=\"warning\">");
    ASSERT_NE(critical, std::string::npos);
    ASSERT_NE(warning, std::string::npos);
    EXPECT_LT(critical, warning);
    expect_contains(text,
                    "<strong>web</strong>: 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718 is not here: ReplaceRoute was refused");
}

TEST(page, shows_resources_with_owner_state_and_error)
{
    fake_node node;
    node.routers = {sample_in_trouble("web")};
    const auto text = page_of(node);
    expect_contains(text, "<span class=\"state bad\">taking</span>");
    expect_contains(text, "eni-0f9e8d7c6b5a41302 (blackhole)");
    expect_contains(text, "<td colspan=\"5\" class=\"text\">ReplaceRoute was refused with UnauthorizedOperation");
    expect_contains(text, "next try in 3.2 s");
    expect_contains(text, "priority 100 (configured 150)");
}

TEST(page, shows_a_priority_that_was_set_at_run_time)
{
    fake_node node;
    node.routers = {sample_router("web")};
    node.routers[0].runtime_priority = 150;
    expect_contains(page_of(node), "priority 150 (set at run time, configured 150)");
    node.routers[0].effective_priority = 180;
    node.routers[0].priority_reason = "set to 180 at run time";
    expect_contains(page_of(node), "priority 180 (configured 150; set to 180 at run time)");
}

TEST(page, shows_the_sync_group_of_a_router_that_is_in_one)
{
    fake_node node;
    node.routers = {sample_router("front"), sample_router("web")};
    node.routers[0].sync_group = "fire<wall>";
    const auto text = page_of(node);
    expect_contains(text, "</span>, sync group <span class=\"text\">fire&lt;wall&gt;</span>, priority 150");
    EXPECT_EQ(count(text, "sync group"), 1U);
}

TEST(page, shows_hooks_that_have_been_run)
{
    fake_node node;
    node.routers = {sample_router("web")};
    auto never_run = node.routers[0].hooks[0];
    never_run.event = config::hook_event::fault;
    never_run.last.reset();
    auto runs = never_run;
    runs.event = config::hook_event::backup;
    runs.running = 2s;
    node.routers[0].hooks.push_back(never_run);
    node.routers[0].hooks.push_back(runs);
    const auto page = page_of(node);
    EXPECT_NE(page.find("<caption>Hooks</caption>"), std::string::npos);
    EXPECT_NE(page.find("<td>active</td><td><span class=\"state good\">succeeded</span></td><td class=\"mono "
                        "text\">/usr/local/sbin/promote --fast</td>"),
              std::string::npos);
    EXPECT_NE(page.find("<td>backup</td><td><span class=\"state busy\">running</span></td>"), std::string::npos);
    EXPECT_EQ(page.find("<td>fault</td>"), std::string::npos);
    node.routers[0].hooks.clear();
    EXPECT_EQ(page_of(node).find("Hooks"), std::string::npos);
}

TEST(page, shows_trackers_and_why_they_fail)
{
    fake_node node;
    node.routers = {sample_router("web")};
    auto& t = node.routers[0].trackers[0];
    t.state = tracker_state::failing;
    t.reason = "the answer is 503; well are 200-399";
    t.contribution = -60;
    const auto text = page_of(node);
    expect_contains(text, "<caption>Trackers</caption>");
    expect_contains(text,
                    "<td class=\"text\">backend</td><td><span class=\"state bad\">failing</span></td>"
                    "<td class=\"mono text\">127.0.0.1:8080</td><td>-60: -60 now</td>");
    expect_contains(text, "<td colspan=\"6\" class=\"text\">the answer is 503; well are 200-399</td>");
    expect_contains(text, "<td class=\"text\">weight</td><td><span class=\"state good\">well</span></td>");
    t.weight.reset();
    expect_contains(page_of(node), "<td>takes the router out</td>");
    // Those that fail come first where not all of them fit.
    auto& all = node.routers[0].trackers;
    const auto failing = t;
    all.assign(page_trackers_max + 4, all[1]);
    all.push_back(failing);
    const auto cut = page_of(node);
    EXPECT_LT(cut.find("<td class=\"text\">backend</td>"), cut.find("<td class=\"text\">weight</td>"));
    expect_contains(cut, "and 5 more: /v1/routers/web");
    all.clear();
    EXPECT_EQ(page_of(node).find("Trackers"), std::string::npos);
}

TEST(page, shows_the_last_events_newest_first)
{
    fake_node node;
    for (std::uint64_t i = 1; i <= page_events_max + 5; ++i) {
        node.events.push_back(sample_event(i, "event-" + std::to_string(i) + "."));
    }
    const auto text = page_of(node);
    EXPECT_EQ(text.find("event-5."), std::string::npos);
    EXPECT_LT(text.find("event-45."), text.find("event-6."));
    expect_contains(text, "data-last=\"45\"");
}

// Elements and attributes are as written here, whatever the texts are: the page is read as XML after its void elements are
// closed.
TEST(page, hostile_texts_change_no_element)
{
    const auto build = [](const std::string& text) {
        fake_node node;
        node.the_node.version = text;
        node.the_node.aws->identity->instance = aws::instance_id{text};
        node.the_node.aws->last_error = text;
        auto r = sample_in_trouble(text);
        r.interface = text;
        r.sync_group = text;
        r.state_reason = text;
        for (auto& x : r.resources) {
            x.name = text;
            x.owner = text;
            x.last_error = text;
        }
        r.trackers[0].name = text;
        r.trackers[0].what = text;
        r.trackers[0].state = tracker_state::failing;
        r.trackers[0].reason = text;
        r.hooks[0].command = text;
        r.hooks[0].last->outcome = hook_outcome::failed;
        r.hooks[0].last->problem = text;
        node.routers = {r, sample_backup(text + "2")};
        auto e = sample_event(1, text);
        e.router = text;
        e.kind = text;
        node.events = {e};
        std::string page = page_of(node);
        for (const std::string open : {"<meta ", "<link "}) {
            for (auto i = page.find(open); i != std::string::npos; i = page.find(open, i + 1)) {
                page.insert(page.find('>', i), "/");
            }
        }
        page.replace(page.find(" defer>"), 7, " defer=\"\">");
        page.replace(0, page.find('\n'), "");
        return page;
    };
    const auto shape = [](const std::string& page) {
        pugi::xml_document document;
        const auto read = document.load_string(page.c_str());
        EXPECT_TRUE(read) << read.description() << " at " << page.substr(static_cast<std::size_t>(read.offset), 80);
        std::string out;
        struct walker : pugi::xml_tree_walker {
            std::string* out = nullptr;
            bool for_each(pugi::xml_node& n) override
            {
                if (n.type() == pugi::node_element) {
                    *out += std::string(static_cast<std::size_t>(depth()), ' ') + n.name();
                    for (const auto& a : n.attributes()) {
                        *out += std::string(" ") + a.name();
                    }
                    *out += '\n';
                }
                return true;
            }
        } w;
        w.out = &out;
        document.traverse(w);
        return out;
    };
    const auto hostile_page = build(std::string(hostile));
    EXPECT_EQ(shape(hostile_page), shape(build("plain")));
    EXPECT_EQ(count(hostile_page, "<script"), 1U);
    EXPECT_EQ(hostile_page.find('\x01'), std::string::npos);
    EXPECT_EQ(hostile_page.find('\xff'), std::string::npos);
}

TEST(page, has_nothing_inline)
{
    fake_node node;
    node.routers = {sample_in_trouble("web")};
    const auto text = page_of(node);
    for (const auto* what : {" style=", "<style", " onclick", " onload", "javascript:", "<script>", "http://", "https://"}) {
        EXPECT_EQ(text.find(what), std::string::npos) << what;
    }
    expect_contains(text, "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>");
}

TEST(page, shows_a_bounded_number_of_routers_those_in_need_first)
{
    fake_node node;
    for (std::size_t i = 0; i < 1000; ++i) {
        node.routers.push_back(sample_backup("b" + std::to_string(i) + "."));
    }
    node.routers[900] = sample_in_trouble("trouble");
    node.routers[950] = sample_router("alone");
    const auto text = page_of(node);
    EXPECT_EQ(count(text, "<article "), page_routers_max);
    expect_contains(text, "100 of 1000 routers are shown");
    expect_contains(text, "<h2>2 Active, 998 Backup</h2>");
    EXPECT_LT(text.find("<h2 class=\"text\">trouble"), text.find("<h2 class=\"text\">alone"));
    EXPECT_LT(text.find("<h2 class=\"text\">alone"), text.find("<h2 class=\"text\">b0."));
}

TEST(page, keeps_the_configuration_s_order_when_all_routers_fit)
{
    fake_node node;
    node.routers = {sample_backup("first"), sample_in_trouble("second"), sample_router("third")};
    const auto text = page_of(node);
    EXPECT_LT(text.find("<h2 class=\"text\">first"), text.find("<h2 class=\"text\">second"));
    EXPECT_LT(text.find("<h2 class=\"text\">second"), text.find("<h2 class=\"text\">third"));
}

TEST(page, shows_a_bounded_number_of_resources_those_that_fail_first)
{
    fake_node node;
    auto r = sample_router("wide");
    r.resources.assign(300, r.resources[0]);
    r.resources[299].last_error = "failed last";
    r.resources[299].name = "the-last";
    node.routers = {r};
    const auto text = page_of(node);
    expect_contains(text, "the-last");
    expect_contains(text, "and 236 more: /v1/routers/wide");
}

TEST(page, bounds_its_findings)
{
    fake_node node;
    for (int i = 0; i < 50; ++i) {
        node.routers.push_back(sample_in_trouble("r" + std::to_string(i)));
    }
    const auto text = page_of(node);
    EXPECT_EQ(count(text, "<li class=\"critical\">"), page_findings_max);
    expect_contains(text, "and 30 more");
}

TEST(page, samples_few_routers_in_a_turn)
{
    fake_node node;
    for (int i = 0; i < 500; ++i) {
        node.routers.push_back(sample_router("r" + std::to_string(i)));
    }
    auto body = page_body(node);
    for (;;) {
        const auto before = node.snapshots;
        if (std::holds_alternative<finished>(body->next(at({})))) {
            break;
        }
        EXPECT_LE(node.snapshots - before, 16U);
    }
}

TEST(page, shows_what_the_node_has_whoever_is_active)
{
    fake_node node;
    node.routers = {sample_router("web")};
    const auto with = page_of(node);
    EXPECT_NE(with.find("This node, whoever is Active"), std::string::npos);
    EXPECT_NE(with.find("1 of 1 rules, 2 of 2 routes here"), std::string::npos);
    node.the_node.policies.clear();
    EXPECT_EQ(page_of(node).find("This node, whoever is Active"), std::string::npos);
}

}  // namespace
}  // namespace vipd::status::test
