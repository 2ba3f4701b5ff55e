"""What a takeover moves: routes of every kind of destination, in tables chosen in every way, and the interface's own check."""

from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.zones import VIP, VPC

VIP6 = "2001:db8:f::100/128"
PREFIX_LIST = "pl-0aaaaaaaaaaaaaaa1"
PRIORITIES = {"a": 200, "b": 100}
LATER_TABLE, OTHER_TABLE = "rtb-0bbbbbbbbbbbbbbb1", "rtb-0bbbbbbbbbbbbbbb2"


def richer(topology: dict) -> None:
    """Two tables of each kind, a prefix list, and interfaces as EC2 makes them: with the source/destination check."""
    for number, table in enumerate(topology["route_tables"]):
        table["tags"] = {"Name": ("public-", "private-", "transit-")[number // 2] + str(number % 2)}
    topology["prefix_lists"] = [{"id": PREFIX_LIST, "name": "virtual-ips", "entries": [VIP]}]
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


if __name__ == "__main__":
    main()
