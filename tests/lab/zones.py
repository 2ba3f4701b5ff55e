"""A VPC in namespaces: two zones, each a subnet with its nodes, joined by a router; the cloud's endpoints behind it; a client.

The router is a router: adverts between zones lose one hop of their TTL, and the routes of the VPC's tables stand in its kernel,
put there by whoever plays the data plane (see dataplane.py).

    client ── router ── zone a: 10.0.1.0/24     node a 10.0.1.10, ...
                    └── zone b: 10.0.2.0/24     node b 10.0.2.10, ...
                    └── cloud: EC2 at 10.0.0.100, STS at 10.0.0.101, IMDS at 169.254.169.254
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .network import Namespace

VPC = "vpc-0aaaaaaaaaaaaaaa1"
REGION = "eu-west-1"
EC2_ADDRESS = "10.0.0.100"
STS_ADDRESS = "10.0.0.101"
IMDS_ADDRESS = "169.254.169.254"
CLIENT_ADDRESS = "10.0.3.10"
ROUTER6 = "fe80:ec2::1"  # on every link of a VPC
VIP = "172.16.1.100/32"
OPERATOR_KEY = ("AKIAVIPDLABOPERATOR1", "operator/of/the/laboratory/of/namespaces")
# Roles that the nodes may assume: of the account that has the route tables, and by a token.
ROUTES_ROLE = "arn:aws:iam::210987654321:role/routes"
EXTERNAL_ID = "vipd-lab"
TOKEN_ROLE = "arn:aws:iam::123456789012:role/by-token"
TOKEN = ("token.of.the.laboratory", "system:serviceaccount:lab:vipd")
ROLE_ACTIONS = ["ec2:DescribeRouteTables", "ec2:DescribeNetworkInterfaces", "ec2:CreateRoute", "ec2:ReplaceRoute"]


@dataclass(frozen=True)
class Place:
    """Where a node is. `number` makes its ids and its last byte."""

    name: str
    zone: str
    number: int

    @property
    def address(self) -> str:
        return f"10.0.{1 if self.zone == 'a' else 2}.{self.number}"

    @property
    def mac(self) -> str:
        return f"02:00:00:00:0{1 if self.zone == 'a' else 2}:{self.number:02x}"

    @property
    def interface_id(self) -> str:
        return f"eni-0{self.number:016d}"

    @property
    def instance_id(self) -> str:
        return f"i-0{self.number:016d}"


# Node a's zone has one node, b and c share the other: adverts go within a zone and across.
PLACES = (Place("a", "a", 10), Place("b", "b", 20), Place("c", "b", 30))


class Zones:
    def __init__(self, lab, places: tuple[Place, ...] = PLACES) -> None:
        self.lab = lab
        self.places = {place.name: place for place in places}
        network = lab.network
        self.router = network.namespace("router")
        self.router.sysctl("net.ipv4.ip_forward", "1")
        network.bridge(self.router, "zone-a", "10.0.1.1/24")
        network.bridge(self.router, "zone-b", "10.0.2.1/24")
        self.cloud = network.namespace("cloud")
        self._join(self.cloud, "10.0.0", EC2_ADDRESS)
        for address in (STS_ADDRESS, IMDS_ADDRESS):
            self.cloud.ip("address", "add", f"{address}/32", "dev", "eth0")
        self.router.ip("route", "add", IMDS_ADDRESS, "via", EC2_ADDRESS)
        self.client = network.namespace("client")
        self._join(self.client, "10.0.3", CLIENT_ADDRESS)
        self.nodes: dict[str, Namespace] = {}
        for place in places:
            node = self.nodes[place.name] = network.namespace(place.name)
            network.plug(node, "eth0", self.router, f"zone-{place.zone}", f"{place.address}/24")
            node.ip("link", "set", "eth0", "address", place.mac)
            node.ip("route", "add", "default", "via", f"10.0.{1 if place.zone == 'a' else 2}.1")
            lab.watch(node)

    def _join(self, namespace: Namespace, subnet: str, address: str) -> None:
        port = f"to-{namespace.name}"
        self.lab.network.link(namespace, "eth0", self.router, port)
        self.router.ip("address", "add", f"{subnet}.1/24", "dev", port)
        namespace.ip("address", "add", f"{address}/24", "dev", "eth0")
        namespace.ip("route", "add", "default", "via", f"{subnet}.1")

    def speak_ipv6(self) -> None:
        """Gives IPv6 to the client and to the nodes of zone b, whose kernels look for duplicates like any other's."""
        self.router.sysctl("net.ipv6.conf.all.forwarding", "1")
        for port, number in (("zone-b", 2), ("to-client", 3)):
            for address in (f"{ROUTER6}/64", f"2001:db8:{number}::1/64"):
                self.router.ip("address", "add", address, "dev", port, "nodad")
        ends = [(self.client, "2001:db8:3::10/64")]
        ends += [(self.nodes[place.name], f"2001:db8:2::{place.number}/64") for place in self.places.values()
                 if place.zone == "b"]
        for end, address in ends:
            end.ip("address", "add", address, "dev", "eth0", "nodad")
            end.ip("route", "add", "default", "via", ROUTER6, "dev", "eth0")
            end.sysctl("net.ipv6.conf.all.accept_dad", "1")

    def deliver(self, address: str, mac: str, zone: str) -> None:
        """What is for `address` goes there from now on: the router of a VPC asks nobody who has it."""
        self.router.ip("neighbor", "replace", address, "lladdr", mac, "dev", f"zone-{zone}", "nud", "permanent")

    def peers_of(self, name: str) -> list[dict]:
        """The others, each with the lowest TTL that its adverts arrive with."""
        here = self.places[name]
        return [{"address": place.address, "min_ttl": 255 if place.zone == here.zone else 254}
                for place in self.places.values() if place.name != name]

    def owner_of(self, interface_id: str) -> str:
        """The node behind an interface id; the id itself when it is nobody's."""
        return next((place.name for place in self.places.values() if place.interface_id == interface_id), interface_id)

    def write_topology(self, file: Path, tables: int = 3, change: Callable[[dict], None] = lambda topology: None) -> list[str]:
        """What cloudsim is to hold; returns the ids of the route tables. The first is the VPC's main one. `change` makes of it
        what else a test needs."""
        subnets = {"a": "subnet-0aaaaaaaaaaaaaaa1", "b": "subnet-0aaaaaaaaaaaaaaa2"}
        table_ids = [f"rtb-0{number:016d}" for number in range(1, tables + 1)]
        topology = {
            "region": REGION,
            "account": "123456789012",
            "vpcs": [{"id": VPC, "cidrs": ["10.0.0.0/16"], "tags": {"Name": "lab"}}],
            "subnets": [{"id": subnets[zone], "vpc": VPC, "zone": f"{REGION}{zone}", "cidrs": [f"10.0.{number}.0/24"]}
                        for number, zone in enumerate("ab", 1)],
            "instances": [{
                "id": place.instance_id, "name": f"node-{place.name}", "role": "vipd",
                "interfaces": [{"id": place.interface_id, "subnet": subnets[place.zone], "mac": place.mac,
                                "addresses": [place.address], "source_dest_check": False}],
            } for place in self.places.values()],
            "route_tables": [{"id": table, "vpc": VPC, "main": number == 0, "tags": {"Name": f"lab-{number}"}}
                             for number, table in enumerate(table_ids)],
            "access_keys": [{"id": OPERATOR_KEY[0], "secret": OPERATOR_KEY[1], "principal": "user/operator"}],
            "roles": [{"name": "routes", "account": "210987654321", "external_id": EXTERNAL_ID,
                       "trusts": ["user/operator", "role/vipd"]},
                      {"name": "by-token", "trusts": [f"subject/{TOKEN[1]}"]}],
            "identity_tokens": [{"token": TOKEN[0], "subject": TOKEN[1]}],
            "policies": {role: [{"effect": "allow", "actions": list(ROLE_ACTIONS)}]
                         for role in ("role/vipd", "role/routes", "role/by-token")},
        }
        change(topology)
        file.write_text(json.dumps(topology, indent=1))
        return table_ids
