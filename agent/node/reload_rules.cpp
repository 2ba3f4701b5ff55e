#include "agent/node/reload_rules.hpp"

#include "agent/node/resolve.hpp"

#include <string>

namespace vipd::node {

result<void> check_reload(const config::configuration& old, const config::configuration& next, session_kind session)
{
    const auto refuse = [](const std::string& what) -> result<void> {
        return error{error_class::unsupported,
                     what + " cannot be changed by a reload; `vipd restart` reads all of the file, without a transition"};
    };
    if (next.http != old.http) {
        return refuse("[http]");
    }
    if (next.realtime != old.realtime) {
        return refuse("realtime");
    }
    if (next.log.format != old.log.format || next.log.debug != old.log.debug) {
        return refuse("[log]");
    }
    auto comparable = next.aws;
    comparable.reconcile_period = old.aws.reconcile_period;
    if (comparable != old.aws) {
        return refuse("[aws] (but for reconcile_period)");
    }
    if (session == session_kind::without_identity && needs_identity(next)) {
        return refuse(
            "a route that needs the identity of this instance, which was not asked for at the start (interface, or tables by "
            "vpc or tags, in place of interface_id and ids),");
    }
    return {};
}

}  // namespace vipd::node
