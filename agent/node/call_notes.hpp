#pragma once

#include "agent/aws/cloud_session.hpp"
#include "agent/status/journal.hpp"
#include "common/log_limiter.hpp"
#include "common/time.hpp"

#include <map>
#include <string>
#include <string_view>

namespace vipd::node {

// What is said of calls that only read: each for the person who debugs, the failing ones for the operator, though one that
// fails the same way again and again is one story, told once a minute. (Calls that change something are the takeover's to
// tell.)
class call_notes {
public:
    explicit call_notes(status::journal& journal) : journal_(journal) {}

    void read_ended(time_point now, std::string_view action, const aws::call_done& done);

private:
    status::journal& journal_;
    log_limiter limiter_{{std::chrono::minutes{1}, 256}};
    std::map<std::string, bool, std::less<>> fails_;  // by action; there are two
};

}  // namespace vipd::node
