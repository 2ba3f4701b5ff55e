"""The demonstration's second part: what is moved beside routes of one address.

Two nodes of one zone and one virtual router that has the route of a prefix list, an address of either family, an Elastic IP on
one of them and a whole interface; the Active dies, and each of them is the other node's, all at the same time. As in the first
part a scene has a cause, shows what follows, and holds each move against its bound.
"""

import argparse
import sys
from collections.abc import Callable

from . import bounds, movables
from .bounds import Bound
from .cloudsim import is_mutating, is_takeover
from .cluster import Cluster
from .demo import conclude, in_a_lab
from .hotplug import Hotplug
from .laboratory import Lab
from .movables import (ADDRESS, ADDRESS6, ELASTIC_ADDRESS, ELASTIC_IP, FLOATING, FLOATING_ADDRESS, LISTED, PREFIX_LIST,
                       PRIORITIES)
from .screen import Screen
from .timeline import MILLISECOND, Event, TimedOut, now

INTERVAL_MS = 100.0
LATENCY_MS = 20.0
API_MS = LATENCY_MS + 2.0
DETACH_MS, ATTACH_MS = 300.0, 200.0
# Beyond what EC2 takes for it: an interface is looked at every 50 ms.
INTERFACE_MS = 100.0
ROUTES = [{"destination": PREFIX_LIST, "tables": {"vpc": True}}]
MOVES = {"secondary_ip": [{"address": ADDRESS}, {"address": ADDRESS6}],
         "elastic_ip": [{"allocation": ELASTIC_IP, "private_address": ADDRESS}],
         "eni": [{"match": {"tags": {"Name": "floating"}}, "device_index": 1}]}


def arrived(event: Event, what: str, name: str, subject: str) -> bool:
    """Whether `subject`, an address or an interface, is the node's from then on."""
    fields = event.fields
    return (event.kind == "movement" and fields["what"] == what and fields["arrived"] and fields["node"] == f"node-{name}"
            and subject in (fields["address"], fields["interface"]))


class MovesCluster:
    """The two nodes, with everything that can be moved."""

    def __init__(self, lab: Lab, *, realtime: bool = True) -> None:
        self.lab = lab
        self.cluster = Cluster(lab, priorities=PRIORITIES, interval_ms=INTERVAL_MS, reconcile_ms=2000.0, latency_ms=LATENCY_MS,
                               tables=1, topology=movables.add_to, realtime=realtime)
        self.hotplug = Hotplug(self.cluster.zones)
        self.cluster.cloud.set_policy("role/vipd", [{"effect": "allow", "actions": ["ec2:*"], "resources": ["*"]}])
        self.cluster.cloud.command("PUT", "/settings", {"detach_ms": DETACH_MS, "attach_ms": ATTACH_MS})

    def start(self, name: str):
        return self.cluster.start(name, routes=ROUTES, moves=MOVES, peers=movables.peers_of(self.cluster, name),
                                  preempt_delay="1000s", addresses=[{"address": each, "interface": "lo"} for each in LISTED])

    def settle(self, owner: str) -> None:
        self.cluster.nodes[owner].wait_for_state("Active")
        self.lab.timeline.until(f"{owner} has confirmed everything", lambda: all(
            resource["state"] == "here" for resource in self.cluster.nodes[owner].router()["resources"]), timeout=30)
        settled = now()
        for name, node in self.cluster.nodes.items():
            if name != owner and node.running:
                node.wait_for_state("Backup")
                # A Backup reads once in a reconcile period, and goes by that: what has moved since would cost it a call.
                self.lab.timeline.until(f"{name} knows where everything is", lambda node=node: all(
                    (resource["confirmed_age_seconds"] or 1e9) < (now() - settled) / 1e9
                    for resource in node.router()["resources"]
                    if resource["kind"] in ("route", "secondary_ip", "elastic_ip", "network_interface")), timeout=30)

    def moved(self, name: str, since: int) -> dict[str, Event]:
        """When each of them was the node's, as the cloud and the node's kernel say it."""
        wait: Callable = self.lab.timeline.wait
        found = {"prefix list": wait(f"{PREFIX_LIST} leads to {name}", lambda e: is_takeover(e, f"node-{name}") and
                                     e.destination == PREFIX_LIST, since=since, timeout=20)}
        for title, what, subject in (("IPv4 address", "address", ADDRESS), ("IPv6 address", "address", ADDRESS6),
                                     ("Elastic IP", "elastic_ip", ELASTIC_ADDRESS), ("interface", "interface", FLOATING)):
            found[title] = wait(f"{name} has the {title}",
                                lambda e, what=what, subject=subject: arrived(e, what, name, subject), since=since, timeout=20)
        found["link set up"] = wait(f"{name} has {FLOATING_ADDRESS}", lambda e: e.kind == "address_added" and
                                    e.source == name and e.address == f"{FLOATING_ADDRESS}/32", since=since, timeout=20)
        return found

    def close(self) -> None:
        self.hotplug.close()


class Demo:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.missed = 0
        self.screen = Screen(self.describe)
        lab.timeline.listen(self.screen.add)
        self.stage = MovesCluster(lab)

    def run(self) -> None:
        say = self.screen.say
        say(f"Two vipd nodes of one zone, priorities {', '.join(f'{n} {p}' for n, p in PRIORITIES.items())}; A = "
            f"{INTERVAL_MS:g} ms; EC2 takes {LATENCY_MS:g} ms for a call, {DETACH_MS:g} ms to detach an interface and "
            f"{ATTACH_MS:g} ms to attach it.")
        # One after another: neither preempts the other here.
        self.stage.start("b").wait_for_state("Active")
        self.stage.start("c")
        self.stage.settle("b")
        self.screen.title("1  kill -9 of the Active node b, which has everything")
        crash = self.stage.cluster.nodes["b"].kill()
        self.screen.begin(crash.at)
        self.stage.cluster.nodes["b"].wait()
        self.finish(crash.at, "c", bounds.crash(PRIORITIES["c"], INTERVAL_MS, API_MS))
        self.screen.title("2  Node b is back, and c steps down gracefully")
        self.stage.start("b").ready()
        self.stage.settle("c")
        asked = self.stage.cluster.nodes["c"].step_down()
        self.screen.begin(asked.at)
        self.finish(asked.at, "b", bounds.release(PRIORITIES["b"], INTERVAL_MS, API_MS))

    def finish(self, cause: int, name: str, bound: Bound) -> None:
        spoke = self.lab.advert(f"{name} speaks", name, since=cause, timeout=5, priority=PRIORITIES[name])
        moved = self.stage.moved(name, cause)
        self.stage.settle(name)
        self.screen.end()
        one, two = bound.moved_ms, bound.moved_ms + API_MS
        interface = two + DETACH_MS + ATTACH_MS + INTERFACE_MS
        rows = [("detection", spoke.at, bound.detection_ms, bound.detection_is),
                ("prefix list", moved["prefix list"].at, one, "+ one EC2 call"),
                ("IPv4 address", moved["IPv4 address"].at, one, "+ one EC2 call"),
                ("Elastic IP", moved["Elastic IP"].at, one, "+ one EC2 call"),
                ("IPv6 address", moved["IPv6 address"].at, two, "+ two EC2 calls"),
                ("interface", moved["interface"].at, interface, "+ two EC2 calls, EC2's time, and 100 ms")]
        kept = [self.screen.measured(what, (at - cause) / MILLISECOND, limit, limit_is) for what, at, limit, limit_is in rows]
        self.missed += kept.count(False)
        link_ms = (moved["link set up"].at - moved["interface"].at) / MILLISECOND
        self.screen.say(f"      its link was set up {link_ms:.0f} ms later (IMDS has to know of it first)")

    def describe(self, event: Event) -> tuple[str, str] | None:
        fields = event.fields
        match event.kind:
            case "signal":
                return "lab", f"{fields['signal']} to {fields['target']}"
            case "step_down":
                return "lab", f"vipd step-down on {fields['target']}"
            case "change" if fields["destination"] == PREFIX_LIST:
                return "cloud", f"{fields['table']}: {PREFIX_LIST} -> {self.stage.cluster.zones.owner_of(fields['interface'])}"
            case "movement" if fields["arrived"] and fields["node"]:
                return "cloud", f"{fields['address'] or fields['interface']} is at {fields['node'].removeprefix('node-')}"
            case "address_added" if fields["address"].partition("/")[0] in (ADDRESS, ADDRESS6, FLOATING_ADDRESS):
                return event.source, f"has {fields['address']}"
            case "request" if is_mutating(event):
                outcome = self.screen.paint("bad", fields["code"]) if fields["code"] else self.screen.paint("good", "ok")
                return fields["node"][-1:], f"-> EC2 {fields['action']}: {outcome}"
        return None

    def close(self) -> None:
        self.stage.close()
        self.screen.close()


def show(lab: Lab) -> int:
    demo = Demo(lab)
    try:
        demo.run()
    except TimedOut as error:
        demo.screen.end()
        demo.screen.say(demo.screen.paint("bad", f"\nDid not happen: {error}"))
        return 1
    finally:
        demo.close()
    conclude(demo.screen, demo.missed)
    return 1 if demo.missed else 0


def main() -> int:
    argparse.ArgumentParser(prog="deploy/demo --moves", description="Moves a prefix list's route, addresses and an interface "
                            "between two nodes, in network namespaces of its own.").parse_args()
    return in_a_lab(show)


if __name__ == "__main__":
    sys.exit(main())
