#pragma once

// What the process can learn of itself and of where it was started.

#include "agent/aws/environment.hpp"
#include "common/log.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace vipd::io {

// 0 when the kernel does not say.
std::uint64_t resident_bytes();
std::uint64_t open_files();

// The AWS_* variables and HOME.
aws::environment capture_environment();

std::uint64_t random_seed();

// The kernel's, or VIPD_BOOT_ID where /proc/sys is hidden from the service; as it was found, empty when it was not.
std::string boot_id();

// CAP_NET_ADMIN and the like (linux/capability.h), in effect for this process.
bool has_capability(unsigned capability);

// Gives back what only the start has touched: the code and tables of the command line, of the configuration's parser and of the
// trust store, about a sixth of what is resident then. Whatever is used again comes back from the page cache. To be called
// before memory is locked, which would keep all of it for good.
void release_pages_of_the_start();

// As many descriptors as the system lets us have, when that is more than we have.
void raise_open_file_limit();

// Files of credentials and tokens are small; a larger one is not one of them.
inline constexpr std::size_t small_file_bytes_max = 64U << 10U;

// A regular file of at most small_file_bytes_max.
result<std::string> read_small_file(const std::string& path);

// Whoever reads `path` sees the old content or the new one. There is no fsync, so that no disk is waited for; mode 0600.
result<void> replace_small_file(const std::string& path, std::string_view content);

}  // namespace vipd::io
