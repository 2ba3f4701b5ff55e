#pragma once

// The HTTP client of one machine without sockets, and the way to the cloud and back. It keeps io/https_client's promises: the
// permit is asked right before the first byte, a request is written once, a cancelled one is reset, everything ends in time.
// What was reset on this side may still arrive on the other.

#include "agent/node/output.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/simulated_cloud.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/host_clock.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace vipd::sim {

// The cloud with the true time it lives in.
struct cloud_site {
    cloud::simulated_cloud& cloud;
    event_queue& events;
    host_clock truth;  // without drift: what the cloud's clock shows

    [[nodiscard]] instant now() const { return truth.read(events.now()); }
    // Lets accepted calls take effect when they are due, and tells of what changed. After every call to the cloud.
    std::function<void()> settle;
};

class cloud_path {
public:
    struct owner {
        virtual bool may_begin(aws::http_exchange_id id) = 0;
        virtual void on_first_byte(const aws::http_exchange& exchange) = 0;
        virtual void on_answer(const aws::http_exchange& exchange, const cloud::exchange_record& record) = 0;
        virtual void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) = 0;

    protected:
        ~owner() = default;
    };

    cloud_path(cloud_site& site, const host_clock& clock, cloud::request_source source, std::uint64_t seed, owner& to);

    void start(aws::http_exchange&& exchange);
    // False when there was nothing to cancel any more.
    bool cancel(aws::http_exchange_id id);
    void keep_warm(unsigned connections);
    // The process has ended.
    void drop_all();
    void set_reachable(bool reachable);
    [[nodiscard]] bool is_reachable() const { return reachable_; }
    // Whether the process may open another socket; what is open stays so.
    void set_descriptors(bool left);
    [[nodiscard]] bool has_descriptors() const { return descriptors_left_; }
    // Since when all this is as it is.
    [[nodiscard]] time_point changed_at() const { return std::max(reachable_since_, descriptors_since_); }

    [[nodiscard]] std::size_t exchanges_under_way() const { return under_way_.size(); }
    // Mutating requests of which the first byte is out and no answer is in.
    [[nodiscard]] std::size_t mutating_under_way() const;
    template <class Visit>
    void for_each_mutating(Visit&& visit) const
    {
        for (const auto& [id, one] : under_way_) {
            if (one.exchange.mutating && one.first_byte != never) {
                visit(one.exchange);
            }
        }
    }

private:
    struct under_way {
        aws::http_exchange exchange;
        std::uint64_t number = 0;  // tells it from an earlier one with the same id
        time_point started{};      // by the machine's clock, like all of http_result
        time_point first_byte = never;
        bool arrived = false;
        std::optional<cloud::exchange_id> accepted;
    };

    [[nodiscard]] under_way* find(aws::http_exchange_id id, std::uint64_t number);
    void later(duration wait, aws::http_exchange_id id, std::uint64_t number, void (cloud_path::*what)(under_way&));
    void write(under_way& one);
    void arrive(under_way& one);
    void collect(under_way& one);
    void give_up(under_way& one);
    void refuse_connection(under_way& one);
    void refuse_socket(under_way& one);
    void finish(under_way& one, std::variant<aws::http_response, aws::http_failure> outcome);
    void let_go(const under_way& one);
    cloud::planned_reply hand_over(const aws::http_exchange& exchange);
    // Whether there is a connection that was opened ahead; for a while also one that leads nowhere any more.
    [[nodiscard]] bool has_warm_connection() const;
    duration draw_delay() { return random_.between(std::chrono::microseconds{300}, std::chrono::milliseconds{2}); }

    cloud_site& site_;
    const host_clock& clock_;
    cloud::request_source source_;
    random_source random_;
    owner& to_;
    bool reachable_ = true;
    time_point reachable_since_ = time_point::min();  // or no more since
    bool descriptors_left_ = true;
    time_point descriptors_since_ = time_point::min();
    time_point warm_from_ = never;
    std::uint64_t last_number_ = 0;
    std::map<aws::http_exchange_id, under_way> under_way_;
};

}  // namespace vipd::sim
