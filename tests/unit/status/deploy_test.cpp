// The alert rules and the dashboard name series; a series that is not exported makes an alert that never fires.

#include "agent/status/attention.hpp"
#include "agent/status/metrics_table.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace vipd::status {
namespace {

std::string file(const std::string& path)
{
    std::ifstream in(std::string(TEST_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(in) << path;
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Every word that begins with vipd_ or process_.
std::set<std::string> series_named_in(const std::string& text)
{
    std::set<std::string> out;
    for (std::size_t i = 0; i < text.size();) {
        if (!is_name(text[i])) {
            ++i;
            continue;
        }
        const auto end = static_cast<std::size_t>(
            std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_name) - text.begin());
        const auto word = text.substr(i, end - i);
        if (word.starts_with("vipd_") || word.starts_with("process_")) {
            out.insert(word);
        }
        i = end;
    }
    return out;
}

bool is_exported(const std::string& name)
{
    return std::any_of(metrics_table().begin(), metrics_table().end(), [&](const metric& row) {
        if (row.type != metric_type::histogram) {
            return row.name == name;
        }
        const std::string base(row.name);
        return name == base + "_bucket" || name == base + "_sum" || name == base + "_count";
    });
}

void expect_exported(const std::string& path, std::size_t at_least)
{
    const auto names = series_named_in(file(path));
    EXPECT_GE(names.size(), at_least) << path;
    for (const auto& name : names) {
        EXPECT_TRUE(is_exported(name)) << path << " names " << name << ", which is not in the table of metrics";
    }
}

TEST(deploy, alert_rules_name_only_series_that_are_exported)
{
    expect_exported("deploy/prometheus/vipd.rules.yml", 20);
    expect_exported("deploy/prometheus/vipd.rules.test.yml", 20);
}

TEST(deploy, dashboard_names_only_series_that_are_exported)
{
    expect_exported("deploy/grafana/vipd.json", 20);
}

TEST(deploy, every_alert_has_a_test)
{
    const auto rules = file("deploy/prometheus/vipd.rules.yml");
    const auto tests = file("deploy/prometheus/vipd.rules.test.yml");
    std::size_t alerts = 0;
    constexpr std::string_view mark = "- alert: ";
    for (auto i = rules.find(mark); i != std::string::npos; i = rules.find(mark, i + 1)) {
        const auto name = rules.substr(i + mark.size(), rules.find('\n', i) - i - mark.size());
        EXPECT_NE(tests.find("alertname: " + name + "\n"), std::string::npos) << name;
        ++alerts;
    }
    EXPECT_GE(alerts, 20U);
}

TEST(deploy, the_alert_of_what_is_not_confirmed_expects_what_status_does)
{
    const auto rules = file("deploy/prometheus/vipd.rules.yml");
    const auto begin = rules.find("- alert: VipdResourceNotConfirmed\n");
    ASSERT_NE(begin, std::string::npos);
    const auto alert = rules.substr(begin, rules.find("- alert: ", begin + 1) - begin);
    const auto seconds = [](duration d) { return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count()); };
    EXPECT_NE(alert.find("} > " + seconds(confirmed_age_expected) + "\n"), std::string::npos) << alert;
    const auto longest = seconds(config::reconcile_period_expected) + " s";
    EXPECT_NE(alert.find("above " + longest), std::string::npos) << alert;
    EXPECT_NE(file("README.md").find("beyond " + longest), std::string::npos);
    EXPECT_EQ(alert.find("every 10 s"), std::string::npos) << "the period is the configuration's to say";
}

TEST(deploy, dashboard_s_panels_have_distinct_ids_and_do_not_overlap)
{
    boost::system::error_code failure;
    const auto dashboard = boost::json::parse(file("deploy/grafana/vipd.json"), failure);
    ASSERT_FALSE(failure) << failure.message();
    std::set<std::int64_t> ids;
    std::set<std::pair<std::int64_t, std::int64_t>> cells;
    for (const auto& panel : dashboard.at("panels").as_array()) {
        EXPECT_TRUE(ids.insert(panel.at("id").to_number<std::int64_t>()).second);
        const auto& place = panel.at("gridPos");
        const auto number = [&](std::string_view name) { return place.at(name).to_number<std::int64_t>(); };
        for (auto x = number("x"); x < number("x") + number("w"); ++x) {
            for (auto y = number("y"); y < number("y") + number("h"); ++y) {
                EXPECT_TRUE(cells.emplace(x, y).second) << panel.at("title");
                EXPECT_LT(x, 24);
            }
        }
    }
}

}  // namespace
}  // namespace vipd::status
