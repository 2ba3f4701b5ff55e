#include "agent/takeover/duel_breaker.hpp"

#include <algorithm>

namespace vipd::takeover {

namespace {

constexpr duration rival_memory = duel_breaker::pause_max;
constexpr unsigned doublings_max = 8;

}  // namespace

std::string_view to_string(standing s)
{
    switch (s) {
        case standing::unknown:
            return "unknown";
        case standing::outranked:
            return "outranked";
        case standing::outranking:
            return "outranking";
    }
    return "unknown";
}

duration duel_breaker::lost(time_point now, standing s, const std::string& taken_by)
{
    std::erase_if(losses_, [&](time_point at) { return now - at > window; });
    if (losses_.size() == losses_unknown) {
        losses_.erase(losses_.begin());
    }
    losses_.push_back(now);
    is_duel_ = is_duel_ || losses_.size() >= losses_noticed;
    if (s == standing::outranking) {
        pauses_ = 0;
        return duration::zero();
    }
    if (taken_by != taken_by_) {
        pauses_ = 0;
    }
    const auto patience = s == standing::outranked ? losses_noticed : losses_unknown;
    if (!is_open() && losses_.size() < patience) {
        return duration::zero();
    }
    const auto pause = std::min<duration>(pause_max, pause_min * (1U << std::min(pauses_, doublings_max)));
    ++pauses_;
    taken_by_ = taken_by;
    return pause;
}

void duel_breaker::epoch_begins(time_point now)
{
    if (!losses_.empty() && now - losses_.back() > pause_max) {
        *this = duel_breaker{};
    }
}

standing rival::at(time_point now) const
{
    if (at_ == never || now - at_ > rival_memory) {
        return standing::unknown;
    }
    return outranks_ ? standing::outranked : standing::outranking;
}

}  // namespace vipd::takeover
