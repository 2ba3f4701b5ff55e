#pragma once

#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/state.hpp"

#include <map>
#include <optional>
#include <string>

namespace vipd::cloud {

// Who may sign. Long-term keys have neither token nor end; those of a role's session have both.
struct access_key {
    std::string id;  // AKIA..., ASIA...
    std::string secret;
    std::string token;
    std::string principal;  // "user/alice", "role/vipd": whose policy applies
    std::optional<wall_time> expires;
    instance_id issued_to;  // empty for a user's
    std::string session;    // of a role: the name of its session
    std::string account;    // of the principal; empty: the one that is simulated
};

using key_ring = std::map<std::string, access_key, std::less<>>;

// `length` characters of base64's alphabet.
std::string random_text(random_source& random, std::size_t length);

// A key of a role's session with an id, a secret and a token of its own. Its end is a whole second, as AWS states it.
access_key make_session_key(random_source& random, const std::string& role, wall_time expires);

}  // namespace vipd::cloud
