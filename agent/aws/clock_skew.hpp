#pragma once

// How far the servers' clock is ahead of ours, learnt from the Date header of answers: the moment it was written lies, as a
// best guess, midway between our first byte and the end of the answer. A node whose clock is wrong by hours signs correctly
// after one answer. The rules are those of AWS's SDKs (Go: aws/retry clock skew).

#include "agent/aws/http_message.hpp"
#include "agent/aws/time_text.hpp"
#include "common/time.hpp"

#include <optional>

namespace vipd::aws {

// Above this a refused signature is the clock's fault.
inline constexpr duration clock_skew_blamed = std::chrono::minutes{4};

// An answer that took longer than this says too little about when its Date was written.
inline constexpr duration skew_round_trip_max = std::chrono::seconds{10};

// When the server says that it wrote its answer. An Age header means that a cache answered, and its Date is of another time.
inline std::optional<wall_time> date_of(const http_response& response)
{
    const auto date = find_header(response.headers, "date");
    return date && !find_header(response.headers, "age") ? parse_http_date(*date) : std::nullopt;
}

// Server minus us; none when the exchange says nothing: no date, nothing sent, too slow.
inline std::optional<duration> measure_skew(std::optional<wall_time> server_date, time_point first_byte, time_point finished,
                                            instant now)
{
    if (!server_date || first_byte == never || finished < first_byte || finished - first_byte > skew_round_trip_max) {
        return std::nullopt;
    }
    const auto midpoint = first_byte + (finished - first_byte) / 2;
    return *server_date - (now.wall - (now.steady - midpoint));
}

}  // namespace vipd::aws
