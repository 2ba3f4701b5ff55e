#pragma once

// The series of trackers: what the rows of metrics_table.cpp that are about them are filled with.

#include "agent/status/metrics_table.hpp"

namespace vipd::status {

void tracker_up(const router& r, series_sink& out);
void tracker_checks(const router& r, series_sink& out);
void tracker_check_seconds(const router& r, series_sink& out);
void tracker_contribution(const router& r, series_sink& out);
void tracker_number(const router& r, series_sink& out);

}  // namespace vipd::status
