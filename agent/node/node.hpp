#pragma once

// The whole agent without I/O: routers (election and takeover each), the session with AWS, the local addresses, and what the
// outside may ask of them. The shell calls it from one thread:
//
//     drain the sockets into handle(), then handle_timeout(), then carry out poll_output() until it is empty, then sleep until
//     next_wakeup().
//
// Every output is a consequence of a call; nothing happens in between.

#include "agent/aws/environment.hpp"
#include "agent/config/config.hpp"
#include "agent/node/input.hpp"
#include "agent/node/output.hpp"
#include "agent/node/succession.hpp"
#include "agent/status/snapshot.hpp"
#include "common/log.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::node {

struct node_options {
    std::shared_ptr<const config::configuration> configuration;
    aws::environment environment;
    std::uint64_t seed = 0;
    std::string boot_id = {};  // which boot of which machine this is, as the kernel says it; empty when it does not
    std::optional<succession> predecessor = {};  // left by the process whose place this one takes
};

class node {
public:
    node(const node_options& options, instant now, log_sink& log);
    ~node();

    // Election starts when the kernel's first dump is done and a source address is there.
    void start(instant now);

    void handle(instant now, const advert_received& datagram);
    void handle(instant now, input&& what);
    void handle_timeout(instant now);

    // Takes the oldest output; empty when there is none.
    std::optional<output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;

    // The one place that lets a mutating request begin: asked right before its first byte is written, in the same turn of the
    // loop. False: the exchange is to be dropped unsent (it is answered with may_have_arrived = false).
    [[nodiscard]] bool permit(instant now, aws::http_exchange_id id);

    // Checks whether a configuration could be applied without applying it: same answer as the input `reload` acts on.
    [[nodiscard]] result<void> can_reload(const config::configuration& configuration) const;

    // Whether another process could take the place of this one at this moment, and what it would be left. Nothing is sent or
    // changed: this node is to be forgotten then, without another call.
    [[nodiscard]] result<void> can_be_succeeded() const;
    [[nodiscard]] succession leave_behind(instant now) const;

    // What the input `step_down` would do, as a sentence, or why it would hand nothing over. Empty: all routers.
    [[nodiscard]] result<std::string> can_step_down(std::string_view router) const;

    // What the input `set_priority` would do, as a sentence, or why it would be refused.
    [[nodiscard]] result<std::string> can_set_priority(const set_priority& wanted) const;

    // The name of a router, or nothing: for paths like /v1/routers/NAME.
    [[nodiscard]] std::optional<std::uint32_t> find_router(std::string_view name) const;

    // --- status; cheap, and each router by itself ---
    [[nodiscard]] status::node snapshot(instant now) const;
    [[nodiscard]] std::size_t router_count() const;
    [[nodiscard]] status::router router_snapshot(instant now, std::uint32_t router) const;
    // Oldest first, with number > after.
    [[nodiscard]] std::vector<status::event> events_after(std::uint64_t number) const;
    // Changes when routers come or go, so that a reader of slices knows that its indices are stale.
    [[nodiscard]] std::uint64_t generation() const;
    // What becoming Active would change at this moment, a line for each resource. The first character says what it is: '='
    // stays,
    // '?' is not known yet, any other is a change.
    [[nodiscard]] std::vector<std::string> plan(instant now, std::uint32_t router) const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::node
