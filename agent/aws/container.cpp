#include "agent/aws/container.hpp"

#include "agent/aws/endpoint.hpp"
#include "agent/aws/role_document.hpp"
#include "agent/aws/text.hpp"
#include "common/ip.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::aws {

namespace {

// The token in the request must not travel in clear over a network, so plain HTTP is for this machine and for the link-local
// addresses of the two agents alone.
bool may_be_plain(const http_origin& origin)
{
    if (origin.host == "localhost") {
        return true;
    }
    const auto address = ip_address::parse(origin.host);
    return address && (address->is_loopback() || origin.host == "169.254.170.2" || origin.host == "169.254.170.23" ||
                       origin.host == "fd00:ec2::23");
}

bool is_target(std::string_view target)
{
    return target.starts_with('/') && target.size() <= 2048 && is_header_value(target);
}

error unusable(std::string_view variable, std::string_view why)
{
    return {error_class::malformed, fmt::format("{} {}", variable, why)};
}

result<container_source> from_full_uri(std::string_view url)
{
    constexpr std::string_view variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const auto scheme_end = url.find("://");
    const auto target_start =
        scheme_end == std::string_view::npos ? url.size() : std::min(url.find_first_of("/?", scheme_end + 3), url.size());
    auto origin = parse_origin(url.substr(0, target_start), true);
    if (!origin) {
        return unusable(variable, origin.error().text);
    }
    if (!origin->tls && !may_be_plain(*origin)) {
        return unusable(variable,
                        "uses http:// for a host that is neither this machine nor an agent's link-local address; use https://");
    }
    std::string target{url.substr(target_start)};
    if (!target.starts_with('/')) {
        target.insert(0, "/");
    }
    if (!is_target(target)) {
        return unusable(variable, "has a path with spaces or control characters, or one that is too long");
    }
    return container_source{.origin = std::move(*origin), .target = std::move(target), .token = {}, .token_file = {}};
}

}  // namespace

result<std::optional<container_source>> container_from(const environment& variables)
{
    const auto relative = variables.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) {
        return std::optional<container_source>{};
    }
    container_source source;
    if (relative) {
        if (!is_target(*relative)) {
            return unusable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "must be a path that starts with /");
        }
        source.origin = {false, "169.254.170.2", 80};
        source.target = *relative;
    } else {
        auto parsed = from_full_uri(*full);
        if (!parsed) {
            return parsed.error();
        }
        source = std::move(*parsed);
    }
    source.token_file = variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or("");
    if (source.token_file.empty()) {
        source.token = variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
    }
    return std::optional{std::move(source)};
}

result<http_exchange> container_request(const container_source& source, std::string_view token)
{
    http_exchange exchange;
    exchange.origin = source.origin;
    exchange.request.method = "GET";
    exchange.request.target = source.target;
    exchange.request.headers = {{"Host", host_header(source.origin)}, {"Accept", "application/json"}};
    exchange.time_max = std::chrono::seconds{2};
    exchange.connect_time_max = std::chrono::seconds{1};
    exchange.body_size_max = 64U << 10U;
    const auto trimmed = trim(token);
    if (!trimmed.empty()) {
        // "Basic abc" has a space; a line end would start a header of somebody else's.
        const bool fits = std::ranges::all_of(trimmed, [](char c) { return c >= 0x20 && c < 0x7f; });
        if (!fits) {
            return error{error_class::malformed, "the authorization token for the container endpoint has control characters"};
        }
        exchange.request.headers.push_back({"Authorization", std::string{trimmed}});
    }
    return exchange;
}

result<credentials> read_container_answer(const http_result& result)
{
    if (const auto* failure = std::get_if<http_failure>(&result.outcome)) {
        return error{failure->cause.kind, fmt::format("the container endpoint: {}", clean_text(failure->cause.text, 200))};
    }
    const auto& response = std::get<http_response>(result.outcome);
    if (response.status != 200) {
        return error{response.status == 401 || response.status == 403 ? error_class::denied : error_class::unavailable,
                     fmt::format("the container endpoint answered with status {}", response.status)};
    }
    return parse_role_document(response.body, "the container endpoint");
}

}  // namespace vipd::aws
