#include "tests/sim/campaign.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <fstream>
#include <map>

namespace vipd::sim {

namespace {

constexpr const char* violated_by = "violated_by_seed";

// Each number of a campaign, by the name that it has in the file.
template <class Campaign>
auto numbers(Campaign& c)
{
    return std::map<std::string, decltype(&c.first_seed)>{
        {"first_seed", &c.first_seed},
        {"next_seed", &c.next_seed},
        {"fingerprint", &c.fingerprint},
        {"faults", &c.faults},
        {"events", &c.events},
        {"transitions", &c.transitions},
        {"mutating_calls", &c.mutating_calls},
        {"simulated_seconds", &c.simulated_seconds},
        {"processor_milliseconds", &c.processor_milliseconds},
        {"usual_simulated_seconds", &c.usual_simulated_seconds},
        {"usual_processor_microseconds", &c.usual_processor_microseconds},
    };
}

}  // namespace

void campaign::add(const trial_result& r)
{
    if (next_seed - first_seed < fingerprinted_max) {
        fingerprint = (fingerprint ^ r.fingerprint) * 0x9e3779b97f4a7c15ULL;
    }
    if (r.wrong) {
        violated.push_back(next_seed);
    }
    ++next_seed;
    faults += r.faults;
    events += r.events;
    transitions += r.transitions;
    mutating_calls += r.mutating_calls;
    simulated_seconds += static_cast<std::uint64_t>(to_seconds(r.simulated));
    situations.add(r.situations);
    add_measured(r.measured);
}

void campaign::add_usual(const trial_result& r, double processor_seconds)
{
    usual_simulated_seconds += static_cast<std::uint64_t>(to_seconds(r.simulated));
    usual_processor_microseconds += static_cast<std::uint64_t>(1e6 * processor_seconds);
}

void campaign::add(const campaign& other)
{
    added += other.schedules();
    faults += other.faults;
    events += other.events;
    transitions += other.transitions;
    mutating_calls += other.mutating_calls;
    violated.insert(violated.end(), other.violated.begin(), other.violated.end());
    simulated_seconds += other.simulated_seconds;
    processor_milliseconds += other.processor_milliseconds;
    usual_simulated_seconds += other.usual_simulated_seconds;
    usual_processor_microseconds += other.usual_processor_microseconds;
    situations.add(other.situations);
    add_measured(other.measured);
}

void campaign::add_measured(const cluster::all_measured& more)
{
    for (std::size_t i = 0; i < measure_count; ++i) {
        measured[i].add(more[i]);
    }
}

std::string campaign::to_string() const
{
    const auto real = 1e-3 * static_cast<double>(processor_milliseconds);
    auto text = fmt::format(
        "{} schedules, {} faults, {:.1f} simulated days, {:.3g} events, {} transitions, {} mutating calls\n", schedules(),
        faults, static_cast<double>(simulated_seconds) / 86400.0, static_cast<double>(events), transitions, mutating_calls);
    if (real > 0.0 && schedules() > 0) {
        text += fmt::format("{:.1f} s of processor time: {:.0f} times real time, {:.2f} ms for each schedule\n", real,
                            static_cast<double>(simulated_seconds) / real, 1000.0 * real / static_cast<double>(schedules()));
    }
    if (usual_processor_microseconds > 0) {
        text +=
            fmt::format("three machines, one route, an advert a second: {:.0f} times real time\n",
                        1e6 * static_cast<double>(usual_simulated_seconds) / static_cast<double>(usual_processor_microseconds));
    }
    for (std::size_t i = 0; i < situation_count; ++i) {
        const auto s = static_cast<situation>(i);
        text += fmt::format("  {:9} x {}\n", situations.of(s), sim::to_string(s));
    }
    text += "with an advert a second, of which three may be missed:\n";
    for (std::size_t i = 0; i < measure_count; ++i) {
        const auto& m = measured[i];
        if (m.count() > 0) {
            text += fmt::format("  {:31} {:9} times, p50 {:8.3f}, p99 {:8.3f}, max {:8.3f} s\n",
                                sim::to_string(static_cast<measure>(i)), m.count(), to_seconds(m.quantile(0.5)),
                                to_seconds(m.quantile(0.99)), to_seconds(m.max()));
        }
    }
    const auto seeds = violated.empty() ? std::string{} : fmt::format(", of seeds {}", fmt::join(violated, ", "));
    return text + fmt::format("{} violations{}\n", violated.size(), seeds);
}

campaign beginning_at(std::uint64_t seed)
{
    campaign c;
    c.first_seed = c.next_seed = seed;
    return c;
}

result<campaign> read_campaign(const std::string& path, std::uint64_t first_seed)
{
    auto c = beginning_at(first_seed);
    std::ifstream in{path};
    if (!in) {
        return c;
    }
    const auto known = numbers(c);
    for (std::string line; std::getline(in, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) {
            return error{error_class::malformed, fmt::format("{}: '{}' is not NAME=NUMBER", path, line)};
        }
        const auto name = line.substr(0, equals);
        const auto value = std::strtoull(line.c_str() + equals + 1, nullptr, 10);
        if (name == violated_by) {
            c.violated.push_back(value);
        }
        if (const auto number = known.find(name); number != known.end()) {
            *number->second = value;
            continue;
        }
        for (std::size_t i = 0; i < situation_count; ++i) {
            if (name == to_string(static_cast<situation>(i))) {
                c.situations.set(static_cast<situation>(i), value);
            }
        }
        for (std::size_t i = 0; i < measure_count; ++i) {
            const auto parsed = durations::parse(line.substr(equals + 1));
            if (name == sim::to_string(static_cast<measure>(i)) && parsed) {
                c.measured[i] = *parsed;
            }
        }
    }
    return c;
}

result<void> write_campaign(const std::string& path, const campaign& c)
{
    const auto unfinished = path + ".new";
    {
        std::ofstream out{unfinished, std::ios::trunc};
        for (const auto& [name, number] : numbers(c)) {
            out << name << '=' << *number << '\n';
        }
        for (const auto seed : c.violated) {
            out << violated_by << '=' << seed << '\n';
        }
        for (std::size_t i = 0; i < situation_count; ++i) {
            const auto s = static_cast<situation>(i);
            out << to_string(s) << '=' << c.situations.of(s) << '\n';
        }
        for (std::size_t i = 0; i < measure_count; ++i) {
            out << to_string(static_cast<measure>(i)) << '=' << c.measured[i].to_string() << '\n';
        }
        if (!out) {
            return error{error_class::unavailable, unfinished + " could not be written"};
        }
    }
    if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
        return error{error_class::unavailable, path + " could not be replaced"};
    }
    return {};
}

}  // namespace vipd::sim
