#include "agent/config/track.hpp"

#include "common/overloaded.hpp"

#include <fmt/format.h>

namespace vipd::config {

std::string_view to_string(track_kind kind)
{
    switch (kind) {
        case track_kind::process:
            return "process";
        case track_kind::script:
            return "script";
        case track_kind::http:
            return "http";
        case track_kind::tcp:
            return "tcp";
        case track_kind::interface:
            return "interface";
        case track_kind::file:
            return "file";
    }
    return "unknown";
}

std::string describe(const check_target& target)
{
    return std::visit(
        overloaded{
            [](const process_check& c) { return c.pid_file.empty() ? "process " + c.process : "the process of " + c.pid_file; },
            [](const script_check& c) { return c.program.to_string(); },
            [](const http_check& c) { return aws::to_string(c.origin) + c.target; },
            [](const tcp_check& c) {
                return c.address.is_v6() ? fmt::format("[{}]:{}", c.address.to_string(), c.port)
                                         : fmt::format("{}:{}", c.address.to_string(), c.port);
            },
            [](const interface_check& c) { return "interface " + c.interface; },
            [](const file_check& c) { return c.path; },
        },
        target);
}

}  // namespace vipd::config
