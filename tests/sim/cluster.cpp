#include "tests/sim/cluster.hpp"

#include "tests/sim/account.hpp"
#include "tests/sim/log_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

constexpr time_point start_time{1'000'000s};
constexpr wall_time start_wall{1'790'000'000s};
constexpr duration tracked_flow_life = 600s;

vrrp::state parse_state(std::string_view text)
{
    return text == "Active" ? vrrp::state::active : (text == "Backup" ? vrrp::state::backup : vrrp::state::initialize);
}

std::string form_value(const std::string& form, const std::string& key)
{
    const auto place = form.find(key + '=');
    if (place == std::string::npos) {
        return {};
    }
    const auto begin = place + key.size() + 1;
    return form.substr(begin, form.find('&', begin) - begin);
}

// Of a call that is about a route: its destination in its table.
std::string route_of(const std::string& form)
{
    const auto table = form_value(form, "RouteTableId");
    return table.empty() ? table
                         : table + ' ' + form_value(form, "DestinationCidrBlock") +
                               form_value(form, "DestinationIpv6CidrBlock") + form_value(form, "DestinationPrefixListId");
}

}  // namespace

cluster::cluster(cluster_options options, std::uint64_t seed, std::function<void(const std::string&)> tell) :
    options_(std::move(options)),
    random_(seed),
    events_(start_time),
    history_(start_time, std::move(tell)),
    cloud_(make_account(options_, start_time), random_.next()),
    site_{cloud_, events_, {start_time, start_wall, 0}, [this] { settle_cloud(); }},
    network_(
        options_.machines.size(), random_.next(),
        [this](time_point at, std::function<void()> what) { events_.at(at, std::move(what)); },
        [this](std::size_t to, std::size_t from, const byte_buffer& message, bool corrupted) {
            deliver(to, from, message, corrupted);
        }),
    invariants_(options_, machines_, network_),
    moves_(options_, machines_, invariants_, situations_),
    roles_(options_, machines_, network_, invariants_, situations_),
    notes_(options_.machines.size()),
    heard_(options_.machines.size()),
    reload_in_takeover_(options_.machines.size()),
    replacement_in_drain_(options_.machines.size()),
    busy_until_(start_time)
{
    cloud_.set_latency({options_.cloud_latency / 2, options_.cloud_latency * 3 / 2, {}});
    cloud_.set_consistency({options_.stale_reads, options_.stale_reads_lag});
    cloud_.imds().set_credential_lifetime(options_.credential_lifetime);
    cloud_.imds().set_lag(options_.imds_lag);
    const auto move = options_.move_time_max;
    cloud_.set_move_times({{move / 4, move, {}}, {move / 4, move, {}}, {{}, move / 4, {}}});
    network_.set_quality(options_.network);
    for (std::size_t t = 0; t < options_.tables; ++t) {
        table_ids_.emplace_back(options_.table_id(t));
    }
    for (std::size_t router = 0; router < options_.routers(); ++router) {
        destinations_.push_back(destination_of(options_, router));
    }
    first_destination_ = options_.by_prefix_list ? cluster_options::prefix_list_id() : options_.virtual_address().to_string();
    for (std::size_t i = 0; i < options_.machines.size(); ++i) {
        const auto& m = options_.machines[i];
        names_.push_back(fmt::format("node-{}", i));
        interface_ids_.push_back(options_.interface_id(i));
        host_clock clock{start_time, start_wall, m.clock_drift_ppm};
        clock.set_wall_offset(m.wall_offset);
        machine::settings settings{i,
                                   std::make_shared<const config::configuration>(options_.configuration(i)),
                                   options_.address(i),
                                   mac_of(i),
                                   instance_of(i),
                                   random_.next()};
        machines_.push_back(
            std::make_unique<machine>(std::move(settings), clock, events_, site_, static_cast<machine::observer&>(*this)));
        by_address_[options_.address(i)] = i;
        events_.after(random_.between(0s, 1s), [this, i] { machines_[i]->power_on(); });
    }
    watch();
}

void cluster::watch()
{
    invariants_.check_addresses(events_.now());
    invariants_.check_services(events_.now());
    roles_.look(events_.now());
    watch_what_is_moved();
    if (looks_++ % 10 == 0) {
        invariants_.check_queues(events_.now());
    }
    events_.after(1s, [this] { watch(); });
}

// What an Active is to have and has not: whether it rests, and whether it leaves things as they are although EC2 would let it.
void cluster::watch_what_is_moved()
{
    const auto now = events_.now();
    if (!cloud_.faults().all().empty() || !cloud_.policies().empty()) {
        cloud_troubled_at_ = now;
    }
    const auto active = sole_active();
    if (!active || (routes_lead_to(*active) && what_has_not_moved_to(*active).empty())) {
        astray_since_ = now;
        return;
    }
    if (!has_duel(*active)) {
        invariants_.check_rest(now, *machines_[*active], std::max(astray_since_, cloud_troubled_at_));
    }
}

void cluster::run_until(time_point until)
{
    while (!invariants_.found() && events_.step(until)) {
        judge_event();
    }
}

bool cluster::run_until(const std::function<bool()>& condition, duration at_most)
{
    const auto until = events_.now() + at_most;
    while (!condition()) {
        if (invariants_.found() || !events_.step(until)) {
            return condition();
        }
        judge_event();
    }
    return true;
}

void cluster::judge_event()
{
    invariants_.check(events_.now());
    if (!pending_.empty()) {
        observe();
    }
}

// --- what is seen ---

std::size_t cluster::active_count() const
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        count += invariants_.state(i) == vrrp::state::active ? 1U : 0U;
    }
    return count;
}

std::optional<std::size_t> cluster::sole_active() const
{
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        if (invariants_.state(i) == vrrp::state::active) {
            if (found) {
                return std::nullopt;
            }
            found = i;
        }
    }
    return found;
}

const std::string& cluster::target(std::size_t table, std::size_t router) const
{
    static const std::string nobody;
    const auto* t = cloud_.model().primary().table(table_ids_.at(table));
    const auto* route = t == nullptr ? nullptr : t->static_route(destinations_.at(router));
    return route == nullptr ? nobody : route->target.id;
}

bool cluster::routes_lead_to(std::size_t machine) const
{
    for (std::size_t t = 0; t < options_.tables; ++t) {
        if (target(t) != interface_ids_.at(machine)) {
            return false;
        }
    }
    return !options_.sync_group || target(0, 1) == interface_ids_.at(machine);
}

bool cluster::is_better(const machine& a, const machine& b) const
{
    return std::pair{a.base_priority(), a.address()} > std::pair{b.base_priority(), b.address()};
}

// --- adverts ---

void cluster::on_advert(machine& from, const node::send_advert& advert)
{
    const auto now = events_.now();
    invariants_.on_advert(now, from, advert);
    history_.mix(advert.message);
    history_.add(now, names_[from.index()],
                 [&] { return fmt::format("advert to {} priority {}", advert.destination.to_string(), advert.message[2]); });
    const auto to = by_address_.find(advert.destination);
    if (to == by_address_.end()) {
        return;
    }
    if (!from.has_send_room() && invariants_.state(from.index()) == vrrp::state::active) {
        note_once(from.index(), situation::advert_of_active_refused);
    }
    if (!from.has_link() || !from.has_send_room()) {
        network_.note_trouble(now, from.index(), to->second);
        return;
    }
    network_.send(now, from.index(), to->second, advert.message);
}

void cluster::deliver(std::size_t to, std::size_t from, const byte_buffer& message, bool corrupted)
{
    const auto now = events_.now();
    auto& receiver = *machines_[to];
    const auto& sender = machines_[from]->address();
    const bool is_of_second = message.size() > 1 && message[1] == cluster_options::vrid(1);
    if (is_of_second && (second_network_down_.contains(from) || second_network_down_.contains(to))) {
        return;
    }
    if (options_.machines[to].lacks_inbound_rule &&
        (receiver.spoke_to(sender) == time_point::min() || now - receiver.spoke_to(sender) > tracked_flow_life)) {
        if (receiver.spoke_to(sender) != time_point::min()) {
            note_once(to, situation::flow_forgotten);
            changes_allowed_.reset();  // a fault of its own, whatever else came alone
        }
        network_.note_trouble(now, from, to);
        return;
    }
    if (receiver.has_unread_release() && message.size() > 2 && message[2] != 0) {
        situations_.note(situation::release_and_advert_in_one_batch);
    }
    if (!corrupted && !receiver.is_paused()) {
        note_double(receiver, *machines_[from]);
    }
    const auto kind = corrupted ? machine::datagram_kind::corrupted : machine::datagram_kind::genuine;
    if (!receiver.receive({sender, message, kind})) {
        network_.note_trouble(now, from, to);
        return;
    }
    if (!corrupted && !is_of_second && message.size() > 2 && message[2] != 0) {
        roles_.on_delivered(now, to, from, message[2]);
    }
    if (options_.auth && !corrupted && invariants_.connected_since(from, to) != never) {
        // What it has believed, or will: of what it discarded a copy is the first.
        heard_[to] = {receiver.process_number(), from, message};
    }
}

// Of two that had both been Active for longer than an interval, neither can have heard the other before: what kept them apart
// is over. Two whose timers ran out together were never apart.
void cluster::note_double(const machine& to, const machine& from)
{
    if (invariants_.state(to.index()) != vrrp::state::active || invariants_.state(from.index()) != vrrp::state::active ||
        notes_[to.index()].is_double_noted || notes_[from.index()].is_double_noted ||
        invariants_.connected_since(from.index(), to.index()) == never) {
        return;
    }
    notes_[to.index()].is_double_noted = notes_[from.index()].is_double_noted = true;
    if (events_.now() - std::max(notes_[to.index()].since, notes_[from.index()].since) <= invariants_.agreement_time()) {
        return;
    }
    const auto of_sender = from.snapshot().effective_priority;
    const auto of_receiver = to.snapshot().effective_priority;
    const bool winner_first = std::pair{of_sender, from.address()} > std::pair{of_receiver, to.address()};
    situations_.note(
        of_sender != of_receiver
            ? (winner_first ? situation::two_actives_by_priority_winner_first : situation::two_actives_by_priority_loser_first)
            : (winner_first ? situation::two_actives_by_address_winner_first : situation::two_actives_by_address_loser_first));
}

void cluster::on_suspicious(machine& by, bool discarded, const std::string& wrong)
{
    if (discarded) {
        situations_.note(situation::bad_advert_discarded);
    } else {
        roles_.on_misled(events_.now(), by.index());
    }
    if (!wrong.empty()) {
        invariants_.violated(events_.now(), "S5: a bad packet changes nothing",
                             fmt::format("machine {}: {}", by.index(), wrong));
    }
}

void cluster::on_turn(machine& of)
{
    if (!of.is_running()) {
        invariants_.on_process_end(of);
    }
    invariants_.on_turn(events_.now(), of);
}

void cluster::on_late_answer(machine& to, const std::string& wrong)
{
    situations_.note(situation::answer_after_cancellation);
    invariants_.on_late_answer(events_.now(), to, wrong);
}

void cluster::on_unasked_end(machine& of)
{
    invariants_.violated(events_.now(), "S15: nobody ends unasked", fmt::format("machine {}", of.index()));
}

void cluster::on_spinning(machine& of, const std::string& why)
{
    invariants_.violated(events_.now(), "a loop that never rests", fmt::format("machine {}: {}", of.index(), why));
}

// --- the log ---

void cluster::on_log(machine& of, const log_record& record)
{
    history_.add(events_.now(), names_[of.index()], record);
    invariants_.on_log(events_.now(), of, record, cloud_.keys());
    if (record.event == "transition") {
        on_transition(of, record);
    } else {
        note_record(of, record);
    }
}

void cluster::on_transition(machine& of, const log_record& record)
{
    const auto from = parse_state(text_field(record, "from"));
    const auto to = parse_state(text_field(record, "to"));
    const auto reason = text_field(record, "reason");
    const std::size_t router = text_field(record, "router") == cluster_options::router_name(1) ? 1 : 0;
    invariants_.on_transition(events_.now(), of, router, from, to, reason,
                              static_cast<std::uint64_t>(number_field(record, "epoch")));
    if (router > 0) {
        return;
    }
    role_changes_.push_back({events_.now(), of.index(), to, std::string(reason)});
    count_change(of.index(), from, to, reason);
    if (from == vrrp::state::active) {
        note_end_of_epoch(of, reason);
        replace_in_drain(of);
    }
    if (to == vrrp::state::active) {
        on_became_active(of, reason);
        note_epoch(of, reason);
    }
}

void cluster::on_became_active(const machine& of, std::string_view reason)
{
    roles_.on_became_active(events_.now(), of.index(), reason);
    observe_takeover(reason);
    if (auto& planned = reload_in_takeover_[of.index()]) {
        after(random_.between(0ms, 2 * options_.cloud_latency),
              [this, f = *std::exchange(planned, std::nullopt)] { begin(f, {}); });
    }
}

// --- the cloud ---

void cluster::on_first_byte(machine& from, const aws::http_exchange& exchange)
{
    const auto now = events_.now();
    const auto& body = exchange.request.body;
    const auto action = exchange.origin.tls ? form_value(body, "Action") : exchange.request.target;
    history_.mix(body);
    history_.add(now, names_[from.index()],
                 [&] { return fmt::format("request {} {}", action, form_value(body, "RouteTableId")); });
    mutating_calls_ += exchange.mutating ? 1U : 0U;
    if (action == "DetachNetworkInterface" && form_value(body, "Force") == "true") {
        situations_.note(situation::interface_forced);
    }
    // By the words of the request alone, and not by what the node takes it for.
    const bool changes_something = exchange.origin.tls && !exchange.origin.host.starts_with("sts") &&
                                   !action.starts_with("Describe") && form_value(body, "DryRun") != "true";
    if (changes_something != exchange.mutating) {
        invariants_.violated(now, "S1: a call is what it is taken for", fmt::format("machine {}: {}", from.index(), action));
    }
    invariants_.on_first_byte(now, from, exchange.origin.tls ? action : "IMDS", route_of(body),
                              form_value(body, "NetworkInterfaceId"), changes_something);
}

void cluster::on_answer(machine& to, const aws::http_exchange& exchange, const cloud::exchange_record& record)
{
    history_.add(events_.now(), names_[to.index()],
                 [&] { return fmt::format("answer {} {} {}", record.action, record.status, record.code); });
    if (invariants_.state(to.index()) != vrrp::state::active) {
        return;
    }
    if (exchange.mutating) {
        note_answer(to, record);
    } else if (record.lag > duration::zero() && !landings_.empty() && landings_.back().by == to.index() &&
               landings_.back().at > events_.now() - record.lag && record.action == "DescribeRouteTables") {
        situations_.note(situation::stale_read_after_write);
    } else if (record.lag == duration::zero() && record.action == "DescribeNetworkInterfaces" && record.status == 200 &&
               exchange.request.body.find(options_.secondary_ip().to_string()) != std::string::npos) {
        moves_.on_address_read(to.index(), cloud_.model());
    }
}

void cluster::settle_cloud()
{
    cloud_.handle_timeout(site_.now());
    while (const auto change = cloud_.poll_change()) {
        std::optional<std::size_t> by;
        for (std::size_t i = 0; i < machines_.size(); ++i) {
            if (change->node == names_[i]) {
                by = i;
            }
        }
        history_.add(change->at, "cloud", [&] {
            return fmt::format("{} {} -> {} by {}", change->action, change->table, change->interface,
                               change->node.empty() ? "hand" : change->node);
        });
        if (by) {
            moves_.on_call(*by, *change);
            interrupt_move(*by, *change);
        }
        if (change->action != "ReplaceRoute" && change->action != "CreateRoute") {
            continue;
        }
        landings_.push_back({change->at, by, change->table});
        if (by) {
            note_landing(*by, *change);
        }
    }
    while (const auto movement = cloud_.poll_movement()) {
        moves_.on_movement(*movement);
        const auto to = std::ranges::find(names_, movement->node);
        if (movement->what == cloud::movement::subject::interface && to != names_.end() && movement->mac == mac_of_floating()) {
            auto& m = *machines_[static_cast<std::size_t>(to - names_.begin())];
            movement->arrived ? m.plug(movement->mac) : m.unplug();
        }
    }
    const auto next = cloud_.next_wakeup().at;
    if (next != never && (next < cloud_wakes_at_ || cloud_wakes_at_ <= events_.now())) {
        cloud_wakes_at_ = next;
        events_.at(std::max(next, events_.now()), [this] { settle_cloud(); });
    }
}

void cluster::put_route(std::size_t table, const std::string& target, std::string_view by)
{
    const auto now = events_.now();
    const cloud::route_table_id id{options_.table_id(table)};
    if (target.empty()) {
        cloud_.model().remove_route(now, id, destinations_.front());
    } else {
        cloud_.model().put_route(now, id, {destinations_.front(), {target}, cloud::route_origin::create_route});
    }
    landings_.push_back({now, std::nullopt, id.str()});
    note_route_by_hand(id.str(), target);
    history_.add(now, "cloud", [&] { return fmt::format("{} -> {} by {}", id.str(), target.empty() ? "none" : target, by); });
}

}  // namespace vipd::sim
