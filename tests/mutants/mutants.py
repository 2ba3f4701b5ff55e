"""Bugs on purpose: each is one change of the source that a reviewer could overlook. What the tests do not notice when it
is made, they do not test.

`old` must occur exactly once in `file`: a mutant that no longer fits the source is reported, not skipped. Where two guards
stand one behind the other, so that nobody could tell when one alone is missing, a mutant takes both: `also` has what is
changed with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()  # file, old, new

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.file, self.old, self.new), *self.also)


ELECTION = "agent/vrrp/election.cpp"
REGISTER = "agent/takeover/cloud_register.cpp"
RESOURCE = "agent/takeover/resource.cpp"
TAKEOVER = "agent/takeover/takeover.cpp"
WORLD = "agent/takeover/world.cpp"
ROUTER = "agent/node/virtual_router.cpp"
SOURCE = "agent/node/virtual_router_source.cpp"
STANDING = "agent/node/virtual_router_standing.cpp"
WORK = "agent/node/node_work.cpp"
LOCAL = "agent/takeover/local_resources.cpp"
SESSION = "agent/aws/cloud_session.cpp"
HOOKS = "agent/hooks/hook_runner.cpp"
GROUPS = "agent/node/node_groups.cpp"
SUCCESSION = "agent/node/virtual_router_succession.cpp"

# Of our own: the state machine's additions, and the wiring between election, takeover and cloud.
WIRING = [
    Mutant("an Active that gives way keeps silent", ELECTION,
           "    answer(now, out);\n"
           "    if (is_better) {",
           "    if (is_better) {"),
    Mutant("the preempt delay is not waited for", ELECTION,
           "    return !preempt_delay_is_over_;",
           "    return false;"),
    Mutant("the preempt delay never ends", ELECTION,
           "    return !preempt_delay_is_over_;",
           "    return true;"),
    Mutant("`>` for `>=` at the down timer", ELECTION,
           "state_ == state::backup && now >= down_due_",
           "state_ == state::backup && now > down_due_"),
    Mutant("a step-down does not let the others first", ELECTION,
           "    lets_others_first_ = true;\n",
           ""),
    Mutant("a Backup is permitted to write", WORK,
           "router->is_active_for_certain(now.steady) && ",
           "now.steady > time_point::min() && "),
    Mutant("a sleeper is permitted to write", WORK,
           "router->is_active_for_certain(now.steady)",
           "now.steady > time_point::min() && router->state() == vrrp::state::active"),
    Mutant("a call of an earlier epoch is permitted", WORK,
           " && router->cloud().is_under_way(owner->ticket)",
           "",
           (("agent/node/call_ledger.cpp",
             "    const auto id = found->first;\n    open_.erase(found);\n    return id;",
             "    return found->first;"),)),
    Mutant("calls go on after the demotion", TAKEOVER,
           "    cancel_calls([](const pending&) { return true; });\n"
           "    epoch_ = 0;",
           "    epoch_ = 0;"),
    Mutant("one table is forgotten", TAKEOVER,
           "        if (auto call = tracked.value.issue(now)) {",
           "        if (&tracked == &registers_.rbegin()->second && registers_.size() > 1) {\n"
           "            continue;\n"
           "        }\n"
           "        if (auto call = tracked.value.issue(now)) {"),
    Mutant("an unknown outcome is taken for success", REGISTER,
           "        stage_ = stage::unknown;\n"
           "        waiting_since_ = now;",
           "        settle(now, true);"),
    Mutant("an unknown outcome has no exit but a read", REGISTER,
           "if (now >= patience_until()) {",
           "if (false) {"),
    Mutant("a duel is fought for ever", "agent/takeover/duel_breaker.cpp",
           "    const auto pause = std::min<duration>(pause_max, pause_min * (1U << std::min(pauses_, doublings_max)));\n"
           "    ++pauses_;\n",
           "    const auto pause = duration::zero();\n"),
    Mutant("there is no budget", REGISTER,
           "    if (!budget_.try_take(now)) {",
           "    if (false) {"),
    Mutant("the first stale read is believed", REGISTER,
           "constexpr unsigned contradictions_unconfirmed = 3;",
           "constexpr unsigned contradictions_unconfirmed = 1;"),
    Mutant("a view from before the write counts", REGISTER,
           "    if (read_began < accepted_at_ || seen.where == place::arriving) {",
           "    if (seen.where == place::arriving) {"),
    Mutant("a route that was taken away is not put back", REGISTER,
           "    ++repairs_;\n"
           "    write_again();\n",
           "    ++repairs_;\n"),
    Mutant("CreateRoute is never tried", REGISTER,
           "e.kind == aws::ec2_error_class::route_missing ? place::nowhere : place::elsewhere;",
           "place::elsewhere;"),
    Mutant("there is no pause between attempts", REGISTER,
           "    retry_at_ = now + pauses_.next(now, e.kind, random);\n"
           "}\n",
           "    retry_at_ = now;\n"
           "}\n"),
    Mutant("only what is known to be elsewhere is taken", TAKEOVER,
           "        tracked.value.become_active(now);\n"
           "    }\n"
           "    for (const auto& [id",
           "        if (tracked.value.seen()) {\n"
           "            tracked.value.become_active(now);\n"
           "        }\n"
           "    }\n"
           "    for (const auto& [id"),
    Mutant("nothing is read back after a success", TAKEOVER,
           "            outputs_.emplace_back(want_read{tracked.query, now});\n",
           ""),
    Mutant("a detach is repeated because of a stale read", REGISTER,
           "        if (now < departure_->since + view_patience) {",
           "        if (now < departure_->since) {"),
    Mutant("a detach is never forced", REGISTER,
           "departure_ && !departure_->forced && ",
           "departure_ && departure_->forced && "),
    Mutant("an interface is attached before it is free", RESOURCE,
           "    if (seen && seen->where == place::nowhere) {\n"
           "        return aws::attach_network_interface",
           "    if (seen && seen->where != place::elsewhere) {\n"
           "        return aws::attach_network_interface"),
    Mutant("an IPv6 address is not unassigned first", RESOURCE,
           "    if (seen && seen->where == place::elsewhere) {\n"
           "        return aws::unassign_ipv6_address",
           "    if (seen && seen->where == place::leaving) {\n"
           "        return aws::unassign_ipv6_address"),
    Mutant("an Elastic IP is right at any private address", RESOURCE,
           "!what.private_address || what.private_address == address.private_address;",
           "true;"),
    Mutant("the address stays after the drain", ROUTER,
           "        local_.leave_active(now + may_return_within(t.reason) + configuration_.drain);\n",
           ""),
    Mutant("the address goes at once", ROUTER,
           "local_.leave_active(now + may_return_within(t.reason) + configuration_.drain);",
           "local_.leave_active(now);"),
    Mutant("an address that was removed is not put back", LOCAL,
           "        if (is_about(event, e.item.value)) {\n",
           "        if (is_about(event, e.item.value) && !e.is_address()) {\n"),
    Mutant("a rule or route that was removed is not put back", LOCAL,
           "        if (is_about(event, e.item.value)) {\n",
           "        if (is_about(event, e.item.value) && e.is_address()) {\n"),
    Mutant("rules and routes stay after the drain", LOCAL,
           "    return e.item.always || active_ || draining();\n",
           "    return e.item.always || active_ || draining() || (!e.is_address() && e.was_here);\n"),
    Mutant("the epoch does not grow", ROUTER,
           "        ++last_epoch_;\n",
           "        last_epoch_ = 1;\n"),
    Mutant("the answer to a withdrawn call still counts", "agent/aws/call_queue.cpp",
           "    finish(exchange);\n    return {.was_waiting = false",
           "    return {.was_waiting = false"),
    Mutant("a page is asked for again before it has come", WORLD,
           "q.reading && q.ticket == 0 && q.next_page <= now",
           "q.reading && q.next_page <= now"),
    Mutant("interfaces are looked at without a budget", WORLD,
           "token_bucket{20.0, 2.0}",
           "token_bucket{1e6, 1e6}"),
    Mutant("an interface that another has begun to detach is never forced", REGISTER,
           "    if (seen.where == place::leaving) {\n        note_departure(now, seen.attachment);\n    }\n",
           ""),
    Mutant("half of an id is one", "agent/aws/text.cpp",
           "(text.size() == 9 || text.size() == 18) && text.front() == '-'",
           "text.size() >= 2 && text.front() == '-'"),
    Mutant("the link of an interface stays down", "agent/takeover/floating_link.cpp",
           "std::vector<local_item> all{{raised_link{link.name}, true}};",
           "std::vector<local_item> all;"),
    Mutant("a link that is about to leave is set up", LOCAL,
           "e.retry_at == time_point::min() ? now + event_wait : e.retry_at;",
           "now;"),
    Mutant("a scheduled event counts weeks ahead", "agent/aws/notice_watch.cpp",
           "now >= *one->at - settings_.lead",
           "now >= *one->at - 100 * settings_.lead"),
    Mutant("a notice takes the node out for good", "agent/aws/notice_watch.cpp",
           "    if (!body || !settings_.wants(kind)) {\n        heard.reset();\n    } else if",
           "    if (body) if"),
    Mutant("a notice lowers the priority and hands nothing over", "agent/node/virtual_router_priority.cpp",
           "        step_down(now, links, adverts);",
           "        static_cast<void>(links);"),
    Mutant("refused credentials are kept", SESSION,
           "        setup_.refused(server_time(now), sent.keys_generation);\n",
           ""),
    Mutant("a wrong clock is not learned", SESSION,
           "        failure->kind = ec2_error_class::clock;\n",
           ""),
    Mutant("a hook is run for a role that is over", HOOKS,
           "return is_role(later) || later == earlier;",
           "return (is_role(later) && earlier == hook_event::owned) || later == earlier;"),
    Mutant("hooks of one router run at the same time", HOOKS,
           "return !running_ && !waiting_.empty() &&",
           "return !waiting_.empty() &&"),
    Mutant("ownership is told with the role", "agent/node/virtual_router_hooks.cpp",
           "(!configuration_.moves_in_cloud() || takeover_.confirmed())",
           "true"),
    Mutant("the end does not wait for its hook", ROUTER,
           " && local_.settled(links) && hooks_.idle();",
           " && local_.settled(links);"),
    Mutant("what is not known yet counts as well", "agent/health/verdict.hpp",
           "return state == tracker_state::well;",
           "return state != tracker_state::failing;"),
    Mutant("one answer is enough to change a verdict", "agent/health/check.cpp",
           "contrary_ < (has_passed ? what_.rise : what_.fall)",
           "contrary_ < 1"),
    Mutant("a look begins before the last one has ended", "agent/health/check.cpp",
           "    began_at_ = now;\n    due_at_ = never;\n    return",
           "    began_at_ = now;\n    due_at_ = now + what_.interval;\n    return"),
    Mutant("a hundred checks begin in one moment", "agent/health/check_set.cpp",
           "            place += distance;\n",
           ""),
    Mutant("a reload that brings a tracker is a transition", "agent/node/virtual_router_trackers.cpp",
           "            assumed[t.name] = {.is_well = true};\n",
           "            assumed[t.name] = {.is_well = false};\n"),
    Mutant("a failing tracker lowers nothing and takes nobody out", STANDING,
           "return failing.empty() ? found_obstacle{",
           "return failing.empty() || true ? found_obstacle{"),
    Mutant("a tentative address is good enough to hear adverts at", "agent/net/link_table.cpp",
           "    if (!value.tentative) {",
           "    {",
           (("agent/net/link_table.cpp",
             "    if (value.tentative) {\n        return;\n    }\n",
             ""),
            (ROUTER,
             "found_source_ && !found_source_->tentative ?",
             "found_source_ ?"))),
    Mutant("what a partner does not know yet is told as a fault", GROUPS,
           "found.is_known = its.is_known;",
           "found.is_known = true;"),
    Mutant("the answer to a call that was withdrawn is believed", "agent/aws/call_queue.cpp",
           "    const auto exchange = found->first;\n    finish(exchange);",
           "    const auto exchange = found->first;",
           (("agent/node/call_ledger.cpp",
             "    const auto id = found->first;\n    open_.erase(found);\n    return id;",
             "    return found->first;"),
            (TAKEOVER, "        entry = under_way_.erase(entry);", "        ++entry;"),
            (REGISTER, "    if (stage_ != stage::in_flight) {\n        return;\n    }\n    const bool is_for_another",
             "    const bool is_for_another"))),
    Mutant("the others of a group stay Active when one leaves", GROUPS,
           "    if (active > 0) {",
           "    if (active > 0 && group.empty()) {"),
    Mutant("a Backup does not wait for its group", GROUPS,
           "        if (!since) {\n            return;\n        }\n        due = std::max(due, *since);",
           "        due = std::max(due, since.value_or(now.steady));"),
    Mutant("what keeps one of a group out keeps out it alone", GROUPS,
           "        if (member.group() != r.group()) {",
           "        if (member.group() == r.group()) {"),
    Mutant("a weight counts for one of a group alone", GROUPS,
           "            router.set_weights_of_group(sum - router.own_weights());",
           "            router.set_weights_of_group(0 * sum);"),
    Mutant("what is missed for a moment comes back as if it were new", TAKEOVER,
           "    set_aside_.insert_or_assign(name, former_register{std::move(dropped.mapped().value), now});\n",
           ""),
    Mutant("an Elastic IP does not wait for its address", TAKEOVER,
           "    return is_missing ? elastic",
           "    return is_missing && !is_missing ? elastic"),
    Mutant("a new target waits for what the old one was refused", REGISTER,
           "            retry_at_ = time_point::min();\n"
           "            break;\n"
           "        case stage::held:",
           "            break;\n"
           "        case stage::held:"),
    Mutant("one answer of the metadata service takes the addresses away", "agent/aws/identity_probe.cpp",
           "    if (values.size() > count || before == nullptr || before->id != interface.id) {",
           "    if (values.size() >= count || before == nullptr || before->id != interface.id) {"),
    Mutant("a restart tells the role again", SUCCESSION,
           "    role_told_ = predecessor.role_told;\n",
           ""),
    Mutant("a restart forgets the interval of the Active", SUCCESSION,
           "        learned_interval_ = predecessor.learned_interval;\n",
           ""),
    Mutant("a restart forgets what EC2 has announced", WORK,
           "    session_->recall_notices(options_.predecessor->notices);\n",
           ""),
    Mutant("a broken path to EC2 works after a restart", WORK,
           "        ec2_path_.succeed(now.steady, *path);\n",
           ""),
    Mutant("a router that is another one on the wire does not listen first", ROUTER,
           "        hears_since_.reset();\n",
           ""),
]
