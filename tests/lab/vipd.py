"""vipd in a lab: its configuration, its process, and what it says of itself over its Unix socket."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .network import Namespace
from .process import Process, logfmt
from .timeline import Event, TimedOut, now
from .unix_http import UnixConnection


def program(variable: str, name: str) -> str:
    """The path of a program that was built: what the environment says, or the release build's."""
    path = Path(os.environ.get(variable) or Path(__file__).parents[2] / "build" / "release" / name)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build it, or name another one in {variable}")
    return str(path)


def toml(value) -> str:
    """A value in TOML; dicts become inline tables."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict():
            return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case _:
            return json.dumps(str(value))


def section(header: str, values: dict) -> str:
    return header + "\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items() if value is not None)


def identity_cache(socket_path: str) -> str:
    """A file for each node: they are of one boot, because they are of one machine, but not one instance."""
    return socket_path + ".identity.json"


class Configuration:
    """What a Vipd is started with."""

    # What the process finds in its environment.
    environment: Mapping[str, str] = {}

    def text(self, socket_path: str) -> str:
        raise NotImplementedError


@dataclass
class VipdConfig(Configuration):
    """One router; `more`, `aws`, `http` and `notices` hold further keys of [[router]], [aws], [http] and [notices] as they
    stand in the file."""

    source: str
    peers: list
    name: str = "lab"
    vrid: int = 51
    version: int = 3
    priority: int = 100
    advert_interval: str = "200ms"
    preempt_delay: str = "0s"
    interface: str = "eth0"
    addresses: list[dict] = field(default_factory=lambda: [{"address": "172.16.1.100/32", "interface": "lo"}])
    routes: list[dict] = field(default_factory=list)
    moves: dict[str, list[dict]] = field(default_factory=dict)  # "secondary_ip", "elastic_ip", "eni": [[router.NAME]]
    policies: list[dict] = field(default_factory=list)  # [[router.policy]]
    node_policies: list[dict] = field(default_factory=list)  # [[policy]]
    announce: dict | None = None  # [router.announce]
    hooks: dict = field(default_factory=dict)  # [router.hooks]
    trackers: list[dict] = field(default_factory=list)  # [[router.track]]
    password: str = ""
    auth: dict = field(default_factory=dict)  # [router.auth], where it is no password
    realtime: bool = False
    more: dict = field(default_factory=dict)
    aws: dict = field(default_factory=dict)
    http: dict = field(default_factory=dict)
    notices: dict = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def text(self, socket_path: str) -> str:
        parts = [f"realtime = {toml(self.realtime)}\n"]
        if self.aws or self.routes or self.moves:
            parts.append(section("[aws]", {"identity_cache": identity_cache(socket_path), **self.aws}))
        parts.append(section("[http]", {"listen": [], **self.http, "socket": socket_path}))
        if self.notices:
            parts.append(section("[notices]", self.notices))
        parts += [section("[[policy]]", policy) for policy in self.node_policies]
        return "\n".join([*parts, self.router_text()])

    def router_text(self) -> str:
        """The router alone, without what is the node's."""
        parts = [section("[[router]]", {
            "name": self.name, "vrid": self.vrid, "version": self.version, "priority": self.priority, "source": self.source,
            "interface": self.interface, "peers": self.peers, "advert_interval": self.advert_interval,
            "preempt_delay": self.preempt_delay, **self.more})]
        if auth := {"kind": "password", "password": self.password} if self.password else self.auth:
            parts.append(section("[router.auth]", auth))
        if self.announce is not None:
            parts.append(section("[router.announce]", self.announce))
        if self.hooks:
            parts.append(section("[router.hooks]", self.hooks))
        parts += [section("[[router.address]]", address) for address in self.addresses]
        parts += [section("[[router.policy]]", policy) for policy in self.policies]
        parts += [section("[[router.track]]", tracker) for tracker in self.trackers]
        parts += [section("[[router.route]]", route) for route in self.routes]
        parts += [section(f"[[router.{name}]]", entry) for name, entries in self.moves.items() for entry in entries]
        return "\n".join(parts)


@dataclass
class GroupConfig(Configuration):
    """The routers of a sync group; what is the node's is that of the first."""

    name: str
    routers: list[VipdConfig]

    def text(self, socket_path: str) -> str:
        first, *others = self.routers
        return "\n".join([first.text(socket_path), *(router.router_text() for router in others),
                          section("[[sync_group]]", {"name": self.name, "routers": [each.name for each in self.routers]})])


class Vipd(Process):
    """The daemon. READY=1 of its service manager's protocol is a `ready` event."""

    def __init__(self, lab, node: Namespace, config: Configuration, first: tuple[str, ...] = ()) -> None:
        """`first` goes before the program on its command line: where its output is to go, for one."""
        self.node = node
        self.lab = lab
        self.file = Path(lab.directory, f"vipd-{node.name}.toml")
        self.socket = str(Path(lab.directory, f"vipd-{node.name}.sock"))
        self.configure(config)
        environment = {"NOTIFY_SOCKET": self._listen_for_notifications(lab), **config.environment}
        super().__init__(lab.timeline, lab.observer, node.name,
                         [*first, program("VIPD", "vipd"), "run", "--config", str(self.file)],
                         namespace=node, environment=environment, parse=logfmt)

    def configure(self, config: Configuration) -> None:
        """Writes the file; SIGHUP makes the daemon read it."""
        self.config = config
        self.file.write_text(config.text(self.socket))

    def _listen_for_notifications(self, lab) -> str:
        # One name for each start: the socket of a predecessor may still be open.
        path = str(Path(lab.directory, f"notify-{self.node.name}-{now()}"))
        notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        notifications.bind(path)

        def readable() -> None:
            for line in notifications.recv(4096).decode(errors="replace").splitlines():
                if line in ("READY=1", "STOPPING=1", "RELOADING=1"):
                    lab.timeline.note(self.node.name, line.partition("=")[0].lower())

        lab.observer.watch(notifications, readable)
        lab.own_socket(notifications)
        return path

    # --- over the Unix socket ---

    def request(self, method: str, path: str, body: str | None = None, timeout: float = 5.0) -> tuple[int, str]:
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path: str) -> dict:
        code, text = self.request("GET", path)
        assert code == 200, f"GET {path}: {code} {text}"
        return json.loads(text)

    def status(self) -> dict:
        return self.get("/v1/status")

    def router(self, name: str = "lab") -> dict:
        return self.get(f"/v1/routers/{name}")

    def state(self) -> str:
        """"Active", "Backup", "Initialize", or "absent" while nobody answers."""
        try:
            return self.router()["state"]
        except (OSError, http.client.HTTPException):
            return "absent"

    def step_down(self, router: str = "lab") -> Event:
        """Asks for a graceful hand-over; the event's time is the moment just before."""
        event = self.lab.timeline.note("lab", "step_down", target=self.name)
        code, text = self.request("POST", f"/v1/routers/{router}/step-down")
        assert code == 200, f"step-down: {code} {text}"
        return event

    # --- waiting ---

    def ready(self, timeout: float = 20.0) -> Event:
        return self.lab.timeline.wait(f"{self.name}: ready", lambda e: e.source == self.name and e.kind == "ready",
                                      since=self.started, timeout=timeout)

    def wait_for_state(self, state: str, timeout: float = 20.0) -> None:
        """Looks again after each event on the timeline; adverts alone bring several in a second."""
        try:
            self.lab.timeline.until(f"{self.name} is {state}", lambda: self.state() == state, timeout=timeout)
        except TimedOut as error:
            raise TimedOut(f"{self.name} is {self.state()} and not {state}. {error}") from None
