#include "agent/node/node_impl.hpp"
#include "agent/node/reload_rules.hpp"

namespace vipd::node {

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
    s.notice = notice_;
    s.ready = ready_ && !aside_.stopping;
    s.uses_aws = configuration_->uses_aws();
    s.router_count = routers_.size();
    s.configuration_reloads = reloads_;
    s.configuration_refusals = refusals_;
    if (session_ != nullptr) {
        s.aws = session_->snapshot(now);
    }
    if (s.uses_aws) {
        s.ec2_path = ec2_path_.snapshot(now.steady);
    }
    s.discarded_before_router = admission_.counters_before_router();
    s.ec2_calls = calls_.counts();
    statics_.snapshot(links_, s.policies);
    return s;
}

status::router node::impl::router_snapshot(instant now, std::uint32_t router) const
{
    const auto& r = routers_.at(router);
    auto s = r.router->snapshot(now.steady, links_, world_, r.rule ? admission_.counters(*r.rule) : r.counted);
    if (auto waits = why_it_waits(*r.router); !waits.empty()) {
        s.state_reason = std::move(waits);
    }
    return s;
}

std::vector<std::string> node::impl::plan(std::uint32_t router) const
{
    const auto& r = *routers_.at(router).router;
    auto lines = r.local().plan(links_);
    for (const auto& one : r.unresolved()) {
        lines.push_back(one.state == status::resource_state::elsewhere ? "+ " + one.name + ": set up when the interface is here"
                                                                       : "? " + one.name + ": " + one.last_error);
    }
    auto in_cloud = r.cloud().plan(world_);
    lines.insert(lines.end(), in_cloud.begin(), in_cloud.end());
    return lines;
}

result<void> node::impl::can_reload(const config::configuration& next) const
{
    const auto session = session_ == nullptr     ? session_kind::none
                         : session_has_identity_ ? session_kind::with_identity
                                                 : session_kind::without_identity;
    return check_reload(*configuration_, next, session);
}

result<void> node::impl::can_be_succeeded() const
{
    if (aside_.stopping) {
        return error{error_class::unsupported, "vipd is stopping"};
    }
    if (!ready_) {
        return error{error_class::unavailable, "not every router has been started yet; try again"};
    }
    // A program that outlived this process would have nobody to hear how it ended.
    for (const auto* list : {&routers_, &leaving_}) {
        for (const auto& r : *list) {
            if (!r.router->hooks().idle()) {
                return error{error_class::unavailable,
                             "a hook of router " + r.router->configuration().name + " is running; try again"};
            }
        }
    }
    return {};
}

succession node::impl::leave_behind(instant now) const
{
    succession s{aside_.maintenance, {}, {}, addresses_for_a_while(), ec2_path_.leave_behind()};
    if (session_ != nullptr) {
        s.notices = session_->heard_notices();
    }
    for (const auto& r : routers_) {
        s.routers.push_back(r.router->leave_behind(now.steady));
        if (const auto priority = r.router->runtime_priority()) {
            const auto& configuration = r.router->configuration();
            s.priorities.push_back({configuration.name, *priority, configuration.priority});
        }
    }
    return s;
}

result<std::string> node::impl::can_step_down(std::string_view router) const
{
    if (!router.empty()) {
        const auto index = find_router(router);
        if (!index) {
            return error{error_class::not_found, "there is no router " + std::string(router)};
        }
        return can_step_down(*routers_[*index].router);
    }
    constexpr std::size_t names_max = 20;
    std::string names;
    std::size_t count = 0;
    for (const auto& r : routers_) {
        if (r.router->state() == vrrp::state::active && ++count <= names_max) {
            names.append(names.empty() ? "" : ", ").append(r.router->configuration().name);
        }
    }
    if (count == 0 && routers_.size() == 1) {
        return can_step_down(*routers_.front().router);
    }
    if (count == 0) {
        return error{error_class::unsupported, "no router is Active here: there is nothing to hand over"};
    }
    const auto more = count > names_max ? " and " + std::to_string(count - names_max) + " more" : std::string{};
    return (count == 1 ? "router " : "routers ") + names + more + (count == 1 ? " hands over" : " hand over");
}

result<std::string> node::impl::can_step_down(const virtual_router& r)
{
    const auto& name = r.configuration().name;
    if (r.state() == vrrp::state::active) {
        return "router " + name + " hands over";
    }
    auto why = "router " + name + " is " + std::string(to_string(r.state())) + " here";
    if (const auto active = r.active_elsewhere()) {
        why += ", Active is " + active->to_string() + ": run it there";
    } else if (r.state() == vrrp::state::initialize) {
        why += ": " + r.obstacle();
    } else {
        why += ", and it hears no Active: there is nothing to hand over";
    }
    return error{error_class::unsupported, std::move(why)};
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

bool node::permit(instant now, aws::http_exchange_id id)
{
    return impl_->permit(now, id);
}

result<void> node::can_reload(const config::configuration& configuration) const
{
    return impl_->can_reload(configuration);
}

result<void> node::can_be_succeeded() const
{
    return impl_->can_be_succeeded();
}

succession node::leave_behind(instant now) const
{
    return impl_->leave_behind(now);
}

result<std::string> node::can_step_down(std::string_view router) const
{
    return impl_->can_step_down(router);
}

result<std::string> node::can_set_priority(const set_priority& wanted) const
{
    return impl_->can_set_priority(wanted);
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
