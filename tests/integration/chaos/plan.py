"""What one run does, drawn from its seed as a whole before anything is started: the cluster, and the faults with their times.

A new kind of fault is a class here, a line in KINDS, and a handler in inflict.py.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

NODES = ("a", "b", "c")
# Of the phase in which faults happen. All of them are over by its end, and so is what EC2 still carries out late.
SECONDS = 13.0
CALM_SHARE = 0.2
# The shortest interval at which a pause of this machine is not taken for a death: the quickest Backup waits for 3 A + skew, so
# one that lasts longer than 2 A (400 ms) may be.
INTERVAL_MS = 200.0
# Where a false takeover is a failure and not only a nuisance there is more room (600 ms).
CALM_INTERVAL_MS = 300.0


@dataclass(frozen=True)
class Fault:
    at: float  # seconds after the beginning
    lasts: float

    @property
    def until(self) -> float:
        return self.at + self.lasts

    def __str__(self) -> str:
        fields = {name: value for name, value in vars(self).items() if name not in ("at", "lasts")}
        text = " ".join(f"{name}={value}" for name, value in fields.items())
        return f"{self.at:9.6f} s, for {self.lasts:5.3f} s: {type(self).__name__} {text}"


@dataclass(frozen=True)
class Loss(Fault):
    """Adverts of `speaker` that are for `listener` are lost: some, or all of them."""

    speaker: str
    listener: str
    percent: int


@dataclass(frozen=True)
class Partition(Fault):
    """No advert reaches `node` and none of its own arrives."""

    node: str


@dataclass(frozen=True)
class Pause(Fault):
    node: str


@dataclass(frozen=True)
class Kill(Fault):
    """SIGKILL; started again at the end."""

    node: str


@dataclass(frozen=True)
class Stop(Fault):
    """SIGTERM; started again at the end, if it has ended by then, and otherwise when it has."""

    node: str


@dataclass(frozen=True)
class Restart(Fault):
    """`vipd restart`: the process becomes a new program, which goes on where the last one was."""

    node: str


@dataclass(frozen=True)
class RestartCut(Fault):
    """The same, with SIGKILL so many seconds `after` the process has promised it, which is before, while or after its successor
    starts; started again at the end."""

    node: str
    after: float


@dataclass(frozen=True)
class DiskFull(Fault):
    """The disk that the node's log is written to."""

    node: str


@dataclass(frozen=True)
class NoDescriptors(Fault):
    """RLIMIT_NOFILE is `spare` above what is open."""

    node: str
    spare: int


@dataclass(frozen=True)
class SlowClients(Fault):
    """Of the status endpoint; see slow_clients.py."""

    node: str
    style: str


@dataclass(frozen=True)
class CloudTrouble(Fault):
    """A fault of cloudsim, in its own words."""

    how: dict


@dataclass(frozen=True)
class RouteMoved(Fault):
    """Somebody points the route of one table at another node."""

    table: int
    to: str


@dataclass(frozen=True)
class Plan:
    seed: int
    # Only faults that are no business of the election: the Active stays what it is.
    is_calm: bool
    interval_ms: float
    preempt_delay_ms: float
    priorities: dict[str, int]
    tables: int
    latency_ms: float
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        cluster = (f"seed {self.seed}: A={self.interval_ms:g} ms, priorities {self.priorities}, preempt_delay "
                   f"{self.preempt_delay_ms:g} ms, {self.tables} route tables, EC2 answers in {self.latency_ms:g} ms"
                   f"{', only faults that may not move the Active' if self.is_calm else ''}")
        return "\n".join([cluster, *(f"  {fault}" for fault in self.faults)])


SLOW_STYLES = ("slowloris", "crowd", "huge_head", "half_close", "never_reads", "nonsense", "scrapes")


class Draw(random.Random):
    """Knows who will be Active most of the time: what happens to that one is more interesting."""

    best = NODES[0]

    def node(self) -> str:
        return self.best if self.random() < 0.35 else self.choice(NODES)


def _cloud_trouble(draw: Draw, at: float, lasts: float) -> Fault:
    action = draw.choice(("ReplaceRoute", "ReplaceRoute", "*Route", "DescribeRouteTables", "*"))
    delay = draw.choice((300, 800, 1500))
    how = draw.choice((
        {"action": action, "kind": "slow", "before": {"low": 0, "high": delay}},
        {"action": action, "kind": "slow", "after": {"low": 0, "high": delay}},
        {"action": action, "kind": "fail", "status": 500, "code": "InternalError"},
        {"action": action, "kind": "fail", "status": 503, "code": "Unavailable", "applied": True},
        {"action": action, "kind": "fail", "status": 502, "code": ""},
        {"action": action, "kind": "throttle"},
        {"action": action, "kind": "reset"},
        {"action": action, "kind": "reset", "applied": True},
        {"action": action, "kind": "hang"},
        {"action": action, "kind": "hang", "applied": True},
        {"action": "ReplaceRoute", "kind": "land_late", "by": delay},
        {"action": "ReplaceRoute", "kind": "land_late", "by": delay, "hang": True},
        {"action": "DescribeRouteTables", "kind": "stale", "lag": 2 * delay},
        {"action": "connect:ec2", "kind": "slow", "before": delay},
        {"action": "connect:ec2", "kind": "reset"},
        {"action": "connect:ec2", "kind": "hang"},
        {"action": "imds:*", "kind": "hang"},
        {"action": "imds:*", "kind": "fail", "status": 500},
        {"action": "DescribeRouteTables", "kind": "hostile", "body": "large"},
    ))
    if draw.random() < 0.5:
        how["node"] = f"node-{draw.node()}"
    if draw.random() < 0.4:
        how["probability"] = draw.choice((0.3, 0.6))
    # What was accepted while it lasted is carried out that much later.
    return CloudTrouble(at, max(0.1, min(lasts, SECONDS - at - delay / 1000)), how)


def _loss(draw: Draw, at: float, lasts: float) -> Fault:
    one = draw.node()
    pair = [one, draw.choice([other for other in NODES if other != one])]
    draw.shuffle(pair)
    return Loss(at, lasts, pair[0], pair[1], draw.choice((10, 30, 60, 90, 100, 100)))


def _pause(draw: Draw, at: float, lasts: float) -> Fault:
    """Every other one is longer than two down intervals, so that whoever was Active has been succeeded for certain."""
    return Pause(at, max(lasts, draw.choice((0.0, 1.8))), draw.node())


def _restart_cut(draw: Draw, at: float, lasts: float) -> Fault:
    """It is carried out 50 ms after it was promised, and a start takes 10 ms where nothing is in its way."""
    return RestartCut(at, lasts, draw.node(), round(0.048 + draw.random() ** 2 * 0.1, 6))


@dataclass(frozen=True)
class Kind:
    weight: int
    seconds: tuple[float, float]  # how long it lasts
    is_calm: bool  # no business of the election
    make: Callable[[Draw, float, float], Fault]


KINDS = (
    Kind(3, (0.3, 4.0), False, _loss),
    Kind(2, (0.3, 3.0), False, lambda draw, at, lasts: Partition(at, lasts, draw.node())),
    Kind(3, (0.02, 3.0), False, _pause),
    Kind(3, (0.05, 2.0), False, lambda draw, at, lasts: Kill(at, lasts, draw.node())),
    Kind(2, (0.3, 2.0), False, lambda draw, at, lasts: Stop(at, lasts, draw.node())),
    Kind(2, (0.5, 0.5), True, lambda draw, at, lasts: Restart(at, lasts, draw.node())),
    Kind(2, (0.3, 2.0), False, _restart_cut),
    Kind(2, (1.0, 5.0), True, lambda draw, at, lasts: DiskFull(at, lasts, draw.node())),
    Kind(2, (0.5, 4.0), True, lambda draw, at, lasts: NoDescriptors(at, lasts, draw.node(), draw.randrange(4))),
    Kind(3, (0.5, 4.0), True, lambda draw, at, lasts: SlowClients(at, lasts, draw.node(), draw.choice(SLOW_STYLES))),
    Kind(6, (1.0, 6.0), True, _cloud_trouble),
    Kind(1, (0.0, 0.0), True, lambda draw, at, _: RouteMoved(at, 0.0, draw.randrange(3), draw.node())),
)
# After these somebody calls EC2, which is seldom otherwise: so most of what EC2 does begins shortly before one of them.
CALLING = (Pause, Kill, Stop, Partition, RestartCut, RouteMoved)
# Two of one group at once for a node would make one of them meaningless, or be taken back in the wrong order. Nor can a program
# start without descriptors.
GROUPS = ((Pause, Kill, Stop, Restart, RestartCut), (DiskFull,), (NoDescriptors, Restart, RestartCut))
# One that was just started, or given something back, has not met anything yet.
REST_SECONDS = 0.5


def _collide(one: Fault, other: Fault) -> bool:
    return any(isinstance(one, group) and isinstance(other, group) and one.node == other.node for group in GROUPS) and \
        one.at < other.until + REST_SECONDS and other.at < one.until + REST_SECONDS


def draw_plan(seed: int) -> Plan:
    draw = Draw(seed)
    is_calm = draw.random() < CALM_SHARE
    priorities = dict(zip(draw.sample(NODES, len(NODES)), (150, 100, 50)))
    draw.best = next(iter(priorities))
    kinds = [kind for kind in KINDS if kind.is_calm or not is_calm]
    faults: list[Fault] = []
    for _ in range(draw.randint(10, 16)):
        kind = draw.choices(kinds, [kind.weight for kind in kinds])[0]
        shortest, longest = kind.seconds
        at = draw.uniform(0.0, SECONDS - 2.0)
        calling = [fault.at for fault in faults if isinstance(fault, CALLING)]
        if kind.make is _cloud_trouble and calling and draw.random() < 0.6:
            at = max(0.0, draw.choice(calling) - draw.uniform(0.0, 0.5))
        at = round(at, 6)
        lasts = round(min(shortest + draw.random() ** 2 * (longest - shortest), SECONDS - at), 3)
        fault = kind.make(draw, at, lasts)
        if not any(_collide(fault, other) for other in faults):
            faults.append(fault)
    return Plan(seed, is_calm, CALM_INTERVAL_MS if is_calm else INTERVAL_MS, draw.choice((0.0, 0.0, 500.0)),
                {name: priorities[name] for name in NODES}, draw.randint(1, 3), draw.choice((0.0, 20.0, 100.0)),
                tuple(sorted(faults, key=lambda fault: fault.at)))
