#include "agent/cli/doctor_report.hpp"

#include "agent/config/text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace vipd::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t line_columns_max = 140;
constexpr std::size_t check_columns_max = 32;  // a longer name pushes what is behind it
constexpr std::size_t text_bytes_max = 2000;

// What EC2 or a file says must not redraw the reader's terminal.
std::string shown(const std::string& text)
{
    return config::printable(text, text_bytes_max);
}

std::string line_of(const doctor::finding& one, std::size_t check_width)
{
    auto line =
        fmt::format("  {:<7}  {:<{}}  {}", doctor::to_string(one.what), shown(one.check), check_width, shown(one.found));
    if (!one.remedy.empty()) {
        const auto remedy = shown(one.remedy);
        const bool fits = line.size() + 3 + remedy.size() <= line_columns_max;
        line += fits ? fmt::format(" -> {}", remedy) : fmt::format("\n           -> {}", remedy);
    }
    return line + "\n";
}

struct tally {
    std::size_t ok = 0, warnings = 0, failed = 0, skipped = 0;
};

tally count(const doctor::report& report)
{
    tally counts;
    for (const auto& part : report) {
        for (const auto& one : part.findings) {
            switch (one.what) {
                case doctor::verdict::ok:
                    ++counts.ok;
                    break;
                case doctor::verdict::warn:
                    ++counts.warnings;
                    break;
                case doctor::verdict::fail:
                    ++counts.failed;
                    break;
                case doctor::verdict::skipped:
                    ++counts.skipped;
                    break;
            }
        }
    }
    return counts;
}

std::string as_text(const doctor::report& report, const tally& counts)
{
    std::string text;
    for (const auto& part : report) {
        std::size_t width = 0;
        for (const auto& one : part.findings) {
            width = std::max(width, std::min(shown(one.check).size(), check_columns_max));
        }
        text += shown(part.name) + "\n";
        for (const auto& one : part.findings) {
            text += line_of(one, width);
        }
    }
    return text + fmt::format("{} ok, {} warning{}, {} failed, {} skipped\n", counts.ok, counts.warnings,
                              counts.warnings == 1 ? "" : "s", counts.failed, counts.skipped);
}

std::string as_json_text(const doctor::report& report, const tally& counts)
{
    json::array sections;
    for (const auto& part : report) {
        json::array findings;
        for (const auto& one : part.findings) {
            const auto verdict = doctor::to_string(one.what);
            findings.push_back(
                json::object{{"verdict", one.what == doctor::verdict::fail ? "fail" : json::string_view(verdict)},
                             {"check", shown(one.check)},
                             {"found", shown(one.found)},
                             {"remedy", shown(one.remedy)}});
        }
        sections.push_back(json::object{{"name", shown(part.name)}, {"findings", std::move(findings)}});
    }
    return json::serialize(json::object{{"sections", std::move(sections)},
                                        {"ok", counts.ok},
                                        {"warnings", counts.warnings},
                                        {"failed", counts.failed},
                                        {"skipped", counts.skipped}}) +
           "\n";
}

}  // namespace

printed doctor_report(const doctor::report& report, bool as_json)
{
    const auto counts = count(report);
    return {as_json ? as_json_text(report, counts) : as_text(report, counts), "",
            counts.failed == 0 ? exit_success : exit_failure};
}

}  // namespace vipd::cli
