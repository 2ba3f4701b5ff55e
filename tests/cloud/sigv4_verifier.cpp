#include "tests/cloud/sigv4_verifier.hpp"

#include "common/bytes.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace vipd::cloud {

namespace {

using digest = signing_key::digest;

// Fetched once: EVP_sha256() would have OpenSSL look for an implementation at each call.
const EVP_MD* sha256_algorithm()
{
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return algorithm;
}

byte_view as_bytes(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

digest sha256(std::string_view text)
{
    digest out{};
    ENSURE(EVP_Digest(text.data(), text.size(), out.data(), nullptr, sha256_algorithm(), nullptr) == 1);
    return out;
}

digest keyed(byte_view key, std::string_view text)
{
    digest out{};
    ENSURE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_bytes(text).data(), text.size(), out.data(),
                nullptr) != nullptr);
    return out;
}

// What the Authorization header claims, in its own text.
struct claim {
    std::string_view key_id, day, region, service, terminator, signature;
    std::vector<std::string_view> signed_headers;
};

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

// "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=hex"
std::optional<claim> parse_authorization(std::string_view header)
{
    constexpr std::string_view algorithm = "AWS4-HMAC-SHA256 ";
    if (!header.starts_with(algorithm)) {
        return std::nullopt;
    }
    std::string_view credential;
    std::string_view signed_headers;
    std::string_view signature;
    for (const auto part : split(header.substr(algorithm.size()), ',')) {
        const auto text = trimmed(part);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        const auto name = text.substr(0, equals);
        auto& value = name == "Credential" ? credential : (name == "SignedHeaders" ? signed_headers : signature);
        if (name == "Credential" || name == "SignedHeaders" || name == "Signature") {
            value = text.substr(equals + 1);
        }
    }
    const auto scope = split(credential, '/');
    if (scope.size() != 5 || signed_headers.empty() || signature.size() != 64) {
        return std::nullopt;
    }
    return claim{scope[0], scope[1], scope[2], scope[3], scope[4], signature, split(signed_headers, ';')};
}

// "20260101T000000Z", of a year whose nanoseconds fit into 64 bits.
std::optional<wall_time> parse_amz_date(std::string_view text)
{
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') {
        return std::nullopt;
    }
    const auto number = [&](std::size_t offset, std::size_t digits) {
        int value = -1;
        const auto part = text.substr(offset, digits);
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), value);
        return failure == std::errc{} && end == part.data() + part.size() ? value : -1;
    };
    const int year = number(0, 4);
    const std::chrono::year_month_day day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(number(4, 2))},
                                          std::chrono::day{static_cast<unsigned>(number(6, 2))}};
    const int hours = number(9, 2);
    const int minutes = number(11, 2);
    const int seconds = number(13, 2);
    if (!day.ok() || year < 1970 || year > 2261 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 ||
        seconds > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days{day} + std::chrono::hours{hours} + std::chrono::minutes{minutes} +
           std::chrono::seconds{seconds};
}

bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

std::string encoded_again(std::string_view text, bool keep_slash)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            out.push_back('%');
            out.push_back(digits[byte >> 4U]);
            out.push_back(digits[byte & 15U]);
        }
    }
    return out;
}

// Dot segments and repeated slashes removed, then the path as sent encoded once more (every service but S3 does so).
std::string canonical_path(std::string_view path)
{
    std::vector<std::string_view> kept;
    for (const auto segment : split(path, '/')) {
        if (segment == "..") {
            if (!kept.empty()) {
                kept.pop_back();
            }
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string out;
    for (const auto segment : kept) {
        out += "/" + encoded_again(segment, false);
    }
    return out.empty() || (path.ends_with('/') && !kept.empty()) ? out + "/" : out;
}

// The parameters are encoded as sent; a proper client has percent-encoded them already.
std::string canonical_query(std::string_view query)
{
    if (query.empty()) {
        return {};
    }
    std::vector<std::pair<std::string_view, std::string_view>> parameters;
    for (const auto part : split(query, '&')) {
        const auto equals = part.find('=');
        parameters.emplace_back(part.substr(0, equals),
                                equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
    }
    std::ranges::sort(parameters);
    std::string out;
    for (const auto& [name, value] : parameters) {
        fmt::format_to(std::back_inserter(out), "{}{}={}", out.empty() ? "" : "&", name, value);
    }
    return out;
}

// Values of one name joined by commas; outer blanks removed, inner runs of blanks made one.
void append_canonical_value(std::string& out, const std::vector<aws::http_header>& headers, std::string_view name)
{
    bool first = true;
    for (const auto& header : headers) {
        if (!aws::equal_ignoring_case(header.name, name)) {
            continue;
        }
        if (!first) {
            out.push_back(',');
        }
        first = false;
        bool blank = false;
        for (const char c : trimmed(header.value)) {
            if (c != ' ' || !blank) {
                out.push_back(c);
            }
            blank = c == ' ';
        }
    }
}

std::string canonical_form(const aws::http_request& request, const claim& claimed)
{
    const std::string_view target = request.target;
    const auto question = target.find('?');
    std::string out;
    out.reserve(1024);
    out.append(request.method).append("\n").append(canonical_path(target.substr(0, question))).append("\n");
    out.append(canonical_query(question == std::string_view::npos ? std::string_view{} : target.substr(question + 1)));
    out.push_back('\n');
    for (const auto name : claimed.signed_headers) {
        out.append(name).push_back(':');
        append_canonical_value(out, request.headers, name);
        out.push_back('\n');
    }
    bool first = true;
    for (const auto name : claimed.signed_headers) {
        out.append(first ? "\n" : ";").append(name);
        first = false;
    }
    return out.append("\n").append(to_hex(sha256(request.body)));
}

// Host and every x-amz-* header that is there have to be under the signature; otherwise a proxy could change their meaning.
bool signs_enough(const aws::http_request& request, const claim& claimed)
{
    const auto is_signed = [&](std::string_view name) {
        return std::ranges::any_of(claimed.signed_headers,
                                   [&](std::string_view s) { return s.size() == name.size() && s == lower(name); });
    };
    constexpr std::string_view prefix = "x-amz-";
    return is_signed("host") && std::ranges::is_sorted(claimed.signed_headers) &&
           std::ranges::all_of(request.headers, [&](const aws::http_header& header) {
               const bool is_amz = aws::equal_ignoring_case(std::string_view{header.name}.substr(0, prefix.size()), prefix);
               return !is_amz || is_signed(header.name);
           });
}

std::string expected_signature(const claim& claimed, const access_key& key, std::string_view amz_date,
                               const std::string& canonical, signing_keys& derived)
{
    const auto& c = claimed;
    const auto& signed_with = derived.derive(key.secret, std::string(c.day), std::string(c.region), std::string(c.service));
    return to_hex(signed_with.sign(fmt::format("AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}", amz_date, c.day, c.region,
                                               c.service, to_hex(sha256(canonical)))));
}

// X-Amz-Content-SHA256 is optional for EC2; where it is, it has to tell the truth.
bool body_hash_is_true(const aws::http_request& request)
{
    const auto stated = aws::find_header(request.headers, "x-amz-content-sha256");
    return !stated || *stated == to_hex(sha256(request.body));
}

}  // namespace

std::string_view to_string(signature_verdict verdict)
{
    constexpr std::array<std::string_view, 10> names{"valid",           "missing",     "malformed",  "unknown_key",
                                                     "wrong_token",     "expired_key", "wrong_date", "wrong_scope",
                                                     "unsigned_header", "mismatch"};
    return names.at(static_cast<std::size_t>(verdict));
}

signing_key::signing_key(const digest& key)
{
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    std::array<char, 7> hash{"SHA256"};
    const std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
                                   OSSL_PARAM_construct_end()};
    context_.reset(EVP_MAC_CTX_new(algorithm));
    ENSURE(EVP_MAC_init(context_.get(), key.data(), key.size(), parameters.data()) == 1);
}

void signing_key::free_context::operator()(evp_mac_ctx_st* context) const
{
    EVP_MAC_CTX_free(context);
}

digest signing_key::sign(std::string_view text) const
{
    digest out{};
    std::size_t length = 0;
    // Without a key: begun again with the one that it has.
    ENSURE(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);
    ENSURE(EVP_MAC_update(context_.get(), as_bytes(text).data(), text.size()) == 1);
    ENSURE(EVP_MAC_final(context_.get(), out.data(), &length, out.size()) == 1 && length == out.size());
    return out;
}

const signing_key& signing_keys::derive(const std::string& secret, const std::string& day, const std::string& region,
                                        const std::string& service)
{
    std::array<std::string, 4> names{secret, day, region, service};
    if (const auto found = derived_.find(names); found != derived_.end()) {
        return found->second;
    }
    if (derived_.size() == size_max) {
        derived_.clear();
    }
    const auto day_key = keyed(as_bytes("AWS4" + secret), day);
    const auto region_key = keyed(day_key, region);
    const auto service_key = keyed(region_key, service);
    return derived_.emplace(std::move(names), signing_key{keyed(service_key, "aws4_request")}).first->second;
}

signature_check verify_signature(const aws::http_request& request, const signature_scope& scope, const key_ring& keys,
                                 wall_time now)
{
    signing_keys derived;
    return verify_signature(request, scope, keys, now, derived);
}

signature_check verify_signature(const aws::http_request& request, const signature_scope& scope, const key_ring& keys,
                                 wall_time now, signing_keys& derived)
{
    signature_check check;
    const auto conclude = [&](signature_verdict verdict) {
        check.verdict = verdict;
        return check;
    };
    const auto header = aws::find_header(request.headers, "authorization");
    if (!header) {
        return conclude(signature_verdict::missing);
    }
    const auto claimed = parse_authorization(*header);
    const auto date_text = aws::find_header(request.headers, "x-amz-date");
    const auto date = parse_amz_date(date_text.value_or(""));
    if (!claimed || !date) {
        return conclude(signature_verdict::malformed);
    }
    check.access_key_id = claimed->key_id;
    const auto key = keys.find(claimed->key_id);
    if (key == keys.end()) {
        return conclude(signature_verdict::unknown_key);
    }
    check.key = &key->second;
    if (aws::find_header(request.headers, "x-amz-security-token").value_or("") != key->second.token) {
        return conclude(signature_verdict::wrong_token);
    }
    if (*date < now - signature_window || *date > now + signature_window) {
        return conclude(signature_verdict::wrong_date);
    }
    if (claimed->region != scope.region || claimed->service != scope.service || claimed->terminator != "aws4_request" ||
        claimed->day != date_text->substr(0, 8)) {
        return conclude(signature_verdict::wrong_scope);
    }
    if (!signs_enough(request, *claimed)) {
        return conclude(signature_verdict::unsigned_header);
    }
    const auto canonical = canonical_form(request, *claimed);
    if (!body_hash_is_true(request) ||
        expected_signature(*claimed, key->second, *date_text, canonical, derived) != claimed->signature) {
        check.detail = canonical;
        return conclude(signature_verdict::mismatch);
    }
    // Last, so that the wrong secret of an expired key is still a mismatch.
    return conclude(key->second.expires && now >= *key->second.expires ? signature_verdict::expired_key
                                                                       : signature_verdict::valid);
}

std::optional<api_error> signature_error(const signature_check& check, const signature_scope& scope)
{
    switch (check.verdict) {
        case signature_verdict::valid:
            return std::nullopt;
        case signature_verdict::missing:
            return api_error{"MissingAuthenticationToken", "Request is missing Authentication Token"};
        case signature_verdict::malformed:
            return api_error{"IncompleteSignature", "The request signature does not conform to AWS standards."};
        case signature_verdict::unknown_key:
        case signature_verdict::wrong_token:
            return api_error{"AuthFailure", "AWS was not able to validate the provided access credentials"};
        case signature_verdict::expired_key:
        case signature_verdict::wrong_date:
            return api_error{"RequestExpired", "Request has expired."};
        case signature_verdict::wrong_scope:
            return api_error{"SignatureDoesNotMatch", "Credential should be scoped to region '" + std::string(scope.region) +
                                                          "' and to service '" + std::string(scope.service) + "'."};
        case signature_verdict::unsigned_header:
        case signature_verdict::mismatch:
            return api_error{
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."};
    }
    return std::nullopt;
}

}  // namespace vipd::cloud
