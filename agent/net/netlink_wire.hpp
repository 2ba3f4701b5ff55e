#pragma once

// How rtnetlink messages are laid out (netlink(7)): a header, a struct, and attributes, each aligned to 4 bytes and in the
// machine's byte order. For netlink.cpp and netlink_policy.cpp alone.

#include "agent/net/netlink.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace vipd::net {

constexpr std::size_t align4(std::size_t size)
{
    return (size + 3U) & ~std::size_t{3};
}

// Netlink is in the machine's byte order and aligned to 4, while our buffers promise nothing: structs are copied.
template <class T>
std::optional<T> load(byte_view bytes)
{
    if (bytes.size() < sizeof(T)) {
        return std::nullopt;
    }
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

template <class T>
void append_struct(byte_buffer& out, const T& value)
{
    const std::size_t offset = out.size();
    out.resize(offset + align4(sizeof(T)));
    std::memcpy(out.data() + offset, &value, sizeof(T));
}

inline void append_attribute(byte_buffer& out, std::uint16_t type, byte_view content)
{
    append_struct(out, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + content.size()), type});
    append(out, content);
    out.resize(align4(out.size()));
}

// With the zero byte at its end.
inline void append_text_attribute(byte_buffer& out, std::uint16_t type, const std::string& text)
{
    append_attribute(out, type, {reinterpret_cast<const std::uint8_t*>(text.c_str()), text.size() + 1});
}

template <class T>
void append_attribute_of(byte_buffer& out, std::uint16_t type, const T& value)
{
    append_attribute(out, type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
}

inline byte_buffer begin_message(std::uint16_t type, unsigned flags, std::uint32_t sequence)
{
    byte_buffer out;
    append_struct(out, nlmsghdr{0, type, static_cast<std::uint16_t>(flags), sequence, 0});
    return out;
}

inline byte_buffer finish_message(byte_buffer out)
{
    const auto size = static_cast<std::uint32_t>(out.size());
    std::memcpy(out.data(), &size, sizeof(size));
    return out;
}

constexpr std::uint8_t system_scope(route_scope scope)
{
    switch (scope) {
        case route_scope::global:
            return RT_SCOPE_UNIVERSE;
        case route_scope::link:
            return RT_SCOPE_LINK;
        case route_scope::host:
            return RT_SCOPE_HOST;
    }
    return RT_SCOPE_UNIVERSE;
}

// AF_INET and AF_INET6, as every Linux has them: their header would bring the calls of sockets along.
constexpr std::uint8_t system_ipv4 = 2;
constexpr std::uint8_t system_ipv6 = 10;

constexpr std::uint8_t system_family(ip_family family)
{
    return family == ip_family::v4 ? system_ipv4 : system_ipv6;
}

// --- reading ---

// Calls f(type, content) for every whole attribute; false when the rest does not parse.
template <class F>
bool for_each_attribute(byte_view bytes, F&& f)
{
    while (!bytes.empty()) {
        const auto header = load<nlattr>(bytes);
        if (!header || header->nla_len < sizeof(nlattr) || header->nla_len > bytes.size()) {
            return false;
        }
        f(static_cast<std::uint16_t>(header->nla_type & NLA_TYPE_MASK),
          bytes.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr)));
        bytes = bytes.subspan(std::min(bytes.size(), align4(header->nla_len)));
    }
    return true;
}

// Up to the first zero byte, bounded, with what a terminal could choke on replaced.
inline std::string printable_text(byte_view content, std::size_t size_max)
{
    std::string text;
    for (const auto byte : content.first(std::min(content.size(), size_max))) {
        if (byte == 0) {
            break;
        }
        text.push_back(byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?');
    }
    return text;
}

// A message that is well formed and none of our business leaves `out` empty.
struct decoded_body {
    std::optional<netlink_message> message;
    bool malformed = false;
};

constexpr decoded_body not_ours()
{
    return {};
}
inline decoded_body malformed()
{
    return {std::nullopt, true};
}

// --- policy routing (netlink_policy.cpp) ---

byte_buffer encode_rule(const policy_rule& value, bool remove, std::uint32_t sequence);
enum class route_verb : std::uint8_t { add, replace, remove };
byte_buffer encode_route(const route& value, route_verb verb, std::uint32_t sequence);
decoded_body decode_rule(byte_view body, bool gone);
decoded_body decode_route(const nlmsghdr& header, byte_view body);

}  // namespace vipd::net
