#pragma once

#include "common/time.hpp"
#include "tests/cloud/state.hpp"

#include <map>
#include <optional>
#include <string>

namespace vipd::cloud {

// Who may sign. Long-term keys have neither token nor end; those of an instance's role have both.
struct access_key {
    std::string id;  // AKIA..., ASIA...
    std::string secret;
    std::string token;
    std::string principal;  // "user/alice", "role/vipd": whose policy applies
    std::optional<wall_time> expires;
    instance_id issued_to;  // empty for a user's
};

using key_ring = std::map<std::string, access_key, std::less<>>;

}  // namespace vipd::cloud
