#include "tests/cloud/throttle.hpp"

#include <algorithm>
#include <array>

namespace vipd::cloud {

namespace {

void refill(throttle::filling& bucket, time_point now)
{
    if (now > bucket.filled) {
        bucket.level =
            std::min(bucket.size.capacity, bucket.level + to_seconds(now - bucket.filled) * bucket.size.refill_per_second);
        bucket.filled = now;
    }
}

}  // namespace

bucket_size documented_bucket(std::string_view name)
{
    constexpr std::array<std::string_view, 4> assigning{"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
                                                        "AssignIpv6Addresses", "ModifyNetworkInterfaceAttribute"};
    if (name.ends_with(" (unfiltered)")) {
        return {50, 10};
    }
    if (name.starts_with("Describe") || name.starts_with("Get")) {
        return {100, 20};
    }
    if (std::ranges::find(assigning, name) != assigning.end()) {
        return {100, 5};
    }
    return {50, 5};
}

throttle::filling& throttle::refilled(time_point now, const std::string& name)
{
    const auto size = documented_bucket(name);
    auto& bucket = buckets_.try_emplace(name, throttle::filling{size, size.capacity, now}).first->second;
    refill(bucket, now);
    return bucket;
}

bool throttle::try_take(time_point now, const std::string& name)
{
    auto& bucket = refilled(now, name);
    if (bucket.level < 1.0) {
        return false;
    }
    bucket.level -= 1.0;
    return true;
}

void throttle::resize(time_point now, const std::string& name, const bucket_size& size)
{
    auto& bucket = refilled(now, name);
    bucket.size = size;
    bucket.level = std::min(bucket.level, size.capacity);
}

void throttle::set_level(time_point now, const std::string& name, double level)
{
    refilled(now, name).level = level;
}

std::map<std::string, throttle::filling> throttle::levels(time_point now) const
{
    auto copy = buckets_;
    for (auto& [name, bucket] : copy) {
        refill(bucket, now);
    }
    return copy;
}

}  // namespace vipd::cloud
