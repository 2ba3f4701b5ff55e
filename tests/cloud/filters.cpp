#include "tests/cloud/filters.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

namespace vipd::cloud {

namespace {

using values = std::vector<std::string>;

// What a filter looks at: the object's values of that name. An object without any does not match.
template <class T>
using field_table = std::map<std::string, std::function<values(const T&, const replica&)>, std::less<>>;

std::string yes_or_no(bool value)
{
    return value ? "true" : "false";
}

bool any_matches(const values& found, const values& patterns)
{
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return std::ranges::any_of(found, [&](const std::string& text) { return matches_wildcard(pattern, text); });
    });
}

template <class T, class F>
values collect(const std::vector<T>& items, F value_of)
{
    values found;
    for (const auto& item : items) {
        if (std::string value = value_of(item); !value.empty()) {
            found.push_back(std::move(value));
        }
    }
    return found;
}

std::string cidr_of_family(const route& r, ip_family family)
{
    const auto* prefix = std::get_if<ip_prefix>(&r.destination);
    return prefix != nullptr && prefix->family() == family ? prefix->to_string() : std::string{};
}

std::string instance_behind(const route& r, const replica& from)
{
    const auto* interface = from.interface(r.target.interface());
    return interface != nullptr && interface->attached ? interface->attached->instance.str() : std::string{};
}

std::string target_of_kind(const route& r, std::string_view prefix)
{
    return r.target.id.starts_with(prefix) ? r.target.id : std::string{};
}

std::string gateway_of(const route& r)
{
    for (const auto* kind : {"local", "igw-", "vgw-", "vpce-"}) {
        if (r.target.id.starts_with(kind)) {
            return r.target.id;
        }
    }
    return {};
}

void add_association_fields(field_table<route_table>& fields)
{
    const auto add = [&](const char* name, auto value_of) {
        fields[name] = [value_of](const route_table& t, const replica&) { return collect(t.associations, value_of); };
    };
    add("association.gateway-id", [](const route_table_association& a) { return a.gateway; });
    add("association.main", [](const route_table_association& a) { return yes_or_no(a.main); });
    add("association.route-table-association-id", [](const route_table_association& a) { return a.id; });
    add("association.subnet-id", [](const route_table_association& a) { return a.subnet.str(); });
    fields["association.route-table-id"] = [](const route_table& t, const replica&) {
        return t.associations.empty() ? values{} : values{t.id.str()};
    };
}

void add_route_fields(field_table<route_table>& fields)
{
    const auto add = [&](const char* name, auto value_of) {
        fields[name] = [value_of](const route_table& t, const replica& from) {
            return collect(t.routes, [&](const route& r) { return value_of(r, from); });
        };
    };
    add("route.destination-cidr-block", [](const route& r, const replica&) { return cidr_of_family(r, ip_family::v4); });
    add("route.destination-ipv6-cidr-block", [](const route& r, const replica&) { return cidr_of_family(r, ip_family::v6); });
    add("route.destination-prefix-list-id", [](const route& r, const replica&) {
        const auto* list = std::get_if<prefix_list_id>(&r.destination);
        return list == nullptr ? std::string{} : list->str();
    });
    add("route.gateway-id", [](const route& r, const replica&) { return gateway_of(r); });
    add("route.instance-id", [](const route& r, const replica& from) { return instance_behind(r, from); });
    add("route.nat-gateway-id", [](const route& r, const replica&) { return target_of_kind(r, "nat-"); });
    add("route.transit-gateway-id", [](const route& r, const replica&) { return target_of_kind(r, "tgw-"); });
    add("route.vpc-peering-connection-id", [](const route& r, const replica&) { return target_of_kind(r, "pcx-"); });
    add("route.origin", [](const route& r, const replica&) { return std::string(to_string(r.origin)); });
    add("route.state", [](const route& r, const replica& from) -> std::string {
        return from.is_blackhole(r.target) ? "blackhole" : "active";
    });
}

const field_table<route_table>& route_table_fields()
{
    static const field_table<route_table> fields = [] {
        field_table<route_table> table;
        table["owner-id"] = [](const route_table&, const replica& from) { return values{from.state.account}; };
        table["route-table-id"] = [](const route_table& t, const replica&) { return values{t.id.str()}; };
        table["vpc-id"] = [](const route_table& t, const replica&) { return values{t.vpc.str()}; };
        add_association_fields(table);
        add_route_fields(table);
        return table;
    }();
    return fields;
}

std::string attachment_value(const network_interface& i, std::string (*value_of)(const attachment&))
{
    return i.attached ? value_of(*i.attached) : std::string{};
}

values addresses_of(const std::vector<ip_address>& addresses)
{
    return collect(addresses, [](const ip_address& address) { return address.to_string(); });
}

std::string zone_of(const subnet_id& id, const replica& from)
{
    const auto* where = from.state.find_subnet(id);
    return where == nullptr ? std::string{} : where->zone;
}

const field_table<network_interface>& interface_fields()
{
    using interface = network_interface;
    static const field_table<interface> fields{
        {"addresses.private-ip-address", [](const interface& i, const replica&) { return addresses_of(i.addresses); }},
        {"attachment.attachment-id",
         [](const interface& i, const replica&) {
             return values{attachment_value(i, [](const attachment& a) { return a.id; })};
         }},
        {"attachment.device-index",
         [](const interface& i, const replica&) {
             return values{attachment_value(i, [](const attachment& a) { return std::to_string(a.device_index); })};
         }},
        {"attachment.instance-id",
         [](const interface& i, const replica&) {
             return values{attachment_value(i, [](const attachment& a) { return a.instance.str(); })};
         }},
        {"attachment.status", [](const interface& i, const replica&) { return i.attached ? values{"attached"} : values{}; }},
        {"availability-zone", [](const interface& i, const replica& from) { return values{zone_of(i.subnet, from)}; }},
        {"description", [](const interface& i, const replica&) { return values{i.description}; }},
        {"ipv6-addresses.ipv6-address", [](const interface& i, const replica&) { return addresses_of(i.addresses6); }},
        {"mac-address", [](const interface& i, const replica&) { return values{i.mac}; }},
        {"network-interface-id", [](const interface& i, const replica&) { return values{i.id.str()}; }},
        {"owner-id", [](const interface&, const replica& from) { return values{from.state.account}; }},
        {"private-ip-address",
         [](const interface& i, const replica&) {
             return i.addresses.empty() ? values{} : values{i.addresses.front().to_string()};
         }},
        {"source-dest-check", [](const interface& i, const replica&) { return values{yes_or_no(i.source_dest_check)}; }},
        {"status", [](const interface& i, const replica&) { return values{i.attached ? "in-use" : "available"}; }},
        {"subnet-id", [](const interface& i, const replica&) { return values{i.subnet.str()}; }},
        {"vpc-id", [](const interface& i, const replica& from) { return values{from.state.vpc_of(i).str()}; }},
    };
    return fields;
}

const field_table<instance>& instance_fields()
{
    static const field_table<instance> fields{
        {"availability-zone", [](const instance& i, const replica& from) { return values{zone_of(i.subnet, from)}; }},
        {"instance-id", [](const instance& i, const replica&) { return values{i.id.str()}; }},
        {"instance-state-code",
         [](const instance& i, const replica&) { return values{std::to_string(static_cast<int>(i.state))}; }},
        {"instance-state-name", [](const instance& i, const replica&) { return values{std::string(to_string(i.state))}; }},
        {"instance-type", [](const instance& i, const replica&) { return values{i.type}; }},
        {"subnet-id", [](const instance& i, const replica&) { return values{i.subnet.str()}; }},
        {"vpc-id",
         [](const instance& i, const replica& from) {
             const auto* where = from.state.find_subnet(i.subnet);
             return where == nullptr ? values{} : values{where->vpc.str()};
         }},
    };
    return fields;
}

// "tag:KEY" and "tag-key", which all objects have.
std::optional<values> tag_values(std::string_view name, const tag_map& tags)
{
    if (name == "tag-key") {
        values keys;
        for (const auto& [key, value] : tags) {
            keys.push_back(key);
        }
        return keys;
    }
    if (name.starts_with("tag:")) {
        const auto found = tags.find(name.substr(4));
        return found == tags.end() ? values{} : values{found->second};
    }
    return std::nullopt;
}

template <class T>
api_result<bool> match_all(const std::vector<filter>& filters, const field_table<T>& fields, const T& object,
                           const replica& from)
{
    bool all = true;
    for (const auto& [name, patterns] : filters) {
        auto found = tag_values(name, object.tags);
        if (!found) {
            const auto field = fields.find(name);
            if (field == fields.end()) {
                return api_error{"InvalidParameterValue", "The filter '" + name + "' is invalid"};
            }
            found = field->second(object, from);
        }
        all = all && any_matches(*found, patterns);
    }
    return all;
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text)
{
    // Greedy with one point of return: the last star. What follows an older star never has to be tried again.
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        const bool literal = p + 1 < pattern.size() && pattern[p] == '\\';
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (literal ? pattern[p + 1] == text[t] : pattern[p] == '?' || pattern[p] == text[t])) {
            p += literal ? 2 : 1;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

api_result<bool> matches(const std::vector<filter>& filters, const route_table& table, const replica& from)
{
    return match_all(filters, route_table_fields(), table, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const network_interface& interface, const replica& from)
{
    return match_all(filters, interface_fields(), interface, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const instance& machine, const replica& from)
{
    return match_all(filters, instance_fields(), machine, from);
}

}  // namespace vipd::cloud
