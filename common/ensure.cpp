#include "common/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace vipd {

void ensure_failed(const char* condition, const char* file, int line) noexcept
{
    std::fprintf(stderr, "vipd: internal error: '%s' does not hold at %s:%d; please report this with the log lines before it\n",
                 condition, file, line);
    std::abort();
}

}  // namespace vipd
