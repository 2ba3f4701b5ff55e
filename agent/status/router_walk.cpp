#include "agent/status/router_walk.hpp"

namespace vipd::status {

router_walk::found router_walk::step(instant now, router& out)
{
    if (!started_ || generation_ != view_.generation()) {
        started_ = true;
        generation_ = view_.generation();
        next_ = 0;
    }
    if (next_ >= view_.router_count()) {
        return found::end;
    }
    router seen = view_.router_snapshot(now, next_);
    ++next_;
    if (!visited_.insert(seen.name).second) {
        return found::skipped;
    }
    out = std::move(seen);
    return found::router;
}

}  // namespace vipd::status
