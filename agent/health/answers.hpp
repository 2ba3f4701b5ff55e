#pragma once

// What an answer means: the content of a file, the status of a server, the end of a program.

#include "agent/config/track.hpp"
#include "agent/health/probe.hpp"
#include "agent/hooks/process.hpp"
#include "common/result.hpp"

#include <string>
#include <string_view>

namespace vipd::health {

// A file that is not there says 0, and so does an empty one.
probe_ended file_answer(check_id id, const result<std::string>& content);

probe_ended http_answer(check_id id, const config::http_check& what, unsigned status);

// `said`: what the program has written, for the reason of a failure.
probe_ended program_answer(check_id id, const hooks::process_ended& end, std::string_view said);

}  // namespace vipd::health
