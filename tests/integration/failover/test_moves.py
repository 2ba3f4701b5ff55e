"""What is moved beside routes: a secondary address, an Elastic IP on it, an IPv6 address and a whole interface, with the
permissions that `vipd iam-policy` prints for just this configuration and no others."""

import contextlib
import json
import socket
import subprocess

from lab import movables
from lab.cluster import Cluster
from lab.dataplane import AddressFollower, Application, Client
from lab.hotplug import LINK, Hotplug
from lab.movables import ADDRESS, ADDRESS6, ELASTIC_ADDRESS, ELASTIC_IP, FLOATING, FLOATING_ADDRESS, PRIORITIES
from lab.testing import LabTest, main
from lab.vipd import program
from lab.zones import CLIENT_ADDRESS, REGION

ECHO_PORT = 7
IP_FREEBIND = 15


class Moves(LabTest):
    def begin(self, **moves: dict) -> None:
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, tables=1,
                               topology=movables.add_to)
        self.cloud = self.cluster.cloud
        hotplug = Hotplug(self.cluster.zones)
        self.addCleanup(hotplug.close)
        follower = AddressFollower(self.cluster.zones)
        self.addCleanup(follower.close)
        self.moves = {name: [entry] for name, entry in moves.items()}
        for name in PRIORITIES:
            self.start(name)
        self.allow(self.policy())
        for name in PRIORITIES:
            self.cluster.nodes[name].ready()
        self.settle("b")

    def start(self, name: str):
        return self.cluster.start(name, routes=[], moves=self.moves, peers=movables.peers_of(self.cluster, name),
                                  addresses=[{"address": "172.16.1.100/32", "interface": "lo"}])

    def policy(self) -> dict:
        """The least that this configuration needs, as the command prints it."""
        file = str(self.cluster.nodes["b"].file)
        printed = subprocess.run([program("VIPD", "vipd"), "iam-policy", "--config", file, "--region", REGION, "--account",
                                  "123456789012"], capture_output=True, check=True, text=True)
        return json.loads(printed.stdout)

    def allow(self, policy: dict) -> None:
        self.cloud.command("PUT", "/policies", {"principal": "role/vipd", "statements": policy})

    def settle(self, owner: str) -> None:
        self.cluster.nodes[owner].wait_for_state("Active")
        self.lab.timeline.until(f"{owner} has confirmed everything", lambda: all(
            resource["state"] == "here" for resource in self.cluster.nodes[owner].router()["resources"]), timeout=20)

    def interfaces(self) -> dict:
        return self.cloud.command("GET", "/state")["interfaces"]

    def interface_of(self, name: str) -> dict:
        return self.interfaces()[self.cluster.zones.places[name].interface_id]

    def has_locally(self, name: str, address: str) -> bool:
        return address in self.cluster.zones.nodes[name].ip("-json", "address", "show", "dev", "eth0")

    def calls(self, name: str, since: int) -> list[str]:
        return [call.action for call in self.cluster.mutations(name, since)]

    def test_a_secondary_address_and_the_elastic_ip_on_it_follow_the_active_node(self) -> None:
        self.begin(secondary_ip={"address": ADDRESS}, elastic_ip={"allocation": ELASTIC_IP, "private_address": ADDRESS})
        self.assertIn(ADDRESS, self.interface_of("b")["addresses"])
        self.assertTrue(self.has_locally("b", ADDRESS))
        crash = self.cluster.nodes["b"].kill()
        self.settle("c")
        self.assertIn(ADDRESS, self.interface_of("c")["addresses"])
        self.assertNotIn(ADDRESS, self.interface_of("b")["addresses"])
        self.assertTrue(self.has_locally("c", ADDRESS))
        elastic = self.cloud.command("GET", "/state")["elastic_ips"][ELASTIC_IP]
        self.assertEqual((elastic["interface"], elastic["private_address"]),
                         (self.cluster.zones.places["c"].interface_id, ADDRESS))
        self.assertEqual(set(self.calls("c", crash.at)), {"AssignPrivateIpAddresses", "AssociateAddress"})

    def test_clients_of_a_secondary_address_and_of_an_elastic_ip_do_not_notice_a_hand_over(self) -> None:
        self.begin(secondary_ip={"address": ADDRESS}, elastic_ip={"allocation": ELASTIC_IP})
        zones = self.cluster.zones
        for name in PRIORITIES:
            Application(zones, name, ADDRESS)
            Application(zones, name, zones.places[name].address)
        with Client(zones, ADDRESS) as private, Client(zones, ELASTIC_ADDRESS) as public:
            clients = (private, public)
            self.lab.timeline.until("b answers both", lambda: all(each.answered_by("b", 0) for each in clients), timeout=10)
            asked = self.cluster.nodes["b"].step_down()
            self.lab.timeline.until("c answers both", lambda: all(each.answered_by("c", asked.at) for each in clients),
                                    timeout=10)
            # It is healthy, and preempts: back again.
            back = self.lab.timeline.note("lab", "c_has_answered")
            self.lab.timeline.until("b answers both again", lambda: all(each.answered_by("b", back.at) for each in clients),
                                    timeout=10)
            self.lab.timeline.until("two seconds have passed",
                                    lambda: all(each.asked_for_ms(back.at) > 2000.0 for each in clients), timeout=15)
            self.assertEqual([each.unanswered(asked.at) for each in clients], [0, 0])

    def test_an_address_that_is_moved_by_hand_is_taken_back(self) -> None:
        self.begin(secondary_ip={"address": ADDRESS})
        moved = self.lab.timeline.note("lab", "moved_by_hand")
        self.cloud.command("PUT", f"/addresses/{ADDRESS}", {"interface": self.cluster.zones.places["c"].interface_id})
        self.cluster.nodes["b"].log_line("b repairs it", "event=repair", since=moved.at)
        self.settle("b")
        self.assertIn(ADDRESS, self.interface_of("b")["addresses"])
        self.assertEqual(self.calls("b", moved.at), ["AssignPrivateIpAddresses"])
        self.assertEqual(self.calls("c", moved.at), [], "a Backup changes nothing")

    def test_an_ipv6_address_is_unassigned_there_and_assigned_here(self) -> None:
        self.begin(secondary_ip={"address": ADDRESS6})
        crash = self.cluster.nodes["b"].kill()
        self.settle("c")
        self.assertEqual(self.calls("c", crash.at), ["UnassignIpv6Addresses", "AssignIpv6Addresses"])
        self.assertIn(ADDRESS6, self.interface_of("c")["ipv6_addresses"])

    def test_an_interface_goes_from_one_instance_to_the_other_step_by_step(self) -> None:
        self.begin(eni={"match": {"tags": {"Name": "floating"}}, "device_index": 1})
        self.cloud.command("PUT", "/settings", {"detach_ms": 300, "attach_ms": 200})
        crash = self.cluster.nodes["b"].kill()
        self.settle("c")
        self.assertEqual(self.calls("c", crash.at), ["DetachNetworkInterface", "AttachNetworkInterface"])
        floating = self.interfaces()[FLOATING]
        self.assertEqual((floating["instance"], floating["device_index"], floating["status"]),
                         (self.cluster.zones.places["c"].instance_id, 1, "in-use"))
        self.assertFalse(floating["delete_on_termination"])

    def has_link(self, name: str) -> bool:
        return f"{LINK}@" in self.cluster.zones.nodes[name].ip("link", "show")

    def asks(self, address: str) -> str:
        """What the client hears from the echo at this address; empty when nothing."""
        with self.cluster.zones.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            try:
                client.sendto(b"who", (address, ECHO_PORT))
                return client.recv(64).decode()
            except OSError:
                return ""

    def echo_on(self, name: str, address: str) -> None:
        """An application that listens on the address, and answers with the node's name, from before the address is there."""
        listening = self.cluster.zones.nodes[name].socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        listening.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        listening.bind((address, ECHO_PORT))
        self.lab.own_socket(listening)

        def answer() -> None:
            with contextlib.suppress(OSError):
                _, sender = listening.recvfrom(64)
                listening.sendto(name.encode(), sender)

        self.lab.observer.watch(listening, answer)

    def test_the_link_of_an_interface_is_configured_where_it_arrives_and_replies_leave_through_it(self) -> None:
        self.begin(eni={"match": {"tags": {"Name": "floating"}}})
        for name in PRIORITIES:
            self.echo_on(name, FLOATING_ADDRESS)
        for owner, other in (("b", "c"), ("c", "b")):
            self.lab.timeline.until(f"{owner} answers at the interface's address",
                                    lambda owner=owner: self.asks(FLOATING_ADDRESS) == owner, timeout=20)
            self.settle(owner)
            node = self.cluster.zones.nodes[owner]
            reply = node.ip("route", "get", CLIENT_ADDRESS, "from", FLOATING_ADDRESS)
            self.assertIn(f"dev {LINK}", reply)
            self.assertIn("via 10.0.2.1", reply)
            self.assertIn(f"from {FLOATING_ADDRESS} lookup", node.ip("rule", "show"))
            self.assertFalse(self.has_link(other))
            self.lab.timeline.until(f"{other} has no rule of it any more", lambda other=other: FLOATING_ADDRESS not in
                                    self.cluster.zones.nodes[other].ip("rule", "show"), timeout=10)
            self.assertEqual([e for e in self.lab.timeline.select(lambda e, other=other: e.source == other and
                              "_lost" in e.fields.get("event", ""))], [], "what leaves with its link is no loss")
            if owner == "b":
                self.cluster.nodes["b"].step_down()

    def test_what_others_do_to_the_link_of_an_interface_is_put_right(self) -> None:
        self.begin(eni={"match": {"id": FLOATING}})
        node = self.cluster.zones.nodes["b"]
        for harm, sign in ((("link", "set", LINK, "down"), "event=link_lost"),
                           (("address", "flush", "dev", LINK), "event=address_lost"),
                           (("rule", "delete", "priority", "12112"), "event=policy router=")):
            done = self.lab.timeline.note("lab", "harm", command=" ".join(harm))
            node.ip(*harm)
            self.cluster.nodes["b"].log_line("b puts it right", sign, since=done.at)
            self.settle("b")
            self.assertIn(f"dev {LINK}", node.ip("route", "get", CLIENT_ADDRESS, "from", FLOATING_ADDRESS))

    def test_an_interface_that_its_instance_does_not_let_go_is_detached_by_force(self) -> None:
        self.begin(eni={"match": {"id": FLOATING}, "force_after": "1s"})
        self.cloud.fault(action="DetachNetworkInterface", node="node-c", kind="stuck", count=1)
        crash = self.cluster.nodes["b"].kill()
        self.settle("c")
        self.assertEqual(self.calls("c", crash.at),
                         ["DetachNetworkInterface", "DetachNetworkInterface", "AttachNetworkInterface"])

    def test_a_move_that_lacks_its_permission_says_which(self) -> None:
        """The actions that move something are taken out of the policy in turn, and put back."""
        self.begin(secondary_ip={"address": ADDRESS}, elastic_ip={"allocation": ELASTIC_IP, "private_address": ADDRESS},
                   eni={"match": {"id": FLOATING}})
        whole = self.policy()
        for action in ("AssignPrivateIpAddresses", "AssociateAddress", "DetachNetworkInterface", "AttachNetworkInterface"):
            less = json.loads(json.dumps(whole))
            for statement in less["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                statement["Action"] = [name for name in actions if name != f"ec2:{action}"]
            less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
            self.allow(less)
            gone = self.cluster.nodes["b"].kill()
            refused = self.lab.timeline.wait(
                f"c says that it may not {action}", lambda e, action=action: e.source == "c" and
                e.fields.get("action") == action and e.fields.get("outcome") == "denied", since=gone.at, timeout=15)
            self.assertEqual((refused.level, refused.code), ("error", "UnauthorizedOperation"))
            self.allow(whole)
            self.settle("c")
            self.start("b").ready()
            self.settle("b")


if __name__ == "__main__":
    main()
