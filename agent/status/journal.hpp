#pragma once

// What happened, told twice: as a log line, and as one of the last events that /v1/events and the page show. Machines report
// through this so that the two can never differ.

#include "agent/status/snapshot.hpp"
#include "common/bounded_queue.hpp"
#include "common/log.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::status {

class journal {
public:
    // Keeps the last `capacity` events.
    journal(log_sink& log, std::size_t capacity) : log_(log), events_(capacity) {}

    // The wall time that the following records carry; set once per turn.
    void set_now(wall_time now) { now_ = now; }

    // `router` is empty for what concerns the node. Debug records are logged only.
    void record(log_level level, std::string_view event, std::string_view router, std::span<const log_field> fields);
    void record(log_level level, std::string_view event, std::string_view router, std::initializer_list<log_field> fields)
    {
        record(level, event, router, std::span{fields.begin(), fields.size()});
    }

    // Oldest first.
    [[nodiscard]] std::vector<event> after(std::uint64_t number) const;

    [[nodiscard]] log_sink& log() { return log_; }

private:
    log_sink& log_;
    wall_time now_{};
    std::uint64_t last_number_ = 0;
    bounded_queue<event> events_;
};

}  // namespace vipd::status
