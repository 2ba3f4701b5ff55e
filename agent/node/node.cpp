#include "agent/node/node.hpp"

#include "agent/net/link_table.hpp"
#include "agent/node/deadline_heap.hpp"
#include "agent/node/resolve.hpp"
#include "agent/node/virtual_router.hpp"
#include "agent/status/journal.hpp"
#include "agent/takeover/interface_watch.hpp"
#include "agent/takeover/world.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t history_size = 512;
// Codes come from the other side; after this many different ones the rest is counted together.
constexpr std::size_t call_counts_max = 256;
// The end of a shutdown whatever the kernel does with our requests: drain, then this.
constexpr duration farewell_max = 2s;
constexpr duration discard_log_pause = 10s;

aws::session_settings session_settings(const config::configuration& c)
{
    aws::session_settings s;
    s.region = c.aws.region;
    s.endpoint = c.aws.endpoint;
    s.imds_endpoint = c.aws.imds_endpoint;
    s.profile = c.aws.profile;
    s.fips = c.aws.use_fips_endpoint;
    s.dual_stack = c.aws.use_dualstack_endpoint;
    s.connections = c.aws.connections;
    s.needs_identity = needs_identity(c);
    return s;
}

// Null for events that are not about one address.
const net::link_address* changed_address(const net::kernel_event& event)
{
    if (const auto* seen = std::get_if<net::address_seen>(&event)) {
        return &seen->value;
    }
    if (const auto* gone = std::get_if<net::address_gone>(&event)) {
        return &gone->value;
    }
    return nullptr;
}

}  // namespace

class node::impl {
public:
    impl(const node_options& options, instant now, log_sink& log) :
        options_(options),
        configuration_(options.configuration),
        random_(options.seed),
        journal_(log, history_size),
        world_(configuration_->aws.reconcile_period, random_.next()),
        interface_watch_(random_.next()),
        started_at_(now.steady)
    {
        journal_.set_now(now.wall);
        for (const auto& r : configuration_->routers) {
            routers_.push_back(make_router(r));
        }
    }

    void start(instant now);
    void handle(instant now, const advert_received& datagram);
    void handle(instant now, input&& what);
    void handle_timeout(instant now);
    std::optional<output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] bool permit(aws::http_exchange_id id) const;
    [[nodiscard]] result<void> can_reload(const config::configuration& next) const;
    [[nodiscard]] std::optional<std::uint32_t> find_router(std::string_view name) const;
    [[nodiscard]] status::node snapshot(instant now) const;
    [[nodiscard]] std::size_t router_count() const { return routers_.size(); }
    [[nodiscard]] status::router router_snapshot(instant now, std::uint32_t router) const;
    [[nodiscard]] std::vector<status::event> events_after(std::uint64_t number) const { return journal_.after(number); }
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    [[nodiscard]] std::vector<std::string> plan(std::uint32_t router) const;

private:
    // A router with a number that outlives its index: calls under way refer to it.
    struct numbered_router {
        std::uint64_t number = 0;
        std::unique_ptr<virtual_router> router;
        std::optional<std::uint32_t> rule;  // index in admission
    };
    struct takeover_call {
        std::uint64_t router = 0;
        std::uint64_t ticket = 0;
    };
    struct world_call {
        std::uint64_t ticket = 0;
    };
    struct interface_call {};
    using call_owner = std::variant<takeover_call, world_call, interface_call>;

    numbered_router make_router(const config::router& r);
    // Null when it has gone in the meantime.
    [[nodiscard]] virtual_router* find_by_number(std::uint64_t number) const;
    void touch(std::uint64_t number);
    [[nodiscard]] std::vector<ip_address> virtual_addresses() const;

    void begin_turn(instant now) { journal_.set_now(now.wall); }
    void start_session(instant now);
    void reconsider_all(instant now);
    void rebuild_admission();
    void resolve_all(instant now);
    void keep_warm_connections();
    // Carries work between the machines until none has any left, then notes when each wants to be called.
    void settle(instant now);
    void settle_router(instant now, std::size_t index, numbered_router& r);
    void drain_addresses(numbered_router& r);
    bool drain_session(instant now);
    void finish_call(instant now, const aws::call_done& done);
    void count_call(const aws::call_done& done, std::string_view action);
    void note_discard(instant now, const vrrp::discarded& d, const vrrp::datagram& datagram);
    void note_difference(instant now, const vrrp::admitted& a);

    void apply(instant now, kernel_told&& e);
    void apply_address(instant now, const ip_prefix& address);
    void apply_reload(instant now, const reload& r);
    void apply_step_down(instant now, const step_down& s);
    void begin_farewell(instant now);
    void look_for_end(instant now);

    node_options options_;
    std::shared_ptr<const config::configuration> configuration_;
    random_source random_;
    status::journal journal_;
    net::link_table links_;
    std::unique_ptr<aws::cloud_session> session_;  // none without AWS resources
    takeover::world world_;
    takeover::interface_watch interface_watch_;
    time_point started_at_;

    std::vector<numbered_router> routers_;
    std::map<std::uint64_t, std::uint32_t> index_of_number_;
    std::vector<numbered_router> leaving_;  // dropped by a reload, not yet gone
    std::uint64_t last_router_number_ = 0;
    std::uint64_t generation_ = 1;
    deadline_heap deadlines_;
    std::vector<std::uint32_t> touched_;  // routers called since the last settle()
    bool all_touched_ = true;
    vrrp::admission admission_{{}};
    std::vector<std::uint32_t> router_of_rule_;

    standing_aside aside_;
    bool running_ = false;  // start() was called
    bool ready_ = false;
    bool end_announced_ = false;
    time_point farewell_until_ = never;

    advert_queue adverts_;
    std::deque<output> kernel_outputs_;
    std::deque<output> outputs_;
    id_source<net::kernel_request_id> kernel_ids_;
    std::map<net::kernel_request_id, std::uint64_t> kernel_requests_;  // the router's number
    std::map<aws::ec2_call_id, std::pair<call_owner, std::string>> calls_;
    std::optional<aws::keep_warm> warm_;  // what the session asked for; the number is ours

    std::map<std::pair<std::string, std::string>, std::uint64_t> call_counts_;
    std::uint64_t reloads_ = 0;
    std::uint64_t refusals_ = 0;
    struct discard_log {
        time_point next = time_point::min();
        std::uint64_t suppressed = 0;
    };
    std::array<discard_log, vrrp::discard_reason_count> discard_log_{};
    std::map<std::pair<std::uint32_t, bool>, time_point> difference_log_;
};

node::impl::numbered_router node::impl::make_router(const config::router& r)
{
    return {++last_router_number_, std::make_unique<virtual_router>(r, random_.next(), journal_), std::nullopt};
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
        for (const auto& a : r.addresses) {
            all.push_back(a.address.address());
        }
    }
    return all;
}

void node::impl::start_session(instant now)
{
    if (session_ != nullptr || !configuration_->uses_aws()) {
        return;
    }
    session_ = std::make_unique<aws::cloud_session>(session_settings(*configuration_), options_.environment, random_.next(),
                                                    journal_.log());
    session_->start(now);
}

void node::impl::start(instant now)
{
    begin_turn(now);
    running_ = true;
    start_session(now);
    rebuild_admission();
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
    bool sources_changed = false;
    for (auto& r : routers_) {
        sources_changed = r.router->reconsider(now.steady, links_, aside_, own, adverts_) || sources_changed;
    }
    if (sources_changed) {
        rebuild_admission();
    }
    all_touched_ = true;
    if (!ready_ && links_.complete()) {
        ready_ = true;
        outputs_.emplace_back(ready{});
    }
}

void node::impl::rebuild_admission()
{
    std::vector<vrrp::router_rule> rules;
    std::vector<vrrp::admission::kept_router> kept;
    router_of_rule_.clear();
    index_of_number_.clear();
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        auto& r = routers_[i];
        index_of_number_[r.number] = static_cast<std::uint32_t>(i);
        r.router->set_index(static_cast<std::uint32_t>(i));
        auto rule = r.router->rule();
        if (!rule) {
            r.rule.reset();
            continue;
        }
        const auto here = static_cast<std::uint32_t>(rules.size());
        if (r.rule) {
            kept.push_back({*r.rule, here});
        }
        r.rule = here;
        rules.push_back(std::move(*rule));
        router_of_rule_.push_back(static_cast<std::uint32_t>(i));
    }
    vrrp::admission next{std::move(rules)};
    next.carry_over(admission_, kept);
    const bool same_peers = next.peers() == admission_.peers();
    admission_ = std::move(next);
    deadlines_.resize(routers_.size());
    all_touched_ = true;
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
        all.push_back(resolve(r.router->configuration(), identity, links_));
        for (const auto& route : all.back().wanted.routes) {
            watched[route.query].insert(route.destination);
        }
        for (const auto& [id, may_disable] : all.back().wanted.disable_source_dest_check) {
            interfaces.insert(id);
        }
    }
    if (session_ != nullptr) {
        world_.watch(now.steady, watched);
        interface_watch_.watch(now.steady, interfaces);
    }
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        routers_[i].router->cloud().want(now.steady, all[i].wanted, world_);
        routers_[i].router->set_unresolved(std::move(all[i].unresolved));
    }
    all_touched_ = true;
}

// --- what comes in ---

void node::impl::note_discard(instant now, const vrrp::discarded& d, const vrrp::datagram& datagram)
{
    auto& limit = discard_log_[static_cast<std::size_t>(d.reason)];
    if (now.steady < limit.next) {
        ++limit.suppressed;
        return;
    }
    begin_turn(now);
    const auto router = d.router ? routers_[router_of_rule_[*d.router]].router->configuration().name : std::string{};
    journal_.log().warning("advert_discarded", {{"router", router},
                                                {"reason", to_string(d.reason)},
                                                {"from", datagram.source.to_string()},
                                                {"to", datagram.destination.to_string()},
                                                {"ttl", datagram.ttl},
                                                {"bytes", datagram.message.size()},
                                                {"like_it_since_last_line", limit.suppressed}});
    limit = {now.steady + discard_log_pause, 0};
}

void node::impl::note_difference(instant now, const vrrp::admitted& a)
{
    for (const bool interval : {false, true}) {
        if (!(interval ? a.interval_differs : a.address_list_differs)) {
            continue;
        }
        auto& next = difference_log_[{a.router, interval}];
        if (now.steady < next) {
            continue;
        }
        next = now.steady + 60 * discard_log_pause;
        begin_turn(now);
        const auto& configured = routers_[router_of_rule_[a.router]].router->configuration();
        journal_.record(log_level::warning, "advert_differs", configured.name,
                        {{"from", a.advert.source.to_string()},
                         {"what", interval ? "advert_interval" : "addresses"},
                         {"remedy", "configure the same on every node of the virtual router"}});
    }
}

void node::impl::handle(instant now, const advert_received& datagram)
{
    const auto verdict = admission_.check(datagram);
    if (const auto* d = std::get_if<vrrp::discarded>(&verdict)) {
        note_discard(now, *d, datagram);
        return;
    }
    const auto& a = std::get<vrrp::admitted>(verdict);
    if (a.address_list_differs || a.interval_differs) {
        note_difference(now, a);
    }
    journal_.set_now(now.wall);
    const auto index = router_of_rule_[a.router];
    routers_[index].router->hear(now.steady, a.advert, links_, adverts_);
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
    if (const auto* address = changed_address(e.event); address != nullptr && was_complete) {
        apply_address(now, address->address);
        return;
    }
    if (session_ != nullptr && std::holds_alternative<net::link_seen>(e.event)) {
        session_->refresh_interfaces(now);
    }
    resolve_all(now);
    reconsider_all(now);
    for (auto* list : {&routers_, &leaving_}) {
        for (auto& r : *list) {
            r.router->kernel_changed(now.steady, links_);
        }
    }
}

// A node with a thousand routers sees a thousand of these when it becomes Active, so only those are asked whom it concerns.
void node::impl::apply_address(instant now, const ip_prefix& address)
{
    const bool concerns_a_source =
        std::ranges::any_of(routers_, [&](const numbered_router& r) { return r.router->may_use_as_source(address.address()); });
    if (concerns_a_source) {
        reconsider_all(now);
    }
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        if (routers_[i].router->addresses().concerns(address)) {
            routers_[i].router->kernel_changed(now.steady, links_);
            touched_.push_back(static_cast<std::uint32_t>(i));
        }
    }
    for (auto& r : leaving_) {
        r.router->kernel_changed(now.steady, links_);
    }
}

void node::impl::apply_step_down(instant now, const step_down& s)
{
    for (auto& r : routers_) {
        const auto& name = r.router->configuration().name;
        if (!s.router.empty() && s.router != name) {
            continue;
        }
        const bool was_active = r.router->step_down(now.steady, links_, adverts_);
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
    farewell_until_ = now.steady + drain + farewell_max;
    reconsider_all(now);
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

result<void> node::impl::can_reload(const config::configuration& next) const
{
    const auto& old = *configuration_;
    const auto refuse = [](const std::string& what) -> result<void> {
        return error{error_class::unsupported,
                     what + " cannot be changed while vipd runs; restart it for that (step-down first, and nothing is lost)"};
    };
    if (next.http != old.http) {
        return refuse("[http]");
    }
    if (next.realtime != old.realtime) {
        return refuse("realtime");
    }
    if (next.log.format != old.log.format || next.log.debug != old.log.debug) {
        return refuse("[log]");
    }
    auto comparable = next.aws;
    comparable.reconcile_period = old.aws.reconcile_period;
    if (comparable != old.aws) {
        return refuse("[aws] (but for reconcile_period)");
    }
    if (session_ != nullptr && needs_identity(next) && !needs_identity(old)) {
        return refuse("from interface_id to interface: the identity of this instance, which was not asked for at the start,");
    }
    return {};
}

void node::impl::apply_reload(instant now, const reload& r)
{
    if (const auto possible = can_reload(*r.configuration); !possible) {
        ++refusals_;
        journal_.record(log_level::error, "reload", {}, {{"outcome", "refused"}, {"reason", possible.error().text}});
        return;
    }
    configuration_ = r.configuration;
    ++reloads_;
    ++generation_;
    world_.set_period(configuration_->aws.reconcile_period);
    std::vector<numbered_router> kept;
    for (const auto& next : configuration_->routers) {
        const auto old = std::ranges::find_if(routers_, [&](const numbered_router& n) {
            return n.router != nullptr && n.router->configuration().name == next.name;
        });
        if (old == routers_.end()) {
            kept.push_back(make_router(next));
            continue;
        }
        old->router->configure(now.steady, next, links_, adverts_);
        kept.push_back(std::move(*old));
    }
    for (auto& old : routers_) {
        if (old.router == nullptr) {
            continue;
        }
        old.router->reconsider(now.steady, links_, {.stopping = true}, {}, adverts_);
        old.router->addresses().want(now.steady, {}, links_);
        leaving_.push_back(std::move(old));
    }
    routers_ = std::move(kept);
    start_session(now);
    rebuild_admission();
    resolve_all(now);
    reconsider_all(now);
    journal_.record(log_level::info, "reload", {}, {{"outcome", "applied"}, {"routers", routers_.size()}});
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
                       if (auto* router = find_by_number(found->second)) {
                           router->addresses().answered(now.steady, i.answer, links_);
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
                   [&](step_down& i) { apply_step_down(now, i); },
                   [&](set_maintenance& i) {
                       aside_.maintenance = i.on;
                       journal_.record(log_level::info, "maintenance", {}, {{"on", i.on}});
                       reconsider_all(now);
                   },
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
        routers_[index].router->handle_timeout(now.steady, links_, adverts_);
        touched_.push_back(index);
        // Not again in this turn; settle() sets the real one.
        deadlines_.set(index, never);
    }
    for (auto& r : leaving_) {
        r.router->handle_timeout(now.steady, links_, adverts_);
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

// --- between the machines ---

void node::impl::count_call(const aws::call_done& done, std::string_view action)
{
    const auto* e = std::get_if<aws::ec2_error>(&done.reply.value);
    std::pair<std::string, std::string> key{action, e == nullptr ? "ok" : e->code};
    if (call_counts_.size() >= call_counts_max && !call_counts_.contains(key)) {
        key.second = "other";
    }
    ++call_counts_[key];
}

void node::impl::finish_call(instant now, const aws::call_done& done)
{
    const auto found = calls_.find(done.id);
    if (found == calls_.end()) {
        return;
    }
    const auto [owner, action] = std::move(found->second);
    calls_.erase(found);
    count_call(done, action);
    std::visit(overloaded{
                   [&](const takeover_call& o) {
                       if (auto* router = find_by_number(o.router)) {
                           router->cloud().answered(now.steady, o.ticket, done);
                           touch(o.router);
                       }
                   },
                   [&](const world_call& o) {
                       const auto changed = world_.handle(now.steady, o.ticket, done.reply);
                       if (!changed) {
                           return;
                       }
                       for (auto& r : routers_) {
                           r.router->cloud().world_changed(now.steady, *changed, *world_.find(*changed));
                       }
                       all_touched_ = true;
                       keep_warm_connections();
                   },
                   [&](const interface_call&) {
                       for (const auto& seen : interface_watch_.handle(now.steady, done.reply)) {
                           for (auto& r : routers_) {
                               r.router->cloud().interface_seen(now.steady, seen);
                           }
                       }
                       all_touched_ = true;
                   },
               },
               owner);
}

void node::impl::keep_warm_connections()
{
    if (!warm_) {
        return;
    }
    // One for each call that a takeover of everything would make at once, and one for reading.
    std::size_t registers = 0;
    for (const auto& r : routers_) {
        registers += r.router->cloud().register_count();
    }
    const auto wanted = static_cast<unsigned>(std::clamp<std::size_t>(registers + 1, 2, configuration_->aws.connections));
    if (warm_->connections != 0 && wanted != warm_->connections) {
        warm_->connections = wanted;
        outputs_.emplace_back(*warm_);
    }
}

bool node::impl::drain_session(instant now)
{
    bool any = false;
    while (auto o = session_->poll_output()) {
        any = true;
        std::visit(overloaded{
                       [&](aws::http_exchange& e) { outputs_.emplace_back(start_http{std::move(e)}); },
                       [&](aws::cancel_http& e) { outputs_.emplace_back(e); },
                       [&](aws::keep_warm& e) {
                           warm_ = e;
                           outputs_.emplace_back(e);
                           keep_warm_connections();
                       },
                       [&](aws::read_file& e) { outputs_.emplace_back(std::move(e)); },
                       [&](aws::call_done& e) { finish_call(now, e); },
                       [&](aws::identity_changed&) { resolve_all(now); },
                   },
                   *o);
    }
    while (auto call = world_.poll_output()) {
        any = true;
        const auto id = session_->call(now, call->call);
        calls_.emplace(id, std::pair{call_owner{world_call{call->ticket}}, "DescribeRouteTables"});
    }
    while (auto call = interface_watch_.poll_output()) {
        any = true;
        const auto id = session_->call(now, *call);
        calls_.emplace(id, std::pair{call_owner{interface_call{}}, "DescribeNetworkInterfaces"});
    }
    return any;
}

void node::impl::drain_addresses(numbered_router& r)
{
    while (const auto change = r.router->addresses().poll_output()) {
        const auto id = kernel_ids_.next();
        kernel_requests_.emplace(id, r.number);
        r.router->addresses().issued(change->entry, id);
        kernel_outputs_.emplace_back(change_kernel{id, change->what});
    }
}

void node::impl::settle_router(instant now, std::size_t index, numbered_router& r)
{
    drain_addresses(r);
    while (auto o = r.router->cloud().poll_output()) {
        std::visit(overloaded{
                       [&](takeover::issue_call& c) {
                           const auto action = std::string(aws::action_name(c.call));
                           const auto id = session_->call(now, c.call);
                           calls_.emplace(id, std::pair{call_owner{takeover_call{r.number, c.ticket}}, action});
                       },
                       [&](const takeover::cancel_call& c) {
                           for (auto call = calls_.begin(); call != calls_.end(); ++call) {
                               const auto* owner = std::get_if<takeover_call>(&call->second.first);
                               if (owner != nullptr && owner->router == r.number && owner->ticket == c.ticket) {
                                   session_->cancel(call->first);
                                   calls_.erase(call);
                                   break;
                               }
                           }
                       },
                       [&](const takeover::want_read& w) { world_.read_at(w.query, w.at); },
                   },
                   *o);
    }
    if (index < routers_.size()) {
        deadlines_.set(static_cast<std::uint32_t>(index), r.router->next_wakeup().at);
    }
}

void node::impl::settle(instant now)
{
    bool more = true;
    while (more) {
        if (all_touched_) {
            for (std::size_t i = 0; i < routers_.size(); ++i) {
                settle_router(now, i, routers_[i]);
            }
        } else {
            for (const auto index : touched_) {
                settle_router(now, index, routers_[index]);
            }
        }
        for (auto& r : leaving_) {
            settle_router(now, routers_.size(), r);
        }
        all_touched_ = false;
        touched_.clear();
        if (session_ != nullptr) {
            // A read that is due this moment joins this turn.
            world_.handle_timeout(now.steady);
            more = drain_session(now) || all_touched_ || !touched_.empty();
        } else {
            more = false;
        }
    }
    std::erase_if(leaving_, [&](const numbered_router& r) { return r.router->has_left(links_); });
    look_for_end(now);
}

std::optional<output> node::impl::poll_output()
{
    if (!kernel_outputs_.empty()) {
        auto first = std::move(kernel_outputs_.front());
        kernel_outputs_.pop_front();
        return first;
    }
    if (!adverts_.empty()) {
        const auto& a = adverts_.pop();
        return send_advert{a.router, a.source, a.destination, adverts_.bytes(a)};
    }
    if (!outputs_.empty()) {
        auto first = std::move(outputs_.front());
        outputs_.pop_front();
        return first;
    }
    adverts_.recycle();
    return std::nullopt;
}

wakeup node::impl::next_wakeup() const
{
    wakeup next{deadlines_.earliest(), "router"};
    for (const auto& r : leaving_) {
        next = earliest(next, r.router->next_wakeup());
    }
    if (session_ != nullptr) {
        next = earliest(next, session_->next_wakeup());
        next = earliest(next, world_.next_wakeup());
        next = earliest(next, interface_watch_.next_wakeup());
    }
    return earliest(next, {farewell_until_, "farewell"});
}

bool node::impl::permit(aws::http_exchange_id id) const
{
    if (session_ == nullptr) {
        return false;
    }
    const auto call = session_->call_of(id);
    const auto found = call ? calls_.find(*call) : calls_.end();
    if (found == calls_.end()) {
        return false;
    }
    const auto* owner = std::get_if<takeover_call>(&found->second.first);
    if (owner == nullptr) {
        return false;
    }
    const auto* router = find_by_number(owner->router);
    return router != nullptr && router->state() == vrrp::state::active && router->cloud().is_under_way(owner->ticket);
}

// --- what it says of itself ---

std::optional<std::uint32_t> node::impl::find_router(std::string_view name) const
{
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        if (routers_[i].router->configuration().name == name) {
            return static_cast<std::uint32_t>(i);
        }
    }
    return std::nullopt;
}

status::node node::impl::snapshot(instant now) const
{
    status::node s;
    s.version = VIPD_VERSION;
    s.uptime = now.steady - started_at_;
    s.maintenance = aside_.maintenance;
    s.ready = ready_ && !aside_.stopping;
    s.uses_aws = configuration_->uses_aws();
    s.router_count = routers_.size();
    s.configuration_reloads = reloads_;
    s.configuration_refusals = refusals_;
    if (session_ != nullptr) {
        s.aws = session_->snapshot(now);
    }
    s.discarded_before_router = admission_.counters_before_router();
    for (const auto& [key, count] : call_counts_) {
        s.ec2_calls.push_back({key.first, key.second, count});
    }
    return s;
}

status::router node::impl::router_snapshot(instant now, std::uint32_t router) const
{
    const auto& r = routers_.at(router);
    return r.router->snapshot(now.steady, links_, world_, r.rule ? &admission_.counters(*r.rule) : nullptr);
}

std::vector<std::string> node::impl::plan(std::uint32_t router) const
{
    const auto& r = *routers_.at(router).router;
    std::vector<std::string> lines;
    for (const auto& entry : r.configuration().addresses) {
        const auto* link = links_.find_link(entry.interface);
        const bool here = link != nullptr && links_.has_address(link->index, entry.address);
        lines.push_back((here ? "= " : "+ ") + entry.address.to_string() + " on " + entry.interface +
                        (here ? ": is there" : ": added by netlink"));
    }
    auto routes = r.cloud().plan(world_);
    lines.insert(lines.end(), routes.begin(), routes.end());
    return lines;
}

// --- the shell's door ---

node::node(const node_options& options, instant now, log_sink& log) : impl_(std::make_unique<impl>(options, now, log)) {}

node::~node() = default;

void node::start(instant now)
{
    impl_->start(now);
}

void node::handle(instant now, const advert_received& datagram)
{
    impl_->handle(now, datagram);
}

void node::handle(instant now, input&& what)
{
    impl_->handle(now, std::move(what));
}

void node::handle_timeout(instant now)
{
    impl_->handle_timeout(now);
}

std::optional<output> node::poll_output()
{
    return impl_->poll_output();
}

wakeup node::next_wakeup() const
{
    return impl_->next_wakeup();
}

bool node::permit(instant /*now*/, aws::http_exchange_id id)
{
    return impl_->permit(id);
}

result<void> node::can_reload(const config::configuration& configuration) const
{
    return impl_->can_reload(configuration);
}

std::optional<std::uint32_t> node::find_router(std::string_view name) const
{
    return impl_->find_router(name);
}

status::node node::snapshot(instant now) const
{
    return impl_->snapshot(now);
}

std::size_t node::router_count() const
{
    return impl_->router_count();
}

status::router node::router_snapshot(instant now, std::uint32_t router) const
{
    return impl_->router_snapshot(now, router);
}

std::vector<status::event> node::events_after(std::uint64_t number) const
{
    return impl_->events_after(number);
}

std::uint64_t node::generation() const
{
    return impl_->generation();
}

std::vector<std::string> node::plan(instant /*now*/, std::uint32_t router) const
{
    return impl_->plan(router);
}

}  // namespace vipd::node
