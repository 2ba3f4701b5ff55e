#pragma once

// Whose files may be trusted.

#include <string>

#include <sys/stat.h>
#include <sys/types.h>

namespace vipd::io {

// The user that the packaged unit runs vipd as: what root checks by hand will be its.
bool is_service_user(uid_t user);

// Root, the user this process runs as, or, for root (`vipd check`), the user of the service.
bool is_trusted_owner(uid_t user);

// "0640"
std::string octal(mode_t mode);

}  // namespace vipd::io
