"""What can be moved beside routes of one address, in the account of the laboratory: an address of either family, an Elastic IP
and an interface with an address of either family, all in the zone of the nodes b and c; and a prefix list of two addresses."""

from .zones import VIP

ADDRESS, ADDRESS6 = "10.0.2.100", "2001:db8:2::64"
ELASTIC_IP = "eipalloc-0aaaaaaaaaaaaaaa1"
ELASTIC_ADDRESS = "203.0.113.10"
FLOATING = "eni-0aaaaaaaaaaaaaaa9"
FLOATING_ADDRESS, FLOATING_ADDRESS6 = "10.0.2.50", "2001:db8:2::50"
FLOATING_MAC = "02:00:00:00:02:50"
PREFIX_LIST = "pl-0aaaaaaaaaaaaaaa1"
LISTED = (VIP, "172.16.1.101/32")  # what is in it
PRIORITIES = {"b": 200, "c": 100}  # the two nodes of one zone


def add_to(topology: dict) -> None:
    vpc, (_, subnet) = topology["vpcs"][0], topology["subnets"]
    vpc["internet_gateway"] = "igw-0aaaaaaaaaaaaaaa1"
    vpc["cidrs"].append("2001:db8:2::/56")
    subnet["cidrs"].append("2001:db8:2::/64")
    topology["interfaces"] = [{"id": FLOATING, "subnet": subnet["id"], "mac": FLOATING_MAC,
                               "addresses": [FLOATING_ADDRESS], "ipv6_addresses": [FLOATING_ADDRESS6],
                               "tags": {"Name": "floating"}}]
    topology["elastic_ips"] = [{"id": ELASTIC_IP, "public_ip": ELASTIC_ADDRESS}]
    add_prefix_list(topology)


def add_prefix_list(topology: dict) -> None:
    topology["prefix_lists"] = [{"id": PREFIX_LIST, "name": "virtual-ips", "entries": list(LISTED)}]


def peers_of(cluster, name: str) -> list[dict]:
    return [{"address": cluster.zones.places[other].address} for other in PRIORITIES if other != name]
