#include "tests/unit/cloud/moves_fixture.hpp"

namespace vipd::cloud {

std::string_view moves_topology()
{
    return R"({
  "vpcs": [
    {"id": "vpc-0aaaaaaaaaaaaaaa1", "cidrs": ["10.0.0.0/16", "2001:db8::/56"], "internet_gateway": "igw-0aaaaaaaaaaaaaaa1",
     "tags": {"Name": "main"}},
    {"id": "vpc-0aaaaaaaaaaaaaaa2", "cidrs": ["10.9.0.0/16"]}],
  "subnets": [
    {"id": "subnet-0aaaaaaaaaaaaaaa1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "eu-west-1a",
     "cidrs": ["10.0.1.0/24", "2001:db8:0:1::/64"], "tags": {"Name": "a"}},
    {"id": "subnet-0aaaaaaaaaaaaaaa2", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "eu-west-1b", "cidrs": ["10.0.2.0/24"]},
    {"id": "subnet-0aaaaaaaaaaaaaaa3", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "eu-west-1a", "cidrs": ["10.0.3.0/28"]},
    {"id": "subnet-0aaaaaaaaaaaaaaa4", "vpc": "vpc-0aaaaaaaaaaaaaaa2", "zone": "eu-west-1a", "cidrs": ["10.9.1.0/24"]}],
  "security_groups": [
    {"id": "sg-0aaaaaaaaaaaaaaa1", "name": "vipd", "description": "nodes", "vpc": "vpc-0aaaaaaaaaaaaaaa1",
     "inbound": [{"protocol": "112", "groups": ["sg-0aaaaaaaaaaaaaaa1"], "description": "VRRP"},
                 {"protocol": "tcp", "from_port": 80, "to_port": 90, "cidrs": ["0.0.0.0/0", "::/0"]}]},
    {"id": "sg-0aaaaaaaaaaaaaaa2", "name": "other", "vpc": "vpc-0aaaaaaaaaaaaaaa1",
     "inbound": [{"protocol": "51", "prefix_lists": ["pl-0aaaaaaaaaaaaaaa1"]}]}],
  "instance_types": [{"name": "t3.small", "ipv6_addresses_per_interface": 2}],
  "instances": [
    {"id": "i-0aaaaaaaaaaaaaaa1", "name": "node-a", "type": "t3.small", "role": "vipd", "tags": {"vrrp-group": "g1"},
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa1", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:10",
                     "addresses": ["10.0.1.10"], "ipv6_addresses": ["2001:db8:0:1::10"],
                     "security_groups": ["sg-0aaaaaaaaaaaaaaa1"], "tags": {"vrrp-group": "g1"}}]},
    {"id": "i-0aaaaaaaaaaaaaaa2", "name": "node-b", "type": "t3.small", "role": "vipd", "spot": true,
     "tags": {"vrrp-group": "g1"},
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa2", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:11",
                     "addresses": ["10.0.1.11"], "tags": {"vrrp-group": "g1"}}]},
    {"id": "i-0aaaaaaaaaaaaaaa3", "name": "node-c", "type": "t3.micro",
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa3", "subnet": "subnet-0aaaaaaaaaaaaaaa2", "mac": "02:00:00:00:02:10",
                     "addresses": ["10.0.2.10"]}]},
    {"id": "i-0aaaaaaaaaaaaaaa4", "name": "node-d",
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa4", "subnet": "subnet-0aaaaaaaaaaaaaaa4", "mac": "02:00:00:00:09:10",
                     "addresses": ["10.9.1.10"]}]}],
  "interfaces": [
    {"id": "eni-0aaaaaaaaaaaaaaa6", "subnet": "subnet-0aaaaaaaaaaaaaaa3", "mac": "02:00:00:00:03:50", "addresses": ["10.0.3.10"],
     "requester_managed": true},
    {"id": "eni-0aaaaaaaaaaaaaaa7", "subnet": "subnet-0aaaaaaaaaaaaaaa2", "mac": "02:00:00:00:02:50", "addresses": ["10.0.2.50"]},
    {"id": "eni-0aaaaaaaaaaaaaaa8", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:51", "addresses": ["10.0.1.51"]},
    {"id": "eni-0aaaaaaaaaaaaaaa9", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:50", "addresses": ["10.0.1.50"],
     "description": "the floating one", "tags": {"Name": "floating", "vrrp-group": "g1"}}],
  "elastic_ips": [
    {"id": "eipalloc-0aaaaaaaaaaaaaaa1", "public_ip": "203.0.113.10", "tags": {"Name": "floating", "vrrp-group": "g1"}},
    {"id": "eipalloc-0aaaaaaaaaaaaaaa2", "public_ip": "203.0.113.11"}],
  "access_keys": [{"id": "AKIAEXAMPLEOPERATOR1",
                   "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "principal": "user/operator"}]
})";
}

std::string moves_test::attach(const char* interface, const char* instance, int device_index)
{
    return verdict("AttachNetworkInterface", {{"NetworkInterfaceId", interface},
                                              {"InstanceId", instance},
                                              {"DeviceIndex", std::to_string(device_index)},
                                              {"NetworkCardIndex", "0"}});
}

std::string moves_test::detach(const char* interface, bool force)
{
    parameters values{{"AttachmentId", attachment_of(interface)}};
    if (force) {
        values.emplace_back("Force", "true");
    }
    return verdict("DetachNetworkInterface", values);
}

std::string moves_test::assign(const char* interface, const std::string& address, bool reassign)
{
    const bool v6 = address.find(':') != std::string::npos;
    parameters values{{"NetworkInterfaceId", interface}, {v6 ? "Ipv6Addresses.1" : "PrivateIpAddress.1", address}};
    if (reassign) {
        values.emplace_back("AllowReassignment", "true");
    }
    return verdict(v6 ? "AssignIpv6Addresses" : "AssignPrivateIpAddresses", values);
}

std::string moves_test::unassign(const char* interface, const std::string& address)
{
    const bool v6 = address.find(':') != std::string::npos;
    return verdict(v6 ? "UnassignIpv6Addresses" : "UnassignPrivateIpAddresses",
                   {{"NetworkInterfaceId", interface}, {v6 ? "Ipv6Addresses.1" : "PrivateIpAddress.1", address}});
}

std::string moves_test::associate(const char* allocation, const char* interface, const std::string& private_address)
{
    parameters values{{"AllocationId", allocation}, {"NetworkInterfaceId", interface}};
    if (!private_address.empty()) {
        values.emplace_back("PrivateIpAddress", private_address);
    }
    return verdict("AssociateAddress", values);
}

const network_interface& moves_test::interface(const char* id)
{
    return *cloud.model().primary().interface(network_interface_id{id});
}

const elastic_ip& moves_test::elastic_ip_of(const char* id)
{
    return *cloud.model().primary().elastic(allocation_id{id});
}

std::string moves_test::attachment_of(const char* id)
{
    const auto& attached = interface(id).attached;
    return attached ? attached->id : std::string{};
}

std::string moves_test::holder(const std::string& address)
{
    for (const auto& [id, versions] : cloud.model().state().interfaces) {
        if (versions.current() != nullptr && versions.current()->has(*ip_address::parse(address))) {
            return id.str();
        }
    }
    return {};
}

pugi::xml_node moves_test::described(const char* id)
{
    last_ = get("DescribeNetworkInterfaces", filter("network-interface-id", id));
    return last_.child("DescribeNetworkInterfacesResponse").child("networkInterfaceSet").child("item");
}

std::vector<std::string> moves_test::movements()
{
    std::vector<std::string> out;
    while (const auto what = cloud.poll_movement()) {
        const auto subject = what->address.empty() ? what->interface.str() : what->address;
        out.push_back(subject + (what->arrived ? " arrived at " : " left ") +
                      (what->address.empty() ? what->node : what->interface.str()));
    }
    return out;
}

std::vector<std::string> moves_test::texts(const std::string& action, const parameters& values, const char* path)
{
    const auto document = get(action, values);
    std::vector<std::string> out;
    for (const auto& found : document.select_nodes(path)) {
        out.emplace_back(found.node().child_value());
    }
    return out;
}

}  // namespace vipd::cloud
