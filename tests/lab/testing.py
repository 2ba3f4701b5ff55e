"""The base of the integration tests: a fresh lab for each test, a deadline over it, and the timeline when it fails."""

import re
import signal
import sys
import unittest
from collections.abc import Iterable

from . import rootless
from .laboratory import Lab
from .timeline import SECOND, Event

TEST_SECONDS_MAX = 90

# What no program may ever say.
ALARMS = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|internal error:|terminate called")

# How much later than the protocol says something may be seen to happen: the noise of a loaded machine under sanitizers, not a
# claim about the product. Lower limits need no such allowance, because noise only ever delays.
NOISE_SECONDS = 3.0
# Between a packet's stamp in the sender's namespace and the receiver's clock.
STAMP_NS = 2_000_000


class LabTest(unittest.TestCase):
    lab: Lab

    def setUp(self) -> None:
        def too_late(*_) -> None:
            raise TimeoutError(f"the test ran for more than {TEST_SECONDS_MAX} s")

        signal.signal(signal.SIGALRM, too_late)
        signal.alarm(TEST_SECONDS_MAX)
        self.addCleanup(signal.alarm, 0)
        self.lab = Lab()
        # In the reverse order: what a program says when it ends counts too.
        self.addCleanup(self.assert_no_program_was_wrong)
        self.addCleanup(self.lab.close)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        finished = super().run(result)
        if result and len(result.failures) + len(result.errors) > before and hasattr(self, "lab"):
            print(f"\nThe timeline of {self.id()}:", file=sys.stderr)
            for event in worth_reading(self.lab.timeline)[-400:]:
                print(f"  {event}", file=sys.stderr)
        return finished

    def assert_no_program_was_wrong(self) -> None:
        """No sanitizer and no internal check had anything to say, and nothing died of a signal that nobody sent."""
        said = self.lab.timeline.select(lambda e: e.kind == "log" and bool(ALARMS.search(e.text)))
        self.assertEqual([f"{e.source}: {e.text}" for e in said], [])
        sent = {(e.fields.get("target")) for e in self.lab.timeline.select(lambda e: e.kind == "signal")}
        died = self.lab.timeline.select(lambda e: e.kind == "exit" and e.code < 0 and e.source not in sent)
        self.assertEqual([str(e) for e in died], [])

    def last_advert_before(self, node: str, at: int) -> Event:
        adverts = [advert for advert in self.lab.adverts(node) if advert.at <= at and advert.priority > 0]
        self.assertTrue(adverts, f"{node} had sent an advert")
        return adverts[-1]

    def assert_took_over(self, successor: str, former: str, failed_at: int, down_interval_ms: float) -> Event:
        """`successor` spoke when its timer said, and not before; returns its first advert."""
        first = self.lab.advert(f"{successor} takes over", successor, since=failed_at,
                                timeout=down_interval_ms / 1000 + NOISE_SECONDS)
        heard = self.last_advert_before(former, failed_at)
        silence_ms = (first.at - heard.at + STAMP_NS) / 1e6
        self.assertGreaterEqual(silence_ms, down_interval_ms, f"{successor} waited for its whole down interval")
        return first

    def has_address(self, node: str, address: str, *, since: int = 0, timeout: float = 10.0) -> Event:
        return self.lab.timeline.wait(f"{node} has {address}", lambda e: e.kind == "address_added" and e.source == node
                                      and e.address == address, since=since, timeout=timeout)

    def lost_address(self, node: str, address: str, *, since: int = 0, timeout: float = 10.0) -> Event:
        return self.lab.timeline.wait(f"{node} lost {address}", lambda e: e.kind == "address_removed" and e.source == node
                                      and e.address == address, since=since, timeout=timeout)

    def both_owned_seconds(self, address: str, since: int = 0) -> float:
        """For how long more than one node had `address`, from the kernels' own messages."""
        owners: set[str] = set()
        both = 0
        previous = 0
        changes = self.lab.timeline.select(
            lambda e: e.kind in ("address_added", "address_removed") and e.fields.get("address") == address)
        for event in sorted(changes, key=lambda e: e.at):
            if len(owners) > 1:
                both += event.at - max(previous, since) if event.at > since else 0
            previous = event.at
            if event.kind == "address_added":
                owners.add(event.source)
            else:
                owners.discard(event.source)
        return both / SECOND


def worth_reading(events: Iterable[Event]) -> list[Event]:
    """All but the adverts that go on as before."""
    last: dict[str, tuple[int, int]] = {}
    kept = []
    for event in sorted(events, key=lambda e: e.at):
        if event.kind == "advert":
            priority, at = last.get(event.source, (-1, 0))
            last[event.source] = event.priority, event.at
            if priority == event.priority and event.at - at < 2 * SECOND:
                continue
        kept.append(event)
    return kept


def main() -> None:
    """What a test file calls: network namespaces first, then unittest."""
    rootless.enter()
    unittest.main(module="__main__", verbosity=2)
