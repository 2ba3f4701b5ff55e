"""A graceful hand-over under a stream of TCP requests to the virtual address, a thousand in a second.

Each request has a connection of its own: how many fail, and how many have to be sent twice because their connection was open
when the route changed? A connection belongs to one host; what moves an address cannot take it along.
"""

import contextlib
import socket
import threading
import time

from lab.cluster import Cluster
from lab.dataplane import RouteFollower
from lab.laboratory import Lab
from lab.timeline import MILLISECOND, now
from lab.zones import VIP

from measure import Figure, Options, Report

REQUESTS_PER_SECOND = 1000
PORT = 8007
PRIORITIES = {"a": 200, "b": 100}
_IP_FREEBIND = 15


class Server:
    """Answers on a node with the node's name, and closes."""

    def __init__(self, node, name: str) -> None:
        self._listening = node.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
        self._listening.bind((VIP.partition("/")[0], PORT))
        self._listening.listen(1024)
        self._listening.settimeout(0.5)
        self._name = name.encode()
        self._is_up = True
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while self._is_up:
            with contextlib.suppress(OSError):  # nobody came, or somebody who has gone again
                connection, _ = self._listening.accept()
                with connection:
                    connection.settimeout(0.5)
                    connection.recv(64)
                    connection.sendall(self._name)

    def close(self) -> None:
        self._is_up = False
        self._listening.close()


class Requests:
    """One after the other, at a steady pace, from inside the client's namespace."""

    def __init__(self, client) -> None:
        self.answers: list[tuple[int, str]] = []
        self.repeated: list[int] = []
        self.failed: list[int] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: client.call(self._run), daemon=True)
        self._thread.start()

    def _ask(self) -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect((VIP.partition("/")[0], PORT))
            connection.sendall(b"who")
            return connection.recv(64).decode()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            at = now()
            for attempt in range(2):
                answer = ""
                with contextlib.suppress(OSError):
                    answer = self._ask()
                if answer:
                    self.answers.append((now(), answer))
                    break
                (self.failed if attempt else self.repeated).append(at)
            due = max(due + 1 / REQUESTS_PER_SECOND, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))

    def answered_by(self, name: str, since: int) -> bool:
        return any(at >= since and who == name for at, who in self.answers[-2000:])

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(5)


def run(options: Options) -> Report:
    with Lab() as lab:
        cluster = Cluster(lab, priorities=PRIORITIES, interval_ms=100.0, preempt_delay_ms=900_000.0, reconcile_ms=1000.0,
                          latency_ms=20.0, tables=1, realtime=True)
        RouteFollower(cluster.zones, cluster.tables[0])
        servers = [Server(cluster.zones.nodes[name], name) for name in PRIORITIES]
        for name in PRIORITIES:
            cluster.start(name).ready()
        cluster.settle("a")
        requests = Requests(cluster.zones.client)
        begun = now()
        owner, other = "a", "b"
        for _ in range(options.pick(10, 3)):
            lab.timeline.until(f"{owner} answers", lambda owner=owner, since=now(): requests.answered_by(owner, since),
                               timeout=5)
            asked = cluster.nodes[owner].step_down()
            lab.timeline.until(f"{other} answers", lambda other=other, at=asked.at: requests.answered_by(other, at), timeout=5)
            cluster.settle(other)
            time.sleep(1.5)  # the drain of the last one
            owner, other = other, owner
        seconds = (now() - begun) / MILLISECOND / 1000
        requests.close()
        for server in servers:
            server.close()
    sent = len(requests.answers) + len(requests.failed)
    result = Report(data={"requests": sent, "seconds": seconds, "repeated": len(requests.repeated),
                          "failed": len(requests.failed)})
    result.row(f"requests that failed, {options.pick(10, 3)} hand-overs",
               f"{len(requests.failed)} of {sent} ({sent / seconds:.0f} a second)", "0", not requests.failed)
    result.row("repeated, because the route changed under their connection", f"{len(requests.repeated)}")
    return result


FIGURES = [Figure("hand-over", "a graceful hand-over under 1,000 TCP requests a second", run)]
