"""The pure parts in simulated time, by Google Benchmark: what a turn of the loop costs without sockets and without a kernel."""

import json
import subprocess

from lab.vipd import program

from measure import Figure, Options, Report

# Microseconds of processor time; far from the figures that they serve, so that a regression shows before a figure is missed.
LIMITS = {
    "due_timer_to_signed_request/1/iterations:200/manual_time": ("due down timer to signed request", 100.0),
    "turn_of_actives/1000": ("a turn in which 1,000 Actives advertise", 1000.0),
    "turn_of_backups/1000": ("1,000 adverts heard", 1000.0),
    "sign_with_kept_key": ("one signature", 50.0),
}
SLICE_US_MAX = 500.0


def run(options: Options) -> Report:
    done = subprocess.run([program("BENCH_CORE", "bench_core"), "--benchmark_format=json",
                           f"--benchmark_min_time={options.pick(1.0, 0.1)}"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    measured = {each["name"]: each for each in json.loads(done.stdout)["benchmarks"]}
    result = Report(data={"benchmarks": list(measured.values())})
    scale = {"ns": 1e-3, "us": 1.0, "ms": 1e3}
    for name, (what, limit) in LIMITS.items():
        each = measured[name]
        took = each["real_time" if "manual_time" in name else "cpu_time"] * scale[each["time_unit"]]
        result.row(what, f"{took:.1f} us", f"<= {limit:g} us", took <= limit)
    scrape = measured["scrape/1000"]
    result.row(f"slice of a scrape of 1,000 routers ({scrape['lines']:.0f} lines)", f"p99 {scrape['slice_p99_us']:.0f} us",
               f"<= {SLICE_US_MAX:g} us", scrape["slice_p99_us"] <= SLICE_US_MAX)
    return result


FIGURES = [Figure("core", "the pure parts, in processor time", run)]
