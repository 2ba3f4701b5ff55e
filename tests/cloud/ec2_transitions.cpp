// What comes about by itself once it has begun, and what is told of it.

#include "tests/cloud/ec2_model.hpp"

#include <fmt/format.h>

namespace vipd::cloud {

namespace {

// The attachment by which the guest has the device, if it has.
const attachment* plugged(const network_interface& interface)
{
    return interface.attached && interface.attached->plugged ? &*interface.attached : nullptr;
}

}  // namespace

std::string_view to_string(movement::subject what)
{
    switch (what) {
        case movement::subject::interface:
            return "interface";
        case movement::subject::address:
            return "address";
        case movement::subject::elastic_ip:
            return "elastic_ip";
    }
    return "";
}

void ec2_model::begin(const occasion& when, const delay& usual, transition what)
{
    const auto takes = when.takes.value_or(usual.draw(random_));
    pending_.emplace(saturating_add(when.now.steady, takes), std::move(what));
    handle_timeout(when.now.steady);
}

void ec2_model::handle_timeout(time_point now)
{
    while (!pending_.empty() && pending_.begin()->first <= now) {
        const auto next = pending_.extract(pending_.begin());
        std::visit([&](const auto& what) { carry_out(next.key(), what); }, next.mapped());
    }
}

wakeup ec2_model::next_wakeup() const
{
    return pending_.empty() ? wakeup{} : wakeup{pending_.begin()->first, "an interface or an address moves"};
}

std::optional<movement> ec2_model::poll_movement()
{
    if (movements_.empty()) {
        return std::nullopt;
    }
    return movements_.pop();
}

movement ec2_model::describe(time_point at, const network_interface& interface, bool arrived) const
{
    movement out{at, movement::subject::interface, arrived, interface.id, interface.mac, {}, {}, 0, {}};
    if (const auto* attached = plugged(interface)) {
        const auto* machine = primary().machine(attached->instance);
        out.instance = attached->instance;
        out.node = machine == nullptr ? std::string{} : machine->name;
        out.device_index = attached->device_index;
    }
    return out;
}

void ec2_model::put(time_point at, network_interface changed)
{
    auto& versions = state_.interfaces[changed.id];
    if (const auto* before = versions.current()) {
        const auto* from = plugged(*before);
        const auto* to = plugged(changed);
        const bool moved = (from == nullptr ? "" : from->id) != (to == nullptr ? "" : to->id);
        if (moved && from != nullptr) {
            note(describe(at, *before, false));
        }
        if (moved && to != nullptr) {
            note(describe(at, changed, true));
        }
        const auto note_addresses = [&](const network_interface& has, const network_interface& has_not, bool arrived) {
            for (const auto family : {ip_family::v4, ip_family::v6}) {
                for (const auto& address : has.addresses_of(family)) {
                    if (!has_not.has(address)) {
                        auto what = describe(at, changed, arrived);
                        what.what = movement::subject::address;
                        what.address = address.to_string();
                        note(std::move(what));
                    }
                }
            }
        };
        note_addresses(*before, changed, false);
        note_addresses(changed, *before, true);
    }
    versions.put(at, std::move(changed));
}

void ec2_model::put(time_point at, elastic_ip changed)
{
    auto& versions = state_.elastic_ips[changed.id];
    const auto tell = [&](const elastic_ip& address, bool arrived) {
        const auto* interface = address.is_associated() ? primary().interface(address.interface) : nullptr;
        if (interface != nullptr) {
            auto what = describe(at, *interface, arrived);
            what.what = movement::subject::elastic_ip;
            what.address = address.public_address.to_string();
            note(std::move(what));
        }
    };
    if (const auto* before = versions.current();
        before != nullptr && (before->association != changed.association || before->interface != changed.interface)) {
        tell(*before, false);
        tell(changed, true);
    }
    versions.put(at, std::move(changed));
}

std::string ec2_model::new_id(std::string_view prefix)
{
    return fmt::format("{}{:017x}", prefix, random_.next());
}

}  // namespace vipd::cloud
