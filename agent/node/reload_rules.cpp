#include "agent/node/reload_rules.hpp"

#include "agent/node/resolve.hpp"

#include <string>

namespace vipd::node {

result<void> check_reload(const config::configuration& old, const config::configuration& next)
{
    const auto refuse = [](const std::string& what) -> result<void> {
        return error{error_class::unsupported,
                     what + " cannot be changed while vipd runs; restart it for that (step-down first, and nothing is lost)"};
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
    if (old.uses_aws() && needs_identity(next) && !needs_identity(old)) {
        return refuse("from interface_id to interface: the identity of this instance, which was not asked for at the start,");
    }
    return {};
}

}  // namespace vipd::node
