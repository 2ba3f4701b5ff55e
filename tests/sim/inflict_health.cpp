// What fails on a machine beside vipd, and what EC2 has in store for it.

#include "tests/sim/account.hpp"
#include "tests/sim/cluster.hpp"

namespace vipd::sim {

void cluster::begin(const faults::service_down& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (m.has_service() && options_.tracks && invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::service_of_active_failed);
    }
    m.set_service(false);
    end_after(lasts, "service " + std::to_string(f.machine), [&m] { m.set_service(true); });
}

void cluster::begin(const faults::notice& f, duration lasts)
{
    if (options_.notices && !announced_.contains(f.machine) && invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::notice_for_active);
    }
    announce(f.machine, true);
    end_after(lasts, "notice " + std::to_string(f.machine), [this, machine = f.machine] { announce(machine, false); });
}

void cluster::begin(const faults::adverts_refused& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.set_send_room(false);
    end_after(lasts, "send room " + names_[f.machine], [&m] { m.set_send_room(true); });
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
