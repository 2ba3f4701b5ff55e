"""What one router costs on a node that has just taken over: threads, open files, resident memory.

The trust store is the system's whole bundle, as on EC2. keepalived's own processes, and one call of AWS's command line client,
are measured beside it.
"""

import resource
import time

from lab.laboratory import Lab
from lab.zones import EC2_ADDRESS, REGION

from failover import SUCCESSOR, start_pair
from measure import Figure, Options, Report, children_of, process_status
from stage import Stage

FILES_MAX = 64
RESIDENT_KIB_MAX = 12 * 1024


def run(options: Options) -> Report:
    with Lab() as lab:
        stage = Stage(lab)
        start_pair(stage, 100.0)
        killed = stage.crash("a")
        stage.settle("b", since=killed.at)
        time.sleep(options.pick(15.0, 3.0))  # past the read-backs that follow a takeover
        ours = process_status(stage.nodes["b"].pid)
        theirs = keepalived_status(stage)
        client_kib = client_resident_kib(stage)
    result = Report(data={"vipd": ours, "keepalived": theirs, "aws_cli_resident_kib": client_kib})
    result.row("threads", str(ours["threads"]), "1", ours["threads"] == 1)
    result.row("open files", str(ours["files"]), f"<= {FILES_MAX}", ours["files"] <= FILES_MAX)
    result.row("resident memory", f"{ours['resident_kib'] / 1024:.1f} MiB (at the start {ours['resident_max_kib'] / 1024:.1f})",
               f"<= {RESIDENT_KIB_MAX / 1024:g} MiB", ours["resident_kib"] <= RESIDENT_KIB_MAX)
    result.row("keepalived 2.2.7, both processes", f"{theirs['resident_kib'] / 1024:.1f} MiB")
    result.row("one call of the aws CLI", f"{client_kib / 1024:.1f} MiB")
    return result


def keepalived_status(stage: Stage) -> dict[str, int]:
    daemon = stage.start_keepalived("d", priority=SUCCESSOR, interval_ms=100.0, address="172.16.9.1/32")
    stage.first_advert("d", daemon.started)
    each = [process_status(pid) for pid in (daemon.pid, *children_of(daemon.pid))]
    return {key: sum(status[key] for status in each) for key in each[0]}


def client_resident_kib(stage: Stage) -> int:
    """The most that any child of ours has had is its own, because it is by far the largest."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    stage.zones.nodes["d"].run("/usr/bin/aws", "ec2", "describe-route-tables", "--region", REGION, "--endpoint-url",
                               f"https://{EC2_ADDRESS}", "--ca-bundle", str(stage.ca_file))
    return max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


FIGURES = [Figure("footprint", "threads, open files and resident memory with one router after a failover", run)]
