#pragma once

// VRRP messages as bytes: RFC 9568 section 5 for version 3, RFC 3768 section 5 with RFC 2338's authentication for version 2.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-------+-------+---------------+---------------+---------------+
//  |Version| Type  | Virtual Rtr ID|   Priority    | Address Count |
//  +-------+-------+---------------+---------------+---------------+
//  |Reserve| Max Advertise Interval|           Checksum            |  v2: Auth Type, Adver Int (8 bit each), Checksum
//  +-------+-----------------------+-------------------------------+
//  |  the addresses, 4 or 16 bytes each                            |  v2: then 8 bytes of Authentication Data
//  +---------------------------------------------------------------+
//
// Decoding has two steps, because the first three fields say whose advert it is and the rest can only be read by whoever knows
// which version that router speaks. decode_advert() returns only legal values: what a struct `advert` holds has passed every
// check that needs no configuration.

#include "agent/vrrp/types.hpp"
#include "common/bytes.hpp"
#include "common/checksum.hpp"
#include "common/ip.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace vipd::vrrp {

// VRRPv2's Authentication Data: up to 8 bytes, zero-filled (RFC 2338 5.3.10). Type 0 has none.
struct simple_password {
    std::array<std::uint8_t, 8> bytes{};
    friend bool operator==(const simple_password&, const simple_password&) = default;
};

// What goes into an advert, whichever version carries it. `interval` is sent as whole centiseconds (v3, 1..4095) or whole
// seconds (v2, 1..255); the configuration has made sure that it is one of those.
struct advert_content {
    version protocol_version = version::v3;
    std::uint8_t vrid = 1;  // 1..255
    std::uint8_t priority = 100;
    duration interval{};
    std::span<const ip_address> addresses;      // 1..255 of one family; v2: IPv4 only
    const simple_password* password = nullptr;  // v2 only; null is Auth Type 0
};

// The message as it goes onto the wire, IP header excluded. For v3 over IPv4 `source` and `destination` enter the checksum when
// `form` is rfc5798. For IPv6 the checksum covers the pseudo-header (RFC 8200 8.1) as the kernel would compute it.
void encode_advert(const advert_content& content, const ip_address& source, const ip_address& destination, checksum_form form,
                   byte_buffer& out);

// The message for one router and one peer, ready to be sent again and again. It is written once, when it is made; after that
// only a priority or an interval that differs from the last ones changes bytes, and then the checksum is computed anew over the
// whole of this peer's message. Nothing allocates but the constructor.
class advert_template {
public:
    advert_template(const advert_content& content, const ip_address& source, const ip_address& destination, checksum_form form);

    [[nodiscard]] const ip_address& destination() const { return destination_; }

    // Valid until the next call. `interval` as in advert_content.
    byte_view message(std::uint8_t priority, duration interval);
    // The same with a trailer behind it, which IPv6's checksum covers.
    byte_view message(std::uint8_t priority, duration interval, byte_view trailer);

private:
    byte_buffer bytes_;
    byte_buffer with_trailer_;
    ip_address source_;
    ip_address destination_;
    version version_;
    std::uint8_t priority_;
    duration interval_;
    internet_checksum pseudo_header_;
};

// --- decoding ---

inline constexpr std::size_t advert_size_min = 8;

struct advert_header {
    std::uint8_t protocol_version = 0;  // as found: 0..15
    std::uint8_t type = 0;              // as found: 0..15
    std::uint8_t vrid = 0;
};
inline constexpr std::uint8_t advert_type = 1;

// Nothing when the message is shorter than any VRRP message.
std::optional<advert_header> peek_advert(byte_view message);

// The addresses of an advert where they lie, without a copy.
class address_list_view {
public:
    address_list_view() = default;
    // `bytes` is a whole number of addresses of `family`.
    address_list_view(byte_view bytes, ip_family family) : bytes_(bytes), address_size_(family == ip_family::v4 ? 4 : 16) {}

    [[nodiscard]] std::size_t size() const { return bytes_.size() / address_size_; }
    [[nodiscard]] ip_address operator[](std::size_t i) const
    {
        return ip_address::from_bytes(bytes_.subspan(i * address_size_, address_size_));
    }
    [[nodiscard]] byte_view bytes() const { return bytes_; }

private:
    byte_view bytes_;
    std::size_t address_size_ = 4;
};

// RFC 2338 5.3.6. Type 2, the IP Authentication Header, is not spoken here.
enum class auth_type : std::uint8_t { none = 0, simple_password = 1 };

struct advert {
    std::uint8_t vrid = 0;
    std::uint8_t priority = 0;
    // v3: 10 ms to 40.95 s. v2: 0 to 255 s, since RFC 3768 has no range but wants it to be the receiver's own.
    duration interval{};
    address_list_view addresses;  // 1..255, in the message
    // v3 over IPv4: the form that was found right. Where the pseudo-header sums to zero both are, and rfc9568 is named.
    checksum_form form = checksum_form::rfc9568;
    auth_type authentication = auth_type::none;  // v2
    simple_password password;                    // v2 with a password: as received
};

// Why a message is no legal advert, in the order in which it is looked for.
enum class advert_fault : std::uint8_t {
    length,         // not exactly as long as its address count asks for, or VRRPv2 over IPv6, which does not exist
    checksum,       // wrong; v3 over IPv4: in both forms
    address_count,  // 0 (RFC 9568 5.2.5 and erratum 8299)
    interval_zero,  // v3 (erratum 8301)
    auth_type,      // v2: neither none nor a simple password
};

// The message of a signed advert, and its trailer. The trailer is empty where the length does not tell of one.
struct message_and_trailer {
    byte_view message;
    byte_view trailer;
};
message_and_trailer split_trailer(byte_view payload, version protocol_version, ip_family family);

// `message` is what follows the IP header, to its end or its trailer, of a datagram between two addresses of one family; its
// version, type and VRID are the caller's to judge. The result refers to it.
std::variant<advert, advert_fault> decode_advert(byte_view message, version protocol_version, const ip_address& source,
                                                 const ip_address& destination, byte_view trailer = {});

}  // namespace vipd::vrrp
