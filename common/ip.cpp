#include "common/ip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace vipd {

namespace {

// inet_ntop and inet_pton are pure functions of their arguments; they are the C library's and so not written again here.
constexpr int system_family(ip_family family)
{
    return family == ip_family::v4 ? AF_INET : AF_INET6;
}

error malformed_address(std::string_view text)
{
    return {error_class::malformed, "'" + std::string(text.substr(0, 64)) +
                                        "' is not an IP address; allowed are IPv4 in dotted decimal (10.0.1.10) and IPv6 "
                                        "(2001:db8::1) without a zone"};
}

}  // namespace

ip_address ip_address::from_bytes(byte_view bytes)
{
    ENSURE(bytes.size() == 4 || bytes.size() == 16);
    ip_address address;
    address.family_ = bytes.size() == 4 ? ip_family::v4 : ip_family::v6;
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
    return address;
}

result<ip_address> ip_address::parse(std::string_view text)
{
    ip_address address;
    address.family_ = text.find(':') == std::string_view::npos ? ip_family::v4 : ip_family::v6;
    const std::string terminated(text.substr(0, INET6_ADDRSTRLEN + 1));
    if (terminated.size() != text.size() || terminated.find('\0') != std::string::npos ||
        ::inet_pton(system_family(address.family_), terminated.c_str(), address.bytes_.data()) != 1) {
        return malformed_address(text);
    }
    return address;
}

bool ip_address::is_unspecified() const
{
    return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

bool ip_address::is_loopback() const
{
    if (is_v4()) {
        return bytes_[0] == 127;
    }
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && bytes_[15] == 1;
}

bool ip_address::is_multicast() const
{
    return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0U : bytes_[0] == 0xffU;
}

bool ip_address::is_link_local() const
{
    return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xfeU && (bytes_[1] & 0xc0U) == 0x80U;
}

std::string ip_address::to_string() const
{
    if (is_v4()) {
        // inet_ntop() goes through sprintf(), and every answer of EC2 and every snapshot has addresses in it.
        return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    ENSURE(::inet_ntop(system_family(family_), bytes_.data(), text.data(), static_cast<socklen_t>(text.size())) != nullptr);
    return text.data();
}

ip_prefix::ip_prefix(const ip_address& address, unsigned length) : address_(address), length_(length)
{
    ENSURE(length <= address.bytes().size() * 8);
}

ip_prefix ip_prefix::host(const ip_address& address)
{
    return {address, static_cast<unsigned>(address.bytes().size() * 8)};
}

result<ip_prefix> ip_prefix::parse(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = ip_address::parse(text.substr(0, slash));
    if (!address) {
        return address.error();
    }
    if (slash == std::string_view::npos) {
        return host(*address);
    }
    const auto digits = text.substr(slash + 1);
    const unsigned length_max = address->is_v4() ? 32 : 128;
    unsigned length = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const bool has_leading_zero = digits.size() > 1 && digits.front() == '0';
    if (failure != std::errc{} || end != digits.data() + digits.size() || has_leading_zero || length > length_max) {
        return error{error_class::malformed, "'" + std::string(text.substr(0, 64)) + "' has no prefix length between 0 and " +
                                                 std::to_string(length_max) + " behind the '/'"};
    }
    return ip_prefix{*address, length};
}

bool ip_prefix::is_host() const
{
    return length_ == address_.bytes().size() * 8;
}

ip_prefix ip_prefix::canonical() const
{
    std::array<std::uint8_t, 16> bytes{};
    const auto from = address_.bytes();
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t bits_before = i * 8;
        const unsigned kept = length_ <= bits_before ? 0U : std::min(8U, length_ - static_cast<unsigned>(bits_before));
        bytes[i] = static_cast<std::uint8_t>(from[i] & (0xff00U >> kept));
    }
    return {ip_address::from_bytes({bytes.data(), from.size()}), length_};
}

bool ip_prefix::contains(const ip_address& address) const
{
    return address.family() == family() && ip_prefix{address, length_}.canonical() == canonical();
}

std::string ip_prefix::to_string() const
{
    return address_.to_string() + "/" + std::to_string(length_);
}

}  // namespace vipd
