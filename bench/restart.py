"""How long a node says nothing while `vipd restart` replaces its program: the gap between two adverts, beyond the interval."""

import subprocess

from lab.laboratory import Lab
from lab.timeline import MILLISECOND, now
from lab.vipd import program

from measure import Figure, Options, Report, median, summary
from stage import Stage

INTERVAL_MS = 50.0


def run(options: Options) -> Report:
    with Lab() as lab:
        stage = Stage(lab)
        started = now()
        node = stage.start("a", priority=150, interval_ms=INTERVAL_MS)
        node.ready()
        stage.settle("a", since=started)
        stage.start("b", priority=100, interval_ms=INTERVAL_MS).ready()
        begun = now()
        gaps, commands = [], []
        for _ in range(options.pick(20, 3)):
            asked = now()
            subprocess.run([program("VIPD", "vipd"), "restart", "--config", node.file, "--socket", node.socket], check=True,
                           stdout=subprocess.DEVNULL)
            commands.append((now() - asked) / MILLISECOND)
            lab.advert("a goes on", "a", since=now(), timeout=5)
            spoke = sorted(e.at for e in lab.adverts("a", since=asked - int(3 * INTERVAL_MS * MILLISECOND)))
            gaps.append(max(b - a for a, b in zip(spoke, spoke[1:])) / MILLISECOND - INTERVAL_MS)
        taken_over = [advert for advert in lab.adverts("b", since=begun) if advert.priority]
    result = Report(data={"gap_ms": gaps, "command_ms": commands, **summary(gaps)})
    result.row(f"silence beyond A = {INTERVAL_MS:g} ms", f"p50 {median(gaps):.1f}, max {max(gaps):.1f} ms ({len(gaps)})")
    result.row("adverts of the Backup meanwhile", str(len(taken_over)), "0", not taken_over)
    result.row("the command, until the new program answers", f"p50 {median(commands):.0f}, max {max(commands):.0f} ms")
    return result


FIGURES = [Figure("restart", "vipd restart: the gap between two adverts", run)]
