"""Traffic to the virtual IP, end to end: a client that asks two hundred times a second, an application on each
node that answers, and a router whose kernel follows the route table of the cloud's model, and its addresses.

What the client does not hear is what users of the address would notice; it includes everything, the kernel's part too.
"""

import ipaddress
import queue
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass

from .cloudsim import Cloudsim
from .timeline import MILLISECOND, Event, now
from .zones import VIP, Zones

PORT = 7
PROBE_SECONDS = 0.005
LISTEN_SECONDS = 5.0  # for what is still under way at the end
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78
_ETH_P_ALL = 0x0003
_NOBODY = "06:00:00:00:fe:ff"
_RTM_NEWROUTE = 24
_NLM_F_REQUEST, _NLM_F_REPLACE, _NLM_F_CREATE = 0x1, 0x100, 0x400
_RTA_DST, _RTA_GATEWAY = 1, 5


class RouteFollower:
    """Puts each change of a route of one table into the router's kernel the moment the cloud reports it. That of a prefix list
    is a route for each of its `prefixes` there. A `delivered` event says since when that is so."""

    def __init__(self, zones: Zones, table: str, destination: str = VIP, prefixes: tuple[str, ...] = (VIP,)) -> None:
        self._zones = zones
        self._table = table
        self._destination = destination
        self._prefixes = prefixes
        self._netlink = zones.router.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        zones.lab.own_socket(self._netlink)
        zones.lab.timeline.listen(self._on_event)

    def _on_event(self, event: Event) -> None:
        if event.kind == "change" and (event.fields.get("table"), event.fields.get("destination")) == (
                self._table, self._destination):
            owner = self._zones.owner_of(event.interface)
            if owner in self._zones.places:
                for prefix in self._prefixes:
                    self._netlink.send(_route_message(prefix, self._zones.places[owner].address))
                self._zones.lab.timeline.note("lab", "delivered", address=self._destination, to=owner)


class AddressFollower:
    """What a VPC does when an address is an interface's: the router sends it there, without asking who has it. An Elastic IP is
    translated to the private address that it belongs to in the cloud's register, both ways and without a memory of connections.
    A `delivered` event says since when that is so."""

    def __init__(self, zones: Zones, cloud: Cloudsim) -> None:
        self._zones = zones
        self._cloud = cloud
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="addresses", daemon=True)
        self._thread.start()
        zones.lab.timeline.listen(self._on_event)

    def close(self) -> None:
        self._events.put(None)
        self._thread.join(10)

    def _on_event(self, event: Event) -> None:
        if event.kind != "movement" or event.fields.get("what") not in ("address", "elastic_ip"):
            return
        # An IPv6 address is nobody's for a while; everything else is the next one's in the same moment.
        if event.fields["arrived"] or ":" in event.fields["address"]:
            self._events.put(event)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            name, address = event.fields["node"].removeprefix("node-"), event.fields["address"]
            place = self._zones.places.get(name)
            if place is None:
                continue
            try:
                if event.fields["what"] == "elastic_ip":
                    self._translate(address)
                else:
                    self._zones.deliver(address, place.mac if event.fields["arrived"] else _NOBODY, place.zone)
                self._zones.lab.timeline.note("lab", "delivered", address=address, to=name if event.fields["arrived"] else "")
            except (RuntimeError, StopIteration, KeyError, OSError, subprocess.CalledProcessError) as error:
                self._zones.lab.timeline.note("lab", "address_follower_failed", reason=repr(error))

    def _translate(self, public: str) -> None:
        register = self._cloud.command("GET", "/state")["elastic_ips"].values()
        private = next(entry["private_address"] for entry in register if entry["public_ip"] == public)
        rules = f"""table ip elastic {{}}
flush table ip elastic
table ip elastic {{
    chain inbound {{ type filter hook prerouting priority -300; ip daddr {public} ip daddr set {private}; }}
    chain outbound {{ type filter hook postrouting priority 300; ip saddr {private} udp sport {PORT} ip saddr set {public}; }}
}}
"""
        subprocess.run(self._zones.router.command("nft", "-f", "-"), input=rules, text=True, check=True, capture_output=True)


def _route_message(destination: str, gateway: str) -> bytes:
    """RTM_NEWROUTE for a host route through a gateway, replacing what is there."""
    network = ipaddress.ip_network(destination)
    attributes = b"".join(struct.pack("=HH", 4 + 4, kind) + address.packed for kind, address in
                          ((_RTA_DST, network.network_address), (_RTA_GATEWAY, ipaddress.ip_address(gateway))))
    # rtmsg: family, dst_len, src_len, tos, table main, protocol static, scope universe, type unicast, flags
    body = struct.pack("=BBBBBBBBI", socket.AF_INET, network.prefixlen, 0, 0, 254, 4, 0, 1, 0) + attributes
    return struct.pack("=IHHII", 16 + len(body), _RTM_NEWROUTE, _NLM_F_REQUEST | _NLM_F_REPLACE | _NLM_F_CREATE, 0, 0) + body


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Application:
    """Answers on a node with the node's name, from the virtual address; stopped with the node that crashes."""

    def __init__(self, zones: Zones, name: str, address: str = VIP) -> None:
        self._lab = zones.lab
        self._reply = name.encode()
        self._socket = zones.nodes[name].socket(_family(address), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        level, option = (socket.IPPROTO_IPV6, _IPV6_FREEBIND) if ":" in address else (socket.SOL_IP, _IP_FREEBIND)
        self._socket.setsockopt(level, option, 1)
        self._socket.bind((address.partition("/")[0], PORT))
        self._is_up = True
        zones.lab.own_socket(self._socket)
        zones.lab.observer.watch(self._socket, self._answer)

    def stop(self) -> None:
        self._is_up = False

    def start(self) -> None:
        self._is_up = True

    def _answer(self) -> None:
        try:
            request, sender = self._socket.recvfrom(64)
            if self._is_up:
                self._socket.sendto(request + self._reply, sender)
        except OSError:  # the address is not here at this moment
            pass


@dataclass(frozen=True)
class Question:
    number: int
    asked: int  # right before it was sent
    sent: int  # right after
    answers: tuple[str, ...]  # who answered, as it was heard


class Departures:
    """From which MAC address the router gets an application's reply: that of the interface through which it leaves its node."""

    def __init__(self, zones: Zones, zone: str) -> None:
        def open_socket() -> socket.socket:
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            opened.bind((f"zone-{zone}", _ETH_P_ALL))
            opened.setblocking(False)
            return opened

        self._macs: dict[tuple[str, int], str] = {}
        self._socket = zones.router.call(open_socket)
        zones.lab.own_socket(self._socket)
        zones.lab.observer.watch(self._socket, self._readable)

    def of(self, address: str, number: int) -> str:
        """Of the reply from `address` to the question of that number; "" when there was none."""
        return self._macs.get((address, number), "")

    def _readable(self) -> None:
        while True:
            try:
                packet, (_, _, kind, _, mac) = self._socket.recvfrom(2048)
            except BlockingIOError:
                return
            if kind != socket.PACKET_OUTGOING and (reply := _reply(packet)):
                self._macs[reply] = mac.hex(":")


def _reply(packet: bytes) -> tuple[str, int] | None:
    """Whence it comes, and the number of the question, when it is what an application answers."""
    version = packet[0] >> 4
    if version == 4 and len(packet) >= 20:
        header, protocol, source = (packet[0] & 0x0F) * 4, packet[9], packet[12:16]
    elif version == 6 and len(packet) >= 40:
        header, protocol, source = 40, packet[6], packet[8:24]
    else:
        return None
    if protocol != socket.IPPROTO_UDP or len(packet) < header + 12:
        return None
    port, number = struct.unpack("!H6xI", packet[header:header + 12])
    return (str(ipaddress.ip_address(source)), number) if port == PORT else None


class Client:
    """Asks at a steady pace, and knows afterwards for how long nobody answered, and who did."""

    def __init__(self, zones: Zones, address: str = VIP) -> None:
        self._target = (address.partition("/")[0], PORT)
        self._socket = zones.client.socket(_family(address), socket.SOCK_DGRAM)
        self._socket.settimeout(PROBE_SECONDS)
        self._answers: list[tuple[int, str]] = []  # when it arrived, who answered
        self._asked: dict[int, int] = {}  # by its number, when
        self._sent: dict[int, int] = {}
        self._answered: dict[int, list[str]] = {}  # by whom
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(2)
        self._socket.close()

    def longest_silence_ms(self, since: int) -> float:
        """Between two answers, from the last one before `since` on."""
        times = [at for at, _ in self._answers]
        before = [at for at in times if at <= since][-1:]
        kept = before + [at for at in times if at > since]
        return max(((later - earlier) / MILLISECOND for earlier, later in zip(kept, kept[1:])), default=float("inf"))

    def asked_for_ms(self, since: int) -> float:
        """From `since` to the last question."""
        return (max(list(self._asked.values()), default=since) - since) / MILLISECOND

    def unanswered(self, since: int) -> int:
        """Of the questions from `since` on, but for those of the last tenth of a second, which may be under way."""
        until = now() - 100 * MILLISECOND
        return sum(since <= at <= until and number not in self._answered for number, at in list(self._asked.items()))

    def was_answered(self, since: int) -> bool:
        """Whether anybody has answered a question that was asked from `since` on."""
        return any(at >= since and number in self._answered for number, at in list(self._asked.items()))

    def finish(self) -> list[Question]:
        """Asks no more, listens until the last question has been answered, and returns all of them."""
        self._stopping.set()
        self._thread.join(2)
        give_up = time.monotonic() + LISTEN_SECONDS
        while max(self._asked) not in self._answered and (left := give_up - time.monotonic()) > 0:
            self._hear(left)
        return [Question(number, asked, self._sent[number], tuple(self._answered.get(number, ())))
                for number, asked in self._asked.items()]

    def answered_by(self, name: str, since: int) -> bool:
        return any(at >= since and who == name for at, who in self._answers)

    def _run(self) -> None:
        number = 0
        next_probe = time.monotonic()
        while not self._stopping.is_set():
            number += 1
            self._asked[number] = now()
            try:
                self._socket.sendto(struct.pack("!I", number), self._target)
            except OSError:  # no route yet
                pass
            self._sent[number] = now()
            next_probe = max(next_probe + PROBE_SECONDS, time.monotonic())
            while (left := next_probe - time.monotonic()) > 0 and self._hear(left):
                pass
            time.sleep(max(0.0, next_probe - time.monotonic()))

    def _hear(self, seconds: float) -> bool:
        """Whether there was an answer."""
        self._socket.settimeout(seconds)
        try:
            reply = self._socket.recv(64)
        except OSError:  # nothing came, or an ICMP error did
            return False
        who = reply[4:].decode()
        self._answers.append((now(), who))
        self._answered.setdefault(struct.unpack("!I", reply[:4])[0], []).append(who)
        return True
