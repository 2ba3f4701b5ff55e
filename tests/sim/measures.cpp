#include "tests/sim/measures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <sstream>

namespace vipd::sim {

namespace {

// Of each power of two.
constexpr unsigned steps = 16;
constexpr unsigned step_bits = 4;

}  // namespace

std::string_view to_string(measure m)
{
    constexpr std::array<std::string_view, measure_count> names = {
        "crash to another Active",         "crash to all routes moved",    "stop to another Active",
        "stop to all routes moved",        "mended to one Active",         "mended to all routes right",
        "route changed by hand to repair", "EC2 back to all routes right", "healed to all as it should be",
    };
    return names.at(static_cast<std::size_t>(m));
}

std::size_t durations::place_of(duration d)
{
    const auto n = static_cast<std::uint64_t>(std::max<duration::rep>(d.count(), 0));
    if (n < steps) {
        return n;
    }
    const auto power = static_cast<unsigned>(std::bit_width(n)) - 1;
    return (power - step_bits + 1) * steps + ((n >> (power - step_bits)) & (steps - 1));
}

duration durations::upper_edge(std::size_t place)
{
    if (place < steps) {
        return duration{static_cast<duration::rep>(place)};
    }
    const auto power = place / steps + step_bits - 1;
    const auto step = std::uint64_t{1} << (power - step_bits);
    return duration{static_cast<duration::rep>((std::uint64_t{1} << power) + (place % steps + 1) * step - 1)};
}

void durations::add(duration d)
{
    ++counts_[place_of(d)];
    max_ = std::max(max_, d);
}

void durations::add(const durations& other)
{
    for (std::size_t i = 0; i < places; ++i) {
        counts_[i] += other.counts_[i];
    }
    max_ = std::max(max_, other.max_);
}

std::uint64_t durations::count() const
{
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

duration durations::quantile(double share) const
{
    const auto wanted = share * static_cast<double>(count());
    double passed = 0.0;
    for (std::size_t i = 0; i < places; ++i) {
        passed += counts_[i];
        if (counts_[i] > 0 && passed >= wanted) {
            return std::min(upper_edge(i), max_);
        }
    }
    return max_;
}

std::string durations::to_string() const
{
    auto text = std::to_string(max_.count());
    for (std::size_t i = 0; i < places; ++i) {
        if (counts_[i] > 0) {
            text += fmt::format(" {}:{}", i, counts_[i]);
        }
    }
    return text;
}

std::optional<durations> durations::parse(std::string_view text)
{
    durations d;
    std::istringstream in{std::string(text)};
    duration::rep max = 0;
    if (!(in >> max)) {
        return std::nullopt;
    }
    d.max_ = duration{max};
    std::size_t place = 0;
    std::uint32_t count = 0;
    for (char colon = 0; in >> place >> colon >> count;) {
        if (place >= places || colon != ':') {
            return std::nullopt;
        }
        d.counts_[place] = count;
    }
    return in.eof() ? std::optional{d} : std::nullopt;
}

}  // namespace vipd::sim
