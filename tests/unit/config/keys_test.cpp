#include "agent/config/keys.hpp"

#include "agent/config/fields.hpp"
#include "agent/config/reference.hpp"
#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace vipd::config::test {
namespace {

// A file in which `line` stands in the section, at the line that is returned.
std::pair<std::string, unsigned> file_with(std::string_view section, const std::string& line)
{
    const std::string router = router_with({});
    if (section.empty()) {
        return {line + "\n" + (line.starts_with("router ") ? "" : router), 1};
    }
    if (section == "aws" || section == "http" || section == "log" || section == "notices") {
        return {"[" + std::string(section) + "]\n" + line + "\n" + router, 2};
    }
    if (section == "sync_group") {
        return {"[[sync_group]]\n" + line + "\n" + router_with({}), 2};
    }
    if (section == "router") {
        return {"[[router]]\n" + line + "\n", 2};
    }
    if (section == "router.peers") {
        return {"[[router]]\npeers = [{ " + line + " }]\n", 2};
    }
    if (section == "router.route.tables") {
        return {"[[router]]\n[[router.route]]\n[router.route.tables]\n" + line + "\n", 4};
    }
    if (section == "router.eni.match") {
        return {"[[router]]\n[[router.eni]]\n[router.eni.match]\n" + line + "\n", 4};
    }
    if (section == "router.auth") {
        return {"[[router]]\n[router.auth]\n" + line + "\n", 3};
    }
    if (section == "router.auth.keys") {
        return {"[[router]]\n[router.auth]\nkeys = [{ " + line + " }]\n", 3};
    }
    if (section == "router.announce") {
        return {"[[router]]\n[router.announce]\n" + line + "\n", 3};
    }
    if (section == "router.hooks") {
        return {"[[router]]\n[router.hooks]\n" + line + "\n", 3};
    }
    if (section == "policy") {
        return {"[[policy]]\n" + line + "\n" + router_with({}), 2};
    }
    if (section == "policy.rules" || section == "policy.routes") {
        const auto list = std::string(section.substr(section.find('.') + 1));
        return {"[[policy]]\ntable = 100\n" + list + " = [{ " + line + " }]\n" + router_with({}), 3};
    }
    return {"[[router]]\n[[" + std::string(section) + "]]\n" + line + "\n", 3};
}

TEST(keys, every_key_is_read_under_its_own_rule)
{
    for (const auto& k : keys()) {
        // No key takes a date.
        const auto [text, line] = file_with(k.section, std::string(k.name) + " = 2026-01-01");
        const auto errors = outcome_of(text).errors;
        const auto prefix = std::to_string(line) + ":";
        const auto said = std::ranges::find_if(errors, [&](const std::string& error) {
            return error.starts_with(prefix) &&
                   error.find(std::string(k.name) + (k.is_refused() ? ": is not" : ": found ")) != std::string::npos;
        });
        EXPECT_NE(said, errors.end()) << text;
    }
}

TEST(keys, every_name_is_there_once_and_has_a_sentence)
{
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const auto& k : keys()) {
        EXPECT_TRUE(seen.insert({k.section, k.name}).second) << k.name;
        EXPECT_EQ(find_key(k.section, k.name), &k);
        EXPECT_TRUE(k.is_refused() || k.help.ends_with('.')) << k.name;
        EXPECT_FALSE(allowed_text(k).empty());
    }
}

TEST(keys, the_ends_of_a_range_fit_into_the_member)
{
    const auto check = [](auto section) {
        visit_fields(
            [&](std::string_view name, auto& field) {
                using value = std::decay_t<decltype(field)>;
                const auto* const k = find_key(section_name<decltype(section)>(), name);
                ASSERT_NE(k, nullptr) << name;
                if constexpr (std::is_integral_v<value> && !std::is_same_v<value, bool>) {
                    const auto& rule = std::get<integer_rule>(k->rule);
                    EXPECT_TRUE(std::in_range<value>(rule.low)) << name;
                    EXPECT_TRUE(std::in_range<value>(rule.high)) << name;
                    EXPECT_TRUE(std::cmp_greater_equal(field, rule.low) && std::cmp_less_equal(field, rule.high)) << name;
                } else if constexpr (std::is_same_v<value, duration>) {
                    const auto& rule = std::get<duration_rule>(k->rule);
                    EXPECT_TRUE(field >= rule.low && field <= rule.high) << name;
                }
            },
            section);
    };
    check(configuration{});
    check(aws_section{});
    check(http_section{});
    check(log_section{});
    check(router{});
    check(vrrp::peer_rule{});
    check(address_entry{});
    check(route_entry{});
    check(table_selection{});
    check(auth_section{});
    check(auth_key_section{});
    check(hooks_section{});
    check(track_section{});
}

TEST(keys, the_reference_has_one_line_for_every_key)
{
    std::map<std::string, unsigned> lines;
    std::istringstream text(reference());
    std::string heading;
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with("### ")) {
            heading = line.substr(4);
            std::erase(heading, '`');
        } else if (line.starts_with("| `")) {
            ++lines[heading + " " + line.substr(3, line.find('`', 3) - 3)];
        }
    }
    std::size_t expected = 0;
    for (const auto& k : keys()) {
        if (!k.is_refused()) {
            ++expected;
            EXPECT_EQ(lines[std::string(header_of(k.section)) + " " + std::string(k.name)], 1U) << k.name;
        }
    }
    EXPECT_EQ(lines.size(), expected);
}

TEST(keys, the_reference_shows_the_defaults_of_the_structs)
{
    const auto text = reference();
    EXPECT_NE(
        text.find(
            "| `priority` | The highest priority becomes Active; 255 needs `address_owner`. | a whole number from 1 to 255 "
            "| `100` |\n"),
        std::string::npos);
    EXPECT_NE(text.find("| \"rfc5798\" or \"rfc9568\" | `\"rfc5798\"` |\n"), std::string::npos);
    EXPECT_NE(text.find("| a duration from 1s to 1h | `\"10s\"` |\n"), std::string::npos);
    EXPECT_NE(
        text.find(
            "those of [[router.address]], then those of [[router.secondary_ip]], then the host routes of [[router.route]]"),
        std::string::npos);
    EXPECT_NE(
        text.find(
            "| `name` | What this router is called in status, metrics, logs and commands; unique in the file. | 1 to 64 of "
            "the characters A-Z a-z 0-9 . _ - | required |\n"),
        std::string::npos);
}

}  // namespace
}  // namespace vipd::config::test
