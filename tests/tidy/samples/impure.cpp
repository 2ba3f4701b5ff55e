// What the pure core must never do, so that the check of its symbols can be seen to fail. Its layout is wrong on purpose too.

#include <chrono>
#include <cstdlib>

#include <sys/socket.h>

int   impure_sample() {
    return ::socket(AF_INET, SOCK_DGRAM, 0) + static_cast<int>(std::chrono::steady_clock::now().time_since_epoch().count()) + (std::getenv("HOME") != nullptr ? 1 : 0);
}
