// A scrape of a node with a thousand routers: all of it, and the longest slice of it, which is what an advert may have to wait
// for.

#include "agent/status/metrics.hpp"
#include "bench/cpu_time.hpp"
#include "bench/driven_node.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace vipd::bench {
namespace {

using namespace std::chrono_literals;

class fleet_view final : public status::node_view {
public:
    explicit fleet_view(driven_node& fleet) : fleet_(fleet) {}

    status::node node_snapshot(instant now) const override { return fleet_.machine().snapshot(now); }
    status::process process_snapshot(instant /*now*/) const override { return {}; }
    std::size_t router_count() const override { return fleet_.machine().router_count(); }
    std::optional<std::uint32_t> find_router(std::string_view name) const override
    {
        return fleet_.machine().find_router(name);
    }
    status::router router_snapshot(instant now, std::uint32_t router) const override
    {
        return fleet_.machine().router_snapshot(now, router);
    }
    std::vector<status::event> events_after(std::uint64_t number) const override
    {
        return fleet_.machine().events_after(number);
    }
    std::uint64_t generation() const override { return fleet_.machine().generation(); }
    std::vector<std::string> plan(instant now, std::uint32_t router) const override
    {
        return fleet_.machine().plan(now, router);
    }

private:
    driven_node& fleet_;
};

void scrape(benchmark::State& state)
{
    driven_node fleet{{.routers = static_cast<std::size_t>(state.range(0)), .with_route = true}};
    fleet.run_until(fleet.now().steady + 20s);
    fleet_view view(fleet);
    status::metrics_endpoint endpoint(view);
    std::int64_t series = 0;
    std::int64_t slices = 0;
    std::int64_t bytes = 0;
    std::chrono::duration<double, std::micro> longest{};
    std::vector<double> lengths;
    for (auto _ : state) {
        fleet.advance(1s);  // past the age to which a text is kept
        series = bytes = slices = 0;
        auto answer = endpoint.scrape(fleet.now());
        auto& body = *std::get<std::unique_ptr<status::body_source>>(answer);
        for (bool more = true; more;) {
            const auto started = cpu_time();
            const auto chunk = body.next(fleet.now());
            const std::chrono::duration<double, std::micro> took = cpu_time() - started;
            longest = std::max(longest, took);
            lengths.push_back(took.count());
            ++slices;
            if (const auto* text = std::get_if<std::string>(&chunk)) {
                bytes += static_cast<std::int64_t>(text->size());
                series += std::ranges::count(*text, '\n');
            }
            more = !std::holds_alternative<status::finished>(chunk);
        }
    }
    const auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(lengths.size() - 1) * 0.99);
    std::ranges::nth_element(lengths, lengths.begin() + rank);
    state.counters["lines"] = static_cast<double>(series);
    state.counters["bytes"] = static_cast<double>(bytes);
    state.counters["slices"] = static_cast<double>(slices);
    state.counters["slice_p99_us"] = lengths[static_cast<std::size_t>(rank)];
    state.counters["slice_max_us"] = longest.count();
}
BENCHMARK(scrape)->Arg(1)->Arg(400)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vipd::bench
