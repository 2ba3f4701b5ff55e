"""How long things may take: the protocol's arithmetic and the product's documented bounds, in one place.

Durations are milliseconds as floats. The formulas are RFC 9568 section 6.1 and RFC 3768 section 6.1.
"""

from dataclasses import dataclass

# What a whole failover may add to the protocol's own time, cloud at 0 ms.
ALLOWANCE_MS = 3.0
# The longest pause between two attempts of a call, and how far the read-back period is spread.
RETRY_PAUSE_MAX_MS = 5000.0
# Between a read that contradicts and the one that is asked for a second opinion: 200 ms, or when the budget of one read in a
# second has room again.
SECOND_OPINION_MS = 1000.0
RECONCILE_SPREAD = 1.1


def skew(priority: int, interval_ms: float, version: int = 3) -> float:
    return (256 - priority) * (interval_ms if version == 3 else 1000.0) / 256


def down_interval(priority: int, interval_ms: float, version: int = 3, adverts: int = 3) -> float:
    """Active_Down_Interval, Master_Down_Interval."""
    return adverts * interval_ms + skew(priority, interval_ms, version)


@dataclass(frozen=True)
class Bound:
    """The most that the stages of a takeover may take, from the event that caused it; beside each, where it comes from."""

    detection_ms: float
    first_request_ms: float
    moved_ms: float
    detection_is: str
    first_request_is: str = "the same"
    moved_is: str = "+ one EC2 call"

    @staticmethod
    def after(detection_ms: float, detection_is: str, *, api_ms: float) -> "Bound":
        """When detection is the protocol's and the cloud answers each call within `api_ms`, all tables at once."""
        allowed = detection_ms + ALLOWANCE_MS
        return Bound(allowed, allowed, allowed + api_ms, detection_is)


def crash(successor_priority: int, interval_ms: float, api_ms: float) -> Bound:
    """The last advert left just before the crash: the longest case. The shortest is one interval less."""
    return Bound.after(down_interval(successor_priority, interval_ms), "3A + skew", api_ms=api_ms)


def start_up(priority: int, interval_ms: float, api_ms: float) -> Bound:
    """From the moment the router is started; nobody else is there."""
    return Bound.after(down_interval(priority, interval_ms), "3A + skew", api_ms=api_ms)


def preemption(priority: int, interval_ms: float, delay_ms: float, api_ms: float) -> Bound:
    """The lower Active is heard within A; it is listened to until the delay is over, and then the down timer runs out."""
    total = interval_ms + delay_ms + down_interval(priority, interval_ms)
    return Bound.after(total, "A + preempt_delay + 3A + skew", api_ms=api_ms)


def release(successor_priority: int, interval_ms: float, api_ms: float) -> Bound:
    """Priority 0 was sent."""
    return Bound.after(skew(successor_priority, interval_ms), "skew", api_ms=api_ms)


def throttled_crash(successor_priority: int, interval_ms: float, throttled_ms: float, api_ms: float) -> Bound:
    """EC2 refuses every mutating call for `throttled_ms` after the crash; the attempt that succeeds comes at most one pause
    after that."""
    plain = crash(successor_priority, interval_ms, api_ms)
    late = max(throttled_ms, plain.detection_ms) + RETRY_PAUSE_MAX_MS + api_ms + ALLOWANCE_MS
    return Bound(plain.detection_ms, plain.first_request_ms, late, plain.detection_is,
                 moved_is=f"throttled {throttled_ms:g} ms + longest pause {RETRY_PAUSE_MAX_MS:g} ms + one EC2 call")


def repair(reconcile_ms: float, api_ms: float) -> Bound:
    """Somebody else changed a route that had been confirmed: noticed by the next read, believed after a second one, since
    EC2's reads may be stale, and put back by one more call."""
    seen = reconcile_ms * RECONCILE_SPREAD + ALLOWANCE_MS
    believed = seen + api_ms + SECOND_OPINION_MS + api_ms
    return Bound(seen, believed, believed + api_ms, "1.1 x reconcile_period",
                 f"+ a second read within {SECOND_OPINION_MS:g} ms")
