"""VRRP adverts, decoded, encoded and signed independently of the product: the second opinion of the tests.

Layouts and checksums follow RFC 5798 (version 3) and RFC 3768 (version 2), signatures draft-cassen-vrrp-auth-hmac-00.
"""

import hashlib
import hmac
import ipaddress
import struct
from dataclasses import dataclass

PROTOCOL = 112
TRAILER_SIZE = 28


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: str, destination: str, length: int) -> bytes:
    """Of IPv4 (RFC 5798 as everyone deployed it) and of IPv6 (RFC 8200 8.1)."""
    from_address, to_address = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if from_address.version == 4:
        return from_address.packed + to_address.packed + struct.pack("!BBH", 0, PROTOCOL, length)
    return from_address.packed + to_address.packed + struct.pack("!IBBBB", length, 0, 0, 0, PROTOCOL)


def sign(key: bytes, key_id: int, message: bytes, source: str, seconds: float, counter: int = 0) -> bytes:
    """The trailer of a message."""
    address = ipaddress.ip_address(source)
    ticks = int(seconds * 65536)
    head = struct.pack("!BBHIHH", 1, key_id, 0, ticks >> 16 & 0xFFFFFFFF, ticks & 0xFFFF, counter)
    covered = struct.pack("!BBBB16s", address.version, message[0] >> 4, message[1], 0, address.packed)
    covered += message[:6] + b"\0\0" + message[8:] + head + bytes(16)
    return head + hmac.digest(key, covered, hashlib.sha256)[:16]


@dataclass(frozen=True)
class Advert:
    version: int
    vrid: int
    priority: int
    interval_cs: int  # version 2: seconds * 100
    addresses: tuple[str, ...] = ()
    authentication_type: int = 0
    authentication_data: bytes = b""
    source: str = ""
    destination: str = ""
    ttl: int = 0
    checksum_form: str = ""  # "rfc5798" (with a pseudo-header), "rfc9568" (without), "wrong"
    message: bytes = b""  # as it was, without the trailer
    trailer: bytes = b""  # of a signed one

    def encode(self, source: str, destination: str, *, form: str = "rfc5798") -> bytes:
        """The message after the IP header, with its checksum."""
        packed = b"".join(ipaddress.ip_address(address).packed for address in self.addresses)
        head = struct.pack("!BBBB", self.version << 4 | 1, self.vrid, self.priority, len(self.addresses))
        if self.version == 2:
            middle = struct.pack("!BB", self.authentication_type, self.interval_cs // 100)
            tail = packed + self.authentication_data.ljust(8, b"\0")
        else:
            middle, tail = struct.pack("!H", self.interval_cs), packed
        message = head + middle + b"\0\0" + tail
        cover = pseudo_header(source, destination, len(message)) if self.version == 3 and form == "rfc5798" else b""
        return head + middle + struct.pack("!H", checksum(cover + message)) + tail


def is_signed_with(key: bytes, advert) -> bool:
    """Whether the trailer of an Advert, or of an `advert` event, is right."""
    if len(advert.trailer) != TRAILER_SIZE:
        return False
    _, key_id, _, seconds, fraction, counter = struct.unpack("!BBHIHH", advert.trailer[:12])
    return advert.trailer == sign(key, key_id, advert.message, advert.source, seconds + fraction / 65536, counter)


def decode(message: bytes, source: str, destination: str, ttl: int) -> Advert | None:
    """The advert in the payload of an IP packet; None when it is not one."""
    if len(message) < 8 or message[0] & 0x0F != 1:
        return None
    version, vrid, priority, count = message[0] >> 4, message[1], message[2], message[3]
    family = ipaddress.ip_address(source).version
    size = 4 if family == 4 else 16
    end = 8 + count * size
    if len(message) < end:
        return None
    addresses = tuple(str(ipaddress.ip_address(message[8 + i * size:8 + (i + 1) * size])) for i in range(count))
    authentication = message[end:end + 8] if version == 2 else b""
    cut = end + len(authentication)
    whole, message, trailer = message, message[:cut], message[cut:]
    # Over IPv6 the kernel computes it, over all that it is given; a trailer is no part of a message over IPv4.
    summed = whole if family == 6 or len(trailer) != TRAILER_SIZE else message
    covered = {"rfc5798": pseudo_header(source, destination, len(summed)) + summed}
    if version == 2 or family == 4:
        covered["rfc9568"] = summed
    if version == 2:
        del covered["rfc5798"]
    form = next((name for name, data in covered.items() if checksum(data) == 0), "wrong")
    if version == 2:
        return Advert(2, vrid, priority, message[5] * 100, addresses, message[4], authentication, source, destination, ttl,
                      form, message, trailer)
    return Advert(version, vrid, priority, struct.unpack("!H", message[4:6])[0] & 0x0FFF, addresses, 0, b"", source,
                  destination, ttl, form, message, trailer)
