"""What the kernel shows from outside the processes: adverts that leave a node, and addresses that come and go.

A packet socket inside each node's namespace hears its outgoing packets, stamped by the kernel when they left; a netlink socket
hears RTM_NEWADDR and RTM_DELADDR.
"""

import errno
import ipaddress
import socket
import struct
import time

from . import vrrp
from .network import Namespace
from .observer import Observer
from .timeline import Event, Timeline, now

_ETH_P_ALL = 0x0003
_SO_TIMESTAMPNS = 35
_PACKET_OUTGOING = 4
_RTMGRP_IPV4_IFADDR = 0x10
_RTMGRP_IPV6_IFADDR = 0x100
_RTM_NEWADDR = 20
_RTM_DELADDR = 21
_IFA_ADDRESS = 1
_IFA_LOCAL = 2


def watch_adverts(timeline: Timeline, observer: Observer, node: Namespace, interface: str) -> socket.socket:
    """An `advert` event, with the decoded fields, for each VRRP message that `node` sends on `interface`."""

    def open_socket() -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        opened.bind((interface, _ETH_P_ALL))
        opened.setblocking(False)
        return opened

    heard = node.call(open_socket)

    def readable() -> None:
        while True:
            try:
                packet, control, _, address = heard.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # said once, when the interface goes down
                    return
                raise
            if address[2] == _PACKET_OUTGOING:
                _note_advert(timeline, node.name, packet, _stamp(control))

    observer.watch(heard, readable)
    return heard


def _stamp(control: list) -> int:
    """The kernel's time of a packet on our clock. Both clocks are read in one breath, so that a step of the wall clock between
    two packets does not matter."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return now() - (time.time_ns() - (seconds * 1_000_000_000 + nanoseconds))
    return now()


def _note_advert(timeline: Timeline, node: str, packet: bytes, at: int) -> None:
    if packet[0] >> 4 == 4 and len(packet) >= 20 and packet[9] == vrrp.PROTOCOL:
        header = (packet[0] & 0x0F) * 4
        length = struct.unpack("!H", packet[2:4])[0]
        source, destination = (str(ipaddress.IPv4Address(packet[i:i + 4])) for i in (12, 16))
        advert = vrrp.decode(packet[header:length], source, destination, packet[8])
    elif packet[0] >> 4 == 6 and len(packet) >= 40 and packet[6] == vrrp.PROTOCOL:
        source, destination = (str(ipaddress.IPv6Address(packet[i:i + 16])) for i in (8, 24))
        advert = vrrp.decode(packet[40:], source, destination, packet[7])
    else:
        return
    if advert is not None:
        timeline.add(Event(at, node, "advert", vars(advert)))


def watch_addresses(timeline: Timeline, observer: Observer, node: Namespace) -> socket.socket:
    """`address_added` and `address_removed` events, with `address`, for `node`."""

    def open_socket() -> socket.socket:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        opened.bind((0, _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
        opened.setblocking(False)
        return opened

    heard = node.call(open_socket)

    def readable() -> None:
        try:
            data = heard.recv(65536)
        except BlockingIOError:
            return
        while len(data) >= 16:
            length, kind = struct.unpack("=IH", data[:6])
            address = _address(data[16:length])
            if kind in (_RTM_NEWADDR, _RTM_DELADDR) and address:
                timeline.note(node.name, "address_added" if kind == _RTM_NEWADDR else "address_removed", address=address)
            data = data[(length + 3) & ~3:]

    observer.watch(heard, readable)
    return heard


def _address(message: bytes) -> str:
    """The address of an ifaddrmsg and its attributes."""
    prefix, found = message[1], {}
    attributes = message[8:]
    while len(attributes) >= 4:
        length, kind = struct.unpack("=HH", attributes[:4])
        if length < 4:
            break
        found[kind] = attributes[4:length]
        attributes = attributes[(length + 3) & ~3:]
    raw = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
    return f"{ipaddress.ip_address(raw)}/{prefix}" if raw else ""
