// What is believed of a cached identity is what would be written of it, and can be used in a host name or a call as it stands.

#include "agent/aws/identity_cache.hpp"

#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace vipd::aws;
    constexpr std::string_view boot = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto identity = parse_identity(text, boot);
    if (!identity) {
        ENSURE(identity.error().text.size() <= 400);
        return 0;
    }
    ENSURE(is_plain_id(identity->region));
    ENSURE(is_plain_id(identity->instance.str()));
    ENSURE(!identity->interfaces.empty() && identity->interfaces.size() <= interfaces_max);
    for (const auto& i : identity->interfaces) {
        ENSURE(is_mac(i.mac) && is_plain_id(i.id.str()) && is_plain_id(i.vpc.str()));
    }
    const auto again = format_identity(*identity, boot);
    // Another form of an address may be shorter than the one that is written.
    if (again.size() <= identity_cache_bytes_max) {
        const auto read_back = parse_identity(again, boot);
        ENSURE(read_back && *read_back == *identity);
    }
    return 0;
}
