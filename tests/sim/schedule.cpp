#include "tests/sim/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// With this one the schedules of regression_seeds.txt have no such fault, and are what they were.
constexpr std::uint64_t seed_of_interruptions = 33;
constexpr std::uint64_t seed_of_refusals = 1;
constexpr std::uint64_t seed_of_planned_reloads = 1;

// Draws one fault at a time for one cluster.
class drawing {
public:
    drawing(random_source& random, const cluster_options& options) : random_(random), options_(options) {}

    scheduled_fault draw();
    scheduled_fault draw_interruption(duration length);
    scheduled_fault draw_refusal(duration length);
    scheduled_fault draw_priority(duration length);
    scheduled_fault draw_reload(duration length);
    scheduled_fault draw_interval(duration length);
    scheduled_fault draw_peer(duration length);
    scheduled_fault draw_replacement(duration length);
    std::vector<scheduled_fault> draw_crowd(duration length);

private:
    [[nodiscard]] std::size_t machine() { return random_.below(options_.machines.size()); }
    // Between the two, each order of magnitude as likely as another.
    duration magnitude(duration low, duration high)
    {
        const auto ratio = static_cast<double>(high.count()) / static_cast<double>(low.count());
        return duration{static_cast<duration::rep>(static_cast<double>(low.count()) * std::pow(ratio, random_.unit()))};
    }
    duration outage() { return magnitude(options_.advert_interval / 10, 2min); }

    fault_kind of_machine(duration& lasts);
    fault_kind of_network(duration& lasts);
    fault_kind of_cloud(duration& lasts);
    fault_kind of_people(duration& lasts);
    faults::partition partition();
    faults::forged_adverts forged_adverts();
    cloud::fault cloud_fault();
    cloud::fault interface_fault();
    static cloud::fault address_fault();
    cloud::fault_effect cloud_effect();

    random_source& random_;
    const cluster_options& options_;
};

faults::partition drawing::partition()
{
    faults::partition p;
    const auto n = options_.machines.size();
    const auto shape = random_.below(4);
    const auto lonely = machine();
    for (std::size_t from = 0; from < n; ++from) {
        for (std::size_t to = 0; to < n; ++to) {
            const bool zones = options_.machines[from].zone != options_.machines[to].zone;
            const bool one_machine = (from == lonely) != (to == lonely);
            const std::array<bool, 4> is_cut = {zones, one_machine, from == lonely, to == lonely};
            if (from != to && is_cut[shape]) {
                p.cut.emplace_back(from, to);
            }
        }
    }
    if (random_.chance(0.3)) {
        p.spread = magnitude(options_.advert_interval / 5, 20 * options_.advert_interval);
    }
    // Partial: two see each other no more, and a third sees both.
    if (p.cut.size() > 2 && random_.chance(0.3)) {
        const auto kept = p.cut[random_.below(p.cut.size())];
        p.cut = {kept, {kept.second, kept.first}};
    }
    return p;
}

cloud::fault_effect drawing::cloud_effect()
{
    using namespace cloud::effects;
    const cloud::delay short_wait{1ms, 2s, {}};
    switch (random_.below(10)) {
        case 0:
            return fail{};
        case 1:
            return fail{500, "InternalError", "An internal error has occurred", random_.chance(0.5)};
        case 2:
            return fail{503, "RequestLimitExceeded", "Request limit exceeded."};
        case 3:
            return cloud::effects::reset{random_.chance(0.5)};
        case 4:
            return hang{random_.chance(0.5)};
        case 5:
            return slow{short_wait, {}};
        case 6:
            return slow{{}, short_wait};
        case 7:
            return land_late{{10ms, random_.chance(0.1) ? duration{15min} : duration{20s}, {}}, random_.chance(0.5)};
        case 8:
            return stale{{0ms, 30s, {}}};
        default: {
            constexpr std::array kinds = {cloud::hostile_kind::truncated,   cloud::hostile_kind::cut,
                                          cloud::hostile_kind::entity_bomb, cloud::hostile_kind::garbage,
                                          cloud::hostile_kind::wrong_root,  cloud::hostile_kind::empty,
                                          cloud::hostile_kind::wrong_type,  cloud::hostile_kind::error_in_success};
            return hostile{kinds[random_.below(kinds.size())], 0};
        }
    }
}

// What keeps an interface where it is, or on its way.
cloud::fault drawing::interface_fault()
{
    cloud::fault f;
    if (random_.chance(0.7)) {
        f.action = "ec2:DetachNetworkInterface";
        f.effect = cloud::effects::stuck{};
    } else {
        f.action = "ec2:*tachNetworkInterface";
        f.effect = cloud::effects::linger{{1ms, 20s, {}}};
    }
    return f;
}

// Answered at once, and done when it is done.
cloud::fault drawing::address_fault()
{
    cloud::fault f;
    f.action = "ec2:Ass*";
    f.effect = cloud::effects::linger{{1ms, 20s, {}}};
    return f;
}

cloud::fault drawing::cloud_fault()
{
    if (options_.moves_interface && random_.chance(0.3)) {
        return interface_fault();
    }
    // A copy draws, so that what is drawn after it stays.
    if (auto aside = random_; (options_.moves_secondary_ip || options_.moves_elastic_ip) && aside.chance(0.2)) {
        return address_fault();
    }
    constexpr std::array<const char*, 6> actions = {"ec2:*",         "ec2:*Route", "ec2:ReplaceRoute",
                                                    "ec2:Describe*", "imds:*",     "imds:*/iam/*"};
    cloud::fault f;
    f.action = actions[random_.below(actions.size())];
    if (random_.chance(0.5)) {
        f.node = fmt::format("node-{}", machine());
    }
    if (random_.chance(0.3)) {
        const auto table = options_.table_id(random_.below(options_.tables));
        // What is not about a route has none.
        f.table = f.action == "ec2:*Route" || f.action == "ec2:ReplaceRoute" ? table : f.table;
    }
    if (random_.chance(0.3)) {
        f.count = 1 + random_.below(4);
    }
    f.probability = random_.chance(0.5) ? 1.0 : random_.unit();
    f.effect = cloud_effect();
    return f;
}

fault_kind drawing::of_machine(duration& lasts)
{
    lasts = outage();
    switch (random_.below(11)) {
        case 0:
            lasts = magnitude(100ms, 5s);
            return faults::kill_process{machine(), static_cast<unsigned>(random_.chance(0.2) ? 2 + random_.below(5) : 1)};
        case 1:
            lasts = magnitude(100ms, 5s);
            // As below: by what has been drawn already.
            if (lasts.count() % 3 == 0) {
                lasts /= 4;
                return faults::replace_process{machine()};
            }
            return faults::stop_process{machine()};
        case 2:
            lasts = magnitude(5s, 2min);
            return faults::power_off{machine()};
        case 3:
        case 4:
            lasts = magnitude(1ms, 2min);
            return faults::pause{machine(), random_.chance(0.4)};
        case 5:
            return faults::late_timers{machine(), magnitude(100us, 2 * options_.advert_interval)};
        case 6:
            if (options_.tracks && lasts.count() % 2 == 0) {
                return faults::service_down{machine()};
            }
            return faults::link_down{machine()};
        case 7:
            // By what has been drawn already: every other fault stays where it was in the schedule of a seed.
            switch (lasts.count() % 4) {
                case 0:
                    return faults::policy_removed{machine(), true};
                case 1:
                    return faults::policy_removed{machine(), false};
                default:
                    return faults::address_removed{machine()};
            }
        case 8:
            lasts = magnitude(5s, 2min);
            return faults::instance_stopped{machine()};
        case 9:
            if (options_.notices && lasts.count() % 4 != 0) {
                return faults::notice{machine()};
            }
            return faults::no_descriptors{machine()};
        default: {
            // A sequence that only grows is bound to the clock of its start: the README says so.
            const bool is_bound = options_.auth && options_.auth->against_replay == vrrp::anti_replay::monotonic;
            const auto size = magnitude(1s, is_bound ? duration{10s} : duration{87'600h});
            const faults::clock_set set{machine(), random_.chance(0.5) ? size : -size};
            // By what has been drawn already, as above.
            if (options_.moves_interface && lasts.count() % 3 != 0) {
                return faults::other_interfaces{set.machine, set.offset > duration::zero() ? 1U : 2U};
            }
            return set;
        }
    }
}

faults::forged_adverts drawing::forged_adverts()
{
    const auto unsigned_kinds = faults::forgery_count_unsigned;
    const auto signed_kinds = faults::forgery_count - unsigned_kinds;
    auto kind = static_cast<faults::forgery>(options_.auth && random_.chance(0.7) ? unsigned_kinds + random_.below(signed_kinds)
                                                                                  : random_.below(unsigned_kinds));
    if ((kind == faults::forgery::unsigned_advert && options_.auth->mode != vrrp::hmac_mode::enforce) ||
        (kind == faults::forgery::replayed && options_.auth->mode == vrrp::hmac_mode::receive_only)) {
        kind = faults::forgery::wrong_key;
    }
    return {machine(), kind, magnitude(10ms, 2 * options_.advert_interval)};
}

fault_kind drawing::of_network(duration& lasts)
{
    lasts = outage();
    if (random_.chance(0.55)) {
        // By what has been drawn already, as above.
        if (options_.sync_group && lasts.count() % 2 == 0) {
            return faults::second_network_down{machine()};
        }
        return partition();
    }
    if (random_.chance(0.2)) {
        return forged_adverts();
    }
    path_quality q;
    const auto a = options_.advert_interval;
    switch (random_.below(5)) {
        case 0:
            q.loss = 0.6 * random_.unit();
            break;
        case 1:
            q.burst_chance = 0.2 * random_.unit();
            q.burst_mean = magnitude(a / 5, 20 * a);
            break;
        case 2:
            q.duplicate = 0.3 * random_.unit();
            q.copies_max = 5;
            break;
        case 3:
            q.straggler_chance = 0.5 * random_.unit();
            q.straggler_delay = magnitude(a / 10, 12 * a);
            break;
        default:
            q.corrupt = 0.1 + 0.4 * random_.unit();
            break;
    }
    return faults::poor_network{q};
}

fault_kind drawing::of_cloud(duration& lasts)
{
    lasts = magnitude(100ms, 3min);
    switch (random_.below(8)) {
        case 0:
            return faults::cloud_unreachable{{machine()}};
        case 1: {
            faults::cloud_unreachable all;
            for (std::size_t i = 0; i < options_.machines.size(); ++i) {
                all.machines.push_back(i);
            }
            return all;
        }
        case 2:
            return faults::throttled{-40.0 * random_.unit()};
        case 3:
            return faults::credentials_revoked{machine()};
        case 4:
            return faults::permission_missing{machine(), random_.below(options_.tables)};
        default:
            return faults::cloud_trouble{cloud_fault()};
    }
}

fault_kind drawing::of_people(duration& lasts)
{
    lasts = magnitude(1s, 1min);
    if (options_.auth && random_.chance(0.2)) {
        return faults::rotate_keys{magnitude(1ms, 10s)};
    }
    switch (random_.below(6)) {
        case 0:
        case 1: {
            const auto draw = random_.below(options_.machines.size() + 2);
            const auto n = options_.machines.size();
            return faults::route_changed{
                random_.below(options_.tables),
                draw < n ? options_.interface_id(draw) : (draw == n ? std::string{} : options_.interface_id(n))};
        }
        case 2:
            return faults::second_cluster{magnitude(1s, 20s)};
        case 3:
            return faults::step_down{machine(), options_.sync_group && lasts.count() % 2 == 0};
        case 4:
            return faults::maintenance{machine()};
        default:
            return faults::reload{machine(), static_cast<std::uint8_t>(random_.chance(0.5) ? 0 : 1 + random_.below(254)),
                                  random_.chance(0.3)};
    }
}

scheduled_fault drawing::draw()
{
    scheduled_fault f;
    const auto draw = random_.unit();
    f.what = draw < 0.4    ? of_machine(f.lasts)
             : draw < 0.6  ? of_network(f.lasts)
             : draw < 0.85 ? of_cloud(f.lasts)
                           : of_people(f.lasts);
    return f;
}

scheduled_fault drawing::draw_interruption(duration length)
{
    constexpr std::array ends = {faults::gap_end::robbed, faults::gap_end::powered_off, faults::gap_end::paused};
    scheduled_fault f;
    f.at = random_.between(0s, length);
    f.lasts = magnitude(30s, 5min);
    faults::move_interrupted aimed;
    aimed.of_interface = options_.moves_interface && (!options_.has_ipv6_gap() || random_.chance(0.5));
    aimed.what = ends[random_.below(ends.size())];
    aimed.length = magnitude(100ms, 20s);
    f.what = aimed;
    return f;
}

scheduled_fault drawing::draw_refusal(duration length)
{
    const auto at = random_.between(0s, length);
    return {at, outage(), faults::adverts_refused{machine()}};
}

scheduled_fault drawing::draw_priority(duration length)
{
    const auto at = random_.between(0s, length);
    const auto lasts = magnitude(1s, 3min);
    return {at, lasts, faults::priority_set{machine(), static_cast<std::uint8_t>(1 + random_.below(254))}};
}

scheduled_fault drawing::draw_reload(duration length)
{
    const auto at = random_.between(0s, length);
    const auto lasts = magnitude(1s, 3min);
    if (random_.chance(0.5)) {
        return {at, lasts, faults::refused_reload{machine()}};
    }
    constexpr std::array drains = {0s, 1s, 5s};
    return {at, lasts, faults::other_reload{machine(), drains[random_.below(drains.size())], random_.chance(0.5)}};
}

scheduled_fault drawing::draw_interval(duration length)
{
    const auto at = random_.between(0s, length);
    return {at, magnitude(100ms, 3min), faults::interval_changed{machine(), options_.later_interval}};
}

scheduled_fault drawing::draw_peer(duration length)
{
    const auto at = random_.between(0s, length);
    const auto lasts = outage();
    const auto of = machine();
    return {at, lasts,
            faults::peer_removed{of, (of + 1 + random_.below(options_.machines.size() - 1)) % options_.machines.size()}};
}

scheduled_fault drawing::draw_replacement(duration length)
{
    const auto at = random_.between(0s, length);
    return {at, magnitude(1ms, 200ms), faults::replaced_in_drain{machine()}};
}

// A machine that has others' interfaces has to take the one that is moved.
std::vector<scheduled_fault> drawing::draw_crowd(duration length)
{
    const auto crowded = machine();
    const auto at = random_.between(0s, length);
    const auto lasts = magnitude(20s, 2min);
    std::vector<scheduled_fault> all{{at, lasts, faults::other_interfaces{crowded, 1 + random_.below(2)}}};
    for (std::size_t i = 0; i < options_.machines.size(); ++i) {
        if (i != crowded) {
            all.push_back({at + 1s, lasts, faults::power_off{i}});
        }
    }
    return all;
}

}  // namespace

std::vector<scheduled_fault> draw_faults(random_source& random, const cluster_options& options, duration length)
{
    std::vector<scheduled_fault> all(10 + random.below(15));
    drawing one{random, options};
    // Some come close after another: what breaks things is rarely one fault alone.
    duration last{};
    for (auto& fault : all) {
        fault = one.draw();
        fault.at = last > duration::zero() && random.chance(0.4)
                       ? std::min(length, last + random.between(0s, 4 * options.advert_interval))
                       : random.between(0s, length);
        last = fault.at;
    }
    // One more, by a generator of its own: the others are what they were.
    if (random_source own{random_source{random}.next() ^ seed_of_interruptions};
        (options.moves_interface || options.has_ipv6_gap()) && own.chance(0.5)) {
        all.push_back(drawing{own, options}.draw_interruption(length));
    }
    // Likewise, in few schedules.
    random_source own{random_source{random}.next() ^ seed_of_refusals};
    if (own.chance(0.05)) {
        all.push_back(drawing{own, options}.draw_refusal(length));
    }
    for (unsigned left = own.chance(0.05) ? 1U + static_cast<unsigned>(own.below(3)) : 0U; left > 0; --left) {
        all.push_back(drawing{own, options}.draw_priority(length));
    }
    for (unsigned left = own.chance(0.08) ? 1U + static_cast<unsigned>(own.below(4)) : 0U; left > 0; --left) {
        all.push_back(drawing{own, options}.draw_reload(length));
    }
    if (options.moves_interface && own.chance(0.1)) {
        std::ranges::copy(drawing{own, options}.draw_crowd(length), std::back_inserter(all));
    }
    random_source later{random_source{random}.next() ^ seed_of_planned_reloads};
    for (auto left = options.later_interval > 0s ? 1 + later.below(6) : 0; left > 0; --left) {
        all.push_back(drawing{later, options}.draw_interval(length));
    }
    // Nobody has no peer at all.
    for (auto left = options.machines.size() > 2 && later.chance(0.05) ? 1 + later.below(4) : 0; left > 0; --left) {
        all.push_back(drawing{later, options}.draw_peer(length));
    }
    for (auto left = options.drain > 0s && later.chance(0.05) ? 1 + later.below(4) : 0; left > 0; --left) {
        all.push_back(drawing{later, options}.draw_replacement(length));
    }
    std::ranges::stable_sort(all, {}, &scheduled_fault::at);
    return all;
}

}  // namespace vipd::sim
