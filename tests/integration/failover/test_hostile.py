"""Packets that a stranger makes up, with an address of its own and with a peer's: counters change and nothing else."""

import ipaddress
import socket
import struct

from lab.testing import LabTest, main
from lab.timeline import Event
from lab.vipd import Vipd, VipdConfig
from lab.vrrp import PROTOCOL, Advert

VIP = "172.16.1.100/32"
ACTIVE, PEER, STRANGER = "10.99.0.1", "10.99.0.2", "10.99.0.66"
GOOD = Advert(version=3, vrid=51, priority=200, interval_cs=20, addresses=("172.16.1.100",))


class Hostile(LabTest):
    def setUp(self) -> None:
        super().setUp()
        network = self.lab.network
        switch = network.namespace("switch")
        network.bridge(switch, "lan")
        for name, address in (("a", ACTIVE), ("b", PEER), ("x", STRANGER)):
            network.plug(network.namespace(name), "eth0", switch, "lan", f"{address}/24")
        self.lab.watch(network["a"])
        self.stranger = network["x"].socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.lab.own_socket(self.stranger)
        self.active: Vipd = self.lab.own(Vipd(self.lab, network["a"], VipdConfig(ACTIVE, [PEER], priority=100)))
        self.active.wait_for_state("Active")
        self.before = self.active.router()

    def forge(self, message: bytes, *, source: str = PEER, ttl: int = 255) -> Event:
        """One datagram to the Active with any source and TTL."""
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(message), 0, 0, ttl, PROTOCOL, 0,
                             ipaddress.ip_address(source).packed, ipaddress.ip_address(ACTIVE).packed)
        sent = self.lab.timeline.note("lab", "forged", claims=source, ttl=ttl, message=message.hex())
        self.stranger.sendto(header + message, (ACTIVE, 0))
        return sent

    def discarded(self) -> dict[str, int]:
        """By reason, before a router was known and after."""
        status = self.active.status()
        of_router = status["routers"][0]["adverts"]["discarded"]
        return {reason: count + of_router[reason] for reason, count in status["adverts_discarded"].items()}

    def assert_unmoved(self, since: int) -> None:
        router = self.active.router()
        self.assertEqual((router["state"], router["epoch"]), ("Active", self.before["epoch"]))
        self.assertEqual(router["active_advert_interval_seconds"], self.before["active_advert_interval_seconds"])
        self.assertEqual(router["peers"], self.before["peers"], "a forged packet is not a sign of life")
        self.assertEqual(self.lab.timeline.select(lambda e: e.source == "a" and e.kind == "address_removed", since), [])
        # It goes on at its own pace and answers nothing.
        self.lab.advert("the Active goes on", "a", since=self.lab.timeline.note("lab", "look").at)

    def test_what_is_wrong_with_a_peers_packet_is_counted_by_reason(self) -> None:
        good = GOOD.encode(PEER, ACTIVE)
        vrid = Advert(**{**vars(GOOD), "vrid": 52}).encode(PEER, ACTIVE)
        version2 = Advert(**{**vars(GOOD), "version": 2, "interval_cs": 100}).encode(PEER, ACTIVE)
        interval_zero = Advert(**{**vars(GOOD), "interval_cs": 0}).encode(PEER, ACTIVE)
        no_address = Advert(**{**vars(GOOD), "addresses": ()}).encode(PEER, ACTIVE)
        for reason, message, ttl in (
                ("malformed", good[:7], 255), ("ttl", good, 254), ("type", bytes([0x32]) + good[1:], 255), ("vrid", vrid, 255),
                ("version", version2, 255), ("length", good[:-1], 255), ("length", good + b"\0" * 4, 255),
                ("checksum", good[:2] + b"\xff" + good[3:], 255), ("address_count", no_address, 255),
                ("interval_zero", interval_zero, 255)):
            with self.subTest(reason=reason, bytes=len(message)):
                counted = self.discarded()
                forged = self.forge(message, ttl=ttl)
                expected = {**counted, reason: counted[reason] + 1}
                self.lab.timeline.until(f"{reason} is counted", lambda: self.discarded() == expected)
                self.assert_unmoved(forged.at)

    def test_a_stranger_is_not_heard_whatever_it_says(self) -> None:
        first = None
        for priority in (0, 1, 200, 255):
            message = Advert(**{**vars(GOOD), "priority": priority}).encode(STRANGER, ACTIVE)
            forged = self.forge(message, source=STRANGER)
            first = first or forged
        # Most are dropped in the kernel, which counts for nobody; a peer's bad packet behind them shows that they have passed.
        counted = self.discarded()["checksum"]
        self.forge(GOOD.encode(PEER, ACTIVE)[:-1] + b"\xff")
        self.lab.timeline.until("the last one is counted", lambda: self.discarded()["checksum"] == counted + 1)
        self.assert_unmoved(first.at)

    def test_a_stream_of_priority_zero_does_not_hold_up_a_takeover(self) -> None:
        """A Backup forgets what it has heard of a release only when the peer speaks again."""
        better = Advert(**{**vars(GOOD), "priority": 200}).encode(PEER, ACTIVE)
        release = Advert(**{**vars(GOOD), "priority": 0}).encode(PEER, ACTIVE)
        self.forge(better)
        self.active.wait_for_state("Backup")
        since = self.lab.timeline.note("lab", "silence").at
        # Each is sent when the node has taken the one before, so that the stream lasts until the takeover.
        received = self.active.router()["election"]["priority_zero_received"]
        while not [e for e in self.lab.adverts("a", since=since) if e.priority > 0]:
            self.forge(release)
            received += 1
            self.lab.timeline.until("the release is counted", lambda: self.active.router()["election"]["priority_zero_received"]
                                    >= received)
        self.active.wait_for_state("Active")


if __name__ == "__main__":
    main()
