// What fails on a machine beside vipd, what EC2 has in store for it, and what others attach to it.

#include "tests/sim/account.hpp"
#include "tests/sim/cluster.hpp"

#include <algorithm>

namespace vipd::sim {

void cluster::begin(const faults::service_down& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (m.has_service() && options_.tracks && invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::service_of_active_failed);
    }
    m.set_service(false);
    after(lasts, [&m] { m.set_service(true); });
}

void cluster::begin(const faults::notice& f, duration lasts)
{
    if (options_.notices && invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::notice_for_active);
    }
    announce(f.machine, true);
    after(lasts, [this, machine = f.machine] { announce(machine, false); });
}

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

void cluster::announce(std::size_t machine, bool is_about_to_go)
{
    if (is_about_to_go) {
        announced_.insert(machine);
    } else {
        announced_.erase(machine);
    }
    cloud_.imds().set_item(instance_of(machine), "spot/instance-action",
                           is_about_to_go ? R"({"action":"terminate","time":"2030-01-01T00:00:00Z"})" : "");
}

}  // namespace vipd::sim
