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

from .timeline import MILLISECOND, Event, now
from .zones import VIP, Zones

PORT = 7
PROBE_SECONDS = 0.005
_IP_FREEBIND = 15
_RTM_NEWROUTE = 24
_NLM_F_REQUEST, _NLM_F_REPLACE, _NLM_F_CREATE = 0x1, 0x100, 0x400
_RTA_DST, _RTA_GATEWAY = 1, 5


class RouteFollower:
    """Puts each change of one route table into the router's kernel the moment the cloud reports it."""

    def __init__(self, zones: Zones, table: str) -> None:
        self._zones = zones
        self._table = table
        self._netlink = zones.router.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        zones.lab.own_socket(self._netlink)
        zones.lab.timeline.listen(self._on_event)

    def _on_event(self, event: Event) -> None:
        if event.kind == "change" and event.fields.get("table") == self._table and event.fields.get("destination") == VIP:
            owner = self._zones.owner_of(event.interface)
            if owner in self._zones.places:
                self._netlink.send(_route_message(VIP, self._zones.places[owner].address))


class AddressFollower:
    """What a VPC does when an address is an interface's: the router sends it there, without asking who has it. An Elastic IP is
    translated to the primary address of its interface, both ways and without a memory of connections."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="addresses", daemon=True)
        self._thread.start()
        zones.lab.timeline.listen(self._on_event)

    def close(self) -> None:
        self._events.put(None)
        self._thread.join(10)

    def _on_event(self, event: Event) -> None:
        if event.kind == "movement" and event.fields.get("what") in ("address", "elastic_ip") and event.fields["arrived"]:
            self._events.put(event)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            place = self._zones.places.get(event.fields["node"].removeprefix("node-"))
            if place is None:
                continue
            try:
                if event.fields["what"] == "address":
                    self._zones.router.ip("neighbor", "replace", event.fields["address"], "lladdr", place.mac,
                                          "dev", f"zone-{place.zone}", "nud", "permanent")
                else:
                    self._translate(event.fields["address"], place.address)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                self._zones.lab.timeline.note("lab", "address_follower_failed", reason=str(error))

    def _translate(self, public: str, private: str) -> None:
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


class Application:
    """Answers on a node with the node's name, from the virtual address; stopped with the node that crashes."""

    def __init__(self, zones: Zones, name: str, address: str = VIP) -> None:
        self._lab = zones.lab
        self._reply = name.encode()
        self._socket = zones.nodes[name].socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
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


class Client:
    """Asks at a steady pace, and knows afterwards for how long nobody answered, and who did."""

    def __init__(self, zones: Zones, address: str = VIP) -> None:
        self._target = (address.partition("/")[0], PORT)
        self._socket = zones.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(PROBE_SECONDS)
        self._answers: list[tuple[int, str]] = []  # when it arrived, who answered
        self._asked: dict[int, int] = {}  # by its number, when
        self._answered: set[int] = set()
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
            next_probe = max(next_probe + PROBE_SECONDS, time.monotonic())
            while (left := next_probe - time.monotonic()) > 0:
                self._socket.settimeout(left)
                try:
                    reply = self._socket.recv(64)
                    self._answers.append((now(), reply[4:].decode()))
                    self._answered.add(struct.unpack("!I", reply[:4])[0])
                except OSError:  # nothing came, or an ICMP error did
                    break
            time.sleep(max(0.0, next_probe - time.monotonic()))
