#include "agent/node/node.hpp"

#include "agent/node/cloud_settings.hpp"
#include "agent/node/node_impl.hpp"
#include "agent/node/resolve.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t history_size = 512;
// The end of a shutdown whatever the kernel does with our requests: drain, then this.
constexpr duration farewell_max = 2s;
// Likewise whatever their programs do.
constexpr duration hooks_farewell_max = config::hook_stop_max + hooks::hook_runner::kill_after;

// Whether it is about one address, rule or route. Everything else can change what is possible at all.
bool is_local(const net::kernel_event& event)
{
    return !std::holds_alternative<net::link_seen>(event) && !std::holds_alternative<net::link_gone>(event) &&
           !std::holds_alternative<net::dump_done>(event);
}

}  // namespace

node::impl::impl(const node_options& options, instant now, log_sink& log) :
    options_(options),
    configuration_(options.configuration),
    random_(options.seed),
    journal_(log, history_size),
    checks_(options.seed + 2, journal_),
    world_(configuration_->aws.reconcile_period, random_.next()),
    interface_watch_(random_.next()),
    started_at_(now.steady),
    statics_({}, options.seed + 1, journal_, *this)
{
    journal_.set_now(now.wall);
    statics_.want(takeover::local_items(configuration_->policies));
    for (const auto& r : configuration_->routers) {
        routers_.push_back(make_router(r));
    }
    if (options.predecessor) {
        aside_.maintenance = options.predecessor->maintenance;
        for (const auto& left : options.predecessor->routers) {
            if (const auto index = find_router(left.name)) {
                routers_[*index].router->succeed(left);
            }
        }
        for (const auto& left : options.predecessor->priorities) {
            if (const auto index = find_router(left.name)) {
                routers_[*index].router->succeed(left);
            }
        }
        for (const auto& left : options.predecessor->addresses) {
            remains_.emplace_back(config::address_entry{.address = left.address, .interface = left.interface});
        }
    }
    deadlines_.resize(routers_.size());
}

node::impl::numbered_router node::impl::make_router(const config::router& r)
{
    return {++last_router_number_,
            std::make_unique<virtual_router>(r, random_.next(), journal_, interfaces_, *this, ec2_path_, notice_, checks_),
            std::nullopt,
            {}};
}

virtual_router* node::impl::find_by_number(std::uint64_t number) const
{
    if (const auto found = index_of_number_.find(number); found != index_of_number_.end()) {
        return routers_[found->second].router.get();
    }
    const auto found = std::ranges::find(leaving_, number, &numbered_router::number);
    return found == leaving_.end() ? nullptr : found->router.get();
}

void node::impl::touch(std::uint64_t number)
{
    if (const auto found = index_of_number_.find(number); found != index_of_number_.end()) {
        touched_.push_back(found->second);
    }
}

std::vector<ip_address> node::impl::virtual_addresses() const
{
    std::vector<ip_address> all;
    for (const auto& r : configuration_->routers) {
        for (const auto& a : r.addresses_on_node()) {
            all.push_back(a.address.address());
        }
        // They may stand on every node all the time, put there by somebody else. That of an address owner is its own.
        if (!r.address_owner) {
            all.insert(all.end(), r.advertised_addresses.begin(), r.advertised_addresses.end());
        }
    }
    for (const auto& left : remains_) {
        if (const auto* const address = std::get_if<config::address_entry>(&left)) {
            all.push_back(address->address.address());
        }
    }
    return all;
}

void node::impl::start_session(instant now)
{
    if (session_ != nullptr) {
        watch_notices(now);
        return;
    }
    if (!configuration_->uses_aws()) {
        return;
    }
    const auto settings = session_settings(*configuration_, options_.boot_id);
    session_has_identity_ = settings.needs_identity;
    session_ = std::make_unique<aws::cloud_session>(settings, options_.environment, random_.next(), journal_.log());
    session_->start(now);
    watch_notices(now);
}

void node::impl::watch_notices(instant now)
{
    const auto& n = configuration_->notices;
    session_->watch_notices(now, {n.spot, n.rebalance, n.scheduled_events, n.auto_scaling, n.lead});
}

void node::impl::start(instant now)
{
    begin_turn(now);
    running_ = true;
    start_session(now);
    recall_cloud(now);
    number_routers();
    want_checks(now);
    resolve_all(now);
    reconsider_all(now);
    settle(now);
}

// --- routers ---

void node::impl::reconsider_all(instant now)
{
    if (!running_) {
        return;
    }
    const auto own = virtual_addresses();
    claimed_keys claimed;
    bool rules_changed = std::exchange(rules_changed_, false);
    for (auto& r : routers_) {
        rules_changed = r.router->look_around(now, links_, own, claimed, adverts_) || rules_changed;
    }
    // Each by itself first: what keeps one out keeps its group out.
    note_groups_that_leave();
    for (auto& r : routers_) {
        r.router->take_part(now, links_, aside_, obstacle_of(*r.router), adverts_);
    }
    if (rules_changed) {
        rebuild_admission();
    }
    all_touched_ = true;
    if (!ready_ && links_.complete()) {
        ready_ = true;
        outputs_.emplace_back(ready{});
    }
}

void node::impl::number_routers()
{
    index_of_number_.clear();
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        index_of_number_[routers_[i].number] = static_cast<std::uint32_t>(i);
        routers_[i].router->set_index(static_cast<std::uint32_t>(i));
    }
    deadlines_.resize(routers_.size());
    form_groups();
    touched_.clear();
    all_touched_ = true;
    rules_changed_ = true;
}

void node::impl::rebuild_admission()
{
    std::vector<vrrp::router_rule> rules;
    std::vector<vrrp::admission::kept_router> kept;
    router_of_rule_.clear();
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        auto& r = routers_[i];
        if (r.rule) {
            r.counted = admission_.counters(*r.rule);
        }
        auto rule = r.router->rule();
        if (!rule) {
            r.rule.reset();
            continue;
        }
        const auto here = static_cast<std::uint32_t>(rules.size());
        kept.push_back({here, r.counted});
        r.rule = here;
        rules.push_back(std::move(*rule));
        router_of_rule_.push_back(static_cast<std::uint32_t>(i));
    }
    vrrp::admission next{std::move(rules)};
    next.carry_over(admission_, kept);
    const bool same_peers = next.peers() == admission_.peers();
    admission_ = std::move(next);
    if (!same_peers) {
        outputs_.emplace_back(set_peers{admission_.peers()});
    }
}

void node::impl::resolve_all(instant now)
{
    const auto* identity = session_ != nullptr && session_->identity() ? &*session_->identity() : nullptr;
    takeover::watch_list watched;
    std::set<aws::network_interface_id> interfaces;
    std::vector<resolved> all;
    for (const auto& r : routers_) {
        all.push_back(resolve(r.router->configuration(), identity, links_, world_, r.router->known_interfaces()));
        for (const auto& route : all.back().wanted.routes) {
            watched[route.query].insert(route.destination);
        }
        for (const auto& other : all.back().wanted.others) {
            watched.try_emplace(other.query);
        }
        for (const auto& [id, may_disable] : all.back().wanted.disable_source_dest_check) {
            interfaces.insert(id);
        }
    }
    if (session_ != nullptr) {
        world_.watch(now.steady, watched);
        interface_watch_.watch(now.steady, interfaces);
        interfaces_.keep(interfaces);
    }
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        routers_[i].router->cloud().want(now.steady, all[i].wanted, world_);
        routers_[i].router->set_unresolved(std::move(all[i].unresolved));
        routers_[i].router->set_known_interfaces(std::move(all[i].known));
        if (routers_[i].router->want_of_interfaces(std::move(all[i].of_interfaces))) {
            changed.push_back(i);
        }
    }
    // All have said first what they want: whoever lets go of something asks whether another needs it.
    if (!changed.empty()) {
        find_shared_resources();
    }
    for (const auto i : changed) {
        routers_[i].router->kernel_changed(now.steady, links_);
    }
    all_touched_ = true;
}

std::string_view node::impl::name_of_rule(std::uint32_t rule) const
{
    return routers_[router_of_rule_[rule]].router->configuration().name;
}

// --- what comes in ---

void node::impl::handle(instant now, const advert_received& datagram)
{
    const auto verdict = admission_.check(datagram, now.wall);
    if (const auto* d = std::get_if<vrrp::discarded>(&verdict)) {
        const bool known = d->router.has_value();
        notes_.discarded(now, d->reason, known ? name_of_rule(*d->router) : std::string_view{}, datagram);
        return;
    }
    const auto& a = std::get<vrrp::admitted>(verdict);
    if (a.address_list_differs || a.interval_differs) {
        notes_.differs(now, a, name_of_rule(a.router));
    }
    journal_.set_now(now.wall);
    const auto index = router_of_rule_[a.router];
    routers_[index].router->hear(now, a.advert, links_, adverts_);
    touched_.push_back(index);
    settle(now);
}

void node::impl::apply(instant now, kernel_told&& e)
{
    const bool was_complete = links_.complete();
    links_.apply(e.event);
    if (!links_.complete()) {
        return;  // the dump is judged as a whole
    }
    if (!was_complete && found_at_start_.empty()) {
        for (const auto& [index, link] : links_.links()) {
            for (const auto& address : links_.addresses_of(index)) {
                found_at_start_.insert(address.address.address());
            }
        }
    }
    if (!was_complete) {
        ask_for_unlisted_links(now);
    }
    if (was_complete && is_local(e.event)) {
        apply_local(now, e.event);
        return;
    }
    if (session_ != nullptr && std::holds_alternative<net::link_seen>(e.event)) {
        session_->refresh_interfaces(now);
    }
    checks_.links_changed(now.steady, links_);
    resolve_all(now);
    reconsider_all(now);
    for (auto* list : {&routers_, &leaving_}) {
        for (auto& r : *list) {
            r.router->kernel_changed(now.steady, links_);
        }
    }
    start_statics(now);
    statics_.kernel_changed(now.steady, links_);
}

void node::impl::apply_step_down(instant now, const step_down& s)
{
    for (auto& r : routers_) {
        const auto& name = r.router->configuration().name;
        if (!s.router.empty() && s.router != name) {
            continue;
        }
        const bool was_active = r.router->step_down(now, links_, adverts_);
        journal_.record(log_level::info, "step_down", name, {{"was_active", was_active}});
    }
    all_touched_ = true;
}

void node::impl::begin_farewell(instant now)
{
    if (aside_.stopping) {
        return;
    }
    aside_.stopping = true;
    journal_.record(log_level::info, "stopping", {}, {{"routers", routers_.size()}});
    duration drain{};
    for (const auto& r : routers_) {
        drain = std::max(drain, r.router->configuration().drain);
    }
    reconsider_all(now);
    const auto is_busy = [](const numbered_router& r) { return !r.router->hooks().idle(); };
    const bool has_hooks = std::ranges::any_of(routers_, is_busy) || std::ranges::any_of(leaving_, is_busy);
    farewell_until_ = now.steady + std::max(drain, has_hooks ? hooks_farewell_max : duration::zero()) + farewell_max;
}

void node::impl::look_for_end(instant now)
{
    if (!aside_.stopping || end_announced_) {
        return;
    }
    const auto gone = [&](const numbered_router& r) { return r.router->has_left(links_); };
    const bool nothing_left = std::ranges::all_of(routers_, gone) && std::ranges::all_of(leaving_, gone);
    if (nothing_left || now.steady >= farewell_until_) {
        end_announced_ = true;
        farewell_until_ = never;
        outputs_.emplace_back(stopped{});
    }
}

void node::impl::apply_reload(instant now, const reload& r)
{
    if (const auto possible = can_reload(*r.configuration); !possible) {
        ++refusals_;
        journal_.record(log_level::error, "reload", {}, {{"outcome", "refused"}, {"reason", possible.error().text}});
        return;
    }
    const bool other_groups = r.configuration->sync_groups != configuration_->sync_groups;
    configuration_ = r.configuration;
    ++reloads_;
    ++generation_;
    world_.set_period(now.steady, ec2_path_.pace_of_reads(configuration_->aws.reconcile_period));
    exchange_routers(now);
    start_session(now);
    number_routers();
    if (other_groups) {
        for (auto& router : routers_) {
            router.router->wait_for_other_group(now.steady);
        }
    }
    want_checks(now);
    for (auto& router : routers_) {
        router.router->weights_of_group_changed(now, links_, adverts_);
    }
    resolve_all(now);
    reconsider_all(now);
    for (auto* list : {&routers_, &leaving_}) {
        for (auto& router : *list) {
            router.router->kernel_changed(now.steady, links_);
        }
    }
    statics_.kernel_changed(now.steady, links_);
    journal_.record(log_level::info, "reload", {}, {{"outcome", "applied"}, {"routers", routers_.size()}});
}

// The lists are what they will be before the first router is told: one that lets go of an address asks whether another needs
// it.
void node::impl::exchange_routers(instant now)
{
    std::map<std::string_view, numbered_router*> old;
    for (auto& r : routers_) {
        old.emplace(r.router->configuration().name, &r);
    }
    std::vector<numbered_router> kept;
    for (const auto& next : configuration_->routers) {
        const auto same = old.find(next.name);
        kept.push_back(same == old.end() ? make_router(next) : std::move(*same->second));
    }
    const auto dropped = leaving_.size();
    for (auto& r : routers_) {
        if (r.router != nullptr) {
            leaving_.push_back(std::move(r));
        }
    }
    routers_ = std::move(kept);
    find_shared_resources();
    statics_.want(takeover::local_items(configuration_->policies));
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        routers_[i].router->configure(now, configuration_->routers[i], links_, adverts_);
    }
    for (std::size_t i = dropped; i < leaving_.size(); ++i) {
        auto& router = *leaving_[i].router;
        claimed_keys nobody_elses;
        constexpr standing_aside dropped_now{.dropped = true};
        router.look_around(now, links_, {}, nobody_elses, adverts_);
        router.take_part(now, links_, dropped_now, router.find_obstacle(links_, dropped_now), adverts_);
        router.local().want({});
    }
}

void node::impl::handle(instant now, input&& what)
{
    begin_turn(now);
    std::visit(overloaded{
                   [&](advert_not_sent& i) {
                       if (i.router < routers_.size()) {
                           routers_[i.router].router->advert_not_sent();
                       }
                   },
                   [&](kernel_told& i) { apply(now, std::move(i)); },
                   [&](kernel_answered& i) {
                       const auto found = kernel_requests_.find(i.answer.id);
                       if (found == kernel_requests_.end()) {
                           return;
                       }
                       if (found->second == 0) {
                           statics_.answered(now.steady, i.answer, links_);
                       } else if (auto* router = find_by_number(found->second)) {
                           router->local().answered(now.steady, i.answer, links_);
                           touch(found->second);
                       }
                       kernel_requests_.erase(found);
                   },
                   [&](http_finished& i) {
                       if (session_ != nullptr) {
                           session_->handle_http(now, i.id, std::move(i.result));
                       }
                   },
                   [&](file_was_read& i) {
                       if (session_ != nullptr) {
                           session_->handle_file(now, i.id, std::move(i.content));
                       }
                   },
                   [&](file_was_written& i) {
                       if (session_ != nullptr) {
                           session_->handle_written(now, i.id, i.outcome);
                       }
                   },
                   [&](process_output& i) { apply(now, i); },
                   [&](process_ended& i) { apply(now, i); },
                   [&](probe_ended& i) { checks_.handle(now.steady, i); },
                   [&](watch_ended& i) { checks_.handle(now.steady, i); },
                   [&](step_down& i) { apply_step_down(now, i); },
                   [&](set_maintenance& i) {
                       aside_.maintenance = i.on;
                       journal_.record(log_level::info, "maintenance", {}, {{"on", i.on}});
                       reconsider_all(now);
                   },
                   [&](set_priority& i) { apply_priority(now, i); },
                   [&](reload& i) { apply_reload(now, i); },
                   [&](shut_down&) { begin_farewell(now); },
               },
               what);
    settle(now);
}

void node::impl::handle_timeout(instant now)
{
    begin_turn(now);
    while (deadlines_.earliest() <= now.steady) {
        const auto index = deadlines_.earliest_index();
        routers_[index].router->handle_timeout(now, links_, adverts_);
        // Settled at once, while it is in the processor's cache: a thousand routers do not fit there together.
        settle_router(now, index, routers_[index]);
        const bool is_due_again = deadlines_.of(index) <= now.steady;
        if (is_due_again) {
            // Not again in this turn; settle() sets the real one.
            deadlines_.set(index, never);
        }
        if (is_due_again || !routers_[index].router->group().empty()) {
            touched_.push_back(index);
        }
    }
    for (auto& r : leaving_) {
        r.router->handle_timeout(now, links_, adverts_);
    }
    if (statics_.next_wakeup().at <= now.steady) {
        statics_.handle_timeout(now.steady, links_);
    }
    if (checks_.next_wakeup().at <= now.steady) {
        checks_.handle_timeout(now.steady);
    }
    if (session_ != nullptr) {
        if (session_->next_wakeup().at <= now.steady) {
            session_->handle_timeout(now);
        }
        world_.handle_timeout(now.steady);
        interface_watch_.handle_timeout(now.steady);
    }
    settle(now);
}

}  // namespace vipd::node
