// Interfaces: attaching and detaching, which take their time, and their attributes.

#include "tests/cloud/ec2_model.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

api_error no_attachment(const std::string& id)
{
    return {"InvalidAttachmentID.NotFound", "The networkInterface attachment ID '" + id + "' does not exist"};
}

// EC2 user guide, "Requester-managed network interfaces". The words are ours.
api_error managed_elsewhere(const network_interface& interface)
{
    return {"OperationNotPermitted", "The network interface " + interface.id.str() + " is managed by another service."};
}

}  // namespace

api_result<resources> ec2_model::named_interface(const network_interface_id& id) const
{
    const auto* interface = primary().interface(id);
    if (interface == nullptr) {
        return api_error{"InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + id.str() + "' does not exist"};
    }
    return resources{{"network-interface", id.str(), &interface->tags, state_.vpc_of(*interface)}};
}

api_result<resources> ec2_model::named(const set_source_dest_check& call) const
{
    return named_interface(call.interface);
}

api_result<resources> ec2_model::named(const set_delete_on_termination& call) const
{
    return named_interface(call.interface);
}

api_result<resources> ec2_model::named(const attach_interface& call) const
{
    auto out = named_interface(call.interface);
    const auto* machine = primary().machine(call.instance);
    if (out && machine == nullptr) {
        return api_error{"InvalidInstanceID.NotFound", "The instance ID '" + call.instance.str() + "' does not exist"};
    }
    if (out) {
        out->push_back({"instance", machine->id.str(), &machine->tags});
    }
    return out;
}

api_result<resources> ec2_model::named(const detach_interface& call) const
{
    const auto* interface = primary().with_attachment(call.attachment);
    if (interface == nullptr) {
        return no_attachment(call.attachment);
    }
    // The instance that loses it is asked for too.
    resources out{{"network-interface", interface->id.str(), &interface->tags, state_.vpc_of(*interface)}};
    if (const auto* machine = primary().machine_of(*interface)) {
        out.push_back({"instance", machine->id.str(), &machine->tags});
    }
    return out;
}

api_result<void> ec2_model::apply(const occasion& when, const set_source_dest_check& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    auto changed = *primary().interface(call.interface);
    changed.source_dest_check = call.on;
    put(when.now.steady, std::move(changed));
    return {};
}

api_result<void> ec2_model::apply(const occasion& when, const set_delete_on_termination& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    auto changed = *primary().interface(call.interface);
    if (!changed.attached || changed.attached->id != call.attachment) {
        return no_attachment(call.attachment);
    }
    changed.attached->delete_on_termination = call.on;
    put(when.now.steady, std::move(changed));
    return {};
}

api_result<void> ec2_model::check_place(const network_interface& interface, const instance& machine) const
{
    if (machine.state != instance_state::running && machine.state != instance_state::stopped) {
        return api_error{"IncorrectInstanceState", "Instance '" + machine.id.str() + "' is " +
                                                       std::string(to_string(machine.state)) +
                                                       "; it has to be running or stopped for this operation."};
    }
    const auto* here = state_.find_subnet(interface.subnet);
    const auto* there = state_.find_subnet(machine.subnet);
    if (here == nullptr || there == nullptr || here->zone != there->zone) {
        return api_error{"InvalidParameterCombination",
                         "You may not attach a network interface to an instance if they are not in the same availability zone"};
    }
    if (here->vpc != there->vpc) {
        return api_error{"InvalidParameterCombination",
                         "You may not attach a network interface to an instance if they are not in the same VPC"};
    }
    return {};
}

api_result<void> ec2_model::check_room(const network_interface& interface, const instance& machine,
                                       const attach_interface& call) const
{
    const auto type = state_.type_of(machine);
    const auto present = primary().interfaces_of(machine.id);
    if (std::ranges::any_of(present, [&](const network_interface* other) {
            return other->attached->device_index == call.device_index &&
                   other->attached->network_card_index == call.network_card_index;
        })) {
        return api_error{"InvalidParameterValue", "Instance '" + machine.id.str() +
                                                      "' already has an interface attached at device index '" +
                                                      std::to_string(call.device_index) + "'."};
    }
    if (call.network_card_index >= type.network_cards) {
        return api_error{"InvalidParameterValue", "Network card index '" + std::to_string(call.network_card_index) +
                                                      "' is not valid for the instance type " + type.id.str() + "."};
    }
    if (present.size() >= type.interfaces_max) {
        return api_error{"AttachmentLimitExceeded",
                         "Interface count " + std::to_string(present.size() + 1) + " exceeds the limit for " + type.id.str()};
    }
    if (call.device_index >= type.interfaces_max) {
        return api_error{"InvalidParameterValue", "Device index '" + std::to_string(call.device_index) +
                                                      "' is not valid for the instance type " + type.id.str() + "."};
    }
    if (interface.addresses.size() > type.ipv4_addresses_per_interface ||
        interface.addresses6.size() > type.ipv6_addresses_per_interface) {
        return api_error{"PrivateIpAddressLimitExceeded",
                         interface.id.str() + ": Number of private addresses will exceed limit."};
    }
    return {};
}

api_result<attached_interface> ec2_model::apply(const occasion& when, const attach_interface& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    const auto& interface = *primary().interface(call.interface);
    const auto& machine = *primary().machine(call.instance);
    if (interface.requester_managed) {
        return managed_elsewhere(interface);
    }
    if (interface.attached) {
        return api_error{"InvalidNetworkInterface.InUse", "Interface: [" + interface.id.str() + "] in use."};
    }
    if (const auto fits = check_place(interface, machine); !fits) {
        return fits.error();
    }
    if (const auto fits = check_room(interface, machine, call); !fits) {
        return fits.error();
    }
    auto changed = interface;
    // What the API attaches outlives the instance, unless it is told otherwise.
    changed.attached = attachment{new_id("eni-attach-"), machine.id, call.device_index, call.network_card_index};
    changed.attached->status = attachment_status::attaching;
    changed.attached->since = when.now.wall;
    changed.attached->plugged = false;
    const attached_interface answer{changed.attached->id, call.network_card_index};
    put(when.now.steady, std::move(changed));
    begin(when, times_.attach, attach_ends{call.interface, answer.attachment});
    return answer;
}

api_result<void> ec2_model::apply(const occasion& when, const detach_interface& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    auto changed = *primary().with_attachment(call.attachment);
    auto& attached = *changed.attached;
    if (changed.requester_managed) {
        return managed_elsewhere(changed);
    }
    if (attached.device_index == 0) {
        return api_error{"OperationNotPermitted", "The network interface at device index 0 and networkCard index " +
                                                      std::to_string(attached.network_card_index) + " cannot be detached."};
    }
    if (attached.status == attachment_status::detaching && !call.force) {
        return api_error{"IncorrectState", "The network interface " + changed.id.str() + " is already being detached."};
    }
    const auto* machine = primary().machine_of(changed);
    const bool lets_go = call.force || !(when.stuck || (machine != nullptr && machine->impaired));
    const auto id = changed.id;
    attached.status = attachment_status::detaching;
    put(when.now.steady, std::move(changed));
    if (lets_go) {
        begin(when, times_.detach, detach_ends{id, call.attachment});
    }
    return {};
}

void ec2_model::carry_out(time_point at, const attach_ends& what)
{
    const auto* interface = primary().interface(what.interface);
    if (interface == nullptr || !interface->attached || interface->attached->id != what.attachment ||
        interface->attached->status != attachment_status::attaching) {
        return;  // detached or deleted meanwhile
    }
    auto changed = *interface;
    changed.attached->status = attachment_status::attached;
    changed.attached->plugged = true;
    put(at, std::move(changed));
}

void ec2_model::carry_out(time_point at, const detach_ends& what)
{
    const auto* interface = primary().interface(what.interface);
    if (interface == nullptr || !interface->attached || interface->attached->id != what.attachment) {
        return;
    }
    auto changed = *interface;
    changed.attached.reset();
    put(at, std::move(changed));
}

// What was stuck because of the instance.
void ec2_model::end_detaching(time_point now, const instance_id& id)
{
    for (const auto* interface : primary().interfaces_of(id)) {
        if (interface->attached->status == attachment_status::detaching) {
            carry_out(now, detach_ends{interface->id, interface->attached->id});
        }
    }
}

bool ec2_model::set_instance_state(time_point now, const instance_id& id, instance_state state)
{
    const auto* machine = primary().machine(id);
    if (machine == nullptr) {
        return false;
    }
    auto changed = *machine;
    changed.state = state;
    state_.instances[id].put(now, std::move(changed));
    if (state == instance_state::stopped) {
        end_detaching(now, id);
    }
    if (state == instance_state::terminated) {
        for (const auto* interface : primary().interfaces_of(id)) {
            if (interface->attached->delete_on_termination) {
                remove_interface(now, interface->id);
            } else {
                carry_out(now, detach_ends{interface->id, interface->attached->id});
            }
        }
    }
    return true;
}

bool ec2_model::set_impaired(time_point now, const instance_id& id, bool impaired)
{
    const auto* machine = primary().machine(id);
    if (machine == nullptr) {
        return false;
    }
    auto changed = *machine;
    changed.impaired = impaired;
    state_.instances[id].put(now, std::move(changed));
    if (!impaired) {
        end_detaching(now, id);
    }
    return true;
}

bool ec2_model::attach(time_point now, const network_interface_id& id, const instance_id& to, unsigned device_index)
{
    const auto* interface = primary().interface(id);
    if (interface == nullptr || (!to.empty() && primary().machine(to) == nullptr)) {
        return false;
    }
    auto changed = *interface;
    changed.attached.reset();
    if (!to.empty()) {
        changed.attached = attachment{new_id("eni-attach-"), to, device_index};
    }
    put(now, std::move(changed));
    return true;
}

bool ec2_model::remove_interface(time_point now, const network_interface_id& id)
{
    const auto* interface = primary().interface(id);
    if (interface == nullptr) {
        return false;
    }
    for (const auto& address : interface->addresses) {
        if (const auto* elastic = primary().associated_with(id, address)) {
            disassociate(now, *elastic);
        }
    }
    if (interface->attached && interface->attached->plugged) {
        note(describe(now, *interface, false));
    }
    state_.interfaces[id].remove(now);
    return true;
}

}  // namespace vipd::cloud
