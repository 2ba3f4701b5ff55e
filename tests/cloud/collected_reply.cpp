// What a client without a wire gets to see of an answer.

#include "tests/cloud/simulated_cloud.hpp"

namespace vipd::cloud {

std::variant<aws::http_response, aws::http_failure> collected_reply::as_client_sees(duration time_max,
                                                                                    std::size_t body_size_max) const
{
    const auto failed = [](error_class kind, const char* text) { return aws::http_failure{true, error{kind, text}}; };
    if (end == ending::reset) {
        return failed(error_class::unavailable, "connection reset");
    }
    if (end == ending::hang || answer.end == wire_answer::ending::hang) {
        return failed(error_class::timed_out, "no complete answer in time");
    }
    if (answer.raw) {
        return failed(error_class::malformed, "not an HTTP message");
    }
    const bool is_too_large = answer.filler_count == endless || answer.head.body.size() + answer.tail.size() > body_size_max ||
                              (answer.filler_count > 0 && answer.filler.size() > body_size_max / answer.filler_count);
    if (is_too_large) {
        return failed(error_class::too_large, "the answer is larger than the bound");
    }
    auto response = answer.head;
    for (std::uint64_t i = 0; i < answer.filler_count; ++i) {
        response.body += answer.filler;
    }
    response.body += answer.tail;
    if (answer.announced_length.value_or(response.body.size()) != response.body.size()) {
        return failed(error_class::unavailable, "the connection ended before the answer did");
    }
    if (bytes_per_second && static_cast<double>(response.body.size()) / *bytes_per_second > to_seconds(time_max)) {
        return failed(error_class::timed_out, "no complete answer in time");
    }
    return response;
}

}  // namespace vipd::cloud
