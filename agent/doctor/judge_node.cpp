#include "agent/doctor/judgements.hpp"

#include <fmt/format.h>

#include <string>

namespace vipd::doctor {

namespace {

void judge_rights(const evidence& known, section& out)
{
    constexpr const char* check = "capabilities";
    const bool needs_admin = known.configuration->changes_network();
    const auto& rights = known.rights;
    if (rights.net_raw && (rights.net_admin || !needs_admin)) {
        out.ok(check, fmt::format("{} has CAP_NET_RAW{}", rights.user, needs_admin ? " and CAP_NET_ADMIN" : ""));
        return;
    }
    const auto* missing = "CAP_NET_RAW, which adverts need";
    if (needs_admin && !rights.net_admin) {
        missing = rights.net_raw ? "CAP_NET_ADMIN, which addresses, rules and routes need" : "CAP_NET_RAW and CAP_NET_ADMIN";
    }
    // It is not this process that has to have them.
    out.warn(check, fmt::format("{}, who runs this, has not {}", rights.user, missing),
             "the packaged vipd.service gives both to its own user; `vipd run` by hand needs root");
}

void judge_daemon(const evidence& known, section& out)
{
    constexpr const char* check = "daemon";
    if (!known.daemon.problem.empty()) {
        out.skip(check, known.daemon.problem);
    } else if (known.daemon.runs) {
        out.ok(check, fmt::format("one is running here, with {} router{}", known.daemon.routers.size(),
                                  known.daemon.routers.size() == 1 ? "" : "s"));
    }
}

}  // namespace

section judge_node(const evidence& known)
{
    section out{"node", {}};
    judge_rights(known, out);
    if (!known.links.complete()) {
        out.skip("interfaces", "the kernel has not told all of its links in time");
    } else {
        judge_links(known, out);
    }
    judge_daemon(known, out);
    return out;
}

report judge(const evidence& known)
{
    report all;
    all.push_back(judge_node(known));
    if (known.configuration->uses_aws()) {
        all.push_back(judge_aws(known));
    }
    for (const auto& router : known.configuration->routers) {
        all.push_back(judge_router(known, router));
    }
    return all;
}

}  // namespace vipd::doctor
