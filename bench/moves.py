"""What is moved beside routes, when its Active dies: from the successor's first advert until it is the successor's, by the
cloud's own word. EC2's time for an interface is the cloud's to take; what is beyond it is ours."""

from lab.demo_moves import ATTACH_MS, DETACH_MS, LATENCY_MS, MovesCluster
from lab.laboratory import Lab
from lab.movables import FLOATING, PRIORITIES
from lab.timeline import MILLISECOND

from measure import Figure, Options, Report, median, summary

ADDRESS_TARGET_MS = 25.0
INTERFACE_TARGET_MS = 100.0


def run(options: Options) -> Report:
    took: dict[str, list[float]] = {}
    with Lab() as lab:
        stage = MovesCluster(lab)
        try:
            for name in PRIORITIES:
                stage.start(name)
            stage.settle("b")
            owner, other = "b", "c"
            for _ in range(options.pick(20, 2)):
                killed = stage.cluster.nodes[owner].kill()
                stage.cluster.nodes[owner].wait()
                spoke = lab.advert(f"{other} speaks", other, since=killed.at, timeout=10, priority=PRIORITIES[other])
                for what, event in stage.moved(other, killed.at).items():
                    took.setdefault(what, []).append((event.at - spoke.at) / MILLISECOND)
                stage.settle(other)
                stage.start(owner).ready()
                stage.settle(other)
                owner, other = other, owner
        finally:
            stage.close()
    link = [set_up - there for set_up, there in zip(took["link set up"], took["interface"])]
    added = [each - DETACH_MS - ATTACH_MS for each in took["interface"]]
    result = Report(data={**took, "interface_added_ms": added, "link_after_interface_ms": link,
                          **{f"{what}_summary": summary(values) for what, values in took.items()}})
    for what, calls in (("IPv4 address", 1), ("Elastic IP", 1), ("IPv6 address", 2)):
        limit = ADDRESS_TARGET_MS + (calls - 1) * LATENCY_MS
        result.row(f"{what}: first advert to the cloud's change, {calls} call{'s' if calls > 1 else ''} of {LATENCY_MS:g} ms",
                   f"p50 {median(took[what]):.1f}, max {max(took[what]):.1f} ms ({len(took[what])})", f"<= {limit:g} ms",
                   median(took[what]) <= limit)
    result.row(f"interface {FLOATING[:5]}…: beyond {DETACH_MS:g} ms to detach and {ATTACH_MS:g} ms to attach",
               f"p50 {median(added):.1f}, max {max(added):.1f} ms ({len(added)})", f"<= {INTERFACE_TARGET_MS:g} ms",
               median(added) <= INTERFACE_TARGET_MS)
    result.row("its link set up, after it was attached", f"p50 {median(link):.1f}, max {max(link):.1f} ms")
    return result


FIGURES = [Figure("moves", "addresses, an Elastic IP and an interface, 20 ms per call", run)]
