#include "agent/status/journal.hpp"

namespace vipd::status {

void journal::record(log_level level, std::string_view event_name, std::string_view router, std::span<const log_field> fields)
{
    std::vector<log_field> all;
    all.reserve(fields.size() + 1);
    if (!router.empty()) {
        all.emplace_back("router", router);
    }
    all.insert(all.end(), fields.begin(), fields.end());
    log_.write({level, event_name, all});
    if (level == log_level::debug) {
        return;
    }
    // The line without its "event=NAME" and "router=NAME": those have columns of their own.
    const auto line = format_log_line({level, event_name, fields});
    const auto first_field = line.find(' ');
    events_.push_dropping_oldest({++last_number_, now_, std::string(router), std::string(event_name),
                                  first_field == std::string::npos ? std::string{} : line.substr(first_field + 1)});
}

std::vector<event> journal::after(std::uint64_t number) const
{
    std::vector<event> found;
    for (const auto& e : events_) {
        if (e.number > number) {
            found.push_back(e);
        }
    }
    return found;
}

}  // namespace vipd::status
