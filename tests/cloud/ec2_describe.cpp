// The describing half of ec2_model: ids, filters, pages.

#include "common/bytes.hpp"
#include "tests/cloud/ec2_model.hpp"
#include "tests/cloud/filters.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

// A page token names the last id of the page before; like EC2's it means nothing to its bearer.
constexpr std::string_view token_prefix = "after:";

byte_view as_bytes(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string make_token(const std::string& last_id)
{
    return to_hex(as_bytes(std::string(token_prefix) + last_id));
}

api_result<std::string> read_token(const std::string& token)
{
    const auto bytes = from_hex(token);
    const std::string text(bytes.begin(), bytes.end());
    if (!text.starts_with(token_prefix)) {
        return api_error{"InvalidParameterValue", "Unable to parse pagination token"};
    }
    return text.substr(token_prefix.size());
}

std::string not_found_list(const std::vector<std::string>& ids)
{
    std::string out;
    for (const auto& id : ids) {
        out += (out.empty() ? "'" : ", '") + id + "'";
    }
    return out;
}

// How EC2 names one kind of object that does not exist: "The routeTable ID 'rtb-...' does not exist".
struct missing_words {
    std::string_view code, noun;
};

// What never changes has no past.
template <class T>
const T* value_as_of(const versioned<T>& versions, time_point when)
{
    return versions.as_of(when);
}
template <class T>
const T* value_as_of(const T& value, time_point)
{
    return &value;
}

template <class T, class Objects>
api_result<page<T>> list_objects(const Objects& objects, const describe_query& query, const replica& from,
                                 const missing_words& words)
{
    using id_type = typename Objects::key_type;
    std::vector<std::string> missing;
    std::ranges::copy_if(query.ids, std::back_inserter(missing), [&](const std::string& id) {
        const auto found = objects.find(id_type{id});
        return found == objects.end() || value_as_of(found->second, from.as_of) == nullptr;
    });
    if (!missing.empty()) {
        const bool many = missing.size() > 1;
        return api_error{std::string(words.code), "The " + std::string(words.noun) + (many ? "s " : " ") +
                                                      not_found_list(missing) + (many ? " do not exist" : " does not exist")};
    }
    std::string after;
    if (!query.next_token.empty()) {
        const auto token = read_token(query.next_token);
        if (!token) {
            return token.error();
        }
        after = *token;
    }
    page<T> out;
    for (auto object = objects.upper_bound(id_type{after}); object != objects.end(); ++object) {
        const T* value = value_as_of(object->second, from.as_of);
        if (value == nullptr || (!query.ids.empty() && std::ranges::find(query.ids, object->first.str()) == query.ids.end())) {
            continue;
        }
        const auto wanted = matches(query.filters, *value, from);
        if (!wanted) {
            return wanted.error();
        }
        if (*wanted && query.results_max && out.items.size() == *query.results_max) {
            out.next_token = make_token(out.items.back()->id.str());
            break;
        }
        if (*wanted) {
            out.items.push_back(value);
        }
    }
    return out;
}

}  // namespace

api_result<page<route_table>> ec2_model::list(const describe_route_tables& call, const replica& from)
{
    return list_objects<route_table>(from.state.tables, call.query, from, {"InvalidRouteTableID.NotFound", "routeTable ID"});
}

api_result<page<network_interface>> ec2_model::list(const describe_network_interfaces& call, const replica& from)
{
    return list_objects<network_interface>(from.state.interfaces, call.query, from,
                                           {"InvalidNetworkInterfaceID.NotFound", "networkInterface ID"});
}

api_result<page<instance>> ec2_model::list(const describe_instances& call, const replica& from)
{
    return list_objects<instance>(from.state.instances, call.query, from, {"InvalidInstanceID.NotFound", "instance ID"});
}

api_result<page<instance>> ec2_model::list(const describe_instance_status& call, const replica& from)
{
    auto query = call.query;
    if (!call.include_all) {
        query.filters.push_back({"instance-state-name", {"running"}});
    }
    return list_objects<instance>(from.state.instances, query, from, {"InvalidInstanceID.NotFound", "instance ID"});
}

api_result<page<instance_type>> ec2_model::list(const describe_instance_types& call, const replica& from)
{
    return list_objects<instance_type>(from.state.instance_types, call.query, from,
                                       {"InvalidInstanceType", "following supplied instance type"});
}

api_result<page<elastic_ip>> ec2_model::list(const describe_addresses& call, const replica& from)
{
    auto found =
        list_objects<elastic_ip>(from.state.elastic_ips, call.query, from, {"InvalidAllocationID.NotFound", "allocation ID"});
    if (!found || call.public_addresses.empty()) {
        return found;
    }
    for (const auto& address : call.public_addresses) {
        if (std::ranges::none_of(from.state.elastic_ips, [&](const auto& entry) {
                const auto* elastic = entry.second.as_of(from.as_of);
                return elastic != nullptr && elastic->public_address == address;
            })) {
            return api_error{"InvalidAddress.NotFound", "Address '" + address.to_string() + "' not found."};
        }
    }
    std::erase_if(found->items, [&](const elastic_ip* elastic) {
        return std::ranges::find(call.public_addresses, elastic->public_address) == call.public_addresses.end();
    });
    return found;
}

api_result<page<security_group>> ec2_model::list(const describe_security_groups& call, const replica& from)
{
    return list_objects<security_group>(from.state.security_groups, call.query, from,
                                        {"InvalidGroup.NotFound", "security group"});
}

api_result<page<subnet>> ec2_model::list(const describe_subnets& call, const replica& from)
{
    return list_objects<subnet>(from.state.subnets, call.query, from, {"InvalidSubnetID.NotFound", "subnet ID"});
}

api_result<page<vpc>> ec2_model::list(const describe_vpcs& call, const replica& from)
{
    return list_objects<vpc>(from.state.vpcs, call.query, from, {"InvalidVpcID.NotFound", "vpc ID"});
}

}  // namespace vipd::cloud
