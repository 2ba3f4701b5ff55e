"""From the Active_Down_Timer to the first byte of the mutating request.

Fifty routers between two nodes hand over to each other, one every 100 ms: the better node is asked to step down, the other
takes over when its down timer has run out, and is then preempted, which is the same path again. Each of the two takeovers is
one sample, warm as in production: connections are open, credentials are there, the route is known.

vipd says itself when it handed the first byte over, counted from the moment at which the timer was due. The second row is held
to the same target from outside: the time between the successor's first advert on the wire, which leaves in the same turn of the
loop, and the moment at which the cloud's process had decrypted the first byte.

Beside each stands the same for the takeovers during which no processor was taken away from the machine, as another program with
nothing else to do has seen it: the difference is the hypervisor's.
"""

import time

from lab.cloudsim import is_mutating
from lab.laboratory import Lab
from lab.timeline import MILLISECOND, Event, now

from measure import Figure, Options, Report, quantile, summary
from probe import HeldUp, StallWatch, stood_still
from stage import Stage, destination

ROUTERS = 50
INTERVAL_MS = 100.0
TARGET_MS = 1.0


def run(options: Options) -> Report:
    rounds = options.pick(600, 60)
    with Lab() as lab:
        stage = Stage(lab)
        for router in range(ROUTERS):
            stage.cloud.put_route(stage.tables[0], destination(router), stage.zones.places["b"].interface_id)
        started = now()
        stage.start("b", priority=150, routers=ROUTERS, interval_ms=INTERVAL_MS).ready()
        stage.settle("b", since=started, routers=ROUTERS)
        stage.start("a", priority=100, routers=ROUTERS, interval_ms=INTERVAL_MS).ready()
        time.sleep(2.0)  # connections and credentials of the Backup
        stalls = StallWatch(lab)
        began = now()
        for number in range(rounds):
            code, text = stage.nodes["b"].request("POST", f"/v1/routers/r{number % ROUTERS}/step-down")
            assert code == 200, text
            time.sleep(0.1)
        time.sleep(2.0)
        return report(stage, began, stalls.result())


def report(stage: Stage, began: int, watched: dict) -> Report:
    held_up = HeldUp(watched)
    result = Report(data={"machine": watched["late_ms"]})
    own = [(float(e.first_byte_after_due_ms), e.at - (float(e.first_byte_after_due_ms) + float(e.took_ms)) * MILLISECOND, e.at)
           for e in first_calls(stage, began)]
    outside = [((request.first_byte_ns - advert.at) / MILLISECOND, advert.at, request.first_byte_ns)
               for request, advert in pairs(stage, began)]
    for what, key, samples in (("timer due to first byte handed to the kernel", "own_ms", own),
                               ("advert on the wire to byte decrypted by the cloud", "outside_ms", outside)):
        all_ms = [ms for ms, _, _ in samples]
        quiet_ms = [ms for ms, begin, end in samples if not held_up.during(begin, end)]
        result.data[key] = {**summary(all_ms), "undisturbed": summary(quiet_ms)}
        p99 = quantile(all_ms, 0.99)
        result.row(what, spell(all_ms), f"p99 <= {TARGET_MS:g} ms", p99 <= TARGET_MS)
        result.row("  where the machine did not stand still", spell(quiet_ms))
    result.row("the machine itself, late by", stood_still(watched))
    return result


def spell(samples: list[float]) -> str:
    return (f"p50 {quantile(samples, 0.5):.3f}, p99 {quantile(samples, 0.99):.3f}, max {max(samples):.3f} ms "
            f"({len(samples)} takeovers)")


def first_calls(stage: Stage, began: int) -> list:
    """The first call of each takeover; a repeated one is counted from the same moment."""
    first: dict[tuple, Event] = {}
    for name in "ab":
        for e in stage.log_events(name, began, event="ec2_call", action="ReplaceRoute"):
            first.setdefault((name, e.router, e.epoch), e)
    return list(first.values())


def pairs(stage: Stage, began: int):
    """Each mutating request with the first advert of the same takeover, by which the node has broken its silence."""
    for name in "ab":
        adverts: dict[int, list] = {}
        for advert in stage.lab.adverts(name, since=began):
            adverts.setdefault(advert.vrid, []).append(advert)
        for request in stage.lab.timeline.select(
                lambda e, name=name: is_mutating(e) and e.fields["node"] == f"node-{name}", began):
            vrid = int(request.destination.split(".")[3].split("/")[0])
            near = [advert for advert in adverts.get(vrid, []) if advert.priority and abs(advert.at - request.first_byte_ns)
                    < INTERVAL_MS / 2 * MILLISECOND]
            if near:
                yield request, min(near, key=lambda advert: abs(advert.at - request.first_byte_ns))


FIGURES = [Figure("first-byte", "Active_Down timer due to first byte of the mutating request, warm", run)]
