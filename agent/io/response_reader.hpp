#pragma once

// Bytes of an HTTP/1.x answer to a value, or the reason why it is none. Bounded in head and body whatever the other side sends.

#include "agent/aws/http_message.hpp"
#include "common/bytes.hpp"
#include "common/result.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace vipd::io {

class response_reader {
public:
    struct limits {
        std::size_t head_bytes_max = 16U << 10U;
        std::size_t body_bytes_max = 4U << 20U;
    };
    enum class progress : std::uint8_t { need_more, done, failed };

    explicit response_reader(const limits& l);
    ~response_reader();

    progress put(byte_view bytes);
    // The other side has closed in good order: that is the end of an answer without a length, and breaks any other.
    progress end();

    // When done.
    aws::http_response take();
    // When done: the answer was delimited, allows another request, and nothing stands behind it.
    [[nodiscard]] bool connection_is_reusable() const;
    // When failed.
    [[nodiscard]] const error& problem() const;
    // When the body was larger than allowed: what the answer is nevertheless.
    [[nodiscard]] std::optional<unsigned> status_of_too_large() const;
    // Any byte of an answer has come.
    [[nodiscard]] bool has_begun() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::io
