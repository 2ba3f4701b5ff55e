#include "tests/cloud/topology.hpp"

namespace vipd::cloud {

std::string_view example_topology()
{
    return R"({
  "region": "eu-west-1",
  "account": "123456789012",
  "vpcs": [{"id": "vpc-0aaaaaaaaaaaaaaa1", "cidrs": ["10.0.0.0/16"], "tags": {"Name": "example"},
            "internet_gateway": "igw-0aaaaaaaaaaaaaaa1"}],
  "subnets": [
    {"id": "subnet-0aaaaaaaaaaaaaaa1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "eu-west-1a", "cidrs": ["10.0.1.0/24"]},
    {"id": "subnet-0aaaaaaaaaaaaaaa2", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "eu-west-1b", "cidrs": ["10.0.2.0/24"]}
  ],
  "security_groups": [
    {"id": "sg-0aaaaaaaaaaaaaaa1", "name": "vipd", "vpc": "vpc-0aaaaaaaaaaaaaaa1",
     "inbound": [{"protocol": "112", "groups": ["sg-0aaaaaaaaaaaaaaa1"], "description": "VRRP"},
                 {"protocol": "tcp", "from_port": 443, "cidrs": ["0.0.0.0/0"]}]}
  ],
  "instances": [
    {"id": "i-0aaaaaaaaaaaaaaa1", "name": "node-a", "role": "vipd",
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa1", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:10",
                     "addresses": ["10.0.1.10"], "source_dest_check": false,
                     "security_groups": ["sg-0aaaaaaaaaaaaaaa1"]}]},
    {"id": "i-0aaaaaaaaaaaaaaa2", "name": "node-b", "role": "vipd",
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa2", "subnet": "subnet-0aaaaaaaaaaaaaaa2", "mac": "02:00:00:00:02:10",
                     "addresses": ["10.0.2.10"], "source_dest_check": false,
                     "security_groups": ["sg-0aaaaaaaaaaaaaaa1"]}]},
    {"id": "i-0aaaaaaaaaaaaaaa3", "name": "node-c", "role": "vipd",
     "interfaces": [{"id": "eni-0aaaaaaaaaaaaaaa3", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:11",
                     "addresses": ["10.0.1.11"], "source_dest_check": true,
                     "security_groups": ["sg-0aaaaaaaaaaaaaaa1"]}]}
  ],
  "interfaces": [
    {"id": "eni-0aaaaaaaaaaaaaaa9", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:50", "addresses": ["10.0.1.50"],
     "tags": {"Name": "floating"}, "security_groups": ["sg-0aaaaaaaaaaaaaaa1"]}
  ],
  "elastic_ips": [
    {"id": "eipalloc-0aaaaaaaaaaaaaaa1", "public_ip": "203.0.113.10", "tags": {"Name": "floating"}}
  ],
  "route_tables": [
    {"id": "rtb-0aaaaaaaaaaaaaaa1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "main": true, "tags": {"Name": "main"},
     "routes": [{"destination": "0.0.0.0/0", "target": "igw-0aaaaaaaaaaaaaaa1"}]},
    {"id": "rtb-0aaaaaaaaaaaaaaa2", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "subnets": ["subnet-0aaaaaaaaaaaaaaa1"],
     "tags": {"Name": "private-a"},
     "routes": [{"destination": "172.16.1.100/32", "target": "eni-0aaaaaaaaaaaaaaa1"}]},
    {"id": "rtb-0aaaaaaaaaaaaaaa3", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "subnets": ["subnet-0aaaaaaaaaaaaaaa2"],
     "tags": {"Name": "private-b"}}
  ],
  "prefix_lists": [{"id": "pl-0aaaaaaaaaaaaaaa1", "name": "virtual-ips", "entries": ["172.16.1.100/32", "172.16.1.101/32"]}],
  "access_keys": [{"id": "AKIAEXAMPLEOPERATOR1",
                   "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "principal": "user/operator"}],
  "roles": [
    {"name": "route-writer", "account": "210987654321", "external_id": "example-id", "session_seconds_max": 7200,
     "trusts": ["role/vipd", "user/operator", "role/middle"]},
    {"name": "middle", "trusts": ["user/operator"]},
    {"name": "vipd-by-token", "trusts": ["subject/system:serviceaccount:network:vipd"]}
  ],
  "identity_tokens": [{"token": "example.identity.token", "subject": "system:serviceaccount:network:vipd"}],
  "policies": {
    "role/vipd": [{"effect": "allow", "actions": ["ec2:Describe*", "ec2:ReplaceRoute", "ec2:CreateRoute",
                                                  "ec2:ModifyNetworkInterfaceAttribute", "sts:AssumeRole"]}]
  }
}
)";
}

}  // namespace vipd::cloud
