"""What happened in a run, merged onto one time line, and what follows from it for each node: when it was what, when it slept,
when two of them could hear each other. Checkers read nothing else.

The events are those of the laboratory, and these, which the run notes itself:

    started           of a node: a process was started         paused, resumed         of a node: SIGSTOP, SIGCONT
    transition        of a node: "from", "to", "reason", "epoch"
    restart           of a node: it was asked for that, and answered "code"
    replaced          of a node: its process was about to become a new program, without ending; may be told twice
    path_bad, path_good         of the lab: adverts of "speaker" may not reach "listener", and reach it again
    crowded, crowd_gone         of a node: connections to its status endpoint are opened on purpose
    measured          of a node: "descriptors", "threads", and "rss_kib" where that says something
    output            of a node: "text" that its HTTP endpoint gave
    secret            of a node: "name", "value"
    faults_begin      of the lab: the cluster is settled, and faults are drawn from here on
    healed            of the lab: nothing is wrong any more
    settled           of the lab: "owner" has everything; until `over` nothing may happen any more
    not_settled       of the lab: "why", when that was not so in time
    over              of the lab: what follows is how the processes are ended
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.bounds import down_interval
from lab.timeline import MILLISECOND, Event
from lab.zones import VIP

NEVER = 1 << 62
# The time of a line of the log and that of a packet are taken in different places and by different clocks.
STAMP = 5 * MILLISECOND
# The state that a node has without a process, and the one that is not known because lines of its log were lost.
ABSENT, UNKNOWN = "absent", "unknown"


@dataclass(frozen=True)
class Span:
    begin: int
    end: int

    def overlap(self, begin: int, end: int) -> int:
        return max(0, min(self.end, end) - max(self.begin, begin))


@dataclass(frozen=True)
class Role(Span):
    """A node was in `state` from `begin` to `end`."""

    state: str
    process: int  # which of the node's processes: 1 is the first
    epoch: int = 0
    was_killed: bool = False  # ended with its process, by SIGKILL: the last line of the log may not have been written


@dataclass(frozen=True)
class HandOver(Span):
    """From what the last program of a process said last to what the next one was first."""

    before: Role
    first: Event  # transition of the new program


@dataclass
class Story:
    interval_ms: float
    priorities: dict[str, int]
    drain_ms: float
    events: list[Event]
    is_calm: bool = False
    address: str = VIP

    def __post_init__(self) -> None:
        self.events.sort(key=lambda event: event.at)

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    @property
    def nodes(self) -> list[str]:
        return list(self.priorities)

    @property
    def interval(self) -> int:
        return round(self.interval_ms * MILLISECOND)

    @property
    def down_interval_max(self) -> int:
        return round(down_interval(min(self.priorities.values()), self.interval_ms) * MILLISECOND)

    def mark(self, kind: str) -> int:
        """When the run noted that; NEVER if it has not."""
        return next((event.at for event in self.of(kind)), NEVER)

    # --- what each node was ---

    @cached_property
    def roles(self) -> dict[str, list[Role]]:
        return {node: list(_roles([event for event in self.events if event.source == node or
                                   event.fields.get("target") == node])) for node in self.nodes}

    def reigns(self, node: str) -> list[Role]:
        return [role for role in self.roles[node] if role.state == "Active"]

    def role_at(self, node: str, at: int) -> Role | None:
        return next((role for role in self.roles[node] if role.begin <= at < role.end), None)

    def process_at(self, node: str, at: int) -> int:
        return sum(1 for event in self.of("started") if event.source == node and event.at <= at)

    def program_at(self, node: str, at: int) -> int:
        """The same with those that a process has become counted as well: what was in its memory has gone with each."""
        return sum(1 for event in self.of("started", "replaced") if event.source == node and event.at <= at)

    @cached_property
    def hand_overs(self) -> dict[str, list[HandOver]]:
        all_of: dict[str, list[HandOver]] = {node: [] for node in self.nodes}
        since: dict[str, tuple[int, int]] = {}
        asked: dict[str, int] = {}
        for event in self.of("restart", "replaced", "transition", "exit"):
            node = event.source
            if event.kind == "restart":
                asked[node] = event.at
            elif event.kind == "replaced":
                # Where the line that tells the moment was lost, it came after somebody had asked for it.
                since.setdefault(node, (asked.get(node, event.at) if event.fields.get("seen") else event.at, event.at))
            elif (begun := since.pop(node, None)) is not None and event.fields.get("from") == "Initialize":
                before = next(role for role in self.roles[node] if role.begin < begun[1] <= role.end)
                all_of[node].append(HandOver(begun[0], event.at, before, event))
        return all_of

    # --- when it was able to do anything ---

    @cached_property
    def pauses(self) -> dict[str, list[Span]]:
        spans: dict[str, list[Span]] = {node: [] for node in self.nodes}
        since: dict[str, int] = {}
        for event in self.of("paused", "resumed", "exit", "over"):
            if event.kind == "paused":
                since.setdefault(event.source, event.at)
            for node in [*since] if event.kind == "over" else [event.source]:
                if event.kind != "paused" and node in since:
                    spans[node].append(Span(since.pop(node), event.at))
        return spans

    def awake(self, node: str, begin: int, end: int) -> int:
        """How much of that time the node was not stopped by a signal."""
        return max(0, end - begin) - sum(pause.overlap(begin, end) for pause in self.pauses[node])

    # --- who could hear whom ---

    def connected(self, one: str, other: str) -> list[Span]:
        """When adverts went both ways for sure: both processes run and are awake, and nothing is done to the path."""
        troubles = [span for node in (one, other) for span in (*self.pauses[node], *self.hand_overs[node])]
        troubles += [role for node in (one, other) for role in self.roles[node] if role.state == ABSENT]
        bad: dict[tuple[str, str], list[int]] = {}
        for event in self.of("path_bad", "path_good"):
            direction = (event.speaker, event.listener)
            if set(direction) != {one, other}:
                continue
            if event.kind == "path_bad":
                bad.setdefault(direction, []).append(event.at)
            elif bad.get(direction):
                troubles.append(Span(bad[direction].pop(), event.at))
        troubles += [Span(at, NEVER) for begun in bad.values() for at in begun]
        good, at = [], self.events[0].at if self.events else 0
        for trouble in sorted(troubles, key=lambda span: span.begin):
            if trouble.begin > at:
                good.append(Span(at, trouble.begin))
            at = max(at, trouble.end)
        if self.events and at < self.events[-1].at:
            good.append(Span(at, self.events[-1].at))
        return good


def _roles(events: list[Event]) -> Iterator[Role]:
    state, since, process, epoch, killed, replaced = ABSENT, 0, 0, 0, False, None
    for event in events:
        if event.kind == "replaced":
            replaced = event.at if replaced is None and state != ABSENT else replaced
            continue
        if event.kind == "signal":
            killed = killed or event.signal == "SIGKILL"
            if event.signal != "SIGKILL" or state == ABSENT:
                continue
            # From here on it can say nothing for itself.
            new = ABSENT
        elif event.kind == "started":
            process, new, killed = process + 1, "Initialize", False
        elif event.kind == "exit":
            new = ABSENT
        elif event.kind == "transition":
            if state == ABSENT:
                continue
            new = event.fields["to"]
            if replaced is not None and event.fields["from"] != "Initialize":
                replaced = None  # it has stayed what it was
            elif replaced is not None and state == new == "Active":
                replaced = None  # one reign of two programs
                continue
            if replaced is None and event.fields["from"] != state and state != UNKNOWN:
                # A line is missing: between the last one and this it may have been anything.
                state = UNKNOWN
        else:
            continue
        if new == ABSENT and state == ABSENT:
            continue
        if replaced is not None:
            yield Role(since, replaced, state, process, epoch)
            state, since, replaced = "Initialize", replaced, None
        yield Role(since, event.at, state, process, epoch, killed and new == ABSENT)
        state, since = new, event.at
        epoch = int(event.fields.get("epoch", epoch))
    yield Role(since, NEVER, state, process, epoch)


def merge_transitions(from_log: list[Event], from_stream: list[Event]) -> list[Event]:
    """The log has the better time, and may have lost lines; the stream of events has all that happened up to the moment when
    a process was killed."""
    def key(event: Event) -> tuple:
        return event.source, event.fields["from"], event.fields["to"], event.fields["epoch"]

    known: dict[tuple, list[int]] = {}
    for event in from_log:
        known.setdefault(key(event), []).append(event.at)
    missing = [event for event in from_stream
               if not any(abs(at - event.at) < 1000 * MILLISECOND for at in known.get(key(event), []))]
    return from_log + missing
