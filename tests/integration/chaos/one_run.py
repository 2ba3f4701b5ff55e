"""One run: a cluster is settled, meets the faults of its plan, is healed, has to come right and then to stay quiet."""

import http.client
import json
import signal
from dataclasses import dataclass
from pathlib import Path

from inflict import STATUS_PORT, Inflict
from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.laboratory import Lab
from lab.network import Namespace
from lab.timeline import SECOND, Event, TimedOut
from lab.vipd import Vipd
from lab.zones import IMDS_ADDRESS, VIP
from plan import Plan
from recorder import Disk, Recorder
from slow_clients import SCRAPED
from story import Story, merge_transitions

SETTLE_SECONDS_MAX = 30.0
# Longer than two read-backs, so that whoever doubts has looked.
QUIET_SECONDS = 3.0
RECONCILE_MS = 1000.0
DRAIN_MS = 1000.0
ROLE = "vipd"


@dataclass
class Outcome:
    story: Story
    met: dict[str, int]


def carry_out(plan: Plan, lab: Lab) -> Outcome:
    run = _Run(plan, lab)
    try:
        run.settle_first()
        lab.timeline.note("lab", "faults_begin")
        run.inflict.run()
        lab.timeline.note("lab", "healed")
        if run.comes_right():
            run.stays_quiet()
        lab.timeline.note("lab", "over")
        run.ask_everything()
        run.end()
    finally:
        run.close()
    return run.outcome()


class _Run:
    def __init__(self, plan: Plan, lab: Lab) -> None:
        self.plan = plan
        self.lab = lab
        self.best = max(plan.priorities, key=plan.priorities.get)
        self.disks = {name: Disk(Path(lab.directory), name) for name in plan.priorities}
        self.cluster = Cluster(lab, priorities=plan.priorities, interval_ms=plan.interval_ms, reconcile_ms=RECONCILE_MS,
                               preempt_delay_ms=plan.preempt_delay_ms, latency_ms=plan.latency_ms, tables=plan.tables,
                               listen={name: f"127.0.0.1:{STATUS_PORT}" for name in plan.priorities})
        self.cluster.first = {name: disk.first for name, disk in self.disks.items()}
        self.recorder = Recorder(lab, self.disks)
        self.inflict = Inflict(self.cluster, self.recorder, self.disks, plan)

    def settle_first(self) -> None:
        for name in self.plan.priorities:
            self.inflict.start(name).ready()
        self.cluster.settle(self.best)
        self.recorder.counts_memory = not self.cluster.nodes[self.best].is_sanitized
        for name in self.plan.priorities:
            for what, value in credentials_of(self.cluster.zones.nodes[name]).items():
                self.lab.timeline.note(name, "secret", name=what, value=value)

    def comes_right(self) -> bool:
        try:
            self.lab.timeline.until("the cluster comes right", self._is_right, timeout=SETTLE_SECONDS_MAX)
        except TimedOut:
            self.lab.timeline.note("lab", "not_settled", why=self._what_is_wrong())
            return False
        self.lab.timeline.note("lab", "settled", owner=self.best)
        return True

    def _is_right(self) -> bool:
        return not self._what_is_wrong()

    def _what_is_wrong(self) -> str:
        """The first thing that is not as it has to be in the end."""
        for name, node in self.cluster.nodes.items():
            expected = "Active" if name == self.best else "Backup"
            if (state := node.state()) != expected:
                return f"{name} is {state} and not {expected}"
        if (owners := self.cluster.owners()) != {self.best}:
            return f"the routes lead to {sorted(owners)}"
        holders = self._holders()
        if holders != {self.best}:
            return f"the address is local on {sorted(holders)}"
        return "" if all(resource["owned"] for resource in self.cluster.nodes[self.best].router()["resources"]) else \
            f"{self.best} has not confirmed every route"

    def _holders(self) -> set[str]:
        holders: set[str] = set()
        for event in self.lab.timeline.select(lambda e: e.kind in ("address_added", "address_removed") and e.address == VIP):
            (holders.add if event.kind == "address_added" else holders.discard)(event.source)
        return holders

    def stays_quiet(self) -> None:
        """Adverts go on, so there is always a next event to end the wait with."""
        settled = self.lab.timeline.select(lambda e: e.kind == "settled")[-1].at
        self.lab.timeline.wait("the quiet time is over", lambda e: e.kind == "measured", since=settled + round(
            QUIET_SECONDS * SECOND), timeout=QUIET_SECONDS + 10.0)

    def ask_everything(self) -> None:
        """All that a node says of itself, once more: a secret in it would be found."""
        for name, node in self.cluster.nodes.items():
            for path in SCRAPED:
                try:
                    self.lab.timeline.note(name, "output", text=node.request("GET", path)[1])
                except (OSError, http.client.HTTPException):  # then it has ended, which is another checker's
                    pass

    def end(self) -> None:
        """Gracefully, so that a sanitizer has its say about what was not given back."""
        for name, node in self.cluster.nodes.items():
            if node.running:
                node.signal(signal.SIGTERM)
                self.lab.timeline.wait(f"{name} has ended", lambda e, name=name: e.kind == "exit" and e.source == name,
                                       since=node.started, timeout=20.0)

    def close(self) -> None:
        for node in self.cluster.nodes.values():
            if node.running:
                node.signal(signal.SIGCONT)
        self.recorder.close()
        for disk in self.disks.values():
            disk.unmount()

    def outcome(self) -> Outcome:
        events = list(self.lab.timeline)

        def transitions(kind: str) -> list[Event]:
            return [Event(e.at, e.source, "transition", e.fields) for e in events if e.kind == kind]

        merged = merge_transitions(transitions("log_transition"), transitions("stream_transition"))
        events = [e for e in events if e.kind not in ("log_transition", "stream_transition")] + merged
        story = Story(self.plan.interval_ms, self.plan.priorities, DRAIN_MS, events, self.plan.is_calm)
        return Outcome(story, what_was_met(self.plan, story))


def credentials_of(node: Namespace) -> dict[str, str]:
    """What IMDS gives to whoever asks from there: the daemon's own, while they last."""
    def ask(method: str, path: str, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection(IMDS_ADDRESS, timeout=5.0)
        connection.request(method, path, headers=headers)
        try:
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def ask_all() -> dict[str, str]:
        token = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        text = ask("GET", f"/latest/meta-data/iam/security-credentials/{ROLE}", {"X-aws-ec2-metadata-token": token})
        document = json.loads(text)
        return {key: document[key] for key in ("SecretAccessKey", "Token")}

    return node.call(ask_all)


def what_was_met(plan: Plan, story: Story) -> dict[str, int]:
    """How often a run was in the places where something can go wrong."""
    begin, over = story.mark("faults_begin"), story.mark("over")
    during = [event for event in story.events if begin <= event.at < over]
    reigns = [reign for node in story.nodes for reign in story.reigns(node) if reign.begin >= begin]
    logs = [event.text for event in during if event.kind == "log"]
    both = sum(1 for one in reigns for node in story.nodes for other in story.reigns(node)
               if other.begin < one.begin < other.end)
    return {
        "faults": len(plan.faults), "calm runs": int(plan.is_calm), "reigns": len(reigns), "two Actives": both,
        "mutating calls": sum(1 for event in during if is_mutating(event)),
        "of unknown outcome": sum("outcome=unknown_outcome" in text for text in logs),
        "stalls": sum(event.kind == "transition" and "stalled" in event.reason for event in during),
        "restarts in place": sum(len(story.hand_overs[node]) for node in story.nodes),
        "reigns that went on in them": sum(event.kind == "transition" and event.reason == "resumed" for event in during),
        "starts": sum(1 for event in during if event.kind == "started"),
        "out of descriptors": sum("Too many open files" in text for text in logs),
        "lines lost": sum("event=log_lines_dropped" in text for text in logs),
        "outputs read": sum(1 for event in during if event.kind == "output"),
    }
