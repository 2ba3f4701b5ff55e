#include "tests/cloud/wire_time.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace vipd::cloud {

namespace {

struct calendar {
    std::chrono::year_month_day day;
    std::chrono::weekday weekday;
    std::chrono::hh_mm_ss<std::chrono::seconds> time;
};

calendar read(wall_time time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    return {std::chrono::year_month_day{day}, std::chrono::weekday{day}, std::chrono::hh_mm_ss{seconds - day}};
}

}  // namespace

std::string iso_time(wall_time time)
{
    const auto c = read(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(c.day.year()),
                       static_cast<unsigned>(c.day.month()), static_cast<unsigned>(c.day.day()), c.time.hours().count(),
                       c.time.minutes().count(), c.time.seconds().count());
}

std::string http_date(wall_time time)
{
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto c = read(time);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days.at(c.weekday.c_encoding()),
                       static_cast<unsigned>(c.day.day()), months.at(static_cast<unsigned>(c.day.month()) - 1),
                       static_cast<int>(c.day.year()), c.time.hours().count(), c.time.minutes().count(),
                       c.time.seconds().count());
}

}  // namespace vipd::cloud
