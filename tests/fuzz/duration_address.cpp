// The texts of addresses, prefixes and durations: what is read is written in a form that reads back as the same value, what is
// refused is refused in a bounded sentence without control over the line it will stand in.

#include "common/duration_text.hpp"
#include "common/ensure.hpp"
#include "common/ip.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

constexpr std::size_t message_size_max = 400;

void check(std::string_view text)
{
    using namespace vipd;
    if (const auto address = ip_address::parse(text)) {
        ENSURE(ip_address::parse(address->to_string()) == *address);
        ENSURE(ip_address::from_bytes(address->bytes()) == *address);
        ENSURE(ip_prefix::parse(text) == ip_prefix::host(*address));
    } else {
        ENSURE(address.error().text.size() <= message_size_max);
    }
    if (const auto prefix = ip_prefix::parse(text)) {
        ENSURE(ip_prefix::parse(prefix->to_string()) == *prefix);
        ENSURE(prefix->contains(prefix->address()));
        ENSURE(prefix->contains(prefix->canonical().address()));
        ENSURE(prefix->canonical().canonical() == prefix->canonical());
    } else {
        ENSURE(prefix.error().text.size() <= message_size_max);
    }
    if (const auto d = parse_duration(text)) {
        ENSURE(*d >= duration::zero() && *d <= duration_text_max);
        ENSURE(parse_duration(format_duration(*d)) == *d);
    } else {
        ENSURE(d.error().text.size() <= message_size_max);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    check({reinterpret_cast<const char*>(data), size});
    return 0;
}
