#include "tests/scenarios/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

using namespace std::chrono_literals;

cluster_options scenario::machines(std::initializer_list<std::uint8_t> priorities)
{
    cluster_options o;
    for (const auto priority : priorities) {
        machine_options m;
        m.priority = priority;
        m.zone = static_cast<unsigned>(o.machines.size() % 2);
        o.machines.push_back(m);
    }
    return o;
}

void scenario::begin(const cluster_options& options)
{
    world = std::make_unique<cluster>(options, 7, [this](const std::string& line) { lines_.push_back(line); });
    const auto all_well = [this] {
        const auto active = world->sole_active();
        return active && world->routes_lead_to(*active);
    };
    ASSERT_TRUE(world->run_until(all_well, 60s)) << "nobody became Active";
    wait(30s);  // the first reads of everybody, and whoever preempts
    forget();
}

void scenario::inflict(fault_kind what, duration lasts)
{
    world->inflict({{}, lasts, std::move(what)});
}

duration scenario::until(const std::string& what, duration at_most, const std::function<bool()>& condition)
{
    const auto began = world->now();
    EXPECT_TRUE(world->run_until(condition, at_most)) << what << ": not within " << to_seconds(at_most) << " s";
    return world->now() - began;
}

bool scenario::has_confirmed(std::size_t machine) const
{
    const auto resources = world->node(machine).snapshot().resources;
    return std::ranges::all_of(resources, [](const status::resource& r) { return r.state == status::resource_state::here; });
}

std::size_t scenario::taken_by(std::size_t machine) const
{
    const auto& all = world->landings();
    return static_cast<std::size_t>(std::count_if(all.begin() + static_cast<std::ptrdiff_t>(landings_before_), all.end(),
                                                  [&](const cluster::landing& l) { return l.by == machine; }));
}

void scenario::forget()
{
    lines_before_ = lines_.size();
    landings_before_ = world->landings().size();
}

bool scenario::was_told(std::initializer_list<std::string> parts) const
{
    return std::any_of(lines_.begin() + static_cast<std::ptrdiff_t>(lines_before_), lines_.end(), [&](const std::string& line) {
        return std::ranges::all_of(parts, [&](const std::string& part) { return line.find(part) != std::string::npos; });
    });
}

duration scenario::down_interval(std::size_t machine) const
{
    const auto& o = world->options();
    const auto priority = world->node(machine).router().priority;
    return o.down_timer_adverts * o.advert_interval + (256 - priority) * o.advert_interval / 256;
}

void scenario::next_call(const std::string& action, std::size_t machine, cloud::fault_effect effect, const std::string& table,
                         std::optional<std::uint64_t> count)
{
    cloud::fault f;
    f.action = "ec2:" + action;
    f.node = fmt::format("node-{}", machine);
    f.table = table;
    f.count = count;
    f.effect = std::move(effect);
    world->cloud().faults().add(std::move(f));
}

void scenario::TearDown()
{
    if (world && world->judge().found()) {
        const auto& wrong = *world->judge().found();
        ADD_FAILURE() << wrong.invariant << ": " << wrong.text;
    }
    if (HasFailure()) {
        for (const auto& line : lines_) {
            if (line.find(" advert to ") == std::string::npos) {
                std::printf("%s\n", line.c_str());
            }
        }
    }
}

}  // namespace vipd::sim
