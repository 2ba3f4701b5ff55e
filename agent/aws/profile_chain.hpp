#pragma once

// How a profile gets credentials: it holds keys, or exchanges a token for a role, or assumes a role with credentials that come
// from elsewhere: from another profile (source_profile), which may itself assume a role, or from a named place
// (credential_source). What comes out is always a chain: one first source, and the roles that are assumed from there.
// [AWS SDKs and Tools Reference Guide, "Assume role credential provider"]
//
// The awkward cases are decided as AWS's own tools decide them:
//   - A profile with role_arn asks for that role, whatever keys stand beside it: they are another identity's.
//   - A profile that is named as source_profile gives its keys when it has any, even beside a role_arn. So it may name itself.
//   - With web_identity_token_file, role_arn is the role that the token is exchanged for, and no other source is asked.

#include "agent/aws/ini.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::aws {

struct shared_file_pair {
    const ini_file& credentials;
    const ini_file& config;
};

// The sections that speak of one profile; empty where there is none.
struct profile_sections {
    bool exists = false;
    const ini_section& credentials;
    const ini_section& config;
};
profile_sections find_profile(const shared_file_pair& files, std::string_view name);

struct web_identity_source {
    std::string role_arn;
    std::string token_file;
    std::string session_name = "vipd";
    friend bool operator==(const web_identity_source&, const web_identity_source&) = default;
};

// A role that is assumed with credentials that are there already.
struct assumed_role {
    std::string profile;  // that asks for it; for messages
    std::string role_arn;
    std::string session_name = "vipd";
    std::string external_id = {};        // empty: none
    std::uint32_t duration_seconds = 0;  // 0: what STS gives by itself, an hour
    friend bool operator==(const assumed_role&, const assumed_role&) = default;
};

// The static keys of a profile.
struct keys_in_profile {
    std::string profile;
    friend bool operator==(const keys_in_profile&, const keys_in_profile&) = default;
};
// The values of credential_source.
struct named_source {
    enum class place : std::uint8_t { environment, instance_role, container } where = place::environment;
    std::string profile;  // that names it; for messages
    friend bool operator==(const named_source&, const named_source&) = default;
};

struct profile_chain {
    // The first is for a profile that says nothing about credentials.
    std::variant<std::monostate, keys_in_profile, named_source, web_identity_source> first;
    // Assumed one after another, each with the credentials before it.
    std::vector<assumed_role> roles;
    friend bool operator==(const profile_chain&, const profile_chain&) = default;
};

inline constexpr std::size_t roles_max = 4;
// What STS allows for a session; an hour is all that a role's session can give to the next one.
inline constexpr std::uint32_t session_seconds_min = 900;
inline constexpr std::uint32_t session_seconds_max = 43'200;
inline constexpr std::uint32_t chained_session_seconds_max = 3'600;

result<profile_chain> read_chain(const shared_file_pair& files, std::string_view name);

// The static keys of a profile; those in the credentials file go before those in the config file. An error when half a pair is
// there.
result<std::optional<credentials>> read_keys(const shared_file_pair& files, std::string_view name);

}  // namespace vipd::aws
