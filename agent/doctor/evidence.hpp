#pragma once

// All that has been learnt, as values. What is asked next and what it means are functions of this.

#include "agent/aws/cloud_session.hpp"
#include "agent/config/config.hpp"
#include "agent/doctor/answers.hpp"
#include "agent/doctor/daemon_view.hpp"
#include "agent/net/link_table.hpp"
#include "agent/node/resolve.hpp"
#include "common/ip.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vipd::doctor {

// Of the user that runs doctor, who need not be the daemon's.
struct process_rights {
    std::string user;
    bool net_raw = false;
    bool net_admin = false;
};

// By which address of its own this node would reach the host that answers for EC2.
struct path_to_endpoint {
    std::vector<ip_address> addresses;  // of the host
    ip_address local;
};

struct evidence {
    std::shared_ptr<const config::configuration> configuration;
    process_rights rights;
    net::link_table links;
    aws::session_snapshot session;  // of a configuration that moves something in AWS
    std::optional<result<path_to_endpoint>> path;
    daemon_view daemon;
    answer_book answers;
    bool session_given_up = false;  // identity or credentials are missing, and have been waited for
    bool out_of_time = false;       // the last question was not answered before the end

    [[nodiscard]] const aws::instance_identity* identity() const { return session.identity ? &*session.identity : nullptr; }
    // Of the router's own interface; empty when it is not known.
    [[nodiscard]] aws::vpc_id vpc_of(const config::router& router) const;
    [[nodiscard]] node::resolved resolve(const config::router& router) const;
    // What vipd puts on this node and takes away again.
    [[nodiscard]] std::set<ip_address> moving_addresses() const;
    // What adverts of the router come from: what is configured, or the first address of its interface. None when it is not on
    // this node.
    [[nodiscard]] std::optional<ip_address> source_of(const config::router& router) const;
    // Of this instance, with that address; null when there is none.
    [[nodiscard]] const aws::instance_interface* own_interface_with(const ip_address& address) const;
};

}  // namespace vipd::doctor
