"""A thousand virtual routers on one node, as Active and as Backup: processor time beside keepalived, and adverts that leave."""

import time

from lab.keepalived import Keepalived
from lab.laboratory import Lab
from lab.network import Namespace
from lab.process import Process
from lab.timeline import Event
from lab.vipd import Vipd

from fleet import KeepalivedFleet, VipdFleet, lay_cables, sent_packets
from measure import CpuMeter, Figure, Options, ProcessGone, Report, median
from probe import StallWatch, stood_still

ROUTERS = 1000
BETTER, WORSE = 150, 100
SHARE_MAX = 1 / 3
SENT_MIN = 0.999
FAST_PERCENT_MAX = 50.0


def is_transition(kind: str, event: Event, *, to_active: bool = False) -> bool:
    if event.kind != "log":
        return False
    if kind == "vipd":
        return event.fields.get("event") == "transition" and (not to_active or event.fields["to"] == "Active")
    return "Entering" in event.text and ("MASTER STATE" if to_active else "STATE") in event.text


class Fleet:
    """Two nodes of one kind, the Active on a, the Backup on b, both quiet after their start."""

    def __init__(self, lab: Lab, kind: str, interval_ms: float, *, realtime: bool) -> None:
        self.lab = lab
        self.kind = kind
        self.interval_ms = interval_ms
        self.a, self.b = lay_cables(lab, ROUTERS)
        self.active = self._start(self.a, 1, 2, BETTER, realtime)
        self._wait_until_active()
        self.backup = self._start(self.b, 2, 1, WORSE, realtime)
        time.sleep(5.0)

    def _start(self, node: Namespace, host: int, peer: int, priority: int, realtime: bool) -> Process:
        if self.kind == "vipd":
            process: Process = Vipd(self.lab, node, VipdFleet(host, peer, ROUTERS, self.interval_ms, priority, realtime))
        else:
            process = Keepalived(self.lab, node, KeepalivedFleet(host, peer, ROUTERS, self.interval_ms, priority, realtime))
        return self.lab.own(process)

    def _wait_until_active(self) -> None:
        """Every router of a has said so. keepalived at 10 ms does not get there; it is measured after a minute as it is."""
        def active() -> int:
            return len(self.lab.timeline.select(lambda e: e.source == "a" and is_transition(self.kind, e, to_active=True)))
        deadline = time.monotonic() + 60
        while active() < ROUTERS and time.monotonic() < deadline:
            time.sleep(0.5)
        if self.kind == "vipd" and active() < ROUTERS:
            raise TimeoutError(f"{active()} of {ROUTERS} routers are Active after 60 s")

    def transitions(self, since: int) -> int:
        """Of both nodes, by their logs."""
        return len(self.lab.timeline.select(lambda e: e.source in ("a", "b") and is_transition(self.kind, e), since))

    def measure(self, seconds: float) -> dict[str, float]:
        since = time.monotonic_ns()
        active, backup = CpuMeter(self.active.pid), CpuMeter(self.backup.pid)
        before, began = sent_packets(self.a), time.monotonic()
        other_before = sent_packets(self.b)
        stalls = StallWatch(self.lab)
        time.sleep(seconds)
        machine = stalls.result()
        sent, passed = sent_packets(self.a) - before, time.monotonic() - began
        other = sent_packets(self.b) - other_before
        used = {"active": active.percent(), "backup": backup.percent()}
        return {"seconds": passed, "active_percent": used["active"]["percent"], "backup_percent": used["backup"]["percent"],
                "active_percent_by_tick": used["active"]["percent_by_tick"],
                "backup_percent_by_tick": used["backup"]["percent_by_tick"],
                "sent_share": sent / (ROUTERS * passed * 1000 / self.interval_ms), "backup_sent": other,
                "transitions": self.transitions(since), "machine": machine}


def measure(kind: str, interval_ms: float, seconds: float, *, realtime: bool) -> dict[str, float]:
    with Lab() as lab:
        return Fleet(lab, kind, interval_ms, realtime=realtime).measure(seconds)


def run_slow(options: Options) -> Report:
    seconds = options.pick(30.0, 5.0)
    # Alternating, so that what else the machine does meets both alike.
    rounds = [{kind: measure(kind, 100.0, seconds, realtime=False) for kind in ("vipd", "keepalived")}
              for _ in range(options.pick(3, 1))]
    result = Report(data={"rounds": rounds})
    for role in ("active", "backup"):
        ours, theirs = (median([each[kind][f"{role}_percent"] for each in rounds]) for kind in ("vipd", "keepalived"))
        result.row(f"as {role.capitalize()}: CPU of one core",
                   f"{ours:.1f} %, keepalived {theirs:.1f} %: ratio {ours / theirs:.2f}",
                   f"<= {SHARE_MAX:.2f} of keepalived's", ours <= SHARE_MAX * theirs)
    shares = {kind: median([each[kind]["sent_share"] for each in rounds]) for kind in ("vipd", "keepalived")}
    result.row("adverts sent of those due", f"{100 * shares['vipd']:.2f} %, keepalived {100 * shares['keepalived']:.2f} %")
    return result


def run_fast(options: Options) -> Report:
    seconds = options.pick(60.0, 10.0)
    ours = measure("vipd", 10.0, seconds, realtime=True)
    result = Report(data={"vipd": ours})
    result.row(f"transitions in {ours['seconds']:.0f} s", str(ours["transitions"]), "0", ours["transitions"] == 0)
    result.row("adverts sent of those due", f"{100 * ours['sent_share']:.3f} %", f">= {100 * SENT_MIN:g} %",
               ours["sent_share"] >= SENT_MIN)
    for role in ("active", "backup"):
        percent = ours[f"{role}_percent"]
        result.row(f"as {role.capitalize()}: CPU of one core", f"{percent:.1f} %", f"< {FAST_PERCENT_MAX:g} %",
                   percent < FAST_PERCENT_MAX)
    result.row("the whole machine stood still", stood_still(ours["machine"]))
    try:
        theirs = result.data["keepalived"] = measure("keepalived", 10.0, options.pick(20.0, 5.0), realtime=True)
    except ProcessGone:
        # It asks for a real-time priority of its own with a limit on its processor time, and may run into that here.
        result.row("keepalived", "did not survive it: its process ended")
        return result
    result.row("keepalived", f"Active {theirs['active_percent']:.0f} %, Backup {theirs['backup_percent']:.0f} %, "
               f"{100 * theirs['sent_share']:.0f} % sent, {theirs['transitions']} transitions in {theirs['seconds']:.0f} s")
    return result


FIGURES = [Figure("thousand-routers", "1,000 routers at 100 ms, CPU beside keepalived", run_slow),
           Figure("thousand-fast", "1,000 routers at 10 ms, realtime on", run_fast)]
