"""The demonstration's output: a live timeline, and beside each measured time the bound it has to keep.

Colours appear when standard output is a terminal. Events reach the timeline a little out of order (a request is reported when
it has been answered), so a line is printed once it is old enough that nothing earlier can follow.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

from .timeline import MILLISECOND, Event, now

_SETTLE_NS = 120 * MILLISECOND
_COLOURS = {"a": "36", "b": "35", "c": "33", "cloud": "34", "lab": "1", "good": "32", "bad": "1;31", "dim": "90", "title": "1"}


class Screen:
    def __init__(self, describe: Callable[[Event], tuple[str, str] | None]) -> None:
        """`describe` gives what to print of an event: who and what; None for nothing."""
        self._describe = describe
        self._in_colour = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._waiting: list[Event] = []
        self._zero: int | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def paint(self, colour: str, text: str) -> str:
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self._in_colour and colour in _COLOURS else text

    def say(self, text: str = "") -> None:
        with self._lock:
            print(text, flush=True)

    def title(self, text: str) -> None:
        self.say()
        self.say(self.paint("title", text))

    def begin(self, zero: int) -> None:
        """Times are shown from `zero` on, and what happened before is not shown."""
        with self._lock:
            self._zero = zero

    def end(self) -> None:
        """Prints what is left of the scene."""
        time_left = _SETTLE_NS / 1e9
        self._stopping.wait(time_left)
        with self._lock:
            self._print_until(now())
            self._zero = None

    def add(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)

    def measured(self, name: str, took_ms: float, bound_ms: float, bound_is: str) -> bool:
        is_kept = took_ms <= bound_ms
        verdict = self.paint("good", "kept") if is_kept else self.paint("bad", f"MISSED by {took_ms - bound_ms:.1f} ms")
        self.say(f"      {name:<14}{took_ms:10.1f} ms   bound {bound_ms:10.1f} ms   {verdict}   {self.paint('dim', bound_is)}")
        return is_kept

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(2)

    def _run(self) -> None:
        while not self._stopping.wait(0.02):
            with self._lock:
                self._print_until(now() - _SETTLE_NS)

    def _print_until(self, limit: int) -> None:
        due = sorted((event for event in self._waiting if event.at <= limit), key=lambda event: event.at)
        self._waiting = [event for event in self._waiting if event.at > limit]
        for event in due:
            # Each event is described, shown or not: what is worth a line depends on what was before.
            shown = self._describe(event)
            if shown and self._zero is not None and event.at >= self._zero:
                who, what = shown
                print(f"   {(event.at - self._zero) / MILLISECOND:9.1f} ms  {self.paint(who, f'{who:<6}')} {what}", flush=True)
