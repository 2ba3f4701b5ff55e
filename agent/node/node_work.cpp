#include "agent/aws/time_text.hpp"
#include "agent/node/node_impl.hpp"
#include "agent/node/resolve.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

void node::impl::finish_read(instant now, const std::string& action, const aws::call_done& done)
{
    call_notes_.read_ended(now.steady, action, done);
    if (ec2_path_.read_ended(now.steady, done.reply)) {
        path_changed(now);
    }
}

// An interface that came shortly before this process did is no news from the kernel, and the metadata service lags behind it as
// behind any other. Links that are none of EC2's are asked for as well: a few times, after a start or a change.
void node::impl::ask_for_unlisted_links(instant now)
{
    const auto moves_interfaces = [](const numbered_router& r) { return !r.router->configuration().enis.empty(); };
    if (session_ == nullptr || !session_->identity() || !links_.complete() ||
        std::ranges::none_of(routers_, moves_interfaces)) {
        return;
    }
    const auto& listed = session_->identity()->interfaces;
    const auto is_unlisted = [&](const auto& entry) {
        const auto& [index, link] = entry;
        return !link.mac.empty() && link.name != "lo" &&
               std::ranges::find(listed, link.mac, &aws::instance_interface::mac) == listed.end();
    };
    if (std::ranges::any_of(links_.links(), is_unlisted)) {
        session_->refresh_interfaces(now);
    }
}

void node::impl::recall_cloud(instant now)
{
    if (session_ == nullptr || !options_.predecessor) {
        return;
    }
    if (const auto& path = options_.predecessor->ec2_path) {
        ec2_path_.succeed(now.steady, *path);
        world_.set_period(now.steady, ec2_path_.pace_of_reads(configuration_->aws.reconcile_period));
    }
    session_->recall_notices(options_.predecessor->notices);
    if (const auto* const notice = session_->current_notice(now)) {
        notice_ = *notice;
    }
}

void node::impl::look_at_session(instant now)
{
    if (session_ == nullptr) {
        return;
    }
    if (!configuration_->uses_aws()) {
        // A reload has dropped the last use of it: what was known then would stand for good, because nobody looks any more.
        ec2_path_ = {};
        follow_notice(now, nullptr);
        return;
    }
    const bool ready = session_->ready() && (!session_has_identity_ || session_->identity());
    std::string trouble;  // not made in the many turns in which there is none
    if (!ready) {
        const auto why = session_->snapshot(now).last_error;
        trouble = "no identity or credentials" + (why.empty() ? "" : ": " + why);
    }
    if (ec2_path_.session_is(now.steady, ready, trouble)) {
        path_changed(now);
    }
    follow_notice(now, session_->current_notice(now));
}

void node::impl::follow_notice(instant now, const aws::notice* found)
{
    const bool is_news = (found != nullptr) != notice_.has_value();
    if (!is_news && (found == nullptr || *found == *notice_)) {
        return;
    }
    notice_ = found == nullptr ? std::nullopt : std::optional{*found};
    if (notice_) {
        journal_.record(log_level::warning, "notice", {},
                        {{"kind", aws::to_string(notice_->kind)},
                         {"what", notice_->what},
                         {"at", notice_->at ? aws::format_iso8601(*notice_->at) : "not said"},
                         {"action", "this node hands over, and stands behind every other one"}});
    } else {
        journal_.record(log_level::info, "notice", {}, {{"state", "called off"}});
    }
    if (is_news) {
        for (auto& r : routers_) {
            r.router->notice_changed(now, links_, adverts_);
        }
    }
    all_touched_ = true;
}

void node::impl::path_changed(instant now)
{
    journal_.record(ec2_path_.works() ? log_level::info : log_level::warning, "ec2_path", {},
                    {{"state", ec2_path_.works() ? "works" : "broken"}, {"trouble", ec2_path_.trouble()}});
    world_.set_period(now.steady, ec2_path_.pace_of_reads(configuration_->aws.reconcile_period));
    share_weights();
    for (auto& r : routers_) {
        r.router->path_changed(now, links_, adverts_);
    }
    all_touched_ = true;
}

void node::impl::finish_call(instant now, const aws::call_done& done)
{
    const auto closed = calls_.close(done);
    if (!closed) {
        return;
    }
    if (!std::holds_alternative<takeover_call>(closed->owner)) {
        finish_read(now, closed->action, done);
    }
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
                       if (std::ranges::any_of(configuration_->routers, depends_on_world)) {
                           resolve_all(now);
                       }
                       all_touched_ = true;
                       keep_warm_connections();
                   },
                   [&](const interface_call&) {
                       const auto found = interface_watch_.handle(now.steady, done.reply);
                       interfaces_.set_read_error(interface_watch_.last_error());
                       for (const auto& seen : found) {
                           for (auto& r : routers_) {
                               r.router->cloud().interface_seen(now.steady, seen);
                           }
                       }
                       all_touched_ = true;
                   },
               },
               closed->owner);
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
    const auto wanted =
        std::max(2U, static_cast<unsigned>(std::min<std::size_t>(registers + 1, configuration_->aws.connections)));
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
                       [&](aws::write_file& e) { outputs_.emplace_back(std::move(e)); },
                       [&](aws::call_done& e) { finish_call(now, e); },
                       [&](aws::identity_changed&) {
                           ask_for_unlisted_links(now);
                           resolve_all(now);
                       },
                   },
                   *o);
    }
    while (auto call = world_.poll_output()) {
        any = true;
        const auto id = session_->call(now, call->call);
        calls_.enter(id, world_call{call->ticket}, aws::action_name(call->call));
    }
    while (auto call = interface_watch_.poll_output()) {
        any = true;
        const auto id = session_->call(now, *call);
        calls_.enter(id, interface_call{}, "DescribeNetworkInterfaces");
    }
    return any;
}

void node::impl::settle_router(instant now, std::size_t index, numbered_router& r)
{
    drain_local(r.number, r.router->local());
    for (auto& announcement : r.router->take_announcements(now.steady, links_)) {
        outputs_.emplace_back(std::move(announcement));
    }
    while (auto o = r.router->cloud().poll_output()) {
        std::visit(
            overloaded{
                [&](takeover::issue_call& c) {
                    calls_.enter(session_->call(now, c.call), takeover_call{r.number, c.ticket}, aws::action_name(c.call));
                },
                [&](const takeover::cancel_call& c) {
                    if (const auto id = calls_.withdraw({r.number, c.ticket})) {
                        session_->cancel(*id);
                    }
                },
                [&](const takeover::want_read& w) { world_.read_at(w.query, w.at); },
            },
            *o);
    }
    r.router->look_for_ownership(links_);
    drain_hooks(r.number, r.router->hooks());
    if (index < routers_.size()) {
        deadlines_.set(static_cast<std::uint32_t>(index), r.router->next_wakeup().at);
    }
}

void node::impl::settle(instant now)
{
    look_at_session(now);
    drain_checks(now);
    keep_groups_together(now);
    clear_remains(now);
    drain_local(0, statics_);
    bool more = true;
    while (more) {
        // Routers that wait for the same interface are told when to look at it again.
        all_touched_ = interfaces_.take_changed() || all_touched_;
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
    start_processes(now);
    // Asked first and erased then: each of them asks the others what they still need.
    std::vector<std::uint64_t> gone;
    for (const auto& r : leaving_) {
        if (r.router->has_left(links_)) {
            gone.push_back(r.number);
        }
    }
    std::erase_if(leaving_, [&](const numbered_router& r) { return std::ranges::find(gone, r.number) != gone.end(); });
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
    if (!health_outputs_.empty()) {
        auto first = std::move(health_outputs_.front());
        health_outputs_.pop_front();
        return first;
    }
    if (!hook_outputs_.empty()) {
        auto first = std::move(hook_outputs_.front());
        hook_outputs_.pop_front();
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
        next = earliest(next, ec2_path_.next_wakeup());
    }
    next = earliest(earliest(next, statics_.next_wakeup()), checks_.next_wakeup());
    return earliest(next, {farewell_until_, "farewell"});
}

bool node::impl::permit(instant now, aws::http_exchange_id id) const
{
    if (session_ == nullptr) {
        return false;
    }
    const auto call = session_->call_of(id);
    const auto* waiting = call ? calls_.owner_of(*call) : nullptr;
    const auto* owner = waiting == nullptr ? nullptr : std::get_if<takeover_call>(waiting);
    if (owner == nullptr) {
        return false;
    }
    const auto* router = find_by_number(owner->router);
    return router != nullptr && router->is_active_for_certain(now.steady) && router->cloud().is_under_way(owner->ticket);
}

}  // namespace vipd::node
