#pragma once

// The instance metadata service, version 2 only: a token first, then the tree of facts about whoever asks (EC2 user guide,
// "Access instance metadata for an EC2 instance"). It also hands out the role's temporary credentials.

#include "agent/aws/http_message.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/access_key.hpp"
#include "tests/cloud/ec2_model.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace vipd::cloud {

class imds_model {
public:
    imds_model(const ec2_model& ec2, key_ring& keys, std::uint64_t seed) : ec2_(ec2), keys_(keys), random_(seed) {}

    // `who` asks; an unknown instance gets 404 for everything, as nothing is there for it.
    aws::http_response answer(const instant& now, const aws::http_request& request, const instance_id& who);

    // Values under /latest/meta-data/ beside those that follow from the state: "spot/instance-action" -> JSON,
    // "tags/instance/Name". An empty value removes.
    void set_item(const instance_id& who, const std::string& path, std::string value);

    // What it says of interfaces and their addresses is this old. The past that the state remembers bounds it to `lag_max`.
    void set_lag(duration lag) { lag_ = lag; }
    static constexpr duration lag_max = std::chrono::seconds{60};

    // How long newly issued credentials last. They are replaced when less than a quarter is left.
    void set_credential_lifetime(duration lifetime) { credential_lifetime_ = lifetime; }
    // New credentials from the next request on; the old ones are refused at once when `revoke`.
    void rotate_credentials(const instance_id& who, bool revoke);

private:
    class wanted_facts;  // those that were asked for
    using tree = std::map<std::string, std::string, std::less<>>;
    struct session {
        instance_id instance;
        time_point expires;
    };

    aws::http_response put_token(const instant& now, const aws::http_request& request, const instance_id& who);
    aws::http_response get(const instant& now, std::string_view path, const instance_id& who);
    tree facts(const instant& now, const instance& machine, const replica& from, std::string_view wanted);
    void add_role(wanted_facts& out, const instance& machine, const access_key& key) const;
    void add_identity(wanted_facts& out, const instance& machine, std::string_view zone, std::string_view address) const;
    static void add_interfaces(wanted_facts& out, const instance& machine, const replica& from);
    static void add_interface(wanted_facts& out, const network_interface& interface, const replica& from);
    const access_key& credentials(wall_time now, const instance& machine);

    const ec2_model& ec2_;
    key_ring& keys_;
    random_source random_;
    duration lag_{};
    duration credential_lifetime_ = std::chrono::hours{6};
    std::map<std::string, session, std::less<>> tokens_;
    std::deque<std::string> token_order_;
    std::map<instance_id, std::string> current_key_;
    std::map<instance_id, tree> items_;
};

}  // namespace vipd::cloud
