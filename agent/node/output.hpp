#pragma once

// What a node wants done, in this order. The shell carries it out and decides nothing.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/health/probe.hpp"
#include "agent/hooks/process.hpp"
#include "agent/net/link.hpp"
#include "agent/takeover/announcer.hpp"
#include "common/bytes.hpp"
#include "common/ip.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace vipd::node {

// One datagram of protocol 112 to one peer, TTL 255, source address pinned. Consecutive ones may go out in one system call.
struct send_advert {
    std::uint32_t router = 0;
    ip_address source;
    ip_address destination;
    byte_view message;  // valid until the node is called again
};

// Whom the sockets should hear; everything else is dropped in the kernel where it can be. Sorted, each once.
struct set_peers {
    std::vector<ip_address> peers;
};

struct change_kernel {
    net::kernel_request_id id;
    net::kernel_change change;
};

using takeover::announcement;

using aws::cancel_http;
using aws::keep_warm;
using aws::read_file;
using aws::write_file;

using health::start_probe;
using health::stop_probes;

using hooks::signal_process;
using hooks::start_process;

struct start_http {
    aws::http_exchange exchange;
};

// Every router has been started: the service manager may be told.
struct ready {};

// After shut_down: everything is handed over, the process may end.
struct stopped {};

using output = std::variant<send_advert, set_peers, change_kernel, announcement, start_http, cancel_http, keep_warm, read_file,
                            write_file, start_process, signal_process, start_probe, stop_probes, ready, stopped>;

}  // namespace vipd::node
