#include "agent/status/tracker_series.hpp"

#include <array>

namespace vipd::status {

namespace {

constexpr std::array check_results = {check_result::passed, check_result::failed, check_result::timed_out};

}  // namespace

void tracker_up(const router& r, series_sink& out)
{
    for (const auto& t : r.trackers) {
        if (t.state != tracker_state::unknown) {
            out.add({r.name, t.name}, t.state == tracker_state::well);
        }
    }
}

void tracker_checks(const router& r, series_sink& out)
{
    for (const auto& t : r.trackers) {
        if (t.kind == config::track_kind::interface) {
            continue;  // the kernel tells of it: there is no look to be counted
        }
        for (const auto result : check_results) {
            out.add({r.name, t.name, to_string(result)}, t.checks[static_cast<std::size_t>(result)]);
        }
    }
}

void tracker_check_seconds(const router& r, series_sink& out)
{
    for (const auto& t : r.trackers) {
        if (t.took) {
            out.add({r.name, t.name}, *t.took);
        }
    }
}

void tracker_contribution(const router& r, series_sink& out)
{
    for (const auto& t : r.trackers) {
        if (t.weight) {
            out.add({r.name, t.name}, t.contribution);
        }
    }
}

void tracker_number(const router& r, series_sink& out)
{
    for (const auto& t : r.trackers) {
        if (t.number) {
            out.add({r.name, t.name}, *t.number);
        }
    }
}

}  // namespace vipd::status
