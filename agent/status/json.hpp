#pragma once

// The JSON of README.md in this folder, as values and as text that is written a slice at a time.

#include "agent/status/http.hpp"
#include "agent/status/snapshot.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::status {

// Everything of GET /v1/status but `routers`.
boost::json::object node_json(const node& n, const process& p, wall_time now);
// Everything of a router but `peers` and `resources`, of which there can be hundreds.
boost::json::object router_head_json(const router& r);
boost::json::object peer_json(const peer& p);
boost::json::object resource_json(const resource& r);
boost::json::object event_json(const event& e);

// The same document as boost::json::serialize() writes, but with numbers as people write them: Boost.JSON 1.81 has only the
// scientific form for doubles ("3.61E-1"). Infinity and NaN, which JSON has not, become null.
void append_json(std::string& out, const boost::json::value& value);
std::string json_text(const boost::json::value& value);

// A router's whole object as text, at most `slice_items` trackers, peers and resources in each piece.
class router_json {
public:
    static constexpr std::size_t slice_items = 32;

    explicit router_json(router what) : router_(std::move(what)) {}

    // Appends the next piece; false when that was the last.
    bool append_next(std::string& out);

private:
    enum class stage : std::uint8_t { head, trackers, peers, resources };

    router router_;
    stage stage_ = stage::head;
    std::size_t item_ = 0;
};

std::unique_ptr<body_source> status_body(const node_view& view);
// GET /v1/routers/NAME
std::unique_ptr<body_source> router_body(router what);
// GET /v1/plan
std::unique_ptr<body_source> plan_body(const node_view& view);
// GET /v1/routers/NAME/plan, and each element of the list of GET /v1/plan
boost::json::object plan_json(const router& r, const std::vector<std::string>& changes);
// GET /v1/events: `last` is what to ask for next time.
std::unique_ptr<body_source> events_body(std::vector<event> events, std::uint64_t last);

}  // namespace vipd::status
