#pragma once

// What a process that makes room for a new one of the same node leaves to it, so that a restart is no transition: who is Active
// here, and until when the peers will believe that. Whatever it does not say begins as it does without a predecessor.
//
// It is text because the two may be of different versions. One that is not understood is passed over whole: the node then
// starts as a Backup, which is always right.

#include "agent/aws/notice_watch.hpp"
#include "agent/config/hooks.hpp"
#include "agent/node/resolve.hpp"
#include "agent/vrrp/authentication.hpp"
#include "agent/vrrp/types.hpp"
#include "common/ip.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::node {

// One router. What names it on the wire has to be the same for the successor to go on.
struct router_succession {
    std::string name;
    std::uint8_t vrid = 0;
    vrrp::version version = vrrp::version::v3;
    std::optional<ip_address> source = {};  // none while it takes no part for the want of one
    std::uint64_t epoch = 0;                // the last one
    // While Active: when its next advert is due, by the clock of this boot. None: it was not Active.
    std::optional<time_point> advert_due = {};
    bool is_owned = false;                        // its hooks have been told that everything that follows it is here
    std::vector<std::string> well_trackers = {};  // by name; they count as well until their first answer
    // Of one that takes part, all others: what is in neither list is new, and counts as well too. None: no other one does.
    std::optional<std::vector<std::string>> unwell_trackers = {};
    // Of the last advert that it, or one before it, has signed: its peers believe nothing that is not above.
    std::optional<vrrp::sequence> signed_last = {};
    // Which role its hooks have heard of last: active, backup or fault. None: an older version has not said.
    std::optional<config::hook_event> role_told = {};
    std::map<std::string, std::int64_t> numbers = {};  // that are not 0, in the files of trackers, by the tracker's name
    std::vector<known_interface> interfaces = {};      // of [[router.eni]], in its order
    // While not Active: Active_Adver_Interval (RFC 9568 6.2), once an advert has told it.
    std::optional<duration> learned_interval = {};
    // While Active: until when its peers wait for that advert, by the settings that they know. None: an older version has not
    // said.
    std::optional<time_point> believed_until = {};
    std::optional<time_point> drain_until = {};    // what it has on this node, no longer Active; by the clock of this boot
    std::optional<time_point> patient_until = {};  // startup_delay, likewise; none: it is over
    friend bool operator==(const router_succession&, const router_succession&) = default;
};

// What an operator has set for a router, whether that takes part or not.
struct priority_succession {
    std::string name;
    std::uint8_t priority = 0;
    std::uint8_t configured = 0;  // in place of this one: it is void when another one is configured now
    friend bool operator==(const priority_succession&, const priority_succession&) = default;
};

// An address that is not to stay for ever: it is here for as long as a router needs it, if at all.
struct address_succession {
    ip_prefix address;
    std::string interface;
    friend bool operator==(const address_succession&, const address_succession&) = default;
};

// A path to EC2 that counts as broken, and goes on to do so until it has worked for as long as ever.
struct ec2_path_succession {
    time_point broken_since;  // by the clock of this boot
    std::string trouble;
    friend bool operator==(const ec2_path_succession&, const ec2_path_succession&) = default;
};

inline constexpr std::size_t trouble_size_max = 1024;  // bytes; what is longer is cut where it is written

struct succession {
    bool maintenance = false;
    std::vector<router_succession> routers;
    std::vector<priority_succession> priorities = {};
    std::vector<address_succession> addresses = {};    // those that the next configuration does not name are removed
    std::optional<ec2_path_succession> ec2_path = {};  // none: it works, or nobody has looked
    std::vector<aws::notice> notices = {};             // as IMDS said last, at most one of each kind
    friend bool operator==(const succession&, const succession&) = default;
};

inline constexpr std::size_t succession_size_max = 4 << 20;  // bytes of text: some thousand routers

std::string format_succession(const succession& s);
result<succession> parse_succession(std::string_view text);

}  // namespace vipd::node
