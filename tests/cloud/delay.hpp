#pragma once

#include "common/random.hpp"
#include "common/time.hpp"

namespace vipd::cloud {

// A time that is drawn: always `low`, uniform between the two, or `low` plus an exponential tail of mean `mean`.
struct delay {
    duration low{};
    duration high{};
    duration mean{};

    static delay fixed(duration d) { return {d, d, {}}; }
    [[nodiscard]] duration draw(random_source& random) const;
};

}  // namespace vipd::cloud
