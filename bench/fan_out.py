"""Many calls at once, each of 20 ms: a hundred route tables of one router, and fifty routers with one route each."""

import math
import time

from lab.laboratory import Lab
from lab.timeline import MILLISECOND, now

from measure import Figure, Options, Report, median, summary
from stage import Stage, destination

LATENCY_MS = 20.0
TABLES = 100
ROUTERS = 50
ROUTERS_TARGET_MS = 100.0
INTERVAL_MS = 100.0


def start_both(stage: Stage, routers: int, **settings) -> None:
    started = now()
    stage.start("a", priority=150, interval_ms=INTERVAL_MS, routers=routers, **settings).ready()
    stage.settle("a", since=started, routers=routers, timeout=60)
    stage.start("b", priority=100, interval_ms=INTERVAL_MS, routers=routers, **settings).ready()
    time.sleep(2.5)  # connections and credentials of the Backup


def take_over(stage: Stage, routers: int, **settings) -> dict[str, list[float]]:
    """a dies, b takes everything, a returns. From each router's due timer until EC2 had answered its last call, by vipd's own
    log; and from b's first advert to the cloud's last change, for all of it, from outside."""
    killed = stage.crash("a")
    done = stage.wait_for_log("b", "accepted", since=killed.at, count=routers, timeout=30, event="takeover", phase="accepted")
    moved = stage.changes("b", killed.at)
    spoke = stage.first_advert("b", killed.at)
    stage.settle("b", since=killed.at, routers=routers)
    time.sleep(2.2)  # the budget of changing calls for each route
    returned = stage.start("a", priority=150, interval_ms=INTERVAL_MS, routers=routers, **settings)
    stage.settle("a", since=returned.started, routers=routers, timeout=60)
    return {"accepted_ms": [float(e.fields["after_due_ms"]) for e in done],
            "outside_ms": [(max(e.at for e in moved) - spoke.at) / MILLISECOND], "changes": [float(len(moved))]}


def run_tables(options: Options) -> Report:
    result = Report()
    for connections in (16, 32):
        with Lab() as lab:
            stage = Stage(lab, latency_ms=LATENCY_MS, tables=TABLES)
            start_both(stage, 1, connections=connections)
            rounds = [take_over(stage, 1, connections=connections) for _ in range(options.pick(10, 2))]
        took = [each["accepted_ms"][0] for each in rounds]
        limit = LATENCY_MS * math.ceil(TABLES / connections) * 1.1
        outside = [each["outside_ms"][0] for each in rounds]
        result.data[f"connections={connections}"] = {"accepted_ms": took, **summary(took), "limit_ms": limit,
                                                     "outside_ms": outside}
        result.row(f"{TABLES} tables, {connections} connections: due to all accepted",
                   f"p50 {median(took):.1f}, max {max(took):.1f} ms ({len(took)} takeovers)", f"<= {limit:.0f} ms",
                   median(took) <= limit)
        result.row("first advert to the cloud's last change", f"p50 {median(outside):.1f}, max {max(outside):.1f} ms",
                   f"<= {limit:.0f} ms", median(outside) <= limit)
    return result


def run_routers(options: Options) -> Report:
    with Lab() as lab:
        stage = Stage(lab, latency_ms=LATENCY_MS)
        for router in range(ROUTERS):
            stage.cloud.put_route(stage.tables[0], destination(router), stage.zones.places["b"].interface_id)
        start_both(stage, ROUTERS)
        rounds = [take_over(stage, ROUTERS) for _ in range(options.pick(10, 2))]
    slowest = [max(each["accepted_ms"]) for each in rounds]
    outside = [each["outside_ms"][0] for each in rounds]
    result = Report(data={"slowest_ms": slowest, "outside_ms": outside})
    result.row(f"{ROUTERS} routers: the slowest, from its due timer to accepted",
               f"p50 {median(slowest):.1f}, max {max(slowest):.1f} ms ({len(slowest)} takeovers of all)",
               f"<= {ROUTERS_TARGET_MS:g} ms", median(slowest) <= ROUTERS_TARGET_MS)
    result.row("first advert to the cloud's last change, all routers", f"p50 {median(outside):.1f}, max {max(outside):.1f} ms",
               f"<= {ROUTERS_TARGET_MS:g} ms", median(outside) <= ROUTERS_TARGET_MS)
    return result


FIGURES = [Figure("hundred-tables", "100 route tables, 20 ms per call", run_tables),
           Figure("fifty-routers", "50 routers with one route each lose their Active, 20 ms per call", run_routers)]
