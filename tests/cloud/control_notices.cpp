// What the metadata service says beside the facts: items by their path, and the notices that end an instance's work, in AWS's
// forms and with times counted from now.

#include "tests/cloud/control_request.hpp"
#include "tests/cloud/wire_time.hpp"

#include <algorithm>
#include <array>

namespace vipd::cloud {

namespace {

constexpr const char* spot_action = "spot/instance-action";
constexpr const char* spot_time = "spot/termination-time";
constexpr const char* rebalance = "events/recommendations/rebalance";
constexpr const char* maintenance = "events/maintenance/scheduled";
constexpr const char* lifecycle = "autoscaling/target-lifecycle-state";

// "21 Jan 2019 09:00:43 GMT"
std::string maintenance_time(wall_time time)
{
    return http_date(time).substr(5);
}

// A notice as it was asked for: where it goes and what it says.
struct notice {
    std::string kind;
    std::string text;  // what the kind makes of it: an action, a code, a state
    duration in{};     // until it comes true
};

boost::json::value maintenance_json(const notice& what, wall_time at)
{
    constexpr duration window = std::chrono::hours{2};
    return boost::json::array{{{"NotBefore", maintenance_time(at)},
                               {"Code", what.text},
                               {"Description", "scheduled " + what.text},
                               {"EventId", "instance-event-0aaaaaaaaaaaaaaa1"},
                               {"NotAfter", maintenance_time(at + window)},
                               {"State", "active"}}};
}

void give_notice(imds_model& imds, const instance_id& to, const notice& what, wall_time now)
{
    const auto at = now + what.in;
    if (what.kind == "spot") {
        imds.set_item(to, spot_action,
                      boost::json::serialize(boost::json::value{{"action", what.text}, {"time", iso_time(at)}}));
        if (what.text == "terminate") {
            imds.set_item(to, spot_time, iso_time(at));
        }
    } else if (what.kind == "rebalance") {
        imds.set_item(to, rebalance, boost::json::serialize(boost::json::value{{"noticeTime", iso_time(at)}}));
    } else if (what.kind == "maintenance") {
        imds.set_item(to, maintenance, boost::json::serialize(maintenance_json(what, at)));
    } else {
        imds.set_item(to, lifecycle, what.text);
    }
}

// What each kind may say, and what it says when nothing is said.
struct notice_kind {
    std::string_view kind, key, usual;
    std::array<std::string_view, 5> allowed;
    double usual_in_s;
};
constexpr std::array<notice_kind, 4> kinds{{
    {"spot", "action", "terminate", {"terminate", "stop", "hibernate"}, 120},
    {"rebalance", "", "", {}, 0},
    {"maintenance",
     "code",
     "instance-stop",
     {"instance-stop", "instance-retirement", "instance-reboot", "system-reboot", "system-maintenance"},
     3600},
    {"lifecycle", "state", "Terminated", {"InService", "Terminated", "Detached", "Standby", "Warmed:Stopped"}, 0},
}};

notice read_notice(json_reader& body)
{
    notice what{body.required_text("kind"), {}, {}};
    const auto* known = std::ranges::find(kinds, what.kind, &notice_kind::kind);
    if (known == kinds.end()) {
        body.fail("kind", "'" + what.kind + "' is none of spot, rebalance, maintenance, lifecycle");
        return what;
    }
    if (!known->key.empty()) {
        what.text = body.text(known->key, known->usual);
        if (what.text.empty() || std::ranges::find(known->allowed, what.text) == known->allowed.end()) {
            body.fail(known->key, "'" + what.text + "' is nothing that " + what.kind + " can say");
        }
    }
    what.in = from_seconds(body.number("in_s", known->usual_in_s));
    return what;
}

}  // namespace

control_answer put_metadata(control_request& request)
{
    const auto name = request.body.required_text("instance");
    const auto path = request.body.required_text("path");
    const auto value = request.body.text("value");
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const auto id = request.find_instance(name);
    if (!id) {
        return unknown("instance", name);
    }
    request.cloud.imds().set_item(*id, path, value);
    return done();
}

control_answer post_notice(control_request& request)
{
    const auto name = request.body.required_text("instance");
    const auto what = read_notice(request.body);
    if (const auto problem = request.finish()) {
        return *problem;
    }
    const auto id = request.find_instance(name);
    if (!id) {
        return unknown("instance", name);
    }
    give_notice(request.cloud.imds(), *id, what, request.cloud.wall_time_at(request.now));
    return done();
}

control_answer delete_notices(control_request& request)
{
    const auto id = request.find_instance(request.rest);
    if (!id) {
        return unknown("instance", request.rest);
    }
    for (const auto* path : {spot_action, spot_time, rebalance, maintenance, lifecycle}) {
        request.cloud.imds().set_item(*id, path, "");
    }
    return done();
}

}  // namespace vipd::cloud
