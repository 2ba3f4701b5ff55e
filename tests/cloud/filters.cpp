#include "tests/cloud/filters.hpp"

#include "tests/cloud/filter_fields.hpp"

#include <algorithm>

namespace vipd::cloud {

std::string yes_or_no(bool value)
{
    return value ? "true" : "false";
}

bool any_matches(const filter_values& found, const filter_values& patterns)
{
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return std::ranges::any_of(found, [&](const std::string& text) { return matches_wildcard(pattern, text); });
    });
}

std::optional<filter_values> tag_values(std::string_view name, const tag_map& tags)
{
    if (name == "tag-key") {
        filter_values keys;
        for (const auto& [key, value] : tags) {
            keys.push_back(key);
        }
        return keys;
    }
    if (name.starts_with("tag:")) {
        const auto found = tags.find(name.substr(4));
        return found == tags.end() ? filter_values{} : filter_values{found->second};
    }
    return std::nullopt;
}

std::string zone_of(const subnet_id& id, const replica& from)
{
    const auto* where = from.state.find_subnet(id);
    return where == nullptr ? std::string{} : where->zone;
}

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

namespace {

using values = filter_values;

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

}  // namespace

api_result<bool> matches(const std::vector<filter>& filters, const route_table& table, const replica& from)
{
    return match_all(filters, route_table_fields(), table, from);
}

}  // namespace vipd::cloud
