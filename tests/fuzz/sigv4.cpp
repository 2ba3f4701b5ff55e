// What the agent signs, an independent reading of the algorithm accepts, and what was changed after that it refuses.
//
// The other side is tests/cloud/sigv4_verifier, which shares no code of the algorithm with agent/aws/sigv4. The input is drawn
// into a request that HTTP can carry (a percent-encoded target, headers without control characters) with credentials and a
// date; its last bytes choose one change of a single bit, byte or field. Both verifiers, the agent's own and the other, have to
// notice every such change, and to overlook what a proxy may do: order, letter case and blanks of headers.

#include "agent/aws/sigv4.hpp"

#include "common/ensure.hpp"
#include "tests/cloud/sigv4_verifier.hpp"
#include "tests/fuzz/input_reader.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace vipd;
using namespace vipd::aws;

constexpr std::string_view token_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~";
constexpr std::string_view word_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

std::string from_alphabet(std::string text, std::string_view alphabet)
{
    for (auto& c : text) {
        if (alphabet.find(c) == std::string_view::npos) {
            c = alphabet[static_cast<std::uint8_t>(c) % alphabet.size()];
        }
    }
    return text;
}

// Without control characters, `also` and blanks at the ends: HTTP takes those off.
std::string visible(std::string text, std::string_view also = {})
{
    for (auto& c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x20 || byte == 0x7f || also.find(c) != std::string_view::npos) {
            c = static_cast<char>('a' + byte % 26);
        }
    }
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? std::string{} : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (unreserved.find(c) != std::string_view::npos) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(digits[static_cast<std::uint8_t>(c) >> 4U]);
            out.push_back(digits[static_cast<std::uint8_t>(c) & 15U]);
        }
    }
    return out;
}

struct drawn {
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
    http_request request;  // without its target
    std::string region, service;
    credentials keys;
    wall_time now;
};

drawn draw(test::input_reader& in)
{
    drawn d;
    d.request.method = from_alphabet("M" + in.text_counted(), word_characters);
    d.path = "/" + visible(in.text_counted(), " ?#");
    for (auto count = in.byte() % 5U; count > 0; --count) {
        auto name = "n" + in.text_counted();
        d.query.emplace_back(std::move(name), in.text_counted());
    }
    d.request.headers = {{"Host", from_alphabet("h" + in.text_counted(), word_characters)}};
    for (auto count = in.byte() % 6U; count > 0; --count) {
        // Authorization and those of the date and the token are the signer's, which removes what was there before.
        constexpr std::array<std::string_view, 6> known = {"Content-Type",         "content-type", "User-Agent",
                                                           "X-Amz-Security-Token", "Expect",       "X-Amz-Target"};
        const auto choice = in.byte();
        auto name = choice % 8U < known.size() ? std::string{known[choice % 8U]}
                                               : from_alphabet("x" + in.text_counted(), token_characters);
        d.request.headers.push_back({std::move(name), visible(in.text_counted())});
    }
    d.region = from_alphabet("r" + in.text_counted(), word_characters);
    d.service = from_alphabet("s" + in.text_counted(), word_characters);
    d.keys.access_key_id = from_alphabet("A" + in.text_counted(), word_characters);
    d.keys.secret_access_key = "S" + in.text_counted();
    d.keys.session_token = visible(in.text_counted());
    std::uint64_t seconds = in.two_bytes();
    seconds = (seconds << 16U) | in.two_bytes();
    d.now = wall_time{std::chrono::seconds{seconds * 2}};  // to the year 2242
    d.request.body = in.text_counted();
    return d;
}

std::string target_of(const drawn& d)
{
    auto target = d.path;
    char separator = '?';
    for (const auto& [name, value] : d.query) {
        target += separator + percent_encoded(name) + "=" + percent_encoded(value);
        separator = '&';
    }
    return target;
}

cloud::signature_verdict judged(const drawn& d, const http_request& request)
{
    cloud::key_ring keys;
    keys[d.keys.access_key_id] = {d.keys.access_key_id, d.keys.secret_access_key, d.keys.session_token, {}, {}, {}, {}, {}};
    return cloud::verify_signature(request, {d.region, d.service}, keys, d.now).verdict;
}

bool is_accepted_by_ours(const drawn& d, const http_request& request)
{
    const auto claim = parse_authorization(find_header(request.headers, "authorization").value_or(""));
    if (!claim || claim->access_key_id != d.keys.access_key_id || claim->region != d.region || claim->service != d.service) {
        return false;
    }
    const auto expected = expected_signature(request, *claim, d.keys.secret_access_key);
    return expected && *expected == claim->signature;
}

std::size_t place_of(const http_request& request, std::string_view name)
{
    const auto found =
        std::ranges::find_if(request.headers, [&](const http_header& h) { return equal_ignoring_case(h.name, name); });
    return static_cast<std::size_t>(found - request.headers.begin());
}

void flip(std::string& text, test::input_reader& in)
{
    auto& c = text[in.two_bytes() % text.size()];
    c = static_cast<char>(static_cast<std::uint8_t>(c) ^ (1U << (in.byte() % 8U)));
}

// The value of a header that is signed, or one more of its name.
void change_header(http_request& request, test::input_reader& in)
{
    const auto claim = parse_authorization(*find_header(request.headers, "authorization"));
    std::vector<std::size_t> is_signed;
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
        if (std::ranges::any_of(claim->signed_headers,
                                [&](const auto& name) { return equal_ignoring_case(name, request.headers[i].name); })) {
            is_signed.push_back(i);
        }
    }
    auto& header = request.headers[is_signed[in.byte() % is_signed.size()]];
    if (in.flag()) {
        header.value += 'x';
    } else {
        auto name = header.name;
        request.headers.push_back({std::move(name), "x"});
    }
}

// One change that no signature may survive. `d` is what the other side knows, `request` what it got.
void change(drawn& d, http_request& request, test::input_reader& in)
{
    switch (in.byte() % 14U) {
        case 0:
            return request.body.empty() ? request.body.push_back('x') : flip(request.body, in);
        case 1:
            return request.body.push_back(static_cast<char>(in.byte()));
        case 2:
            return flip(request.method, in);
        case 3:
            d.path += "/x";
            request.target = target_of(d);
            return;
        case 4:
            if (d.query.empty()) {
                d.query.emplace_back("x", "");
            } else {
                auto& [name, value] = d.query[in.byte() % d.query.size()];
                flip(in.flag() && !value.empty() ? value : name, in);
            }
            request.target = target_of(d);
            return;
        case 5:
            d.query.emplace_back(in.text_counted(), "");
            request.target = target_of(d);
            return;
        case 6:
            return change_header(request, in);
        case 7:
            // A header that would be obeyed, and is not signed.
            return request.headers.push_back({"x-amz-" + from_alphabet(in.text_counted(), word_characters) + "-x", "x"});
        case 8:
        case 9:
        case 10:
            return flip(request.headers[place_of(request, "authorization")].value, in);
        case 11:
            return flip(request.headers[place_of(request, "x-amz-date")].value, in);
        case 12:
            return flip(d.keys.secret_access_key, in);
        default: {
            auto* const whose = std::array{&d.region, &d.service, &d.keys.access_key_id}[in.byte() % 3U];
            return flip(*whose, in);
        }
    }
}

// What may happen on the way: other letter case of the names, blanks around and more of them within the values, another order
// of the pairs of a query and of headers with different names, and headers that are not signed.
void carry(drawn& d, http_request& request)
{
    for (auto& header : request.headers) {
        const bool is_compared = equal_ignoring_case(header.name, "authorization") ||
                                 equal_ignoring_case(header.name, "x-amz-security-token") ||
                                 equal_ignoring_case(header.name, "x-amz-date");
        for (auto& c : header.name) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        }
        if (!is_compared) {
            const auto blank = header.value.find(' ');
            header.value.insert(blank == std::string::npos ? 0 : blank, "  ");
            header.value += ' ';
        }
    }
    std::ranges::stable_sort(request.headers, std::ranges::greater{}, &http_header::name);
    request.headers.push_back({"Connection", "close"});
    std::ranges::reverse(d.query);
    request.target = target_of(d);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    test::input_reader in{{data, size}};
    auto d = draw(in);
    auto request = d.request;
    request.target = target_of(d);
    if (find_header(request.headers, "x-amz-content-sha256")) {
        return 0;  // would have to be true, and is never sent
    }
    sign(request, {d.region, d.service}, d.keys, d.now);
    ENSURE(judged(d, request) == cloud::signature_verdict::valid);
    ENSURE(is_accepted_by_ours(d, request));

    // A signer that has signed for others before, and what was signed before.
    auto again = request;
    signer keeps_keys;
    keeps_keys.sign(again, {d.service, d.region}, d.keys, d.now);
    auto other_secret = d.keys;
    other_secret.secret_access_key += 'x';
    keeps_keys.sign(again, {d.region, d.service}, other_secret, d.now);
    keeps_keys.sign(again, {d.region, d.service}, d.keys, d.now);
    ENSURE(again.headers == request.headers);

    auto carried_draw = d;
    auto carried = request;
    carry(carried_draw, carried);
    ENSURE(judged(d, carried) == cloud::signature_verdict::valid);
    ENSURE(is_accepted_by_ours(d, carried));

    change(d, request, in);
    ENSURE(judged(d, request) != cloud::signature_verdict::valid);
    ENSURE(!is_accepted_by_ours(d, request));
    return 0;
}
