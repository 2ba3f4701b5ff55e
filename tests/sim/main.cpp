// cluster_sim: schedules by the thousand, from seeds. `cluster_sim --help` says how.

#include "tests/sim/campaign.hpp"
#include "tests/sim/trial.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace vipd;
using namespace vipd::sim;

// What to type to see it again, also when the process dies of it.
std::array<char, 256> reproduction{};

void remember(std::uint64_t seed)
{
    const auto end = fmt::format_to_n(reproduction.data(), reproduction.size() - 1,
                                      "\nreproduce with: cluster_sim --seed {} --tell\n", seed);
    *end.out = '\0';
}

void on_crash(int signal)
{
    [[maybe_unused]] const auto written =
        ::write(STDERR_FILENO, reproduction.data(), std::char_traits<char>::length(reproduction.data()));
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void print_plan(const trial_plan& plan, const places& kept)
{
    fmt::print("seed {}, faults for {} min\n{}", plan.seed, to_seconds(plan.fault_length) / 60.0, plan.options.to_string());
    for (const auto place : kept) {
        fmt::print("  {:3} {}\n", place, to_string(plan.faults.at(place)));
    }
}

double processor_seconds()
{
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

places parse_places(const std::string& text)
{
    places found;
    std::size_t begin = 0;
    while (text != "none" && begin < text.size()) {
        const auto end = std::min(text.find(',', begin), text.size());
        found.push_back(std::stoul(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return found;
}

// The seeds of schedules that once broke something: each line begins with one, the rest says what it was.
std::vector<std::uint64_t> read_seeds(const std::string& file)
{
    std::vector<std::uint64_t> seeds;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.front() >= '0' && line.front() <= '9') {
            seeds.push_back(std::stoull(line));
        }
    }
    return seeds;
}

volatile std::sig_atomic_t asked_to_stop = 0;

struct wishes {
    std::uint64_t seed = 1;
    std::uint64_t runs = 1;
    std::string kept;
    std::string seeds_file;
    std::string campaign_file;
    std::vector<std::string> sums;
    bool tell = false;
    bool twice = false;
    bool no_shrink = false;
    std::uint64_t violations_max = 1;
};

// What to type to see again what was wrong; nothing when all was well.
std::optional<std::string> run_one(std::uint64_t seed, const wishes& w, campaign& all)
{
    remember(seed);
    const auto plan = draw_plan(seed);
    auto kept = w.kept.empty() ? all_places(plan) : parse_places(w.kept);
    if (w.tell || w.runs == 1) {
        print_plan(plan, kept);
    }
    const auto reduced = keep(plan, kept);
    const auto began = processor_seconds();
    const auto result =
        w.tell ? run_trial(reduced, [](const std::string& line) { fmt::print("{}\n", line); }) : run_trial(reduced);
    all.add(result);
    if (is_usual(plan.options)) {
        all.add_usual(result, processor_seconds() - began);
    }
    if (w.twice && run_trial(reduced).fingerprint != result.fingerprint) {
        fmt::print("VIOLATION: the same seed gave two histories\n");
        return fmt::format("cluster_sim --seed {} --twice", seed);
    }
    if (!result.wrong) {
        return std::nullopt;
    }
    if (!w.no_shrink && !w.tell) {
        kept = shrink(plan, std::move(kept), *result.wrong);
    }
    print_plan(plan, kept);
    fmt::print("VIOLATION after {:.3f} s: {}: {}\n", to_seconds(result.simulated), result.wrong->invariant, result.wrong->text);
    auto again = fmt::format("cluster_sim --seed {} --keep {} --tell", seed,
                             kept.empty() ? "none" : fmt::format("{}", fmt::join(kept, ",")));
    fmt::print("reproduce with: {}\n", again);
    std::fflush(stdout);
    return again;
}

// What was found with other sources says nothing of these.
bool goes_on_as_it_was_begun(const campaign& begun)
{
    auto again = beginning_at(begun.first_seed);
    while (again.schedules() < std::min(begun.schedules(), campaign::fingerprinted_max)) {
        remember(again.next_seed);
        again.add(run_trial(draw_plan(again.next_seed)));
    }
    return again.fingerprint == begun.fingerprint;
}

int run_all(const wishes& w)
{
    for (const auto seed : w.seeds_file.empty() ? std::vector<std::uint64_t>{} : read_seeds(w.seeds_file)) {
        campaign of_old_seeds;
        if (run_one(seed, w, of_old_seeds)) {
            return 1;
        }
    }
    auto begun = w.campaign_file.empty() ? result<campaign>{beginning_at(w.seed)} : read_campaign(w.campaign_file, w.seed);
    if (!begun) {
        fmt::print(stderr, "cluster_sim: {}\n", begun.error().text);
        return 2;
    }
    auto& all = *begun;
    if (!goes_on_as_it_was_begun(all)) {
        fmt::print(
            stderr,
            "cluster_sim: the first schedules of {} do not go as they went: it was begun with other sources, of which alone "
            "it tells; remove it, or name another file, to begin anew\n",
            w.campaign_file);
        return 2;
    }
    std::vector<std::string> wrong;
    const auto used_before = all.processor_milliseconds;
    const auto began = processor_seconds();
    const auto save = [&] {
        all.processor_milliseconds = used_before + static_cast<std::uint64_t>(1000.0 * (processor_seconds() - began));
        if (!w.campaign_file.empty()) {
            if (const auto written = write_campaign(w.campaign_file, all); !written) {
                fmt::print(stderr, "cluster_sim: {}\n", written.error().text);
            }
        }
    };
    while (all.next_seed < w.seed + w.runs && wrong.size() < w.violations_max && asked_to_stop == 0) {
        if (auto again = run_one(all.next_seed, w, all)) {
            wrong.push_back(std::move(*again));
        }
        if (all.next_seed % 1000 == 0) {
            save();
        }
    }
    save();
    fmt::print("{}", all.to_string());
    // Last, where they are looked for.
    for (const auto& again : wrong) {
        fmt::print("reproduce with: {}\n", again);
    }
    return wrong.empty() ? 0 : 1;
}

int add_up(const std::vector<std::string>& files)
{
    campaign sum;
    for (const auto& file : files) {
        const auto one = read_campaign(file, 0);
        if (!one) {
            fmt::print(stderr, "cluster_sim: {}\n", one.error().text);
            return 2;
        }
        sum.add(*one);
    }
    fmt::print("{}", sum.to_string());
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    CLI::App app{"Whole clusters of vipd in virtual time, with faults, from seeds."};
    wishes w;
    app.add_option("--seed", w.seed, "the first seed");
    app.add_option("--runs", w.runs, "how many schedules: this seed and those after it");
    app.add_option("--keep", w.kept, "only these faults of the schedule: their numbers with commas, or none");
    app.add_option("--also", w.seeds_file, "a file of seeds that are run first");
    app.add_option("--campaign", w.campaign_file, "a file that keeps what has been done; taken up where it ended");
    app.add_option("--sum", w.sums, "add up these files of campaigns, and run nothing");
    app.add_flag("--tell", w.tell, "print everything that happens");
    app.add_flag("--twice", w.twice, "run each schedule twice and compare the histories");
    app.add_flag("--no-shrink", w.no_shrink, "do not look for a shorter schedule that breaks the same");
    app.add_option("--violations", w.violations_max, "stop after so many");
    CLI11_PARSE(app, argc, argv);
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(number, on_crash);
    }
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, [](int) { asked_to_stop = 1; });
    }
    return w.sums.empty() ? run_all(w) : add_up(w.sums);
}
