#pragma once

// The source/destination check of an interface that is the target of routes. With the check on, EC2 drops every packet for an
// address that is not the interface's own, and a route moved to it leads nowhere: so it is read, complained of, and switched
// off when the configuration asks for it, by the Active only.
//
// There is one register for each interface of a node, however many routers route to it: one call under way, one budget, and
// what one of them has switched off is off for all.

#include "agent/aws/cloud_session.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/call_pauses.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace vipd::takeover {

class interface_register {
public:
    explicit interface_register(aws::network_interface_id id) : id_(std::move(id)) {}

    // Returns whether this view is the first that finds the check on: worth one warning.
    bool see(time_point now, bool check_is_on);
    // A router that may switch it off has become Active: what failed for another is tried again at once.
    void urge(time_point now);
    // The call to make now for an Active that may, if one is due and the budget allows it. Puts the register in flight.
    std::optional<aws::ec2_call> issue(time_point now);
    void answered(time_point now, const aws::ec2_reply& reply, random_source& random);
    // The call under way was cancelled. It is idempotent, so whoever is Active next simply asks again.
    void let_go();

    // When issue() may have a call again.
    [[nodiscard]] wakeup next_wakeup() const;
    // Whether a router waits for something else than it knows of since this was asked last.
    bool take_changed() { return std::exchange(changed_, false); }
    // For a router that is Active or not, and may switch the check off or not.
    [[nodiscard]] status::resource snapshot(time_point now, bool active, bool may_disable) const;

private:
    [[nodiscard]] bool is_due() const { return check_is_on_.value_or(false) && !in_flight_; }

    aws::network_interface_id id_;
    bool in_flight_ = false;
    bool changed_ = false;
    std::optional<bool> check_is_on_;
    time_point seen_at_{};
    time_point retry_at_ = time_point::min();
    call_pauses pauses_;
    token_bucket budget_{5.0, 0.5};
    std::uint64_t mutating_calls_ = 0;
    std::uint64_t failures_ = 0;
    std::string last_error_;
};

// Those of a node. A reference stays valid until keep().
class interface_registers {
public:
    interface_register& of(const aws::network_interface_id& id) { return all_.try_emplace(id, id).first->second; }
    // Forgets all others.
    void keep(const std::set<aws::network_interface_id>& ids);
    bool take_changed();

    // Why they could not be read the last time; empty when they could.
    void set_read_error(const std::string& text) { read_error_ = text; }
    [[nodiscard]] const std::string& read_error() const { return read_error_; }

private:
    std::map<aws::network_interface_id, interface_register> all_;
    std::string read_error_;
};

}  // namespace vipd::takeover
