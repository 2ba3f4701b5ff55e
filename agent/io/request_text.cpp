#include "agent/io/request_text.hpp"

#include <algorithm>

namespace vipd::io {

namespace {

bool is_safe(std::string_view text, bool spaces_allowed)
{
    return std::ranges::none_of(text, [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || (byte == 0x20 && !spaces_allowed);
    });
}

}  // namespace

std::optional<std::string> request_text(const aws::http_request& request)
{
    if (request.method.empty() || !is_safe(request.method, false) || !is_safe(request.target, false) ||
        !request.target.starts_with('/')) {
        return std::nullopt;
    }
    std::string text;
    text.reserve(1024 + request.body.size());
    text.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
    for (const auto& header : request.headers) {
        if (header.name.empty() || header.name.find(':') != std::string::npos || !is_safe(header.name, false) ||
            !is_safe(header.value, true)) {
            return std::nullopt;
        }
        text.append(header.name).append(": ").append(header.value).append("\r\n");
    }
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
        text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    }
    text.append("Connection: keep-alive\r\n\r\n").append(request.body);
    return text;
}

}  // namespace vipd::io
