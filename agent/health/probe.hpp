#pragma once

// What passes between the machines that decide about checks and the shell that carries them out.

#include "agent/config/track.hpp"
#include "common/strong_id.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <string>

namespace vipd::health {

using check_id = strong_number<struct check_tag>;

// --- outputs ---

// Look once; answered by one probe_ended, within `timeout`: twice that where the last run of its program was killed and is slow
// to end. There is one at a time for each check.
struct start_probe {
    check_id id;
    config::check_target what;
    duration timeout{};
};

// Nobody wants to know any more: whatever is under way, watched or remembered for it ends, and nothing follows.
struct stop_probes {
    check_id id;
};

// --- inputs ---

enum class probe_outcome : std::uint8_t { passed, failed, timed_out };

struct probe_ended {
    check_id id;
    probe_outcome outcome = probe_outcome::failed;
    std::string text;         // why not, as a clause: "connection refused by 127.0.0.1:8080"
    std::int64_t number = 0;  // of a file
    bool watched = false;  // what was found is watched from here on: its end will be told, and asking again finds nothing new
};

// What the last probe had found is there no longer.
struct watch_ended {
    check_id id;
    std::string text;
};

}  // namespace vipd::health
