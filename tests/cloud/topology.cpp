#include "tests/cloud/topology.hpp"

#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/topology_parts.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

namespace {

route_origin read_origin(json_reader& item)
{
    const auto text = item.text("origin", "CreateRoute");
    for (const auto origin : {route_origin::create_route_table, route_origin::create_route, route_origin::propagation,
                              route_origin::advertisement}) {
        if (text == to_string(origin)) {
            return origin;
        }
    }
    item.fail("origin", "has to be CreateRouteTable, CreateRoute, EnableVgwRoutePropagation or Advertisement");
    return route_origin::create_route;
}

void read_routes(json_reader& reader, route_table& table)
{
    for (auto& item : reader.items("routes")) {
        route one;
        const auto destination = item.required_text("destination");
        if (destination.starts_with("pl-")) {
            one.destination = prefix_list_id{destination};
        } else if (const auto prefix = read_prefix(item, "destination", destination)) {
            one.destination = *prefix;
        }
        one.target = {item.required_text("target")};
        one.origin = read_origin(item);
        item.finish();
        table.routes.push_back(std::move(one));
    }
}

void read_iam(json_reader& root, const cloud_state& state, iam_state& iam)
{
    for (auto& item : root.items("roles")) {
        iam_role role;
        role.name = item.required_text("name");
        role.account = item.text("account", state.account);
        role.trusts = item.texts("trusts");
        role.external_id = item.text("external_id");
        role.session_max = std::chrono::seconds{item.count("session_seconds_max", 3600)};
        item.finish();
        iam.roles["arn:" + std::string(state.partition()) + ":iam::" + role.account + ":role/" + role.name] = std::move(role);
    }
    for (auto& item : root.items("identity_tokens")) {
        const auto text = item.required_text("token");
        iam.tokens[text] = {item.required_text("subject"), item.boolean("expired", false)};
        item.finish();
    }
}

// "rtb-" and 17 digits that follow from the number, so that `copies` of a table have ids that EC2 could have made.
route_table_id numbered_id(const route_table_id& first, std::uint64_t number)
{
    auto text = first.str();
    const auto digits = std::to_string(number);
    return route_table_id{text.replace(text.size() - digits.size(), digits.size(), digits)};
}

void read_tables(json_reader& root, cloud_state& state, time_point now)
{
    for (auto& item : root.items("route_tables")) {
        const auto copies = item.count("copies", 1);
        const auto table = read_route_table(item, state);
        item.finish();
        for (std::uint64_t number = 0; number < copies && !root.problem(); ++number) {
            auto copy = table;
            if (copies > 1) {
                copy.id = numbered_id(table.id, number);
                copy.tags["Name"] += "-" + std::to_string(number);
            }
            state.tables[copy.id].put(now, copy);
        }
    }
}

}  // namespace

route_table read_route_table(json_reader& reader, const cloud_state& known)
{
    route_table table;
    table.id = route_table_id{reader.required_text("id")};
    table.vpc = vpc_id{reader.required_text("vpc")};
    table.tags = read_tags(reader);
    table.propagating_gateways = reader.texts("propagating_gateways");
    const auto home = known.vpcs.find(table.vpc);
    if (home == known.vpcs.end()) {
        reader.fail("vpc", "'" + table.vpc.str() + "' is not one of the VPCs");
        return table;
    }
    if (table.id.str().size() != 21 || !table.id.str().starts_with("rtb-")) {
        reader.fail("id", "'" + table.id.str() + "' is not of the form rtb- and 17 hexadecimal digits");
    }
    for (const auto& cidr : home->second.cidrs) {
        table.routes.push_back({cidr, {"local"}, route_origin::create_route_table});
    }
    const auto digits = table.id.str().substr(4);
    if (reader.boolean("main", false)) {
        table.associations.push_back({"rtbassoc-" + digits, true, {}, {}});
    }
    for (const auto& name : reader.texts("subnets")) {
        const subnet_id id{name};
        if (known.find_subnet(id) == nullptr) {
            reader.fail("subnets", "'" + name + "' is not one of the subnets");
        }
        table.associations.push_back(
            {"rtbassoc-" + digits.substr(0, 13) + name.substr(name.size() - std::min<std::size_t>(4, name.size())),
             false,
             id,
             {}});
    }
    for (const auto& gateway : reader.texts("gateways")) {
        table.associations.push_back({"rtbassoc-" + digits, false, {}, gateway});
    }
    read_routes(reader, table);
    return table;
}

result<topology> parse_topology(std::string_view json, time_point now)
{
    boost::json::error_code failure;
    const auto document = boost::json::parse(json, failure);
    if (failure) {
        return error{error_class::malformed, "the topology is not JSON: " + failure.message()};
    }
    topology out;
    json_reader root(document, "topology");
    out.state.region = root.text("region", out.state.region);
    out.state.account = root.text("account", out.state.account);
    out.state.routes_per_table_max = static_cast<unsigned>(root.count("routes_per_table_max", out.state.routes_per_table_max));
    read_networks(root, out.state);
    read_machines(root, out.state, now);
    read_tables(root, out.state, now);
    read_iam(root, out.state, out.iam);
    for (auto& item : root.items("access_keys")) {
        access_key key;
        key.id = item.required_text("id");
        key.secret = item.required_text("secret");
        key.token = item.text("token");
        key.principal = item.text("principal", "user/" + key.id);
        item.finish();
        out.keys.push_back(std::move(key));
    }
    if (const auto* policies = root.raw("policies"); policies != nullptr && policies->is_object()) {
        for (const auto& member : policies->get_object()) {
            const auto statements = parse_policy(member.value());
            if (!statements) {
                return statements.error();
            }
            out.policies[std::string(member.key())] = *statements;
        }
    }
    root.finish();
    if (const auto problem = root.problem()) {
        return *problem;
    }
    return out;
}

}  // namespace vipd::cloud
