#pragma once

// The whole: the endpoints of EC2 and STS of one region and the metadata service of its instances, from an HTTP request to what
// becomes of it. Pure: time is handed in, randomness has a seed. tests/cloudsim puts it behind sockets, the cluster simulation
// behind simulated links.
//
// A request is accepted by handle_ec2(), handle_sts() or handle_imds(). Who signed it and whether its bucket has a token is
// decided on arrival; the call itself is carried out at `effect_at`, against the state of that moment, because that is what a
// request does that was held up on its way: it lands on whatever is there by then. The answer is taken with collect() at
// `reply_at` or later. Whoever has no use for the answer any more (the client is gone) calls abandon(); what was accepted takes
// effect all the same.

#include "agent/aws/http_message.hpp"
#include "common/bounded_queue.hpp"
#include "common/random.hpp"
#include "common/strong_id.hpp"
#include "common/time.hpp"
#include "tests/cloud/ec2_model.hpp"
#include "tests/cloud/fault.hpp"
#include "tests/cloud/hostile_body.hpp"
#include "tests/cloud/imds_model.hpp"
#include "tests/cloud/policy.hpp"
#include "tests/cloud/sigv4_verifier.hpp"
#include "tests/cloud/sts_model.hpp"
#include "tests/cloud/sts_request.hpp"
#include "tests/cloud/throttle.hpp"
#include "tests/cloud/topology.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace vipd::cloud {

using exchange_id = strong_number<struct exchange_tag>;

enum class cloud_service : std::uint8_t { ec2, sts, imds };
std::string_view to_string(cloud_service service);

// Where a request came from. The instance follows from the address, unless the listener stands for one.
struct request_source {
    ip_address address;
    instance_id instance;
};

// What is known about a request, for logs and checkers.
struct exchange_record {
    std::string request_id;
    std::string action;  // "ReplaceRoute", or "GET /latest/meta-data/instance-id"
    std::string node;    // the instance's name; empty when unknown
    std::string table, destination, interface;
    std::string instance;    // that an interface is attached to or detached from
    std::string address;     // private addresses, with commas
    std::string allocation;  // of an Elastic IP
    bool dry_run = false;
    std::string access_key_id;
    std::string signature;  // the verdict, or "unsigned" where none is needed; empty for IMDS
    std::string role;       // the ARN that a session is asked for
    unsigned status = 0;
    std::string code;  // of an error
    std::vector<std::string> faults;
    time_point effect_at = never;  // when it changed something; never when it did not
    duration lag{};                // of the replica that answered
};

struct planned_reply {
    exchange_id id;
    time_point effect_at;
    time_point reply_at;  // of the answer or the reset; never when the client is left hanging
};

struct collected_reply {
    enum class ending : std::uint8_t { answer, reset, hang } end = ending::answer;
    wire_answer answer;
    std::optional<double> bytes_per_second;
    exchange_record record;

    // What a client with these bounds makes of it; for simulations without a wire.
    [[nodiscard]] std::variant<aws::http_response, aws::http_failure> as_client_sees(duration time_max,
                                                                                     std::size_t body_size_max) const;
};

// A change of state: by a call, or by hand.
struct state_change {
    time_point at;
    std::string request_id;  // empty when by hand
    std::string action;
    std::string node;
    std::string table, destination, interface;
    std::string instance{}, address{}, allocation{};  // as in exchange_record
};

struct consistency_settings {
    // A describe is answered by a replica with this probability, which is up to `lag_max` behind.
    double stale_probability = 0.0;
    duration lag_max{};
};

class simulated_cloud {
public:
    simulated_cloud(topology what, std::uint64_t seed);
    simulated_cloud(const simulated_cloud&) = delete;
    simulated_cloud& operator=(const simulated_cloud&) = delete;

    planned_reply handle_ec2(const instant& now, const aws::http_request& request, const request_source& source);
    planned_reply handle_sts(const instant& now, const aws::http_request& request, const request_source& source);
    planned_reply handle_imds(const instant& now, const aws::http_request& request, const request_source& source);
    // What the faults make of a connection before any request: only delay, ending and certificate of the plan count.
    exchange_plan handle_connection(cloud_service to, const request_source& source);
    collected_reply collect(const instant& now, exchange_id id);
    void abandon(exchange_id id);

    // Carries out what is due.
    void handle_timeout(const instant& now);
    [[nodiscard]] wakeup next_wakeup() const;
    // When the last of the accepted calls takes effect and what they have begun has come about; never when there is nothing.
    [[nodiscard]] time_point last_effect() const;
    // The oldest change not yet taken; of those that nobody takes, the latest 65,536 are kept.
    std::optional<state_change> poll_change();
    // The same of what a hypervisor has to do for it: whoever plays one learns here when a device appears or leaves.
    std::optional<movement> poll_movement() { return model_.poll_movement(); }

    // --- the hand of whoever runs the simulation ---
    ec2_model& model() { return model_; }
    [[nodiscard]] const ec2_model& model() const { return model_; }
    fault_set& faults() { return faults_; }
    throttle& buckets() { return buckets_; }
    imds_model& imds() { return imds_; }
    sts_model& sts() { return sts_; }
    key_ring& keys() { return keys_; }
    // By principal; whoever has none may do everything.
    std::map<std::string, policy>& policies() { return policies_; }
    [[nodiscard]] const std::map<std::string, policy>& policies() const { return policies_; }
    void set_latency(const delay& latency) { latency_ = latency; }
    void set_consistency(const consistency_settings& settings) { consistency_ = settings; }
    // The cloud's clock minus the nodes'.
    void set_clock_offset(duration offset) { clock_offset_ = offset; }
    [[nodiscard]] wall_time wall_time_at(const instant& now) const { return now.wall + clock_offset_; }
    void set_move_times(const move_times& times) { model_.set_times(times); }
    // Tells poll_change() of something done through model().
    void note_change(state_change change) { changes_.push_dropping_oldest(std::move(change)); }

    [[nodiscard]] instance_id instance_at(const ip_address& address) const;
    [[nodiscard]] std::string node_name(const instance_id& id) const;

private:
    struct exchange {
        cloud_service service = cloud_service::ec2;
        exchange_record record;
        exchange_plan plan;
        // Nothing when it was refused on arrival, and for IMDS.
        std::variant<std::monostate, ec2_request, sts_call> call;
        std::string principal;
        aws::http_response response;
        time_point effect_at{};
        wall_time effect_wall{};    // the same, by the cloud's clock
        time_point lag_to = never;  // the replica's time; never: the primary
        bool carried_out = false;
        bool abandoned = false;
    };

    planned_reply accept(const instant& now, exchange&& one, const fault_subject& subject);
    std::optional<api_error> admit_ec2(const instant& now, const aws::http_request& request, exchange& one, instance_id& who);
    std::optional<api_error> admit_sts(const instant& now, const aws::http_request& request, exchange& one, instance_id& who);
    void complete_record(exchange_record& record, const query_form& form) const;
    signature_check check_signature(const instant& now, const aws::http_request& request, exchange& one, instance_id& who);
    void carry_out(exchange& one);
    api_result<std::string> perform(exchange& one);
    api_result<std::string> perform_ec2(exchange& one, const ec2_request& request);
    template <class Change>
    api_result<std::string> perform_change(exchange& one, const ec2_request& request, const Change& change);
    template <class Query>
    api_result<std::string> perform_query(exchange& one, const ec2_request& request, const Query& query);
    [[nodiscard]] std::optional<api_error> check_permission(const exchange& one, const ec2_request& request,
                                                            const resources& about);
    void note(exchange& one);
    void refuse(exchange& one, const api_error& error, unsigned status);
    static void add_headers(exchange& one);
    std::string new_request_id();

    random_source random_;
    ec2_model model_;
    key_ring keys_;
    signing_keys signing_keys_;
    std::map<std::string, policy> policies_;
    imds_model imds_;
    fault_set faults_;
    sts_model sts_;
    throttle buckets_;
    delay latency_;
    consistency_settings consistency_;
    duration clock_offset_{};
    std::map<exchange_id, exchange> exchanges_;
    // What is still to be carried out, in the order of effect and then of arrival.
    std::set<std::pair<time_point, exchange_id>> due_;
    id_source<exchange_id> ids_;
    bounded_queue<state_change> changes_{65'536};
};

}  // namespace vipd::cloud
