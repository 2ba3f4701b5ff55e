#pragma once

// A log record as the line that leaves the process.

#include "agent/config/config.hpp"
#include "common/log.hpp"
#include "common/time.hpp"

#include <string>

namespace vipd::io {

struct log_line_style {
    config::log_format format = config::log_format::logfmt;
    // systemd's journal is on the other side: a priority in front ("<4>", sd-daemon(3)), and no time, since the journal has its
    // own.
    bool for_journal = false;
};

// Ends with a newline and holds no other.
std::string log_line(const log_record& record, wall_time at, const log_line_style& style);

}  // namespace vipd::io
