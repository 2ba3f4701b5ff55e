#!/usr/bin/python3
"""Random runs of whole daemons: the faults of a run are drawn from its seed, and checkers judge what is seen from outside.

    PYTHONPATH=tests python3 tests/integration/chaos/run.py --seed 7                # one run
    PYTHONPATH=tests python3 tests/integration/chaos/run.py --seed 1 --runs 20      # seeds 1 to 20
    PYTHONPATH=tests python3 tests/integration/chaos/run.py --seed 7 --tell         # and everything that happened in it
    PYTHONPATH=tests python3 tests/integration/chaos/run.py --seed 7 --draw         # only what would be done

VIPD and CLOUDSIM name other programs than the release build's. Of several runs each is a process of its own, because most of
a run is waiting. When something is wrong the last line is the command that does it again; the faults come at the same times
then, and what the machine does in between is its own affair.
"""

import argparse
import collections
import ctypes
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from checkers import check
from lab import rootless
from lab.laboratory import Lab
from lab.testing import worth_reading
from lab.timeline import Event
from one_run import carry_out
from plan import draw_plan

RUN_SECONDS_MAX = 120
# What a run may take longer than that until all is taken away.
CLEAN_UP_SECONDS_MAX = 30
TOLD_MAX = 2000
SEEN = 3  # exit code of a run in which a checker found something

_CLONE_NEWNS = 0x00020000
_MS_PRIVATE, _MS_REC = 1 << 18, 1 << 14


def keep_mounts_to_ourselves() -> None:
    """The small disks are gone with this process, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace of our own")


def again(seed: int) -> str:
    programs = "".join(f"{name}={os.environ[name]} " for name in ("VIPD", "CLOUDSIM") if name in os.environ)
    return f"{programs}PYTHONPATH=tests python3 tests/integration/chaos/run.py --seed {seed}"


def one(seed: int, tell: bool) -> int:
    rootless.enter()
    keep_mounts_to_ourselves()

    def too_late(*_) -> None:
        raise TimeoutError(f"the run took more than {RUN_SECONDS_MAX} s")

    def asked_to_end(*_) -> None:
        sys.exit("ended by SIGTERM")

    signal.signal(signal.SIGALRM, too_late)
    signal.signal(signal.SIGTERM, asked_to_end)
    signal.alarm(RUN_SECONDS_MAX)
    plan = draw_plan(seed)
    found: list[str] = []
    with Lab() as lab:
        try:
            outcome = carry_out(plan, lab)
            found = check(outcome.story)
            story, met = outcome.story.events, outcome.met
        except Exception as error:  # whatever it was, the run has to be told
            found = [f"the run itself: {type(error).__name__}: {error}"]
            story, met = list(lab.timeline), {}
    if found or tell:
        print(plan)
        print("What happened:")
        for line in worth_telling(story)[-TOLD_MAX:]:
            print(f"  {line}")
    for text in found:
        print(text)
    print("met " + json.dumps(met))
    print(f"seed {seed}: " + (f"{len(found)} findings" if found else "ok"))
    if found:
        print(again(seed))
    return SEEN if found else 0


def worth_telling(events: list[Event]) -> list[str]:
    """Everything but what says nothing new; of an advert what differs between adverts."""
    quiet = ("measured", "secret", "output", "log_transition", "stream_transition")
    return [str(Event(e.at, e.source, "advert", {"priority": e.priority, "to": e.destination}) if e.kind == "advert" else e)
            for e in worth_reading(events)
            if e.kind not in quiet and not (e.kind == "log" and "event=transition" in e.text)]


def in_a_process(seed: int) -> tuple[int, str]:
    """Runs one and returns how it ended and what it said. It is ended by its id when it does not end."""
    child = subprocess.Popen([sys.executable, __file__, "--seed", str(seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = child.communicate(timeout=RUN_SECONDS_MAX + CLEAN_UP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.terminate()
        try:
            said, _ = child.communicate(timeout=CLEAN_UP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
    return child.returncode, said


def several(first: int, runs: int, parallel: int) -> int:
    met: collections.Counter[str] = collections.Counter()
    failed = []
    with ThreadPoolExecutor(parallel) as pool:
        seeds = range(first, first + runs)
        for seed, (code, said) in zip(seeds, pool.map(in_a_process, seeds)):
            lines = said.splitlines()
            met.update(next((json.loads(line[4:]) for line in lines if line.startswith("met ")), {}))
            if code != 0:
                failed.append(seed)
                print(said)
            else:
                print(lines[-1])
    print("What was met: " + ", ".join(f"{count} {name}" for name, count in met.items()))
    print(f"{runs - len(failed)} of {runs} runs are as they should be")
    for seed in failed:
        print(again(seed))
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True, help="of the first run")
    parser.add_argument("--runs", type=int, default=1, help="so many, with the seeds that follow")
    parser.add_argument("--parallel", type=int, default=5, help="so many at once")
    parser.add_argument("--tell", action="store_true", help="print what happened, whether it was right or not")
    parser.add_argument("--draw", action="store_true", help="print what would be done")
    options = parser.parse_args()
    if options.draw:
        for seed in range(options.seed, options.seed + options.runs):
            print(draw_plan(seed))
        return 0
    if options.runs == 1:
        return one(options.seed, options.tell)
    return several(options.seed, options.runs, options.parallel)


if __name__ == "__main__":
    sys.exit(main())
