#include "tests/cloud/delay.hpp"

#include <cmath>

namespace vipd::cloud {

duration delay::draw(random_source& random) const
{
    if (mean > duration::zero()) {
        return low + duration{static_cast<duration::rep>(-std::log(1.0 - random.unit()) * static_cast<double>(mean.count()))};
    }
    return high > low ? random.between(low, high) : low;
}

}  // namespace vipd::cloud
