#pragma once

// EC2's request throttling: a token bucket for each action of the account in the region, with the sizes of "Request throttling
// for the Amazon EC2 API".

#include "common/time.hpp"

#include <map>
#include <string>
#include <string_view>

namespace vipd::cloud {

struct bucket_size {
    double capacity = 100;
    double refill_per_second = 20;
};

// By the bucket's name, which is the action's, or "DescribeNetworkInterfaces (unfiltered)" and its like.
bucket_size documented_bucket(std::string_view name);

class throttle {
public:
    bool try_take(time_point now, const std::string& name);

    void resize(time_point now, const std::string& name, const bucket_size& size);
    // May be negative: what others of the account have taken.
    void set_level(time_point now, const std::string& name, double level);

    struct filling {
        bucket_size size;
        double level = 0;
        time_point filled{};
    };
    // As of `now`; buckets that were never used are full and not listed.
    [[nodiscard]] std::map<std::string, filling> levels(time_point now) const;

private:
    filling& refilled(time_point now, const std::string& name);

    std::map<std::string, filling> buckets_;
};

}  // namespace vipd::cloud
