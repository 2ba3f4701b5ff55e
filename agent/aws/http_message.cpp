#include "agent/aws/http_message.hpp"

#include <fmt/format.h>

namespace vipd::aws {

std::string host_header(const http_origin& origin)
{
    const bool is_v6 = origin.host.find(':') != std::string::npos;
    std::string text = is_v6 ? "[" + origin.host + "]" : origin.host;
    if (origin.port != (origin.tls ? 443 : 80)) {
        text += fmt::format(":{}", origin.port);
    }
    return text;
}

std::string to_string(const http_origin& origin)
{
    return (origin.tls ? "https://" : "http://") + host_header(origin);
}

}  // namespace vipd::aws
