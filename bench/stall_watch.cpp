// A ruler for the machine itself: on each processor a thread above everything that is measured sleeps a millisecond at a time
// and notes by how much it was kept waiting. Where this program had to wait, nobody could have been on time: the processor was
// taken away from the whole machine, as a hypervisor does with a shared one.
//
//     stall_watch        until SIGTERM; prints one JSON object, with the moments at which it was held up (CLOCK_MONOTONIC)

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>

namespace {

constexpr std::int64_t period_ns = 1'000'000;
constexpr std::int64_t stall_ns = 1'000'000;
constexpr std::int64_t held_up_ns = 300'000;
constexpr std::size_t held_up_max = 100'000;
constexpr int priority = 60;

std::atomic<bool> asked_to_stop{false};

struct interval {
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
};

struct watched {
    std::vector<std::int64_t> late_ns;
    std::vector<interval> held_up;
};

std::int64_t now_ns()
{
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void watch(int processor, watched& out)
{
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(processor), &only);
    ::pthread_setaffinity_np(::pthread_self(), sizeof only, &only);
    const sched_param wanted{priority};
    ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &wanted);
    auto next = now_ns();
    while (!asked_to_stop) {
        next += period_ns;
        const timespec until{next / 1'000'000'000, next % 1'000'000'000};
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
        const auto woke = now_ns();
        const auto late = woke - next;
        out.late_ns.push_back(late);
        if (late > held_up_ns && out.held_up.size() < held_up_max) {
            out.held_up.push_back({next, woke});
        }
        next += late / period_ns * period_ns;
    }
}

double milliseconds(std::int64_t ns)
{
    return static_cast<double>(ns) / 1e6;
}

}  // namespace

int main()
{
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, [](int) { asked_to_stop = true; });
    }
    const auto count = static_cast<int>(std::thread::hardware_concurrency());
    std::vector<watched> all(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        all[static_cast<std::size_t>(i)].late_ns.reserve(1 << 20);
        threads.emplace_back(watch, i, std::ref(all[static_cast<std::size_t>(i)]));
    }
    fmt::print("watching\n");
    std::fflush(stdout);
    for (auto& t : threads) {
        t.join();
    }
    std::vector<std::int64_t> late;
    std::string held_up;
    for (const auto& each : all) {
        for (const auto& [from, to] : each.held_up) {
            held_up += fmt::format("{}[{}, {}]", held_up.empty() ? "" : ", ", from, to);
        }
        late.insert(late.end(), each.late_ns.begin(), each.late_ns.end());
    }
    std::ranges::sort(late);
    const auto at = [&](double q) {
        return late.empty() ? 0.0 : milliseconds(late[static_cast<std::size_t>(q * static_cast<double>(late.size() - 1))]);
    };
    const auto stalls = std::ranges::count_if(late, [](std::int64_t l) { return l > stall_ns; });
    fmt::print("{{\"late_ms\": {{\"p99\": {:.3f}, \"p99_9\": {:.3f}, \"max\": {:.3f}}}, \"stalls\": {}, \"held_up\": [{}]}}\n",
               at(0.99), at(0.999), at(1.0), stalls, held_up);
    return 0;
}
