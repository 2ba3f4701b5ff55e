#pragma once

// With a real-time priority a loop that always has something to do keeps everybody else from the processor, and pays for it:
// the kernel stops all such threads for 50 ms of every second (sched_rt_runtime_us), and our own guard takes the priority away
// after a second without a pause (RLIMIT_RTTIME). HTTP clients can bring that about. So a loop that has used nearly all of a
// stretch of time rests for a small part of the next one, between adverts.

#include "common/time.hpp"

#include <algorithm>

namespace vipd::io {

class breather {
public:
    static constexpr duration stretch = std::chrono::milliseconds{10};
    static constexpr duration rest = std::chrono::milliseconds{1};
    // Before something is due the loop is awake again.
    static constexpr duration margin = std::chrono::microseconds{200};

    // The processor's time has to be asked for (a system call) only then.
    [[nodiscard]] bool is_stretch_over(time_point now) const { return now >= begun_ + stretch; }

    // Until when to rest; `now` or earlier for not at all. `used` is the processor time of this thread so far.
    time_point end_stretch(time_point now, duration used, time_point due)
    {
        const bool was_busy = used - used_before_ > (now - begun_) * 9 / 10;
        begun_ = now;
        used_before_ = used;
        return was_busy ? std::min(now + rest, due - margin) : now;
    }

private:
    time_point begun_{};
    duration used_before_{};
};

}  // namespace vipd::io
