#pragma once

// What the network can make us say, at most once in ten seconds for each event and thing it is said of: the first field is the
// key.

#include "agent/io/clock.hpp"
#include "common/log.hpp"
#include "common/log_limiter.hpp"

#include <string>
#include <variant>
#include <vector>

namespace vipd::io {

class limited_log final : public log_sink {
public:
    explicit limited_log(log_sink& to) : to_(to) {}

    void write(const log_record& record) override
    {
        const auto* text = record.fields.empty() ? nullptr : std::get_if<std::string_view>(&record.fields.front().value);
        const auto verdict = limiter_.admit(steady_now(), record.event, text == nullptr ? std::string_view{} : *text);
        if (!verdict.write) {
            return;
        }
        if (verdict.suppressed == 0) {
            to_.write(record);
            return;
        }
        std::vector<log_field> fields(record.fields.begin(), record.fields.end());
        fields.emplace_back("like_it_since_last_line", verdict.suppressed);
        to_.write({record.level, record.event, fields});
    }

private:
    log_sink& to_;
    log_limiter limiter_;
};

}  // namespace vipd::io
