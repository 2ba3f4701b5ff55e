#pragma once

// From the words of the configuration ("the interface ens5", "every table of the VPC") to EC2's ids, with the help of what IMDS
// and the kernel have said. What cannot be resolved yet is said, per route.

#include "agent/aws/identity.hpp"
#include "agent/aws/ids.hpp"
#include "agent/config/config.hpp"
#include "agent/net/link_table.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/cloud_query.hpp"
#include "agent/takeover/local_item.hpp"
#include "agent/takeover/takeover.hpp"
#include "agent/takeover/world.hpp"

#include <vector>

namespace vipd::node {

// Which interface an entry of [[router.eni]] stands for, and what it is found by.
struct known_interface {
    takeover::interface_query query;
    aws::network_interface_id id;  // empty while nobody has said it
    friend bool operator==(const known_interface&, const known_interface&) = default;
};

struct resolved {
    takeover::desired wanted;
    std::vector<status::resource> unresolved;  // and links that have not arrived
    // What the node has of the interfaces that are attached to it, as far as IMDS and the kernel show them.
    std::vector<takeover::local_item> of_interfaces;
    std::vector<known_interface> known;  // of the entries, in their order
};

// `identity` is null until IMDS has answered. `before` is what was known of this router's interfaces the last time: who edits a
// tag, or gives it to a second interface, has said nothing about the one that is attached here and serves.
resolved resolve(const config::router& router, const aws::instance_identity* identity, const net::link_table& links,
                 const takeover::world& world, const std::vector<known_interface>& before = {});

// Of the router's own interface, by its link's MAC address or by its source: one that is moved may be of another VPC, and the
// first that the metadata service lists. Of that first one where nothing says which is the router's; empty when it lists none.
aws::vpc_id own_vpc(const config::router& router, const aws::instance_identity& identity, const net::link_table& links);

// Whether what resolve() says of the router's interfaces follows from what EC2 says of them: of those that are found by tags.
bool depends_on_world(const config::router& router);

// Whether any route needs to know who this instance is.
bool needs_identity(const config::configuration& configuration);

}  // namespace vipd::node
