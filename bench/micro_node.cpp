// Turns of the loop through the whole node, without its sockets.

#include "bench/cpu_time.hpp"
#include "bench/driven_node.hpp"
#include "common/ensure.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <vector>

namespace vipd::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 100ms;
constexpr std::uint8_t better_priority = 200;

// Every router is due in the same turn: the longest turn that so many can make.
void turn_of_actives(benchmark::State& state)
{
    driven_node fleet{{.routers = static_cast<std::size_t>(state.range(0)), .advert_interval = interval}};
    fleet.run_until(fleet.now().steady + 10 * interval);
    ENSURE(fleet.all_are(vrrp::state::active));
    std::size_t adverts = 0;
    for (auto _ : state) {
        fleet.advance(interval);
        fleet.machine().handle_timeout(fleet.now());
        adverts += fleet.carry_out();
    }
    ENSURE(adverts == static_cast<std::size_t>(state.iterations() * state.range(0)));
    state.SetItemsProcessed(static_cast<std::int64_t>(adverts));
}
BENCHMARK(turn_of_actives)->Arg(1)->Arg(1000)->Unit(benchmark::kMicrosecond);

// One advert from the peer of every router.
void turn_of_backups(benchmark::State& state)
{
    driven_node fleet{{.routers = static_cast<std::size_t>(state.range(0)), .advert_interval = interval}};
    fleet.hear_all(better_priority);
    const auto adverts = fleet.peer_adverts(better_priority);
    for (auto _ : state) {
        fleet.advance(interval);
        for (std::size_t i = 0; i < adverts.size(); ++i) {
            fleet.machine().handle(fleet.now(), fleet.datagram(i, adverts[i]));
        }
        fleet.carry_out();
    }
    ENSURE(fleet.all_are(vrrp::state::backup));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(turn_of_backups)->Arg(1)->Arg(1000)->Unit(benchmark::kMicrosecond);

// Every router's Active_Down_Timer runs out in the same turn.
void turn_of_takeovers(benchmark::State& state)
{
    driven_node fleet{{.routers = static_cast<std::size_t>(state.range(0)), .advert_interval = interval}};
    for (auto _ : state) {
        state.PauseTiming();
        fleet.hear_all(better_priority);
        fleet.advance(4 * interval);
        state.ResumeTiming();
        fleet.machine().handle_timeout(fleet.now());
        fleet.carry_out();
    }
    ENSURE(fleet.all_are(vrrp::state::active));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(turn_of_takeovers)->Arg(1000)->Unit(benchmark::kMicrosecond);

// From the due Active_Down_Timer to the signed ReplaceRoute in the shell's hands: our share of "first byte on the wire".
void due_timer_to_signed_request(benchmark::State& state)
{
    driven_node fleet{{.routers = static_cast<std::size_t>(state.range(0)), .advert_interval = interval, .with_route = true}};
    fleet.run_until(fleet.now().steady + 10s);
    for (auto _ : state) {
        // Long enough for the budget of mutating calls to be full again.
        for (int i = 0; i < 200; ++i) {
            fleet.hear_all(better_priority);
            fleet.run_until(fleet.now().steady + interval);
        }
        ENSURE(fleet.all_are(vrrp::state::backup));
        fleet.advance(4 * interval);
        const auto started = cpu_time();
        fleet.machine().handle_timeout(fleet.now());
        auto output = fleet.machine().poll_output();
        while (output && !std::holds_alternative<node::start_http>(*output)) {
            output = fleet.machine().poll_output();
        }
        const std::chrono::duration<double> took = cpu_time() - started;
        state.SetIterationTime(took.count());
        ENSURE(output && std::get<node::start_http>(*output).exchange.mutating);
        ENSURE(fleet.machine().permit(fleet.now(), std::get<node::start_http>(*output).exchange.id));
        fleet.answer(std::get<node::start_http>(*output).exchange);
        fleet.carry_out();
    }
}
BENCHMARK(due_timer_to_signed_request)->Arg(1)->Arg(50)->UseManualTime()->Iterations(200)->Unit(benchmark::kMicrosecond);

// From the due Active_Down_Timer to the last rule in the shell's hands, with all answers: our share of applying a policy.
void due_timer_to_last_rule(benchmark::State& state)
{
    const auto parts = static_cast<std::size_t>(state.range(0));
    driven_node fleet{{.routers = 1, .advert_interval = interval, .policy_parts = parts}};
    for (auto _ : state) {
        // Long enough for the drain.
        for (int i = 0; i < 20; ++i) {
            fleet.hear_all(better_priority);
            fleet.run_until(fleet.now().steady + interval);
        }
        ENSURE(fleet.all_are(vrrp::state::backup));
        fleet.advance(4 * interval);
        const auto started = cpu_time();
        fleet.machine().handle_timeout(fleet.now());
        std::vector<net::kernel_request_id> asked;
        while (auto output = fleet.machine().poll_output()) {
            if (const auto* change = std::get_if<node::change_kernel>(&*output)) {
                asked.push_back(change->id);
            }
        }
        for (const auto id : asked) {
            fleet.machine().handle(fleet.now(), node::kernel_answered{{id, 0, {}}});
        }
        const std::chrono::duration<double> took = cpu_time() - started;
        state.SetIterationTime(took.count());
        ENSURE(asked.size() == 2 * parts);
    }
}
BENCHMARK(due_timer_to_last_rule)->Arg(1)->Arg(50)->UseManualTime()->Iterations(200)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vipd::bench
