#include "tests/sim/invariants.hpp"

#include "agent/vrrp/timers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// Longer than any pause between two looks at a route, or two attempts to reach anybody.
constexpr duration rest_max = 70s;
// Longer than any pause between two attempts to move a thing, with a read that was 30 s old before each.
constexpr duration neglect_max = 100s;
// In seconds: a call is counted when it is issued, and may wait that long for credentials or a connection; what is seen here is
// its first byte. So a window of t seconds holds what was issued in t + 3.
constexpr double call_waits_max = 3.0;
// Of a secret access key and of a session token; shorter texts hold none.
constexpr std::size_t secret_size_min = 40;

// What a mutating call is about, by its action: all calls that move one thing share its budget. Empty for what is never called.
std::string_view moved_by(std::string_view action)
{
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> moves = {
        {{"ReplaceRoute", "route"},
         {"CreateRoute", "route"},
         {"ModifyNetworkInterfaceAttribute", "attribute"},
         {"AssignPrivateIpAddresses", "address"},
         {"AssignIpv6Addresses", "address"},
         {"UnassignIpv6Addresses", "address"},
         {"AssociateAddress", "Elastic IP"},
         {"DetachNetworkInterface", "interface"},
         {"AttachNetworkInterface", "interface"}}};
    const auto* const found = std::ranges::find(moves, action, &std::pair<std::string_view, std::string_view>::first);
    return found == moves.end() ? std::string_view{} : found->second;
}

}  // namespace

bool rate_bound::count(time_point now, double more)
{
    if (last_ != time_point::min()) {
        used_ = std::max(0.0, used_ - per_second_ * to_seconds(now - last_));
    }
    last_ = now;
    used_ += 1.0;

    return used_ <= burst_ + 0.1 + more;
}

void invariants::violated(time_point now, std::string invariant, std::string text)
{
    if (!found_) {
        found_ = violation{now, std::move(invariant), std::move(text)};
    }
}

invariants::seen_node& invariants::of(const machine& m)
{
    auto& seen = seen_[m.index()];
    if (seen.process != m.process_number()) {
        actives_ -= seen.routers.front().state == vrrp::state::active ? 1U : 0U;
        seen = {};
        seen.process = m.process_number();
    }
    return seen;
}

void invariants::on_process_end(const machine& m)
{
    auto& seen = seen_[m.index()];
    actives_ -= seen.routers.front().state == vrrp::state::active ? 1U : 0U;
    for (auto& router : seen.routers) {
        router.state = vrrp::state::initialize;
    }
}

void invariants::on_transition(time_point now, const machine& m, std::size_t router, vrrp::state from, vrrp::state to,
                               std::string_view reason, std::uint64_t epoch)
{
    auto& seen = of(m).routers.at(router);
    if (from != seen.state) {
        violated(now, "transitions join",
                 fmt::format("machine {} left {} and was in {}", m.index(), to_string(from), to_string(seen.state)));
    }
    if (m.is_reloading()) {
        violated(now, "S14: a reload is no transition",
                 fmt::format("machine {} went from {} to {}: {}", m.index(), to_string(from), to_string(to), reason));
    }
    if (router == 0) {
        actives_ -= seen.state == vrrp::state::active ? 1 : 0;
        actives_ += to == vrrp::state::active ? 1 : 0;
    }
    if (seen.state == vrrp::state::active) {
        seen.left_active_at = now;
    }
    seen.state = to;
    seen.since = now;
    if (to == vrrp::state::active && epoch <= seen.epoch) {
        violated(now, "S11: epochs grow",
                 fmt::format("machine {} began epoch {} after {} ({})", m.index(), epoch, seen.epoch, reason));
    }
    seen.epoch = std::max(seen.epoch, epoch);
}

// S3, read from the bytes by other code than that which wrote them.
void invariants::on_advert(time_point now, const machine& from, const node::send_advert& advert)
{
    const auto& m = advert.message;
    const std::size_t router = options_.sync_group && m[1] == cluster_options::vrid(1) ? 1 : 0;
    auto& seen = of(from).routers.at(router);
    const bool v2 = options_.version == vrrp::version::v2;
    const auto interval = v2 ? std::chrono::seconds{m[5]} : duration{10ms * (((m[4] & 0x0fU) << 8U) | m[5])};
    if (m[0] != (v2 ? 0x21 : 0x31) || m[1] != cluster_options::vrid(router) || interval != from.router().advert_interval) {
        violated(now, "S3: adverts",
                 fmt::format("machine {} sent version/type {:02x}, VRID {}, interval {} ms", from.index(), m[0], m[1],
                             to_milliseconds(interval)));
    }
    const auto silent = now - std::max(seen.last_advert, seen.since);
    if (std::max(seen.last_advert, seen.since) != time_point::min() && silent > stall_max(from, seen.told_interval)) {
        violated(now, "S3: an advert of one that stood still",
                 fmt::format("machine {}: priority {}, {:.1f} ms after the last", from.index(), m[2], to_milliseconds(silent)));
    }
    const auto priority = m[2];
    if (priority == 0) {
        // In the turn in which it ceases to be Active.
        if (seen.state != vrrp::state::active && seen.left_active_at != now) {
            violated(now, "S3: priority 0 of one that was not Active", fmt::format("machine {}", from.index()));
        }
    } else {
        // Who gives way to a better one says so with one advert more, in the same turn.
        if (seen.state != vrrp::state::active && seen.left_active_at != now) {
            violated(now, "S3: an advert of one that is not Active",
                     fmt::format("machine {} is {} and sent priority {}", from.index(), to_string(seen.state), priority));
        }
        // With or without the weights of a path to EC2 and of a service that work, or do not; the lowest where EC2 has
        // announced an end.
        const int configured = from.base_priority();
        bool is_allowed = from.is_owner() ? priority == vrrp::priority_owner : options_.notices && priority == 1;
        for (const int of_path : {0, static_cast<int>(options_.api_weight)}) {
            for (const int of_service : {0, static_cast<int>(options_.tracker_weight.value_or(0))}) {
                const bool is_weighed = priority == std::clamp(configured + of_path + of_service, 1, 254);
                is_allowed = is_allowed || (!from.is_owner() && is_weighed);
            }
        }
        if (!is_allowed) {
            violated(now, "S3: priority",
                     fmt::format("machine {} sent priority {} and has {}", from.index(), priority, configured));
        }
    }
    seen.last_advert = now;
    seen.told_interval = interval;
}

// 5 + 1/s for a query; the second router of a group may have one of its own. Interfaces are read by three: 20 + 2/s each for
// the two things that are found by looking at them, and the interface's own attribute. One more at once, because a pause
// between the decision and the first byte makes two of one.
rate_bound invariants::bound_of_reads(const std::string& action) const
{
    // The metadata service: all of an identity at once, three small questions every 5 s, and what is asked again in between. An
    // interface that has come or gone is asked for in passes of about 16 questions, at most one a second.
    if (action == "IMDS") {
        return options_.moves_interface ? rate_bound{420.0, 17.0} : rate_bound{120.0, 4.0};
    }
    if (action != "DescribeNetworkInterfaces") {
        const auto queries = static_cast<double>(options_.routers());
        return rate_bound{6 * queries, 1.05 * queries};
    }
    const auto watched = (options_.moves_secondary_ip ? 1.0 : 0.0) + (options_.moves_interface ? 1.0 : 0.0);
    return rate_bound{6 + 21 * watched, 1.05 + 2.1 * watched};
}

void invariants::on_first_byte(time_point now, const machine& from, const std::string& action, const std::string& route,
                               const std::string& interface, bool mutating)
{
    auto& seen = of(from);
    seen.last_request = now;
    if (!mutating) {
        if (!seen.reads.try_emplace(action, bound_of_reads(action)).first->second.count(now)) {
            violated(now, "S6: reads", fmt::format("machine {}: more {} than its queries may need", from.index(), action));
        }
        return;
    }
    seen.last_change = now;
    const auto moved = moved_by(action);
    if (moved.empty()) {
        violated(now, "S6: what is never called", fmt::format("machine {}: {}", from.index(), action));
    }
    const auto state = seen.routers.front().state;
    if (state != vrrp::state::active) {
        violated(now, "S1: a mutating call by one that is not Active",
                 fmt::format("machine {} is {}: {} {}", from.index(), to_string(state), action, route));
    }
    const auto silent = now - seen.routers.front().last_advert;
    if (silent > stall_max(from, seen.routers.front().told_interval)) {
        violated(
            now, "S1: a mutating call by one that stood still",
            fmt::format("machine {}: {} {}, last advert {:.1f} ms ago", from.index(), action, route, to_milliseconds(silent)));
    }
    // An IPv6 address is taken from another's interface, and the interface that is moved is nobody's own.
    const bool is_of_others = action == "UnassignIpv6Addresses" || interface == cluster_options::floating_id();
    if (!interface.empty() && !is_of_others && interface != options_.interface_id(from.index())) {
        violated(now, "routes lead to the caller", fmt::format("machine {}: {} to {}", from.index(), action, interface));
    }
    // One that stood still before its first byte was counted, by whoever issued it, that much earlier.
    const auto earlier = std::min(5.0, 0.5 * to_seconds(from.recent_pause()));
    const auto subject = route.empty() ? std::string{moved} : route;
    if (!seen.mutating.try_emplace(subject, 5.0 + 0.5 * call_waits_max, 0.5125).first->second.count(now, earlier)) {
        violated(now, "S6: mutating calls", fmt::format("machine {}: more than 5 + 0.5/s for {}", from.index(), subject));
    }
}

// For each thing one call that moves it, and one that looks where it is; all tables are looked at by one. The things are the
// tables, that of the second router of a group, the interface's attribute, and what is moved beside. One to IMDS comes on top.
std::size_t invariants::calls_max() const
{
    const auto beside =
        (options_.moves_secondary_ip ? 1U : 0U) + (options_.moves_elastic_ip ? 1U : 0U) + (options_.moves_interface ? 1U : 0U);
    return (options_.tables + 1) + (options_.sync_group ? 2 : 0) + 2 + 2 * beside;
}

void invariants::on_turn(time_point now, const machine& m)
{
    const auto& routers = of(m).routers;
    const auto state = routers.front().state;
    if (m.is_running() && state != vrrp::state::active && m.path().mutating_under_way() > 0) {
        violated(now, "S2: a call outlives its epoch", fmt::format("machine {}", m.index()));
    }
    if (options_.sync_group && m.is_running() &&
        (state == vrrp::state::active) != (routers.back().state == vrrp::state::active)) {
        violated(now, "S17: the routers of a group are Active together",
                 fmt::format("machine {} is {} and {}", m.index(), to_string(state), to_string(routers.back().state)));
    }
    if (m.path().exchanges_under_way() > calls_max() + 1) {
        violated(now, "S7: connections", fmt::format("machine {}: {} at once", m.index(), m.path().exchanges_under_way()));
    }
}

void invariants::on_late_answer(time_point now, const machine& to, const std::string& wrong)
{
    if (!wrong.empty()) {
        violated(now, "S9: an answer to a call that is no more changes nothing",
                 fmt::format("machine {}: {}", to.index(), wrong));
    }
}

void invariants::check_queues(time_point now)
{
    for (const auto& m : machines_) {
        if (m->is_running() && m->calls_waiting() > calls_max()) {
            violated(now, "S7: queues", fmt::format("machine {}: {} calls wait", m->index(), m->calls_waiting()));
        }
    }
}

void invariants::check_rest(time_point now, const machine& m, time_point lacking_since)
{
    if (!m.path().is_reachable() || !m.path().has_descriptors() || m.is_paused()) {
        return;
    }
    const auto& seen = of(m);
    const auto able_since = std::max({seen.routers.front().since, m.last_hindered(), m.path().changed_at()});
    const auto rests_since = std::max(able_since, seen.last_request);
    if (now - rests_since > rest_max) {
        violated(now, "S10: an Active that lacks what it moves does not rest",
                 fmt::format("machine {} has asked nobody for {:.1f} s", m.index(), to_seconds(now - rests_since)));
    }
    const auto neglects_since = std::max({able_since, lacking_since, seen.last_change});
    if (now - neglects_since > neglect_max) {
        violated(now, "S10: an Active that lacks what it moves moves it",
                 fmt::format("machine {} has changed nothing for {:.1f} s", m.index(), to_seconds(now - neglects_since)));
    }
}

void invariants::on_log(time_point now, const machine& m, const log_record& record, const cloud::key_ring& keys)
{
    for (const auto& field : record.fields) {
        const auto* text = std::get_if<std::string_view>(&field.value);
        if (text == nullptr || text->size() < secret_size_min) {
            continue;
        }
        for (const auto& [id, key] : keys) {
            if (text->find(key.secret) != std::string_view::npos || text->find(key.token) != std::string_view::npos) {
                violated(now, "S13: no secret is told", fmt::format("machine {}: {} {}", m.index(), record.event, field.key));
            }
        }
    }
}

// By the quickest Backup that there can be, of priority 254, which has learned the Active's interval from its last advert,
// whatever a reload has made of that since; a clock may be slower than ours by a fiftieth. Whoever owns the address goes on,
// because all others give way to it.
duration invariants::stall_max(const machine& m, duration told_interval) const
{
    const auto interval = told_interval > 0s ? told_interval : m.router().advert_interval;
    const auto quickest = vrrp::active_down_interval(options_.version, 254, interval, options_.down_timer_adverts);
    return m.is_owner() ? duration::max() : quickest * 41 / 40 + 5ms;
}

duration invariants::agreement_time() const
{
    return options_.interval_max() * 21 / 20 + 50ms;
}

time_point invariants::connected_since(std::size_t a, std::size_t b) const
{
    auto since = std::max(network_.last_trouble(a, b), network_.last_trouble(b, a));
    for (const auto i : {a, b}) {
        const auto& m = *machines_[i];
        if (!m.is_running() || m.is_paused() || !m.has_link()) {
            return never;
        }
        since = std::max(since, m.last_hindered());
    }
    // Whoever signs with the time is heard by those who have the same.
    if (options_.auth && options_.auth->against_replay == vrrp::anti_replay::time) {
        const auto apart = machines_[a]->wall_offset() - machines_[b]->wall_offset();
        if (apart > options_.auth->window - 1s || apart < -(options_.auth->window - 1s)) {
            return never;
        }
    }
    return network_.is_cut(a, b) || network_.is_cut(b, a) ? never : since;
}

void invariants::check(time_point now)
{
    if (actives_ < 2) {
        return;
    }
    for (std::size_t a = 0; a < seen_.size(); ++a) {
        for (std::size_t b = a + 1; b < seen_.size(); ++b) {
            const auto& of_a = seen_[a].routers.front();
            const auto& of_b = seen_[b].routers.front();
            if (of_a.state != vrrp::state::active || of_b.state != vrrp::state::active) {
                continue;
            }
            const auto since = std::max({connected_since(a, b), of_a.since, of_b.since});
            if (since != never && now - since > agreement_time()) {
                violated(now, "S4: two Actives that hear each other",
                         fmt::format("machines {} and {} for {:.3f} s", a, b, to_seconds(now - since)));
            }
        }
    }
}

// Two looks, half a second apart, of which each may take 300 ms until nobody has answered.
void invariants::check_services(time_point now)
{
    constexpr duration allowed = 2 * (500ms + 300ms) + 500ms;
    if (!options_.tracks || options_.tracker_weight) {
        return;
    }
    for (const auto& m : machines_) {
        const auto since = std::max(m->service_failed_at(), m->last_hindered());
        if (m->is_running() && !m->is_paused() && !m->has_service() && now - since > allowed &&
            state(m->index()) == vrrp::state::active) {
            violated(now, "S16: an Active whose service has failed",
                     fmt::format("machine {} for {:.3f} s", m->index(), to_seconds(now - since)));
        }
    }
}

void invariants::check_addresses(time_point now)
{
    // After a stall a node keeps its addresses while it listens, and then drains. Two nodes that hear each other agree on one
    // Active (S4), so that this is also how long two of them can hold the address. The addresses on the link of a moved
    // interface are L9's: whose they are, a process that was killed there cannot tell its successor, and EC2 may not be there
    // to ask.
    for (const auto& m : machines_) {
        const auto allowed = m->drain_max() + 2 * options_.down_interval_max() + 1s;
        const auto& seen = seen_[m->index()].routers.front();
        const bool has_address =
            m->has_address(options_.virtual_address()) || (options_.sync_group && m->has_address(options_.virtual_address(1)));
        if (!m->is_running() || m->is_paused() || seen.state == vrrp::state::active ||
            (!has_address && m->policy_parts() + m->floating_parts() == 0)) {
            continue;
        }
        const auto since = std::max(seen.since, m->last_hindered());
        if (now - since > allowed) {
            violated(now,
                     has_address ? "S12: the address of one that is not Active" : "S12: the policy of one that is not Active",
                     fmt::format("machine {}, {} for {:.1f} s", m->index(), to_string(seen.state), to_seconds(now - since)));
        }
    }
}

}  // namespace vipd::sim
