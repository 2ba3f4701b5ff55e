#include "agent/aws/sigv4.hpp"

#include "agent/aws/text.hpp"
#include "common/bytes.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::aws {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

// Headers that a proxy may add, change or remove on the way, and the signature's own.
constexpr std::array<std::string_view, 12> unsigned_headers = {
    "authorization", "connection",        "expect",  "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
    "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};

byte_view bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 3986 section 5.2.4, and runs of slashes become one; the path of the target is encoded a second time, which is what every
// service but S3 expects.
std::string canonical_path(std::string_view path)
{
    std::vector<std::string_view> segments;
    const bool ends_in_slash = path.ends_with('/');
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto segment = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (segment == "..") {
            if (!segments.empty()) {
                segments.pop_back();
            }
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
    }
    std::string out;
    for (const auto segment : segments) {
        out.append("/").append(percent_encode(segment));
    }
    if (segments.empty() || ends_in_slash) {
        out.push_back('/');
    }
    return out;
}

std::string canonical_query(std::string_view query)
{
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto part = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        const auto equals = part.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
        if (!part.empty()) {
            pairs.emplace_back(percent_encode(percent_decode(part.substr(0, equals))), percent_encode(percent_decode(value)));
        }
    }
    std::ranges::sort(pairs);
    std::string out;
    for (const auto& [key, value] : pairs) {
        out.append(out.empty() ? "" : "&").append(key).append("=").append(value);
    }
    return out;
}

// Without space at the ends, and with one space for every run of it.
void append_canonical_value(std::string& out, std::string_view value)
{
    const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    bool is_begun = false;
    bool after_space = false;
    for (const char c : value) {
        if (is_space(c)) {
            after_space = true;
            continue;
        }
        if (is_begun && after_space) {
            out.push_back(' ');
        }
        is_begun = true;
        after_space = false;
        out.push_back(c);
    }
}

std::vector<std::string> names_to_sign(const http_request& request)
{
    std::vector<std::string> names;
    for (const auto& header : request.headers) {
        auto name = to_lower(header.name);
        if (std::ranges::find(unsigned_headers, name) == unsigned_headers.end()) {
            names.push_back(std::move(name));
        }
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::string join(const std::vector<std::string>& names)
{
    return fmt::format("{}", fmt::join(names, ";"));
}

// `names` sorted, lower-case, without repetition.
std::string canonical_request_with(const http_request& request, const std::vector<std::string>& names)
{
    const std::string_view target = request.target;
    const auto question_mark = std::min(target.find('?'), target.size());
    std::string out;
    out.reserve(1024);
    out.append(request.method).append("\n").append(canonical_path(target.substr(0, question_mark))).append("\n");
    out.append(canonical_query(target.substr(std::min(question_mark + 1, target.size())))).append("\n");
    for (const auto& name : names) {
        out.append(name).push_back(':');
        bool first = true;
        for (const auto& header : request.headers) {
            if (equal_ignoring_case(header.name, name)) {
                out.append(first ? "" : ",");
                append_canonical_value(out, header.value);
                first = false;
            }
        }
        out.push_back('\n');
    }
    out.append("\n").append(join(names)).append("\n").append(sha256_hex(request.body));
    return out;
}

std::string credential_scope(std::string_view date, const signing_scope& scope)
{
    return fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
}

hmac_sha256_key signing_key(std::string_view secret, std::string_view date, const signing_scope& scope)
{
    hmac_sha256_key key{bytes_of("AWS4" + std::string{secret})};
    for (const auto piece : {date, scope.region, scope.service, std::string_view{"aws4_request"}}) {
        key = hmac_sha256_key{key.sign(bytes_of(piece))};
    }
    return key;
}

std::string string_to_sign_at(const std::string& canonical, std::string_view scope_text, std::string_view amz_date)
{
    return fmt::format("{}\n{}\n{}\n{}", algorithm, amz_date, scope_text, sha256_hex(canonical));
}

error malformed(std::string text)
{
    return {error_class::malformed, std::move(text)};
}

}  // namespace

std::string sha256_hex(std::string_view text)
{
    return to_hex(sha256(bytes_of(text)));
}

std::string format_amz_date(wall_time time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

std::string canonical_request(const http_request& request)
{
    return canonical_request_with(request, names_to_sign(request));
}

std::string string_to_sign(const std::string& canonical, const signing_scope& scope, wall_time now)
{
    const auto amz_date = format_amz_date(now);
    return string_to_sign_at(canonical, credential_scope(std::string_view{amz_date}.substr(0, 8), scope), amz_date);
}

void signer::sign(http_request& request, const signing_scope& scope, const credentials& keys, wall_time now)
{
    ENSURE(find_header(request.headers, "host").has_value());
    std::erase_if(request.headers, [](const http_header& h) {
        return equal_ignoring_case(h.name, "x-amz-date") || equal_ignoring_case(h.name, "x-amz-security-token") ||
               equal_ignoring_case(h.name, "authorization");
    });
    const auto amz_date = format_amz_date(now);
    request.headers.push_back({"X-Amz-Date", amz_date});
    if (!keys.session_token.empty()) {
        request.headers.push_back({"X-Amz-Security-Token", keys.session_token});
    }

    const auto date = std::string_view{amz_date}.substr(0, 8);
    auto scope_text = credential_scope(date, scope);
    if (!key_ || scope_text != credential_scope_ || keys.secret_access_key != secret_) {
        key_ = signing_key(keys.secret_access_key, date, scope);
        secret_ = keys.secret_access_key;
        credential_scope_ = std::move(scope_text);
    }
    const auto names = names_to_sign(request);
    const auto to_sign = string_to_sign_at(canonical_request_with(request, names), credential_scope_, amz_date);
    request.headers.push_back(
        {"Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm, keys.access_key_id,
                                      credential_scope_, join(names), to_hex(key_->sign(bytes_of(to_sign))))});
}

void sign(http_request& request, const signing_scope& scope, const credentials& keys, wall_time now)
{
    signer once;
    once.sign(request, scope, keys, now);
}

result<authorization> parse_authorization(std::string_view header)
{
    header = trim(header);
    if (!header.starts_with(algorithm) || !header.substr(algorithm.size()).starts_with(' ')) {
        return malformed("the Authorization header does not start with AWS4-HMAC-SHA256");
    }
    header.remove_prefix(algorithm.size());
    authorization claim;
    while (!header.empty()) {
        const auto comma = header.find(',');
        const auto part = trim(header.substr(0, comma));
        header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
        const auto equals = part.find('=');
        const auto name = part.substr(0, equals);
        auto value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
        if (name == "Credential") {
            std::vector<std::string> pieces;
            for (std::size_t slash = 0; slash != std::string_view::npos && pieces.size() < 6;) {
                slash = value.find('/');
                pieces.emplace_back(value.substr(0, slash));
                value.remove_prefix(slash == std::string_view::npos ? value.size() : slash + 1);
            }
            if (pieces.size() != 5 || pieces[4] != "aws4_request") {
                return malformed("Credential is not ID/DATE/REGION/SERVICE/aws4_request");
            }
            claim.access_key_id = pieces[0];
            claim.date = pieces[1];
            claim.region = pieces[2];
            claim.service = pieces[3];
        } else if (name == "SignedHeaders") {
            for (std::size_t semicolon = 0; semicolon != std::string_view::npos;) {
                semicolon = value.find(';');
                claim.signed_headers.emplace_back(value.substr(0, semicolon));
                value.remove_prefix(semicolon == std::string_view::npos ? value.size() : semicolon + 1);
            }
        } else if (name == "Signature") {
            claim.signature = value;
        } else {
            return malformed("the Authorization header has a part that is not Credential, SignedHeaders or Signature");
        }
    }
    if (claim.access_key_id.empty() || claim.signed_headers.empty() || claim.signature.empty()) {
        return malformed("the Authorization header needs Credential, SignedHeaders and Signature");
    }
    return claim;
}

result<std::string> expected_signature(const http_request& request, const authorization& claim, std::string_view secret)
{
    const auto is_listed = [&](const std::string& name) {
        return std::ranges::find(claim.signed_headers, name) != claim.signed_headers.end();
    };
    for (const auto& header : request.headers) {
        const auto name = to_lower(header.name);
        if ((name == "host" || name.starts_with("x-amz-")) && !is_listed(name)) {
            return malformed("the header " + name + " is not among SignedHeaders");
        }
    }
    for (const auto& name : claim.signed_headers) {
        if (!find_header(request.headers, name)) {
            return malformed("SignedHeaders names " + name + ", which the request does not have");
        }
    }
    if (!is_listed("host")) {
        return malformed("SignedHeaders lacks host");
    }
    const auto amz_date = find_header(request.headers, "x-amz-date");
    if (!amz_date || amz_date->substr(0, 8) != claim.date) {
        return malformed("X-Amz-Date is missing, or its day is not the one in Credential");
    }
    const signing_scope scope{claim.region, claim.service};
    const auto to_sign = string_to_sign_at(canonical_request_with(request, claim.signed_headers),
                                           credential_scope(claim.date, scope), trim(*amz_date));
    return to_hex(signing_key(secret, claim.date, scope).sign(bytes_of(to_sign)));
}

}  // namespace vipd::aws
