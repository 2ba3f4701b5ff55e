"""What a hundred HTTP trackers cost: a look a second at each, on connections of their own, beside the adverts of an Active."""

from lab.laboratory import Lab
from lab.vipd import Vipd, VipdConfig

from measure import CpuMeter, Figure, Options, Report
from spacing import Listener, compare

TRACKERS = 100
INTERVAL_MS = 100.0
CPU_TARGET_PERCENT = 2.0
ALLOWED_MS = 2.0
SERVER = """
import asyncio

async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nfine")
    await writer.drain()
    writer.close()

async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", 8080) as server:
        await server.serve_forever()

asyncio.run(main())
"""


class Node:
    """What spacing.Listener wants of a pair: an Active on a whose adverts are heard on b."""

    def __init__(self, lab: Lab, trackers: int) -> None:
        self.lab = lab
        self.interval_ms = INTERVAL_MS
        self.a, self.b = lab.two_nodes()
        lab.start("server", ["python3", "-c", SERVER], namespace=self.a)
        # Each has a path of its own, or they would be one check.
        tracked = [{"kind": "http", "name": f"server-{i}", "url": f"http://127.0.0.1:8080/{i}", "weight": -1}
                   for i in range(trackers)]
        self.vipd = lab.own(Vipd(lab, self.a, VipdConfig("10.99.0.1", ["10.99.0.2"], advert_interval=f"{INTERVAL_MS:g}ms",
                                                         realtime=True, trackers=tracked)))
        self.vipd.wait_for_state("Active")
        lab.timeline.until("every tracker is well", lambda: self.failing() == 0)

    def failing(self) -> int:
        return sum(tracker["state"] != "well" for tracker in self.vipd.router()["trackers"])

    def listen(self, seconds: float) -> tuple[dict, float]:
        """The adverts, and the processor time in percent of one core."""
        listener = Listener(self, seconds)
        meter = CpuMeter(self.vipd.pid)
        heard = listener.result()
        return heard, meter.percent()["percent"]


def run(options: Options) -> Report:
    seconds = options.pick(30.0, 5.0)
    result = Report()
    with Lab() as lab:
        idle, idle_percent = Node(lab, 0).listen(seconds)
    with Lab() as lab:
        node = Node(lab, TRACKERS)
        disturbed, percent = node.listen(seconds)
        failing = node.failing()
    result.row("processor time without trackers", f"{idle_percent:.2f} % of a core")
    result.row(f"processor time with {TRACKERS} HTTP trackers at 1 s", f"{percent:.2f} % of a core",
               f"<= {CPU_TARGET_PERCENT:g} %", percent <= CPU_TARGET_PERCENT)
    result.row("trackers that failed", str(failing), "0", failing == 0)
    compare(result, f"A = {INTERVAL_MS:g} ms, {TRACKERS} HTTP trackers", idle, disturbed, ALLOWED_MS)
    return result


FIGURES = [Figure("hundred-trackers", "100 HTTP trackers at 1 s: processor time, and the spacing of adverts", run)]
