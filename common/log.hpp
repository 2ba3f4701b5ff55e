#pragma once

// A log line is an event with fields, and a machine's log is part of its behaviour: tests read it back field by field. The core
// calls these functions; what writes, stamps and limits the lines is handed in.

#include "common/time.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace vipd {

enum class log_level : std::uint8_t {
    debug,    // for the person who changes vipd
    info,     // what an operator reads afterwards: transitions, calls, starts
    warning,  // would you want to know tomorrow?
    error,    // would you wake someone at three in the morning?
};

std::string_view to_string(log_level level);

struct log_field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
    log_field(std::string_view k, const std::string& v) : key(k), value(std::string_view{v}) {}
    log_field(std::string_view k, const char* v) : key(k), value(std::string_view{v}) {}
    log_field(std::string_view k, bool v) : key(k), value(v) {}
    log_field(std::string_view k, double v) : key(k), value(v) {}
    // Durations are shown in milliseconds; name the key accordingly ("took_ms").
    log_field(std::string_view k, duration v) : key(k), value(to_milliseconds(v)) {}
    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) log_field(std::string_view k, Integer v) :
        key(k), value(static_cast<std::int64_t>(v))
    {}
};

struct log_record {
    log_level level = log_level::info;
    std::string_view event;             // a fixed word, lower-case with underscores: "transition", "ec2_call"
    std::span<const log_field> fields;  // valid during the call only
};

class log_sink {
public:
    log_sink() = default;
    log_sink(const log_sink&) = delete;
    log_sink& operator=(const log_sink&) = delete;
    virtual ~log_sink() = default;

    virtual void write(const log_record& record) = 0;

    void debug(std::string_view event, std::initializer_list<log_field> fields) { put(log_level::debug, event, fields); }
    void info(std::string_view event, std::initializer_list<log_field> fields) { put(log_level::info, event, fields); }
    void warning(std::string_view event, std::initializer_list<log_field> fields) { put(log_level::warning, event, fields); }
    void error(std::string_view event, std::initializer_list<log_field> fields) { put(log_level::error, event, fields); }

private:
    void put(log_level level, std::string_view event, std::initializer_list<log_field> fields)
    {
        write({level, event, {fields.begin(), fields.size()}});
    }
};

// "event=transition router=haproxy reason=\"no advert for 361 ms\"": values with a space, a quote, a control character or '='
// are quoted and escaped, and a line ends at 2,000 bytes whatever it was given.
std::string format_log_line(const log_record& record);

}  // namespace vipd
