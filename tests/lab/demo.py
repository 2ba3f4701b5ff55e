"""The demonstration: three nodes in two zones, a cloud, and what happens to the virtual IP when things go wrong.

Each scene has a cause, shows what follows as it happens, and holds three times against their bounds: until the successor spoke
(detection), until the first byte of its first changing request reached EC2, and until the last route table led to it. A bound
that is missed makes the command fail; nothing is tried twice.
"""

import argparse
import ipaddress
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from . import bounds, network, rootless
from .bounds import Bound
from .cloudsim import is_mutating
from .cluster import Cluster
from .dataplane import Application, Client, RouteFollower
from .laboratory import Lab
from .screen import Screen
from .timeline import MILLISECOND, Event, TimedOut
from .vipd import program
from .zones import VIP

INTERVAL_MS = 100.0
PREEMPT_DELAY_MS = 300.0
RECONCILE_MS = 2000.0
LATENCY_MS = 20.0
PRIORITIES = {"a": 150, "b": 100, "c": 50}
# A call takes the cloud's latency and the way there and back.
API_MS = LATENCY_MS + 2.0
THROTTLE_REFILL = 10.0
THROTTLE_LEVEL = -12.0


@dataclass
class Scene:
    """What a scene is measured by: its cause, and who has to have the route in the end."""

    cause: int
    successor: str
    bound: Bound


class Demo:
    def __init__(self, lab: Lab, keep: bool) -> None:
        self.lab = lab
        self.missed = 0
        self.spoken: dict[str, tuple[int, int]] = {}  # by node: the priority and the time of its last advert
        self.screen = Screen(self.describe)
        lab.timeline.listen(self.screen.add)
        hosts = free_network() if keep else None
        self.listen = {name: f"{hosts[10 + number]}:9112" for number, name in enumerate(PRIORITIES, 1)} if hosts else {}
        self.cluster = Cluster(lab, priorities=PRIORITIES, interval_ms=INTERVAL_MS, preempt_delay_ms=PREEMPT_DELAY_MS,
                               reconcile_ms=RECONCILE_MS, latency_ms=LATENCY_MS, realtime=True,
                               listen=self.listen)
        if hosts:
            self.connect_host(hosts)
        RouteFollower(self.cluster.zones, self.cluster.tables[0])
        self.applications = {name: Application(self.cluster.zones, name) for name in PRIORITIES}
        self.client = Client(self.cluster.zones)

    # --- the scenes ---

    def run(self) -> None:
        say = self.screen.say
        say(f"Three vipd nodes, priorities {', '.join(f'{n} {p}' for n, p in PRIORITIES.items())}; a in one zone, b and c in "
            f"another.")
        say(f"Adverts every A = {INTERVAL_MS:g} ms; the virtual IP {VIP} is in {len(self.cluster.tables)} route tables; EC2 "
            f"takes {LATENCY_MS:g} ms for a call.")
        say(f"Bounds: the protocol's arithmetic, plus {bounds.ALLOWANCE_MS:g} ms for all else, plus EC2's time.")
        self.start_up()
        self.crash()
        self.preempt()
        self.step_down()
        self.crash_while_throttled()
        self.repair()

    def start_up(self) -> None:
        self.screen.title("1  Start-up: nobody is Active")
        # One after the other, within a's down interval: whoever starts much later than another may find it Active.
        ready = self.cluster.start("a").ready()
        self.screen.begin(ready.at)
        for name in ("b", "c"):
            self.cluster.start(name)
        self.finish(Scene(ready.at, "a", bounds.start_up(PRIORITIES["a"], INTERVAL_MS, API_MS)), client_note=False)
        self.rest("a")

    def crash(self) -> None:
        self.screen.title("2  kill -9 of the Active node a")
        self.finish(Scene(self.kill("a"), "b", bounds.crash(PRIORITIES["b"], INTERVAL_MS, API_MS)))
        self.rest("b")

    def preempt(self) -> None:
        self.screen.title(f"3  Node a returns and preempts, after preempt_delay = {PREEMPT_DELAY_MS:g} ms")
        self.applications["a"].start()
        self.cluster.start("a")
        ready = self.cluster.nodes["a"].ready()
        self.screen.begin(ready.at)
        self.finish(Scene(ready.at, "a", bounds.preemption(PRIORITIES["a"], INTERVAL_MS, PREEMPT_DELAY_MS, API_MS)))
        self.rest("a")

    def step_down(self) -> None:
        self.screen.title("4  Node a steps down gracefully; it forwards until b has taken over")
        asked = self.cluster.nodes["a"].step_down()
        self.screen.begin(asked.at)
        self.finish(Scene(asked.at, "b", bounds.release(PRIORITIES["b"], INTERVAL_MS, API_MS)))
        # It is healthy, so it comes back by itself; the next scene begins from there.
        self.screen.say("      (a, still healthy, preempts again)")
        self.cluster.all_tables_moved("a", asked.at)
        self.rest("a")

    def crash_while_throttled(self) -> None:
        tables = len(self.cluster.tables)
        throttled_ms = (tables - THROTTLE_LEVEL) / THROTTLE_REFILL * 1000
        self.screen.title(f"5  kill -9 of the Active node a while EC2 throttles ReplaceRoute for {throttled_ms:g} ms")
        self.cluster.cloud.set_bucket("ReplaceRoute", capacity=100, refill_per_second=THROTTLE_REFILL, level=THROTTLE_LEVEL)
        bound = bounds.throttled_crash(PRIORITIES["b"], INTERVAL_MS, throttled_ms, API_MS)
        self.finish(Scene(self.kill("a"), "b", bound))
        self.rest("b")

    def repair(self) -> None:
        table = self.cluster.tables[0]
        self.screen.title(f"6  Somebody points {table} at node c; b is Active and puts it back")
        intruder = self.cluster.zones.places["c"].interface_id
        changed = self.cluster.cloud.put_route(table, VIP, intruder)
        self.screen.begin(changed.at)
        bound = bounds.repair(RECONCILE_MS, API_MS)
        timeout = bound.moved_ms / 1000 + 5
        seen = self.lab.timeline.wait("b reads the tables", lambda e: e.kind == "request"
                                      and e.fields.get("node") == "node-b" and e.action == "DescribeRouteTables",
                                      since=changed.at, timeout=timeout)
        asked = self.cluster.first_mutating_request("b", changed.at, timeout)
        moved = self.lab.timeline.wait("the route is back", lambda e: e.kind == "change" and e.fields.get("node") == "node-b"
                                       and e.table == table, since=changed.at, timeout=timeout)
        self.report(changed.at, bound, seen.at, asked.at, moved.at)

    # --- causes and outcomes ---

    def rest(self, owner: str) -> None:
        """Until the others are Backups that have read the tables, which is what a bound of one call rests on, and nobody still
        drains."""
        for name, node in self.cluster.nodes.items():
            if name != owner and node.running:
                node.wait_for_state("Backup")
        self.cluster.wait_until_known(owner)
        self.lab.timeline.until("only the Active has the address", lambda: all(
            VIP not in self.cluster.zones.nodes[name].ip("-4", "address", "show", "dev", "lo")
            for name, node in self.cluster.nodes.items() if name != owner and node.running))

    def kill(self, name: str) -> int:
        """The crash of the agent and of what the node serves."""
        self.applications[name].stop()
        at = self.cluster.nodes[name].kill().at
        self.screen.begin(at)
        self.cluster.nodes[name].wait()
        return at

    def finish(self, scene: Scene, *, client_note: bool = True) -> None:
        timeout = scene.bound.moved_ms / 1000 + 5
        spoke = self.lab.advert(f"{scene.successor} speaks", scene.successor, since=scene.cause, timeout=timeout,
                                priority=PRIORITIES[scene.successor])
        asked = self.cluster.first_mutating_request(scene.successor, scene.cause, timeout)
        moved = self.cluster.all_tables_moved(scene.successor, scene.cause, timeout)
        self.report(scene.cause, scene.bound, spoke.at, asked.at, moved.at)
        if client_note:
            self.lab.timeline.until("the client is answered", lambda: self.client.answered_by(scene.successor, moved.at))
            silence = self.client.longest_silence_ms(scene.cause)
            self.screen.say(f"      a client that asks every 5 ms had no answer for {silence:.0f} ms")

    def report(self, cause: int, bound: Bound, detected: int, asked: int, moved: int) -> None:
        self.screen.end()
        kept = [self.screen.measured("detection", (detected - cause) / MILLISECOND, bound.detection_ms, bound.detection_is),
                self.screen.measured("first request", (asked - cause) / MILLISECOND, bound.first_request_ms,
                                     bound.first_request_is),
                self.screen.measured("route moved", (moved - cause) / MILLISECOND, bound.moved_ms, bound.moved_is)]
        self.missed += kept.count(False)

    # --- what is shown ---

    def describe(self, event: Event) -> tuple[str, str] | None:
        """Of the flood of events, those that a person wants to see; called in the order of time."""
        fields = event.fields
        match event.kind:
            case "advert":
                return self.describe_advert(event)
            case "signal":
                return "lab", f"{fields['signal']} to {fields['target']}"
            case "step_down":
                return "lab", f"vipd step-down on {fields['target']}"
            case "put_route":
                return "lab", f"{fields['table']}: {VIP} -> {self.cluster.zones.owner_of(fields['target'])}, by hand"
            case "ready" if event.source in PRIORITIES:
                return event.source, "ready"
            case "address_added" | "address_removed" if fields["address"] == VIP:
                return event.source, f"{'has' if event.kind == 'address_added' else 'gives up'} {VIP}"
            case "change" if fields["node"] != "by hand":
                return "cloud", f"{fields['table']}: {VIP} -> {self.cluster.zones.owner_of(fields['interface'])}"
            case "request" if is_mutating(event):
                outcome = self.screen.paint("bad", fields["code"]) if fields["code"] else self.screen.paint("good", "ok")
                return fields["node"][-1:], f"-> EC2 {fields['action']} {fields['table']}: {outcome}"
        return None

    def describe_advert(self, event: Event) -> tuple[str, str] | None:
        """The first of a series, and the last."""
        priority_before, at_before = self.spoken.get(event.source, (0, 0))
        self.spoken[event.source] = event.priority, event.at
        if event.priority == 0:
            return (event.source, "says goodbye: priority 0") if priority_before else None
        goes_on = priority_before and event.at - at_before < 3 * INTERVAL_MS * MILLISECOND
        return None if goes_on else (event.source, f"is Active: first advert, priority {event.priority}")

    # --- --keep ---

    def connect_host(self, hosts: ipaddress.IPv4Network) -> None:
        """A switch beside the zones, so that the pages can be opened from the machine itself."""
        bridge = f"vipd{os.getpid()}"
        self.lab.network.host_bridge(bridge, f"{hosts[1]}/24")
        for name, address in self.listen.items():
            self.lab.network.plug_into_host(self.cluster.zones.nodes[name], "host", bridge, f"{address.partition(':')[0]}/24")

    def wait_for_end(self) -> None:
        """Leaves everything running until a signal."""
        say = self.screen.say
        active = next((name for name, node in self.cluster.nodes.items() if node.state() == "Active"), "b")
        say()
        say("It goes on running. Look at it from another terminal:")
        if rootless.is_root():
            page = f"http://{self.listen[active]}"
            say(f"  the page of {active}, which is Active:   {page}/")
            say(f"  curl {page}/v1/status")
            say(f"  curl -N -H 'Accept: text/event-stream' {page}/v1/events")
            say(f"  curl {page}/metrics")
        else:
            say("  (the page is inside a network of its own; run this as root to open it in a browser)")
        socket_path = self.cluster.nodes[active].socket
        say(f"  {program('VIPD', 'vipd')} status --watch --socket {socket_path}")
        say(f"  curl --unix-socket {socket_path} http://localhost/v1/status")
        say(f"  curl --unix-socket {socket_path} -X POST http://localhost/v1/routers/lab/step-down")
        say(f"  curl --unix-socket {self.cluster.cloud.control} http://localhost/routes          (what the cloud knows)")
        for name, node in self.cluster.nodes.items():
            if node.running:
                say(f"  kill -9 {node.pid:<8}(the agent of node {name})")
        say(f"Stop it with Ctrl-C, or with: kill {os.getpid()}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("\nStopping.")

    def close(self) -> None:
        self.client.close()
        self.screen.close()


def free_network() -> ipaddress.IPv4Network:
    """A /24 of the range for benchmarks (RFC 2544) that this machine has no address in."""
    taken = network.ip("-4", "-oneline", "address", "show") + network.ip("-4", "route", "show")
    return next(candidate for candidate in ipaddress.ip_network("198.18.0.0/16").subnets(new_prefix=24)
                if str(candidate.network_address).removesuffix("0") not in taken)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end(*_) -> None:
    """Once; what follows is the tidying up, which nothing should interrupt."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def conclude(screen: Screen, missed: int) -> None:
    if missed:
        screen.say(screen.paint("bad", f"\n{missed} of the times above missed their bound."))
    else:
        screen.say(screen.paint("good", "\nEvery bound was kept."))


def show(lab: Lab, keep: bool) -> int:
    demo = Demo(lab, keep)
    try:
        demo.run()
        conclude(demo.screen, demo.missed)
        if keep:
            demo.wait_for_end()
    except TimedOut as error:
        demo.screen.end()
        demo.screen.say(demo.screen.paint("bad", f"\nDid not happen: {error}"))
        return 1
    finally:
        demo.close()
    return 1 if demo.missed else 0


def in_a_lab(run: Callable[[Lab], int]) -> int:
    """With everything taken away at the end, whoever ends it."""
    rootless.enter()
    # SIGINT too, which a shell's background jobs would ignore.
    for number in _SIGNALS:
        signal.signal(number, end)
    try:
        with Lab() as lab:
            return run(lab)
    except KeyboardInterrupt:
        print("\nStopped; everything it made is gone.")
        return 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/demo", description="Runs vipd's main job in network namespaces of its own: "
                                     "three nodes in two zones and a cloud; then lets things go wrong.")
    parser.add_argument("--keep", action="store_true", help="leave it running afterwards, with the addresses of its pages")
    options = parser.parse_args()
    return in_a_lab(lambda lab: show(lab, options.keep))


if __name__ == "__main__":
    sys.exit(main())
