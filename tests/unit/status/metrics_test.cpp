#include "agent/status/metrics.hpp"

#include "tests/support/fake_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;

using answer = std::variant<std::string, std::unique_ptr<body_source>, metrics_endpoint::busy>;

std::string text_of(answer got, instant now)
{
    if (auto* text = std::get_if<std::string>(&got)) {
        return *text;
    }
    auto* body = std::get_if<std::unique_ptr<body_source>>(&got);
    return body == nullptr ? "busy" : draw(**body, now).text;
}

std::string scraped(fake_node& node, instant now = at({}))
{
    metrics_endpoint endpoint(node);
    return text_of(endpoint.scrape(now), now);
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) {
        out.push_back(line);
    }
    return out;
}

bool has_line(const std::string& text, std::string_view line)
{
    const auto lines = lines_of(text);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

// What Prometheus itself would refuse or silently mix up: a family that begins twice, a series without its family's header
// before it, the same series twice.
void expect_well_formed(const std::string& text)
{
    std::set<std::string> families;
    std::set<std::string> series;
    std::string family;
    bool typed = false;
    for (const auto& line : lines_of(text)) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            typed = false;
            EXPECT_TRUE(families.insert(family).second) << family << " begins twice";
        } else if (line.starts_with("# TYPE ")) {
            EXPECT_FALSE(typed) << line;
            EXPECT_TRUE(line.starts_with("# TYPE " + family + " ")) << line;
            typed = true;
        } else {
            ASSERT_TRUE(typed) << line;
            EXPECT_TRUE(line.starts_with(family)) << line << " stands in " << family;
            EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line << " is there twice";
        }
    }
}

TEST(metrics_table, names_are_unique_and_follow_the_conventions)
{
    std::set<std::string_view> names;
    for (const auto& row : metrics_table()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_TRUE(row.name.starts_with("vipd_") || row.name.starts_with("process_")) << row.name;
        EXPECT_EQ(row.name.ends_with("_total"), row.type == metric_type::counter) << row.name;
        EXPECT_FALSE(row.help.empty()) << row.name;
        EXPECT_EQ(row.help.find_first_of("\n\\"), std::string_view::npos) << row.name << ": the serializer escapes no help";
    }
}

TEST(metrics, every_row_of_the_table_has_series_when_everything_is_known)
{
    fake_node node;
    node.routers = {sample_in_trouble("a")};
    node.routers[0].runtime_priority = 100;
    const auto text = scraped(node);
    for (const auto& row : metrics_table()) {
        EXPECT_NE(text.find("# TYPE " + std::string(row.name) + " "), std::string::npos) << row.name;
    }
    expect_well_formed(text);
}

TEST(metrics, state_is_a_series_for_each_value)
{
    fake_node node;
    node.routers = {sample_router("web"), sample_backup("db")};
    const auto text = scraped(node);
    for (const auto* line :
         {"vipd_router_state{router=\"web\",state=\"Initialize\"} 0", "vipd_router_state{router=\"web\",state=\"Backup\"} 0",
          "vipd_router_state{router=\"web\",state=\"Active\"} 1", "vipd_router_state{router=\"db\",state=\"Backup\"} 1",
          "vipd_router_state{router=\"db\",state=\"Active\"} 0"}) {
        EXPECT_TRUE(has_line(text, line)) << line;
    }
}

TEST(metrics, say_what_the_snapshot_says)
{
    fake_node node;
    node.routers = {sample_router("web")};
    const auto text = scraped(node);
    for (const auto* line :
         {"vipd_build_info{version=\"0.1.0\"} 1",
          "process_resident_memory_bytes 11534336",
          "process_open_fds 17",
          "vipd_realtime_scheduling 1",
          "vipd_configuration_reloads_total 2",
          "vipd_node_adverts_dropped_total{reason=\"unknown_peer\"} 4",
          "vipd_loop_lateness_seconds_count 2",
          "vipd_loop_lateness_seconds_bucket{le=\"0.001\"} 1",
          "vipd_loop_lateness_seconds_bucket{le=\"+Inf\"} 2",
          "vipd_aws_identity_cached 0",
          "vipd_aws_session_ready 1",
          "vipd_aws_session_failing 0",
          "vipd_aws_credentials_remaining_seconds 21600",
          "vipd_aws_clock_skew_seconds -0.012",
          "vipd_ec2_calls_total{action=\"ReplaceRoute\",code=\"RequestLimitExceeded\"} 1",
          "vipd_router_epoch{router=\"web\"} 4",
          "vipd_router_effective_priority{router=\"web\"} 150",
          "vipd_router_transitions_total{router=\"web\",to=\"Active\"} 4",
          "vipd_router_adverts_sent_total{router=\"web\"} 18026",
          "vipd_router_announcements_total{router=\"web\"} 20",
          "vipd_router_adverts_received_total{router=\"web\"} 432",
          "vipd_router_adverts_dropped_total{router=\"web\",reason=\"checksum\"} 2",
          "vipd_peer_last_heard_seconds{router=\"web\",peer=\"10.0.2.10\"} 3605.937",
          "vipd_resource_owned{router=\"web\",kind=\"route\",resource=\"172.16.1.100/32 in rtb-0a1b2c3d4e5f60718\"} 1",
          "vipd_resource_state{router=\"web\",kind=\"address\",resource=\"172.16.1.100/32 on lo\",state=\"here\"} 1",
          "vipd_resource_mutating_calls_total{router=\"web\",kind=\"address\",resource=\"172.16.1.100/32 on lo\"} 1",
          "vipd_takeover_seconds_count{router=\"web\",phase=\"all_confirmed\"} 1",
          "vipd_takeover_seconds_bucket{router=\"web\",phase=\"all_accepted\",le=\"0.1\"} 0",
          "vipd_takeover_seconds_bucket{router=\"web\",phase=\"all_accepted\",le=\"0.25\"} 1",
          "vipd_takeover_last_seconds{router=\"web\"} 1.412"}) {
        EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
    }
}

TEST(metrics, what_calls_for_a_person_is_0_or_1)
{
    fake_node node;
    const std::string route = "{router=\"web\",kind=\"route\",resource=\"172.16.1.100/32 in rtb-0a1b2c3d4e5f60718\"} ";
    const std::string peer = "{router=\"web\",peer=\"10.0.2.10\"} ";
    for (const bool bad : {false, true}) {
        auto r = sample_router("web");
        r.resources[0].duel = bad ? duel_state::held : duel_state::none;
        r.peers[0].inbound_blocked = bad;
        node.routers = {r};
        node.the_node.ec2_path = ec2_path_state{.works = !bad, .trouble = "", .age = std::nullopt};
        const auto text = scraped(node);
        const std::string is_bad = bad ? "1" : "0";
        EXPECT_TRUE(has_line(text, "vipd_resource_duel" + route + is_bad));
        EXPECT_TRUE(has_line(text, "vipd_peer_inbound_blocked" + peer + is_bad));
        EXPECT_TRUE(has_line(text, std::string("vipd_ec2_path_works ") + (bad ? "0" : "1")));
    }
}

TEST(metrics, a_priority_that_was_set_is_a_series_of_its_own)
{
    fake_node node;
    node.routers = {sample_router("web"), sample_router("other")};
    node.routers[0].runtime_priority = 180;
    const auto text = scraped(node);
    EXPECT_TRUE(has_line(text, "vipd_router_priority{router=\"web\"} 150"));
    EXPECT_TRUE(has_line(text, "vipd_router_runtime_priority{router=\"web\"} 180"));
    EXPECT_EQ(text.find("vipd_router_runtime_priority{router=\"other\"}"), std::string::npos);
}

TEST(metrics, the_sync_group_is_a_label_of_what_the_configuration_says)
{
    fake_node node;
    node.routers = {sample_router("front"), sample_router("web")};
    node.routers[0].sync_group = "firewall";
    const auto text = scraped(node);
    const auto info = [](const std::string& name, const std::string& group) {
        return "vipd_router_info{router=\"" + name +
               R"(",vrid="51",version="3",interface="ens5",source="10.0.1.10",sync_group=")" + group + "\"} 1";
    };
    EXPECT_TRUE(has_line(text, info("front", "firewall"))) << text;
    EXPECT_TRUE(has_line(text, info("web", ""))) << text;
}

TEST(metrics, each_drop_reason_is_counted_in_one_place)
{
    fake_node node;
    node.routers = {sample_router("web")};
    const auto text = scraped(node);
    for (std::size_t i = 0; i < vrrp::discard_reason_count; ++i) {
        const auto reason = std::string(vrrp::to_string(static_cast<vrrp::discard_reason>(i)));
        const bool of_node = text.find("vipd_node_adverts_dropped_total{reason=\"" + reason + "\"}") != std::string::npos;
        const bool of_router =
            text.find("vipd_router_adverts_dropped_total{router=\"web\",reason=\"" + reason + "\"}") != std::string::npos;
        EXPECT_NE(of_node, of_router) << reason;
    }
}

TEST(metrics, what_is_not_known_has_no_series_and_no_nan)
{
    fake_node node;
    node.the_node.aws.reset();
    node.routers.resize(1);
    node.routers[0].name = "new";
    node.routers[0].peers.resize(1);
    node.routers[0].resources.resize(1);
    const auto text = scraped(node);
    for (const auto* name : {"vipd_aws_", "vipd_peer_last_heard_seconds", "vipd_resource_confirmed_age_seconds",
                             "vipd_takeover_last_seconds", "vipd_router_active_priority", " Nan", " nan"}) {
        EXPECT_EQ(text.find(name), std::string::npos) << name;
    }
    EXPECT_TRUE(has_line(text, "vipd_router_active_known{router=\"new\"} 0"));
    expect_well_formed(text);
}

TEST(metrics, hostile_names_are_escaped_and_stay_text)
{
    fake_node node;
    node.routers = {sample_router(std::string(hostile))};
    node.the_node.ec2_calls = {{std::string(hostile), std::string(hostile), 1}};
    const auto text = scraped(node);
    expect_well_formed(text);
    EXPECT_NE(text.find("router=\"</td><script>alert(\\\"1\\\")</script>'&\\\\\\n\x01\xEF\xBF\xBD\xe2\x80\xae}\""),
              std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(metrics, same_resource_or_peer_twice_is_one_series)
{
    fake_node node;
    node.routers = {sample_router("web")};
    node.routers[0].resources.push_back(node.routers[0].resources[0]);
    node.routers[0].peers.push_back(node.routers[0].peers[0]);
    expect_well_formed(scraped(node));
}

TEST(metrics, series_of_a_route_keeps_its_name_when_that_of_its_table_becomes_known)
{
    fake_node node;
    node.routers = {sample_router("web")};
    const auto before = scraped(node);
    node.routers[0].resources[0].name += " (private-a)";
    EXPECT_EQ(scraped(node), before);
    node.routers[0].resources[0].table.clear();
    node.routers[0].resources[0].name = "172.16.1.100/32";
    EXPECT_NE(scraped(node).find("vipd_resource_owned{router=\"web\",kind=\"route\",resource=\"172.16.1.100/32\"}"),
              std::string::npos);
}

TEST(metrics, go_out_in_slices_of_bounded_size)
{
    fake_node node;
    for (int i = 0; i < 300; ++i) {
        node.routers.push_back(sample_router("r" + std::to_string(i)));
    }
    metrics_endpoint endpoint(node);
    auto got = endpoint.scrape(at({}));
    const auto body = draw(*std::get<std::unique_ptr<body_source>>(got), at({}));
    EXPECT_TRUE(body.ended);
    for (const auto& chunk : body.chunks) {
        // The item that reaches the bound is finished: a router's three histograms at most.
        EXPECT_LE(std::count(chunk.begin(), chunk.end(), '\n'), static_cast<std::ptrdiff_t>(2 * metrics_slice_lines));
    }
    expect_well_formed(body.text);
}

TEST(metrics, sample_takes_few_routers_in_a_turn)
{
    fake_node node;
    for (int i = 0; i < 1000; ++i) {
        node.routers.push_back(sample_router("r" + std::to_string(i)));
    }
    metrics_endpoint endpoint(node);
    auto got = endpoint.scrape(at({}));
    auto& body = *std::get<std::unique_ptr<body_source>>(got);
    for (;;) {
        const auto before = node.snapshots;
        const auto chunk = body.next(at({}));
        EXPECT_LE(node.snapshots - before, 16U);
        if (std::holds_alternative<finished>(chunk)) {
            break;
        }
    }
    EXPECT_EQ(node.snapshots, 1000U);
}

TEST(metrics, slices_make_the_same_text_whatever_their_number)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_in_trouble("b"), sample_backup("c")};
    EXPECT_EQ(scraped(node), scraped(node));
    const auto text = scraped(node);
    // Series stand in the routers' order, which is the configuration's.
    EXPECT_LT(text.find("vipd_router_epoch{router=\"a\"}"), text.find("vipd_router_epoch{router=\"b\"}"));
    EXPECT_LT(text.find("vipd_router_epoch{router=\"b\"}"), text.find("vipd_router_epoch{router=\"c\"}"));
}

TEST(metrics, stay_well_formed_when_routers_come_and_go_at_any_slice)
{
    for (std::size_t when = 0; when < 40; ++when) {
        fake_node node;
        for (int i = 0; i < 40; ++i) {
            node.routers.push_back(sample_router("r" + std::to_string(i)));
        }
        metrics_endpoint endpoint(node);
        auto got = endpoint.scrape(at({}));
        auto& body = *std::get<std::unique_ptr<body_source>>(got);
        std::string text;
        for (std::size_t i = 0;; ++i) {
            if (i == when) {
                node.erase_router(0);
                node.insert_router(20, sample_router("new"));
                node.insert_router(0, sample_router("r0"));
                node.erase_router(39);
            }
            auto chunk = body.next(at({}));
            if (std::holds_alternative<finished>(chunk)) {
                break;
            }
            if (const auto* piece = std::get_if<std::string>(&chunk)) {
                text += *piece;
            }
        }
        expect_well_formed(text);
        EXPECT_NE(text.find("vipd_router_epoch{router=\"r5\"}"), std::string::npos);
    }
}

TEST(metrics, small_text_is_given_again_within_a_tenth_of_a_second)
{
    fake_node node;
    node.routers = {sample_router("web")};
    metrics_endpoint endpoint(node);
    const auto first = text_of(endpoint.scrape(at(0s)), at(0s));
    const auto snapshots = node.snapshots;
    node.routers[0].epoch = 5;
    EXPECT_EQ(text_of(endpoint.scrape(at(100ms)), at(100ms)), first);
    EXPECT_EQ(node.snapshots, snapshots);
    const auto later = text_of(endpoint.scrape(at(101ms)), at(101ms));
    EXPECT_TRUE(has_line(later, "vipd_router_epoch{router=\"web\"} 5"));
}

TEST(metrics, text_of_a_slow_reader_does_not_replace_a_newer_one)
{
    fake_node node;
    node.routers = {sample_router("web")};
    metrics_endpoint endpoint(node);
    auto slow = endpoint.scrape(at(0s));
    auto& slow_body = *std::get<std::unique_ptr<body_source>>(slow);
    while (!std::holds_alternative<std::string>(slow_body.next(at(0s)))) {}
    node.routers[0].epoch = 9;
    const auto fast = text_of(endpoint.scrape(at(1s)), at(1s));
    draw(slow_body, at(1s));
    EXPECT_EQ(text_of(endpoint.scrape(at(1050ms)), at(1050ms)), fast);
}

TEST(metrics, large_text_is_not_kept)
{
    fake_node node;
    for (int i = 0; i < 20; ++i) {
        node.routers.push_back(sample_router("r" + std::to_string(i)));
    }
    metrics_endpoint endpoint(node);
    EXPECT_GT(text_of(endpoint.scrape(at({})), at({})).size(), metrics_cache_size_max);
    EXPECT_TRUE(std::holds_alternative<std::unique_ptr<body_source>>(endpoint.scrape(at({}))));
}

TEST(metrics, start_of_the_process_does_not_move_with_the_wall_clock)
{
    fake_node node;
    metrics_endpoint endpoint(node);
    const auto line = [](const std::string& text) {
        const auto from = text.find("\nprocess_start_time_seconds ");
        return text.substr(from, text.find('\n', from + 1) - from);
    };
    const auto first = text_of(endpoint.scrape(at(0s)), at(0s));
    instant later = at(10s);
    later.wall += 1h;
    node.the_node.uptime += 10s;
    EXPECT_EQ(line(text_of(endpoint.scrape(later), later)), line(first));
}

TEST(metrics, routers_in_all_samples_together_are_bounded)
{
    fake_node node;
    node.routers.assign(metrics_routers_sampled_max / 2, router{});
    metrics_endpoint endpoint(node);
    auto first = endpoint.scrape(at({}));
    auto second = endpoint.scrape(at({}));
    EXPECT_TRUE(std::holds_alternative<std::unique_ptr<body_source>>(second));
    EXPECT_TRUE(std::holds_alternative<metrics_endpoint::busy>(endpoint.scrape(at({}))));
    first = std::string{};
    EXPECT_TRUE(std::holds_alternative<std::unique_ptr<body_source>>(endpoint.scrape(at({}))));
}

TEST(metrics, one_scrape_is_let_in_however_many_routers_there_are)
{
    fake_node node;
    node.routers.assign(metrics_routers_sampled_max + 1, router{});
    metrics_endpoint endpoint(node);
    EXPECT_TRUE(std::holds_alternative<std::unique_ptr<body_source>>(endpoint.scrape(at({}))));
}

TEST(metrics, body_that_outlives_its_endpoint_still_ends)
{
    fake_node node;
    node.routers = {sample_router("web")};
    auto endpoint = std::make_unique<metrics_endpoint>(node);
    auto got = endpoint->scrape(at({}));
    endpoint.reset();
    EXPECT_TRUE(draw(*std::get<std::unique_ptr<body_source>>(got), at({})).ended);
}

TEST(metrics, policies_say_how_much_of_them_is_here_also_those_of_no_router)
{
    fake_node node;
    node.the_node.policies[0].parts->routes_here = 1;
    node.the_node.policies[0].state = resource_state::taking;
    auto r = sample_router("web");
    r.resources = {sample_policy()};
    node.routers = {r};
    const auto text = scraped(node);
    expect_well_formed(text);
    EXPECT_TRUE(has_line(text, R"(vipd_policy_parts{router="",resource="table 110",part="route"} 2)")) << text;
    EXPECT_TRUE(has_line(text, R"(vipd_policy_parts_here{router="",resource="table 110",part="route"} 1)"));
    EXPECT_TRUE(has_line(text, R"(vipd_policy_parts_here{router="web",resource="table 110",part="rule"} 1)"));
    EXPECT_TRUE(has_line(text, R"(vipd_resource_owned{router="",kind="policy",resource="table 110"} 0)"));
    EXPECT_TRUE(has_line(text, R"(vipd_resource_owned{router="web",kind="policy",resource="table 110"} 1)"));
}

}  // namespace
}  // namespace vipd::status::test
