#include "agent/aws/endpoint.hpp"

#include "agent/aws/text.hpp"
#include "common/ip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::aws {

namespace {

// partitions.json of AWS's SDKs. A region belongs to the partition whose prefix it carries, "<prefix><letters>-<digits>".
struct partition {
    std::string_view name;
    std::string_view dns_suffix;
    std::string_view dual_stack_suffix;
};

constexpr std::array<partition, 8> partitions = {{
    {"aws", "amazonaws.com", "api.aws"},
    {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws-us-gov", "amazonaws.com", "api.aws"},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
}};

struct region_prefix {
    std::string_view prefix;
    std::string_view partition;
};

constexpr std::array<region_prefix, 7> region_prefixes = {{
    {"cn-", "aws-cn"},
    {"eusc-de-", "aws-eusc"},
    {"us-gov-", "aws-us-gov"},
    {"us-iso-", "aws-iso"},
    {"us-isob-", "aws-iso-b"},
    {"eu-isoe-", "aws-iso-e"},
    {"us-isof-", "aws-iso-f"},
}};

bool is_digits(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "central-1"
bool is_region_tail(std::string_view text)
{
    const auto dash = text.find('-');
    if (dash == 0 || dash == std::string_view::npos) {
        return false;
    }
    const auto word = text.substr(0, dash);
    return std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
           is_digits(text.substr(dash + 1));
}

const partition& partition_for(std::string_view region)
{
    for (const auto& candidate : region_prefixes) {
        if (region.starts_with(candidate.prefix) && is_region_tail(region.substr(candidate.prefix.size()))) {
            return *std::ranges::find(partitions, candidate.partition, &partition::name);
        }
    }
    return partitions.front();
}

// A region becomes a label of a host name, so it must be one: nothing that could turn the name into another.
bool is_host_label(std::string_view text)
{
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_host_name(std::string_view text)
{
    if (text.empty() || text.size() > 253) {
        return false;
    }
    while (true) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        // Underscores are no part of host names, but of names people give to local endpoints.
        const bool fits = !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
                          std::ranges::all_of(label, [](char c) {
                              return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
                          });
        if (!fits) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

error refused(std::string_view url, std::string_view why)
{
    return {error_class::malformed, fmt::format("\"{}\" is no usable URL: {}", clean_text(url, 200), why)};
}

result<http_origin> parse_authority(std::string_view url, std::string_view authority, bool tls)
{
    http_origin origin{tls, {}, static_cast<std::uint16_t>(tls ? 443 : 80)};
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        const auto literal = close == std::string_view::npos ? std::string_view{} : authority.substr(1, close - 1);
        const auto address = ip_address::parse(literal);
        if (!address || !address->is_v6()) {
            return refused(url, "the brackets must hold an IPv6 address");
        }
        origin.host = address->to_string();
        port = authority.substr(close + 1);
    } else {
        const auto colon = std::min(authority.find(':'), authority.size());
        origin.host = to_lower(authority.substr(0, colon));
        port = authority.substr(colon);
        const auto last_label = std::string_view{origin.host}.substr(origin.host.rfind('.') + 1);
        if (is_digits(last_label)) {
            const auto address = ip_address::parse(origin.host);
            if (!address || !address->is_v4()) {
                return refused(url, "the host looks like an IPv4 address and is none");
            }
        } else if (!is_host_name(origin.host)) {
            return refused(url, "the host must be a name, an IPv4 address, or an IPv6 address in brackets");
        }
    }
    if (!port.empty()) {
        unsigned number = 0;
        const auto digits = port.substr(1);
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (port.front() != ':' || !is_digits(digits) || problem != std::errc{} || end != digits.data() + digits.size() ||
            number < 1 || number > 65535) {
            return refused(url, "the port must be a number from 1 to 65535");
        }
        origin.port = static_cast<std::uint16_t>(number);
    }
    return origin;
}

}  // namespace

std::string_view partition_of(std::string_view region)
{
    return partition_for(region).name;
}

result<http_origin> parse_origin(std::string_view url, bool plain_allowed)
{
    // Before anything that would repeat the URL: what stands in front of an @ is a secret.
    if (url.find('@') != std::string_view::npos) {
        return refused("...@...", "a user name or password has no place in it");
    }
    const auto has_scheme = [&](std::string_view scheme) {
        return url.size() >= scheme.size() && equal_ignoring_case(url.substr(0, scheme.size()), scheme);
    };
    const bool tls = has_scheme("https://");
    if (!tls && !(plain_allowed && has_scheme("http://"))) {
        return refused(url, plain_allowed ? "it must start with http:// or https://" : "it must start with https://");
    }
    auto authority = url.substr(tls ? 8 : 7);
    if (authority.ends_with('/')) {
        authority.remove_suffix(1);
    }
    if (authority.find_first_of("/?#") != std::string_view::npos) {
        return refused(url, "only scheme, host and port are allowed, no path, query or fragment");
    }
    return parse_authority(url, authority, tls);
}

result<http_origin> resolve_endpoint(const endpoint_choice& choice)
{
    if (choice.override_url) {
        auto origin = parse_origin(*choice.override_url, false);
        if (origin && (choice.fips || choice.dual_stack)) {
            return error{error_class::unsupported,
                         fmt::format("the endpoint {} is set together with {}: a custom endpoint is used as it stands, so "
                                     "remove one of the two",
                                     to_string(*origin), choice.fips ? "FIPS" : "dual-stack")};
        }
        return origin;
    }
    if (!is_host_label(choice.region)) {
        return error{error_class::malformed,
                     fmt::format("\"{}\" is no region: expected something like \"eu-west-1\"", clean_text(choice.region, 80))};
    }
    const auto& where = partition_for(choice.region);
    const auto suffix = choice.dual_stack ? where.dual_stack_suffix : where.dns_suffix;
    // In GovCloud the plain names are the FIPS endpoints.
    const bool fips_name = choice.fips && (choice.dual_stack || where.name != "aws-us-gov");
    return http_origin{true, fmt::format("{}{}.{}.{}", choice.service, fips_name ? "-fips" : "", choice.region, suffix), 443};
}

}  // namespace vipd::aws
