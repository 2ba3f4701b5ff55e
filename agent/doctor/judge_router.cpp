#include "agent/doctor/judgements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace vipd::doctor {

namespace {

void judge_source(const evidence& known, const config::router& router, section& out)
{
    constexpr const char* check = "source";
    const auto source = known.source_of(router);
    if (!source) {
        const auto* const found = router.source ? known.links.find_address(*router.source) : nullptr;
        if (found != nullptr) {
            out.fail(check,
                     fmt::format("{}, which adverts come from, {}", router.source->to_string(), net::why_unusable(*found)),
                     found->duplicate ? "give one of the two nodes another address" : "wait for that to end");
        } else if (router.source) {
            out.fail(check, fmt::format("{}, which adverts come from, is not on this node", router.source->to_string()),
                     "put right source in [[router]], or leave it out");
        } else {
            out.fail(check,
                     fmt::format("{} has no address of the peers' family that adverts could come from", router.interface),
                     "put right interface in [[router]], or name a source");
        }
        return;
    }
    if (known.configuration->uses_aws() && known.identity() != nullptr && known.own_interface_with(*source) == nullptr) {
        out.fail(check,
                 fmt::format("{} is on this node, and no interface of {} has it: a VPC drops what comes from it",
                             source->to_string(), known.identity()->instance.str()),
                 "name an address as source that EC2 gave the interface");
        return;
    }
    out.ok(check, fmt::format("adverts come from {}", source->to_string()));
}

// What the daemon that runs here hears. An Active hears nobody: only it sends.
void judge_daemon(const evidence& known, const config::router& router, section& out)
{
    constexpr const char* check = "adverts";
    if (!known.daemon.runs || !known.daemon.problem.empty()) {
        return;
    }
    const auto* const seen = known.daemon.find(router.name);
    if (seen == nullptr) {
        out.warn(check, "the daemon that runs here has no router of that name",
                 "it was started with another configuration: `vipd reload`, or another --config");
        return;
    }
    const auto blocked = std::ranges::find(seen->peers, true, &seen_peer::inbound_blocked);
    if (blocked != seen->peers.end()) {
        out.fail(check,
                 fmt::format("the daemon is {}, and by all signs adverts of {} get in only for a while after it has sent some",
                             seen->state, blocked->address.to_string()),
                 std::string{status::inbound_blocked_remedy});
        return;
    }
    const auto youngest =
        std::ranges::min_element(seen->peers, {}, [](const seen_peer& p) { return p.last_heard_age_seconds.value_or(1e18); });
    const bool any_heard = youngest != seen->peers.end() && youngest->last_heard_age_seconds.has_value();
    const auto heard =
        any_heard ? fmt::format("last heard {} {:.1f} s ago", youngest->address.to_string(), *youngest->last_heard_age_seconds)
                  : std::string("no peer has been heard yet");
    if (seen->state == "Active") {
        out.ok(check, fmt::format("the daemon is Active, and only an Active sends; {}", heard));
    } else if (any_heard) {
        out.ok(check, fmt::format("the daemon is {}; {}", seen->state, heard));
    } else {
        out.warn(check, fmt::format("the daemon is {}, and {}", seen->state, heard),
                 "start vipd on the peers; where it runs, look at the security groups");
    }
}

}  // namespace

section judge_router(const evidence& known, const config::router& router)
{
    section out{"router " + router.name, {}};
    if (known.links.complete()) {
        judge_source(known, router, out);
    }
    judge_daemon(known, router, out);
    if (router.moves_in_cloud()) {
        judge_peers(known, router, out);
        judge_moves(known, router, out);
    }
    return out;
}

}  // namespace vipd::doctor
