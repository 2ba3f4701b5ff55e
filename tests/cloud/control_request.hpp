#pragma once

// What the handlers of control requests share, and those that control.cpp does not hold itself.

#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/simulated_cloud.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace vipd::cloud {

// One request to the control endpoint. `rest` is what follows the path's first word: an id.
struct control_request {
    simulated_cloud& cloud;
    instant now;
    std::string rest;
    json_reader& body;

    // The first thing that is wrong with the body, when all of it has been read.
    [[nodiscard]] std::optional<error> finish()
    {
        body.finish();
        return body.problem();
    }
    // By id or by name.
    [[nodiscard]] std::optional<instance_id> find_instance(const std::string& name) const;
    // Tells the log of a change: "by hand", at this request's time.
    void note(state_change what);
};

using control_answer = result<boost::json::value>;

error unknown(std::string_view what, const std::string& name);
boost::json::value done();
duration from_seconds(double seconds);

// --- control_moves.cpp ---
control_answer put_instance(control_request& request);
control_answer put_interface(control_request& request);
control_answer delete_interface(control_request& request);
control_answer put_address(control_request& request);
control_answer delete_address(control_request& request);
control_answer put_elastic_ip(control_request& request);
// --- control_notices.cpp ---
control_answer put_metadata(control_request& request);
control_answer post_notice(control_request& request);
control_answer delete_notices(control_request& request);

}  // namespace vipd::cloud
