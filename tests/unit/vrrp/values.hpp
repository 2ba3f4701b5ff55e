#pragma once

// Values as short texts, for tests.

#include "agent/vrrp/advert.hpp"
#include "common/bytes.hpp"
#include "common/checksum.hpp"
#include "common/ip.hpp"

#include <algorithm>
#include <string_view>

namespace vipd::vrrp {

inline ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

inline simple_password password(std::string_view text)
{
    simple_password p;
    std::ranges::copy(text, p.bytes.begin());
    return p;
}

// Makes the checksum right that covers the message alone, whatever else is wrong with it.
inline void store_checksum(byte_buffer& message)
{
    store_big_u16(message, 6, 0);
    internet_checksum sum;
    sum.add(message);
    store_big_u16(message, 6, sum.finish());
}

}  // namespace vipd::vrrp
