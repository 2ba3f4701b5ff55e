#pragma once

// A node::node with everything around it played by the test: the clock, the kernel, one peer, and a cloud small enough to read
// at a glance (a table of routes, with a latency and answers that can be overridden). The node is the one that ships.

#include "agent/node/node.hpp"
#include "agent/vrrp/advert.hpp"
#include "tests/support/policy_kernel.hpp"
#include "tests/support/recording_log.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vipd::test {

// "Action=ReplaceRoute&RouteTableId=rtb-1" as pairs, percent-decoded.
std::map<std::string, std::string> parse_form(const std::string& body);

// Route tables, and who holds the one destination that the tests move.
class small_cloud {
public:
    // Empty: the table has no route.
    std::map<std::string, std::string> targets;
    std::string destination = "172.16.1.100/32";
    bool source_dest_check = false;

    // Applies the call and answers as EC2 does.
    aws::http_response answer(const aws::http_request& request);

private:
    [[nodiscard]] std::string describe() const;
};

aws::http_response ec2_error_response(unsigned status, const std::string& code, const std::string& message = "told so");

struct sent_advert {
    time_point at;
    std::uint32_t router = 0;
    ip_address destination;
    std::uint8_t priority = 0;
    byte_buffer message;
};

class node_harness {
public:
    // What the node was told of the boot it runs in.
    static constexpr auto boot_id = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    explicit node_harness(std::shared_ptr<const config::configuration> configuration);

    // One router "web" between 10.0.1.10 (this node) and 10.0.2.10, A = 100 ms, one address on lo, one route in rtb-1.
    static std::shared_ptr<config::configuration> one_router();

    // Before the start: a node with another configuration.
    void replace(std::shared_ptr<const config::configuration> configuration);
    void start();
    // Another process takes the place of this one, after as long as that takes; start() is to follow.
    void succeed(duration after, std::shared_ptr<const config::configuration> configuration = nullptr);
    // Runs to `now + d`, every deadline in its order.
    void advance(duration d);
    void hear(std::uint8_t priority, std::size_t router = 0, duration interval = std::chrono::milliseconds{100});
    void hear(const node::advert_received& datagram);
    void tell(node::input&& what);
    void kernel(const net::kernel_event& event) { tell(node::kernel_told{event}); }
    void reload(std::shared_ptr<const config::configuration> next) { tell(node::reload{std::move(next)}); }

    [[nodiscard]] vrrp::state state(std::uint32_t router = 0) const;
    [[nodiscard]] status::router router(std::uint32_t index = 0) const;
    [[nodiscard]] const status::resource& resource(status::resource_kind kind);
    [[nodiscard]] bool has_local(const std::string& address) const;
    // Of the calls that reached the cloud, by action.
    [[nodiscard]] std::size_t calls(const std::string& action) const;

    instant now;
    recording_log log;
    small_cloud cloud;
    duration latency = std::chrono::milliseconds{20};
    // When set, asked first; an empty answer lets the cloud answer.
    std::function<std::optional<aws::http_result>(const aws::http_exchange&)> intercept;
    // Exchanges that `intercept` keeps for itself are never answered.
    static aws::http_result failure(bool may_have_arrived, const std::string& text = "connection reset by peer");

    struct seen_call {
        time_point at;
        std::string action;
        std::string table;
        std::string target;
        bool permitted = true;
    };
    std::vector<seen_call> seen_calls;
    std::vector<sent_advert> adverts;
    std::vector<ip_address> filter;
    unsigned warm_connections = 0;  // as last asked for
    std::vector<aws::http_exchange_id> cancelled;
    std::vector<std::string> order;  // what was put out, in its order: "kernel", "advert", "http"
    bool is_ready = false;
    bool is_stopped = false;
    std::set<std::pair<int, ip_prefix>> local;
    policy_kernel policies;
    std::vector<takeover::announcement> announcements;
    std::vector<hooks::start_process> programs;  // they end when the test says so: node::process_ended
    std::vector<hooks::signal_process> signals;
    struct seen_probe {
        time_point at;
        health::start_probe what;
    };
    std::vector<seen_probe> probes;  // they are answered when the test says so: node::probe_ended
    std::vector<health::check_id> stopped_probes;
    int kernel_error = 0;                      // what the kernel answers to changes
    std::map<std::string, std::string> files;  // read and written by the node; not there: not_found

    std::unique_ptr<node::node> node;

private:
    struct pending_answer {
        time_point at;
        aws::http_exchange exchange;
        std::optional<aws::http_result> result;
    };
    void make_node(std::optional<node::succession> predecessor);
    void drain();
    void perform(const node::output& o);
    void start_exchange(const aws::http_exchange& exchange);
    void deliver_due();
    void perform(const node::change_kernel& wanted);

    std::shared_ptr<const config::configuration> configuration_;
    std::vector<pending_answer> pending_;
    std::vector<node::input> answers_;  // of the kernel and of the files, given in this turn
    status::resource found_;
};

}  // namespace vipd::test
