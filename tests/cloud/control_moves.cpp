// Instances, interfaces and addresses, moved by hand: at once, and no rule is checked.

#include "tests/cloud/control_request.hpp"

namespace vipd::cloud {

control_answer put_instance(control_request& request)
{
    auto& [cloud, now, rest, body] = request;
    const auto id = request.find_instance(rest);
    const bool has_impaired = body.has("impaired");
    const bool impaired = body.boolean("impaired", false);
    const auto text = has_impaired ? body.text("state") : body.required_text("state");
    const auto state = parse_instance_state(text);
    if (!state && !text.empty()) {
        body.fail("state", "'" + text + "' is no instance state");
    }
    if (const auto problem = request.finish()) {
        return *problem;
    }
    if (!id) {
        return unknown("instance", rest);
    }
    if (has_impaired) {
        cloud.model().set_impaired(now.steady, *id, impaired);
    }
    if (state) {
        cloud.model().set_instance_state(now.steady, *id, *state);
    }
    state_change what;
    what.action = state ? "SetInstanceState " + text : impaired ? "ImpairInstance" : "RepairInstance";
    what.interface = id->str();
    what.instance = id->str();
    request.note(std::move(what));
    return done();
}

control_answer put_interface(control_request& request)
{
    auto& [cloud, now, rest, body] = request;
    const network_interface_id id{rest};
    if (cloud.model().primary().interface(id) == nullptr) {
        return unknown("network interface", rest);
    }
    const bool has_check = body.has("source_dest_check");
    const bool check = body.boolean("source_dest_check", true);
    const bool has_instance = body.has("instance");
    const auto name = body.text("instance");
    const auto device_index = static_cast<unsigned>(body.count("device_index", 1));
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const auto instance = name.empty() ? instance_id{} : request.find_instance(name);
    if (!instance) {
        return unknown("instance", name);
    }
    if (has_check) {
        static_cast<void>(cloud.model().apply({now, {}, false}, set_source_dest_check{id, check}));
    }
    if (has_instance) {
        cloud.model().attach(now.steady, id, *instance, device_index);
    }
    state_change what;
    what.action = "SetInterface";
    what.interface = rest;
    what.instance = instance->str();
    request.note(std::move(what));
    return done();
}

control_answer delete_interface(control_request& request)
{
    if (!request.cloud.model().remove_interface(request.now.steady, network_interface_id{request.rest})) {
        return unknown("network interface", request.rest);
    }
    state_change what;
    what.action = "DeleteNetworkInterface";
    what.interface = request.rest;
    request.note(std::move(what));
    return done();
}

namespace {

control_answer move_address(control_request& request, const network_interface_id& to)
{
    const auto address = ip_address::parse(request.rest);
    if (!address) {
        return address.error();
    }
    if (!request.cloud.model().put_address(request.now.steady, *address, to)) {
        return unknown(to.empty() ? "secondary address" : "network interface that could have this address:",
                       to.empty() ? request.rest : to.str());
    }
    state_change what;
    what.action = "SetAddress";
    what.interface = to.str();
    what.address = address->to_string();
    request.note(std::move(what));
    return done();
}

}  // namespace

control_answer put_address(control_request& request)
{
    const network_interface_id to{request.body.required_text("interface")};
    if (const auto problem = request.finish()) {
        return *problem;
    }
    return move_address(request, to);
}

control_answer delete_address(control_request& request)
{
    return move_address(request, {});
}

control_answer put_elastic_ip(control_request& request)
{
    const network_interface_id to{request.body.required_text("interface")};
    std::optional<ip_address> private_address;
    if (request.body.has("private_address")) {
        const auto text = request.body.text("private_address");
        if (const auto address = ip_address::parse(text)) {
            private_address = *address;
        } else {
            request.body.fail("private_address", address.error().text);
        }
    }
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const allocation_id id{request.rest};
    if (request.cloud.model().primary().elastic(id) == nullptr) {
        return unknown("Elastic IP", request.rest);
    }
    if (!request.cloud.model().put_elastic_ip(request.now.steady, id, to, private_address)) {
        return unknown("network interface with this address:", to.str());
    }
    state_change what;
    what.action = "SetElasticIp";
    what.interface = to.str();
    what.allocation = request.rest;
    what.address = private_address ? private_address->to_string() : "";
    request.note(std::move(what));
    return done();
}

}  // namespace vipd::cloud
