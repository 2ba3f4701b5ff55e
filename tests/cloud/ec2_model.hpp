#pragma once

// EC2's rules about the state: what a describe returns, what a change needs, and how EC2 words a refusal. Who asks, how often
// and over which wire is decided before (simulated_cloud).

#include "tests/cloud/api_error.hpp"
#include "tests/cloud/ec2_request.hpp"
#include "tests/cloud/state.hpp"

#include <string>
#include <vector>

namespace vipd::cloud {

template <class T>
struct page {
    std::vector<const T*> items;  // by id; valid until the next change
    std::string next_token;       // empty on the last page
};

class ec2_model {
public:
    explicit ec2_model(cloud_state state) : state_(std::move(state)) {}

    [[nodiscard]] const cloud_state& state() const { return state_; }
    [[nodiscard]] replica primary() const { return {state_}; }
    // What a replica that lags until `when` knows.
    [[nodiscard]] replica as_of(time_point when) const { return {state_, when}; }

    // --- the API ---
    [[nodiscard]] static api_result<page<route_table>> list(const describe_route_tables& call, const replica& from);
    [[nodiscard]] static api_result<page<network_interface>> list(const describe_network_interfaces& call, const replica& from);
    [[nodiscard]] static api_result<page<instance>> list(const describe_instances& call, const replica& from);
    [[nodiscard]] static api_result<page<instance>> list(const describe_instance_status& call, const replica& from);

    // Whether what the call names exists: asked before permissions, which depend on the resource.
    [[nodiscard]] api_result<void> check_named(const change_route& call) const;
    [[nodiscard]] api_result<void> check_named(const set_source_dest_check& call) const;

    api_result<void> apply(time_point now, const change_route& call);
    api_result<void> apply(time_point now, const set_source_dest_check& call);

    // --- what happens without the API: an operator's hand, hardware, another account ---
    bool set_instance_state(time_point now, const instance_id& id, instance_state state);
    // An empty instance detaches.
    bool attach(time_point now, const network_interface_id& id, const instance_id& to, unsigned device_index);
    bool remove_interface(time_point now, const network_interface_id& id);
    bool add_table(time_point now, route_table table);
    bool remove_table(time_point now, const route_table_id& id);
    // Adds or replaces, whatever the rules say.
    bool put_route(time_point now, const route_table_id& table, const route& value);
    bool remove_route(time_point now, const route_table_id& table, const route_destination& destination);

private:
    api_result<void> replace(time_point now, const route_table& table, const change_route& call);
    api_result<void> create(time_point now, const route_table& table, const change_route& call);
    api_result<void> remove(time_point now, const route_table& table, const change_route& call);
    [[nodiscard]] api_result<route_target> check_target(const change_route& call, const route_table& table) const;
    [[nodiscard]] api_result<void> check_destination(const change_route& call, const route_target& target,
                                                     const route_table& table) const;

    cloud_state state_;
};

}  // namespace vipd::cloud
