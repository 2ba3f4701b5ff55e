#pragma once

// What can happen to a node. The shell turns readiness into these and knows nothing of their meaning.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/config/config.hpp"
#include "agent/health/probe.hpp"
#include "agent/hooks/process.hpp"
#include "agent/net/link.hpp"
#include "agent/vrrp/admission.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vipd::node {

// A datagram of IP protocol 112. Handed over by reference: a busy node sees a hundred thousand of them a second.
using advert_received = vrrp::datagram;

// The kernel refused one advert; the others and the timer go on.
struct advert_not_sent {
    std::uint32_t router = 0;
    int error_number = 0;
};

struct kernel_told {
    net::kernel_event event;
};
struct kernel_answered {
    net::kernel_answer answer;
};
struct http_finished {
    aws::http_exchange_id id;
    aws::http_result result;
};
struct file_was_read {
    aws::file_read_id id;
    result<std::string> content;
};
struct file_was_written {
    aws::file_write_id id;
    result<void> outcome;
};

using health::probe_ended;
using health::watch_ended;

using hooks::process_ended;
using hooks::process_output;

// --- operators ---
struct step_down {
    std::string router;  // empty: all
};
// On: this node takes no part until it is switched off again (kept in memory only).
struct set_maintenance {
    bool on = false;
};
// What the weights of a router, and of all others in its sync group, are added to in place of what is configured. It holds
// until it is taken back or the configured priority changes (kept in memory only).
struct set_priority {
    std::string router;
    std::optional<std::uint8_t> priority;  // 1..254; none: as configured
};
// A checked configuration. The node decides whether it can be applied; see node::reload().
struct reload {
    std::shared_ptr<const config::configuration> configuration;
};
// SIGTERM: priority 0, keep forwarding for the drain time, then output `stopped`.
struct shut_down {};

using input =
    std::variant<advert_not_sent, kernel_told, kernel_answered, http_finished, file_was_read, file_was_written, process_output,
                 process_ended, probe_ended, watch_ended, step_down, set_maintenance, set_priority, reload, shut_down>;

}  // namespace vipd::node
