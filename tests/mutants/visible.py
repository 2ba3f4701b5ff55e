"""Bugs on purpose that can be seen from outside of a whole daemon, each with the checker of the random runs (integration/chaos)
that has to find it. In sources alone, never in a header: of a program that was built only what is changed is compiled again.

A cluster has to settle with them, or there is no run to be judged.
"""

from mutants import ELECTION, REGISTER, ROUTER, SUCCESSION, WORK, Mutant

KEEPER = "agent/aws/credential_keeper.cpp"
SERVER = "agent/io/http_server.cpp"
RESOURCE = "agent/takeover/resource.cpp"

# Without its guard right before the first byte, which would hide most of what goes wrong before it.
PERMITTED = (WORK,
             "router->is_active_for_certain(now.steady) && ",
             "now.steady > time_point::min() && ")
# What was begun out of turn ends with the next reign, which would not begin otherwise.
BEGUN_ANEW = (ROUTER,
              "        takeover_.become_active(now, t.due, last_epoch_);\n",
              "        takeover_.leave_active();\n"
              "        takeover_.become_active(now, t.due, last_epoch_);\n")

VISIBLE = [
    ("S1", Mutant("a Backup takes the routes when it hears a release", ROUTER,
                  "    if (election_) {\n"
                  "        election_->handle(now.steady, advert, election_outputs_);\n",
                  "    if (advert.priority == vrrp::priority_releasing && state() == vrrp::state::backup) {\n"
                  "        takeover_.leave_active();\n"
                  "        takeover_.become_active(now.steady, now.steady, last_epoch_ + 1);\n"
                  "    }\n"
                  "    if (election_) {\n"
                  "        election_->handle(now.steady, advert, election_outputs_);\n",
                  (PERMITTED, BEGUN_ANEW))),
    ("S1", Mutant("one that slept goes on as if nothing had happened", ELECTION,
                  "    return advert_due_ + lateness_max(",
                  "    return advert_due_ + 1000 * lateness_max(")),
    ("S2", Mutant("who gave way goes on with its calls", ROUTER,
                  "        takeover_.leave_active();\n"
                  "        announcer_.stop();",
                  "        announcer_.stop();",
                  (PERMITTED, BEGUN_ANEW))),
    ("S3a", Mutant("an Active answers another with a priority above its own", ELECTION,
                   "        answered_at_ = now;\n"
                   "        send(settings_.priority, out);",
                   "        answered_at_ = now;\n"
                   "        send(static_cast<std::uint8_t>(settings_.priority + 1), out);")),
    ("S3b", Mutant("a Backup answers an Active that is lower", ELECTION,
                   "            handle_as_backup(now, advert);\n",
                   "            if (advert.priority < settings_.priority) {\n"
                   "                answer(now, out);\n"
                   "            }\n"
                   "            handle_as_backup(now, advert);\n")),
    ("S4", Mutant("an Active gives way to nobody", ELECTION,
                  "    if (is_better) {\n"
                  "        become_backup",
                  "    if (is_better && advert.priority == priority_owner) {\n"
                  "        become_backup")),
    ("S6a", Mutant("a failed call is repeated without a look, a pause or a budget", REGISTER,
                   "    retry_at_ = now + pauses_.next(now, e.kind, random);",
                   "    retry_at_ = now;",
                   ((REGISTER, "    if (!budget_.try_take(now)) {", "    if (false) {"),
                    (REGISTER,
                     "    if (e.kind == aws::ec2_error_class::unknown_outcome) {\n"
                     "        is_amending_ = false;",
                     "    if (false) {\n"
                     "        is_amending_ = false;")))),
    ("S6b", Mutant("what serves a route is detached before it is taken", RESOURCE,
                   "    return aws::replace_route{what.table,",
                   "    static bool is_detached = true;\n"
                   "    is_detached = !is_detached;\n"
                   "    if (seen && seen->where == place::elsewhere && !is_detached) {\n"
                   "        return aws::detach_network_interface{aws::attachment_id{\"eni-attach-0123456789abcdef0\"}};\n"
                   "    }\n"
                   "    return aws::replace_route{what.table,")),
    ("S7", Mutant("a descriptor is lost with each connection to the status endpoint", SERVER,
                  "    static_cast<void>(accepted.release());",
                  "    const int lost = accepted.release();\n"
                  "    static_cast<void>(is_unix_socket ? lost : ::fcntl(lost, F_DUPFD_CLOEXEC, 0));")),
    ("S7", Mutant("memory is lost with each connection to the status endpoint", SERVER,
                  "    c->since = steady_now();\n"
                  "    connections.push_back(c);",
                  "    static std::vector<std::string> lost;\n"
                  "    lost.emplace_back(is_unix_socket ? 0U : 262144U, 'x');\n"
                  "    c->since = steady_now();\n"
                  "    connections.push_back(c);")),
    ("S8", Mutant("an Active whose read of EC2 fails hands over", WORK,
                  "    call_notes_.read_ended(now.steady, action, done);\n",
                  "    call_notes_.read_ended(now.steady, action, done);\n"
                  "    if (std::holds_alternative<aws::ec2_error>(done.reply.value)) {\n"
                  "        for (auto& r : routers_) {\n"
                  "            static_cast<void>(r.router->step_down(now, links_, adverts_));\n"
                  "        }\n"
                  "    }\n")),
    ("S12", Mutant("the address stays after the drain", ROUTER,
                   "        local_.leave_active(now + may_return_within(t.reason) + configuration_.drain);\n",
                   "")),
    ("S13", Mutant("the log has the key itself for its id", KEEPER,
                   "fields.emplace_back(\"access_key_id\", current_->access_key_id);",
                   "fields.emplace_back(\"access_key_id\", current_->secret_access_key);")),
    ("S14", Mutant("a successor begins an epoch", SUCCESSION,
                   "    last_epoch_ = predecessor.epoch;",
                   "    last_epoch_ = predecessor.epoch + 1;")),
    ("S14", Mutant("a restart forgets who was Active", SUCCESSION,
                   "is_active ? std::optional{election_->advert_due()} : std::nullopt",
                   "is_active ? std::optional<time_point>{} : std::nullopt")),
    ("S15", Mutant("a call whose outcome is unknown ends the process", REGISTER,
                   "    if (e.kind == aws::ec2_error_class::unknown_outcome) {\n"
                   "        is_amending_ = false;",
                   "    if (e.kind == aws::ec2_error_class::unknown_outcome) {\n"
                   "        ENSURE(is_amending_);\n"
                   "        is_amending_ = false;")),
    ("L-a", Mutant("a route that somebody took is never put back", REGISTER,
                   "        ++repairs_;\n"
                   "        write_again();\n"
                   "        return {.repaired = true, .duel",
                   "        ++repairs_;\n"
                   "        return {.repaired = true, .duel")),
    ("L-b", Mutant("a route that is here is written again and again", REGISTER,
                   "        confirmed_ = true;\n"
                   "        contradictions_ = 0;\n"
                   "        if (amending_call",
                   "        confirmed_ = true;\n"
                   "        contradictions_ = 0;\n"
                   "        if (read_began >= saturating_add(accepted_at_, 2s)) {\n"
                   "            write_again();\n"
                   "            return {};\n"
                   "        }\n"
                   "        if (amending_call")),
]
