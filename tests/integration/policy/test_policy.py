"""Policy routing in a real kernel: rules and routes follow the virtual IP, come back when somebody takes them, and leave alone
what is not vipd's.

    a (vipd) ── eth0: 10.99.0.0/24, 2001:db8:99::/64 ── b (a client; 10.9.0.9 and fd00:9::9 behind it)
             └─ eth1: 10.1.0.0/24, fd00:1::/64 ───────┘

The main table of a leads to the client by eth0; replies of the virtual IP have to leave by eth1.
"""

import json
import signal
import socket
import subprocess

from lab.testing import LabTest, main
from lab.timeline import Event
from lab.vipd import Vipd, VipdConfig

VIP, VIP6 = "10.1.0.50", "fd00:1::50"
CLIENT, CLIENT6 = "10.9.0.9", "fd00:9::9"
PROTOCOL = "112"

POLICY = {"table": 100, "rules": [{"from": VIP, "priority": 90}],
          "routes": [{"to": "default", "via": "10.1.0.1", "interface": "eth1"}]}
POLICY6 = {"table": 106, "rules": [{"from": VIP6, "priority": 96}],
           "routes": [{"to": "default", "via": "fd00:1::1", "interface": "eth1"}]}


class Policies(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.lab.two_nodes(ipv6=True)
        self.connect_eth1()
        self.b.ip("address", "add", f"{CLIENT}/32", "dev", "lo")
        self.b.ip("address", "add", f"{CLIENT6}/128", "dev", "lo", "nodad")
        self.a.ip("route", "add", CLIENT, "via", "10.99.0.2")
        self.a.ip("route", "add", CLIENT6, "via", "2001:db8:99::2")
        for node in (self.a, self.b):
            for name in ("all", "default", "eth0", "eth1"):
                node.sysctl(f"net.ipv4.conf.{name}.rp_filter", "0")
        # Each of its lines is an event, after which what is waited for is looked at again.
        monitor = self.lab.start("monitor", ["stdbuf", "-oL", "ip", "monitor", "rule", "route", "link"], namespace=self.a)
        self.addCleanup(lambda: monitor.signal(signal.SIGTERM))

    def connect_eth1(self) -> None:
        self.lab.network.link(self.a, "eth1", self.b, "eth1")
        for node, number in ((self.a, 2), (self.b, 1)):
            node.ip("address", "add", f"10.1.0.{number}/24", "dev", "eth1")
            node.ip("address", "add", f"fd00:1::{number}/64", "dev", "eth1", "nodad")

    def config(self, *policies: dict, **more) -> VipdConfig:
        settings = {"addresses": [{"address": f"{VIP}/32", "interface": "eth1"}], "policies": list(policies), **more}
        return VipdConfig("10.99.0.1", ["10.99.0.2"], **settings)

    def start(self, config: VipdConfig, state: str = "Active") -> Vipd:
        vipd = self.lab.own(Vipd(self.lab, self.a, config))
        vipd.wait_for_state(state)
        return vipd

    # --- what the kernel has ---

    def rules(self, *, protocol: str | None = PROTOCOL) -> list[dict]:
        """Of both families, by priority; of one protocol or of all."""
        found = [rule for family in ("-4", "-6") for rule in json.loads(self.a.ip("-j", "-N", family, "rule"))]
        return [rule for rule in found if protocol is None or str(rule.get("protocol")) == protocol]

    def routes(self, table: int, family: str = "-4") -> list[dict]:
        shown = subprocess.run(["ip", "-n", self.a.full_name, "-j", "-N", family, "route", "show", "table", str(table)],
                               capture_output=True, text=True, check=False)
        # A table that never had a route is not there.
        return json.loads(shown.stdout) if shown.returncode == 0 and shown.stdout.strip() else []

    def parts(self) -> tuple[int, int]:
        """How many rules and routes carry vipd's protocol, in every table."""
        routes = [route for family in ("-4", "-6")
                  for route in json.loads(self.a.ip("-j", "-N", family, "route", "show", "table", "all") or "[]")
                  if str(route.get("protocol")) == PROTOCOL]
        return len(self.rules()), len(routes)

    def has(self, rules: int, routes: int) -> None:
        self.lab.timeline.until(f"{rules} rules and {routes} routes of vipd", lambda: self.parts() == (rules, routes))

    def table(self, vipd: Vipd) -> dict:
        return next(r for r in vipd.router()["resources"] if r["kind"] == "policy")

    def reload(self, vipd: Vipd, config: VipdConfig) -> Event:
        at = self.lab.timeline.note("lab", "reload")
        vipd.configure(config)
        vipd.signal(signal.SIGHUP)
        vipd.log_line("the reload", "event=reload outcome=applied", since=at.at)
        return at

    # --- the tests ---

    def test_it_follows_the_address_and_is_undone_when_that_goes(self) -> None:
        vipd = self.start(self.config(POLICY, POLICY6))
        self.has(2, 2)
        (rule,) = [r for r in self.rules() if r["priority"] == 90]
        self.assertEqual((rule["src"], str(rule["table"])), (VIP, "100"))
        (route,) = self.routes(100)
        self.assertEqual((route["dst"], route["gateway"], route["dev"], str(route["protocol"])),
                         ("default", "10.1.0.1", "eth1", PROTOCOL))
        (route6,) = self.routes(106, "-6")
        self.assertEqual((route6["dst"], route6["gateway"], route6["metric"]), ("default", "fd00:1::1", 1024))
        self.lab.timeline.until("status says so", lambda: self.table(vipd)["owned"])
        self.assertEqual(self.table(vipd)["rules_here"], 1)
        vipd.signal(signal.SIGTERM)
        self.assertEqual(vipd.wait(15), 0)
        self.assertEqual(self.parts(), (0, 0))

    def test_replies_leave_by_the_interface_that_the_policy_names(self) -> None:
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        self.assertIn("eth1", self.a.ip("route", "get", CLIENT, "from", VIP))
        self.assertIn("eth0", self.a.ip("route", "get", CLIENT))
        self.ask_and_see_the_reply_on("eth1")
        # Without the policy the same reply leaves by eth0: the test can fail.
        self.reload(vipd, self.config())
        self.has(0, 0)
        self.ask_and_see_the_reply_on("eth0")

    def ask_and_see_the_reply_on(self, interface: str) -> None:
        """A datagram of the client to the virtual IP, and one back."""
        replies = self.sniff(interface, f"udp and src {VIP} and dst {CLIENT}")
        server, client = (node.socket(socket.AF_INET, socket.SOCK_DGRAM) for node in (self.a, self.b))
        for opened, address in ((server, VIP), (client, CLIENT)):
            self.lab.own_socket(opened)
            opened.settimeout(10)
            opened.bind((address, 0))
        client.sendto(b"anybody there?", server.getsockname())
        _, asker = server.recvfrom(100)
        server.sendto(b"yes", asker)
        self.assertEqual(client.recvfrom(100), (b"yes", server.getsockname()))
        replies(f"the reply on {interface}", f"> {CLIENT}")

    def sniff(self, interface: str, what: str):
        """tcpdump on b, listening; the result waits for a line of it."""
        dump = self.lab.start(f"tcpdump-{interface}", ["tcpdump", "-l", "-n", "-vv", "-i", interface, what], namespace=self.b)
        dump.log_line("it listens", "listening on", since=dump.started)
        return lambda said, containing: dump.log_line(said, containing, since=dump.started)

    def test_what_somebody_removes_is_put_back(self) -> None:
        vipd = self.start(self.config(POLICY, POLICY6))
        self.has(2, 2)
        for command in (("rule", "del", "priority", "90"), ("-6", "rule", "del", "priority", "96"),
                        ("route", "flush", "table", "100"), ("-6", "route", "del", "default", "table", "106")):
            at = self.lab.timeline.note("lab", "removed", what=" ".join(command))
            self.a.ip(*command)
            vipd.log_line("it notices", "event=policy ", since=at.at)
            self.has(2, 2)
        self.assertEqual(vipd.state(), "Active")
        lost = self.lab.timeline.select(lambda e: e.kind == "log" and "event=policy_lost" in e.text)
        self.assertGreaterEqual(len(lost), 2)

    def test_a_route_that_somebody_replaces_is_missed_and_the_strangers_is_left_alone(self) -> None:
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        self.a.ip("route", "replace", "default", "via", "10.1.0.3", "dev", "eth1", "table", "100")
        self.lab.timeline.until("it says why", lambda: "which is not vipd's" in self.table(vipd)["last_error"])
        (route,) = self.routes(100)
        self.assertEqual(route["gateway"], "10.1.0.3")
        self.a.ip("route", "del", "default", "via", "10.1.0.3", "table", "100")
        self.has(1, 1)

    def test_a_route_returns_with_its_link(self) -> None:
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        self.a.ip("link", "set", "eth1", "down")
        self.has(1, 0)
        self.lab.timeline.until("it says what it waits for", lambda: "is down" in self.table(vipd)["owner"])
        self.assertEqual(self.table(vipd)["last_error"], "")
        self.a.ip("link", "set", "eth1", "up")
        self.has(1, 1)
        self.lab.timeline.until("all is here", lambda: self.table(vipd)["owned"])

    def test_a_route_waits_for_an_interface_that_is_attached_later(self) -> None:
        self.a.ip("link", "del", "eth1")
        vipd = self.start(self.config(POLICY, addresses=[{"address": f"{VIP}/32"}]))
        self.has(1, 0)
        self.lab.timeline.until("it says what it waits for", lambda: "no interface 'eth1'" in self.table(vipd)["owner"])
        self.connect_eth1()
        # Until the interface has its network the gateway is out of reach: that is tried again.
        self.has(1, 1)

    def test_what_is_not_vipds_is_never_touched(self) -> None:
        self.a.ip("rule", "add", "from", "10.1.0.77", "lookup", "100", "priority", "91")
        self.a.ip("rule", "add", "from", VIP, "lookup", "777", "priority", "77", "protocol", "static")
        self.a.ip("route", "add", "10.7.0.0/16", "via", "10.1.0.1", "table", "100")
        before = [r for r in self.rules(protocol=None) if str(r.get("protocol")) != PROTOCOL]
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        self.assertEqual(len(self.routes(100)), 2)
        vipd.signal(signal.SIGTERM)
        vipd.wait(15)
        self.assertEqual(self.parts(), (0, 0))
        self.assertEqual(self.rules(protocol=None), before)
        self.assertEqual([route["dst"] for route in self.routes(100)], ["10.7.0.0/16"])

    def test_the_same_rule_of_a_stranger_stays_when_vipds_goes(self) -> None:
        self.a.ip("rule", "add", "from", VIP, "lookup", "100", "priority", "90")
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        vipd.signal(signal.SIGTERM)
        vipd.wait(15)
        self.assertEqual(self.parts(), (0, 0))
        (left,) = [r for r in self.rules(protocol=None) if r["priority"] == 90]
        self.assertNotEqual(str(left.get("protocol")), PROTOCOL)

    def test_what_a_killed_predecessor_left_is_removed(self) -> None:
        old = {"table": 200, "rules": [{"from": VIP, "priority": 92}],
               "routes": [{"to": "10.8.0.0/16", "kind": "blackhole"}]}
        vipd = self.start(self.config(POLICY, old))
        self.has(2, 2)
        vipd.kill()
        vipd.wait()
        self.assertEqual(self.parts(), (2, 2))
        # One of the two is configured no more, and nobody is Active yet: both go, and one returns.
        again = self.lab.own(Vipd(self.lab, self.a, self.config(POLICY, more={"priority": 1})))
        again.ready()
        self.lab.timeline.until("no rule of either is left, or that of the Active", lambda: self.routes(200) == [] and
                                not [r for r in self.rules() if r["priority"] == 92])
        again.log_line("it says so", "event=policy_remains", since=again.started)
        again.wait_for_state("Active")
        self.has(1, 1)

    def test_a_reload_changes_the_table_without_a_transition(self) -> None:
        vipd = self.start(self.config(POLICY))
        self.has(1, 1)
        epoch = vipd.router()["epoch"]
        self.reload(vipd, self.config({**POLICY, "table": 150}))
        self.lab.timeline.until("the new table", lambda: len(self.routes(150)) == 1 and self.routes(100) == [])
        self.has(1, 1)
        self.assertEqual(str(self.rules()[0]["table"]), "150")
        self.assertEqual((vipd.router()["epoch"], vipd.state()), (epoch, "Active"))
        other = {**POLICY, "table": 150, "routes": [{"to": "default", "via": "10.1.0.9", "interface": "eth1", "mtu": 1400}]}
        self.reload(vipd, self.config(other))
        self.lab.timeline.until("the new gateway", lambda: [r["gateway"] for r in self.routes(150)] == ["10.1.0.9"])

    def test_a_policy_of_the_node_is_there_for_a_backup_and_stays(self) -> None:
        self.lab.own(Vipd(self.lab, self.b, VipdConfig("10.99.0.2", ["10.99.0.1"], priority=200,
                                                       addresses=[{"address": f"{VIP}/32"}]))).wait_for_state("Active")
        vipd = self.start(self.config(POLICY, node_policies=[POLICY6]), "Backup")
        self.has(1, 1)
        self.lab.timeline.until("status says so", lambda: vipd.status()["policies"][0]["owned"])
        self.a.ip("-6", "rule", "del", "priority", "96")
        self.has(1, 1)
        vipd.signal(signal.SIGTERM)
        vipd.wait(15)
        self.assertEqual(self.parts(), (1, 1), "it is the node's own")
        again = self.start(self.config(POLICY), "Backup")
        again.log_line("it is no longer configured", "event=policy_remains", since=again.started)
        self.has(0, 0)

    def test_fifty_rules_and_fifty_routes_at_once(self) -> None:
        many = {"table": 100, "rules": [{"from": f"10.5.0.{i}", "priority": 100 + i} for i in range(50)],
                "routes": [{"to": f"10.6.{i}.0/24", "via": "10.1.0.1", "interface": "eth1"} for i in range(50)]}
        vipd = self.start(self.config(many))
        self.has(50, 50)
        self.a.ip("route", "flush", "table", "100")
        self.has(50, 50)
        vipd.signal(signal.SIGTERM)
        vipd.wait(15)
        self.assertEqual(self.parts(), (0, 0))

    def test_a_route_that_speaks_from_the_address_comes_and_goes_with_it(self) -> None:
        routes = [{"to": "default", "via": "10.1.0.1", "interface": "eth1", "source": VIP, "onlink": True, "metric": 50}]
        self.start(self.config({**POLICY, "routes": routes}))
        self.has(1, 1)
        (route,) = self.routes(100)
        self.assertEqual((route["prefsrc"], route["metric"], route["flags"]), (VIP, 50, ["onlink"]))
        # Whether the kernel takes the route along with its source depends on its version.
        self.a.ip("address", "del", f"{VIP}/32", "dev", "eth1")
        self.has(1, 1)
        self.assertIn(VIP, self.a.ip("address", "show", "dev", "eth1"))

    def test_neighbours_hear_of_the_address(self) -> None:
        arp = self.sniff("eth1", "arp")
        advertisement = self.sniff("eth1", "icmp6 and ip6[40] == 136")
        self.start(self.config(announce={"count": 2, "repeats": 1, "repeat_delay": "200ms"}, addresses=[
            {"address": f"{VIP}/32", "interface": "eth1"}, {"address": f"{VIP6}/128", "interface": "eth1"}]))
        arp("a gratuitous ARP", f"who-has {VIP}")
        advertisement("a neighbour advertisement", f"tgt is {VIP6}")
        count = {"arp": f"who-has {VIP}", "na": f"tgt is {VIP6}"}
        for name, text in count.items():
            self.lab.timeline.until(f"two bursts of two: {name}", lambda text=text: len(self.lab.timeline.select(
                lambda e: e.kind == "log" and e.source.startswith("tcpdump") and text in e.text)) == 4)

    def test_an_address_has_its_label_and_scope(self) -> None:
        self.start(self.config(addresses=[
            {"address": f"{VIP}/32", "interface": "eth1", "label": "eth1:vip", "scope": "link"},
            {"address": f"{VIP6}/128", "interface": "eth1", "deprecated": False}]))
        shown = json.loads(self.a.ip("-j", "address", "show", "dev", "eth1"))[0]["addr_info"]
        (v4,) = [entry for entry in shown if entry["local"] == VIP]
        (v6,) = [entry for entry in shown if entry["local"] == VIP6]
        self.assertEqual((v4["label"], v4["scope"]), ("eth1:vip", "link"))
        self.assertFalse(v6.get("deprecated", False))
        self.assertTrue(v6.get("nodad", False))


if __name__ == "__main__":
    main()
