#pragma once

// The series of hooks: what the rows of metrics_table.cpp that are about them are filled with.

#include "agent/status/metrics_table.hpp"

namespace vipd::status {

void hook_runs(const router& r, series_sink& out);
void hook_failing(const router& r, series_sink& out);
void hook_last_seconds(const router& r, series_sink& out);
void hook_running(const router& r, series_sink& out);
void hook_superseded(const router& r, series_sink& out);
void hook_lines_dropped(const router& r, series_sink& out);

}  // namespace vipd::status
