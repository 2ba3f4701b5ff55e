"""Everything that happened, in the order in which it was noticed, and the one way to wait: for an event, with a deadline."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MILLISECOND = 1_000_000
SECOND = 1_000_000_000


def now() -> int:
    """Nanoseconds of CLOCK_MONOTONIC: the clock of every event."""
    return time.monotonic_ns()


@dataclass(frozen=True)
class Event:
    at: int  # when it happened, ns of CLOCK_MONOTONIC
    source: str  # who did it: "a", "b", "cloud", "lab"
    kind: str  # "log", "advert", "address_added", "address_removed", "request", "exit", ...
    fields: dict = field(default_factory=dict)

    def __getattr__(self, name: str):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self) -> str:
        text = " ".join(f"{key}={value}" for key, value in self.fields.items())
        return f"{self.at / SECOND:.6f} {self.source} {self.kind} {text}"


Predicate = Callable[[Event], bool]


class TimedOut(AssertionError):
    """What was waited for did not happen in time; says what happened last."""


class Timeline:
    """Events as they arrive. Append-only; any thread may add, any thread may wait."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._listeners: list[Callable[[Event], None]] = []

    def add(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            listeners = list(self._listeners)
            self._changed.notify_all()
        for listener in listeners:
            listener(event)

    def note(self, source: str, kind: str, **fields) -> Event:
        """Adds something that the caller does at this moment."""
        event = Event(now(), source, kind, fields)
        self.add(event)
        return event

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Calls `listener` with each later event, on the thread that adds it."""
        with self._changed:
            self._listeners.append(listener)

    def select(self, predicate: Predicate, since: int = 0) -> list[Event]:
        with self._changed:
            return [event for event in self._events if event.at >= since and predicate(event)]

    def wait(self, what: str, predicate: Predicate, *, since: int = 0, timeout: float = 10.0) -> Event:
        """The first event, not earlier than `since`, that satisfies `predicate`; `what` names it for the failure message."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for event in self._events[seen:]:
                    if event.at >= since and predicate(event):
                        return event
                seen = len(self._events)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"{what}: not within {timeout:g} s. {self._tail(since)}")
                self._changed.wait(left)

    def until(self, what: str, condition: Callable[[], bool], *, timeout: float = 10.0) -> None:
        """Returns when `condition` holds; it is asked again after each event."""
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                count = len(self._events)
            if condition():
                return
            with self._changed:
                while len(self._events) == count:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimedOut(f"{what}: not within {timeout:g} s. {self._tail(0)}")
                    self._changed.wait(left)

    def _tail(self, since: int) -> str:
        shown = [event for event in self._events if event.at >= since and event.kind != "advert"][-40:]
        return "The last events:\n  " + "\n  ".join(str(event) for event in shown) if shown else "Nothing happened at all."

    def __iter__(self) -> Iterator[Event]:
        with self._changed:
            return iter(list(self._events))
