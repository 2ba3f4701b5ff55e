#include "agent/io/permissions.hpp"

#include "agent/io/process_facts.hpp"

#include <linux/capability.h>
#include <unistd.h>

namespace vipd::io {

namespace {

result<void> may_change_network(const config::configuration& c)
{
    if (c.changes_network() && !has_capability(CAP_NET_ADMIN)) {
        return error{
            error_class::denied,
            "no permission to add addresses, rules and routes: [[router.address]], [[router.secondary_ip]], [[router.eni]] and "
            "policies need CAP_NET_ADMIN; run vipd as root, or give the unit AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN"};
    }
    return {};
}

}  // namespace

result<void> may_switch_users(const config::configuration& c)
{
    const bool may = has_capability(CAP_SETUID) && has_capability(CAP_SETGID) && has_capability(CAP_KILL);
    for (const auto& r : c.routers) {
        const auto* const user = r.hooks && r.hooks->runs_as ? &*r.hooks->runs_as : nullptr;
        if (user != nullptr && !may && user->user != ::geteuid()) {
            return error{error_class::denied,
                         "no permission to run hooks as " + user->name +
                             ": user in [router.hooks] needs CAP_SETUID, CAP_SETGID and CAP_KILL; put "
                             "deploy/systemd/vipd-hooks.conf into /etc/systemd/system/vipd.service.d/, run vipd as root, or "
                             "remove user"};
        }
        for (const auto& t : r.trackers) {
            const auto* const script = std::get_if<config::script_check>(&t.what.target);
            if (script != nullptr && script->runs_as && !may && script->runs_as->user != ::geteuid()) {
                return error{error_class::denied,
                             "no permission to run the tracker " + t.name + " as " + script->runs_as->name +
                                 ": user in [[router.track]] needs CAP_SETUID, CAP_SETGID and CAP_KILL; put "
                                 "deploy/systemd/vipd-hooks.conf into /etc/systemd/system/vipd.service.d/, run vipd as root, "
                                 "or remove user"};
            }
        }
    }
    return {};
}

result<void> may_do(const config::configuration& c)
{
    const auto may_change = may_change_network(c);
    return may_change ? may_switch_users(c) : may_change;
}

}  // namespace vipd::io
