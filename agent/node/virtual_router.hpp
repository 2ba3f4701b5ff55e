#pragma once

// One virtual router of this node: its election, what it owns while Active, and what keeps it out. It is the place where a
// transition of the election becomes work for the takeover, and the only one.

#include "agent/aws/notice_watch.hpp"
#include "agent/config/config.hpp"
#include "agent/health/check_set.hpp"
#include "agent/health/verdict.hpp"
#include "agent/hooks/hook_runner.hpp"
#include "agent/net/link_table.hpp"
#include "agent/node/ec2_path.hpp"
#include "agent/node/inbound_watch.hpp"
#include "agent/node/resolve.hpp"
#include "agent/node/succession.hpp"
#include "agent/status/journal.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/announcer.hpp"
#include "agent/takeover/local_resources.hpp"
#include "agent/takeover/takeover.hpp"
#include "agent/vrrp/admission.hpp"
#include "agent/vrrp/advert.hpp"
#include "agent/vrrp/authentication.hpp"
#include "agent/vrrp/election.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace vipd::node {

// Adverts on their way out. The bytes live here until the queue has been emptied, so that a message may be sent after the
// router has already begun another one.
class advert_queue {
public:
    struct item {
        std::uint32_t router = 0;
        ip_address source;
        ip_address destination;
        std::size_t offset = 0;
        std::size_t size = 0;
    };

    void push(std::uint32_t router, const ip_address& source, const ip_address& destination, byte_view message)
    {
        items_.push_back({router, source, destination, bytes_.size(), message.size()});
        append(bytes_, message);
    }

    [[nodiscard]] bool empty() const { return taken_ == items_.size(); }
    const item& pop() { return items_[taken_++]; }
    [[nodiscard]] byte_view bytes(const item& i) const { return byte_view{bytes_}.subspan(i.offset, i.size); }

    // Forgets what was popped; the views given out end with this.
    void recycle()
    {
        if (empty()) {
            items_.clear();
            bytes_.clear();
            taken_ = 0;
        }
    }

private:
    std::vector<item> items_;
    std::size_t taken_ = 0;
    byte_buffer bytes_;
};

// By what adverts for a router are told from those for others: the peer they come from, our address, and the VRID. Here with
// the name of the router that has it.
using advert_key = std::tuple<ip_address, ip_address, std::uint8_t>;
using claimed_keys = std::map<advert_key, std::string_view>;

// Why a router takes no part, beyond what its interface and addresses say.
struct standing_aside {
    bool maintenance = false;
    bool stopping = false;
    bool dropped = false;  // by a reload

    [[nodiscard]] bool leaves_in_order() const { return stopping || dropped; }
};

// What stands against taking part, in words; empty when nothing does.
struct found_obstacle {
    std::string what;
    bool is_known = true;  // false: it is only not known yet whether there is one

    [[nodiscard]] bool empty() const { return what.empty(); }
};

class virtual_router {
public:
    virtual_router(const config::router& configuration, std::uint64_t seed, status::journal& journal,
                   takeover::interface_registers& interfaces, const takeover::local_needs& needs, const ec2_path& path,
                   const std::optional<aws::notice>& notice, const health::check_set& checks);

    // A configuration with the same name. A changed version, VRID or source begins a new election (priority 0 first), and so
    // does what a source that is not configured follows from; everything else is applied without a transition. What it means
    // for what it has on this node is done with kernel_changed(), once every router has its configuration.
    void configure(instant now, const config::router& configuration, const net::link_table& links, advert_queue& adverts);
    // Before the start: what the process before this one has left, if that was of the same router on the wire.
    void succeed(const router_succession& predecessor);
    void succeed(const priority_succession& predecessor);
    // What it leaves itself.
    [[nodiscard]] router_succession leave_behind(time_point now) const;
    // Its place in the node: what its adverts are labelled with.
    void set_index(std::uint32_t index) { index_ = index; }

    // The source address may have changed. Returns whether rule() has. Routers are asked in the order of the configuration,
    // each with the keys of those before it, and adds its own: two interfaces may turn out to have one address, and adverts
    // that could be for either are for the first.
    bool look_around(instant now, const net::link_table& links, const std::vector<ip_address>& virtual_addresses,
                     claimed_keys& claimed, advert_queue& adverts);
    [[nodiscard]] found_obstacle find_obstacle(const net::link_table& links, standing_aside aside) const;
    // Starts the election when there is no obstacle, and ends it when there is.
    void take_part(instant now, const net::link_table& links, standing_aside aside, const found_obstacle& found,
                   advert_queue& adverts);
    void hear(instant now, const vrrp::heard_advert& advert, const net::link_table& links, advert_queue& adverts);
    void handle_timeout(instant now, const net::link_table& links, advert_queue& adverts);
    // The path to EC2 has broken, or works again.
    void path_changed(instant now, const net::link_table& links, advert_queue& adverts);
    // EC2 has announced that it takes this instance away, or has called that off. An Active hands over; from then on this node
    // stands behind every other one, and takes part all the same: if there is no other, it serves until the end.
    void notice_changed(instant now, const net::link_table& links, advert_queue& adverts);
    // Something that it or its group tracks is well, or is not any more; with what stands against taking part now.
    void trackers_changed(instant now, const net::link_table& links, standing_aside aside, const found_obstacle& found,
                          advert_queue& adverts);
    void kernel_changed(time_point now, const net::link_table& links) { local_.kernel_changed(now, links); }

    // --- of a sync group; node_groups.cpp says when ---
    // Which one it is in; empty: none.
    void join(std::string_view group);
    [[nodiscard]] const std::string& group() const { return group_; }
    // What its own weights come to, and those of the others in its group: together they move its priority.
    [[nodiscard]] int own_weights() const { return weight_of_path() + weight_of_trackers(); }
    void set_weights_of_group(int others) { weights_of_group_ = others; }
    void weights_of_group_changed(instant now, const net::link_table& links, advert_queue& adverts);
    void wait_for_other_group(time_point since);
    // Since when it could be Active, if its group could.
    [[nodiscard]] std::optional<time_point> waits_for_group_since() const;
    void follow_group_to_active(instant now, time_point due, const net::link_table& links, advert_queue& adverts);
    void follow_group_to_backup(instant now, const net::link_table& links, advert_queue& adverts);

    // What an operator has set in place of the configured priority; not of an address owner. None: nothing.
    [[nodiscard]] std::optional<std::uint8_t> runtime_priority() const { return runtime_priority_; }
    void set_priority(instant now, std::optional<std::uint8_t> priority, const net::link_table& links, advert_queue& adverts);
    // The same without an election that would have to know: it is told of the configuration, or has not begun.
    void drop_runtime_priority(std::string_view reason);

    // Returns whether it was Active.
    bool step_down(instant now, const net::link_table& links, advert_queue& adverts);
    void advert_not_sent() { ++adverts_not_sent_; }

    [[nodiscard]] wakeup next_wakeup() const;

    // What admission has to know of it; none while there is no source address, or another router has its keys.
    [[nodiscard]] std::optional<vrrp::router_rule> rule() const;
    // Whether an address that comes or goes can change its source.
    [[nodiscard]] bool may_use_as_source(const ip_address& address) const
    {
        return !source_ || *source_ == address || first_source_ == address || configuration_.source == address;
    }
    [[nodiscard]] bool uses_as_source(const ip_address& address) const
    {
        return source_ == address || first_source_ == address || configuration_.source == address;
    }
    [[nodiscard]] const config::router& configuration() const { return configuration_; }
    [[nodiscard]] vrrp::state state() const { return election_ ? election_->current() : vrrp::state::initialize; }
    // Active, and not only because this node has not yet noticed how long it slept.
    [[nodiscard]] bool is_active_for_certain(time_point now) const
    {
        return state() == vrrp::state::active && !election_->is_stale(now);
    }
    [[nodiscard]] bool has_been_started() const { return has_been_started_; }
    // Whether nothing of it is left on this node: to be forgotten after a reload or at the end.
    [[nodiscard]] bool has_left(const net::link_table& links) const;

    takeover::takeover& cloud() { return takeover_; }
    [[nodiscard]] const takeover::takeover& cloud() const { return takeover_; }
    takeover::local_resources& local() { return local_; }
    [[nodiscard]] const takeover::local_resources& local() const { return local_; }
    // What the neighbours are to be told at this moment.
    std::vector<takeover::announcement> take_announcements(time_point now, const net::link_table& links);
    hooks::hook_runner& hooks() { return hooks_; }
    [[nodiscard]] const hooks::hook_runner& hooks() const { return hooks_; }
    // Tells the hooks once everything that follows the role is here.
    void look_for_ownership(const net::link_table& links);
    // As Backup: whose adverts it hears, unless that one has handed over.
    [[nodiscard]] std::optional<ip_address> active_elsewhere() const;
    // What it has on this node of interfaces that were attached to it, beside what is configured. True when that has changed:
    // it is done with kernel_changed(), once every router has been told.
    bool want_of_interfaces(std::vector<takeover::local_item> items);
    [[nodiscard]] const std::vector<takeover::local_item>& of_interfaces() const { return of_interfaces_; }
    // What keeps a route from being resolved, for status.
    void set_unresolved(std::vector<status::resource> unresolved) { unresolved_ = std::move(unresolved); }
    [[nodiscard]] const std::vector<status::resource>& unresolved() const { return unresolved_; }
    // It keeps for resolve() what that has found out.
    void set_known_interfaces(std::vector<known_interface> known) { known_interfaces_ = std::move(known); }
    [[nodiscard]] const std::vector<known_interface>& known_interfaces() const { return known_interfaces_; }
    // Why it takes no part; empty when it does.
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }

    [[nodiscard]] status::router snapshot(time_point now, const net::link_table& links, const takeover::world& world,
                                          const vrrp::admission_counters& received) const;

private:
    // It may be tentative.
    [[nodiscard]] std::optional<net::link_address> find_source(const net::link_table& links,
                                                               const std::vector<ip_address>& virtual_addresses) const;
    [[nodiscard]] std::string explain_missing_source() const;
    void start_election();
    void note_awake(time_point now);
    // Before it is configured so: whose adverts nobody has let in until now has not been silent.
    void listen_anew_when_others_are_let_in(const config::router& next);
    // While it takes no part.
    [[nodiscard]] wakeup listening() const;
    // Whether the predecessor was Active, and this router is so from now on.
    bool resume(instant now, const net::link_table& links, advert_queue& adverts);
    // What the predecessor had on this node, before this router does anything to it.
    void succeed_on_node(time_point now, const net::link_table& links);
    // It was Active, and this router is not, once it is known what is there.
    void give_up_succession(time_point now);
    [[nodiscard]] health::verdict verdict_of(const config::tracker& t) const;
    void assume_of_new_trackers(const config::router& next);
    // "tracker haproxy: ...": the first without a weight that is in this state; empty when none is.
    // What keeps adverts from it; empty when nothing does.
    [[nodiscard]] std::string find_network_obstacle(const net::link_table& links) const;
    [[nodiscard]] std::string find_tracker(health::tracker_state state) const;
    [[nodiscard]] std::vector<status::tracker> tracker_snapshots(time_point now) const;
    [[nodiscard]] vrrp::election_settings election_settings() const;
    // What the weights are added to.
    [[nodiscard]] std::uint8_t base_priority() const { return runtime_priority_.value_or(configuration_.priority); }
    // Negative: subtracted.
    [[nodiscard]] int weights() const { return own_weights() + weights_of_group_; }
    [[nodiscard]] int weight_of_path() const;
    [[nodiscard]] int weight_of_trackers() const;
    // Which of them there are, and why.
    [[nodiscard]] std::string explain_priority() const;
    void note_runtime_priority(std::string_view reason);
    // Unless the next configuration has something new to say of the priority.
    void keep_runtime_priority(const config::router& next);
    // Since what it follows from has changed.
    void follow_priority(instant now, std::string_view reason, const net::link_table& links, advert_queue& adverts);
    [[nodiscard]] std::uint8_t effective_priority() const;
    [[nodiscard]] std::vector<takeover::local_item> wanted_on_node() const;
    void make_templates();
    void make_verifier();
    void change_auth(instant now, bool is_other);
    [[nodiscard]] std::optional<status::hmac> hmac_snapshot() const;
    // Whether another router has one of its keys already; claims them when not.
    bool find_twin(claimed_keys& claimed);
    void leave(instant now, bool fault, const net::link_table& links, advert_queue& adverts);
    void apply(instant now, const net::link_table& links, advert_queue& adverts);
    // Why, in words for status.
    [[nodiscard]] std::string explain(const vrrp::transition& t) const;
    void apply_transition(time_point now, const vrrp::transition& t, const net::link_table& links);
    void send(instant now, std::uint8_t priority, advert_queue& adverts);
    void note_heard(time_point now, const vrrp::heard_advert& advert);
    [[nodiscard]] duration may_return_within(vrrp::transition_reason reason) const;
    void note_lower_priority(time_point now, const vrrp::heard_lower_priority& lower);
    [[nodiscard]] bool owns_everything(const net::link_table& links) const;
    void tell_hooks(config::hook_event event);
    // Of its role, once for each time that it changes: a Backup that begins anew, after a restart or with another source, is
    // what it was. Who becomes Active begins an epoch each time.
    void tell_role(config::hook_event role);
    void tell_standing(time_point now, standing_aside aside, bool is_known);

    config::router configuration_;
    status::journal& journal_;
    const ec2_path& path_;
    const std::optional<aws::notice>& notice_;
    const health::check_set& checks_;
    std::map<std::string, health::assumption> assumed_;  // of trackers that a reload or a restart has brought
    // What a tracker that flaps does to the standing and the priority is no news each time.
    token_bucket tracker_news_{20.0, 0.2};
    bool is_news_ = true;
    std::uint32_t index_ = 0;
    std::string group_;
    int weights_of_group_ = 0;
    std::optional<std::uint8_t> runtime_priority_;

    // Since when it could hear its peers, and when it last knew of an Active: itself, or somebody it heard.
    std::optional<time_point> hears_since_;
    time_point awake_at_{};  // when it was last called
    time_point active_known_at_ = time_point::min();
    // startup_delay: until when the others may be silent after the start, if none has been heard that is not to be preempted.
    std::optional<time_point> patient_until_;
    std::optional<ip_address> source_;
    std::optional<net::link_address> found_source_;  // where that is tentative there is no source_ yet
    std::optional<ip_address> first_source_;         // of this configuration: returned to when it had to be given up
    std::string twin_;                               // the router that has its keys
    std::string obstacle_ = "it has not been started";
    std::string reason_ = "it has not been started";
    bool has_been_started_ = false;
    bool local_started_ = false;
    std::optional<vrrp::election> election_;
    std::vector<vrrp::election_output> election_outputs_;
    std::vector<vrrp::advert_template> templates_;  // one for each peer
    std::optional<vrrp::signer> signer_;            // from the first advert that is signed
    std::optional<vrrp::sequence> signed_last_;     // by a predecessor
    std::shared_ptr<vrrp::verifier> verifier_;
    std::uint64_t last_epoch_ = 0;
    std::optional<router_succession> predecessor_;  // that was Active, until this router has started
    std::optional<time_point> left_drain_until_;    // by one that no longer was
    // With which the Active was heard last, by a predecessor or by this router, whether it took part or not. None: it was
    // itself the Active last, or nobody has said.
    std::optional<duration> learned_interval_;

    takeover::takeover takeover_;
    takeover::local_resources local_;
    std::vector<takeover::local_item> of_interfaces_;
    takeover::announcer announcer_;
    std::vector<status::resource> unresolved_;
    std::vector<known_interface> known_interfaces_;

    hooks::hook_runner hooks_;
    std::optional<config::hook_event> role_told_;
    bool ownership_told_ = false;  // of this epoch; also where no hook is there to hear it, as the role is
    vrrp::state previous_state_ = vrrp::state::initialize;

    struct peer_state {
        ip_address address;
        std::optional<time_point> heard_at;
        std::uint8_t priority = 0;
    };
    std::vector<peer_state> peers_;
    inbound_watch inbound_;
    time_point lower_priority_told_at_ = time_point::min();
    std::uint64_t adverts_sent_ = 0;
    std::uint64_t adverts_not_sent_ = 0;
    std::uint64_t announcements_sent_ = 0;
    vrrp::election_counters counters_before_;  // of elections that ended with a change of source, version or VRID
};

}  // namespace vipd::node
