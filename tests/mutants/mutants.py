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
ADMISSION = "agent/vrrp/admission.cpp"
AUTHENTICATION = "agent/vrrp/authentication.cpp"
ADVERT = "agent/vrrp/advert.cpp"
TIMERS = "agent/vrrp/timers.cpp"
REGISTER = "agent/takeover/cloud_register.cpp"
RESOURCE = "agent/takeover/resource.cpp"
TAKEOVER = "agent/takeover/takeover.cpp"
WORLD = "agent/takeover/world.cpp"
ROUTER = "agent/node/virtual_router.cpp"
WORK = "agent/node/node_work.cpp"
LOCAL = "agent/takeover/local_resources.cpp"
SESSION = "agent/aws/cloud_session.cpp"
HOOKS = "agent/hooks/hook_runner.cpp"
GROUPS = "agent/node/node_groups.cpp"

# What implementations of VRRP have had wrong before.
CLASSIC = [
    Mutant("interval zero is accepted", ADVERT,
           "if (decoded.interval == duration::zero()) {",
           "if (false) {"),
    Mutant("strangers are accepted as peers", ADMISSION,
           "    if (found == routes_.end()) {",
           "    if (const auto any = routes_.begin(); found == routes_.end() && any != routes_.end()) {\n"
           "        return check_routed(d, *header, any->second.router, now);\n"
           "    }\n"
           "    if (found == routes_.end()) {"),
    Mutant("the TTL is not checked", ADMISSION,
           "    if (d.ttl < min_ttl) {",
           "    if (d.ttl < min_ttl && d.ttl == 0) {"),
    Mutant("the checksum is not checked", ADVERT,
           "const auto form = right_checksum(message, trailer, protocol_version, source, destination);",
           "const auto form = std::optional{right_checksum(message, trailer, protocol_version, source, "
           "destination).value_or(checksum_form::rfc9568)};"),
    Mutant("a wrong checksum for the second peer", ROUTER,
           "trailer.empty() ? t.message(priority, interval)",
           "trailer.empty() ? templates_.front().message(priority, interval)"),
    Mutant("a Backup gives way only to higher priorities, not to equal ones", ELECTION,
           "const bool is_lower = advert.priority < settings_.priority;",
           "const bool is_lower = advert.priority <= settings_.priority;"),
    Mutant("the tie-break goes to the lower address", "agent/vrrp/election.hpp",
           "priority == settings_.priority && source > settings_.source",
           "priority == settings_.priority && source < settings_.source"),
    Mutant("there is no tie-break", "agent/vrrp/election.hpp",
           "(priority == settings_.priority && source > settings_.source)",
           "(priority == settings_.priority && source > settings_.source && false)"),
    Mutant("preempt is asked by an Active", ELECTION,
           "    if (is_better) {\n"
           "        become_backup",
           "    if (is_better && settings_.preempt) {\n"
           "        become_backup"),
    Mutant("the interval is not learned", ELECTION,
           "        active_interval_ = advert.interval;\n",
           ""),
    Mutant("the skew grows with the priority", TIMERS,
           "* (256 - priority) / 256",
           "* priority / 256"),
    Mutant("the skew is truncated to whole seconds", TIMERS,
           "return skew_unit(protocol_version, active_advert_interval) * (256 - priority) / 256;",
           "return std::chrono::floor<std::chrono::seconds>(skew_unit(protocol_version, active_advert_interval) "
           "* (256 - priority) / 256);"),
    Mutant("VRRPv2's skew is scaled by the interval", TIMERS,
           "protocol_version == version::v3 ? active_advert_interval : duration{std::chrono::seconds{1}}",
           "protocol_version == version::v3 ? active_advert_interval : active_advert_interval * 1"),
    Mutant("each priority 0 arms the timer anew", ELECTION,
           "    if (remembers_release(advert.source)) {\n"
           "        return;\n"
           "    }\n",
           ""),
    Mutant("no priority 0 at the end", ELECTION,
           "    if (state_ == state::active) {\n"
           "        send(priority_releasing, out);\n"
           "    }",
           ""),
    Mutant("a Backup sends priority 0 at the end", ELECTION,
           "    if (state_ == state::active) {\n"
           "        send(priority_releasing, out);\n"
           "    }",
           "    send(priority_releasing, out);"),
    Mutant("the last advert keeps the checksum of another priority", ADVERT,
           "        bytes_[offset_priority] = priority;\n"
           "        write_interval(bytes_, version_, interval);\n"
           "        write_checksum(bytes_, pseudo_header_);",
           "        write_interval(bytes_, version_, interval);\n"
           "        write_checksum(bytes_, pseudo_header_);\n"
           "        bytes_[offset_priority] = priority;"),
    Mutant("adverts drift", ELECTION,
           "missed == 0 ? advert_due_ + settings_.advert_interval : now + settings_.advert_interval",
           "now + settings_.advert_interval"),
    Mutant("who slept goes on as Active", ELECTION,
           "    if (!is_stale(now)) {\n"
           "        return;\n"
           "    }",
           "    if (!is_stale(now) || true) {\n"
           "        return;\n"
           "    }"),
    Mutant("the winner of a split does not look again", ROUTER,
           "    takeover_.suspect(now);\n",
           ""),
    Mutant("a priority change arms the down timer anew", ELECTION,
           "        down_due_ = std::max(down_deadline(), std::min(down_due_, now));",
           "        arm_down_timer(now);"),
    Mutant("the router is found by VRID and source alone, and its version is not looked at", ADMISSION,
           "    if (header.protocol_version != static_cast<std::uint8_t>(rule.protocol_version)) {",
           "    if (header.protocol_version == 0) {"),
    # That a timer of the state before lives on is no mutant: the state says which timer is looked at, so nobody could tell.
    Mutant("an unsigned advert passes where signatures are enforced", AUTHENTICATION,
           "return mode_ == hmac_mode::enforce ? std::optional{signature_fault::missing} : std::nullopt;",
           "return std::nullopt;"),
    Mutant("a trailer of another kind is taken for ours", AUTHENTICATION,
           "trailer[0] != ext_type_hmac_sha256 || ",
           ""),
    Mutant("the reserved bits of a trailer may be set", AUTHENTICATION,
           " || load_big_u16(trailer, offset_reserved) != 0",
           ""),
    Mutant("there is no window", AUTHENTICATION,
           "if (by_time && !is_within(made, present, window_)) {",
           "if (by_time && !is_within(made, present, window_) && made == sequence{}) {"),
    Mutant("the window is open to the past", AUTHENTICATION,
           " && !is_after(now - span_of(window), made)",
           ""),
    Mutant("the window is open to the future", AUTHENTICATION,
           "!is_after(made, now + span_of(window)) && ",
           ""),
    Mutant("a signed advert may be repeated", AUTHENTICATION,
           "if (mark_counts && !is_after(made, *from->last)) {",
           "if (mark_counts && is_after(*from->last, made)) {"),
    Mutant("the mark against replays is moved before the signature is verified", AUTHENTICATION,
           "    const auto expected = sign_with(key->key, message, trailer, source);",
           "    from->last = made;\n"
           "    const auto expected = sign_with(key->key, message, trailer, source);"),
    Mutant("the mark against replays never moves", AUTHENTICATION,
           "    from->last = made;\n",
           ""),
    Mutant("the signature is not verified", AUTHENTICATION,
           "trailer_size - offset_hmac) != 0) {",
           "trailer_size - offset_hmac) != 0 && false) {"),
    Mutant("the signature is verified with any key", AUTHENTICATION,
           "return k.secret.id == trailer[offset_key_id];",
           "return k.secret.id != 0;"),
    Mutant("a mark from the future is obeyed for good", AUTHENTICATION,
           "from->last && !(by_time && is_after(*from->last, present + span_of(window_)))",
           "from->last.has_value()"),
    Mutant("a sender is stranded in the future", AUTHENTICATION,
           "} else if (follows_clock && is_after(*last_ + 1, present + span_of(window_))) {",
           "} else if (false) {"),
    Mutant("a sequence follows a clock that steps back", AUTHENTICATION,
           "if (!last_ || is_after(present, *last_)) {",
           "if (!last_ || present != *last_) {"),
    Mutant("a reload forgets the marks against replays", AUTHENTICATION,
           "any_stays && old != senders_.end()",
           "any_stays && false && old != senders_.end()"),
    Mutant("a signature does not cover its sender", AUTHENTICATION,
           "    std::ranges::copy(address, pseudo_header.begin() + 4);\n",
           ""),
    Mutant("the checksum of IPv6 does not cover the trailer", ADVERT,
           "source.is_v6() ? trailer : byte_view{};",
           "source.is_v6() && trailer.empty() ? trailer : byte_view{};"),
    Mutant("a farewell is not signed", ROUTER,
           "hmac->mode != vrrp::hmac_mode::receive_only) {",
           "hmac->mode != vrrp::hmac_mode::receive_only && priority != 0) {"),
]

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
           "e->kind == aws::ec2_error_class::route_missing ? place::nowhere : place::elsewhere;",
           "place::elsewhere;"),
    Mutant("there is no pause between attempts", REGISTER,
           "    retry_at_ = now + pauses_.next(now, e->kind, random);",
           "    retry_at_ = now;"),
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
           "        local_.leave_active(now + may_return + configuration_.drain);\n",
           ""),
    Mutant("the address goes at once", ROUTER,
           "local_.leave_active(now + may_return + configuration_.drain);",
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
           "one->at.has_value()"),
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
           "assumed[t.name] = before == configuration_.trackers.end() ||",
           "assumed[t.name] = before != configuration_.trackers.end() &&"),
    Mutant("a failing tracker lowers nothing and takes nobody out", ROUTER,
           "return failing.empty() ? find_tracker(health::tracker_state::unknown) : failing;",
           "return find_tracker(health::tracker_state::unknown);"),
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
]
