#include "tests/sim/move_watch.hpp"

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// The first look after a call comes a second later: what has not come about by then contradicts it.
constexpr duration late_after = 1s;

}  // namespace

std::optional<std::size_t> move_watch::machine_of(const cloud::network_interface_id& interface) const
{
    for (const auto& m : machines_) {
        if (interface.str() == options_.interface_id(m->index())) {
            return m->index();
        }
    }
    return std::nullopt;
}

// Whoever died, or is not Active any more, has no use for it: that it goes elsewhere then is a takeover.
void move_watch::end_interface_gap(std::optional<std::size_t> taken_by)
{
    if (interface_gap_ && taken_by != interface_gap_->machine && is_active(interface_gap_->machine)) {
        counts_.note(situation::interface_taken_between);
        robbed_of_interface_ = interface_gap_->machine;
    }
    interface_gap_.reset();
}

void move_watch::end_address_gap(std::optional<std::size_t> taken_by)
{
    if (address_gap_) {
        const auto& m = *machines_[address_gap_->machine];
        if (taken_by != address_gap_->machine || m.process_number() != address_gap_->process ||
            m.has_stood_still_since(address_gap_->since)) {
            counts_.note(situation::ipv6_gap_interrupted);
        }
    }
    address_gap_.reset();
}

void move_watch::on_call(std::size_t by, const cloud::state_change& change)
{
    const gap opened{by, machines_[by]->process_number(), change.at};
    if (change.action == "DetachNetworkInterface") {
        interface_gap_ = opened;
        robbed_of_interface_.reset();
    } else if (change.action == "AttachNetworkInterface") {
        end_interface_gap(by);
    } else if (change.action == "UnassignIpv6Addresses") {
        address_gap_ = opened;
    } else if (change.action == "AssignIpv6Addresses") {
        end_address_gap(by);
    } else if (change.action == "AssignPrivateIpAddresses") {
        reassignment_ = reassignment{by, change.at, false};
    }
}

void move_watch::on_movement(const cloud::movement& movement)
{
    if (!movement.arrived) {
        return;
    }
    if (movement.what == cloud::movement::subject::address && movement.address == options_.secondary_ip().to_string()) {
        on_address_moved(movement);
    } else if (movement.what == cloud::movement::subject::elastic_ip && elastic_held_since_ &&
               movement.at > *elastic_held_since_ && machine_of(movement.interface)) {
        counts_.note(situation::elastic_ip_back_from_hand);
        elastic_held_since_.reset();
    }
}

void move_watch::on_address_moved(const cloud::movement& movement)
{
    const auto to = machine_of(movement.interface);
    if (to && address_held_since_ && movement.at > *address_held_since_) {
        counts_.note(situation::address_back_from_stranger);
        address_held_since_.reset();
    }
    if (reassignment_) {
        reassignment_->has_landed = reassignment_->machine == to && movement.at - reassignment_->since >= late_after;
        if (!reassignment_->has_landed) {
            reassignment_.reset();
        }
    }
}

void move_watch::on_address_by_hand(time_point now, const std::string& interface)
{
    const auto to = machine_of(cloud::network_interface_id{interface});
    address_held_since_ = to || interface.empty() ? std::nullopt : std::optional{now};
    if (!interface.empty()) {
        end_address_gap(to);
    }
}

void move_watch::on_elastic_ip_by_hand(time_point now, const std::string& interface)
{
    const bool is_held = !machine_of(cloud::network_interface_id{interface});
    elastic_held_since_ = is_held ? std::optional{now} : std::nullopt;
}

void move_watch::on_interface_by_hand(const std::string& interface)
{
    if (!interface.empty()) {
        end_interface_gap(machine_of(cloud::network_interface_id{interface}));
    }
}

void move_watch::on_attach_refused(std::size_t to, const cloud::ec2_model& model)
{
    const auto* floating = model.primary().interface(cloud::network_interface_id{cluster_options::floating_id()});
    const auto& machines_own = machines_[to]->instance();
    if (robbed_of_interface_ != to && floating->attached && floating->attached->instance != machines_own) {
        counts_.note(situation::interface_taken_between);
    }
    robbed_of_interface_.reset();
}

void move_watch::on_address_read(std::size_t by, const cloud::ec2_model& model)
{
    if (!reassignment_ || !reassignment_->has_landed || reassignment_->machine != by) {
        return;
    }
    const auto* own = model.primary().interface(cloud::network_interface_id{options_.interface_id(by)});
    if (own->has(options_.secondary_ip())) {
        counts_.note(situation::late_reassignment_confirmed);
    }
    reassignment_.reset();
}

}  // namespace vipd::sim
