#pragma once

// What EC2 last said about route tables, interfaces and Elastic IPs, and how old that is. One object serves all routers of a
// node, so that fifty routers with the same tables cost one read.
//
// Every query is read once a period, as Backup and as Active alike (constant work), and at once when somebody has a reason to
// doubt. A read is one or more pages; only a complete read replaces the view before. Whatever is asked, reads are bounded to a
// burst of 5 and one a second for each query (20 and 2 a second of interfaces, whose moves have to be watched in the making),
// and their pages to a burst of 20 and 5 a second. A later page that fails in passing is asked for again by itself, a few
// times; everything else begins the read anew after a pause, which no doubt shortens where EC2 refuses until a person changes
// something.
//
// Tables that are associated with a gateway (edge tables) are left out unless they are named: EC2 lets them lead only to
// addresses of the VPC, so our route can never be there.
//
// A view carries the time at which its read began. EC2 is eventually consistent: a view may be older than that, never newer
// than its end. What follows from a view that contradicts is the takeover's decision.

#include "agent/aws/cloud_session.hpp"
#include "agent/takeover/call_pauses.hpp"
#include "agent/takeover/cloud_query.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vipd::takeover {

// A table as far as somebody watches it.
struct table_view {
    std::string name;
    std::map<aws::route_destination, aws::route> routes;
};

// Of what was asked for; the rest is empty.
struct query_view {
    std::map<aws::route_table_id, table_view> tables;
    std::set<aws::route_destination> destinations;  // that were looked for; of others the view says nothing
    std::map<aws::network_interface_id, aws::network_interface> interfaces;
    std::map<aws::allocation_id, aws::elastic_address> elastic_addresses;
    time_point read_began{};
    time_point read_ended{};
};

// What is watched, and in route tables which destinations.
using watch_list = std::map<cloud_query, std::set<aws::route_destination>>;

// A ticket links a call to its answer; the caller of EC2 gives it back.
struct read_call {
    std::uint64_t ticket = 0;
    aws::ec2_call call;
};

class world {
public:
    world(duration period, std::uint64_t seed) : period_(period), random_(seed) {}

    // Queries that stay keep their view; new ones are read at once.
    void watch(time_point now, const watch_list& wanted);
    // A shorter one counts from now: what the longer one has put off for an hour is not waited for.
    void set_period(time_point now, duration period);

    // A read that begins at `at` or later, and soon after it.
    void read_at(const cloud_query& query, time_point at);

    void handle_timeout(time_point now);
    // The query whose view has changed by this answer, if a read has become complete.
    std::optional<cloud_query> handle(time_point now, std::uint64_t ticket, const aws::ec2_reply& reply);

    std::optional<read_call> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;

    // Null before the first complete read.
    [[nodiscard]] const query_view* find(const cloud_query& query) const;
    // Why the last read failed; empty when it did not.
    [[nodiscard]] std::string last_error(const cloud_query& query) const;

private:
    struct query_state {
        explicit query_state(const cloud_query& query);

        std::set<aws::route_destination> destinations;
        std::optional<query_view> view;
        time_point next_read{};
        time_point refused_until{};
        token_bucket read_budget;
        token_bucket page_budget{20.0, 5.0};
        call_pauses pauses;
        unsigned results_max = aws::describe_route_tables{}.results_max;
        std::string error;
        // The read under way.
        bool reading = false;
        std::uint64_t ticket = 0;  // of the page that is waited for; 0: none
        time_point next_page{};    // when it may be asked for
        query_view building;
        std::string next_token;
        unsigned pages = 0;
        unsigned failures = 0;  // of the page that is next
    };

    // Nodes that were started together drift apart.
    duration draw_period() { return random_.between(period_ * 9 / 10, period_ * 11 / 10); }
    static void begin_read(time_point now, query_state& q, duration until_next);
    void ask_for_page(time_point now, const cloud_query& query, query_state& q);
    // The token of the page that follows; empty when there is none. Absent when this is no answer to the query.
    static std::optional<std::string> add_page(const cloud_query& query, query_state& q, const aws::ec2_reply& reply);
    void failed(time_point now, query_state& q, const aws::ec2_error& e);
    void abandon(time_point now, query_state& q, duration pause);

    duration period_;
    random_source random_;
    std::map<cloud_query, query_state> queries_;
    std::uint64_t last_ticket_ = 0;
    std::vector<read_call> outputs_;
};

}  // namespace vipd::takeover
