"""A cloud that is broken, slow, late or an enemy's, with whole daemons in the middle of it: what they make of each answer and
what it costs them. Nothing of it may touch the election, and all of it ends owned.

Faults meet the daemon many at a time: in a takeover each has a route table of its own.
"""

from collections import Counter
from dataclasses import dataclass

from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.timeline import SECOND, Event, now
from lab.vipd import Vipd
from lab.zones import VIP

# c is there to see whether b ever paused for longer than three intervals: it would speak.
PRIORITIES = {"a": 250, "b": 200, "c": 1}
INTERVAL_MS = 300.0
# Tables are read in so many groups, each once a period.
GROUPS = 6

# An answer may have 4 MiB, and 16 may arrive at once. One of the answers is 100 MB long, and one has no end.
MEMORY_PEAK_MAX_KIB = 16 * 4 * 1024
# What the allocator keeps of that afterwards.
MEMORY_KEPT_MAX_KIB = 16 * 1024

UNKNOWN = "unknown_outcome"


@dataclass(frozen=True)
class Fault:
    """What the cloud does, and what a call ends as that meets it."""

    cloud: dict
    outcome: str  # in the log line of a mutating call
    code: str  # there, and among the counters of all calls
    is_carried_out: bool = True  # a mutating call took effect all the same

    @property
    def is_for_reads(self) -> bool:
        """Whether a describe could tell it from the others."""
        return not self.cloud.get("applied") and self.cloud["kind"] != "land_late"


def fail(status: int, code: str, outcome: str) -> Fault:
    return Fault({"kind": "fail", "status": status, "code": code}, outcome, code or f"http_{status}", is_carried_out=False)


def lost(code: str, *, applied: bool = False, **cloud) -> Fault:
    return Fault({**cloud, **({"applied": True} if applied else {})}, UNKNOWN, code, applied)


def body(kind: str, code: str, outcome: str = UNKNOWN) -> Fault:
    return Fault({"kind": "hostile", "body": kind}, outcome, code)


FAULTS = (
    fail(500, "InternalError", "transient"),
    fail(502, "", "transient"),
    fail(503, "RequestLimitExceeded", "throttled"),
    fail(403, "UnauthorizedOperation", "denied"),
    fail(400, "ExpiredToken", "credentials"),
    lost("unreachable", kind="reset"),
    lost("unreachable", kind="reset", applied=True),
    lost("timeout", kind="hang"),
    lost("timeout", kind="hang", applied=True),
    lost("unreachable", kind="land_late", by=2000),
    Fault({"kind": "trickle", "bytes_per_second": 1}, UNKNOWN, "timeout"),
    body("truncated", "unreachable"),
    body("cut", "malformed_answer"),
    body("endless", "too_large"),
    body("large", "too_large"),
    body("deep", "malformed_answer"),
    body("entity_bomb", "malformed_answer"),
    body("wrong_type", "unexpected_answer"),
    body("redirect", "http_307"),
    body("garbage", "malformed_answer"),
    body("wrong_root", "unexpected_answer"),
    body("empty", "malformed_answer"),
    body("error_in_success", "unexpected_answer"),
    body("bad_chunks", "malformed_answer"),
    body("length_too_large", "timeout"),
    body("informational_storm", "malformed_answer"),
    body("huge_header", "too_large"),
    body("no_http", "malformed_answer"),
    # Odd, and what was asked for all the same.
    body("invalid_utf8", "", "ok"),
    body("odd_xml", "", "ok"),
    body("duplicated", "", "ok"),
)

# What OpenSSL says of each flaw; and connections that come to nothing.
CONNECTIONS = (
    ({"kind": "certificate", "flaw": "expired"}, "certificate has expired"),
    ({"kind": "certificate", "flaw": "not_yet_valid"}, "certificate is not yet valid"),
    ({"kind": "certificate", "flaw": "wrong_name"}, "mismatch"),
    ({"kind": "certificate", "flaw": "untrusted"}, "local issuer certificate"),
    ({"kind": "reset"}, "reset"),
    ({"kind": "hang"}, "time"),
)

IMDS_FAULTS = (
    {"kind": "fail", "status": 500}, {"kind": "fail", "status": 403}, {"kind": "reset"}, {"kind": "hang"},
    *({"kind": "hostile", "body": kind} for kind in ("large", "redirect", "garbage", "empty", "no_http")),
)


class HostileCloud(LabTest):
    def start(self, *names: str, tables: int = 3) -> None:
        """a is Active and has every table, and whoever else is started knows it."""
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=INTERVAL_MS, reconcile_ms=1000.0, tables=tables)
        self.cloud = self.cluster.cloud
        # EC2's own limits are not what is tested.
        for action in ("DescribeRouteTables", "CreateRoute", "ReplaceRoute"):
            self.cloud.set_bucket(action, capacity=1000, refill_per_second=1000, level=1000)
        groups = [self.cluster.tables[first::GROUPS] for first in range(GROUPS)]
        self.cluster.routes = [{"destination": VIP, "tables": {"ids": group}} for group in groups if group]
        for name in names:
            self.cluster.start(name).ready()
        self.cluster.settle("a")

    def take_over(self) -> Event:
        """a dies and b follows; returns b's first advert."""
        crash = self.cluster.nodes["a"].kill()
        return self.lab.advert("b takes over", "b", since=crash.at)

    def one_call(self, table: str, since: int) -> Event:
        """What b said of its first call for a table."""
        return self.lab.timeline.wait(f"b's call for {table} has ended", lambda e: e.source == "b" and e.kind == "log"
                                      and e.fields.get("event") == "ec2_call" and e.fields.get("table") == table, since=since)

    def said_of_calls(self, name: str, since: int = 0) -> list[Event]:
        return self.lab.timeline.select(lambda e: e.source == name and e.fields.get("event") == "ec2_call", since)

    def reads_counted(self, node: Vipd) -> Counter:
        """Those that went wrong, by code."""
        return Counter({call["code"]: call["count"] for call in node.status()["ec2_calls"]
                        if call["action"] == "DescribeRouteTables" and call["code"] != "ok"})

    def wait_for_reads_since(self, node: Vipd, since: int) -> None:
        """Every table was read by a describe that began later than that."""
        def has_read() -> bool:
            age_max = (now() - since) / SECOND
            return all(route["confirmed_age_seconds"] < age_max for route in node.router()["resources"]
                       if route["kind"] == "route")

        self.lab.timeline.until(f"{node.name} has read every table", has_read)

    def meet(self, fault: dict) -> None:
        """Has the next request that it is for meet the fault, and returns when one has."""
        self.cloud.fault(count=1, **fault)
        self.lab.timeline.until(f"somebody meets {fault}", lambda: not self.cloud.command("GET", "/faults"))

    def instead(self, former: int, fault: dict) -> int:
        """One fault in another's place, without a moment in which all is well."""
        new = self.cloud.fault(**fault)
        self.cloud.command("DELETE", f"/faults/{former}")
        return new

    def moves(self, since: int) -> list[Event]:
        """b's changing calls, by table and time."""
        return sorted(self.cluster.mutations("b", since), key=lambda e: (e.table, e.at))

    # --- what has to hold whatever the cloud does ---

    def assert_election_unmoved(self, name: str, since: int) -> None:
        """One reign, without a pause that a Backup would have noticed."""
        router = self.cluster.nodes[name].router()
        self.assertEqual((router["state"], router["epoch"]), ("Active", 1))
        spoke = {advert.source for advert in self.lab.timeline.select(lambda e: e.kind == "advert", since)}
        self.assertEqual(spoke, {name})

    def assert_read_before_repeated(self, since: int) -> None:
        """Between a call whose outcome b did not know and the next one for the table it had looked."""
        outcomes: dict[str, list[Event]] = {}
        for said in self.said_of_calls("b", since):
            outcomes.setdefault(said.fields.get("table", ""), []).append(said)
        reads = self.lab.timeline.select(lambda e: e.kind == "request" and e.fields.get("action") == "DescribeRouteTables"
                                         and e.fields.get("node") == "node-b", since)
        calls = self.moves(since)
        for first, second in zip(calls, calls[1:]):
            if first.table == second.table and outcomes[first.table][0].outcome == UNKNOWN:
                # What has no answer ends three seconds later.
                ended = first.fields["replied_ns"] or first.at + 2 * SECOND
                looked = any(ended < read.at < second.at for read in reads)
                self.assertTrue(looked, f"{first}\nis repeated blindly:\n{second}")

    def assert_calls_at_most(self, count: int, since: int) -> None:
        """Of b for each table."""
        self.assertLessEqual(max(Counter(call.table for call in self.moves(since)).values()), count)

    def assert_memory_bounded(self, node: Vipd, before_kib: int) -> None:
        if not node.is_sanitized:
            self.assertLess(node.kernel_says("VmHWM") - before_kib, MEMORY_PEAK_MAX_KIB)
            self.assertLess(node.kernel_says("VmRSS") - before_kib, MEMORY_KEPT_MAX_KIB)

    # --- answers ---

    def test_a_takeover_through_every_fault_ends_with_every_route(self) -> None:
        self.start("a", "b", "c", tables=len(FAULTS))
        b = self.cluster.nodes["b"]
        b.forget_memory_peak()
        before_kib = b.kernel_says("VmRSS")
        faults = dict(zip(self.cluster.tables, FAULTS))
        for table, fault in faults.items():
            self.cloud.fault(action="ReplaceRoute", node="node-b", table=table, count=1, **fault.cloud)
        active = self.take_over()
        for table, fault in faults.items():
            with self.subTest(cloud=fault.cloud):
                said = self.one_call(table, active.at)
                self.assertEqual((said.outcome, said.code), (fault.outcome, fault.code), said.text)
        self.cluster.settle("b")
        for table, fault in faults.items():
            with self.subTest(cloud=fault.cloud):
                calls = [call for call in self.moves(active.at) if call.table == table]
                self.assertEqual(len(calls), 1 if fault.is_carried_out else 2, "what took effect is not sent again")
        self.assert_read_before_repeated(active.at)
        self.assert_election_unmoved("b", active.at)
        self.assert_memory_bounded(b, before_kib)

    def test_reads_that_go_wrong_are_counted_and_change_nothing(self) -> None:
        self.start("a", "c", tables=GROUPS)
        a = self.cluster.nodes["a"]
        a.forget_memory_peak()
        before_kib = a.kernel_says("VmRSS")
        expected = self.reads_counted(a)
        begun = self.lab.timeline.note("lab", "reads_go_wrong").at
        for fault in (fault for fault in FAULTS if fault.is_for_reads):
            if fault.outcome != "ok":
                expected[fault.code] += 1
            self.meet({"action": "DescribeRouteTables", "node": "node-a", **fault.cloud})
        self.lab.timeline.until("each is counted as what it was", lambda: self.reads_counted(a) == expected)
        self.assertEqual({call.code for call in self.said_of_calls("a", begun)}, set(expected))
        self.wait_for_reads_since(a, now())
        self.cluster.wait_until_known("a")
        self.assertEqual(self.cluster.mutations("a", begun), [], "no answer is no reason")
        self.assert_election_unmoved("a", begun)
        self.assert_memory_bounded(a, before_kib)

    def test_reads_of_the_past_do_not_undo_a_takeover(self) -> None:
        self.start("a", "b")
        begun = self.lab.timeline.note("lab", "the_past_is_shown").at
        self.cloud.fault(action="DescribeRouteTables", node="node-b", kind="stale", lag=2000)
        # In the past, too, the routes were a's: so b's first call is the right one.
        self.wait_for_reads_since(self.cluster.nodes["b"], begun + 2 * SECOND)
        active = self.take_over()
        self.cluster.settle("b")
        self.assertEqual(Counter(call.table for call in self.moves(active.at)), Counter(self.cluster.tables))

    def test_a_call_that_lands_after_the_death_of_its_caller_is_undone(self) -> None:
        self.start("a", "b")
        table = self.cluster.tables[0]
        fault = self.cloud.fault(action="ReplaceRoute", node="node-a", kind="land_late", by=4000, hang=True)
        changed = self.cloud.put_route(table, VIP, self.cluster.zones.places["c"].interface_id)
        self.cluster.first_mutating_request("a", changed.at)
        self.cloud.command("DELETE", f"/faults/{fault}")
        self.take_over()
        self.cluster.all_tables_moved("b", changed.at)
        landed = self.lab.timeline.wait("a's call lands", lambda e: e.kind == "change" and e.fields.get("node") == "node-a",
                                        since=changed.at)
        self.lab.timeline.wait("b takes it back", lambda e: e.kind == "change" and e.fields.get("node") == "node-b"
                               and e.table == table, since=landed.at)
        self.cluster.settle("b")

    # --- who is at the other end, and who we are ---

    def test_nothing_is_said_to_a_server_that_cannot_prove_itself(self) -> None:
        self.start("a", tables=2 * GROUPS)  # so many that some call is always about to be tried
        wrong = self.cloud.fault(action="connect:ec2", node="node-b", **CONNECTIONS[0][0])
        b = self.cluster.start("b")
        b.ready()
        b.wait_for_state("Backup")
        active = self.take_over()
        for fault, words in CONNECTIONS:
            wrong = self.instead(wrong, {"action": "connect:ec2", "node": "node-b", **fault})
            since = self.lab.timeline.note("lab", "connections_fail", how=fault).at
            self.lab.timeline.wait(f"b says why: {words}", lambda e: e.source == "b" and e.fields.get("event") == "ec2_call"
                                   and words in e.fields.get("message", ""), since=since)
        spoken_to = self.lab.timeline.select(lambda e: e.kind == "request" and e.fields.get("service") == "ec2"
                                             and e.fields.get("source", "").startswith(self.cluster.zones.places["b"].address))
        said = self.said_of_calls("b")
        self.cloud.clear_faults()
        self.assertEqual([str(request) for request in spoken_to], [])
        self.assertEqual({call.outcome for call in said}, {"not_sent"})
        self.cluster.settle("b")
        self.assert_election_unmoved("b", active.at)

    def test_a_clock_that_is_wrong_and_keys_that_are_revoked_cost_one_more_call(self) -> None:
        self.start("a", "b")
        # No read tells b before its takeover does.
        self.cloud.fault(action="DescribeRouteTables", node="node-b", kind="hang")
        self.cloud.command("PUT", "/settings", {"clock_offset_s": 3600})
        active = self.take_over()
        self.assertEqual({self.one_call(table, active.at).outcome for table in self.cluster.tables}, {"clock"})
        self.cloud.clear_faults()
        self.cluster.settle("b")
        self.assert_calls_at_most(2, active.at)
        self.assertAlmostEqual(self.cluster.nodes["b"].status()["aws"]["clock_skew_seconds"], 3600, delta=2)
        self.assert_election_unmoved("b", active.at)

        # Now the keys; somebody moves a route, so that there is something to do.
        revoked = self.lab.timeline.note("lab", "keys_revoked")
        old = self.cluster.nodes["b"].status()["aws"]["access_key_id"]
        self.cloud.command("POST", "/credentials", {"instance": "node-b", "revoke": True})
        self.cloud.put_route(self.cluster.tables[0], VIP, self.cluster.zones.places["a"].interface_id)
        self.cluster.settle("b")
        self.assertNotEqual(self.cluster.nodes["b"].status()["aws"]["access_key_id"], old)
        self.assert_calls_at_most(2, revoked.at)
        self.assert_election_unmoved("b", active.at)

    # --- the metadata service ---

    def test_a_broken_metadata_service_delays_the_first_read_and_no_takeover(self) -> None:
        self.start("a")
        wrong = self.cloud.fault(action="imds:*", node="node-b", **IMDS_FAULTS[0])
        b = self.cluster.start("b")
        b.ready()
        before_kib = b.kernel_says("VmRSS")
        for fault in IMDS_FAULTS:
            wrong = self.instead(wrong, {"action": "imds:*", "node": "node-b", **fault})
            since = self.lab.timeline.note("lab", "imds_is_broken", how=fault).at
            self.lab.timeline.wait(f"b meets {fault}", lambda e: e.kind == "request" and e.fields.get("service") == "imds"
                                   and e.fields.get("node") == "node-b" and e.fields["faults"], since=since)
        self.cloud.clear_faults()
        b.log_line("b says what is wrong", "event=imds state=failing", since=b.started)
        b.log_line("b says that it is over", "event=identity", since=b.started)
        self.assertEqual(b.state(), "Backup")
        self.assert_election_unmoved("a", b.started)
        self.assert_memory_bounded(b, before_kib)
        self.cluster.wait_until_known("a")
        for broken in ({"kind": "hang"}, {"kind": "fail", "status": 500}):
            self.cloud.fault(action="imds:*", node="node-b", **broken)
        self.take_over()
        self.cluster.settle("b")


if __name__ == "__main__":
    main()
