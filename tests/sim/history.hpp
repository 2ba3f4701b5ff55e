#pragma once

// What happened, for two readers: a fingerprint that is the same when and only when everything was the same, and, when somebody
// wants to know, lines.

#include "common/bytes.hpp"
#include "common/log.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace vipd::sim {

class history {
public:
    // Lines are made only when `tell` is there.
    history(time_point start, std::function<void(const std::string&)> tell) : start_(start), tell_(std::move(tell)) {}

    [[nodiscard]] std::uint64_t fingerprint() const { return hash_; }

    void mix(std::uint64_t value)
    {
        hash_ ^= value;
        hash_ *= 0x9e3779b97f4a7c15ULL;
        hash_ ^= hash_ >> 29U;
    }
    void mix(std::string_view text)
    {
        std::uint64_t h = 0xcbf29ce484222325ULL;
        for (const char c : text) {
            h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
        }
        mix(h);
    }
    void mix(byte_view bytes) { mix(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

    // `line` is called when somebody reads.
    template <class Line>
    void add(time_point at, std::string_view who, Line&& line)
    {
        mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
        mix(who);
        if (tell_) {
            tell(at, who, line());
        }
    }
    void add(time_point at, std::string_view who, const log_record& record);

private:
    void tell(time_point at, std::string_view who, const std::string& text);

    time_point start_;
    std::function<void(const std::string&)> tell_;
    std::uint64_t hash_ = 0;
};

}  // namespace vipd::sim
