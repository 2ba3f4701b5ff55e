#pragma once

#include "agent/vrrp/hmac_secret.hpp"
#include "common/result.hpp"

#include <string>

namespace vipd::io {

// The key in a file that nobody but its owner can get at, and whose owner may be trusted with it: root, the user this process
// runs as, or, for root (`vipd check`), the user of the service. The error's text goes on after the file's name.
result<vrrp::hmac_secret> read_key_file(const std::string& path);

}  // namespace vipd::io
