"""Carries out the faults of a plan at their times, and takes each of them back."""

import heapq
import http.client
import itertools
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import plan as faults
from lab.cluster import Cluster
from lab.timeline import SECOND, now
from lab.vipd import Vipd
from lab.zones import VIP
from recorder import Disk, Recorder
from slow_clients import SlowClients

STATUS_PORT = 9112
# How long a process may take that was asked to end, and how often it is looked at meanwhile.
END_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.05
ANSWER_SECONDS_MAX = 1.0

Undo = Callable[[], None]


class Inflict:
    def __init__(self, cluster: Cluster, recorder: Recorder, disks: dict[str, Disk], plan: faults.Plan) -> None:
        self._cluster = cluster
        self._timeline = cluster.lab.timeline
        self._recorder = recorder
        self._disks = disks
        self._plan = plan
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._begin: dict[type, Callable[..., Undo | None]] = {
            faults.Loss: self._loss, faults.Partition: self._partition,
            faults.Pause: self._pause, faults.Kill: self._kill, faults.Stop: self._stop,
            faults.Restart: self._restart, faults.RestartCut: self._restart_and_kill,
            faults.DiskFull: self._fill_disk, faults.NoDescriptors: self._take_descriptors,
            faults.SlowClients: self._slow_clients,
            faults.CloudTrouble: self._cloud_trouble, faults.RouteMoved: self._move_route,
        }

    def start(self, name: str) -> Vipd:
        self._timeline.note(name, "started")
        node = self._cluster.start(name)
        self._recorder.follow(node)
        return node

    def run(self) -> None:
        """Returns at the end of the phase: the last fault is over, what EC2 carries out late is done, and every node runs."""
        begun = time.monotonic()
        self._at(begun + faults.SECONDS, lambda: None)
        for fault in self._plan.faults:
            self._at(begun + fault.at, lambda fault=fault: self._inflict(fault, begun + fault.until))
        while self._due:
            at, _, action = heapq.heappop(self._due)
            time.sleep(max(0.0, at - time.monotonic()))
            action()

    def _at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), action))

    def _inflict(self, fault: faults.Fault, until: float) -> None:
        self._timeline.note("lab", "fault", what=str(fault))
        if undo := self._begin[type(fault)](fault):
            self._at(until, undo)

    # --- the network ---

    def _loss(self, fault: faults.Loss) -> Undo:
        return self._lose([(fault.speaker, fault.listener)], fault.percent)

    def _partition(self, fault: faults.Partition) -> Undo:
        others = [name for name in self._cluster.nodes if name != fault.node]
        return self._lose([(fault.node, other) for other in others] + [(other, fault.node) for other in others], 100)

    def _lose(self, directions: list[tuple[str, str]], percent: int) -> Undo:
        """A table of its own in each listener's namespace, so that faults may overlap."""
        table = f"chaos{next(self._numbers)}"
        chance = "" if percent == 100 else f"numgen random mod 100 < {percent} "
        for speaker, listener in directions:
            self._timeline.note("lab", "path_bad", speaker=speaker, listener=listener)
            address = self._cluster.zones.places[speaker].address
            self._nft(listener, f"add table ip {table}; add chain ip {table} input {{ type filter hook input priority 0; }}; "
                                f"add rule ip {table} input ip protocol 112 ip saddr {address} {chance}drop")

        def heal() -> None:
            for listener in {listener for _, listener in directions}:
                self._nft(listener, f"delete table ip {table}")
            for speaker, listener in directions:
                self._timeline.note("lab", "path_good", speaker=speaker, listener=listener)

        return heal

    def _nft(self, node: str, rules: str) -> None:
        self._cluster.zones.nodes[node].run("nft", rules)

    # --- processes ---

    def _pause(self, fault: faults.Pause) -> Undo | None:
        node = self._cluster.nodes[fault.node]
        if not node.running:
            return None
        self._timeline.note(fault.node, "paused")
        node.signal(signal.SIGSTOP)

        def wake() -> None:
            self._timeline.note(fault.node, "resumed")
            node.signal(signal.SIGCONT)

        return wake

    def _kill(self, fault: faults.Kill) -> Undo:
        self._cluster.nodes[fault.node].kill()
        return lambda: self._start_again(fault.node, now() + round(END_SECONDS_MAX * SECOND))

    def _stop(self, fault: faults.Stop) -> Undo:
        self._cluster.nodes[fault.node].signal(signal.SIGTERM)
        return lambda: self._start_again(fault.node, now() + round(END_SECONDS_MAX * SECOND))

    def _restart(self, fault: faults.Restart | faults.RestartCut) -> None:
        """What `vipd restart` asks for when it has checked the configuration; one that is stopping refuses. A program with
        sanitizers may take longer to start than its peers wait, which in a calm run nobody could tell from a fault."""
        node = self._cluster.nodes[fault.node]
        if not node.running or (self._plan.is_calm and node.is_sanitized):
            return
        try:
            code, text = node.request("POST", "/v1/restart", timeout=ANSWER_SECONDS_MAX)
        except (OSError, http.client.HTTPException) as error:
            code, text = 0, str(error)
        self._timeline.note(fault.node, "restart", code=code, said=text.strip())

    def _restart_and_kill(self, fault: faults.RestartCut) -> Undo:
        self._restart(fault)
        self._at(time.monotonic() + fault.after, lambda: self._cluster.nodes[fault.node].kill())
        return lambda: self._start_again(fault.node, now() + round(END_SECONDS_MAX * SECOND))

    def _start_again(self, name: str, give_up: int) -> None:
        if not self._cluster.nodes[name].running:
            self.start(name)
        elif now() < give_up:
            self._at(time.monotonic() + LOOK_SECONDS, lambda: self._start_again(name, give_up))
        else:
            raise AssertionError(f"{name} did not end within {END_SECONDS_MAX:g} s")

    # --- what processes need ---

    def _fill_disk(self, fault: faults.DiskFull) -> Undo:
        self._disks[fault.node].fill()
        return self._disks[fault.node].free

    def _take_descriptors(self, fault: faults.NoDescriptors) -> Undo | None:
        """Not from a build with sanitizers: to see whether an object is of its type, they open a pipe, and without a descriptor
        for that they end the process. The release build's runs are there for this one."""
        node = self._cluster.nodes[fault.node]
        try:
            if node.is_sanitized:
                return None
            used = {int(entry.name) for entry in Path(f"/proc/{node.pid}/fd").iterdir()}
            before = resource.prlimit(node.pid, resource.RLIMIT_NOFILE)
        except OSError:  # it does not run
            return None
        # The limit is one of numbers: so many that are free are below it.
        free = (number for number in itertools.count() if number not in used)
        limit = next(itertools.islice(free, fault.spare, None))
        resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (limit, before[1]))

        def give_back() -> None:
            if node.running:
                resource.prlimit(node.pid, resource.RLIMIT_NOFILE, before)

        return give_back

    def _slow_clients(self, fault: faults.SlowClients) -> Undo:
        return SlowClients(self._timeline, self._cluster.zones.nodes[fault.node], STATUS_PORT, fault.style).end

    # --- the cloud ---

    def _cloud_trouble(self, fault: faults.CloudTrouble) -> Undo:
        number = self._cluster.cloud.fault(**fault.how)
        return lambda: self._cluster.cloud.command("DELETE", f"/faults/{number}")

    def _move_route(self, fault: faults.RouteMoved) -> None:
        tables = self._cluster.tables
        self._cluster.cloud.put_route(tables[fault.table % len(tables)], VIP, self._cluster.zones.places[fault.to].interface_id)
