// Elastic IPs: one for each private address, and the address is where it goes.

#include "tests/cloud/ec2_model.hpp"

namespace vipd::cloud {

api_result<const network_interface*> ec2_model::target_of(const associate_address& call) const
{
    if (!call.interface.empty()) {
        const auto* interface = primary().interface(call.interface);
        if (interface == nullptr) {
            return api_error{"InvalidNetworkInterfaceID.NotFound",
                             "The networkInterface ID '" + call.interface.str() + "' does not exist"};
        }
        return interface;
    }
    const auto* machine = primary().machine(call.instance);
    if (machine == nullptr) {
        return api_error{"InvalidInstanceID.NotFound", "The instance ID '" + call.instance.str() + "' does not exist"};
    }
    if (machine->state != instance_state::running && machine->state != instance_state::stopped) {
        return api_error{"IncorrectInstanceState", "The " + std::string(to_string(machine->state)) + " instance '" +
                                                       machine->id.str() + "' is not in a valid state for this operation."};
    }
    const auto interfaces = primary().interfaces_of(machine->id);
    if (interfaces.size() != 1) {
        return api_error{"InvalidInstanceID", "There are multiple interfaces attached to instance '" + machine->id.str() +
                                                  "'. Please specify an interface ID for the operation instead."};
    }
    return interfaces.front();
}

// IAM is asked for everything that the request names.
api_result<resources> ec2_model::named(const associate_address& call) const
{
    const auto* elastic = primary().elastic(call.allocation);
    if (elastic == nullptr) {
        return api_error{"InvalidAllocationID.NotFound", "The allocation ID '" + call.allocation.str() + "' does not exist"};
    }
    resources out{{"elastic-ip", elastic->id.str(), &elastic->tags}};
    if (!call.interface.empty()) {
        const auto interface = named_interface(call.interface);
        if (!interface) {
            return interface.error();
        }
        out.push_back(interface->front());
    } else {
        const auto* machine = primary().machine(call.instance);
        if (machine == nullptr) {
            return api_error{"InvalidInstanceID.NotFound", "The instance ID '" + call.instance.str() + "' does not exist"};
        }
        out.push_back({"instance", machine->id.str(), &machine->tags});
    }
    return out;
}

api_result<resources> ec2_model::named(const disassociate_address& call) const
{
    const auto* elastic = primary().with_association(call.association);
    if (elastic == nullptr) {
        return api_error{"InvalidAssociationID.NotFound", "The association ID '" + call.association + "' does not exist"};
    }
    resources out{{"elastic-ip", elastic->id.str(), &elastic->tags}};
    if (const auto interface = named_interface(elastic->interface)) {
        out.push_back(interface->front());
    }
    return out;
}

api_result<associated_address> ec2_model::apply(const occasion& when, const associate_address& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    const auto target = target_of(call);
    if (!target) {
        return target.error();
    }
    const auto& interface = **target;
    const auto vpc = state_.vpc_of(interface);
    if (state_.vpcs.at(vpc).internet_gateway.empty()) {
        return api_error{"Gateway.NotAttached", "Network " + vpc.str() + " is not attached to any internet gateway"};
    }
    if (interface.addresses.empty() || (call.private_address && !interface.has(*call.private_address))) {
        return api_error{"InvalidParameterValue", "The private address " +
                                                      (call.private_address ? call.private_address->to_string() : "") +
                                                      " is not assigned to the network interface " + interface.id.str() + "."};
    }
    auto changed = *primary().elastic(call.allocation);
    const auto private_address = call.private_address.value_or(interface.addresses.front());
    if (changed.is_associated() && changed.interface == interface.id && changed.private_address == private_address) {
        return associated_address{changed.association};
    }
    const auto* displaced = primary().associated_with(interface.id, private_address);
    if (!call.allow_reassociation && (changed.is_associated() || displaced != nullptr)) {
        return api_error{"Resource.AlreadyAssociated",
                         "resource " + (changed.is_associated() ? changed.id.str() : interface.id.str()) +
                             " is already associated with associate-id " +
                             (changed.is_associated() ? changed.association : displaced->association)};
    }
    if (displaced != nullptr) {
        disassociate(when.now.steady, *displaced);
    }
    changed.association = new_id("eipassoc-");
    changed.interface = interface.id;
    changed.private_address = private_address;
    const associated_address answer{changed.association};
    put(when.now.steady, std::move(changed));
    return answer;
}

api_result<void> ec2_model::apply(const occasion& when, const disassociate_address& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    disassociate(when.now.steady, *primary().with_association(call.association));
    return {};
}

void ec2_model::disassociate(time_point at, const elastic_ip& address)
{
    auto changed = address;
    changed.association.clear();
    changed.interface = {};
    changed.private_address = {};
    put(at, std::move(changed));
}

bool ec2_model::put_elastic_ip(time_point now, const allocation_id& id, const network_interface_id& to,
                               std::optional<ip_address> private_address)
{
    const auto* elastic = primary().elastic(id);
    const auto* interface = to.empty() ? nullptr : primary().interface(to);
    if (elastic == nullptr || (!to.empty() && (interface == nullptr || interface->addresses.empty()))) {
        return false;
    }
    if (interface == nullptr) {
        disassociate(now, *elastic);
        return true;
    }
    const auto where = private_address.value_or(interface->addresses.front());
    if (!interface->has(where)) {
        return false;
    }
    if (const auto* displaced = primary().associated_with(to, where); displaced != nullptr && displaced->id != id) {
        disassociate(now, *displaced);
    }
    auto changed = *elastic;
    changed.association = new_id("eipassoc-");
    changed.interface = to;
    changed.private_address = where;
    put(now, std::move(changed));
    return true;
}

}  // namespace vipd::cloud
