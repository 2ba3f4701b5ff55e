#pragma once

// Credentials from the container endpoint of ECS and of EKS Pod Identity.
// [AWS SDKs and Tools Reference Guide, "Container credential provider"]

#include "agent/aws/environment.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>

namespace vipd::aws {

struct container_source {
    http_origin origin;
    std::string target;      // path and query
    std::string token;       // for the Authorization header; empty: none
    std::string token_file;  // read again for each request; goes before `token`
    friend bool operator==(const container_source&, const container_source&) = default;
};

// None when no AWS_CONTAINER_CREDENTIALS_* variable is there; an error when it must not be followed.
result<std::optional<container_source>> container_from(const environment& variables);

// The exchange's id is unset. An error when the token cannot be a header.
result<http_exchange> container_request(const container_source& source, std::string_view token);
result<credentials> read_container_answer(const http_result& result);

}  // namespace vipd::aws
