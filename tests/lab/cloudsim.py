"""cloudsim in a lab: started, steered through its control socket, and its log as events.

A `request` event's time is the moment its first byte was read, a `change` event's the moment the cloud's state changed, a
`movement` event's the moment from which a device or an address is elsewhere; all are CLOCK_MONOTONIC as cloudsim wrote it, so
they compare with everything else on the timeline.
"""

import json
from pathlib import Path

from .network import Namespace
from .process import Process
from .timeline import Event, now
from .unix_http import UnixConnection
from .vipd import program

MUTATING = ("CreateRoute", "ReplaceRoute", "DeleteRoute", "ModifyNetworkInterfaceAttribute", "AttachNetworkInterface",
            "DetachNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses",
            "UnassignIpv6Addresses", "AssociateAddress", "DisassociateAddress")


class Cloudsim(Process):
    def __init__(self, lab, namespace: Namespace, topology: Path, *, ec2: list[str], imds: list[str],
                 sts: list[str] | None = None, latency_ms: float = 0.0, first: tuple[str, ...] = ()) -> None:
        """`first` goes before the program on its command line: a scheduler."""
        self.ca_file = Path(lab.directory, "cloudsim-ca.pem")
        self.control = Path(lab.directory, "cloudsim.sock")
        arguments = [*first, program("CLOUDSIM", "cloudsim"), "--topology", str(topology), "--log", "-",
                     "--ca-out", str(self.ca_file), "--control", f"unix:{self.control}", "--latency-ms", str(latency_ms)]
        for option, addresses in (("--ec2", ec2), ("--sts", sts or []), ("--imds", imds)):
            for address in addresses:
                arguments += [option, address]
        self._lab = lab
        super().__init__(lab.timeline, lab.observer, "cloud", arguments, namespace=namespace)

    def _line(self, line: str) -> None:
        try:
            fields = json.loads(line)
        except ValueError:
            super()._line(line)
            return
        if fields.get("ready"):
            self._timeline.add(Event(now(), "cloud", "ready", fields))
        elif fields.get("event") == "request":
            self._timeline.add(Event(fields["first_byte_ns"] or now(), "cloud", "request", fields))
        elif fields.get("event") == "change":
            self._timeline.add(Event(fields["at_ns"], "cloud", "change", fields))
        elif fields.get("event") == "movement":
            self._timeline.add(Event(fields["at_ns"], "cloud", "movement", fields))

    def ready(self, timeout: float = 20.0) -> Event:
        return self._timeline.wait("cloudsim is ready", lambda e: e.source == "cloud" and e.kind in ("ready", "exit"),
                                   since=self.started, timeout=timeout)

    def command(self, method: str, path: str, body: dict | None = None):
        connection = UnixConnection(str(self.control), timeout=10.0)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"cloudsim: {method} {path}: {answer.status} {text}")
        return json.loads(text)

    def routes(self) -> dict:
        return self.command("GET", "/routes")

    def put_route(self, table: str, destination: str, target: str) -> Event:
        """Somebody changes a route by hand; the event's time is the moment just before."""
        event = Event(now(), "lab", "put_route", {"table": table, "target": target})
        self.command("PUT", "/routes", {"table": table, "destination": destination, "target": target})
        self._timeline.add(event)
        return event

    def fault(self, **what) -> int:
        return self.command("POST", "/faults", what)["id"]

    def clear_faults(self) -> None:
        self.command("DELETE", "/faults")

    def set_policy(self, principal: str, statements: list[dict]) -> None:
        self.command("PUT", "/policies", {"principal": principal, "statements": statements})

    def put_token(self, token: str, subject: str, *, expired: bool = False) -> None:
        """A web identity token that STS believes, or believed."""
        self.command("PUT", "/tokens", {"token": token, "subject": subject, "expired": expired})

    def set_bucket(self, action: str, *, capacity: float, refill_per_second: float, level: float) -> None:
        self.command("PUT", "/buckets", {"action": action, "capacity": capacity, "refill_per_second": refill_per_second,
                                         "level": level})


def is_mutating(event: Event) -> bool:
    return event.kind == "request" and event.fields.get("action") in MUTATING


def is_takeover(event: Event, node: str) -> bool:
    """The change of a route by a node's own call."""
    return event.kind == "change" and event.fields.get("node") == node and event.fields.get("action") in MUTATING
