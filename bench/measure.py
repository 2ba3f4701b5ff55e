"""What every figure is made of: numbers, what they are compared with, and what the machine was doing meanwhile."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path


def quantile(values: list[float], q: float) -> float:
    """The nearest rank, so that it is always a value that was measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


def median(values: list[float]) -> float:
    return quantile(values, 0.5)


def summary(values: list[float]) -> dict[str, float]:
    return {"samples": len(values), "p50": quantile(values, 0.5), "p90": quantile(values, 0.9), "p99": quantile(values, 0.99),
            "max": max(values, default=float("nan"))}


@dataclass
class Row:
    """One line of the table. `met` is None where a number is only there to be compared with."""

    what: str
    measured: str
    target: str
    met: bool | None = None


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    data: dict = field(default_factory=dict)

    def row(self, what: str, measured: str, target: str = "", met: bool | None = None) -> None:
        self.rows.append(Row(what, measured, target, met))

    @property
    def met(self) -> bool:
        return all(row.met is not False for row in self.rows)

    def json(self) -> dict:
        return {"met": self.met, "rows": [asdict(row) for row in self.rows], "data": self.data}


@dataclass(frozen=True)
class Options:
    quick: bool = False  # fewer and shorter, to see whether it works; not for the record

    def pick(self, full, quick):
        return quick if self.quick else full


@dataclass(frozen=True)
class Figure:
    name: str
    what: str
    run: Callable[[Options], Report]


# --- processes, as the kernel accounts for them ---

class ProcessGone(Exception):
    """One that was to be measured has ended."""


class CpuMeter:
    """The processor time of some processes and their children, from now on.

    The scheduler's own count in nanoseconds decides: utime and stime are sampled by the clock tick, with which a program that
    wakes up every 100 ms can be in step. Both are reported."""

    def __init__(self, *pids: int) -> None:
        self.pids = [each for pid in pids for each in (pid, *children_of(pid))]
        self._began = time.monotonic()
        self._before = self._read()

    def percent(self) -> dict[str, float]:
        """Of one core: by the scheduler's count, and by the clock tick's."""
        passed = time.monotonic() - self._began
        after = self._read()
        ran, ticked = (100 * (b - a) / passed for a, b in zip(self._before, after))
        return {"percent": ran, "percent_by_tick": ticked, "seconds": passed}

    def _read(self) -> tuple[float, float]:
        ran = ticked = 0.0
        for pid in self.pids:
            if not Path(f"/proc/{pid}").exists():
                raise ProcessGone(str(pid))
            for task in Path(f"/proc/{pid}/task").iterdir():
                ran += int((task / "schedstat").read_text().split()[0]) / 1e9
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticked += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return ran, ticked


def children_of(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [grandchild for child in found for grandchild in children_of(child)]


def process_status(pid: int) -> dict[str, int]:
    """Threads, open files, and resident memory (now and at its highest) in KiB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {"threads": int(fields["Threads"]), "files": len(os.listdir(f"/proc/{pid}/fd")),
            "resident_kib": int(fields["VmRSS"].split()[0]), "resident_max_kib": int(fields["VmHWM"].split()[0])}


class Neighbours:
    """How much of the machine others used while a figure was measured. Whatever ran before this process is not a neighbour of
    its own children, so the share is what is left of all processor time after this process and its children."""

    def __init__(self) -> None:
        self._before = self._read()

    def share(self) -> dict[str, float]:
        """Processors in use by others on average, of how many there are, and the load average."""
        after = self._read()
        passed = after["at"] - self._before["at"]
        others = (after["busy"] - self._before["busy"]) - (after["own"] - self._before["own"])
        return {"processors": os.cpu_count() or 1, "used_by_others": max(0.0, others / passed),
                "stolen": (after["stolen"] - self._before["stolen"]) / passed, "load_average": os.getloadavg()[0]}

    @staticmethod
    def _read() -> dict[str, float]:
        tick = os.sysconf("SC_CLK_TCK")
        user, nice, system, _, _, irq, softirq, steal = (int(f) / tick for f in
                                                         Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
        times = os.times()
        return {"at": time.monotonic(), "busy": user + nice + system + irq + softirq, "stolen": steal,
                "own": times.user + times.system + times.children_user + times.children_system}
