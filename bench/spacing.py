"""How evenly adverts leave while somebody disturbs: clients of /metrics, large scrapes, a loaded machine, forgeries.

A probe in the peer's namespace stamps each advert as the kernel received it. Each disturbance is compared with the same node a
moment before, undisturbed.
"""

import time
from pathlib import Path

from lab.laboratory import Lab
from lab.network import Namespace
from lab.timeline import now
from lab.vipd import Vipd

from fleet import VipdFleet, host_address, lay_cables, lay_lan
from measure import Figure, Options, Report
from probe import Flood, Probe, StallWatch, spread, stood_still

BETTER, WORSE = 150, 100
REQUESTS_PER_SECOND = 10_000
SERIES = 30_000
ROUTERS_SCRAPED = 500
PORT = 9112


class Pair:
    """The Active on a, the Backup on b, realtime as in the packaged unit."""

    def __init__(self, lab: Lab, nodes: tuple[Namespace, Namespace], *, routers: int, interval_ms: float,
                 listen: bool = False) -> None:
        self.lab = lab
        self.routers = routers
        self.interval_ms = interval_ms
        self.a, self.b = nodes
        http = {"listen": [f"{host_address(0, 1)}:{PORT}"]} if listen else {}
        self.active = lab.own(Vipd(lab, self.a, VipdFleet(1, 2, routers, interval_ms, BETTER, http=http)))
        lab.timeline.until("a is Active for every router", lambda: self.became_active() >= routers, timeout=60)
        self.backup = lab.own(Vipd(lab, self.b, VipdFleet(2, 1, routers, interval_ms, WORSE)))
        self.backup.ready()
        time.sleep(3.0)

    def became_active(self) -> int:
        return len(self.transitions(0, to="Active"))

    def transitions(self, since: int, **fields) -> list:
        return self.lab.timeline.select(lambda e: e.kind == "log" and e.source in ("a", "b")
                                        and e.fields.get("event") == "transition"
                                        and all(e.fields.get(k) == v for k, v in fields.items()), since)

    def listen(self, seconds: float, **options) -> "Listener":
        return Listener(self, seconds, **options)

    def get(self, path: str) -> str:
        return self.b.run("curl", "-sS", f"http://{host_address(0, 1)}:{PORT}{path}").stdout


class Listener:
    """A probe, and a ruler for the machine beside it."""

    def __init__(self, pair: Pair, seconds: float, **options) -> None:
        self._stalls = StallWatch(pair.lab)
        self._probe = Probe(pair.lab, pair.b, interval_ms=pair.interval_ms, seconds=seconds, **options)

    def result(self) -> dict:
        heard = self._probe.result()
        return {**heard, "machine": self._stalls.result()}


def compare(result: Report, what: str, idle: dict, disturbed: dict, allowed_ms: float) -> None:
    worse = disturbed["gap_ms"]["p99_9"] - idle["gap_ms"]["p99_9"]
    result.row(f"{what}: idle", spread(idle))
    result.row(f"{what}: disturbed", spread(disturbed))
    result.row(f"{what}: p99.9 above idle", f"{worse:.2f} ms", f"<= {allowed_ms:g} ms", worse <= allowed_ms)
    result.row(f"{what}: the whole machine stood still, idle", stood_still(idle["machine"]))
    result.row(f"{what}: the whole machine stood still, disturbed", stood_still(disturbed["machine"]))
    result.data[what] = {"idle": idle, "disturbed": disturbed}


# --- HTTP ---

def hammer(pair: Pair, seconds: float) -> dict[str, float]:
    """wrk, held back to somewhat more than the rate wanted: as fast as it can it would be a second hog beside the node."""
    script = Path(__file__).with_name("pace.lua")
    done = pair.b.run("wrk", "--threads", "1", "--connections", "50", "--duration", f"{seconds:g}s", "--latency", "--script",
                      str(script), f"http://{host_address(0, 1)}:{PORT}/metrics", timeout=seconds + 60)
    return {"text": done.stdout, "per_second": float(done.stdout.split("Requests/sec:")[1].split()[0]),
            "not_200": done.stdout.count("Non-2xx")}


def run_requests(options: Options) -> Report:
    seconds = options.pick(30.0, 5.0)
    result = Report()
    for interval_ms in (10.0, 100.0):
        with Lab() as lab:
            pair = Pair(lab, lay_cables(lab, 1), routers=1, interval_ms=interval_ms, listen=True)
            idle = pair.listen(seconds).result()
            probe = pair.listen(seconds)
            began = now()
            load = hammer(pair, seconds + 1)
            heard = probe.result()
            flaps = len(pair.transitions(began))
        what = f"A = {interval_ms:g} ms"
        compare(result, what, idle, heard, 2.0)
        result.data[what]["wrk"] = load
        result.row(f"{what}: requests answered", f"{load['per_second']:.0f} per second", f">= {REQUESTS_PER_SECOND} per second",
                   load["per_second"] >= REQUESTS_PER_SECOND and not load["not_200"])
        result.row(f"{what}: transitions", str(flaps), "0", flaps == 0)
    return result


def run_scrapes(options: Options) -> Report:
    seconds = options.pick(30.0, 5.0)
    result = Report()
    with Lab() as lab:
        pair = Pair(lab, lay_cables(lab, ROUTERS_SCRAPED), routers=ROUTERS_SCRAPED, interval_ms=100.0, listen=True)
        series = sum(not line.startswith("#") for line in pair.get("/metrics").splitlines())
        idle = pair.listen(seconds).result()
        probe = pair.listen(seconds)
        began = now()
        scrapes, took = scrape_until(pair, time.monotonic() + seconds)
        heard = probe.result()
        flaps = len(pair.transitions(began))
    result.row("series in one scrape", str(series), f">= {SERIES}", series >= SERIES)
    compare(result, f"{ROUTERS_SCRAPED} routers at 100 ms, scraped without a pause", idle, heard, 2.0)
    result.row("scrapes", f"{scrapes}, each {1000 * took / scrapes:.0f} ms")
    result.row("transitions", str(flaps), "0", flaps == 0)
    return result


def scrape_until(pair: Pair, deadline: float) -> tuple[int, float]:
    count, began = 0, time.monotonic()
    while time.monotonic() < deadline:
        pair.b.run("curl", "-sS", "-o", "/dev/null", f"http://{host_address(0, 1)}:{PORT}/metrics")
        count += 1
    return count, time.monotonic() - began


# --- a loaded machine ---

def run_hogs(options: Options) -> Report:
    seconds = options.pick(30.0, 5.0)
    result = Report()
    with Lab() as lab:
        pair = Pair(lab, lay_cables(lab, 1), routers=1, interval_ms=10.0)
        idle = pair.listen(seconds).result()
        probe = pair.listen(seconds)
        began = now()
        hogs = lab.start("hogs", ["stress-ng", "--cpu", "6", "--timeout", f"{seconds + 5:g}s", "--quiet"])
        heard = probe.result()
        hogs.stop()
        flaps = len(pair.transitions(began))
    compare(result, "A = 10 ms, six hogs", idle, heard, 5.0)
    result.row("transitions", str(flaps), "0", flaps == 0)
    return result


# --- a stranger ---

def run_flood(options: Options) -> Report:
    seconds = options.pick(20.0, 5.0)
    result = Report()
    for interval_ms in (100.0, 10.0):
        with Lab() as lab:
            a, b, stranger = lay_lan(lab)
            pair = Pair(lab, (a, b), routers=1, interval_ms=interval_ms)
            for host, victim in ((1, "Active"), (2, "Backup")):
                probe = pair.listen(seconds, source=host_address(0, 1))
                began = now()
                flood = Flood(lab, stranger, source=host_address(0, 66), destination=host_address(0, host), vrid=1,
                              interval_ms=interval_ms, rate=50_000, seconds=seconds)
                sent = flood.result()
                heard = probe.result()
                flaps = len(pair.transitions(began))
                what = f"A = {interval_ms:g} ms, the {victim} flooded"
                result.data[what] = {"flood": sent, "heard": heard, "transitions": flaps}
                result.row(f"{what} with {sent['packets_per_second']:.0f} per second: transitions", str(flaps), "0", flaps == 0)
                result.row(f"{what}: longest advert gap", f"{heard['gap_ms']['max']:.2f} ms", f"< {1.1 * interval_ms:g} ms",
                           heard["gap_ms"]["max"] < 1.1 * interval_ms)
                result.row(f"{what}: the whole machine stood still", stood_still(heard["machine"]))
    return result


FIGURES = [Figure("metrics-requests", "advert spacing with 10,000 /metrics requests per second", run_requests),
           Figure("metrics-scrapes", "advert spacing while 30,000 series are scraped", run_scrapes),
           Figure("hogs", "advert spacing at 10 ms with six CPU hogs, realtime on", run_hogs),
           Figure("flood", "50,000 forged packets per second from a stranger", run_flood)]
