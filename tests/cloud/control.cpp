#include "tests/cloud/control.hpp"

#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/state_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::cloud {

namespace {

// One request to the control endpoint. `rest` is what follows the path's first word: an id.
struct request_context {
    simulated_cloud& cloud;
    instant now;
    std::string rest;
    json_reader& body;
};

using answer = result<boost::json::value>;

error unknown(std::string_view what, const std::string& name)
{
    return {error_class::not_found, "there is no " + std::string(what) + " '" + name + "'"};
}

boost::json::value done()
{
    return boost::json::object{{"done", true}};
}

duration from_seconds(double seconds)
{
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
}

// By id or by name.
std::optional<instance_id> find_instance(const request_context& context, const std::string& name)
{
    for (const auto& [id, versions] : context.cloud.model().state().instances) {
        if (const auto* machine = versions.current(); machine != nullptr && (id.str() == name || machine->name == name)) {
            return id;
        }
    }
    return std::nullopt;
}

void note_by_hand(request_context& context, const std::string& action, const std::string& table, const std::string& destination,
                  const std::string& interface)
{
    context.cloud.note_change({context.now.steady, {}, action, "by hand", table, destination, interface});
}

std::optional<error> finish(request_context& context)
{
    context.body.finish();
    return context.body.problem();
}

answer get_state(request_context& context)
{
    return boost::json::value(state_json(context.cloud, context.now.steady));
}

answer get_routes(request_context& context)
{
    return boost::json::value(routes_json(context.cloud.model()));
}

std::optional<route_destination> read_destination(json_reader& body)
{
    const auto text = body.required_text("destination");
    if (text.starts_with("pl-")) {
        return prefix_list_id{text};
    }
    const auto prefix = ip_prefix::parse(text);
    if (!prefix) {
        body.fail("destination", prefix.error().text);
        return std::nullopt;
    }
    return prefix->canonical();
}

answer put_route(request_context& context)
{
    const route_table_id table{context.body.required_text("table")};
    const auto destination = read_destination(context.body);
    const route_target target{context.body.required_text("target")};
    if (const auto problem = finish(context)) {
        return *problem;
    }
    if (!context.cloud.model().put_route(context.now.steady, table, {*destination, target, route_origin::create_route})) {
        return unknown("route table", table.str());
    }
    note_by_hand(context, "PutRoute", table.str(), to_string(*destination), target.id);
    return done();
}

answer delete_route(request_context& context)
{
    const route_table_id table{context.body.required_text("table")};
    const auto destination = read_destination(context.body);
    if (const auto problem = finish(context)) {
        return *problem;
    }
    if (!context.cloud.model().remove_route(context.now.steady, table, *destination)) {
        return unknown("route in " + table.str() + " to", to_string(*destination));
    }
    note_by_hand(context, "DeleteRoute", table.str(), to_string(*destination), "");
    return done();
}

answer post_table(request_context& context)
{
    auto table = read_route_table(context.body, context.cloud.model().state());
    if (const auto problem = finish(context)) {
        return *problem;
    }
    const auto id = table.id.str();
    if (!context.cloud.model().add_table(context.now.steady, std::move(table))) {
        return error{error_class::out_of_range, "the route table '" + id + "' is there already"};
    }
    note_by_hand(context, "CreateRouteTable", id, "", "");
    return done();
}

answer delete_table(request_context& context)
{
    if (!context.cloud.model().remove_table(context.now.steady, route_table_id{context.rest})) {
        return unknown("route table", context.rest);
    }
    note_by_hand(context, "DeleteRouteTable", context.rest, "", "");
    return done();
}

answer put_instance(request_context& context)
{
    const auto id = find_instance(context, context.rest);
    const auto text = context.body.required_text("state");
    const auto state = parse_instance_state(text);
    if (!state) {
        context.body.fail("state", "'" + text + "' is no instance state");
    }
    if (const auto problem = finish(context)) {
        return *problem;
    }
    if (!id) {
        return unknown("instance", context.rest);
    }
    context.cloud.model().set_instance_state(context.now.steady, *id, *state);
    note_by_hand(context, "SetInstanceState " + text, "", "", id->str());
    return done();
}

answer put_interface(request_context& context)
{
    const network_interface_id id{context.rest};
    if (context.cloud.model().primary().interface(id) == nullptr) {
        return unknown("network interface", context.rest);
    }
    const bool has_check = context.body.has("source_dest_check");
    const bool check = context.body.boolean("source_dest_check", true);
    const bool has_instance = context.body.has("instance");
    const auto name = context.body.text("instance");
    const auto device_index = static_cast<unsigned>(context.body.count("device_index", 1));
    if (const auto problem = finish(context)) {
        return *problem;
    }
    const auto instance = name.empty() ? instance_id{} : find_instance(context, name);
    if (!instance) {
        return unknown("instance", name);
    }
    if (has_check) {
        static_cast<void>(context.cloud.model().apply(context.now.steady, set_source_dest_check{id, check}));
    }
    if (has_instance) {
        context.cloud.model().attach(context.now.steady, id, *instance, device_index);
    }
    note_by_hand(context, "SetInterface", "", "", context.rest);
    return done();
}

answer delete_interface(request_context& context)
{
    if (!context.cloud.model().remove_interface(context.now.steady, network_interface_id{context.rest})) {
        return unknown("network interface", context.rest);
    }
    note_by_hand(context, "DeleteNetworkInterface", "", "", context.rest);
    return done();
}

answer put_policy(request_context& context)
{
    const auto principal = context.body.required_text("principal");
    const auto* statements = context.body.raw("statements");
    if (const auto problem = finish(context)) {
        return *problem;
    }
    if (statements == nullptr || statements->is_null()) {
        context.cloud.policies().erase(principal);
        return done();
    }
    const auto parsed = parse_policy(*statements);
    if (!parsed) {
        return parsed.error();
    }
    context.cloud.policies()[principal] = *parsed;
    return done();
}

answer put_bucket(request_context& context)
{
    const auto name = context.body.required_text("action");
    auto size = documented_bucket(name);
    if (const auto known = context.cloud.buckets().levels(context.now.steady); known.contains(name)) {
        size = known.at(name).size;
    }
    size.capacity = context.body.number("capacity", size.capacity);
    size.refill_per_second = context.body.number("refill_per_second", size.refill_per_second);
    const bool has_level = context.body.has("level");
    const auto level = context.body.number("level", 0);
    if (const auto problem = finish(context)) {
        return *problem;
    }
    context.cloud.buckets().resize(context.now.steady, name, size);
    if (has_level) {
        context.cloud.buckets().set_level(context.now.steady, name, level);
    }
    return done();
}

answer get_faults(request_context& context)
{
    boost::json::array out;
    for (const auto& [id, value] : context.cloud.faults().all()) {
        out.push_back(to_json(id, value));
    }
    return boost::json::value(std::move(out));
}

answer post_fault(request_context& context)
{
    const auto parsed = parse_fault(context.body.value());
    if (!parsed) {
        return parsed.error();
    }
    return boost::json::value(boost::json::object{{"id", context.cloud.faults().add(*parsed)}});
}

answer delete_fault(request_context& context)
{
    if (context.rest.empty()) {
        context.cloud.faults().clear();
        return done();
    }
    fault_id id = 0;
    const auto [end, failure] = std::from_chars(context.rest.data(), context.rest.data() + context.rest.size(), id);
    if (failure != std::errc{} || *end != '\0' || !context.cloud.faults().remove(id)) {
        return unknown("fault", context.rest);
    }
    return done();
}

answer put_settings(request_context& context)
{
    auto& [cloud, now, rest, body] = context;
    const bool has_latency = body.has("latency_ms");
    const auto latency = delay::fixed(from_seconds(body.number("latency_ms", 0) / 1e3));
    const bool has_consistency = body.has("stale_probability");
    const consistency_settings consistency{body.number("stale_probability", 0),
                                           from_seconds(body.number("lag_max_ms", 0) / 1e3)};
    const bool has_offset = body.has("clock_offset_s");
    const auto offset = from_seconds(body.number("clock_offset_s", 0));
    const bool has_lifetime = body.has("credential_lifetime_s");
    const auto lifetime = from_seconds(body.number("credential_lifetime_s", 21600));
    if (const auto problem = finish(context)) {
        return *problem;
    }
    if (has_latency) {
        cloud.set_latency(latency);
    }
    if (has_consistency) {
        cloud.set_consistency(consistency);
    }
    if (has_offset) {
        cloud.set_clock_offset(offset);
    }
    if (has_lifetime) {
        cloud.imds().set_credential_lifetime(lifetime);
        cloud.sts().set_lifetime_max(lifetime);
    }
    return done();
}

answer post_rotation(request_context& context)
{
    const auto name = context.body.required_text("instance");
    const bool revoke = context.body.boolean("revoke", false);
    if (const auto problem = finish(context)) {
        return *problem;
    }
    const auto id = find_instance(context, name);
    if (!id) {
        return unknown("instance", name);
    }
    context.cloud.imds().rotate_credentials(*id, revoke);
    return done();
}

answer put_token(request_context& context)
{
    const auto text = context.body.required_text("token");
    const auto subject = context.body.required_text("subject");
    const bool expired = context.body.boolean("expired", false);
    if (const auto problem = finish(context)) {
        return *problem;
    }
    context.cloud.sts().iam().tokens[text] = {subject, expired};
    return done();
}

answer put_metadata(request_context& context)
{
    const auto name = context.body.required_text("instance");
    const auto path = context.body.required_text("path");
    const auto value = context.body.text("value");
    if (const auto problem = finish(context)) {
        return *problem;
    }
    const auto id = find_instance(context, name);
    if (!id) {
        return unknown("instance", name);
    }
    context.cloud.imds().set_item(*id, path, value);
    return done();
}

struct route_entry {
    std::string_view method, word;
    answer (*handle)(request_context&);
};

constexpr std::array<route_entry, 19> requests{{
    {"GET", "state", get_state},
    {"GET", "routes", get_routes},
    {"PUT", "routes", put_route},
    {"DELETE", "routes", delete_route},
    {"POST", "tables", post_table},
    {"DELETE", "tables", delete_table},
    {"PUT", "instances", put_instance},
    {"PUT", "interfaces", put_interface},
    {"DELETE", "interfaces", delete_interface},
    {"PUT", "policies", put_policy},
    {"PUT", "buckets", put_bucket},
    {"GET", "faults", get_faults},
    {"POST", "faults", post_fault},
    {"DELETE", "faults", delete_fault},
    {"PUT", "settings", put_settings},
    {"POST", "credentials", post_rotation},
    {"PUT", "tokens", put_token},
    {"PUT", "metadata", put_metadata},
    {"GET", "health", [](request_context&) { return answer(done()); }},
}};

aws::http_response as_response(const answer& outcome)
{
    const aws::http_header type{"Content-Type", "application/json"};
    if (outcome) {
        return {200, {type}, boost::json::serialize(*outcome) + "\n"};
    }
    const unsigned status = outcome.error().kind == error_class::not_found ? 404 : 400;
    return {status, {type}, boost::json::serialize(boost::json::object{{"error", outcome.error().text}}) + "\n"};
}

}  // namespace

aws::http_response handle_control(simulated_cloud& cloud, const instant& now, const aws::http_request& request)
{
    cloud.handle_timeout(now);
    boost::json::value document = boost::json::object{};
    if (!request.body.empty()) {
        boost::json::error_code failure;
        document = boost::json::parse(request.body, failure);
        if (failure) {
            return as_response(error{error_class::malformed, "the body is not JSON: " + failure.message()});
        }
    }
    const auto path = request.target.starts_with('/') ? request.target.substr(1) : request.target;
    const auto slash = path.find('/');
    const auto word = path.substr(0, slash);
    json_reader body(document, "body");
    request_context context{cloud, now, slash == std::string::npos ? std::string{} : path.substr(slash + 1), body};
    const auto* known = std::ranges::find_if(
        requests, [&](const route_entry& entry) { return entry.method == request.method && entry.word == word; });
    if (known == requests.end()) {
        return as_response(unknown("control request", request.method + " " + request.target));
    }
    return as_response(known->handle(context));
}

}  // namespace vipd::cloud
