#include "agent/status/hook_series.hpp"

#include <algorithm>
#include <array>

namespace vipd::status {

namespace {

constexpr std::array hook_outcomes = {hook_outcome::succeeded, hook_outcome::failed,      hook_outcome::signalled,
                                      hook_outcome::timed_out, hook_outcome::not_started, hook_outcome::abandoned};

template <class Value>
void of_hooks(const router& r, series_sink& out, Value value)
{
    for (const auto& h : r.hooks) {
        out.add({r.name, h.key(), to_string(h.event)}, value(h));
    }
}

}  // namespace

void hook_runs(const router& r, series_sink& out)
{
    for (const auto& h : r.hooks) {
        for (const auto outcome : hook_outcomes) {
            out.add({r.name, h.key(), to_string(h.event), to_string(outcome)}, h.runs[static_cast<std::size_t>(outcome)]);
        }
    }
}

void hook_last_seconds(const router& r, series_sink& out)
{
    for (const auto& h : r.hooks) {
        if (h.last) {
            out.add({r.name, h.key(), to_string(h.event)}, h.last->took);
        }
    }
}

void hook_running(const router& r, series_sink& out)
{
    if (!r.hooks.empty()) {
        out.add({r.name}, std::ranges::any_of(r.hooks, [](const hook& h) { return h.running.has_value(); }));
    }
}

void hook_failing(const router& r, series_sink& out)
{
    of_hooks(r, out, [](const hook& h) { return h.is_failing(); });
}

void hook_superseded(const router& r, series_sink& out)
{
    of_hooks(r, out, [](const hook& h) { return h.superseded; });
}

void hook_lines_dropped(const router& r, series_sink& out)
{
    of_hooks(r, out, [](const hook& h) { return h.lines_dropped; });
}

}  // namespace vipd::status
