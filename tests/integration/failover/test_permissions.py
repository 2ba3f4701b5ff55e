"""Everything that can be moved, by one node that has the permissions that `vipd iam-policy` prints for it and no others: they
are enough in its VPC and refused in another one, and whichever of them lacks is named while everything else goes on."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from lab import movables
from lab.cluster import Cluster
from lab.hotplug import Hotplug
from lab.movables import ADDRESS, ADDRESS6, ELASTIC_IP, FLOATING, PREFIX_LIST
from lab.testing import LabTest, main
from lab.timeline import Event
from lab.vipd import program
from lab.zones import REGION, VIP, VPC

OTHER_VPC = "vpc-0aaaaaaaaaaaaaaa2"
PERIOD_MS = 1000.0
ROUTES = {"route"}
# Its link comes and goes with it.
INTERFACE = {"network_interface", "link"}


def add_to(topology: dict) -> None:
    movables.add_to(topology)
    for instance in topology["instances"]:
        instance["interfaces"][0]["source_dest_check"] = True


def actions_of(statement: dict) -> list[str]:
    """IAM takes a text alone for a list of one."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


class Permissions(LabTest):
    """b, in the zone of what is moved beside routes; c is an instance that takes things by hand."""

    def begin(self, vpc: str) -> None:
        self.cluster = Cluster(self.lab, priorities={"b": 100}, interval_ms=200.0, reconcile_ms=PERIOD_MS, tables=1,
                               topology=add_to)
        self.cloud = self.cluster.cloud
        places = self.cluster.zones.places
        self.own, self.other = places["b"].interface_id, places["c"].interface_id
        self.cluster.zones.speak_ipv6()
        hotplug = Hotplug(self.cluster.zones)
        self.addCleanup(hotplug.close)
        self.cluster.routes = [{"destination": VIP, "tables": {"vpc": True}, "source_dest_check": "disable"},
                               {"destination": PREFIX_LIST, "tables": {"tags": {"Name": "lab-*"}}}]
        self.settings = {
            "peers": movables.peers_of(self.cluster, "b"),
            "moves": {"secondary_ip": [{"address": ADDRESS}, {"address": ADDRESS6}],
                      "elastic_ip": [{"allocation": ELASTIC_IP}], "eni": [{"match": {"id": FLOATING}, "device_index": 1}]}}
        self.file = Path(self.lab.directory, "permissions.toml")
        self.file.write_text(self.cluster.config("b", **self.settings).text(str(self.file.with_suffix(".sock"))))
        self.allow(self.policy(vpc))
        self.start()
        self.b.ready()
        self.b.wait_for_state("Active")

    def start(self) -> None:
        self.b = self.cluster.start("b", **self.settings)

    def policy(self, vpc: str) -> dict:
        printed = subprocess.run([program("VIPD", "vipd"), "iam-policy", "--config", str(self.file), "--region", REGION,
                                  "--account", "123456789012", "--vpc", vpc], capture_output=True, check=True, text=True)
        return json.loads(printed.stdout)

    def allow(self, policy: dict) -> None:
        self.cloud.set_policy("role/vipd", policy)

    def lacking(self) -> list[dict]:
        return [resource for resource in self.b.router()["resources"] if resource["state"] != "here" or resource["last_error"]]

    def settle(self) -> None:
        # What EC2 has refused once is tried again within five seconds, and what it refuses again within ten more.
        self.lab.timeline.until("b has everything", lambda: not self.lacking(), timeout=30)

    def is_refused(self, action: str, since: int) -> Event:
        """The log says so, and which action it is that lacks."""
        return self.lab.timeline.wait(
            f"b says that it may not {action}", lambda e: e.source == "b" and e.fields.get("action") == action and
            e.fields.get("outcome") == "denied" and f"perform: ec2:{action} on" in e.fields["message"], since=since, timeout=15)

    def test_what_is_printed_for_this_vpc_is_enough(self) -> None:
        self.begin(VPC)
        self.settle()
        self.assertEqual(self.lab.timeline.select(lambda e: e.source == "b" and e.fields.get("outcome") == "denied"), [])
        state = self.cloud.command("GET", "/state")
        self.assertEqual({destination: route["target"] for destination, route in self.routes().items()},
                         {VIP: self.own, PREFIX_LIST: self.own})
        interface = state["interfaces"][self.own]
        self.assertIn(ADDRESS, interface["addresses"])
        self.assertIn(ADDRESS6, interface["ipv6_addresses"])
        self.assertFalse(interface["source_dest_check"])
        self.assertEqual(state["elastic_ips"][ELASTIC_IP]["interface"], self.own)
        self.assertEqual(state["interfaces"][FLOATING]["instance"], self.cluster.zones.places["b"].instance_id)

    def routes(self) -> dict:
        return {destination: route for destination, route in self.cloud.routes()[self.cluster.tables[0]].items()
                if destination in (VIP, PREFIX_LIST)}

    def test_what_is_printed_for_another_vpc_is_refused_in_this_one(self) -> None:
        self.begin(OTHER_VPC)
        for action in ("CreateRoute", "ModifyNetworkInterfaceAttribute", "AssignPrivateIpAddresses", "AssignIpv6Addresses",
                       "AssociateAddress"):
            self.assertEqual(self.is_refused(action, 0).level, "error")
        self.lab.timeline.until("it has nothing but the interface that is named by its id", lambda: {
            resource["kind"] for resource in self.lacking()} == {"route", "source_dest_check", "secondary_ip", "elastic_ip"})
        self.assertEqual(self.routes(), {})

    def harm(self, action: str) -> set[str]:
        """By hand: what takes this action to be put right. Returns the kinds of things that cannot be without it."""
        table = self.cluster.tables[0]
        match action:
            case "ReplaceRoute":
                self.cloud.put_route(table, VIP, self.other)
                self.cloud.put_route(table, PREFIX_LIST, self.other)
            case "CreateRoute":
                for destination in (VIP, PREFIX_LIST):
                    self.cloud.command("DELETE", "/routes", {"table": table, "destination": destination})
            case "AssignPrivateIpAddresses":
                self.cloud.command("PUT", f"/addresses/{ADDRESS}", {"interface": self.other})
            case "AssignIpv6Addresses" | "UnassignIpv6Addresses":
                self.cloud.command("PUT", f"/addresses/{ADDRESS6}", {"interface": self.other})
            case "AssociateAddress":
                self.cloud.command("PUT", f"/elastic-ips/{ELASTIC_IP}", {"interface": self.other})
            case "AttachNetworkInterface" | "DetachNetworkInterface":
                instance = "node-c" if action.startswith("Detach") else ""
                self.cloud.command("PUT", f"/interfaces/{FLOATING}", {"instance": instance, "device_index": 1})
            case "ModifyNetworkInterfaceAttribute":
                self.cloud.command("PUT", f"/interfaces/{self.own}", {"source_dest_check": True})
                # It looks at its check once a minute, and when it starts.
                self.b.kill()
                self.start()
        return {"ReplaceRoute": ROUTES, "CreateRoute": ROUTES, "DescribeRouteTables": ROUTES,
                "ModifyNetworkInterfaceAttribute": {"source_dest_check"},
                "DescribeNetworkInterfaces": {"secondary_ip", "network_interface", "source_dest_check"},
                "DescribeAddresses": {"elastic_ip"}, "AssociateAddress": {"elastic_ip"},
                "AttachNetworkInterface": INTERFACE, "DetachNetworkInterface": INTERFACE}.get(action, {"secondary_ip"})

    @contextlib.contextmanager
    def without(self, action: str) -> Iterator[None]:
        less = [{**statement, "Action": [name for name in actions_of(statement) if name != f"ec2:{action}"]}
                for statement in self.policy(VPC)["Statement"]]
        self.allow({"Version": "2012-10-17", "Statement": [statement for statement in less if statement["Action"]]})
        try:
            yield
        finally:
            self.allow(self.policy(VPC))

    def test_a_read_that_lacks_is_named_and_the_rest_goes_on(self) -> None:
        self.check_lack_of(lambda action: action.startswith("Describe"))

    def test_a_call_for_routes_or_interfaces_that_lacks_is_named_and_the_rest_goes_on(self) -> None:
        self.check_lack_of(lambda action: action.endswith(("Route", "Interface", "Attribute")))

    def test_a_call_for_addresses_that_lacks_is_named_and_the_rest_goes_on(self) -> None:
        self.check_lack_of(lambda action: "Address" in action and not action.startswith("Describe"))

    def check_lack_of(self, is_meant: Callable[[str], bool]) -> None:
        self.begin(VPC)
        self.settle()
        whole = self.policy(VPC)["Statement"]
        actions = {name.removeprefix("ec2:") for statement in whole for name in actions_of(statement)}
        self.assertEqual(len(actions), 12, "the three tests have all of them")
        for action in sorted(filter(is_meant, actions)):
            began = self.lab.timeline.note("lab", "without", lacking=action)
            with self.subTest(action), self.without(action):
                concerned = self.harm(action)
                self.assertEqual(self.is_refused(action, began.at).code, "UnauthorizedOperation")
                self.lab.timeline.until(f"status of b says that {action} lacks", lambda action=action: any(
                    f"perform: ec2:{action} on" in resource["last_error"] for resource in self.lacking()))
                self.lab.timeline.until("everything else is here", lambda concerned=concerned: {
                    resource["kind"] for resource in self.lacking()} <= concerned)
                self.assertEqual(self.b.router()["state"], "Active")
            self.settle()


if __name__ == "__main__":
    main()
