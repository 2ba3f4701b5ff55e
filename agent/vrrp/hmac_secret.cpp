#include "agent/vrrp/hmac_secret.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace vipd::vrrp {

namespace {

bool is_space(std::uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

byte_view trimmed(byte_view text)
{
    while (!text.empty() && is_space(text.front())) {
        text = text.subspan(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text = text.first(text.size() - 1);
    }
    return text;
}

// -1 for what is no hex digit.
int hex_value(std::uint8_t c)
{
    constexpr std::string_view digits = "0123456789abcdef";
    const auto lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : static_cast<char>(c);
    const auto found = digits.find(lower);
    return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

}  // namespace

result<hmac_secret> hmac_secret::from_file(byte_view content)
{
    hmac_secret secret;
    const auto text = trimmed(content);
    const bool is_hex = !text.empty() && std::ranges::all_of(text, [](std::uint8_t c) { return hex_value(c) >= 0; });
    if (is_hex) {
        if (text.size() % 2 != 0 || text.size() < 2 * size_min || text.size() > 2 * size_max) {
            return error{error_class::out_of_range, "holds " + std::to_string(text.size()) +
                                                        " hex digits; allowed are 64 to 128, an even number, or 32 to 64 bytes "
                                                        "that are not hex text; make one with `openssl rand -hex 32`"};
        }
        secret.size_ = text.size() / 2;
        for (std::size_t i = 0; i < secret.size_; ++i) {
            secret.bytes_.at(i) = static_cast<std::uint8_t>(hex_value(text[2 * i]) * 16 + hex_value(text[2 * i + 1]));
        }
        return secret;
    }
    if (content.size() < size_min || content.size() > size_max) {
        return error{error_class::out_of_range,
                     "is no key: allowed are 32 to 64 bytes, or their 64 to 128 hex digits; make one with `openssl rand -hex "
                     "32`"};
    }
    secret.size_ = content.size();
    std::ranges::copy(content, secret.bytes_.begin());
    return secret;
}

hmac_secret::~hmac_secret()
{
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

}  // namespace vipd::vrrp
