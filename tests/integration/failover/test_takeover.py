"""What a takeover moves: routes of every kind of destination, in tables chosen in every way, and the interface's own check."""

from lab import movables
from lab.cluster import Cluster
from lab.dataplane import Application, Client, RouteFollower
from lab.movables import LISTED, PREFIX_LIST
from lab.streams import StreamTest
from lab.testing import LabTest, main
from lab.zones import VIP, VPC

VIP6 = "2001:db8:f::100/128"
PRIORITIES = {"a": 200, "b": 100}
LATER_TABLE, OTHER_TABLE = "rtb-0bbbbbbbbbbbbbbb1", "rtb-0bbbbbbbbbbbbbbb2"


def richer(topology: dict) -> None:
    """Two tables of each kind, a prefix list, and interfaces as EC2 makes them: with the source/destination check."""
    for number, table in enumerate(topology["route_tables"]):
        table["tags"] = {"Name": ("public-", "private-", "transit-")[number // 2] + str(number % 2)}
    movables.add_prefix_list(topology)
    for instance in topology["instances"]:
        instance["interfaces"][0]["source_dest_check"] = True
    topology["policies"]["role/vipd"][0]["actions"].append("ec2:ModifyNetworkInterfaceAttribute")


class Takeover(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, tables=6,
                               topology=richer)
        public, private, transit = (set(self.cluster.tables[first:first + 2]) for first in (0, 2, 4))
        self.cluster.routes = [
            {"destination": VIP, "tables": {"ids": sorted(public)}, "source_dest_check": "disable"},
            {"destination": VIP6, "tables": {"tags": {"Name": "private-*"}}},
            {"destination": PREFIX_LIST, "tables": {"tags": {"Name": "tr?nsit-*"}}},
        ]
        self.wanted = {VIP: public, VIP6: private, PREFIX_LIST: transit}
        for name in PRIORITIES:
            self.cluster.start(name).ready()
        self.settle("a")

    def routes(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The node and the state of each virtual route that is there, by destination and table."""
        return {(destination, table): (route["node"], route["state"]) for table, routes in self.cluster.cloud.routes().items()
                for destination, route in routes.items() if destination in self.wanted}

    def settle(self, owner: str) -> None:
        """Every route leads to `owner`, no other is there, and all who run have seen it."""
        self.cluster.nodes[owner].wait_for_state("Active")
        expected = {(destination, table): (f"node-{owner}", "active")
                    for destination, tables in self.wanted.items() for table in tables}
        self.lab.timeline.until(f"every route leads to {owner}", lambda: self.routes() == expected, timeout=15)
        self.cluster.wait_until_known(owner)

    def checks(self) -> dict[str, bool]:
        """The source/destination check, by node."""
        interfaces = self.cluster.cloud.command("GET", "/state")["interfaces"]
        return {name: interfaces[self.cluster.zones.places[name].interface_id]["source_dest_check"] for name in PRIORITIES}

    def test_every_route_goes_where_it_belongs_and_nowhere_else(self) -> None:
        crash = self.cluster.nodes["a"].kill()
        self.settle("b")
        calls = self.cluster.mutations("b", crash.at)
        self.assertEqual({call.action for call in calls if call.table}, {"ReplaceRoute"})
        self.assertEqual({(call.destination, call.table) for call in calls if call.table},
                         {(destination, table) for destination, tables in self.wanted.items() for table in tables})

    def test_the_blackholes_of_a_dead_instance_are_repaired(self) -> None:
        self.cluster.cloud.command("PUT", "/instances/node-a", {"state": "terminated"})
        self.assertEqual({state for _, state in self.routes().values()}, {"blackhole"})
        b = self.cluster.nodes["b"]
        self.lab.timeline.until("b sees them", lambda: all(
            "blackhole" in route["owner"] for route in b.router()["resources"] if route["kind"] == "route"))
        self.cluster.nodes["a"].kill()
        self.settle("b")

    def test_a_table_that_is_made_later_is_found_and_taken(self) -> None:
        made = self.lab.timeline.note("lab", "tables_made")
        self.cluster.cloud.command("POST", "/tables", {"id": LATER_TABLE, "vpc": VPC, "tags": {"Name": "private-later"}})
        self.cluster.cloud.command("POST", "/tables", {"id": OTHER_TABLE, "vpc": VPC, "tags": {"Name": "not-private"}})
        self.wanted[VIP6].add(LATER_TABLE)
        self.settle("a")
        self.assertEqual([(call.action, call.table) for call in self.cluster.mutations("a", made.at)],
                         [("CreateRoute", LATER_TABLE)])
        self.assertEqual(self.cluster.mutations("b", 0), [], "a Backup finds it and leaves it alone")
        # And gone again.
        self.cluster.cloud.command("DELETE", f"/tables/{LATER_TABLE}")
        self.wanted[VIP6].remove(LATER_TABLE)
        self.cluster.nodes["a"].log_line("a lets it go", "event=route_table_gone", since=made.at)
        self.settle("a")

    def test_the_active_switches_its_own_source_dest_check_off(self) -> None:
        self.assertEqual(self.checks(), {"a": False, "b": True})
        self.cluster.nodes["b"].log_line("b says that its check is on", "event=source_dest_check")
        self.cluster.nodes["a"].kill()
        self.settle("b")
        self.assertEqual(self.checks(), {"a": False, "b": False})

    def test_a_policy_that_forbids_the_check_holds_up_no_route(self) -> None:
        self.cluster.cloud.command("PUT", "/policies", {"principal": "role/vipd", "statements": [
            {"effect": "allow", "actions": ["ec2:Describe*", "ec2:CreateRoute", "ec2:ReplaceRoute"]}]})
        crash = self.cluster.nodes["a"].kill()
        for destination, tables in self.wanted.items():
            for table in tables:
                self.lab.timeline.wait(f"{destination} in {table} leads to b", lambda e: e.kind == "change" and e.fields.get(
                    "node") == "node-b" and (e.destination, e.table) == (destination, table), since=crash.at)
        refused = self.lab.timeline.wait("b says that it may not", lambda e: e.source == "b" and e.fields.get(
            "action") == "ModifyNetworkInterfaceAttribute", since=crash.at)
        self.assertEqual((refused.outcome, refused.level), ("denied", "error"))
        self.assertEqual(self.checks(), {"a": False, "b": True})


class RouteStream(StreamTest):
    """Two tables whose route leads to a, and a client of each address that it is for."""

    destination, addresses = VIP, (VIP,)

    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, latency_ms=100.0,
                               tables=2, topology=movables.add_prefix_list)
        self.cluster.destination = self.destination
        self.cluster.routes = [{"destination": self.destination, "tables": {"vpc": True}}]
        RouteFollower(self.cluster.zones, self.cluster.tables[0], self.destination, self.addresses)
        self.start("a")
        self.cluster.settle("a")
        self.start("b")
        self.cluster.settle("a")
        self.clients = [Client(self.cluster.zones, address) for address in self.addresses]
        for client in self.clients:
            self.addCleanup(client.close)
        self.is_answered_by("a", self.clients, 0)
        self.begin_to_count(self.clients)

    def start(self, name: str) -> None:
        for address in self.addresses:
            Application(self.cluster.zones, name, address)
        self.cluster.start(name, preempt_delay="1000s", more={"drain": "3s"}, addresses=[
            {"address": address, "interface": "lo"} for address in self.addresses]).ready()

    def settle(self, owner: str, since: int) -> int:
        """Returns since when the router has sent all addresses to `owner`."""
        self.cluster.settle(owner)
        delivered = self.delivered(self.destination, owner, since)
        self.is_answered_by(owner, self.clients, delivered.at)
        return delivered.at

    def assert_took_each_table_once(self, name: str, since: int) -> None:
        self.assertEqual(sorted((call.action, call.destination, call.table) for call in self.cluster.mutations(name, since)),
                         [("ReplaceRoute", self.destination, table) for table in sorted(self.cluster.tables)])

    def assert_silent_until_the_takeover_only(self) -> None:
        """When the machine dies with all that is on it."""
        last = self.last_words(self.clients)
        self.cluster.power_off("a")
        delivered = self.settle("b", last)
        self.assert_took_each_table_once("b", last)
        for client in self.clients:
            self.assert_heard(client, ["a", "b"], [(last, delivered)])


class AddressRoute(RouteStream):
    def test_an_address_whose_machine_dies_is_silent_until_the_takeover_only(self) -> None:
        self.assert_silent_until_the_takeover_only()


class PrefixList(RouteStream):
    destination, addresses = PREFIX_LIST, LISTED

    def test_all_addresses_of_a_list_are_handed_over_by_one_call_for_each_table_and_are_never_silent(self) -> None:
        asked = self.cluster.nodes["a"].step_down()
        self.settle("b", asked.at)
        self.assert_took_each_table_once("b", asked.at)
        for client in self.clients:
            self.assert_heard(client, ["a", "b"], [])

    def test_all_addresses_of_a_list_whose_machine_dies_are_silent_until_the_takeover_only(self) -> None:
        self.assert_silent_until_the_takeover_only()

    def test_the_route_of_a_list_that_is_moved_by_hand_is_put_back_and_one_that_is_deleted_is_made_anew(self) -> None:
        table = self.cluster.tables[0]
        last = self.last_words(self.clients)
        moved = self.cluster.cloud.put_route(table, PREFIX_LIST, self.cluster.zones.places["b"].interface_id)
        self.cluster.nodes["a"].log_line("a repairs it", "event=repair", since=moved.at)
        repaired = self.settle("a", moved.at)
        self.assertEqual([(call.action, call.table) for call in self.cluster.mutations("a", moved.at)],
                         [("ReplaceRoute", table)])
        for client in self.clients:
            self.assert_answered_beside(self.questions(client), [(last, repaired)])
        deleted = self.lab.timeline.note("lab", "deleted_by_hand")
        self.cluster.cloud.command("DELETE", "/routes", {"table": table, "destination": PREFIX_LIST})
        self.cluster.nodes["a"].log_line("a repairs it", "event=repair", since=deleted.at)
        self.cluster.settle("a")
        self.assertEqual([(call.action, call.table) for call in self.cluster.mutations("a", deleted.at)],
                         [("CreateRoute", table)])
        self.assertEqual(self.cluster.mutations("b", 0), [], "a Backup changes nothing")


if __name__ == "__main__":
    main()
