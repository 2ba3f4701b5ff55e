"""The laboratory's own decoder, arithmetic and book-keeping: a second opinion is worth something only when it is right."""

import unittest

from lab import bounds, vrrp
from lab.process import logfmt
from lab.timeline import Event, TimedOut, Timeline
from lab.vipd import VipdConfig, toml

# VRID 51, priority 100, 1 s, 192.0.2.100; accepted by tcpdump 4.99 and equal to scapy's.
V3_MESSAGE_ONLY = bytes.fromhex("313364010064a802c0000264")
V3_PSEUDO_HEADER = bytes.fromhex("3133640100649068c0000264")  # from 10.0.1.10 to 10.0.2.20
V3_IPV6 = bytes.fromhex("313364020064e108fe80000000000000000000000000000120010db8000000000000000000000100")
V2 = bytes.fromhex("213364010001b865c00002640000000000000000")
V2_PASSWORD = bytes.fromhex("2133640101017b19c00002647365637265740000")


class Decoder(unittest.TestCase):
    def test_reads_version_3_with_either_checksum(self) -> None:
        for message, form in ((V3_MESSAGE_ONLY, "rfc9568"), (V3_PSEUDO_HEADER, "rfc5798")):
            advert = vrrp.decode(message, "10.0.1.10", "10.0.2.20", 255)
            self.assertEqual((advert.version, advert.vrid, advert.priority, advert.interval_cs, advert.addresses,
                              advert.checksum_form), (3, 51, 100, 100, ("192.0.2.100",), form))
            self.assertEqual(advert.encode("10.0.1.10", "10.0.2.20", form=form), message)

    def test_reads_ipv6(self) -> None:
        advert = vrrp.decode(V3_IPV6, "2001:db8:1::a", "2001:db8:2::b", 255)
        self.assertEqual((advert.addresses, advert.checksum_form), (("fe80::1", "2001:db8::100"), "rfc5798"))

    def test_reads_version_2_with_and_without_a_password(self) -> None:
        plain = vrrp.decode(V2, "10.0.1.10", "10.0.2.20", 255)
        self.assertEqual((plain.version, plain.interval_cs, plain.authentication_type, plain.checksum_form),
                         (2, 100, 0, "rfc9568"))
        secret = vrrp.decode(V2_PASSWORD, "10.0.1.10", "10.0.2.20", 255)
        self.assertEqual((secret.authentication_type, secret.authentication_data), (1, b"secret\0\0"))
        self.assertEqual(secret.encode("10.0.1.10", "10.0.2.20"), V2_PASSWORD)

    def test_signs_as_the_draft_does(self) -> None:
        key = bytes(range(32))
        for message, trailer, source, destination, form in (
                ("3133c80100644402c0000264", "0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265",
                 "198.51.100.10", "198.51.100.20", "rfc9568"),
                ("3133c8010064a2e9fe800000000000000000000000000100",
                 "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78", "fe80::10", "fe80::20", "rfc5798")):
            made = vrrp.sign(key, 1, bytes.fromhex(message), source, 0x68000000 + 0.5)
            self.assertEqual(made.hex(), trailer)
            advert = vrrp.decode(bytes.fromhex(message + trailer), source, destination, 255)
            self.assertEqual((advert.priority, advert.checksum_form, advert.trailer.hex()), (200, form, trailer))
            self.assertTrue(vrrp.is_signed_with(key, advert))
            self.assertFalse(vrrp.is_signed_with(bytes(32), advert))

    def test_sees_a_wrong_checksum(self) -> None:
        damaged = V3_PSEUDO_HEADER[:2] + b"\x65" + V3_PSEUDO_HEADER[3:]
        self.assertEqual(vrrp.decode(damaged, "10.0.1.10", "10.0.2.20", 255).checksum_form, "wrong")

    def test_refuses_what_is_too_short(self) -> None:
        self.assertIsNone(vrrp.decode(V3_PSEUDO_HEADER[:11], "10.0.1.10", "10.0.2.20", 255))


class Arithmetic(unittest.TestCase):
    def test_down_intervals(self) -> None:
        """Values that keepalived was measured to keep."""
        self.assertAlmostEqual(bounds.down_interval(100, 1000), 3609.375)
        self.assertAlmostEqual(bounds.down_interval(100, 100), 360.9375)
        self.assertAlmostEqual(bounds.down_interval(100, 5000, version=2), 15609.375)
        self.assertAlmostEqual(bounds.skew(100, 500), 304.6875)

    def test_a_bound_holds_the_whole_takeover(self) -> None:
        bound = bounds.crash(100, 100, 20)
        self.assertLess(bound.detection_ms, 364)
        self.assertAlmostEqual(bound.moved_ms, bound.first_request_ms + 20)


class BookKeeping(unittest.TestCase):
    def test_waiting_finds_what_has_happened_and_says_what_has_not(self) -> None:
        timeline = Timeline()
        timeline.add(Event(5, "a", "advert", {"priority": 100}))
        self.assertEqual(timeline.wait("an advert", lambda e: e.kind == "advert").priority, 100)
        with self.assertRaisesRegex(TimedOut, "a later advert"):
            timeline.wait("a later advert", lambda e: e.kind == "advert", since=6, timeout=0.01)

    def test_log_lines_are_read_field_by_field(self) -> None:
        self.assertEqual(logfmt('event=transition reason="no \\"advert\\" for 361 ms" epoch=4'),
                         {"event": "transition", "reason": 'no "advert" for 361 ms', "epoch": "4"})

    def test_configurations_are_toml(self) -> None:
        self.assertEqual(toml({"address": "10.0.2.10", "min_ttl": 254}), '{ address = "10.0.2.10", min_ttl = 254 }')
        text = VipdConfig("10.0.1.10", ["10.0.2.10"], password="x", aws={"endpoint": "https://10.0.0.100"}).text("/run/s")
        for line in ("[aws]", 'endpoint = "https://10.0.0.100"', "[[router]]", "[router.auth]", 'socket = "/run/s"',
                     "[[router.address]]", "realtime = false"):
            self.assertIn(line, text.splitlines())


if __name__ == "__main__":
    unittest.main(verbosity=2)
