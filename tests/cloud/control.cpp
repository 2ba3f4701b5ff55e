#include "tests/cloud/control.hpp"

#include "tests/cloud/control_request.hpp"
#include "tests/cloud/delay_json.hpp"
#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/state_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::cloud {

std::optional<instance_id> control_request::find_instance(const std::string& name) const
{
    for (const auto& [id, versions] : cloud.model().state().instances) {
        if (const auto* machine = versions.current(); machine != nullptr && (id.str() == name || machine->name == name)) {
            return id;
        }
    }
    return std::nullopt;
}

void control_request::note(state_change what)
{
    what.at = now.steady;
    what.node = "by hand";
    cloud.note_change(std::move(what));
}

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

namespace {

state_change about_route(const std::string& action, const std::string& table, const std::string& destination = {},
                         const std::string& target = {})
{
    state_change what;
    what.action = action;
    what.table = table;
    what.destination = destination;
    what.interface = target;
    return what;
}

control_answer get_state(control_request& request)
{
    return boost::json::value(state_json(request.cloud, request.now.steady));
}

control_answer get_routes(control_request& request)
{
    return boost::json::value(routes_json(request.cloud.model()));
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

control_answer put_route(control_request& request)
{
    const route_table_id table{request.body.required_text("table")};
    const auto destination = read_destination(request.body);
    const route_target target{request.body.required_text("target")};
    if (const auto problem = request.finish()) {
        return *problem;
    }
    if (!request.cloud.model().put_route(request.now.steady, table, {*destination, target, route_origin::create_route})) {
        return unknown("route table", table.str());
    }
    request.note(about_route("PutRoute", table.str(), to_string(*destination), target.id));
    return done();
}

control_answer delete_route(control_request& request)
{
    const route_table_id table{request.body.required_text("table")};
    const auto destination = read_destination(request.body);
    if (const auto problem = request.finish()) {
        return *problem;
    }
    if (!request.cloud.model().remove_route(request.now.steady, table, *destination)) {
        return unknown("route in " + table.str() + " to", to_string(*destination));
    }
    request.note(about_route("DeleteRoute", table.str(), to_string(*destination)));
    return done();
}

control_answer post_table(control_request& request)
{
    auto table = read_route_table(request.body, request.cloud.model().state());
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const auto id = table.id.str();
    if (!request.cloud.model().add_table(request.now.steady, std::move(table))) {
        return error{error_class::out_of_range, "the route table '" + id + "' is there already"};
    }
    request.note(about_route("CreateRouteTable", id));
    return done();
}

control_answer delete_table(control_request& request)
{
    if (!request.cloud.model().remove_table(request.now.steady, route_table_id{request.rest})) {
        return unknown("route table", request.rest);
    }
    request.note(about_route("DeleteRouteTable", request.rest));
    return done();
}

control_answer put_policy(control_request& request)
{
    const auto principal = request.body.required_text("principal");
    const auto* statements = request.body.raw("statements");
    if (const auto problem = request.finish()) {
        return *problem;
    }
    if (statements == nullptr || statements->is_null()) {
        request.cloud.policies().erase(principal);
        return done();
    }
    const auto parsed = parse_policy(*statements);
    if (!parsed) {
        return parsed.error();
    }
    request.cloud.policies()[principal] = *parsed;
    return done();
}

control_answer put_bucket(control_request& request)
{
    const auto name = request.body.required_text("action");
    auto size = documented_bucket(name);
    if (const auto known = request.cloud.buckets().levels(request.now.steady); known.contains(name)) {
        size = known.at(name).size;
    }
    size.capacity = request.body.number("capacity", size.capacity);
    size.refill_per_second = request.body.number("refill_per_second", size.refill_per_second);
    const bool has_level = request.body.has("level");
    const auto level = request.body.number("level", 0);
    if (const auto problem = request.finish()) {
        return *problem;
    }
    request.cloud.buckets().resize(request.now.steady, name, size);
    if (has_level) {
        request.cloud.buckets().set_level(request.now.steady, name, level);
    }
    return done();
}

control_answer get_faults(control_request& request)
{
    boost::json::array out;
    for (const auto& [id, value] : request.cloud.faults().all()) {
        out.push_back(to_json(id, value));
    }
    return boost::json::value(std::move(out));
}

control_answer post_fault(control_request& request)
{
    const auto parsed = parse_fault(request.body.value());
    if (!parsed) {
        return parsed.error();
    }
    return boost::json::value(boost::json::object{{"id", request.cloud.faults().add(*parsed)}});
}

control_answer delete_fault(control_request& request)
{
    if (request.rest.empty()) {
        request.cloud.faults().clear();
        return done();
    }
    fault_id id = 0;
    const auto [end, failure] = std::from_chars(request.rest.data(), request.rest.data() + request.rest.size(), id);
    if (failure != std::errc{} || *end != '\0' || !request.cloud.faults().remove(id)) {
        return unknown("fault", request.rest);
    }
    return done();
}

// A setting that was named; absent ones stay as they are.
std::optional<delay> read_setting(json_reader& body, std::string_view key)
{
    return body.has(key) ? std::optional{read_delay(body, key)} : std::nullopt;
}

control_answer put_settings(control_request& request)
{
    auto& [cloud, now, rest, body] = request;
    const auto latency = read_setting(body, "latency_ms");
    const bool has_consistency = body.has("stale_probability");
    const consistency_settings consistency{body.number("stale_probability", 0),
                                           from_seconds(body.number("lag_max_ms", 0) / 1e3)};
    const bool has_offset = body.has("clock_offset_s");
    const auto offset = from_seconds(body.number("clock_offset_s", 0));
    const bool has_lifetime = body.has("credential_lifetime_s");
    const auto lifetime = from_seconds(body.number("credential_lifetime_s", 21600));
    auto times = cloud.model().times();
    times.attach = read_setting(body, "attach_ms").value_or(times.attach);
    times.detach = read_setting(body, "detach_ms").value_or(times.detach);
    times.reassign = read_setting(body, "reassign_ms").value_or(times.reassign);
    const bool has_metadata_lag = body.has("metadata_lag_ms");
    const auto metadata_lag = from_ms(body.number("metadata_lag_ms", 0));
    if (metadata_lag < duration::zero() || metadata_lag > imds_model::lag_max) {
        body.fail("metadata_lag_ms", "has to be between 0 and 60000");
    }
    if (const auto problem = request.finish()) {
        return *problem;
    }
    cloud.model().set_times(times);
    if (latency) {
        cloud.set_latency(*latency);
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
    if (has_metadata_lag) {
        cloud.imds().set_lag(metadata_lag);
    }
    return done();
}

control_answer post_rotation(control_request& request)
{
    const auto name = request.body.required_text("instance");
    const bool revoke = request.body.boolean("revoke", false);
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const auto id = request.find_instance(name);
    if (!id) {
        return unknown("instance", name);
    }
    request.cloud.imds().rotate_credentials(*id, revoke);
    return done();
}

control_answer put_token(control_request& request)
{
    const auto text = request.body.required_text("token");
    const auto subject = request.body.required_text("subject");
    const bool expired = request.body.boolean("expired", false);
    if (const auto problem = request.finish()) {
        return *problem;
    }
    request.cloud.sts().iam().tokens[text] = {subject, expired};
    return done();
}

struct route_entry {
    std::string_view method, word;
    control_answer (*handle)(control_request&);
};

constexpr std::array<route_entry, 24> requests{{
    {"GET", "state", get_state},
    {"GET", "routes", get_routes},
    {"PUT", "routes", put_route},
    {"DELETE", "routes", delete_route},
    {"POST", "tables", post_table},
    {"DELETE", "tables", delete_table},
    {"PUT", "instances", put_instance},
    {"PUT", "interfaces", put_interface},
    {"DELETE", "interfaces", delete_interface},
    {"PUT", "addresses", put_address},
    {"DELETE", "addresses", delete_address},
    {"PUT", "elastic-ips", put_elastic_ip},
    {"PUT", "policies", put_policy},
    {"PUT", "buckets", put_bucket},
    {"GET", "faults", get_faults},
    {"POST", "faults", post_fault},
    {"DELETE", "faults", delete_fault},
    {"PUT", "settings", put_settings},
    {"POST", "credentials", post_rotation},
    {"PUT", "tokens", put_token},
    {"PUT", "metadata", put_metadata},
    {"POST", "notices", post_notice},
    {"DELETE", "notices", delete_notices},
    {"GET", "health", [](control_request&) { return control_answer(done()); }},
}};

aws::http_response as_response(const control_answer& outcome)
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
    control_request asked{cloud, now, slash == std::string::npos ? std::string{} : path.substr(slash + 1), body};
    const auto* known = std::ranges::find_if(
        requests, [&](const route_entry& entry) { return entry.method == request.method && entry.word == word; });
    if (known == requests.end()) {
        return as_response(unknown("control request", request.method + " " + request.target));
    }
    return as_response(known->handle(asked));
}

}  // namespace vipd::cloud
