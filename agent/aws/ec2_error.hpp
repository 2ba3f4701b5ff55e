#pragma once

// EC2's error codes, sorted by what has to be done about them. The sources are the EC2 API reference ("Error codes"), the retry
// lists of AWS's SDKs, and the observations noted beside the code they are about.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ec2_reply.hpp"

#include <pugixml.hpp>

#include <string_view>

namespace vipd::aws {

// What an answer with a status other than 200 says. `root` is null when the body could not be read; then the status decides.
ec2_error read_error(const ec2_call& call, unsigned status, const pugi::xml_node& root);

// `code` without "Client." or "Server." in front; empty when there is none.
ec2_error_class classify_error(const ec2_call& call, unsigned status, std::string_view code, std::string_view message);

// Whether this code may mean nothing but that the time in the signature was refused. Only together with a clock that is off
// by more than 4 minutes does it (the rule of AWS's SDKs); otherwise the credentials are to blame.
bool may_blame_clock(std::string_view code);

// Whether this code may be about the session that signed, and not about the call: one that was revoked (the policy
// AWSRevokeOlderSessions denies by aws:TokenIssueTime whatever is older), or whose role has been replaced on the instance, is
// refused in the words for a missing permission, and a newer one is not. [IAM User Guide, "Revoke IAM role temporary security
// credentials"]
bool may_blame_session(std::string_view code);

// At most 300 bytes on one line, with the encoded authorization message (hundreds of bytes that only
// sts:DecodeAuthorizationMessage can read) cut out.
std::string clean_message(std::string_view message);

}  // namespace vipd::aws
