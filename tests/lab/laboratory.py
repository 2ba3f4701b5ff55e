"""One lab: its namespaces, its processes, its directory and its timeline, under one close()."""

import shutil
import socket
import tempfile
from pathlib import Path

from . import sniffer
from .network import Namespace, Network
from .observer import Observer
from .process import Process
from .timeline import Event, Timeline


class Lab:
    """A context manager; leaving it ends every process that was started here and removes every namespace."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.observer = Observer()
        self.directory = Path(tempfile.mkdtemp(prefix="vipdlab-"))
        self.network = Network()
        self._processes: list[Process] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def own(self, process):
        """Has `process` ended with the lab; returns it."""
        self._processes.append(process)
        return process

    def own_socket(self, opened: socket.socket) -> None:
        self._sockets.append(opened)

    def start(self, name: str, arguments: list[str], **options) -> Process:
        return self.own(Process(self.timeline, self.observer, name, arguments, **options))

    def watch(self, node: Namespace, interface: str = "eth0") -> None:
        """Adverts that the node sends and addresses that it gets become events."""
        self._sockets.append(sniffer.watch_adverts(self.timeline, self.observer, node, interface))
        self._sockets.append(sniffer.watch_addresses(self.timeline, self.observer, node))

    def two_nodes(self, *, ipv6: bool = False) -> tuple[Namespace, Namespace]:
        """Nodes a (.1) and b (.2) on one cable: 10.99.0.0/24 and 2001:db8:99::/64."""
        a, b = self.network.namespace("a"), self.network.namespace("b")
        self.network.link(a, "eth0", b, "eth0")
        for number, node in enumerate((a, b), 1):
            node.ip("address", "add", f"10.99.0.{number}/24", "dev", "eth0")
            if ipv6:
                node.ip("address", "add", f"2001:db8:99::{number}/64", "dev", "eth0", "nodad")
            self.watch(node)
        return a, b

    def advert(self, what: str, node: Namespace | str, *, since: int = 0, timeout: float = 10.0, **fields) -> Event:
        """Waits for an advert of `node` whose fields are as given."""
        name = node if isinstance(node, str) else node.name
        return self.timeline.wait(
            what, lambda e: e.kind == "advert" and e.source == name and all(e.fields[k] == v for k, v in fields.items()),
            since=since, timeout=timeout)

    def adverts(self, node: Namespace | str, *, since: int = 0) -> list[Event]:
        name = node if isinstance(node, str) else node.name
        return self.timeline.select(lambda e: e.kind == "advert" and e.source == name, since)

    def close(self) -> None:
        for process in reversed(self._processes):
            try:
                process.stop()
            except Exception as error:  # the rest must still be taken away
                print(f"lab: {process.name} (pid {process.pid}) did not end: {error}")
        self._processes.clear()
        self.observer.close()
        for opened in self._sockets:
            opened.close()
        self.network.close()
        shutil.rmtree(self.directory, ignore_errors=True)
