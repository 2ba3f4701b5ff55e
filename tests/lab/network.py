"""Network namespaces and the links between them, all of them gone at the end."""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

NAME_PREFIX = "vipdlab"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*arguments: str) -> str:
    """Runs iproute2 and returns what it prints; its own words are the error."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Namespace:
    """One network namespace, known to `ip netns` by its full name and to the lab by its short one."""

    def __init__(self, name: str, full_name: str) -> None:
        self.name = name
        self.full_name = full_name

    def ip(self, *arguments: str) -> str:
        return ip("-n", self.full_name, *arguments)

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs `arguments` inside."""
        return ["ip", "netns", "exec", self.full_name, *arguments]

    def run(self, *arguments: str, timeout: float = 60.0, check: bool = True, **options) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=timeout, check=check, **options)

    def call(self, function: Callable[[], T]) -> T:
        """Calls `function` on a thread that is inside; sockets that it opens stay inside."""
        results: list[T] = []
        errors: list[BaseException] = []

        def enter() -> None:
            try:
                with open(f"/run/netns/{self.full_name}", "rb") as handle:
                    if _libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), f"setns {self.full_name}")
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        return self.call(lambda: socket.socket(family, kind, protocol))

    def sysctl(self, name: str, value: str) -> None:
        def write() -> None:
            Path("/proc/sys", name.replace(".", "/")).write_text(value)

        # /proc/sys/net shows the namespace of the thread that opens it, through /proc/thread-self.
        self.call(write)


class Network:
    """The namespaces of one lab. Names carry this process's id, so that two labs never meet and the remains of one that was
    killed can be told from one that lives."""

    def __init__(self) -> None:
        self._prefix = f"{NAME_PREFIX}{os.getpid()}-"
        self._namespaces: dict[str, Namespace] = {}
        self._host_links: list[str] = []
        self._bridges = 0
        remove_remains()

    def namespace(self, name: str) -> Namespace:
        """A new namespace with its loopback up."""
        full_name = self._prefix + name
        ip("netns", "add", full_name)
        made = self._namespaces[name] = Namespace(name, full_name)
        made.ip("link", "set", "lo", "up")
        # Duplicate address detection would keep an IPv6 source unusable for a second.
        made.sysctl("net.ipv6.conf.default.accept_dad", "0")
        made.sysctl("net.ipv6.conf.all.accept_dad", "0")
        return made

    def __getitem__(self, name: str) -> Namespace:
        return self._namespaces[name]

    def link(self, left: Namespace, left_name: str, right: Namespace, right_name: str) -> None:
        """A cable between two namespaces, both ends up."""
        ip("link", "add", "name", left_name, "netns", left.full_name, "type", "veth",
           "peer", "name", right_name, "netns", right.full_name)
        left.ip("link", "set", left_name, "up")
        right.ip("link", "set", right_name, "up")

    def bridge(self, namespace: Namespace, name: str, *addresses: str) -> None:
        """A switch inside `namespace`. Its own address is given, because else it is the lowest of its ports', and changes with
        each one that comes or goes, behind the back of every neighbour."""
        self._bridges += 1
        namespace.ip("link", "add", "name", name, "address", f"06:00:00:00:ff:{self._bridges:02x}", "type", "bridge")
        namespace.ip("link", "set", name, "up")
        for address in addresses:
            namespace.ip("address", "add", address, "dev", name, "nodad") if ":" in address else \
                namespace.ip("address", "add", address, "dev", name)

    def plug(self, node: Namespace, interface: str, switch: Namespace, bridge: str, *addresses: str) -> None:
        """Connects `interface` of `node` to `bridge` and gives it its addresses."""
        port = f"p-{node.name}"[:15 - len(interface) - 1] + f"-{interface}"
        self.link(node, interface, switch, port)
        switch.ip("link", "set", port, "master", bridge)
        for address in addresses:
            node.ip("address", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))

    def host_bridge(self, name: str, address: str) -> None:
        """A switch in the namespace the lab was started in; removed at the end."""
        ip("link", "add", "name", name, "type", "bridge")
        self._host_links.append(name)
        ip("address", "add", address, "dev", name)
        ip("link", "set", name, "up")

    def plug_into_host(self, node: Namespace, interface: str, bridge: str, address: str) -> None:
        port = f"{bridge}-{node.name}"[:15]
        ip("link", "add", "name", interface, "netns", node.full_name, "type", "veth", "peer", "name", port)
        ip("link", "set", port, "master", bridge, "up")
        node.ip("address", "add", address, "dev", interface)
        node.ip("link", "set", interface, "up")

    def close(self) -> None:
        for name in self._host_links:
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL, check=False)
        for namespace in self._namespaces.values():
            subprocess.run(["ip", "netns", "del", namespace.full_name], stderr=subprocess.DEVNULL, check=False)
        self._namespaces.clear()
        self._host_links.clear()


def remove_remains() -> None:
    """Removes the namespaces of labs whose process is gone: a lab that was killed with SIGKILL cannot tidy up."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return
    for name in names:
        owner = name.removeprefix(NAME_PREFIX).partition("-")[0]
        if name.startswith(NAME_PREFIX) and owner.isdigit() and not Path("/proc", owner).exists():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
