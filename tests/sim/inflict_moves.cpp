// What people and others do to the things that are moved beside routes, and what befalls a machine in the midst of a move.

#include "tests/sim/account.hpp"
#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

// --- where each of them is put by hand; an empty interface is nowhere ---

void cluster::put_address(const std::string& target)
{
    moves_.on_address_by_hand(events_.now(), target);
    cloud_.model().put_address(events_.now(), options_.secondary_ip(), cloud::network_interface_id{target});
}

void cluster::put_interface(const std::string& target)
{
    // The stranger is the one after the machines.
    std::size_t machine = 0;
    while (machine <= machines_.size() && options_.interface_id(machine) != target) {
        ++machine;
    }
    const bool is_nobodys = machine > machines_.size();
    moves_.on_interface_by_hand(target);
    cloud_.model().attach(events_.now(), cloud::network_interface_id{cluster_options::floating_id()},
                          is_nobodys ? cloud::instance_id{} : instance_of(machine), options_.device_index.value_or(1));
}

// Whatever is moved beside routes, to that interface and its machine. An Elastic IP goes to its primary address.
void cluster::put_everything_else(const std::string& target)
{
    if (options_.moves_secondary_ip) {
        put_address(target);
    }
    if (options_.moves_elastic_ip) {
        moves_.on_elastic_ip_by_hand(events_.now(), target);
        cloud_.model().put_elastic_ip(events_.now(), cloud::allocation_id{cluster_options::allocation_id()},
                                      cloud::network_interface_id{target}, {});
    }
    if (options_.moves_interface) {
        put_interface(target);
    }
}

// What of it is not where a machine should have it, by the cloud's registers; empty when all is.
std::string cluster::what_has_not_moved_to(std::size_t machine) const
{
    const auto present = cloud_.model().primary();
    const cloud::network_interface_id own{interface_ids_.at(machine)};
    if (options_.moves_secondary_ip && !present.interface(own)->has(options_.secondary_ip())) {
        return fmt::format("machine {} is Active, and its interface has no {}", machine, options_.secondary_ip().to_string());
    }
    if (options_.moves_elastic_ip) {
        const auto* elastic = present.elastic(cloud::allocation_id{cluster_options::allocation_id()});
        const auto wanted = options_.elastic_on_secondary ? options_.secondary_ip() : present.interface(own)->addresses.front();
        if (elastic->interface != own || elastic->private_address != wanted) {
            return fmt::format("machine {} is Active, and the Elastic IP is at \"{}\" ({})", machine, elastic->interface.str(),
                               elastic->is_associated() ? elastic->private_address.to_string() : "nowhere");
        }
    }
    const cloud::network_interface_id floating{cluster_options::floating_id()};
    const auto* attached = options_.moves_interface ? &present.interface(floating)->attached : nullptr;
    if (attached != nullptr && (!*attached || (*attached)->instance != instance_of(machine) ||
                                (*attached)->status != cloud::attachment_status::attached ||
                                options_.device_index.value_or((*attached)->device_index) != (*attached)->device_index)) {
        return fmt::format("machine {} is Active, and the interface is at \"{}\"", machine,
                           *attached ? (*attached)->instance.str() : "");
    }
    return {};
}

// --- others' interfaces ---

void cluster::begin(const faults::other_interfaces& f, duration lasts)
{
    auto& model = cloud_.model();
    unsigned index = 1;
    for (std::size_t number = 0; number < f.count; ++number) {
        const auto present = model.primary().interfaces_of(instance_of(f.machine));
        const auto is_taken = [&] {
            return std::ranges::any_of(present, [&](const auto* i) { return i->attached->device_index == index; });
        };
        while (is_taken()) {
            ++index;
        }
        if (present.size() <= cluster_options::other_interfaces) {
            model.attach(events_.now(), cloud::network_interface_id{cluster_options::other_interface_id(f.machine, number)},
                         instance_of(f.machine), index);
        }
    }
    after(lasts, [this, machine = f.machine] { take_other_interfaces(machine); });
}

void cluster::take_other_interfaces(std::size_t machine)
{
    for (std::size_t number = 0; options_.moves_interface && number < cluster_options::other_interfaces; ++number) {
        const cloud::network_interface_id id{cluster_options::other_interface_id(machine, number)};
        cloud_.model().attach(events_.now(), id, {}, 0);
    }
}

// --- in the midst of a move ---

void cluster::begin(const faults::move_interrupted& f, duration lasts)
{
    aimed_.emplace_back(fault_number_, f);
    after(lasts,
          [this, number = fault_number_] { std::erase_if(aimed_, [&](const auto& one) { return one.first == number; }); });
}

// The first step of a move was carried out.
void cluster::interrupt_move(std::size_t machine, const cloud::state_change& change)
{
    const bool detached = change.action == "DetachNetworkInterface";
    if (!detached && change.action != "UnassignIpv6Addresses") {
        return;
    }
    const auto found = std::ranges::find_if(aimed_, [&](const auto& one) { return one.second.of_interface == detached; });
    if (found == aimed_.end()) {
        return;
    }
    // Not in the midst of what is under way, and before any answer.
    after(0s, [this, machine, f = found->second] { carry_out(f, machine, events_.now() + f.free_within); });
    aimed_.erase(found);
}

void cluster::carry_out(const faults::move_interrupted& f, std::size_t machine, time_point until)
{
    auto& m = *machines_[machine];
    history_.add(events_.now(), "fault", [&] { return fmt::format("machine {} is in the midst of a move", machine); });
    switch (f.what) {
        case faults::gap_end::robbed:
            rob(f.of_interface, until);
            return;
        case faults::gap_end::powered_off:
            m.power_off();
            invariants_.on_process_end(m);
            after(f.length, [this, &m] { switch_on(m); });
            return;
        case faults::gap_end::paused:
            m.pause();
            after(f.length, [&m] { m.resume(); });
            return;
    }
}

// A stranger takes what is nobody's; for an interface it waits until that has been let go.
void cluster::rob(bool of_interface, time_point until)
{
    const auto stranger = options_.interface_id(machines_.size());
    if (!of_interface) {
        put_address(stranger);
        return;
    }
    const cloud::network_interface_id floating{cluster_options::floating_id()};
    const auto& attached = cloud_.model().primary().interface(floating)->attached;
    if (!attached) {
        put_interface(stranger);
    } else if (attached->status == cloud::attachment_status::detaching && events_.now() < until) {
        after(10ms, [this, until] { rob(true, until); });
    }
}

}  // namespace vipd::sim
