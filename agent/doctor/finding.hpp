#pragma once

// What one check has come to, as a value. A finding that is not ok says in its remedy what to do about it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::doctor {

enum class verdict : std::uint8_t {
    ok,
    warn,     // it works, or may; somebody should know
    fail,     // a takeover would not work
    skipped,  // it could not be looked at; `found` says why
};

constexpr std::string_view to_string(verdict v)
{
    switch (v) {
        case verdict::ok:
            return "ok";
        case verdict::warn:
            return "warn";
        case verdict::fail:
            return "FAIL";
        case verdict::skipped:
            return "skipped";
    }
    return "unknown";
}

struct finding {
    verdict what = verdict::ok;
    std::string check;   // "clock", "route 172.16.1.100/32"
    std::string found;   // what is there, and where
    std::string remedy;  // empty when there is nothing to do
    friend bool operator==(const finding&, const finding&) = default;
};

// Of the node, of AWS, or of one router.
struct section {
    std::string name;
    std::vector<finding> findings;

    void ok(std::string check, std::string found) { add(verdict::ok, std::move(check), std::move(found), {}); }
    void warn(std::string check, std::string found, std::string remedy)
    {
        add(verdict::warn, std::move(check), std::move(found), std::move(remedy));
    }
    void fail(std::string check, std::string found, std::string remedy)
    {
        add(verdict::fail, std::move(check), std::move(found), std::move(remedy));
    }
    void skip(std::string check, std::string why, std::string remedy = {})
    {
        add(verdict::skipped, std::move(check), std::move(why), std::move(remedy));
    }
    void add(verdict what, std::string check, std::string found, std::string remedy)
    {
        findings.push_back({what, std::move(check), std::move(found), std::move(remedy)});
    }
};

using report = std::vector<section>;

inline bool has_failed(const report& all)
{
    for (const auto& part : all) {
        for (const auto& one : part.findings) {
            if (one.what == verdict::fail) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace vipd::doctor
