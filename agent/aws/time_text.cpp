#include "agent/aws/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::aws {

namespace {

// Takes characters from the front of a text; after the first that does not fit, everything fails.
class scanner {
public:
    explicit scanner(std::string_view text) : rest_(text) {}

    int number(std::size_t digits)
    {
        int value = 0;
        if (rest_.size() < digits) {
            failed_ = true;
            return 0;
        }
        for (const char c : rest_.substr(0, digits)) {
            failed_ = failed_ || c < '0' || c > '9';
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }

    void expect(std::string_view text)
    {
        if (!rest_.starts_with(text)) {
            failed_ = true;
            return;
        }
        rest_.remove_prefix(text.size());
    }

    std::string_view take(std::size_t count)
    {
        if (rest_.size() < count) {
            failed_ = true;
            return {};
        }
        const auto text = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return text;
    }

    [[nodiscard]] bool next_is(char c) const { return rest_.starts_with(c); }
    [[nodiscard]] bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool finished() const { return !failed_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

// The years are bounded so that nanoseconds fit into 64 bits with room for arithmetic.
std::optional<wall_time> combine(int year, unsigned month, int day, int hour, int minute, int second)
{
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1970 || year > 2200 || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

// " Jan 2026 00:00:00 GMT", and nothing after it.
std::optional<wall_time> finish_date(scanner& in, int day)
{
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    in.expect(" ");
    const auto* const month = std::ranges::find(months, in.take(3));
    in.expect(" ");
    const int year = in.number(4);
    in.expect(" ");
    const int hour = in.number(2);
    in.expect(":");
    const int minute = in.number(2);
    in.expect(":");
    const int second = in.number(2);
    in.expect(" GMT");
    if (!in.finished() || month == months.end()) {
        return std::nullopt;
    }
    return combine(year, static_cast<unsigned>(month - months.begin()) + 1, day, hour, minute, second);
}

}  // namespace

std::optional<wall_time> parse_http_date(std::string_view text)
{
    constexpr std::array<std::string_view, 7> days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    scanner in{text};
    const bool has_day = std::ranges::find(days, in.take(3)) != days.end();
    in.expect(", ");
    const int day = in.number(2);
    return has_day ? finish_date(in, day) : std::nullopt;
}

std::optional<wall_time> parse_event_date(std::string_view text)
{
    scanner in{text};
    const bool has_one_digit = text.find(' ') == 1;
    const int day = in.number(has_one_digit ? 1 : 2);
    return finish_date(in, day);
}

std::optional<wall_time> parse_iso8601(std::string_view text)
{
    scanner in{text};
    const int year = in.number(4);
    in.expect("-");
    const int month = in.number(2);
    in.expect("-");
    const int day = in.number(2);
    in.expect("T");
    const int hour = in.number(2);
    in.expect(":");
    const int minute = in.number(2);
    in.expect(":");
    const int second = in.number(2);
    if (in.next_is('.')) {
        in.expect(".");
        in.number(1);
        while (in.next_is_digit()) {
            in.number(1);
        }
    }
    std::chrono::minutes offset{0};
    if (in.next_is('+') || in.next_is('-')) {
        const bool behind = in.take(1) == "-";
        offset = std::chrono::hours{in.number(2)};
        in.expect(":");
        offset += std::chrono::minutes{in.number(2)};
        offset = behind ? -offset : offset;
    } else {
        in.expect("Z");
    }
    if (!in.finished()) {
        return std::nullopt;
    }
    const auto local = combine(year, static_cast<unsigned>(month), day, hour, minute, second);
    if (!local) {
        return std::nullopt;
    }
    return *local - offset;
}

std::string format_iso8601(wall_time time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

}  // namespace vipd::aws
