#include "tests/cloud/sts_model.hpp"

#include "tests/cloud/filters.hpp"
#include "tests/cloud/sts_answer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::cloud {

namespace {

constexpr std::chrono::seconds chained_lifetime_max{3600};

// One refusal for all causes, so that nobody learns which roles there are.
const api_error token_denied{"AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"};

bool is_trusted(const iam_role& role, std::string_view principal)
{
    return std::ranges::any_of(role.trusts, [&](const std::string& pattern) { return matches_wildcard(pattern, principal); });
}

std::optional<api_error> check_lifetime(const role_session& session, const iam_role& role, bool from_role)
{
    if (session.lifetime > role.session_max) {
        return api_error{"ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."};
    }
    if (from_role && session.lifetime > chained_lifetime_max) {
        return api_error{"ValidationError",
                         "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."};
    }
    return std::nullopt;
}

// AWS's ids are opaque; a role's stays the same.
assumed_role_user user_of(std::string_view partition, const iam_role& role, const std::string& session)
{
    std::string id = "AROA";
    for (const char c : role.name) {
        id.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : 'X');
    }
    id.resize(20, 'A');
    return {fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", partition, role.account, role.name, session), id + ":" + session};
}

}  // namespace

api_result<std::string> sts_model::answer(wall_time now, const sts_call& call, const std::string& caller,
                                          std::string_view request_id)
{
    const auto key = keys_.find(caller);
    if (key == keys_.end() && needs_signature(call)) {
        return api_error{"InvalidClientTokenId", "The security token included in the request is invalid."};
    }
    const auto* const signer = key == keys_.end() ? nullptr : &key->second;
    return std::visit([&](const auto& what) { return perform(now, what, signer, request_id); }, call);
}

api_result<std::string> sts_model::perform(wall_time now, const assume_role& call, const access_key* caller,
                                           std::string_view request_id)
{
    const auto& session = call.session;
    const auto found = iam_.roles.find(session.role_arn);
    const auto statements = policies_.find(caller->principal);
    const bool may_ask = statements == policies_.end() || is_allowed(statements->second, {"sts:AssumeRole", session.role_arn});
    if (found == iam_.roles.end() || !may_ask || !is_trusted(found->second, caller->principal) ||
        (!found->second.external_id.empty() && found->second.external_id != call.external_id)) {
        return denied(*caller, session.role_arn);
    }
    const auto& role = found->second;
    if (auto refused = check_lifetime(session, role, caller->principal.starts_with("role/"))) {
        return std::move(*refused);
    }
    const auto& key = issue(now, session, role, caller->issued_to);
    return assumed_role_xml(request_id, "AssumeRole", user_of(ec2_.state().partition(), role, session.name), key, "");
}

api_result<std::string> sts_model::perform(wall_time now, const assume_role_with_web_identity& call, const access_key*,
                                           std::string_view request_id)
{
    const auto& session = call.session;
    const auto token = iam_.tokens.find(call.token);
    if (token == iam_.tokens.end()) {
        return api_error{"InvalidIdentityToken",
                         "Couldn't retrieve verification key from your identity provider, please reference "
                         "AssumeRoleWithWebIdentity documentation for requirements"};
    }
    if (token->second.expired) {
        return api_error{"ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"};
    }
    const auto found = iam_.roles.find(session.role_arn);
    if (found == iam_.roles.end() || !is_trusted(found->second, "subject/" + token->second.subject)) {
        return token_denied;
    }
    const auto& role = found->second;
    if (auto refused = check_lifetime(session, role, false)) {
        return std::move(*refused);
    }
    const auto& key = issue(now, session, role, {});
    return assumed_role_xml(request_id, "AssumeRoleWithWebIdentity", user_of(ec2_.state().partition(), role, session.name), key,
                            token->second.subject);
}

api_result<std::string> sts_model::perform(wall_time, const get_caller_identity&, const access_key* caller,
                                           std::string_view request_id) const
{
    const auto account = caller->account.empty() ? ec2_.state().account : caller->account;
    return caller_xml(request_id, account, {arn_of(*caller), caller->id});
}

const access_key& sts_model::issue(wall_time now, const role_session& session, const iam_role& role, const instance_id& to)
{
    auto key = make_session_key(random_, role.name, now + std::min<duration>(session.lifetime, lifetime_max_));
    key.issued_to = to;
    key.session = session.name;
    key.account = role.account;
    if (issued_.size() == issued_.capacity()) {
        keys_.erase(issued_.pop());
    }
    issued_.push_dropping_oldest(key.id);
    return keys_.insert_or_assign(key.id, key).first->second;
}

std::string sts_model::arn_of(const access_key& key) const
{
    const auto account = key.account.empty() ? ec2_.state().account : key.account;
    if (!key.principal.starts_with("role/")) {
        return fmt::format("arn:{}:iam::{}:{}", ec2_.state().partition(), account, key.principal);
    }
    return fmt::format("arn:{}:sts::{}:assumed-{}/{}", ec2_.state().partition(), account, key.principal, key.session);
}

api_error sts_model::denied(const access_key& caller, const std::string& role_arn) const
{
    return {"AccessDenied",
            fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", arn_of(caller), role_arn)};
}

std::optional<api_error> sts_signature_error(const signature_check& check, const signature_scope& scope)
{
    switch (check.verdict) {
        case signature_verdict::unknown_key:
        case signature_verdict::wrong_token:
            return api_error{"InvalidClientTokenId", "The security token included in the request is invalid."};
        case signature_verdict::expired_key:
            return api_error{"ExpiredToken", "The security token included in the request is expired"};
        case signature_verdict::wrong_date:
            return api_error{"SignatureDoesNotMatch", "Signature not yet current or expired: the date is not within 15 min."};
        case signature_verdict::valid:
        case signature_verdict::missing:
        case signature_verdict::malformed:
        case signature_verdict::wrong_scope:
        case signature_verdict::unsigned_header:
        case signature_verdict::mismatch:
            break;
    }
    return signature_error(check, scope);
}

}  // namespace vipd::cloud
