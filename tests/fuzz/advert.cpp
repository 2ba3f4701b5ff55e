// Bytes of any kind into the parser of adverts: one byte that chooses source and destination, and whether the checksum over the
// message is made right, and a message, which is read by both versions of the protocol. What decodes is encoded again to the
// same bytes, but for reserved bits and the form of the checksum. admission.cpp has what comes behind the parser.

#include "agent/vrrp/advert.hpp"

#include "common/ensure.hpp"
#include "tests/support/sealed_advert.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace {

using namespace vipd;
using namespace vipd::vrrp;

std::vector<ip_address> copy(const address_list_view& list)
{
    std::vector<ip_address> all;
    all.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        all.push_back(list[i]);
    }
    return all;
}

void check_codec(byte_view message, version v, const ip_address& source, const ip_address& destination)
{
    const auto decoded = decode_advert(message, v, source, destination);
    const auto* const a = std::get_if<advert>(&decoded);
    if (a == nullptr) {
        return;
    }
    const bool can_be_sent = a->interval > duration::zero() && a->vrid != 0;
    ENSURE(can_be_sent || v == version::v2 || a->vrid == 0);
    if (!can_be_sent) {
        return;
    }
    const auto list = copy(a->addresses);
    const auto* const secret = a->authentication == auth_type::simple_password ? &a->password : nullptr;
    byte_buffer again;
    encode_advert({v, a->vrid, a->priority, a->interval, list, secret}, source, destination, a->form, again);
    const auto twice = decode_advert(again, v, source, destination);
    const auto* const b = std::get_if<advert>(&twice);
    ENSURE(b != nullptr);
    ENSURE(b->vrid == a->vrid && b->priority == a->priority && b->interval == a->interval);
    ENSURE(copy(b->addresses) == list);
    ENSURE(b->authentication == a->authentication && b->password == a->password);
    ENSURE(again.size() == message.size());
    for (std::size_t i = 1; i < again.size(); ++i) {
        const bool is_reserved = v == version::v3 && i == 4;
        const bool is_checksum = i == 6 || i == 7;
        const bool is_ignored = v == version::v2 && secret == nullptr && i >= again.size() - 8;
        ENSURE(is_reserved || is_checksum || is_ignored || again[i] == message[i]);
    }
}

// Source and destination.
struct path {
    ip_address from, to;
};

const path& path_of(std::uint8_t choice)
{
    constexpr auto path_between = [](std::string_view from, std::string_view to) {
        return path{*ip_address::parse(from), *ip_address::parse(to)};
    };
    static const std::array<path, 4> all = {path_between("10.0.2.20", "10.0.1.10"), path_between("10.0.2.20", "224.0.0.18"),
                                            path_between("2001:db8:2::b", "2001:db8:1::a"),
                                            path_between("fe80::2", "ff02::12")};
    return all[choice % all.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const auto& between = path_of(data[0]);
    byte_buffer message{data + 1, data + size};
    // Nobody guesses a checksum, and what lies behind it would never be seen.
    if ((data[0] & 128U) != 0) {
        test::seal(message);
    }
    check_codec(message, version::v2, between.from, between.to);
    check_codec(message, version::v3, between.from, between.to);
    return 0;
}
