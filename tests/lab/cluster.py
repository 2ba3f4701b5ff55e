"""cloudsim and vipd on every node of two zones, one virtual IP that the VPC's route tables lead to: the product's main job, for
the demonstration and for the tests."""

from collections.abc import Callable
from pathlib import Path

from . import rootless
from .cloudsim import Cloudsim, is_mutating, is_takeover
from .timeline import Event
from .vipd import Vipd, VipdConfig
from .zones import EC2_ADDRESS, IMDS_ADDRESS, STS_ADDRESS, VIP, Zones


class Cluster:
    def __init__(self, lab, *, priorities: dict[str, int], interval_ms: float, preempt_delay_ms: float = 0.0,
                 reconcile_ms: float = 10_000.0, latency_ms: float = 0.0, realtime: bool = False, tables: int = 3,
                 listen: dict[str, str] | None = None, topology: Callable[[dict], None] = lambda document: None) -> None:
        """`topology` changes what the cloud holds before it is started; `routes`, the `destination` that is waited for, and
        what goes `first` on a node's command line, may be changed before the nodes are."""
        self.lab = lab
        self.priorities = priorities
        self.interval_ms = interval_ms
        self.preempt_delay_ms = preempt_delay_ms
        self.reconcile_ms = reconcile_ms
        self.realtime = realtime
        self.destination = VIP
        self.routes: list[dict] = [{"destination": VIP, "tables": {"vpc": True}}]
        self.first: dict[str, tuple[str, ...]] = {}
        self._listen = listen or {}
        self.zones = Zones(lab)
        file = Path(lab.directory, "topology.json")
        self.tables = self.zones.write_topology(file, tables, topology)
        # The cloud is not what is measured: with realtime it gets the processor before the rest of the machine too, where that
        # is to be had.
        first = ("chrt", "--fifo", "5") if realtime and rootless.is_root() else ()
        self.cloud: Cloudsim = lab.own(Cloudsim(lab, self.zones.cloud, file, ec2=[f"{EC2_ADDRESS}:443"],
                                                sts=[f"{STS_ADDRESS}:443"], imds=[f"{IMDS_ADDRESS}:80"],
                                                latency_ms=latency_ms, first=first))
        if self.cloud.ready().kind == "exit":
            raise RuntimeError("cloudsim did not start:\n" + "\n".join(
                event.text for event in lab.timeline.select(lambda e: e.source == "cloud" and e.kind == "log")))
        self.nodes: dict[str, Vipd] = {}

    def config(self, name: str, **changes) -> VipdConfig:
        place = self.zones.places[name]
        settings = {
            "source": place.address, "peers": self.zones.peers_of(name), "priority": self.priorities[name],
            "advert_interval": f"{self.interval_ms:g}ms", "preempt_delay": f"{self.preempt_delay_ms:g}ms",
            "realtime": self.realtime,
            "aws": {"endpoint": f"https://{EC2_ADDRESS}", "ca_bundle": str(self.cloud.ca_file),
                    "reconcile_period": f"{self.reconcile_ms:g}ms"},
            "routes": self.routes,
        }
        if name in self._listen:
            settings["http"] = {"listen": [self._listen[name]]}
        return VipdConfig(**{**settings, **changes})

    def start(self, name: str, **changes) -> Vipd:
        """Starts a node, or starts it again after it ended."""
        node = self.nodes[name] = self.lab.own(Vipd(self.lab, self.zones.nodes[name], self.config(name, **changes),
                                                    self.first.get(name, ())))
        return node

    def power_off(self, name: str) -> Event:
        """The whole machine: nothing of it is heard any more. The event's time is the moment just before."""
        off = self.nodes[name].kill()
        self.zones.nodes[name].ip("link", "set", "eth0", "down")
        return off

    # --- what happened ---

    def first_mutating_request(self, name: str, since: int, timeout: float = 10.0) -> Event:
        return self.lab.timeline.wait(f"{name} asks EC2 for the route",
                                      lambda e: is_mutating(e) and e.fields.get("node") == f"node-{name}",
                                      since=since, timeout=timeout)

    def all_tables_moved(self, name: str, since: int, timeout: float = 10.0) -> Event:
        """The change that brought the last table to `name`."""
        changes = {table: self.lab.timeline.wait(
            f"{table} leads to {name}", lambda e, table=table: is_takeover(e, f"node-{name}") and e.table == table,
            since=since, timeout=timeout) for table in self.tables}
        return max(changes.values(), key=lambda event: event.at)

    def wait_until_known(self, owner: str, timeout: float = 25.0) -> None:
        """Every node that runs has read that every route leads to `owner`. The owner has it confirmed; a Backup reads the
        tables once in a reconcile period, and from then on its first call is the right one."""
        interface = self.zones.places[owner].interface_id
        self.lab.timeline.until(f"{owner} has confirmed every route", lambda: all(
            resource["owned"] for resource in self.nodes[owner].router()["resources"]), timeout=timeout)
        for node in self.nodes.values():
            if node.running:
                self.lab.timeline.until(f"{node.name} knows that {owner} has the routes", lambda node=node: all(
                    resource["owner"] == interface for resource in node.router()["resources"]
                    if resource["kind"] == "route"), timeout=timeout)

    def settle(self, owner: str) -> None:
        """`owner` is Active and has every route, every node knows it, and the others are Backups."""
        self.nodes[owner].wait_for_state("Active")
        self.lab.timeline.until(f"every table leads to {owner}", lambda: self.owners() == {owner}, timeout=15)
        self.wait_until_known(owner)
        for name, node in self.nodes.items():
            if name != owner and node.running:
                node.wait_for_state("Backup")

    def owners(self) -> set[str]:
        """The nodes that the route tables lead to, as the cloud knows it at this moment."""
        return {self.zones.owner_of(interface) for interface in self.route_targets().values()}

    def route_targets(self) -> dict[str, str]:
        """By table: the interface that the route leads to; "" where there is none."""
        targets = dict.fromkeys(self.tables, "")
        for table, routes in self.cloud.routes().items():
            if table in targets:
                targets[table] = routes.get(self.destination, {}).get("target", "")
        return targets

    def mutations(self, name: str, since: int) -> list[Event]:
        """The changing calls of a node, as the cloud was asked for them."""
        return self.lab.timeline.select(lambda e: is_mutating(e) and e.fields.get("node") == f"node-{name}", since)
