#pragma once

// [[router.track]]: from the keys as they stand in a file to one of the kinds of checks, and what is wrong with it beside the
// others.

#include "agent/config/entry.hpp"
#include "agent/config/fields.hpp"

namespace vipd::config {

bool read_value(reading& r, const spot& s, http_location& out);
bool read_value(reading& r, const spot& s, status_range& out);

// Reports what does not belong to the kind, and what it lacks.
bool make_tracker(reading& r, const spot& s, const track_section& from, tracker& out);

void check_trackers(reading& r, const entry<router>& e);

}  // namespace vipd::config
