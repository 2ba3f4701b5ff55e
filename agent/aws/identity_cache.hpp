#pragma once

// Who this node is, kept in a file, so that an agent that is restarted while IMDS is down still knows where its routes lead.
//
// What the file says is a stand-in: IMDS is asked all the same, and what it answers replaces it. The file holds no secret, and
// it is good for one boot: an image taken of a node, or an instance that was stopped and changed, starts another one. It is
// believed whole or not at all, and whatever is wrong with it costs a log line and nothing else.

#include "agent/aws/identity.hpp"
#include "common/log.hpp"
#include "common/log_limiter.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

// What the shell reads at most; nothing larger is written.
inline constexpr std::size_t identity_cache_bytes_max = 64U << 10U;

// The 32 digits of "0f1e2d3c-...\n" (the kernel's form) or of the same without dashes (systemd's); empty when it is neither.
std::string parse_boot_id(std::string_view text);

// `boot_id` as parse_boot_id() gives it, not empty.
std::string format_identity(const instance_identity& identity, std::string_view boot_id);
// error_class::out_of_range when the text is sound, but of another boot.
result<instance_identity> parse_identity(std::string_view text, std::string_view boot_id);

class identity_cache {
public:
    // An empty path switches it off, and so does a boot that cannot be told from others.
    identity_cache(std::string path, std::string_view boot_id, log_sink& log);

    // The file to read at the start; none when the cache is off.
    [[nodiscard]] std::optional<std::string> file_to_read() const;
    void take(const result<std::string>& content);
    // Until IMDS has answered.
    [[nodiscard]] const std::optional<instance_identity>& stand_in() const { return stand_in_; }

    // IMDS has said who this node is. The content that the file is to have now; none when it is to stay as it is.
    std::optional<std::string> replace(time_point now, const instance_identity& identity);
    void written(time_point now, const result<void>& outcome);
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    void not_written(time_point now, std::string_view reason);

    std::string path_;
    std::string boot_id_;
    log_sink& log_;
    log_limiter limiter_;
    std::optional<instance_identity> stand_in_;
};

}  // namespace vipd::aws
