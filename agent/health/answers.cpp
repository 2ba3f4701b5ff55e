#include "agent/health/answers.hpp"

#include "agent/config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vipd::health {

namespace {

constexpr std::string_view white_space = " \t\r\n";
constexpr std::size_t said_bytes_max = 200;

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(white_space);
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

std::string allowed_codes(const config::http_check& what)
{
    std::string text;
    for (const auto& range : what.status) {
        text += text.empty() ? "" : ", ";
        text += range.first == range.last ? std::to_string(range.first) : fmt::format("{}-{}", range.first, range.last);
    }
    return text;
}

}  // namespace

probe_ended file_answer(check_id id, const result<std::string>& content)
{
    if (!content && content.error().kind == error_class::not_found) {
        return {id, probe_outcome::passed, "", 0, false};
    }
    if (!content) {
        return {id, probe_outcome::failed, content.error().text, 0, false};
    }
    const auto text = trimmed(*content);
    if (text.empty()) {
        return {id, probe_outcome::passed, "", 0, false};
    }
    const auto digits = text.substr(text.starts_with('+') ? 1 : 0);
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failed != std::errc{} || end != digits.data() + digits.size()) {
        return {id, probe_outcome::failed,
                fmt::format("it says {}; allowed is a whole number, such as 0 or -50", config::in_quotes(text)), 0, false};
    }
    return {id, probe_outcome::passed, "", number, false};
}

probe_ended http_answer(check_id id, const config::http_check& what, unsigned status)
{
    const bool is_allowed = std::ranges::any_of(
        what.status, [&](const config::status_range& range) { return status >= range.first && status <= range.last; });
    return is_allowed ? probe_ended{id, probe_outcome::passed, "", 0, false}
                      : probe_ended{id, probe_outcome::failed,
                                    fmt::format("the answer is {}; well are {}", status, allowed_codes(what)), 0, false};
}

probe_ended program_answer(check_id id, const hooks::process_ended& end, std::string_view said)
{
    if (end.how == hooks::process_end::exited && end.code == 0) {
        return {id, probe_outcome::passed, "", 0, false};
    }
    auto text = end.how == hooks::process_end::not_started ? "it was not started: " + end.why
                : end.how == hooks::process_end::exited    ? fmt::format("exit status {}", end.code)
                                                           : fmt::format("ended by signal {}", end.code);
    const auto line = trimmed(said.substr(0, said.find('\n')));
    if (!line.empty()) {
        text += ": " + config::printable(line, said_bytes_max);
    }
    return {id, probe_outcome::failed, std::move(text), 0, false};
}

}  // namespace vipd::health
