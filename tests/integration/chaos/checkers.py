"""What must hold in every run, each as a function from the story to what contradicts it.

They judge from outside, and nothing outside is seen the moment it happens. What is granted for that:

  STAMP (5 ms)          two clocks were read for one moment. Grants nothing to a node that does something too early.
  TURN (200 ms)         between the line that says that a node is no longer Active and what it had decided before that to
                        send: one turn of its loop, which takes microseconds and may be interrupted by whatever else the
                        machine does. Time in which the node was stopped by SIGSTOP does not count.
  CLOUD (400 ms)        the same for a request, and cloudsim must also have come round to reading it: another process with
                        one thread, which may be in the middle of some dozen handshakes under sanitizers.
  LAST_WORDS (200 ms)   before a SIGKILL nothing is judged that needs the log: its last lines were perhaps not written.

So a single request that is begun within 0.4 s after its node was demoted is not noticed here; the clusters in virtual time,
which know both moments exactly, are there for that. One that is repeated is noticed, and so is everything that goes on.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.cloudsim import is_mutating
from lab.testing import ALARMS
from lab.timeline import MILLISECOND, SECOND, Event
from story import NEVER, STAMP, UNKNOWN, Role, Span, Story

TURN = 200 * MILLISECOND
CLOUD = 400 * MILLISECOND
LAST_WORDS = 200 * MILLISECOND
# Adverts take less than a millisecond here.
ROUND_TRIP = 2 * MILLISECOND

# A call is counted when it is decided, and seen when its first byte is; in between it may wait for a connection, for the 3 s
# that a call has. Those that were decided apart can be seen closer together by that much.
CALL_SECONDS = 3.0
MUTATING_BURST, MUTATING_PER_SECOND = 5.0, 0.5
READS_BURST, READS_PER_SECOND = 5.0, 1.0
ALLOWED_CALLS = ("ReplaceRoute", "CreateRoute", "ModifyNetworkInterfaceAttribute")
REMOVING = re.compile("Delete|Terminate|Detach|Disassociate|Unassign|Stop")

RSS_MAX_KIB = 32 * 1024
DESCRIPTORS_MAX = 64
# What the endpoint's own bound adds while strangers keep it busy, and a second until it has closed them.
CONNECTIONS_MAX = 64
# When all is over: connections to EC2 and the tests' own come and go, and nothing else.
DESCRIPTORS_SPARE = 8
CONVERGED_WITHIN = 30 * SECOND

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256|X-Amz-Security-Token|Signature=", re.IGNORECASE)


@dataclass(frozen=True)
class Violation:
    at: int
    text: str

    def __str__(self) -> str:
        return f"{self.at / SECOND:.6f} {self.text}"


Violations = Iterator[Violation]


def _node(request: Event) -> str:
    return request.fields["node"].removeprefix("node-")


def _mutating(story: Story) -> list[Event]:
    """Those of nodes; by hand a route is changed without a request."""
    return [event for event in story.events if is_mutating(event) and _node(event) in story.nodes]


def _last_reign(story: Story, node: str, at: int) -> Role | None:
    """The latest that had begun by then."""
    begun = [reign for reign in story.reigns(node) if reign.begin - STAMP <= at]
    return max(begun, key=lambda reign: reign.begin, default=None)


def _cannot_be_judged(story: Story, node: str, at: int, margin: int) -> bool:
    """Lines of the log are missing around that time."""
    return any(role.overlap(at - margin, at + STAMP) > 0 if role.state == UNKNOWN else
               role.was_killed and role.end - LAST_WORDS <= at <= role.end + margin for role in story.roles[node])


def s1_only_an_active_changes_anything(story: Story) -> Violations:
    """The first byte of a mutating request is written by a node that is Active, and not by one that slept through its reign."""
    excused: set[tuple[str, Span]] = set()
    for request in _mutating(story):
        node = _node(request)
        reign = _last_reign(story, node, request.at)
        if _cannot_be_judged(story, node, request.at, CLOUD):
            continue
        if reign is None or reign.process != story.process_at(node, request.at):
            yield Violation(request.at, f"{node} had not been Active and began {request.action} for {request.table}")
            continue
        # One that stood still for two down intervals has been succeeded, and is no Active until it has listened. It may have
        # been stopped between the permit and the write, which no program can prevent: with one request, because each has a
        # permit of its own.
        for pause in story.pauses[node]:
            if reign.begin < pause.begin and pause.end - pause.begin > 2 * story.down_interval_max and \
                    pause.end < request.at < reign.end:
                was_permitted_before = request.at - pause.end < TURN and (node, pause) not in excused
                excused.add((node, pause))
                if not was_permitted_before:
                    yield Violation(request.at, f"{node} slept, and began {request.action} for {request.table} "
                                                "in its old reign")


def s2_none_begins_after_the_end_of_a_reign(story: Story) -> Violations:
    for request in _mutating(story):
        node = _node(request)
        reign = _last_reign(story, node, request.at)
        if reign is not None and not _cannot_be_judged(story, node, request.at, CLOUD) and \
                story.awake(node, reign.end, request.at) > CLOUD:
            late = (request.at - reign.end) / MILLISECOND
            yield Violation(request.at, f"{node} began {request.action} for {request.table} {late:.0f} ms after the end of its "
                                        "reign")


def s3_adverts_say_what_is_configured(story: Story) -> Violations:
    for advert in story.of("advert"):
        node = advert.source
        if advert.interval_cs * 10 != story.interval_ms:
            yield Violation(advert.at, f"{node} sent the interval {advert.interval_cs} cs")
        if advert.priority not in (0, story.priorities[node]):
            yield Violation(advert.at, f"{node} sent priority {advert.priority} and has {story.priorities[node]}")


def s3_only_an_active_advertises(story: Story) -> Violations:
    """Priority 0 is the last word of a reign."""
    for advert in story.of("advert"):
        node = advert.source
        reign = _last_reign(story, node, advert.at)
        if _cannot_be_judged(story, node, advert.at, TURN):
            continue
        if reign is None or story.awake(node, reign.end, advert.at) > TURN:
            yield Violation(advert.at, f"{node} advertised priority {advert.priority} and was not Active")
        elif advert.priority == 0 and story.awake(node, advert.at, reign.end) > TURN:
            yield Violation(advert.at, f"{node} released and stayed Active")


def s4_who_hear_each_other_agree(story: Story) -> Violations:
    """Two are Active at once for no longer than H = the longest down interval + A + a round trip, and a turn."""
    allowed = story.down_interval_max + story.interval + ROUND_TRIP + TURN
    for number, one in enumerate(story.nodes):
        for other in story.nodes[number + 1:]:
            for span in story.connected(one, other):
                for first in story.reigns(one):
                    for second in story.reigns(other):
                        begin, end = max(span.begin, first.begin, second.begin), min(span.end, first.end, second.end)
                        if end - begin > allowed:
                            both, most = (end - begin) / MILLISECOND, allowed / MILLISECOND
                            yield Violation(end, f"{one} and {other} could hear each other and were both Active for "
                                                 f"{both:.0f} ms; {most:.0f} ms is the most")


def _beyond_the_rate(times: Iterable[int], burst: float, per_second: float) -> Iterator[tuple[int, float]]:
    """Those at which more than `burst` + `per_second` * t were counted in some window that ends there."""
    used, last = 0.0, None
    for at in times:
        used = max(0.0, used - per_second * (at - last) / SECOND) if last is not None else 0.0
        used, last = used + 1.0, at
        if used > burst + 0.1:
            yield at, used


def s6_calls_are_bounded(story: Story) -> Violations:
    mutating: dict[tuple, list[int]] = defaultdict(list)
    reads: dict[tuple, list[int]] = defaultdict(list)
    for request in story.of("request"):
        node, action = str(request.fields.get("node", "")).removeprefix("node-"), request.fields.get("action", "")
        if node not in story.nodes or request.fields.get("service") == "imds":
            continue
        program = story.program_at(node, request.at)
        if is_mutating(request):
            mutating[node, program, request.table, request.fields.get("destination")].append(request.at)
        elif action == "DescribeRouteTables":
            reads[node, program].append(request.at)
    waited = CALL_SECONDS
    for (node, _, table, _), times in mutating.items():
        burst = MUTATING_BURST + MUTATING_PER_SECOND * waited
        for at, used in _beyond_the_rate(times, burst, MUTATING_PER_SECOND):
            yield Violation(at, f"{node} made {used:.1f} calls for {table} above 0.5/s, and {burst:g} are allowed")
    for (node, _), times in reads.items():
        burst = READS_BURST + READS_PER_SECOND * waited
        for at, used in _beyond_the_rate(times, burst, READS_PER_SECOND):
            yield Violation(at, f"{node} made {used:.1f} reads above 1/s, and {burst:g} are allowed")


def s6_nothing_is_ever_removed(story: Story) -> Violations:
    for request in story.of("request"):
        action = request.fields.get("action") or ""
        if REMOVING.match(action) or (is_mutating(request) and action not in ALLOWED_CALLS):
            yield Violation(request.at, f"{request.fields.get('node')} called {action}")


def s7_resources_are_bounded(story: Story) -> Violations:
    """And in the end a process has given back what it had not had before the first fault."""
    begin, quiet, over = story.mark("faults_begin"), story.mark("settled") + SECOND, story.mark("over")
    before = max((event.descriptors for event in story.of("measured") if event.at < begin < NEVER), default=DESCRIPTORS_MAX)
    crowds: dict[str, int] = defaultdict(int)
    gone: dict[str, int] = {}
    for event in story.of("crowded", "crowd_gone", "measured"):
        node = event.source
        if event.kind != "measured":
            crowds[node] += 1 if event.kind == "crowded" else -1
            gone[node] = event.at
            continue
        is_crowded = crowds[node] > 0 or event.at - gone.get(node, -NEVER) < SECOND
        allowed = DESCRIPTORS_MAX + (CONNECTIONS_MAX if is_crowded else 0)
        if event.descriptors > allowed:
            yield Violation(event.at, f"{node} has {event.descriptors} descriptors; {allowed} are allowed")
        elif quiet < event.at < over and event.descriptors > before + DESCRIPTORS_SPARE:
            yield Violation(event.at, f"{node} has {event.descriptors} descriptors left; no process had more than {before}")
        if event.threads != 1:
            yield Violation(event.at, f"{node} has {event.threads} threads")
        if event.fields.get("rss_kib", 0) > RSS_MAX_KIB:
            yield Violation(event.at, f"{node} has {event.rss_kib} KiB of memory; {RSS_MAX_KIB} are allowed")


def s8_what_is_no_business_of_the_election_moves_nobody(story: Story) -> Violations:
    if story.is_calm:
        begin, over = story.mark("faults_begin"), story.mark("over")
        # A new program says what it is: what the last one was.
        same = {(node, handed.end) for node in story.nodes for handed in story.hand_overs[node]
                if handed.first.to == handed.before.state}
        for event in story.of("transition"):
            if begin <= event.at < over and (event.source, event.at) not in same:
                yield Violation(event.at, f"{event.source} became {event.to} ({event.fields.get('reason')})")


def s12_the_address_is_where_the_active_is(story: Story) -> Violations:
    """Who is not Active has let go of it when the drain is over. After a stall a node keeps it while it listens, and then
    drains; one that starts as a Backup removes what its predecessor left."""
    allowed = story.drain_ms * MILLISECOND + 2 * story.down_interval_max + SECOND
    for node in story.nodes:
        for held in _held(story, node):
            # Neighbouring times without a reign are one: Initialize and Backup after one another.
            since, until = None, 0
            for role in story.roles[node]:
                if role.state in ("Initialize", "Backup"):
                    since, until = role.begin if since is None else since, role.end
                    begin, end = max(since, held[0]), min(until, held[1])
                    if story.awake(node, begin, end) > allowed:
                        yield Violation(end, f"{node} was {role.state} and had the address for "
                                             f"{story.awake(node, begin, end) / SECOND:.1f} s")
                        break
                else:
                    since = None


def _held(story: Story, node: str) -> Iterator[tuple[int, int]]:
    since = None
    for event in story.of("address_added", "address_removed", "over"):
        if event.kind != "over" and (event.source != node or event.address != story.address):
            continue
        if event.kind == "address_added":
            since = event.at if since is None else since
        elif since is not None:
            yield since, event.at
            since = None


def s13_no_secret_is_told(story: Story) -> Violations:
    secrets = {event.value: event.name for event in story.of("secret")}
    for event in story.of("log", "output"):
        if event.source not in story.nodes:
            continue
        told = [name for value, name in secrets.items() if value in event.text]
        if AUTHORIZATION.search(event.text):
            told.append("a header of a signed request")
        if told:
            yield Violation(event.at, f"{event.source} told {' and '.join(told)} in {event.kind}: {event.text[:200]}")


def s14_a_restart_in_place_is_no_transition(story: Story) -> Violations:
    """Who is Active resumes in its epoch, and who is not does not. One that needs as long for it as a Backup waits has been
    succeeded: its next advert may have been due a turn ago, and was late by more than 2 A then."""
    for node in story.nodes:
        for handed in story.hand_overs[node]:
            was, first = handed.before, handed.first
            if was.state != "Active":
                if first.to == "Active":
                    yield Violation(first.at, f"{node} was {was.state}, and its new program Active ({first.reason})")
            elif first.to != "Active":
                if handed.end - handed.begin < 2 * story.interval - TURN:
                    yield Violation(first.at, f"{node} was Active, and its new program {first.to} ({first.reason})")
            elif int(first.epoch) != was.epoch:
                yield Violation(first.at, f"{node} was Active in epoch {was.epoch}, and its new program in {first.epoch}")


def s15_nobody_ends_who_was_not_told_to(story: Story) -> Violations:
    told: dict[str, str] = {}
    is_ready: set[str] = set()
    for event in story.events:
        node = event.source
        if event.kind == "started":
            told.pop(node, None)
            is_ready.discard(node)
        elif event.kind == "replaced":  # by one that does not hear SIGTERM yet
            is_ready.discard(node)
        elif event.kind == "ready":
            is_ready.add(node)
        elif event.kind == "signal" and event.signal in ("SIGKILL", "SIGTERM"):
            if told.get(event.target) != "SIGKILL":
                told[event.target] = event.signal
        elif event.kind == "exit":
            # SIGTERM ends a process that is not a daemon yet, and SIGKILL one that may be on its way out.
            expected = {"SIGKILL": {-9, 0}, "SIGTERM": {0} if node in is_ready else {0, -15}}.get(told.get(node, ""), ())
            if event.code not in expected:
                yield Violation(event.at, f"{node} ended with {event.code}, and was told {told.get(node, 'nothing')}")
        elif event.kind == "log" and ALARMS.search(event.text):
            yield Violation(event.at, f"{node} said: {event.text}")


def l_a_healed_cluster_comes_right(story: Story) -> Violations:
    """Within 30 s exactly one is Active and has every route, and the address is nowhere else."""
    healed, settled = story.mark("healed"), story.mark("settled")
    for event in story.of("not_settled"):
        yield Violation(event.at, f"the cluster did not come right: {event.why}")
    if settled - healed > CONVERGED_WITHIN and settled != NEVER:
        yield Violation(settled, f"the cluster took {(settled - healed) / SECOND:.1f} s to come right")


def l_and_then_nothing_happens(story: Story) -> Violations:
    settled, over = story.mark("settled"), story.mark("over")
    owner = next((event.owner for event in story.of("settled")), "")
    for event in story.events:
        if not settled < event.at < over:
            continue
        if event.kind in ("transition", "change", "address_added", "address_removed") or is_mutating(event):
            yield Violation(event.at, f"after everything had come right: {event}")
        elif event.kind == "advert" and event.source != owner:
            yield Violation(event.at, f"{event.source} advertised, and {owner} was the Active")


CHECKERS: dict[str, Callable[[Story], Violations]] = {
    "S1": s1_only_an_active_changes_anything,
    "S2": s2_none_begins_after_the_end_of_a_reign,
    "S3a": s3_adverts_say_what_is_configured,
    "S3b": s3_only_an_active_advertises,
    "S4": s4_who_hear_each_other_agree,
    "S6a": s6_calls_are_bounded,
    "S6b": s6_nothing_is_ever_removed,
    "S7": s7_resources_are_bounded,
    "S8": s8_what_is_no_business_of_the_election_moves_nobody,
    "S12": s12_the_address_is_where_the_active_is,
    "S13": s13_no_secret_is_told,
    "S14": s14_a_restart_in_place_is_no_transition,
    "S15": s15_nobody_ends_who_was_not_told_to,
    "L-a": l_a_healed_cluster_comes_right,
    "L-b": l_and_then_nothing_happens,
}


def check(story: Story) -> list[str]:
    """What is wrong, by the checker's name."""
    return [f"{name}: {violation}" for name, checker in CHECKERS.items() for violation in checker(story)]
