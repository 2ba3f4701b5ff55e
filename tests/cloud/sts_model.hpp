#pragma once

// The security token service: who may have a session of which role, and for how long. What it issues is put on the key ring,
// where EC2 finds it. Who signed a request is decided before (simulated_cloud).

#include "common/bounded_queue.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/access_key.hpp"
#include "tests/cloud/api_error.hpp"
#include "tests/cloud/ec2_model.hpp"
#include "tests/cloud/iam.hpp"
#include "tests/cloud/policy.hpp"
#include "tests/cloud/sigv4_verifier.hpp"
#include "tests/cloud/sts_request.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vipd::cloud {

class sts_model {
public:
    sts_model(const ec2_model& ec2, const std::map<std::string, policy>& policies, key_ring& keys, iam_state iam,
              std::uint64_t seed) :
        ec2_(ec2), policies_(policies), keys_(keys), iam_(std::move(iam)), random_(seed)
    {}

    // The body of the answer. `caller` is the key that signed, by its id; empty for a call that needs no signature.
    api_result<std::string> answer(wall_time now, const sts_call& call, const std::string& caller, std::string_view request_id);

    iam_state& iam() { return iam_; }
    // No session lasts longer, whatever was asked for.
    void set_lifetime_max(duration lifetime) { lifetime_max_ = lifetime; }

private:
    api_result<std::string> perform(wall_time now, const assume_role& call, const access_key* caller,
                                    std::string_view request_id);
    api_result<std::string> perform(wall_time now, const assume_role_with_web_identity& call, const access_key* caller,
                                    std::string_view request_id);
    [[nodiscard]] api_result<std::string> perform(wall_time now, const get_caller_identity& call, const access_key* caller,
                                                  std::string_view request_id) const;
    const access_key& issue(wall_time now, const role_session& session, const iam_role& role, const instance_id& to);
    [[nodiscard]] std::string arn_of(const access_key& key) const;
    [[nodiscard]] api_error denied(const access_key& caller, const std::string& role_arn) const;

    const ec2_model& ec2_;
    const std::map<std::string, policy>& policies_;
    key_ring& keys_;
    iam_state iam_;
    random_source random_;
    duration lifetime_max_ = std::chrono::hours{12};
    bounded_queue<std::string> issued_{10'000};  // ids; the oldest leave the ring
};

// How STS words it; none for `valid`.
std::optional<api_error> sts_signature_error(const signature_check& check, const signature_scope& scope);

}  // namespace vipd::cloud
