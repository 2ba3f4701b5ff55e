"""The two routers of a firewall, each on a network of its own, that two real daemons have on one node, with its routes.

    b (vipd, 150) ── eth0: 10.0.2.0/24 ── c (vipd, 100)     router front, 172.16.1.100
                └─── eth1: 10.0.4.0/24 ───┘                 router back, 172.16.2.100
"""

import itertools
from dataclasses import dataclass, replace

from lab.cluster import Cluster
from lab.sniffer import watch_adverts
from lab.testing import LabTest, main
from lab.vipd import GroupConfig, Vipd, VipdConfig
from lab.zones import PLACES, REGION, VIP, VPC, Place

PRIORITIES = {"b": 150, "c": 100}
SECOND_SUBNET = "subnet-0aaaaaaaaaaaaaaa4"
TAKEN = ["firewall", "front", "back"]


@dataclass(frozen=True)
class Network:
    """Where a router is, and what it moves."""

    interface: str
    subnet: str
    vrid: int
    address: str

    def address_of(self, place: Place) -> str:
        return f"{self.subnet}.{place.number}"

    def interface_id_of(self, place: Place) -> str:
        return place.interface_id if self.interface == "eth0" else f"eni-04{place.number:015d}"


FRONT, BACK = Network("eth0", "10.0.2", 51, VIP), Network("eth1", "10.0.4", 52, "172.16.2.100/32")
ROUTERS = {"front": FRONT, "back": BACK}


def second_mac(place: Place) -> str:
    return f"02:00:00:00:04:{place.number:02x}"


def with_second_network(topology: dict) -> None:
    topology["subnets"].append({"id": SECOND_SUBNET, "vpc": VPC, "zone": f"{REGION}b", "cidrs": [f"{BACK.subnet}.0/24"]})
    for place, instance in zip(PLACES, topology["instances"]):
        if place.name in PRIORITIES:
            instance["interfaces"].append({
                "id": BACK.interface_id_of(place), "subnet": SECOND_SUBNET, "mac": second_mac(place), "device_index": 1,
                "addresses": [BACK.address_of(place)], "source_dest_check": False})


class SyncGroups(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, tables=2,
                               topology=with_second_network)
        zones = self.cluster.zones
        self.lab.network.bridge(zones.router, "back", f"{BACK.subnet}.1/24")
        self.places = {name: zones.nodes[name] for name in PRIORITIES}
        for name, node in self.places.items():
            place = zones.places[name]
            self.lab.network.plug(node, BACK.interface, zones.router, "back", f"{BACK.address_of(place)}/24")
            node.ip("link", "set", BACK.interface, "address", second_mac(place))
            self.lab.own_socket(watch_adverts(self.lab.timeline, self.lab.observer, node, BACK.interface))
        self.nodes: dict[str, Vipd] = {}

    def begin(self, preempt_delay: str = "1000s") -> None:
        """Node b has everything, and had it before c was there."""
        for name in PRIORITIES:
            routers = [self.config(name, router, preempt_delay) for router in ROUTERS]
            self.nodes[name] = self.lab.own(Vipd(self.lab, self.places[name], GroupConfig("firewall", routers)))
            self.nodes[name].ready()
            self.settle("b", 0)
            self.is_known("b", name)

    def config(self, name: str, router: str, preempt_delay: str) -> VipdConfig:
        network, places = ROUTERS[router], self.cluster.zones.places
        return replace(self.cluster.config(name), name=router, vrid=network.vrid, interface=network.interface,
                       source=network.address_of(places[name]), preempt_delay=preempt_delay,
                       peers=[network.address_of(places[other]) for other in PRIORITIES if other != name],
                       addresses=[{"address": network.address, "interface": "lo"}],
                       routes=[{"destination": network.address, "tables": {"vpc": True}}])

    def routers(self, name: str) -> dict[str, dict]:
        return {router["name"]: router for router in self.nodes[name].status()["routers"]}

    def states(self, name: str) -> list[str]:
        return [self.routers(name)[router]["state"] for router in ROUTERS]

    def settle(self, owner: str, since: int) -> None:
        """`owner` has become Active for both, its kernel has both addresses, and each route leads to the router's interface;
        who else runs has nothing."""
        for name, node in self.nodes.items():
            if node.running:
                self.lab.timeline.until(f"{name} has {'both' if name == owner else 'nothing'}", lambda name=name: (
                    self.has(name) == [name == owner] * 4), timeout=20)
        self.is_known(owner, owner)
        targets = self.targets(owner)
        for table, routes in self.cluster.cloud.routes().items():
            self.assertEqual({destination: routes[destination]["target"] for destination in targets}, targets, table)
        self.is_told(owner, "Active", since, TAKEN)

    def has(self, name: str) -> list[bool]:
        """The role of either router, and either address."""
        shown = self.places[name].ip("address", "show", "dev", "lo")
        return [state == "Active" for state in self.states(name)] + [network.address in shown for network in ROUTERS.values()]

    def targets(self, owner: str) -> dict[str, str]:
        place = self.cluster.zones.places[owner]
        return {network.address: network.interface_id_of(place) for network in ROUTERS.values()}

    def is_known(self, owner: str, name: str) -> None:
        """Node `name` has read that `owner` has every route."""
        def read() -> set[tuple[str, str]]:
            return {(route["destination"], route["owner"]) for router in self.routers(name).values()
                    for route in router["resources"] if route["kind"] == "route"}

        self.lab.timeline.until(f"{name} knows that {owner} has the routes",
                                lambda: read() == set(self.targets(owner).items()), timeout=20)

    def told(self, name: str, to: str, since: int) -> list[str]:
        """The log's lines of what has become of the group and of its routers, in their order: one for each."""
        said = self.lab.timeline.select(lambda e: e.source == name and e.kind == "log" and e.fields.get("to") == to and
                                        e.fields.get("event") in ("sync_group", "transition"), since)
        return [e.group if e.event == "sync_group" else e.router for e in said]

    def is_told(self, name: str, to: str, since: int, wanted: list[str]) -> None:
        self.lab.timeline.until(f"{name} tells {wanted}", lambda: self.told(name, to, since) == wanted, timeout=10)

    def releases(self, name: str, router: str, since: int) -> None:
        self.lab.advert(f"{name} releases {router}", name, since=since, vrid=ROUTERS[router].vrid, priority=0)

    def assert_took_each_route_once(self, name: str, since: int) -> None:
        calls = [(call.action, call.destination, call.table) for call in self.cluster.mutations(name, since)]
        self.assertEqual(sorted(calls), sorted(itertools.product(
            ["ReplaceRoute"], (network.address for network in ROUTERS.values()), self.cluster.tables)))

    def lose_adverts(self, name: str, interface: str) -> None:
        self.places[name].run("nft", f"add table ip {interface}; add chain ip {interface} input {{ type filter hook input "
                              f"priority 0; }}; add rule ip {interface} input iif {interface} ip protocol 112 drop")

    # --- the tests ---

    def test_a_hand_over_of_one_is_one_of_both_and_status_and_metrics_say_where_they_are(self) -> None:
        self.begin()
        asked = self.nodes["b"].step_down("back")
        self.settle("c", asked.at)
        self.assert_took_each_route_once("c", asked.at)
        self.is_told("b", "Backup", asked.at, ["back", "firewall", "front"])
        for router in ROUTERS:
            self.releases("b", router, asked.at)
        for name, state in (("b", "Backup"), ("c", "Active")):
            self.assertEqual(self.states(name), [state, state])
            self.assertEqual([router["sync_group"] for router in self.routers(name).values()], ["firewall", "firewall"])
            code, metrics = self.nodes[name].request("GET", "/metrics")
            self.assertEqual(code, 200)
            for router in ROUTERS:
                self.assertIn(f'vipd_router_state{{router="{router}",state="{state}"}} 1', metrics)

    def test_a_crash_moves_both(self) -> None:
        self.begin()
        crash = self.nodes["b"].kill()
        self.nodes["b"].wait()
        self.settle("c", crash.at)
        self.assert_took_each_route_once("c", crash.at)

    def test_a_fault_of_one_network_moves_both_and_its_end_brings_both_back(self) -> None:
        self.begin(preempt_delay="0s")
        for router, other in (("front", "back"), ("back", "front")):
            interface = ROUTERS[router].interface
            down = self.lab.timeline.note("lab", "link_down", interface=interface)
            self.places["b"].ip("link", "set", interface, "down")
            self.settle("c", down.at)
            self.releases("b", other, down.at)
            self.assertEqual(self.states("b"), ["Initialize", "Initialize"])
            self.is_told("b", "Initialize", down.at, ["firewall", "front", "back"])
            self.assertIn(f"router '{router}' of its sync group 'firewall' takes no part",
                          self.nodes["b"].router(other)["state_reason"])
            up = self.lab.timeline.note("lab", "link_up", interface=interface)
            self.places["b"].ip("link", "set", interface, "up")
            if router == "front":  # it went with the link
                self.places["b"].ip("route", "add", "default", "via", f"{FRONT.subnet}.1")
            self.settle("b", up.at)

    def test_the_silence_of_one_network_alone_moves_nothing_and_status_says_what_is_waited_for(self) -> None:
        self.begin()
        lost = self.lab.timeline.note("lab", "adverts_lost")
        self.lose_adverts("c", "eth0")
        self.lab.timeline.until("front waits", lambda: "waits for router 'back' of its sync group 'firewall', which hears "
                                "10.0.4.20" in self.routers("c")["front"]["state_reason"], timeout=20)
        self.assertEqual((self.states("b"), self.states("c")), (["Active", "Active"], ["Backup", "Backup"]))
        self.assertEqual(self.lab.timeline.select(lambda e: e.fields.get("event") in ("sync_group", "transition"), lost.at), [])
        # Of both: nobody is heard any more.
        both = self.lab.timeline.note("lab", "adverts_lost")
        self.lose_adverts("c", "eth1")
        self.lab.timeline.until("c has both", lambda: self.states("c") == ["Active", "Active"], timeout=20)
        self.is_told("c", "Active", both.at, TAKEN)


if __name__ == "__main__":
    main()
