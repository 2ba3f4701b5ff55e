#include "common/log_limiter.hpp"

namespace vipd {

log_limiter::verdict log_limiter::admit(time_point now, std::string_view event, std::string_view key)
{
    key = key.substr(0, key_size_max);
    if (const auto found = by_name_.find({event, key}); found != by_name_.end()) {
        return admit_known(now, found->second);
    }
    if (entries_.size() < limits_.entries_max) {
        return admit_new(now, event, key);
    }
    // Full. The oldest makes room when it has been quiet long enough and has nothing left to tell.
    if (is_over(now, entries_.front()) && entries_.front().suppressed == 0) {
        erase(entries_.begin());
        return admit_new(now, event, key);
    }
    if (const auto shared = by_name_.find({event, shared_key}); shared != by_name_.end()) {
        return admit_known(now, shared->second);
    }
    // One entry above the bound for each event, and the events are the program's.
    return admit_new(now, event, shared_key);
}

log_limiter::verdict log_limiter::admit_known(time_point now, entries::iterator at)
{
    if (!is_over(now, *at)) {
        ++at->suppressed;
        return {};
    }
    const verdict v{true, at->suppressed};
    at->suppressed = 0;
    at->written_at = now;
    entries_.splice(entries_.end(), entries_, at);
    return v;
}

log_limiter::verdict log_limiter::admit_new(time_point now, std::string_view event, std::string_view key)
{
    const auto at = entries_.insert(entries_.end(), entry{std::string(event), std::string(key), now, 0});
    by_name_.emplace(name{at->event, at->key}, at);
    return {true, 0};
}

void log_limiter::collect(time_point now, std::vector<summary>& out)
{
    while (!entries_.empty() && is_over(now, entries_.front())) {
        const auto& oldest = entries_.front();
        if (oldest.suppressed > 0) {
            out.push_back({oldest.event, oldest.key, oldest.suppressed});
        }
        erase(entries_.begin());
    }
}

wakeup log_limiter::next_wakeup() const
{
    if (entries_.empty()) {
        return {};
    }
    return {saturating_add(entries_.front().written_at, limits_.period), "log summary"};
}

void log_limiter::erase(entries::iterator at)
{
    by_name_.erase({at->event, at->key});
    entries_.erase(at);
}

}  // namespace vipd
