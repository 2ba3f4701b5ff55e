"""A cloud and nodes in one zone, for the figures that end in a route table. Every node is a vipd with as many routers as asked
for, or a keepalived that calls AWS's own command line client."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from lab.cloudsim import Cloudsim
from lab.keepalived import Keepalived, KeepalivedConfig
from lab.laboratory import Lab
from lab.timeline import MILLISECOND, Event
from lab.vipd import Configuration, Vipd, identity_cache, section
from lab.zones import EC2_ADDRESS, IMDS_ADDRESS, REGION, Place, Zones

# vipd runs on a and b, keepalived on c and d.
PLACES = (Place("a", "a", 10), Place("b", "a", 20), Place("c", "a", 30), Place("d", "a", 40))
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
KEEPALIVED_VRID = 251  # away from vipd's


def destination(router: int) -> str:
    return f"172.16.{router // 250}.{router % 250 + 1}/32"


class StageConfig(Configuration):
    """`routers` routers with one route each, in every one of `tables`."""

    def __init__(self, place: Place, peer: Place, *, ca_file: Path, priority: int, interval_ms: float, routers: int = 1,
                 tables: Sequence[str] = (), realtime: bool = True, connections: int = 16,
                 preempt_delay_ms: float = 0.0) -> None:
        self.place = place
        self.peer = peer
        self.priority = priority
        self.interval_ms = interval_ms
        self.routers = routers
        self.tables = list(tables)
        self.realtime = realtime
        self.preempt_delay_ms = preempt_delay_ms
        self.aws = {"region": REGION, "endpoint": f"https://{EC2_ADDRESS}", "ca_bundle": str(ca_file),
                    "connections": connections}

    def text(self, socket_path: str) -> str:
        aws = {"identity_cache": identity_cache(socket_path), **self.aws}
        parts = [f"realtime = {'true' if self.realtime else 'false'}\n", section("[aws]", aws),
                 section("[http]", {"listen": [], "socket": socket_path})]
        for router in range(self.routers):
            parts.append(section("[[router]]", {
                "name": f"r{router}", "vrid": router + 1, "priority": self.priority, "interface": "eth0",
                "source": self.place.address, "peers": [self.peer.address], "advert_interval": f"{self.interval_ms:g}ms",
                "preempt_delay": f"{self.preempt_delay_ms:g}ms"}))
            parts.append(section("[[router.address]]", {"address": destination(router), "interface": "lo"}))
            parts.append(section("[[router.route]]", {"destination": destination(router), "tables": {"ids": self.tables}}))
        return "\n".join(parts)


class Stage:
    def __init__(self, lab: Lab, *, latency_ms: float = 0.0, tables: int = 1) -> None:
        self.lab = lab
        self.zones = Zones(lab, PLACES)
        topology = Path(lab.directory, "topology.json")
        self.tables = self.zones.write_topology(topology, tables)
        # The cloud is not what is measured: it gets the processor before everything but the nodes.
        self.cloud: Cloudsim = lab.own(Cloudsim(lab, self.zones.cloud, topology, ec2=[f"{EC2_ADDRESS}:443"],
                                                imds=[f"{IMDS_ADDRESS}:80"], latency_ms=latency_ms,
                                                first=("chrt", "--fifo", "5")))
        if self.cloud.ready().kind == "exit":
            raise RuntimeError("cloudsim did not start")
        # EC2's own throttling is not what is measured either: a node fails over once here, and again and again.
        for action in ("ReplaceRoute", "DescribeRouteTables"):
            self.cloud.set_bucket(action, capacity=1e6, refill_per_second=1e6, level=1e6)
        # What a node on EC2 trusts is the system's bundle; its size is memory, so it belongs to the measurement.
        self.ca_file = Path(lab.directory, "bundle.pem")
        self.ca_file.write_bytes(SYSTEM_BUNDLE.read_bytes() + self.cloud.ca_file.read_bytes())
        self.nodes: dict[str, Vipd] = {}

    # --- vipd ---

    def start(self, name: str, *, priority: int, **settings) -> Vipd:
        peer = "b" if name == "a" else "a"
        config = StageConfig(self.zones.places[name], self.zones.places[peer], ca_file=self.ca_file, priority=priority,
                             **{"tables": self.tables, **settings})
        node = self.nodes[name] = self.lab.own(Vipd(self.lab, self.zones.nodes[name], config))
        return node

    def crash(self, name: str) -> Event:
        """kill -9, and what the end of the machine would have taken with it."""
        node = self.nodes[name]
        event = node.kill()
        node.wait()
        self.zones.nodes[name].ip("address", "flush", "dev", "lo", "scope", "global")
        return event

    def log_events(self, name: str, since: int = 0, **fields) -> list[Event]:
        return self.lab.timeline.select(
            lambda e: e.source == name and e.kind == "log" and all(e.fields.get(k) == v for k, v in fields.items()), since)

    def wait_for_log(self, name: str, what: str, *, since: int, count: int = 1, timeout: float = 15.0, **fields) -> list[Event]:
        self.lab.timeline.until(f"{name}: {what} ({count} times)",
                                lambda: len(self.log_events(name, since, **fields)) >= count, timeout=timeout)
        return self.log_events(name, since, **fields)

    def settle(self, owner: str, *, since: int, routers: int = 1, timeout: float = 30.0) -> None:
        """`owner` is Active for every router and has read back every route."""
        self.wait_for_log(owner, "confirmed", since=since, count=routers, timeout=timeout, event="takeover", phase="confirmed")

    # --- the cloud's side ---

    def changes(self, name: str, since: int) -> list[Event]:
        return self.lab.timeline.select(lambda e: e.source == "cloud" and e.kind == "change"
                                        and e.fields.get("node") == f"node-{name}", since)

    def first_advert(self, name: str, since: int, timeout: float = 10.0, **fields) -> Event:
        return self.lab.timeline.wait(
            f"{name} speaks", lambda e: e.kind == "advert" and e.source == name and e.fields.get("priority") != 0
            and all(e.fields[k] == v for k, v in fields.items()), since=since, timeout=timeout)

    def last_advert_before(self, name: str, at: int) -> Event:
        return max(self.lab.timeline.select(lambda e: e.kind == "advert" and e.source == name and e.at <= at,
                                            at - 60_000 * MILLISECOND), key=lambda e: e.at)

    # --- keepalived, as R1's people run it ---

    def start_keepalived(self, name: str, *, priority: int, interval_ms: float, address: str) -> Keepalived:
        place = self.zones.places[name]
        peer = self.zones.places["d" if name == "c" else "c"]
        script = Path(self.lab.directory, f"notify-{name}")
        script.write_text("#!/bin/sh\n" + "".join(
            f"/usr/bin/aws ec2 replace-route --region {REGION} --endpoint-url https://{EC2_ADDRESS} --ca-bundle {self.ca_file}"
            f" --route-table-id {table} --destination-cidr-block {address} --network-interface-id {place.interface_id}\n"
            for table in self.tables))
        script.chmod(0o700)
        config = KeepalivedConfig(place.address, [peer.address], vrid=KEEPALIVED_VRID, priority=priority,
                                  interval=f"{interval_ms / 1000:g}", addresses=[f"{address} dev lo"],
                                  lines=[f'notify_master "{script}" root'])
        return self.lab.own(Keepalived(self.lab, self.zones.nodes[name], config))


def at_a_random_moment(interval_ms: float, generator: random.Random) -> None:
    """A crash does not wait for the advert timer."""
    time.sleep(generator.random() * interval_ms / 1000)
