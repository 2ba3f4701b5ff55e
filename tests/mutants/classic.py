"""What implementations of VRRP have had wrong before, as mutants."""

from mutants import ELECTION, ROUTER, SOURCE, STANDING, Mutant

ADMISSION = "agent/vrrp/admission.cpp"
AUTHENTICATION = "agent/vrrp/authentication.cpp"
ADVERT = "agent/vrrp/advert.cpp"
TIMERS = "agent/vrrp/timers.cpp"
ELECTION_HEADER = "agent/vrrp/election.hpp"
EFFECTIVE = "agent/vrrp/effective_priority.hpp"
IP_HEADER = "agent/net/ip_header.hpp"
NOTES = "agent/node/advert_notes.cpp"
NODE = "agent/node/node.cpp"
LAUNCH = "agent/io/process_launch.cpp"

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
    Mutant("VRRPv3 over IPv4 is sent with the other form of the checksum", ADVERT,
           "source.is_v6() || form == checksum_form::rfc5798",
           "source.is_v6() || form == checksum_form::rfc9568"),
    Mutant("one form of the checksum of VRRPv3 over IPv4 is not accepted", ADVERT,
           "    if (protocol_version == version::v2 || source.is_v4()) {",
           "    if (protocol_version == version::v2) {"),
    Mutant("the checksum is computed over the multicast address", ADVERT,
           "    sum.add(destination.bytes());\n",
           "    sum.add(destination.is_v4() ? ip_address::v4(224, 0, 0, 18).bytes() : destination.bytes());\n"),
    Mutant("the checksum of VRRPv2 is not checked", ADVERT,
           "        if (sum.finish() == 0) {\n"
           "            return checksum_form::rfc9568;",
           "        if (protocol_version == version::v2 || sum.finish() == 0) {\n"
           "            return checksum_form::rfc9568;"),
    Mutant("a wrong checksum for the second peer", ROUTER,
           "trailer.empty() ? t.message(priority, interval)",
           "trailer.empty() ? templates_.front().message(priority, interval)"),
    Mutant("a Backup gives way only to higher priorities, not to equal ones", ELECTION,
           "const bool is_lower = advert.priority < settings_.priority;",
           "const bool is_lower = advert.priority <= settings_.priority;"),
    Mutant("a Backup asks the tie-break", ELECTION,
           "const bool is_lower = advert.priority < settings_.priority;",
           "const bool is_lower = !is_outranked_by(advert.source, advert.priority);"),
    Mutant("IPv4 addresses are compared as signed numbers", ELECTION_HEADER,
           "source > settings_.source",
           "(source.is_v6() ? source > settings_.source\n"
           "                                : static_cast<std::int32_t>(load_big_u32(source.bytes(), 0)) >\n"
           "                                      static_cast<std::int32_t>(load_big_u32(settings_.source.bytes(), 0)))"),
    Mutant("IPv4 addresses are compared in the order of the host", ELECTION_HEADER,
           "source > settings_.source",
           "(source.is_v6() ? source > settings_.source\n"
           "                                : __builtin_bswap32(load_big_u32(source.bytes(), 0)) >\n"
           "                                      __builtin_bswap32(load_big_u32(settings_.source.bytes(), 0)))"),
    Mutant("of IPv6 addresses the first bytes alone are compared", ELECTION_HEADER,
           "source > settings_.source",
           "(source.is_v4() ? source > settings_.source\n"
           "                                : load_big_u32(source.bytes(), 0) > load_big_u32(settings_.source.bytes(), 0))"),
    Mutant("the tie-break goes to the lower address", ELECTION_HEADER,
           "priority == settings_.priority && source > settings_.source",
           "priority == settings_.priority && source < settings_.source"),
    Mutant("there is no tie-break", ELECTION_HEADER,
           "(priority == settings_.priority && source > settings_.source)",
           "(priority == settings_.priority && source > settings_.source && false)"),
    Mutant("preempt is asked by an Active", ELECTION,
           "    if (is_better) {\n"
           "        become_backup",
           "    if (is_better && settings_.preempt) {\n"
           "        become_backup"),
    Mutant("the interval is not learned", ELECTION,
           "        active_interval_ = interval;\n",
           ""),
    Mutant("the interval of an advert that does not count is learned", ELECTION,
           "    const bool is_lower = advert.priority < settings_.priority;\n",
           "    learn_interval(advert.interval);\n"
           "    const bool is_lower = advert.priority < settings_.priority;\n"),
    Mutant("the Active sends at the interval that it has learned", ELECTION,
           "    active_interval_ = settings_.advert_interval;\n"
           "    has_learned_interval_ = false;\n",
           "",
           ((ELECTION,
             "advert_due_ = missed == 0 ? advert_due_ + settings_.advert_interval",
             "advert_due_ = missed == 0 ? advert_due_ + active_interval_"),)),
    Mutant("the reserved bits are read as part of the interval", ADVERT,
           "interval_mask = 0x0fff;",
           "interval_mask = 0xffff;"),
    Mutant("VRRPv2's interval is read in centiseconds", ADVERT,
           "decoded.interval = std::chrono::seconds{message[offset_interval + 1]};",
           "decoded.interval = centiseconds{message[offset_interval + 1]};"),
    Mutant("the skew follows the interval configured here", ELECTION,
           "return vrrp::active_down_interval(settings_.protocol_version, settings_.priority, active_interval_,\n"
           "                                      settings_.down_timer_adverts);",
           "return active_interval_ * settings_.down_timer_adverts +\n"
           "           vrrp::skew_time(settings_.protocol_version, settings_.priority, settings_.advert_interval);"),
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
           "        send(priority_releasing, out);\n        last_heard_",
           "        last_heard_"),
    Mutant("a Backup sends priority 0 at the end", ELECTION,
           "    if (state_ == state::active) {\n        send(priority_releasing, out);\n        last_heard_",
           "    send(priority_releasing, out);\n    if (state_ == state::active) {\n        last_heard_"),
    Mutant("priority 0 goes to the first peer alone", ROUTER,
           "        ++adverts_sent_;\n",
           "        ++adverts_sent_;\n"
           "        if (priority == vrrp::priority_releasing) {\n"
           "            break;\n"
           "        }\n"),
    Mutant("a reload lets go of its peers before it sends priority 0", ROUTER,
           "    if (new_election) {\n",
           "    if (new_election) {\n"
           "        templates_.clear();\n"),
    Mutant("the last advert keeps the checksum of another priority", ADVERT,
           "        bytes_[offset_priority] = priority;\n"
           "        write_interval(bytes_, version_, interval);\n"
           "        write_checksum(bytes_, pseudo_header_);",
           "        write_interval(bytes_, version_, interval);\n"
           "        write_checksum(bytes_, pseudo_header_);\n"
           "        bytes_[offset_priority] = priority;"),
    Mutant("a timer that was put off rings all the same", ELECTION,
           "    if (state_ == state::backup && now >= down_due_) {",
           "    if (state_ == state::backup && now > time_point::min()) {",
           ((ROUTER,
             "if (election_ && election_->next_wakeup().at <= now.steady) {",
             "if (election_ && now.steady != never) {"),)),
    Mutant("adverts drift", ELECTION,
           "missed == 0 ? advert_due_ + settings_.advert_interval : now + settings_.advert_interval",
           "now + settings_.advert_interval"),
    Mutant("a step of the wall clock lets timers run out", NODE,
           "    begin_turn(now);\n"
           "    while (deadlines_.earliest() <= now.steady) {",
           "    begin_turn(now);\n"
           "    now.steady = std::max(now.steady, started_at_ + (now.wall - wall_at_start_));\n"
           "    while (deadlines_.earliest() <= now.steady) {",
           ((NODE,
             "    journal_.set_now(now.wall);\n"
             "    statics_.want(",
             "    journal_.set_now(now.wall);\n"
             "    wall_at_start_ = now.wall;\n"
             "    statics_.want("),
            ("agent/node/node_impl.hpp",
             "    time_point started_at_;\n",
             "    time_point started_at_;\n"
             "    wall_time wall_at_start_;\n"))),
    Mutant("a line for each packet that is discarded", NOTES,
           "    if (now.steady < l.next) {",
           "    if (now.steady < l.next - discarded_pause) {"),
    Mutant("who starts listens for no down interval", ELECTION,
           "down_due_ = std::max(now, down_deadline());",
           "down_due_ = now + skew_time();"),
    Mutant("silence counts while the network was away", STANDING,
           "hears_since_ = find_network_obstacle(links).empty() ? hears_since_.value_or(now.steady) "
           ": std::optional<time_point>{};",
           "hears_since_ = hears_since_.value_or(now.steady);"),
    Mutant("a link without a carrier is good enough to take part", STANDING,
           "        if (!link->running) {",
           "        if (!link->running && !link->up) {"),
    Mutant("a reload with other peers leaves the filter as it was", NODE,
           "const bool same_peers = next.peers() == admission_.peers();",
           "const bool same_peers = next.peers().size() == admission_.peers().size();"),
    Mutant("a reload makes a second instance of what it changes", NODE,
           "kept.push_back(same == old.end() ?",
           "kept.push_back(same == old.end() || same->second->router->configuration() != next ?"),
    Mutant("the length of the IP header is taken as it is", IP_HEADER,
           "if (header_size < header_size_min || total_size < header_size ||",
           "if (total_size < header_size ||"),
    Mutant("the address count is taken as it is", ADVERT,
           "message.size() != message_size(message, protocol_version, source.family())",
           "message.size() > message_size(message, protocol_version, source.family())"),
    Mutant("VRRPv2's password is looked for at the end of whatever came", ADVERT,
           "message.size() != message_size(message, protocol_version, source.family())",
           "message.size() < message_size(message, protocol_version, source.family())"),
    Mutant("an advert that cannot be sent takes its router out", NODE,
           "                           routers_[i.router].router->advert_not_sent();\n",
           "                           routers_[i.router].router->advert_not_sent();\n"
           "                           routers_[i.router].router->step_down(now, links_, adverts_);\n"),
    Mutant("a virtual address becomes the source", SOURCE,
           "std::ranges::find(virtual_addresses, address.address()) == virtual_addresses.end();",
           "std::ranges::find(virtual_addresses, source_.value_or(ip_address{})) == virtual_addresses.end();"),
    Mutant("a node may be its own peer", "agent/config/checks.cpp",
           "} else if (source_is_known && address == *e.value.source) {",
           "} else if (source_is_known && address == *e.value.source && address.family() != family) {"),
    Mutant("adverts of our own address pass", ADMISSION,
           "const bool is_self = std::ranges::binary_search(own_, peer.address);",
           "const bool is_self = std::ranges::binary_search(own_, peer.address) && rule.peers.empty();",
           ((ELECTION,
             "    if (advert.source == settings_.source) {",
             "    if (advert.source == settings_.source && advert.priority == priority_owner) {"),)),
    Mutant("the router is found whatever interface its advert came to", ADMISSION,
           "    const auto found = routes_.find(route_key{d.source, d.destination, header->vrid});\n",
           "    auto found = routes_.find(route_key{d.source, d.destination, header->vrid});\n"
           "    if (found == routes_.end() && std::ranges::binary_search(own_, d.destination)) {\n"
           "        found = std::ranges::find_if(routes_, [&](const auto& r) {\n"
           "            return r.first.vrid == header->vrid && r.first.source == d.source &&\n"
           "                   r.first.destination.family() == d.destination.family();\n"
           "        });\n"
           "    }\n"),
    Mutant("the router is found by an advert of the other family", ADMISSION,
           "    const auto found = routes_.find(route_key{d.source, d.destination, header->vrid});\n",
           "    auto found = routes_.find(route_key{d.source, d.destination, header->vrid});\n"
           "    if (found == routes_.end() && std::ranges::binary_search(own_, d.destination)) {\n"
           "        found = std::ranges::find_if(routes_, [&](const auto& r) {\n"
           "            return r.first.vrid == header->vrid && r.first.source.family() != d.source.family() &&\n"
           "                   r.first.destination.family() != d.destination.family();\n"
           "        });\n"
           "    }\n"),
    Mutant("the limit of log lines grows with their keys", "common/log_limiter.cpp",
           "    if (entries_.size() < limits_.entries_max) {",
           "    if (entries_.size() < limits_.entries_max || !key.empty()) {"),
    Mutant("releases are remembered without a bound", ELECTION,
           "    if (released_.size() >= released_max) {",
           "    if (released_.size() >= 1000 * released_max) {"),
    Mutant("descriptors go along to a hook", LAUNCH,
           "    static_cast<void>(::close_range(first_other, std::numeric_limits<unsigned>::max(), 0));\n",
           ""),
    Mutant("the environment goes along to a hook", LAUNCH,
           "    auto all = what.environment;\n",
           "    auto all = what.environment;\n"
           "    for (char** variable = ::environ; *variable != nullptr; ++variable) {\n"
           "        all.emplace_back(*variable);\n"
           "    }\n"),
    Mutant("a hook that has ended stays a zombie", "agent/io/child_processes.cpp",
           "&how, WEXITED | WNOHANG) == 0;",
           "&how, WEXITED | WNOHANG | WNOWAIT) == 0;"),
    Mutant("weights lower the priority to 0", EFFECTIVE,
           "std::clamp(total, 1, priority_owner - 1)",
           "std::clamp(total, 0, priority_owner - 1)"),
    Mutant("weights raise the priority to the owner's", EFFECTIVE,
           "std::clamp(total, 1, priority_owner - 1)",
           "std::clamp(total, 1, int{priority_owner})"),
    Mutant("who slept goes on as Active", ELECTION,
           "    if (!is_stale(now)) {\n"
           "        return;\n"
           "    }",
           "    if (!is_stale(now) || true) {\n"
           "        return;\n"
           "    }"),
    Mutant("a Backup that slept takes over at once", ELECTION,
           "state_ == state::backup && !is_overdue_ && has_slept",
           "state_ == state::backup && !is_overdue_ && has_slept && now == never"),
    Mutant("silence counts while the node slept", STANDING,
           "    if (hears_since_ && now - due > ",
           "    if (hears_since_ && now - due > 10000 * "),
    Mutant("the winner of a split does not look again", "agent/node/virtual_router_announcements.cpp",
           "    takeover_.suspect(now);\n",
           ""),
    Mutant("a priority change arms the down timer anew", ELECTION,
           "        down_due_ = std::max(down_deadline(), std::min(down_due_, now));",
           "        arm_down_timer(now);"),
    Mutant("the router is found by VRID and source alone, and its version is not looked at", ADMISSION,
           "    if (header.protocol_version != static_cast<std::uint8_t>(rule.protocol_version)) {",
           "    if (header.protocol_version == 0) {"),
    # That a timer of the state before lives on is no mutant: the state says which timer is looked at, so nobody could tell.
    Mutant("the signature is verified before what costs less", ADMISSION,
           "    const auto decoded = decode_advert(message, rule.protocol_version, d.source, d.destination, trailer);\n",
           "    if (rule.signatures != nullptr) {\n"
           "        if (const auto reason = rule.signatures->check(message, trailer, d.source, now)) {\n"
           "            return discard(reason_of(*reason), router);\n"
           "        }\n"
           "    }\n"
           "    const auto decoded = decode_advert(message, rule.protocol_version, d.source, d.destination, trailer);\n",
           ((ADMISSION,
             "        if (const auto fault = rule.signatures->check(message, trailer, d.source, now)) {\n"
             "            return discard(reason_of(*fault), router);\n"
             "        }\n",
             ""),)),
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
