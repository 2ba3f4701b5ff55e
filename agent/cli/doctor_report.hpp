#pragma once

#include "agent/cli/printed.hpp"
#include "agent/doctor/finding.hpp"

namespace vipd::cli {

// `vipd doctor`: a line for each finding, with the remedy behind it or, where that would be too long, under it; or JSON. The
// exit code says whether something has failed.
printed doctor_report(const doctor::report& report, bool as_json);

}  // namespace vipd::cli
