#pragma once

#include <chrono>
#include <ctime>

namespace vipd::bench {

// Of this thread: on a busy machine the wall clock would measure the neighbours.
inline std::chrono::nanoseconds cpu_time()
{
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

}  // namespace vipd::bench
