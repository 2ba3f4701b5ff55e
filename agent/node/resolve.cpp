#include "agent/node/resolve.hpp"

#include "agent/takeover/floating_link.hpp"
#include "common/result.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

namespace vipd::node {

namespace {

bool needs_identity(const config::route_entry& route)
{
    return !route.interface_id || route.tables.ids.empty();
}

// An interface of this node, as an entry of the configuration names it.
struct named_interface {
    const std::string& name;  // empty: the router's
    const std::optional<aws::network_interface_id>& id;
};

std::optional<aws::vpc_id> known_or_none(const aws::vpc_id& vpc)
{
    return vpc.empty() ? std::nullopt : std::optional{vpc};
}

struct target {
    aws::network_interface_id interface;
    aws::vpc_id vpc;  // empty when nobody needs it
};

// What one router's entries are resolved with.
class resolver {
public:
    resolver(const config::router& router, const aws::instance_identity* identity, const net::link_table& links,
             const takeover::world& world, const std::vector<known_interface>& before) :
        router_(router), identity_(identity), links_(links), world_(world), before_(before)
    {}

    resolved take()
    {
        if (identity_ == nullptr) {
            all_.known = before_;
        }
        return std::move(all_);
    }

    void add(const config::route_entry& route)
    {
        const auto found = find_target({route.interface, route.interface_id}, needs_identity(route));
        if (!found) {
            leave_out(status::resource_kind::route, route.destination.to_string(), found.error());
            return;
        }
        takeover::table_query query;
        query.ids = route.tables.ids;
        if (!query.by_id()) {
            query.vpc = found->vpc;
            query.tags = route.tables.tags;
        }
        all_.wanted.routes.push_back({std::move(query), route.destination, found->interface});
        auto& may_disable = all_.wanted.disable_source_dest_check[found->interface];
        may_disable = may_disable || route.disable_source_dest_check;
    }

    void add(const config::secondary_ip_entry& entry)
    {
        const auto found = find_target({entry.interface, entry.interface_id}, !entry.interface_id);
        if (!found) {
            leave_out(status::resource_kind::secondary_ip, entry.address.to_string(), found.error());
            return;
        }
        takeover::interface_query query;
        query.address = entry.address;
        query.vpc = vpc_of(found->interface);
        want(std::move(query), takeover::secondary_address{entry.address, found->interface});
    }

    void add(const config::elastic_ip_entry& entry)
    {
        const auto found = find_target({entry.interface, entry.interface_id}, !entry.interface_id);
        if (!found) {
            leave_out(status::resource_kind::elastic_ip, entry.allocation.str(), found.error());
            return;
        }
        // EC2's default, said because any other address of the interface would be the wrong one.
        const auto private_address = entry.private_address ? entry.private_address : primary_address(found->interface);
        want(takeover::elastic_ip_query{entry.allocation},
             takeover::elastic_ip{entry.allocation, found->interface, private_address});
    }

    void add(const config::eni_entry& entry)
    {
        auto query = query_of(entry);
        if (identity_ == nullptr) {
            leave_out(status::resource_kind::network_interface, takeover::describe_query(query), no_identity());
            return;
        }
        all_.known.push_back({query, find_interface(query)});
        add_link(entry, query);
        takeover::floating_interface what{query, identity_->instance, entry.device_index, entry.force_after};
        want(std::move(query), std::move(what));
    }

private:
    [[nodiscard]] takeover::interface_query query_of(const config::eni_entry& entry) const
    {
        takeover::interface_query query;
        query.id = entry.match.id;
        query.address = entry.match.address;
        query.tags = entry.match.tags;
        if (!query.id && identity_ != nullptr) {
            query.vpc = known_or_none(own_vpc(router_, *identity_, links_));
        }
        return query;
    }

    // The one that the entry whose turn it is stands for; empty while nobody has said it, or when none here has the address.
    [[nodiscard]] aws::network_interface_id find_interface(const takeover::interface_query& query) const
    {
        if (query.id) {
            return *query.id;
        }
        if (query.address) {
            const auto found = std::ranges::find_if(identity_->interfaces, [&](const aws::instance_interface& i) {
                return std::ranges::find(i.addresses, *query.address) != i.addresses.end() &&
                       (!query.vpc || i.vpc.empty() || i.vpc == *query.vpc);
            });
            return found == identity_->interfaces.end() ? aws::network_interface_id{} : found->id;
        }
        const auto* const view = world_.find(query);
        const bool is_unique = view != nullptr && view->interfaces.size() == 1;
        return is_unique ? view->interfaces.begin()->first : find_known(query);
    }

    [[nodiscard]] aws::network_interface_id find_known(const takeover::interface_query& query) const
    {
        const auto same = std::ranges::find(before_, query, &known_interface::query);
        if (same != before_.end()) {
            return same->id;
        }
        // A reload may have other words for the same interface.
        const auto place = all_.known.size();
        if (before_.size() != router_.enis.size()) {
            return {};
        }
        const auto& replaced = before_.at(place);
        const bool is_kept =
            std::ranges::any_of(router_.enis, [&](const auto& entry) { return query_of(entry) == replaced.query; });
        return is_kept ? aws::network_interface_id{} : replaced.id;
    }

    // IMDS lists it when it is attached here, and the kernel has a link with its MAC address when it has arrived.
    void add_link(const config::eni_entry& entry, const takeover::interface_query& query)
    {
        const auto found = std::ranges::find(identity_->interfaces, all_.known.back().id, &aws::instance_interface::id);
        const auto* const link = found == identity_->interfaces.end() ? nullptr : links_.find_link_by_mac(found->mac);
        if (!entry.configure) {
            return;
        }
        if (link == nullptr) {
            // An Active that has been given the interface has not got it before its link is there.
            status::resource r;
            r.kind = status::resource_kind::link;
            r.name = r.destination = "link of " + takeover::describe_query(query);
            if (!query.tags.empty() && world_.find(query) == nullptr) {
                r.state = status::resource_state::unknown;
                r.last_error = "EC2 has not said yet which interface it is";
            } else {
                r.state = status::resource_state::elsewhere;
                r.owner = "not on this node";
            }
            all_.unresolved.push_back(std::move(r));
            return;
        }
        auto items = takeover::floating_items(entry, *found, *link);
        std::ranges::move(items, std::back_inserter(all_.of_interfaces));
    }

    // Null where the metadata service has not listed the interface, or it is not of this node.
    [[nodiscard]] const aws::instance_interface* find_own(const aws::network_interface_id& interface) const
    {
        if (identity_ == nullptr) {
            return nullptr;
        }
        const auto own = std::ranges::find(identity_->interfaces, interface, &aws::instance_interface::id);
        return own == identity_->interfaces.end() ? nullptr : &*own;
    }

    // Another VPC of the account may have the same addresses. None where nobody has said which VPC it is: an interface that is
    // named by its id need not be here, nor of the VPC that this node is in.
    [[nodiscard]] std::optional<aws::vpc_id> vpc_of(const aws::network_interface_id& interface) const
    {
        const auto* const own = find_own(interface);
        return own == nullptr ? std::nullopt : known_or_none(own->vpc);
    }

    [[nodiscard]] std::optional<ip_address> primary_address(const aws::network_interface_id& interface) const
    {
        const auto* const own = find_own(interface);
        if (own == nullptr) {
            return std::nullopt;
        }
        const auto first = std::ranges::find_if(own->addresses, [](const ip_address& a) { return a.is_v4(); });
        return first == own->addresses.end() ? std::nullopt : std::optional{*first};
    }

    static error no_identity()
    {
        return {error_class::unavailable, "waiting for the instance metadata service to say which interfaces this node has"};
    }

    void want(takeover::cloud_query query, takeover::resource what)
    {
        all_.wanted.others.push_back({std::move(query), std::move(what)});
    }

    void leave_out(status::resource_kind kind, std::string name, const error& why)
    {
        status::resource r;
        r.kind = kind;
        r.name = r.destination = std::move(name);
        r.state = status::resource_state::unknown;
        r.last_error = why.text;
        all_.unresolved.push_back(std::move(r));
        all_.wanted.complete = false;
    }

    [[nodiscard]] result<target> find_target(const named_interface& wanted, bool needs_identity) const
    {
        if (!needs_identity) {
            return target{*wanted.id, {}};
        }
        if (identity_ == nullptr) {
            return no_identity();
        }
        const auto& interfaces = identity_->interfaces;
        if (wanted.id) {
            const auto found = std::ranges::find(interfaces, *wanted.id, &aws::instance_interface::id);
            if (found != interfaces.end()) {
                return target{found->id, found->vpc};
            }
            if (interfaces.empty()) {
                return error{error_class::not_found,
                             "the instance metadata service lists no interface, so the VPC is not known"};
            }
            // An interface of another instance is a legal target; its VPC has to be ours for a route to reach it.
            return target{*wanted.id, own_vpc(router_, *identity_, links_)};
        }
        const auto& name = wanted.name.empty() ? router_.interface : wanted.name;
        const auto* link = links_.find_link(name);
        if (link == nullptr) {
            return error{error_class::not_found, "there is no interface '" + name + "' on this node"};
        }
        const auto found = std::ranges::find(interfaces, link->mac, &aws::instance_interface::mac);
        if (found == interfaces.end()) {
            return error{error_class::not_found, "the instance metadata service knows no interface with the MAC address " +
                                                     link->mac + " of '" + name + "'"};
        }
        return target{found->id, found->vpc};
    }

    const config::router& router_;
    const aws::instance_identity* identity_;
    const net::link_table& links_;
    const takeover::world& world_;
    const std::vector<known_interface>& before_;
    resolved all_;
};

// Calls visit(entry) for all that a router moves in the cloud.
template <class Visit>
void for_each_move(const config::router& router, Visit&& visit)
{
    std::ranges::for_each(router.routes, visit);
    std::ranges::for_each(router.secondary_ips, visit);
    std::ranges::for_each(router.elastic_ips, visit);
    std::ranges::for_each(router.enis, visit);
}

}  // namespace

resolved resolve(const config::router& router, const aws::instance_identity* identity, const net::link_table& links,
                 const takeover::world& world, const std::vector<known_interface>& before)
{
    resolver all{router, identity, links, world, before};
    for_each_move(router, [&](const auto& entry) { all.add(entry); });
    return all.take();
}

aws::vpc_id own_vpc(const config::router& router, const aws::instance_identity& identity, const net::link_table& links)
{
    const auto* const link = links.find_link(router.interface);
    const auto is_own = [&](const aws::instance_interface& i) {
        return link != nullptr ? i.mac == link->mac
                               : router.source && std::ranges::find(i.addresses, *router.source) != i.addresses.end();
    };
    const auto& interfaces = identity.interfaces;
    if (interfaces.empty()) {
        return {};
    }
    const auto own = std::ranges::find_if(interfaces, is_own);
    return own == interfaces.end() ? interfaces.front().vpc : own->vpc;
}

bool depends_on_world(const config::router& router)
{
    return std::ranges::any_of(router.enis, [](const config::eni_entry& e) { return e.configure && !e.match.tags.empty(); });
}

bool needs_identity(const config::configuration& configuration)
{
    bool needed = false;
    for (const auto& router : configuration.routers) {
        for_each_move(router, [&](const auto& entry) {
            if constexpr (requires { entry.tables; }) {
                needed = needed || needs_identity(entry);
            } else if constexpr (requires { entry.interface_id; }) {
                needed = needed || !entry.interface_id;
            } else {
                needed = true;
            }
        });
    }
    return needed;
}

}  // namespace vipd::node
