"""What is moved beside routes: a secondary address, an Elastic IP on it, an IPv6 address and a whole interface, with the
permissions that `vipd iam-policy` prints for just this configuration and no others."""

import contextlib
import json
import socket
import subprocess

from lab import movables
from lab.cluster import Cluster
from lab.dataplane import AddressFollower, Application, Client, Departures, Question
from lab.hotplug import LINK, Hotplug
from lab.movables import (ADDRESS, ADDRESS6, ELASTIC_ADDRESS, ELASTIC_IP, FLOATING, FLOATING_ADDRESS, FLOATING_ADDRESS6,
                          FLOATING_MAC, PRIORITIES)
from lab.net_utils import NetUtils
from lab.streams import StreamTest
from lab.testing import LabTest, main
from lab.timeline import Event
from lab.vipd import program
from lab.zones import CLIENT_ADDRESS, REGION, VPC

ALIAS = "10.0.2.51"
ECHO_PORT = 7
IP_FREEBIND = 15


class MovesTest(LabTest):
    """Two nodes of one zone, of which b has what is moved once a test has begun."""

    def begin(self, *, settings: dict | None = None, **moves: dict) -> None:
        self.settings = settings or {}
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, tables=1,
                               topology=movables.add_to)
        self.cloud = self.cluster.cloud
        self.cluster.zones.speak_ipv6()
        hotplug = Hotplug(self.cluster.zones)
        self.addCleanup(hotplug.close)
        follower = AddressFollower(self.cluster.zones, self.cloud)
        self.addCleanup(follower.close)
        self.moves = {name: [entry] for name, entry in moves.items()}
        # One after another: b need not preempt, which some of these tests forbid.
        self.start("b")
        self.allow(self.policy())
        self.cluster.nodes["b"].ready()
        self.settle("b")
        self.start("c").ready()

    def start(self, name: str):
        return self.cluster.start(name, routes=[], moves=self.moves, peers=movables.peers_of(self.cluster, name),
                                  addresses=[{"address": "172.16.1.100/32", "interface": "lo"}], **self.settings)

    def policy(self) -> dict:
        """The least that this configuration needs, as the command prints it."""
        file = str(self.cluster.nodes["b"].file)
        printed = subprocess.run([program("VIPD", "vipd"), "iam-policy", "--config", file, "--region", REGION, "--account",
                                  "123456789012", "--vpc", VPC], capture_output=True, check=True, text=True)
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

    def wait_until_nothing_is_left_on(self, name: str) -> None:
        """Of what the node had while it was Active: link, addresses, and the rules and routes that vipd marks as its own."""
        node = self.cluster.zones.nodes[name]

        def remains() -> list[str]:
            shown = [node.ip(family, *what) for family in ("-4", "-6")
                     for what in (("rule", "show"), ("route", "show", "table", "all"))]
            found = [line for text in shown for line in text.splitlines() if "proto 112" in line]
            held = {word.partition("/")[0] for word in node.ip("address", "show").split()}
            found += held.intersection((ADDRESS, ADDRESS6, FLOATING_ADDRESS, FLOATING_ADDRESS6))
            return found + ([LINK] if self.has_link(name) else [])

        self.lab.timeline.until(f"nothing is left on {name}", lambda: not remains(), timeout=15)

    def has_link(self, name: str) -> bool:
        return f"{LINK}@" in self.cluster.zones.nodes[name].ip("link", "show")


class Moves(MovesTest):
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
        # b steps down in the middle, and must not take it back before anybody has looked.
        self.begin(settings={"preempt_delay": "1000s"}, eni={"match": {"tags": {"Name": "floating"}}})
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


    def test_a_plan_says_what_a_node_without_the_interface_would_do(self) -> None:
        self.begin(eni={"match": {"tags": {"Name": "floating"}}})
        c = self.cluster.nodes["c"]
        since = self.lab.timeline.note("lab", "plan").at
        for arguments in (("--socket", c.socket), ("--config", str(c.file))):
            shown = self.cluster.zones.nodes["c"].run(program("VIPD", "vipd"), "plan", *arguments, check=False)
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), shown.stdout)
            self.assertRegex(shown.stdout, r"(?m)^  \+ link of .*: set up when the interface is here$")
            self.assertRegex(shown.stdout, r"(?m)^lab \(\w+\): 3 changes$")
        self.assertEqual((self.calls("b", since), self.calls("c", since)), ([], []))


class Streams(StreamTest, MovesTest):
    """What clients outside hear, who ask two hundred times a second, while the address that they ask goes from node to node.
    How long it is silent is EC2's affair and the machine's; that it is silent then only, and who answers when, is vipd's."""

    def begin_with(self, *, drain: str = "1s", **moves: dict) -> None:
        self.begin(settings={"preempt_delay": "1000s", "more": {"drain": drain}}, **moves)

    def ask(self, *addresses: str) -> None:
        """A client for each, and one for an address of b that stays where it is."""
        zones = self.cluster.zones
        self.departures = Departures(zones, "b")
        # An Elastic IP is no node's: what is for it arrives at a private address.
        private = [address for address in addresses if address != ELASTIC_ADDRESS]
        for name in PRIORITIES:
            for address in (zones.places[name].address, *private):
                Application(zones, name, address)
        self.clients = {address: Client(zones, address) for address in addresses}
        self.own = Client(zones, zones.places["b"].address)
        for client in (self.own, *self.clients.values()):
            self.addCleanup(client.close)
        self.is_answered_by("b", [self.own], 0)
        self.is_served_by("b")
        self.begin_to_count((self.own, *self.clients.values()))

    def is_served_by(self, name: str) -> int:
        """Waits until it is; returns the time at which the node said that it has everything."""
        self.settle(name)
        settled = self.lab.timeline.note("lab", "settled", node=name)
        self.is_answered_by(name, self.clients.values(), settled.at)
        return settled.at

    def hand_over(self, name: str) -> int:
        return self.cluster.nodes[name].step_down().at

    def crash(self, name: str) -> int:
        """Of vipd alone: what it gave to the kernel stays, and so does the application."""
        return self.cluster.nodes[name].kill().at

    def left(self, subject: str, since: int) -> Event:
        """The moment from which an address or an interface is not where it was."""
        return self.lab.timeline.wait(f"{subject} leaves", lambda e: e.kind == "movement" and not e.fields["arrived"] and
                                      subject in (e.fields["address"], e.fields["interface"]), since=since, timeout=20)

    def ipv6_gap(self, cause: int, successor: str) -> tuple[int, int]:
        """Between the effects of the two calls, and until the router has followed the second."""
        self.is_served_by(successor)
        return self.left(ADDRESS6, cause).at, self.delivered(ADDRESS6, successor, cause).at

    def interface_gap(self, cause: int, successor: str) -> tuple[int, int]:
        """Until its link leaves it is answered at: of the time that the detach takes, half is for the noise of the machine.
        The gap ends when the successor says that it has everything."""
        settled = self.is_served_by(successor)
        detach = next(call for call in self.cluster.mutations(successor, cause) if call.action == "DetachNetworkInterface")
        return (detach.effect_ns + self.left(FLOATING, cause).at) // 2, settled

    def assert_replies_left_through(self, mac: str, address: str, questions: list[Question]) -> None:
        """Of questions that were asked in no gap: while the kernel takes a link apart, its routes go before its addresses."""
        self.lab.timeline.until("the last reply was seen", lambda: bool(self.departures.of(address, questions[-1].number)))
        through = {question: self.departures.of(address, question.number) for question in questions}
        self.assertEqual({question: other for question, other in through.items() if other != mac}, {}, "left through another")

    def begin_with_ipv4(self, **elastic: str) -> None:
        """A secondary address and an Elastic IP. EC2 takes its time, in which whoever hands over has to answer."""
        self.begin_with(drain="3s", secondary_ip={"address": ADDRESS}, elastic_ip={"allocation": ELASTIC_IP, **elastic})
        self.cloud.command("PUT", "/settings", {"latency_ms": 100})
        self.ask(ADDRESS, ELASTIC_ADDRESS)

    def assert_not_silent_when_handed_over(self) -> None:
        for former, successor in (("b", "c"), ("c", "b")):
            asked = self.hand_over(former)
            self.is_served_by(successor)
            for address in self.clients:
                self.delivered(address, successor, asked)
            self.wait_until_nothing_is_left_on(former)
        for client in self.clients.values():
            self.assert_heard(client, ["b", "c", "b"], [])
        self.assert_heard(self.own, ["b"], [])

    def assert_silent_until_the_takeover_only(self) -> None:
        """When the machine dies with all that is on it."""
        last = self.last_words(self.clients.values())
        self.cluster.power_off("b")
        self.is_served_by("c")
        for address, client in self.clients.items():
            self.assert_heard(client, ["b", "c"], [(last, self.delivered(address, "c", last).at)])

    def test_an_address_and_the_elastic_ip_on_it_that_are_handed_over_are_never_silent(self) -> None:
        self.begin_with_ipv4(private_address=ADDRESS)
        self.assert_not_silent_when_handed_over()

    def test_an_elastic_ip_of_the_node_itself_that_is_handed_over_is_never_silent(self) -> None:
        self.begin_with_ipv4()
        self.assert_not_silent_when_handed_over()

    def test_an_address_and_the_elastic_ip_on_it_whose_machine_dies_are_silent_until_the_takeover_only(self) -> None:
        self.begin_with_ipv4(private_address=ADDRESS)
        self.assert_silent_until_the_takeover_only()

    def test_an_elastic_ip_of_the_node_itself_whose_machine_dies_is_silent_until_the_takeover_only(self) -> None:
        self.begin_with_ipv4()
        self.assert_silent_until_the_takeover_only()

    def test_an_address_and_the_elastic_ip_on_it_whose_active_dies_are_never_silent(self) -> None:
        """The kernel of the dead answers until EC2 has moved them, and its successor cleans up."""
        self.begin_with_ipv4(private_address=ADDRESS)
        self.crash("b")
        self.is_served_by("c")
        self.start("b").ready()
        self.wait_until_nothing_is_left_on("b")
        for client in self.clients.values():
            self.assert_heard(client, ["b", "c"], [])
        self.assert_heard(self.own, ["b"], [])

    def begin_with_ipv6(self) -> None:
        self.begin_with(secondary_ip={"address": ADDRESS6})
        self.cloud.command("PUT", "/settings", {"latency_ms": 100})
        self.ask(ADDRESS6)

    def test_an_ipv6_address_that_is_handed_over_is_silent_between_its_two_calls_only(self) -> None:
        self.begin_with_ipv6()
        gaps = [self.ipv6_gap(self.hand_over("b"), "c")]
        self.wait_until_nothing_is_left_on("b")
        gaps.append(self.ipv6_gap(self.hand_over("c"), "b"))
        self.wait_until_nothing_is_left_on("c")
        self.assert_heard(self.clients[ADDRESS6], ["b", "c", "b"], gaps)
        self.assert_heard(self.own, ["b"], [])

    def test_an_ipv6_address_whose_active_dies_is_silent_between_its_two_calls_only(self) -> None:
        self.begin_with_ipv6()
        gap = self.ipv6_gap(self.crash("b"), "c")
        self.start("b").ready()
        self.wait_until_nothing_is_left_on("b")
        self.assert_heard(self.clients[ADDRESS6], ["b", "c"], [gap])

    def begin_with_interface(self) -> None:
        # It outlasts the detach, as it has to where the interface is to be answered at until it leaves.
        self.begin_with(drain="3s", eni={"match": {"tags": {"Name": "floating"}}})
        self.cloud.command("PUT", "/settings", {"detach_ms": 2000, "attach_ms": 500})
        for address in (FLOATING_ADDRESS, FLOATING_ADDRESS6):
            self.cluster.zones.deliver(address, FLOATING_MAC, "b")
        self.ask(FLOATING_ADDRESS, FLOATING_ADDRESS6)

    def assert_heard_at_interface(self, owners: list[str], gaps: list[tuple[int, int]]) -> None:
        for address, client in self.clients.items():
            self.assert_replies_left_through(FLOATING_MAC, address, self.assert_heard(client, owners, gaps))
        place = self.cluster.zones.places["b"]
        self.assert_replies_left_through(place.mac, place.address, self.assert_heard(self.own, ["b"], []))

    def test_an_interface_that_is_handed_over_is_silent_without_its_link_only(self) -> None:
        self.begin_with_interface()
        gaps = [self.interface_gap(self.hand_over("b"), "c")]
        self.wait_until_nothing_is_left_on("b")
        gaps.append(self.interface_gap(self.hand_over("c"), "b"))
        self.wait_until_nothing_is_left_on("c")
        self.assert_heard_at_interface(["b", "c", "b"], gaps)

    def test_an_interface_whose_active_dies_is_silent_without_its_link_only(self) -> None:
        self.begin_with_interface()
        gap = self.interface_gap(self.crash("b"), "c")
        self.start("b").ready()
        self.wait_until_nothing_is_left_on("b")
        self.assert_heard_at_interface(["b", "c"], [gap])

    def test_whoever_asks_at_an_interface_does_not_notice_a_program_that_is_replaced(self) -> None:
        """Not even while EC2 does not say which interface has the tags."""
        self.begin_with_interface()
        b = self.cluster.nodes["b"]
        self.cloud.fault(action="DescribeNetworkInterfaces", kind="fail", status=503, code="Unavailable")
        asked = self.lab.timeline.note("lab", "restart")
        self.assertEqual(b.request("POST", "/v1/restart")[0], 200)
        begun = b.log_line("the new program has begun", "event=start", since=asked.at)
        self.lab.timeline.until("EC2 has refused to say it", lambda: len(self.lab.timeline.select(
            lambda e: e.fields.get("action") == "DescribeNetworkInterfaces" and e.fields.get("node") == "node-b",
            begun.at)) > 2, timeout=20)
        self.last_words(self.clients.values())
        self.cloud.clear_faults()
        self.settle("b")
        self.last_words(self.clients.values())
        self.assertEqual(self.calls("b", asked.at), [])
        self.assertEqual(self.lab.timeline.select(lambda e: e.fields.get("event") == "policy_remains", asked.at), [])
        self.assert_heard_at_interface(["b"], [])

    def own_of(self, name: str) -> list[str]:
        """What vipd has given to the node for the interface, as the kernel shows it."""
        node = self.cluster.zones.nodes[name]
        marked = [line for family in ("-4", "-6") for what in (("rule", "show"), ("route", "show", "table", "all"))
                  for line in node.ip(family, *what).splitlines() if "proto 112" in line]
        words = node.ip("address", "show", "dev", LINK).split()
        alone = (f"{FLOATING_ADDRESS}/32", f"{ALIAS}/32", f"{FLOATING_ADDRESS6}/128")
        return sorted(marked) + [address for address in alone if address in words]

    def test_beside_net_utils_both_keep_what_is_their_own_and_replies_leave_through_the_interface(self) -> None:
        self.begin_with_interface()
        self.cloud.command("PUT", f"/addresses/{ALIAS}", {"interface": FLOATING})
        net_utils = {name: NetUtils(self.cluster.zones.nodes[name], ALIAS) for name in PRIORITIES}
        net_utils["b"].add()
        rules = net_utils["b"].rules()
        asked = self.hand_over("b")
        self.lab.timeline.until("the link is there", lambda: self.has_link("c"), timeout=20)
        other = net_utils["c"]
        other.add()
        node, began = self.cluster.zones.nodes["c"], self.interface_gap(asked, "c")[0]
        # Where net-utils was the first to give the node its IPv6 address, the kernel has looked for duplicates.
        self.lab.timeline.until("the IPv6 address may be used", lambda: not node.ip(
            "-6", "address", "show", "dev", LINK, "to", FLOATING_ADDRESS6, "tentative"))
        gap = began, self.lab.timeline.note("lab", "may_be_used").at
        self.wait_until_nothing_is_left_on("b")
        self.assertEqual(net_utils["b"].rules(), rules, "what is somebody else's stays when the interface leaves")
        own, left = self.own_of("c"), other.left()
        self.assertEqual(len(own), 3 + 3 + 4, "addresses, rules and routes")
        self.assertEqual(len(left), 1 + 3 + 4 + 3, "an address, rules, routes, and those in the main table")
        table = next(line.split()[line.split().index("lookup") + 1] for line in own if "lookup" in line)
        for harm in (other.change, other.flush, other.add,
                     lambda: node.ip("-4", "rule", "delete", "priority", "12112"),
                     lambda: node.ip("-6", "rule", "delete", "priority", "12112"),
                     lambda: node.ip("-4", "route", "flush", "table", table),
                     lambda: node.ip("-6", "route", "flush", "table", table),
                     lambda: node.ip("address", "delete", f"{FLOATING_ADDRESS}/32", "dev", LINK)):
            harm()
            after = other.left()
            self.lab.timeline.until("c has put back what is its own", lambda: self.own_of("c") == own)
            self.assertEqual(other.left(), after, "and has left alone what is not")
        self.assertEqual(after, left)
        lost = self.lab.timeline.select(lambda e: e.source == "c" and e.fields.get("event") == "address_lost")
        self.assertEqual([e.address for e in lost], [f"{ALIAS}/32", f"{FLOATING_ADDRESS}/32"], "each was put back once")
        self.assert_heard_at_interface(["b", "c"], [gap])

    def test_without_a_table_of_its_own_the_replies_of_an_interface_leave_through_another(self) -> None:
        """What the tests above would see without vipd's rules."""
        self.begin_with(eni={"match": {"id": FLOATING}, "configure": False})
        self.lab.timeline.until("the link is there", lambda: self.has_link("b"))
        node = self.cluster.zones.nodes["b"]
        node.sysctl("net.ipv4.conf.all.rp_filter", "2")  # a strict one would drop the questions
        node.ip("link", "set", LINK, "up")
        node.ip("address", "add", f"{FLOATING_ADDRESS}/32", "dev", LINK)
        self.cluster.zones.deliver(FLOATING_ADDRESS, FLOATING_MAC, "b")
        self.ask(FLOATING_ADDRESS)
        questions = self.assert_heard(self.clients[FLOATING_ADDRESS], ["b"], [])
        self.assert_replies_left_through(self.cluster.zones.places["b"].mac, FLOATING_ADDRESS, questions)


if __name__ == "__main__":
    main()
