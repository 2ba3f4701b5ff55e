#include "tests/sim/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vipd::sim {

namespace {

duration draw_exponential(random_source& random, duration mean)
{
    return duration{static_cast<duration::rep>(-std::log(1.0 - random.unit()) * static_cast<double>(mean.count()))};
}

void corrupt(random_source& random, byte_buffer& message)
{
    if (random.chance(0.25)) {
        message.resize(random.below(message.size()));
        return;
    }
    const auto flips = 1 + random.below(16);
    for (std::uint64_t i = 0; i < flips; ++i) {
        const auto bit = random.below(message.size() * 8);
        message[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
}

}  // namespace

network::network(std::size_t machines, std::uint64_t seed, scheduler at, receiver deliver) :
    machines_(machines), paths_(machines * machines), at_(std::move(at)), deliver_(std::move(deliver))
{
    random_source seeds{seed};
    for (auto& p : paths_) {
        p.random = random_source{seeds.next()};
    }
}

void network::note_trouble(time_point at, std::size_t from, std::size_t to)
{
    auto& last = path(from, to).last_trouble;
    last = std::max(last, at);
}

void network::cut(time_point now, std::size_t from, std::size_t to, bool is_cut)
{
    path(from, to).cut = is_cut;
    note_trouble(now, from, to);
}

void network::mend(time_point now)
{
    quality_ = {};
    for (auto& p : paths_) {
        if (p.cut || p.burst_until > now) {
            p.cut = false;
            p.burst_until = now;
            p.last_trouble = std::max(p.last_trouble, now);
        }
    }
}

void network::send(time_point now, std::size_t from, std::size_t to, byte_view message)
{
    ++counters_.sent;
    auto& p = path(from, to);
    if (p.cut) {
        ++counters_.cut;
        note_trouble(now, from, to);
        return;
    }
    if (now >= p.burst_until && quality_.burst_chance > 0.0 && p.random.chance(quality_.burst_chance)) {
        p.burst_until = now + draw_exponential(p.random, quality_.burst_mean);
    }
    if (now < p.burst_until || (quality_.loss > 0.0 && p.random.chance(quality_.loss))) {
        ++counters_.lost;
        note_trouble(now, from, to);
        return;
    }
    const byte_buffer bytes{message.begin(), message.end()};
    carry(now, from, to, bytes);
    if (quality_.duplicate > 0.0 && p.random.chance(quality_.duplicate)) {
        const auto copies = 1 + p.random.below(quality_.copies_max);
        for (std::uint64_t i = 0; i < copies; ++i) {
            ++counters_.duplicated;
            carry(now, from, to, bytes);
        }
    }
}

void network::carry(time_point now, std::size_t from, std::size_t to, const byte_buffer& message)
{
    auto& p = path(from, to);
    auto delay = p.random.between(quality_.delay_low, quality_.delay_high);
    if (quality_.straggler_chance > 0.0 && p.random.chance(quality_.straggler_chance)) {
        ++counters_.late;
        delay += p.random.between(duration::zero(), quality_.straggler_delay);
        note_trouble(now + delay, from, to);
    }
    auto bytes = message;
    const bool is_corrupt = quality_.corrupt > 0.0 && p.random.chance(quality_.corrupt);
    if (is_corrupt) {
        ++counters_.corrupted;
        corrupt(p.random, bytes);
        note_trouble(now + delay, from, to);
    }
    at_(now + delay, [this, to, from, is_corrupt, bytes = std::move(bytes)] { deliver_(to, from, bytes, is_corrupt); });
}

}  // namespace vipd::sim
