#pragma once

// A configuration file with one router that is right, in which a test changes what it is about.

#include "agent/config/load.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::config::test {

// The router's keys, one a line behind line 1, "[[router]]".
inline const std::vector<std::string> router_lines = {
    R"(name = "a")",
    "vrid = 51",
    R"(interface = "ens5")",
    R"(peers = ["10.0.2.10"])",
    R"(advertised_addresses = ["172.16.1.100"])",
};

inline std::string key_of(std::string_view line)
{
    return std::string(line.substr(0, line.find(' ')));
}

// The router with these lines: one whose key is there already takes its place, others follow at line 7 and on.
inline std::string router_with(const std::vector<std::string>& changes)
{
    auto lines = router_lines;
    bool is_in_router = true;  // until a header begins another table
    for (const auto& change : changes) {
        is_in_router = is_in_router && !change.starts_with('[');
        const auto same_key = [&](const std::string& line) { return key_of(line) == key_of(change); };
        const auto replaced = is_in_router ? std::ranges::find_if(lines, same_key) : lines.end();
        if (replaced != lines.end()) {
            *replaced = change;
        } else {
            lines.push_back(change);
        }
    }
    std::string text = "[[router]]\n";
    for (const auto& line : lines) {
        text += line + "\n";
    }
    return text;
}

struct outcome {
    std::vector<std::string> errors;    // "2:8: router[0].name: ..."
    std::vector<std::string> warnings;  // likewise, when there is no error
    configuration value;                // when there is no error
};

// Every file holds a key, 32 bytes that its name chooses, unless it is called so.
inline result<vrrp::hmac_secret> read_key(const std::string& path)
{
    if (path.ends_with("bad")) {
        return error{error_class::denied, "has mode 0644"};
    }
    const std::vector<std::uint8_t> bytes(32, static_cast<std::uint8_t>(0x80 + path.back()));
    return vrrp::hmac_secret::from_file(bytes);
}

inline result<account> find_account(const std::string& user)
{
    if (user != "haproxy") {
        return error{error_class::not_found, "is no user of this machine"};
    }
    return account{user, 188, 188, {188, 4}};
}

// Every program is there, unless it is called so.
inline result<void> check_program(const std::string& path, const std::optional<account>& user)
{
    if (path.find("nowhere") != std::string::npos) {
        return error{error_class::not_found, "cannot be run: No such file or directory"};
    }
    if (path.ends_with("open")) {
        return error{error_class::denied, "has mode 0777 for " + (user ? user->name : std::string{"vipd"})};
    }
    return {};
}

inline outcome outcome_of(std::string_view text)
{
    const auto shown = [](const std::vector<finding>& findings) {
        std::vector<std::string> lines;
        for (const auto& f : findings) {
            lines.push_back(to_string(f, "f").substr(2));
        }
        return lines;
    };
    const auto result = load(text, "f", {read_key, find_account, check_program});
    if (const auto* errors = std::get_if<std::vector<finding>>(&result)) {
        return {shown(*errors), {}, {}};
    }
    const auto& good = std::get<loaded>(result);
    return {{}, shown(good.warnings), good.value};
}

}  // namespace vipd::config::test
