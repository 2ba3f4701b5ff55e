#pragma once

// One EC2 instance: a power switch, a kernel that remembers addresses, clocks of its own, and a process that is the node::node
// that ships, turned the way io/shell turns it: drain the socket, then due timeouts, then all outputs. It can be killed, and it
// can be made to stand still between any two steps.

#include "agent/node/node.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "tests/sim/cloud_path.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/host_clock.hpp"
#include "tests/support/policy_kernel.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vipd::sim {

class machine final : private cloud_path::owner, private log_sink {
public:
    // Everything that can be seen of it from outside, and its log.
    struct observer {
        virtual void on_advert(machine& from, const node::send_advert& advert) = 0;
        virtual void on_first_byte(machine& from, const aws::http_exchange& exchange) = 0;
        virtual void on_answer(machine& to, const aws::http_exchange& exchange, const cloud::exchange_record& record) = 0;
        virtual void on_log(machine& of, const log_record& record) = 0;
        // A corrupted or forged datagram was handled; `wrong` tells what should not have been.
        virtual void on_suspicious(machine& by, bool discarded, const std::string& wrong) = 0;
        // An answer reached the node after it had cancelled its call; `wrong` tells what should not have happened.
        virtual void on_late_answer(machine& to, const std::string& wrong) = 0;
        virtual void on_turn(machine& of) = 0;
        virtual void on_spinning(machine& of, const std::string& why) = 0;
        // A reload was refused; `wrong` tells what it has changed all the same.
        virtual void on_refused_reload(machine& of, const std::string& wrong) = 0;
        // The process has ended by itself, and nobody had told it to.
        virtual void on_unasked_end(machine& of) = 0;

    protected:
        ~observer() = default;
    };

    struct settings {
        std::size_t index = 0;
        std::shared_ptr<const config::configuration> configuration;
        ip_address address;
        std::string mac;
        cloud::instance_id instance;
        std::uint64_t seed = 0;
    };

    machine(settings s, host_clock clock, event_queue& events, cloud_site& site, observer& to);

    // --- the power switch, the service manager, the hypervisor ---
    void power_on();
    void power_off();
    void start_process();
    void kill_process();
    // Another process is to take the place of this one at the next start: `vipd restart`.
    void replace_process();
    // SIGTERM; ends by itself.
    void stop_process();
    void pause();
    // At the next mutating call, between the decision and its first byte. Ends by itself.
    void pause_before_call(duration length) { pause_before_call_ = length; }
    void resume();
    void forget_planned_pause() { pause_before_call_.reset(); }
    [[nodiscard]] bool has_planned_pause() const { return pause_before_call_.has_value(); }
    // Its loop comes round up to this much later than it should.
    void set_lateness(duration late_max) { late_max_ = late_max; }
    void set_link(bool up);
    void set_wall_offset(duration offset) { clock_.set_wall_offset(offset); }
    [[nodiscard]] duration wall_offset() const { return clock_.wall_offset(); }
    void set_cloud_reachable(bool reachable) { path_.set_reachable(reachable); }
    // What is tracked.
    void set_service(bool up)
    {
        service_failed_at_ = service_ && !up ? events_.now() : service_failed_at_;
        service_ = up;
    }
    [[nodiscard]] time_point service_failed_at() const { return service_failed_at_; }
    [[nodiscard]] bool has_service() const { return service_; }
    void set_descriptors(bool left) { path_.set_descriptors(left); }
    // Whether its kernel has room for what is sent.
    void set_send_room(bool left) { has_send_room_ = left; }
    [[nodiscard]] bool has_send_room() const { return has_send_room_; }

    // --- what arrives ---
    enum class datagram_kind : std::uint8_t {
        genuine,
        corrupted,  // may be accepted when the checksum is still right; when not, it must change nothing
        forged,     // must be discarded, and change nothing
    };
    struct datagram {
        ip_address from;
        byte_buffer message;
        datagram_kind kind = datagram_kind::genuine;
        std::uint8_t ttl = vrrp::ttl_sent;
    };
    // False when there was no room, or nobody.
    bool receive(datagram d);
    void tell(node::input&& what);
    void reload(std::shared_ptr<const config::configuration> next);
    // With one that is put right again before anybody else reads it.
    void try_reload(config::configuration next)
    {
        tell(node::reload{std::make_shared<const config::configuration>(std::move(next))});
    }
    // The longest drain that it was ever configured with.
    [[nodiscard]] duration drain_max() const { return drain_max_; }
    // The hypervisor: an interface arrives, down, or leaves.
    void plug(const std::string& mac);
    void unplug();
    // Somebody else has taken an address off it.
    void take_address(const ip_prefix& address);
    // Somebody else has taken a rule or a route of the policy off it.
    void take_policy(bool rule);

    // --- what is seen ---
    [[nodiscard]] std::size_t index() const { return settings_.index; }
    [[nodiscard]] const ip_address& address() const { return settings_.address; }
    [[nodiscard]] const cloud::instance_id& instance() const { return settings_.instance; }
    // What the next start or reload reads.
    [[nodiscard]] const config::configuration& file() const { return *file_; }
    // In the midst of a reload.
    [[nodiscard]] bool is_reloading() const { return reloading_; }
    [[nodiscard]] instant now() const { return clock_.read(events_.now()); }
    // Of the configuration that the process runs with.
    [[nodiscard]] const config::router& router() const { return settings_.configuration->routers.front(); }
    // What weights are added to: as an operator has set it at run time, or as configured.
    [[nodiscard]] std::uint8_t base_priority() const { return runtime_priority_.value_or(router().priority); }
    [[nodiscard]] bool is_owner() const { return router().priority == vrrp::priority_owner; }
    [[nodiscard]] std::size_t routers() const { return settings_.configuration->routers.size(); }
    [[nodiscard]] time_point started_at() const { return started_at_; }
    // Whether its process has taken the place of another.
    [[nodiscard]] bool is_successor() const { return is_successor_; }
    [[nodiscard]] bool is_on() const { return on_; }
    [[nodiscard]] bool is_running() const { return process_ != nullptr; }
    // It drains what it has, and then it ends.
    [[nodiscard]] bool is_told_to_stop() const { return is_running() && is_told_to_stop_; }
    [[nodiscard]] bool is_paused() const { return paused_; }
    [[nodiscard]] bool has_link() const { return link_; }
    [[nodiscard]] bool has_address(const ip_prefix& address) const;
    // How many rules and routes it has of those that follow the address, and of those of an interface that was plugged in.
    [[nodiscard]] std::size_t policy_parts() const
    {
        return parts_of([](std::uint32_t t) { return t < floating_table; });
    }
    [[nodiscard]] std::size_t floating_parts() const
    {
        return parts_of([](std::uint32_t t) { return t >= floating_table; });
    }
    // Addresses on the link of such an interface.
    [[nodiscard]] std::size_t floating_addresses() const
    {
        return static_cast<std::size_t>(std::ranges::count(addresses_, plugged, &std::pair<int, ip_prefix>::first));
    }
    [[nodiscard]] status::router snapshot(std::size_t router = 0) const;
    // The event of the last hook that this process has begun; empty when there was none.
    [[nodiscard]] const std::string& last_hook() const { return last_hook_; }
    // Calls to EC2 that the node has made and not begun.
    [[nodiscard]] std::size_t calls_waiting() const;
    [[nodiscard]] const cloud_path& path() const { return path_; }
    // How long it last stood still, if that ended a minute ago or less.
    [[nodiscard]] duration recent_pause() const;
    [[nodiscard]] bool has_stood_still_since(time_point when) const { return paused_ || resumed_at_ >= when; }
    // When it was last held up, by more than a loop is.
    [[nodiscard]] time_point last_hindered() const { return last_hindered_; }
    [[nodiscard]] bool has_unread_release() const;
    // Until when adverts that were put before it, and are not forged, may let it wait for more: by the interval they tell.
    [[nodiscard]] time_point may_wait_until() const { return may_wait_until_; }
    struct counters {
        std::uint64_t calls_interrupted = 0;
        std::uint64_t permits_refused = 0;
        std::uint64_t programs = 0;  // of hooks; each takes 300 ms, unless it is ended
        std::uint64_t programs_at_once = 0;
        std::uint64_t programs_out_of_order = 0;
    };
    [[nodiscard]] const counters& counted() const { return counters_; }
    [[nodiscard]] std::uint64_t process_number() const { return process_number_; }
    // When it last sent anything to this peer: what a security group remembers.
    [[nodiscard]] time_point spoke_to(const ip_address& peer) const;

private:
    void write(const log_record& record) override { to_.on_log(*this, record); }
    bool may_begin(aws::http_exchange_id id) override;
    void on_first_byte(const aws::http_exchange& exchange) override { to_.on_first_byte(*this, exchange); }
    void on_answer(const aws::http_exchange& exchange, const cloud::exchange_record& record) override;
    void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) override;

    void end_process();
    void wake(time_point at);
    void arm();
    void step();
    void turn();
    void hear(instant at, const datagram& d);
    [[nodiscard]] std::uint64_t adverts_accepted() const;
    [[nodiscard]] std::string fingerprint(instant at) const;
    void perform_outputs();
    void perform(node::output&& what);
    void change(const node::change_kernel& wanted);
    [[nodiscard]] std::optional<net::link> plugged_link() const;
    template <class Predicate>
    [[nodiscard]] std::size_t parts_of(Predicate of_table) const
    {
        const auto rules = std::ranges::count_if(policies_.rules, of_table, &net::policy_rule::table);
        const auto routes = std::ranges::count_if(policies_.routes, [&](const auto& r) { return of_table(r.first.table); });
        return static_cast<std::size_t>(rules + routes);
    }
    void start(const node::start_process& wanted);
    void look(const node::start_probe& wanted);
    void end_program(hooks::process_id id, bool killed);
    void push(node::input&& what);
    void take_input();
    void handle_input(node::input&& what);
    void handle_refused(node::reload&& what);
    [[nodiscard]] std::string everything(instant at) const;
    void tell_all(std::vector<net::kernel_event>&& events);

    settings settings_;
    std::shared_ptr<const config::configuration> file_;
    host_clock clock_;
    event_queue& events_;
    observer& to_;
    cloud_path path_;
    random_source random_;
    random_source service_random_;  // of its own: what is tracked changes nothing else of a schedule

    // Its links, by their index.
    static constexpr int loopback = 1;
    static constexpr int ethernet = 2;
    static constexpr int plugged = 3;
    static constexpr std::uint32_t floating_table = config::floating_table_base;

    bool on_ = false;
    bool link_ = true;
    bool service_ = true;
    bool has_send_room_ = true;
    time_point service_failed_at_ = time_point::min();
    std::string plugged_mac_;  // empty: nothing is plugged in
    bool plugged_up_ = false;
    unsigned boots_ = 0;
    std::set<std::pair<int, ip_prefix>> addresses_;
    test::policy_kernel policies_;
    std::map<std::string, std::string> files_;
    std::map<ip_address, time_point> spoke_to_;

    std::unique_ptr<node::node> process_;
    std::optional<std::string> left_behind_;  // by replace_process()
    std::optional<std::uint8_t> runtime_priority_;
    duration drain_max_{};
    std::uint64_t process_number_ = 0;
    time_point started_at_ = time_point::min();
    bool is_successor_ = false;
    bool paused_ = false;
    time_point paused_at_ = time_point::min();
    time_point resumed_at_ = time_point::min();
    bool stopped_ = false;  // the process has said that it may end
    bool is_told_to_stop_ = false;
    bool reloading_ = false;
    std::optional<duration> pause_before_call_;
    std::optional<node::output> interrupted_;
    std::deque<datagram> received_;
    time_point may_wait_until_ = time_point::min();
    std::optional<hooks::process_id> program_;
    std::string last_hook_;
    std::deque<node::input> inputs_;
    std::set<aws::http_exchange_id> cancelled_;  // whose answers are among the inputs all the same
    time_point step_at_ = never;
    std::uint64_t step_number_ = 0;
    duration late_max_{};
    time_point last_hindered_ = time_point::min();
    time_point last_step_ = time_point::min();
    unsigned steps_at_once_ = 0;
    counters counters_;
};

}  // namespace vipd::sim
