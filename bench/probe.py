"""advert_probe, stall_watch and advert_flood as processes of a lab."""

import json
import signal

from lab.laboratory import Lab
from lab.network import Namespace
from lab.process import Process
from lab.vipd import program


class Probe:
    """Listens in a namespace; result() is what it heard."""

    def __init__(self, lab: Lab, node: Namespace, *, interval_ms: float, seconds: float, source: str = "") -> None:
        arguments = [program("ADVERT_PROBE", "advert_probe"), "--interval-ms", f"{interval_ms:g}", "--seconds", f"{seconds:g}"]
        if source:
            arguments += ["--source", source]
        self._seconds = seconds
        self._process: Process = lab.start("probe", arguments, namespace=node)
        self._lab = lab
        self._process.log_line("it listens", "listening", since=self._process.started)

    def result(self) -> dict:
        line = self._process.log_line("its result", "gap_ms", since=self._process.started, timeout=self._seconds + 30)
        heard = json.loads(line.text)
        if heard["lost_by_probe"]:
            raise RuntimeError(f"the probe lost {heard['lost_by_probe']} packets: nothing can be said")
        if not heard["packets"]:
            raise RuntimeError("the probe heard nothing")
        return heard


def spread(heard: dict) -> str:
    gap = heard["gap_ms"]
    return f"p50 {gap['p50']:.2f}, p99 {gap['p99']:.2f}, p99.9 {gap['p99_9']:.2f}, max {gap['max']:.2f} ms"


class StallWatch:
    """For how long the machine as a whole stood still, from now until result()."""

    def __init__(self, lab: Lab) -> None:
        self._process: Process = lab.start("stall_watch", [program("STALL_WATCH", "stall_watch")])
        self._process.log_line("it watches", "watching", since=self._process.started)

    def result(self) -> dict:
        self._process.signal(signal.SIGTERM)
        return json.loads(self._process.log_line("its result", "late_ms", since=self._process.started).text)


class HeldUp:
    """Which samples were taken while a processor was taken away from the whole machine: what they measure is not ours alone."""

    def __init__(self, watched: dict) -> None:
        self._moments = sorted(watched["held_up"])

    def during(self, begin_ns: float, end_ns: float) -> bool:
        return any(begin <= end_ns and end >= begin_ns for begin, end in self._moments)


def stood_still(watched: dict) -> str:
    late = watched["late_ms"]
    return f"p99.9 {late['p99_9']:.2f}, max {late['max']:.2f} ms ({watched['stalls']} above 1 ms)"


class Flood:
    """Forged adverts, all from one address."""

    def __init__(self, lab: Lab, node: Namespace, *, source: str, destination: str, vrid: int, interval_ms: float, rate: float,
                 seconds: float) -> None:
        self._seconds = seconds
        self._process: Process = lab.start(
            "flood", [program("ADVERT_FLOOD", "advert_flood"), "--source", source, "--destination", destination, "--vrid",
                      str(vrid), "--interval-ms", f"{interval_ms:g}", "--rate", f"{rate:g}", "--seconds", f"{seconds:g}"],
            namespace=node)

    def result(self) -> dict:
        line = self._process.log_line("its result", "packets_per_second", since=self._process.started,
                                      timeout=self._seconds + 30)
        return json.loads(line.text)
