"""Two daemons that come to sign their adverts while they run, change their keys, and are then set upon.

What holds over IPv4 and over IPv6; there is a test file for each.
"""

import os
import signal
import socket
import time
from pathlib import Path
from types import SimpleNamespace

from lab.testing import NOISE_SECONDS
from lab.vipd import Vipd, VipdConfig
from lab.vrrp import PROTOCOL, Advert, is_signed_with, sign

KEYS = {1: bytes(range(32)), 2: bytes(range(100, 148)), 3: os.urandom(64)}
TRIES = 10


def nonzero(counters: dict) -> dict:
    return {name: count for name, count in counters.items() if count}


class Auth:
    """The tests of every dialect; to be mixed into a LabTest."""

    version = 3
    interval_ms = 200.0
    addresses = {"a": "10.99.0.1", "b": "10.99.0.2"}
    vip = "172.16.1.100/32"

    def setUp(self) -> None:
        super().setUp()
        self.nodes = dict(zip("ab", self.lab.two_nodes(ipv6=":" in self.vip)))
        for number, key in KEYS.items():
            # As raw bytes, or as `openssl rand -hex 32` would write it.
            content = key if number == 2 else key.hex().encode() + b"\n"
            self.write_key(f"key{number}", content)
        self.vipds = {}

    def write_key(self, name: str, content: bytes, mode: int = 0o400) -> str:
        path = Path(self.lab.directory, name)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return str(path)

    def config(self, name: str, auth: dict) -> VipdConfig:
        other = "b" if name == "a" else "a"
        return VipdConfig(self.addresses[name], [self.addresses[other]], version=self.version,
                          priority=150 if name == "a" else 100, advert_interval=f"{self.interval_ms:g}ms", auth=auth,
                          addresses=[{"address": self.vip, "interface": "lo"}])

    def hmac(self, mode: str, *ids: int) -> dict:
        """The first of the keys signs."""
        return {"kind": "hmac", "mode": mode, "active_key": ids[0],
                "keys": [{"id": number, "file": str(Path(self.lab.directory, f"key{number}"))} for number in ids]}

    def start(self, auth: dict) -> None:
        for name in "ab":
            self.vipds[name] = self.lab.own(Vipd(self.lab, self.nodes[name], self.config(name, auth)))
            self.vipds[name].ready()
        self.vipds["a"].wait_for_state("Active")
        self.vipds["b"].wait_for_state("Backup")

    def reload(self, name: str, auth: dict) -> int:
        """Returns when that was."""
        at = self.lab.timeline.note("lab", "reload", target=name).at
        self.vipds[name].configure(self.config(name, auth))
        self.vipds[name].signal(signal.SIGHUP)
        self.vipds[name].log_line(f"{name} has read its file", "outcome=applied", since=at)
        return at

    def adverts_pass(self) -> list:
        """Three more of the Active's adverts, which the Backup has heard."""
        since = self.lab.timeline.note("lab", "listen").at
        accepted = self.vipds["b"].router()["adverts"]["received"]
        self.lab.timeline.until("three adverts", lambda: self.vipds["b"].router()["adverts"]["received"] >= accepted + 3,
                                timeout=3 * self.interval_ms / 1000 + NOISE_SECONDS)
        return self.lab.adverts("a", since=since)

    def transitions(self) -> dict:
        found = {}
        for name, vipd in self.vipds.items():
            election = vipd.router()["election"]
            found[name] = (vipd.state(), election["became_active"], election["became_backup"])
        return found

    def is_signed(self, event, number: int) -> bool:
        # An event's own source is the node that sent it.
        return is_signed_with(KEYS[number], SimpleNamespace(**event.fields))

    def assert_signed(self, number: int) -> None:
        for advert in self.adverts_pass()[1:]:
            self.assertEqual((len(advert.trailer), advert.trailer[1] if advert.trailer else 0), (28, number))
            self.assertTrue(self.is_signed(advert, number), "Python's HMAC is the same")
            self.assertNotEqual(advert.checksum_form, "wrong")

    def usurp(self, key: bytes | None) -> None:
        """Adverts of priority 254 in b's name, TRIES of them."""
        source, destination = self.addresses["b"], self.addresses["a"]
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        opened = self.nodes["b"].socket(family, socket.SOCK_RAW, PROTOCOL)
        with opened:
            opened.bind((source, 0))
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 6)
            else:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
            advert = Advert(self.version, 51, 254, int(self.interval_ms / 10), (self.vip.partition("/")[0],))
            message = advert.encode(source, destination)
            for number in range(TRIES):
                trailer = b"" if key is None else sign(key, 1, message, source, time.time(), number)
                opened.sendto(message + trailer, (destination, 0))

    def count(self, name: str, reason: str) -> int:
        return self.vipds[name].router()["adverts"]["discarded"][reason]

    # --- the tests ---

    def test_signatures_are_rolled_out_and_a_usurper_is_ignored(self) -> None:
        self.start({})
        before = self.transitions()
        for mode in ("receive-only", "permissive", "enforce"):
            # The Backup first, so that each step is seen with nodes of both kinds.
            for name in "ba":
                self.reload(name, self.hmac(mode, 1))
                self.adverts_pass()
                self.assertEqual(self.vipds[name].router()["auth"]["mode"], mode)
            if mode == "receive-only":
                self.assertEqual([len(advert.trailer) for advert in self.adverts_pass()[1:]].count(28), 0)
            else:
                self.assert_signed(1)
        self.assertEqual(self.transitions(), before)
        for name in "ab":
            self.assertEqual(nonzero(self.vipds[name].router()["adverts"]["discarded"]), {})

        self.usurp(None)
        self.usurp(KEYS[3])
        self.lab.timeline.until("all of them are counted", lambda: self.count("a", "auth_hmac") == TRIES)
        self.assertEqual(nonzero(self.vipds["a"].router()["adverts"]["discarded"]), {"auth_missing": TRIES, "auth_hmac": TRIES})
        self.assert_signed(1)
        self.assertEqual(self.transitions(), before)
        # What would have happened with the key.
        self.usurp(KEYS[1])
        self.vipds["a"].wait_for_state("Backup")

    def test_keys_are_rotated_without_a_transition(self) -> None:
        self.start(self.hmac("enforce", 1))
        before = self.transitions()
        self.assert_signed(1)
        for ids in ((1, 2), (2, 1), (2,)):
            for name in "ba":
                self.reload(name, self.hmac("enforce", *ids))
                self.adverts_pass()
            self.assert_signed(ids[0])
        self.assertEqual(self.transitions(), before)
        for name in "ab":
            self.assertEqual(nonzero(self.vipds[name].router()["adverts"]["discarded"]), {})

        # Another key in the file that is configured already is read again.
        self.write_key("key2", KEYS[3])
        for name in "ba":
            self.reload(name, self.hmac("enforce", 2))
        self.lab.timeline.wait("the Active signs with it", lambda e: e.kind == "advert" and e.source == "a" and
                               self.is_signed(e, 3))

    def test_a_reload_with_a_key_that_others_may_read_is_refused_whole(self) -> None:
        self.start(self.hmac("enforce", 1))
        before = self.transitions()
        secret = KEYS[3].hex()
        path = self.write_key("key3", secret.encode(), mode=0o644)
        at = self.lab.timeline.note("lab", "reload").at
        self.vipds["a"].configure(self.config("a", self.hmac("enforce", 3, 1)))
        self.vipds["a"].signal(signal.SIGHUP)
        line = self.vipds["a"].log_line("the refusal", "outcome=refused", since=at)
        self.assertIn(path, line.text)
        self.assertIn("chmod 0400", line.text)
        self.assert_signed(1)
        self.assertEqual(self.transitions(), before)
        said = self.lab.timeline.select(lambda e: e.kind == "log" and secret[:16] in e.text)
        self.assertEqual(said, [], "no key is ever said")
