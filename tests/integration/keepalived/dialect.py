"""vipd and Debian's keepalived elect together, each as the other's Backup and as its Active.

What holds in every dialect; there is a test file for each: version 3, version 2, version 2 with a password.
"""

import signal

from lab import bounds
from lab.keepalived import Keepalived, KeepalivedConfig
from lab.testing import NOISE_SECONDS, LabTest
from lab.vipd import Vipd, VipdConfig

# A Backup's address may outlive the better Active's first advert by the time it takes to hear it and to tell the kernel.
BOTH_OWN_SECONDS_MAX = 1.0


class Dialect:
    """The tests of every dialect; to be mixed into a LabTest."""

    version = 3
    interval_ms = 200.0
    password = ""
    addresses = {"a": "10.99.0.1", "b": "10.99.0.2"}
    vip = "172.16.1.100/32"
    keepalived_lines: list[str] = []

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.lab.two_nodes(ipv6=":" in self.vip)

    def own(self, node) -> str:
        return self.addresses[node.name]

    def other(self, node) -> str:
        return self.addresses["b" if node.name == "a" else "a"]

    def keepalived(self, node, priority: int) -> Keepalived:
        return self.lab.own(Keepalived(self.lab, node, KeepalivedConfig(
            self.own(node), [self.other(node)], version=self.version, priority=priority,
            interval=f"{self.interval_ms / 1000:g}", password=self.password, addresses=[f"{self.vip} dev lo"],
            lines=self.keepalived_lines)))

    def vipd(self, node, priority: int) -> Vipd:
        return self.lab.own(Vipd(self.lab, node, VipdConfig(
            self.own(node), [self.other(node)], version=self.version, priority=priority,
            advert_interval=f"{self.interval_ms:g}ms", password=self.password,
            addresses=[{"address": self.vip, "interface": "lo"}])))

    def down(self, priority: int) -> float:
        return bounds.down_interval(priority, self.interval_ms, self.version)

    def seconds(self, priority: int) -> float:
        """Until `priority` takes over from silence, with room for noise."""
        return self.down(priority) / 1000 + self.interval_ms / 1000 + NOISE_SECONDS

    def test_vipd_is_keepaliveds_backup(self) -> None:
        keepalived = self.keepalived(self.a, 150)
        self.has_address("a", self.vip, timeout=self.seconds(150))
        vipd = self.vipd(self.b, 100)
        vipd.ready()
        # Longer than its down interval, so that a Backup that does not hear would have spoken.
        quiet_until = vipd.started + int(self.down(100) * 1e6) * 2
        self.lab.timeline.wait("keepalived goes on", lambda e: e.kind == "advert" and e.source == "a" and e.at >= quiet_until,
                               timeout=self.seconds(100) * 2)
        self.assertEqual(self.lab.adverts("b"), [], "a Backup sends nothing")
        router = vipd.router()
        self.assertEqual((router["state"], router["active_address"], router["active_priority"]),
                         ("Backup", self.own(self.a), 150))
        self.assertEqual(nonzero(router["adverts"]["discarded"]), {})

        crash = keepalived.kill()
        self.assert_took_over("b", "a", crash.at, self.down(100))
        self.has_address("b", self.vip, since=crash.at)
        self.a.ip("address", "flush", "dev", "lo", "scope", "global")

        returned = self.keepalived(self.a, 150)
        self.has_address("a", self.vip, since=returned.started, timeout=self.seconds(150))
        vipd.wait_for_state("Backup")
        self.lost_address("b", self.vip, since=returned.started)
        self.assertLess(self.both_owned_seconds(self.vip, since=returned.started), BOTH_OWN_SECONDS_MAX)

        stopped = returned.signal(signal.SIGTERM)
        goodbye = self.lab.advert("keepalived says goodbye", "a", since=stopped.at, priority=0)
        first = self.lab.advert("vipd follows", "b", since=goodbye.at, timeout=self.seconds(100))
        waited_ms = (first.at - goodbye.at) / 1e6
        self.assertGreaterEqual(waited_ms, bounds.skew(100, self.interval_ms, self.version) - 2)
        router = vipd.router()
        self.assertEqual(router["state"], "Active")
        self.assertEqual(router["election"]["priority_zero_received"], 1)
        self.assertEqual(nonzero(router["adverts"]["discarded"]), {})

    def test_keepalived_is_vipds_backup(self) -> None:
        vipd = self.vipd(self.a, 150)
        self.has_address("a", self.vip, timeout=self.seconds(150))
        keepalived = self.keepalived(self.b, 100)
        quiet_until = keepalived.started + int(self.down(100) * 1e6) * 2
        self.lab.timeline.wait("vipd goes on", lambda e: e.kind == "advert" and e.source == "a" and e.at >= quiet_until,
                               timeout=self.seconds(100) * 2)
        self.assertEqual(self.lab.adverts("b"), [], "keepalived accepts the adverts")

        crash = vipd.kill()
        self.assert_took_over("b", "a", crash.at, self.down(100))
        self.has_address("b", self.vip, since=crash.at)

        returned = self.vipd(self.a, 150)
        first = self.lab.advert("vipd preempts", "a", since=returned.started, priority=150, timeout=self.seconds(150))
        # vipd adds the address before its first advert leaves.
        self.has_address("a", self.vip, since=returned.started)
        self.lost_address("b", self.vip, since=first.at)
        self.assertLess(self.both_owned_seconds(self.vip, since=returned.started), BOTH_OWN_SECONDS_MAX)

        stopped = returned.signal(signal.SIGTERM)
        goodbye = self.lab.advert("vipd says goodbye", "a", since=stopped.at, priority=0)
        first = self.lab.advert("keepalived follows", "b", since=goodbye.at, timeout=self.seconds(100))
        self.assertEqual(returned.wait(), 0)
        self.has_address("b", self.vip, since=goodbye.at)
        self.lost_address("a", self.vip, since=stopped.at)

    def test_of_two_equal_actives_the_higher_address_stays(self) -> None:
        for vipd_node, keepalived_node in ((self.a, self.b), (self.b, self.a)):
            with self.subTest(vipd=self.own(vipd_node)):
                vipd, keepalived = self.vipd(vipd_node, 100), self.keepalived(keepalived_node, 100)
                for node in (self.a, self.b):
                    cut(node)
                started = max(vipd.started, keepalived.started)
                for node in ("a", "b"):
                    self.has_address(node, self.vip, since=started, timeout=self.seconds(100))
                healed = self.lab.timeline.note("lab", "healed")
                for node in (self.a, self.b):
                    heal(node)
                self.lost_address("a", self.vip, since=healed.at, timeout=self.interval_ms / 1000 + NOISE_SECONDS)
                vipd.wait_for_state("Active" if vipd_node is self.b else "Backup")
                self.assertFalse([e for e in self.lab.timeline.select(lambda e: e.kind == "address_removed", healed.at)
                                  if e.source == "b"], "the higher address keeps the virtual one")
                vipd.stop()
                keepalived.stop()


def nonzero(counters: dict) -> dict:
    return {name: count for name, count in counters.items() if count}


def cut(node) -> None:
    """Nothing of VRRP comes in any more."""
    node.run("nft", "add table inet lab; add chain inet lab input { type filter hook input priority 0; }; "
                    "add rule inet lab input meta l4proto 112 drop")


def heal(node) -> None:
    node.run("nft", "delete table inet lab")


def dissect(test: Dialect, count: int) -> str:
    """What tcpdump on the peer's side says about `count` adverts."""
    done = test.b.run("tcpdump", "-n", "-vvv", "-i", "eth0", "-c", str(count), f"src {test.own(test.a)} and proto 112",
                      timeout=test.seconds(150) + count * test.interval_ms / 1000)
    return done.stdout
