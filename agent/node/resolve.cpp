#include "agent/node/resolve.hpp"

#include "common/result.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace vipd::node {

namespace {

bool needs_identity(const config::route_entry& route)
{
    return !route.interface_id || route.tables.ids.empty();
}

struct target {
    aws::network_interface_id interface;
    aws::vpc_id vpc;  // empty when nobody needs it
};

result<target> find_target(const config::router& router, const config::route_entry& route,
                           const aws::instance_identity* identity, const net::link_table& links)
{
    if (!needs_identity(route)) {
        return target{*route.interface_id, {}};
    }
    if (identity == nullptr) {
        return error{error_class::unavailable,
                     "waiting for the instance metadata service to say which interfaces this node has"};
    }
    if (route.interface_id) {
        const auto found = std::ranges::find(identity->interfaces, *route.interface_id, &aws::instance_interface::id);
        if (found != identity->interfaces.end()) {
            return target{found->id, found->vpc};
        }
        if (identity->interfaces.empty()) {
            return error{error_class::not_found, "the instance metadata service lists no interface, so the VPC is not known"};
        }
        // An interface of another instance is a legal target; its VPC has to be ours for a route to reach it.
        return target{*route.interface_id, identity->interfaces.front().vpc};
    }
    const auto& name = route.interface.empty() ? router.interface : route.interface;
    const auto* link = links.find_link(name);
    if (link == nullptr) {
        return error{error_class::not_found, "there is no interface '" + name + "' on this node"};
    }
    const auto found = std::ranges::find(identity->interfaces, link->mac, &aws::instance_interface::mac);
    if (found == identity->interfaces.end()) {
        return error{error_class::not_found, "the instance metadata service knows no interface with the MAC address " +
                                                 link->mac + " of '" + name + "'"};
    }
    return target{found->id, found->vpc};
}

}  // namespace

resolved resolve(const config::router& router, const aws::instance_identity* identity, const net::link_table& links)
{
    resolved all;
    for (const auto& route : router.routes) {
        const auto found = find_target(router, route, identity, links);
        if (!found) {
            status::resource r;
            r.kind = status::resource_kind::route;
            r.destination = route.destination.to_string();
            r.name = r.destination;
            r.state = status::resource_state::unknown;
            r.last_error = found.error().text;
            all.unresolved.push_back(std::move(r));
            all.wanted.complete = false;
            continue;
        }
        takeover::table_query query;
        query.ids = route.tables.ids;
        if (!query.by_id()) {
            query.vpc = found->vpc;
            query.tags = route.tables.tags;
        }
        all.wanted.routes.push_back({std::move(query), route.destination, found->interface});
        auto& may_disable = all.wanted.disable_source_dest_check[found->interface];
        may_disable = may_disable || route.disable_source_dest_check;
    }
    return all;
}

bool needs_identity(const config::configuration& configuration)
{
    return std::ranges::any_of(configuration.routers, [](const config::router& r) {
        return std::ranges::any_of(r.routes, [](const config::route_entry& route) { return needs_identity(route); });
    });
}

}  // namespace vipd::node
