#pragma once

#include "common/ensure.hpp"
#include "common/time.hpp"

#include <cstdint>

namespace vipd {

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good enough for jitter and for simulations. The seed is always handed
// in; the same seed gives the same numbers on every machine. Not for secrets.
class random_source {
public:
    explicit constexpr random_source(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next()
    {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31U);
    }

    // Uniform in [0, bound), bound > 0. The bias of the modulus is below bound / 2^64.
    constexpr std::uint64_t below(std::uint64_t bound)
    {
        ENSURE(bound > 0);
        return next() % bound;
    }

    // Uniform in [0, 1).
    constexpr double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

    // Uniform in [low, high].
    constexpr duration between(duration low, duration high)
    {
        ENSURE(low <= high);
        return low + duration{static_cast<duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1))};
    }

    constexpr bool chance(double probability) { return unit() < probability; }

private:
    std::uint64_t state_;
};

}  // namespace vipd
