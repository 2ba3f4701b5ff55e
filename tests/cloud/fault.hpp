#pragma once

// What goes wrong on command. A fault says which requests it is for and what becomes of them; all that match a request and win
// their draw apply to it. Connections are requests too: "connect:ec2" and "connect:imds" can be slow, reset, left hanging, or
// shown a certificate that nobody may accept.

#include "common/random.hpp"
#include "common/result.hpp"
#include "common/time.hpp"
#include "tests/cloud/delay.hpp"
#include "tests/cloud/hostile_body.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::cloud {

enum class certificate_flaw : std::uint8_t { none, expired, not_yet_valid, wrong_name, untrusted };
std::string_view to_string(certificate_flaw flaw);

namespace effects {

// The call is carried out after `before`, answered `after` that.
struct slow {
    delay before;
    delay after;
};
// An error is answered; with `applied` the call was carried out all the same.
struct fail {
    unsigned status = 503;
    std::string code = "Unavailable";  // empty: a page of HTML, as a proxy between would send
    std::string message = "The service is unavailable. Please try again shortly.";
    bool applied = false;
};
// The connection is reset in place of an answer.
struct reset {
    bool applied = false;
};
// Nothing is answered and the connection stays open.
struct hang {
    bool applied = false;
};
// The answer is lost at once (reset, or silence with `hang`) and the call is carried out later.
struct land_late {
    delay by;
    bool hang = false;
};
// A describe is answered by a replica that is this far behind.
struct stale {
    delay lag;
};
// The answer comes this slowly.
struct trickle {
    double bytes_per_second = 1.0;
};
// The answer is not what it should be.
struct hostile {
    hostile_kind kind = hostile_kind::truncated;
    std::uint64_t size = 0;  // what it means depends on the kind; 0 is the kind's usual one
};

// For calls that attach, detach or reassign: what they begin comes about after `by`, whatever the settings say.
struct linger {
    delay by;
};
// For detaches: the interface stays `detaching` until it is forced.
struct stuck {};

// For connections: the server shows a certificate that is not right.
struct certificate {
    certificate_flaw flaw = certificate_flaw::none;
};

}  // namespace effects

using fault_effect =
    std::variant<effects::slow, effects::fail, effects::reset, effects::hang, effects::land_late, effects::stale,
                 effects::trickle, effects::hostile, effects::certificate, effects::linger, effects::stuck>;

struct fault {
    std::string action = "ec2:*";        // "ec2:ReplaceRoute", "sts:AssumeRole", "imds:/latest/...", "connect:ec2"; wildcards
    std::string node = "*";              // a name or an instance id; wildcards
    std::string table = "*";             // a route table's id; wildcards; "*" is also for calls that name none
    std::string interface = "*";         // a network interface's id; the same
    std::optional<std::uint64_t> count;  // how many more requests it hits; none: all
    double probability = 1.0;
    fault_effect effect;
};

using fault_id = std::uint64_t;

// What a request is, for the matching.
struct fault_subject {
    std::string action, node, instance, table, interface {};
};

// What all faults together make of one request.
struct exchange_plan {
    duration before_effect{};
    duration after_effect{};
    enum class ending : std::uint8_t { answer, reset, hang } end = ending::answer;
    bool applied = true;       // whether the call is carried out
    bool reply_first = false;  // the ending does not wait for the effect
    std::optional<effects::fail> failure;
    duration lag{};
    std::optional<double> bytes_per_second;
    std::optional<effects::hostile> hostile;
    certificate_flaw certificate = certificate_flaw::none;
    std::optional<duration> settles_after;  // what the call begins
    bool stuck = false;                     // it does not settle
    std::vector<std::string> names;         // for the log: "slow", "land_late", ...
};

class fault_set {
public:
    explicit fault_set(std::uint64_t seed) : random_(seed) {}

    fault_id add(fault what);
    bool remove(fault_id id) { return faults_.erase(id) > 0; }
    void clear() { faults_.clear(); }
    [[nodiscard]] const std::map<fault_id, fault>& all() const { return faults_; }

    // Counts down the faults that hit.
    exchange_plan plan(const fault_subject& subject);

private:
    random_source random_;
    std::map<fault_id, fault> faults_;
    fault_id last_ = 0;
};

// {"action": "ReplaceRoute", "count": 3, "kind": "fail", "status": 503, ...}; README.md lists the kinds.
result<fault> parse_fault(const boost::json::value& json);
boost::json::value to_json(fault_id id, const fault& value);

}  // namespace vipd::cloud
