#pragma once

#include "common/bytes.hpp"
#include "common/checksum.hpp"

#include <cstdint>

namespace vipd::test {

// Makes the checksum of a VRRP message right that was changed: over the message alone, as it is over IPv4. (Over IPv6 a kernel
// drops what is wrong there.) Nothing happens to what is too short to have one.
inline void seal(byte_buffer& message)
{
    if (message.size() < 8) {
        return;
    }
    message[6] = message[7] = 0;
    internet_checksum sum;
    sum.add(message);
    const auto checksum = sum.finish();
    message[6] = static_cast<std::uint8_t>(checksum >> 8U);
    message[7] = static_cast<std::uint8_t>(checksum & 0xffU);
}

}  // namespace vipd::test
