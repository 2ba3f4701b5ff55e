#include "agent/vrrp/advert.hpp"

#include "agent/vrrp/authentication.hpp"
#include "common/ensure.hpp"

#include <algorithm>
#include <chrono>
#include <ratio>

namespace vipd::vrrp {

namespace {

using centiseconds = std::chrono::duration<std::int64_t, std::centi>;

constexpr std::size_t offset_priority = 2;
constexpr std::size_t offset_interval = 4;
constexpr std::size_t authentication_size = 8;
constexpr std::uint16_t interval_mask = 0x0fff;  // the four bits before it are reserved and ignored on receipt
constexpr std::int64_t interval_centiseconds_max = 4095;
constexpr std::int64_t interval_seconds_max = 255;

std::uint8_t to_byte(std::size_t value)
{
    return static_cast<std::uint8_t>(value);
}

// The addresses and the protocol, which RFC 5798 5.2.8 (for IPv4) and RFC 8200 8.1 (for IPv6) let a checksum begin with. The
// destination is the real one: the peer's, never the multicast group.
internet_checksum pseudo_header(const ip_address& source, const ip_address& destination, std::size_t message_size)
{
    internet_checksum sum;
    sum.add(source.bytes());
    sum.add(destination.bytes());
    sum.add_u16(ip_protocol);
    sum.add_u32(static_cast<std::uint32_t>(message_size));
    return sum;
}

// What the checksum of a message that is sent begins with.
internet_checksum checksum_start(version protocol_version, const ip_address& source, const ip_address& destination,
                                 checksum_form form, std::size_t message_size)
{
    const bool has_pseudo_header = protocol_version == version::v3 && (source.is_v6() || form == checksum_form::rfc5798);
    return has_pseudo_header ? pseudo_header(source, destination, message_size) : internet_checksum{};
}

void write_interval(std::span<std::uint8_t> message, version protocol_version, duration interval)
{
    if (protocol_version == version::v3) {
        const auto count = std::chrono::duration_cast<centiseconds>(interval);
        ENSURE(count == interval && count.count() >= 1 && count.count() <= interval_centiseconds_max);
        store_big_u16(message, offset_interval, static_cast<std::uint16_t>(count.count()));
    } else {
        const auto count = std::chrono::duration_cast<std::chrono::seconds>(interval);
        ENSURE(count == interval && count.count() >= 1 && count.count() <= interval_seconds_max);
        message[offset_interval + 1] = static_cast<std::uint8_t>(count.count());
    }
}

void write_checksum(std::span<std::uint8_t> message, internet_checksum sum)
{
    store_big_u16(message, offset_checksum, 0);
    sum.add(message);
    store_big_u16(message, offset_checksum, sum.finish());
}

}  // namespace

void encode_advert(const advert_content& content, const ip_address& source, const ip_address& destination, checksum_form form,
                   byte_buffer& out)
{
    const bool is_v2 = content.protocol_version == version::v2;
    ENSURE(content.vrid != 0);
    ENSURE(!content.addresses.empty() && content.addresses.size() <= address_count_max);
    ENSURE(source.family() == destination.family());
    ENSURE(!is_v2 || source.is_v4());
    ENSURE(is_v2 || content.password == nullptr);

    out.assign(header_size, 0);
    out[0] = to_byte((is_v2 ? 0x20U : 0x30U) | advert_type);
    out[1] = content.vrid;
    out[offset_priority] = content.priority;
    out[3] = to_byte(content.addresses.size());
    write_interval(out, content.protocol_version, content.interval);
    for (const auto& address : content.addresses) {
        ENSURE(address.family() == source.family());
        append(out, address.bytes());
    }
    if (is_v2) {
        out[offset_interval] = to_byte(content.password == nullptr ? 0U : 1U);
        append(out, content.password == nullptr ? simple_password{}.bytes : content.password->bytes);
    }
    write_checksum(out, checksum_start(content.protocol_version, source, destination, form, out.size()));
}

advert_template::advert_template(const advert_content& content, const ip_address& source, const ip_address& destination,
                                 checksum_form form) :
    source_(source),
    destination_(destination),
    version_(content.protocol_version),
    priority_(content.priority),
    interval_(content.interval)
{
    encode_advert(content, source, destination, form, bytes_);
    pseudo_header_ = checksum_start(version_, source, destination, form, bytes_.size());
}

byte_view advert_template::message(std::uint8_t priority, duration interval)
{
    if (priority != priority_ || interval != interval_) {
        bytes_[offset_priority] = priority;
        write_interval(bytes_, version_, interval);
        write_checksum(bytes_, pseudo_header_);
        priority_ = priority;
        interval_ = interval;
    }
    return bytes_;
}

byte_view advert_template::message(std::uint8_t priority, duration interval, byte_view trailer)
{
    const auto plain = message(priority, interval);
    with_trailer_.assign(plain.begin(), plain.end());
    append(with_trailer_, trailer);
    if (source_.is_v6()) {
        write_checksum(with_trailer_, pseudo_header(source_, destination_, with_trailer_.size()));
    }
    return with_trailer_;
}

std::optional<advert_header> peek_advert(byte_view message)
{
    if (message.size() < advert_size_min) {
        return std::nullopt;
    }
    return advert_header{to_byte(message[0] >> 4U), to_byte(message[0] & 0x0fU), message[1]};
}

namespace {

// As its address count asks for.
std::size_t message_size(byte_view message, version protocol_version, ip_family family)
{
    const std::size_t addresses_size = message[3] * (family == ip_family::v4 ? std::size_t{4} : std::size_t{16});
    return header_size + addresses_size + (protocol_version == version::v2 ? authentication_size : 0);
}

// Which form of the checksum is right, if one is. The sum of a message as it stands, its checksum included, is 0xffff.
std::optional<checksum_form> right_checksum(byte_view message, byte_view trailer, version protocol_version,
                                            const ip_address& source, const ip_address& destination)
{
    // Over IPv6 alone: the length of a message is even there, so that the sum may go on.
    const auto covered = source.is_v6() ? trailer : byte_view{};
    if (protocol_version == version::v2 || source.is_v4()) {
        internet_checksum sum;
        sum.add(message);
        if (sum.finish() == 0) {
            return checksum_form::rfc9568;
        }
    }
    if (protocol_version == version::v3) {
        auto sum = pseudo_header(source, destination, message.size() + covered.size());
        sum.add(message);
        sum.add(covered);
        if (sum.finish() == 0) {
            return checksum_form::rfc5798;
        }
    }
    return std::nullopt;
}

}  // namespace

message_and_trailer split_trailer(byte_view payload, version protocol_version, ip_family family)
{
    if (payload.size() >= header_size) {
        const auto size = message_size(payload, protocol_version, family);
        if (payload.size() == size + trailer_size) {
            return {payload.first(size), payload.subspan(size)};
        }
    }
    return {payload, {}};
}

std::variant<advert, advert_fault> decode_advert(byte_view message, version protocol_version, const ip_address& source,
                                                 const ip_address& destination, byte_view trailer)
{
    ENSURE(source.family() == destination.family());
    const bool is_v2 = protocol_version == version::v2;
    if (message.size() < header_size || (is_v2 && source.is_v6()) ||
        message.size() != message_size(message, protocol_version, source.family())) {
        return advert_fault::length;
    }
    const std::size_t addresses_size = message[3] * source.bytes().size();
    const auto form = right_checksum(message, trailer, protocol_version, source, destination);
    if (!form) {
        return advert_fault::checksum;
    }
    if (addresses_size == 0) {
        return advert_fault::address_count;
    }

    advert decoded;
    decoded.vrid = message[1];
    decoded.priority = message[offset_priority];
    decoded.addresses = {message.subspan(header_size, addresses_size), source.family()};
    decoded.form = *form;
    if (!is_v2) {
        decoded.interval = centiseconds{load_big_u16(message, offset_interval) & interval_mask};
        if (decoded.interval == duration::zero()) {
            return advert_fault::interval_zero;
        }
        return decoded;
    }
    decoded.interval = std::chrono::seconds{message[offset_interval + 1]};
    switch (message[offset_interval]) {
        case 0:
            break;
        case 1:
            decoded.authentication = auth_type::simple_password;
            std::ranges::copy(message.last(authentication_size), decoded.password.bytes.begin());
            break;
        default:
            return advert_fault::auth_type;
    }
    return decoded;
}

}  // namespace vipd::vrrp
