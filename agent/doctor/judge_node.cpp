#include "agent/doctor/judgements.hpp"

#include <fmt/format.h>

#include <set>
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

void judge_interface(const evidence& known, const std::string& name, section& out)
{
    const auto check = "interface " + name;
    const auto* const link = known.links.find_link(name);
    if (link == nullptr) {
        std::string there;
        for (const auto& [index, other] : known.links.links()) {
            there += (there.empty() ? "" : ", ") + other.name;
        }
        out.fail(check, fmt::format("this node has no such interface, but {}", there.empty() ? "none at all" : there),
                 "put right `interface` in [[router]]");
        return;
    }
    std::string addresses;
    for (const auto& address : known.links.addresses_of(link->index)) {
        addresses += (addresses.empty() ? "" : ", ") + address.address.to_string() + (address.tentative ? " (tentative)" : "");
    }
    if (!link->up || !link->running) {
        out.fail(check, link->up ? "it is up, and has no carrier" : "it is down",
                 link->up ? "look at the link's other end" : fmt::format("`ip link set {} up`", name));
    } else if (addresses.empty()) {
        out.fail(check, "it is up, and has no address", "give it one, or name another interface in [[router]]");
    } else {
        out.ok(check, fmt::format("up, {}", addresses));
    }
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
        std::set<std::string> names;
        for (const auto& router : known.configuration->routers) {
            if (!router.interface.empty()) {
                names.insert(router.interface);
            }
        }
        for (const auto& name : names) {
            judge_interface(known, name, out);
        }
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
