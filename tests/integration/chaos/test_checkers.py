"""Each checker finds what it is for on a time line made by hand, and has nothing to say about one that is right."""

import unittest

import checkers
from checkers import CHECKERS
from lab.timeline import MILLISECOND, Event
from lab.zones import VIP
from plan import KINDS, NODES, SECONDS, Pause, draw_plan
from recorder import records_of
from story import Story, merge_transitions

PRIORITIES = {"a": 150, "b": 100, "c": 50}


def ms(milliseconds: float) -> int:
    return round(milliseconds * MILLISECOND)


def transition(at: float, node: str, before: str, after: str, reason: str = "no_advert", epoch: int = 1) -> Event:
    return Event(ms(at), node, "transition", {"from": before, "to": after, "reason": reason, "epoch": str(epoch)})


def started(at: float, node: str) -> list[Event]:
    return [Event(ms(at), node, "started"), transition(at + 1, node, "Initialize", "Backup", "startup", 0)]


def advert(at: float, node: str, priority: int = 150, interval_cs: int = 20) -> Event:
    return Event(ms(at), node, "advert", {"priority": priority, "interval_cs": interval_cs})


def request(at: float, node: str, action: str = "ReplaceRoute", table: str = "rtb-1") -> Event:
    return Event(ms(at), "cloud", "request", {"node": f"node-{node}", "action": action, "table": table, "service": "ec2",
                                              "destination": VIP})


def signal(at: float, node: str, name: str) -> Event:
    return Event(ms(at), "lab", "signal", {"target": node, "signal": name})


def note(at: float, source: str, kind: str, **fields) -> Event:
    return Event(ms(at), source, kind, fields)


def address(at: float, node: str, *, is_added: bool) -> Event:
    return note(at, node, "address_added" if is_added else "address_removed", address=VIP)


def story(*events: Event | list[Event], is_calm: bool = False) -> Story:
    """a takes over at 1000 ms and keeps the role, unless `events` say otherwise."""
    flat = [event for part in events for event in (part if isinstance(part, list) else [part])]
    return Story(200.0, PRIORITIES, 1000.0, [
        *[event for node in PRIORITIES for event in started(0, node)],
        transition(1000, "a", "Backup", "Active"), address(1001, "a", is_added=True), *flat], is_calm)


def restarted(at: float, node: str, *first: str, until: float = 0.0, epoch: int = 1) -> list[Event]:
    """Its new program says first that it is "Active", or "Backup", 30 ms later unless that is said."""
    return [note(at - 52, node, "restart", code=200), note(at, node, "replaced"),
            *[transition(until or at + 30, node, "Initialize", state, "resumed" if state == "Active" else "startup", epoch)
              for state in first]]


# What happens in every run, and is right.
def ordinary() -> Story:
    return story(
        [advert(1000 + 200 * number, "a") for number in range(10)],
        request(1001, "a"), request(1500, "a", "DescribeRouteTables"),
        note(1100, "a", "measured", descriptors=30, threads=1, rss_kib=20_000),
        note(1200, "a", "secret", name="SecretAccessKey", value="wJalr/K7MDENG"),
        note(1300, "a", "log", text="event=ec2_call outcome=ok"), note(1300, "a", "output", text="<html>Active</html>"),
        # The handover of a graceful stop: its last advert leaves just behind the line that tells of it.
        note(2900, "lab", "faults_begin"),
        restarted(2920, "a", "Active"), restarted(2930, "c", "Backup", epoch=0), advert(2951, "a"), request(2952, "a"),
        signal(3000, "a", "SIGTERM"), transition(3001, "a", "Active", "Initialize", "shutdown"), advert(3001, "a", 0),
        transition(3085, "b", "Backup", "Active", epoch=1), advert(3085, "b", 100), request(3086, "b"),
        address(3086, "b", is_added=True), address(4010, "a", is_added=False), note(4020, "a", "exit", code=0),
        started(5000, "a"), transition(6000, "a", "Backup", "Active", epoch=1), request(6001, "a"),
        address(6001, "a", is_added=True), advert(6001, "a"),
        # b gives way with one more advert of its own, and its call had been on the way.
        transition(6002, "b", "Active", "Backup", "heard_better", epoch=1), advert(6003, "b", 100), request(6004, "b"),
        address(7003, "b", is_added=False),
        note(7500, "lab", "healed"), note(9000, "lab", "settled", owner="a"), advert(9100, "a"), note(12_000, "lab", "over"),
        [event for node in "abc" for event in (signal(12_001, node, "SIGTERM"), note(12_100, node, "exit", code=0))])


class Checkers(unittest.TestCase):
    def assert_found(self, name: str, told: Story, count: int = 1) -> None:
        found = list(CHECKERS[name](told))
        self.assertEqual(len(found), count, f"{name}: {[str(violation) for violation in found]}")

    def test_nothing_is_found_in_an_ordinary_run(self) -> None:
        self.assertEqual(checkers.check(ordinary()), [])

    def test_a_checker_that_is_never_shown_to_fail_is_worth_nothing(self) -> None:
        told = {word for name in dir(self) if name.startswith("test_") for word in getattr(self, name).__code__.co_consts
                if isinstance(word, str)}
        self.assertLessEqual(set(CHECKERS), told)

    # --- S1, S2 ---

    def test_a_call_before_the_first_reign_is_found(self) -> None:
        self.assert_found("S1", story(request(990, "a")))
        self.assert_found("S1", story(request(2000, "b")))

    def test_a_call_just_after_the_beginning_of_a_reign_is_right(self) -> None:
        self.assert_found("S1", story(request(999, "a")), 0)  # within what two stamps may differ

    def test_a_reign_of_the_process_before_is_no_excuse(self) -> None:
        again = [signal(2000, "a", "SIGKILL"), note(2001, "a", "exit", code=-9), *started(3000, "a")]
        self.assert_found("S1", story(again, request(4000, "a")))
        self.assert_found("S1", story(again, request(2100, "a")), 0)  # was on its way

    def test_a_reign_goes_on_in_the_program_that_a_process_becomes(self) -> None:
        resumed = restarted(2000, "a", "Active")
        for name in ("S1", "S2", "S3b", "S14"):
            self.assert_found(name, story(resumed, advert(2031, "a"), request(3000, "a"), advert(3000, "a")), 0)
        # Had it ended in between, this would be its last word.
        self.assert_found("S3b", story(advert(2000, "a", 0), resumed))
        succeeded = restarted(2000, "a", "Backup")
        self.assert_found("S2", story(succeeded, request(2390, "a")), 0)
        self.assert_found("S2", story(succeeded, request(2410, "a")))
        self.assert_found("S3b", story(succeeded, advert(2190, "a")), 0)
        self.assert_found("S3b", story(succeeded, advert(2210, "a")))
        # An attempt that failed has ended nothing.
        self.assert_found("S2", story(restarted(2000, "a"), request(4000, "a")), 0)
        self.assert_found("S2", story(restarted(2000, "a"), transition(3000, "a", "Active", "Backup", "heard_better"),
                                      request(3390, "a")), 0)
        # One that was killed on the way.
        killed = [*restarted(2000, "a"), signal(2020, "a", "SIGKILL"), note(2021, "a", "exit", code=-9)]
        self.assert_found("S2", story(killed, request(2419, "a")), 0)
        self.assert_found("S1", story(killed, *started(3000, "a"), request(4000, "a")))

    def test_a_call_in_the_name_of_a_reign_that_was_slept_through_is_found(self) -> None:
        asleep = [note(2000, "a", "paused"), note(5000, "a", "resumed")]
        self.assert_found("S1", story(asleep, request(5001, "a")), 0)  # had its permit before
        self.assert_found("S1", story(asleep, request(5001, "a"), request(5002, "a", table="rtb-2")))
        self.assert_found("S1", story(asleep, request(5201, "a")))
        self.assert_found("S1", story(asleep, transition(5001, "a", "Active", "Backup", "stalled"), request(5300, "a")), 0)
        # One that nobody noticed ends no reign.
        self.assert_found("S1", story(note(2000, "a", "paused"), note(2300, "a", "resumed"), request(2301, "a")), 0)

    def test_a_call_after_the_reign_is_found(self) -> None:
        demoted = transition(2000, "a", "Active", "Backup", "heard_better")
        self.assert_found("S2", story(demoted, request(2401, "a")))
        self.assert_found("S2", story(demoted, request(2399, "a")), 0)
        slept = [note(2001, "a", "paused"), note(4001, "a", "resumed")]
        self.assert_found("S2", story(demoted, slept, request(4300, "a")), 0)
        self.assert_found("S2", story(demoted, slept, request(4402, "a")))

    def test_what_a_lost_line_would_have_told_is_not_judged(self) -> None:
        # From Active without having become it: that line was on a disk that was full.
        lost = transition(3000, "b", "Active", "Backup", "heard_better", 1)
        self.assert_found("S1", story(lost, request(2000, "b")), 0)
        self.assert_found("S2", story(lost, request(3500, "b")), 0)
        self.assert_found("S3b", story(lost, advert(2000, "b", 100)), 0)
        # Nor is what a process did while its last line was being written.
        killed = [signal(2000, "b", "SIGKILL"), note(2001, "b", "exit", code=-9)]
        self.assert_found("S1", story(killed, request(1900, "b")), 0)
        self.assert_found("S1", story(killed, request(1700, "b")))

    # --- S3 ---

    def test_an_advert_that_says_something_else_is_found(self) -> None:
        self.assert_found("S3a", story(advert(1100, "a", 149)))
        self.assert_found("S3a", story(advert(1100, "a", interval_cs=10)))
        self.assert_found("S3a", story(advert(1100, "a", 0)), 0)

    def test_an_advert_of_one_that_is_not_active_is_found(self) -> None:
        self.assert_found("S3b", story(advert(990, "a")))
        self.assert_found("S3b", story(advert(1100, "b", 100)))
        self.assert_found("S3b", story(advert(1100, "b", 0)))
        demoted = transition(2000, "a", "Active", "Backup", "heard_better")
        self.assert_found("S3b", story(demoted, advert(2001, "a")), 0)
        self.assert_found("S3b", story(demoted, advert(2201, "a")))

    def test_a_release_by_one_that_stays_active_is_found(self) -> None:
        self.assert_found("S3b", story(advert(2000, "a", 0)))
        self.assert_found("S3b", story(advert(2000, "a", 0), transition(2010, "a", "Active", "Backup", "stepped_down")), 0)

    # --- S4 ---

    def test_who_is_being_replaced_hears_nothing(self) -> None:
        both = [transition(2000, "b", "Backup", "Active"), note(9000, "lab", "over")]
        ended = transition(4100, "b", "Active", "Backup", "heard_better")
        self.assert_found("S4", story(both, ended))
        self.assert_found("S4", story(both, ended, restarted(3000, "a", "Active")), 0)
        # What was Active before, and is a Backup after that, was Active together with nobody since.
        self.assert_found("S4", story(both[1], transition(2100, "b", "Backup", "Active"),
                                      restarted(2000, "a", "Backup", until=4000)), 0)

    def test_two_actives_that_hear_each_other_are_found(self) -> None:
        # Of priority 50: 3 A + A * 206/256, and A, the round trip and a turn: 1163 ms.
        def both(until: float, *events: Event) -> Story:
            return story(transition(2000, "b", "Backup", "Active"), *events,
                         transition(until, "b", "Active", "Backup", "heard_better"), note(9000, "lab", "over"))

        self.assert_found("S4", both(3164))
        self.assert_found("S4", both(3160), 0)
        bad, good = (note(at, "lab", kind, speaker="a", listener="b") for at, kind in ((1500, "path_bad"), (4000, "path_good")))
        self.assert_found("S4", both(4000, bad, good), 0)
        self.assert_found("S4", both(5160, bad, good), 0)
        self.assert_found("S4", both(5170, bad, good))
        elsewhere = [note(1500, "lab", "path_bad", speaker="a", listener="c")]
        self.assert_found("S4", both(3164, *elsewhere))
        self.assert_found("S4", both(3164, note(2500, "b", "paused"), note(2600, "b", "resumed")), 0)

    # --- S6 ---

    def test_too_many_calls_are_found(self) -> None:
        # Five, and three seconds' worth of those that may have waited for a connection.
        self.assert_found("S6a", story([request(2000 + number, "a") for number in range(6)]), 0)
        self.assert_found("S6a", story([request(2000 + number, "a") for number in range(7)]))
        self.assert_found("S6a", story([request(2000 + number, "a", table=f"rtb-{number}") for number in range(9)]), 0)
        steady = [request(2000 + 2000 * number, "a") for number in range(30)]
        self.assert_found("S6a", story(steady), 0)
        self.assertTrue(list(CHECKERS["S6a"](story([request(2000 + 1000 * number, "a") for number in range(30)]))))

    def test_a_new_program_knows_nothing_of_the_calls_of_the_last_one(self) -> None:
        calls = [request(2000 + number, "a") for number in range(6)] + [request(2100 + number, "a") for number in range(6)]
        self.assert_found("S6a", story(calls, restarted(2050, "a", "Active")), 0)
        self.assertTrue(list(CHECKERS["S6a"](story(calls))))

    def test_too_many_reads_are_found(self) -> None:
        reads = [request(2000 + number, "b", "DescribeRouteTables") for number in range(9)]
        self.assert_found("S6a", story(reads[:8]), 0)
        self.assert_found("S6a", story(reads))

    def test_a_call_that_removes_something_is_found(self) -> None:
        self.assert_found("S6b", story(request(1500, "a", "DeleteRoute")))

    # --- S7, S8 ---

    def test_what_a_process_uses_beyond_its_bounds_is_found(self) -> None:
        self.assert_found("S7", story(note(1100, "a", "measured", descriptors=30, threads=1, rss_kib=32 * 1024 + 1)))
        self.assert_found("S7", story(note(1100, "a", "measured", descriptors=30, threads=2)))
        self.assert_found("S7", story(note(1100, "a", "measured", descriptors=65, threads=1)))

    def test_descriptors_that_are_not_given_back_are_found(self) -> None:
        def left(at: float, descriptors: int) -> Story:
            return story(note(1100, "a", "measured", descriptors=20, threads=1),
                         note(1100, "b", "measured", descriptors=22, threads=1), note(2000, "lab", "faults_begin"),
                         note(8000, "lab", "settled", owner="a"),
                         note(at, "a", "measured", descriptors=descriptors, threads=1), note(11_000, "lab", "over"))

        self.assert_found("S7", left(9100, 31))
        self.assert_found("S7", left(9100, 30), 0)
        self.assert_found("S7", left(8900, 60), 0)  # clients have only just gone
        self.assert_found("S7", left(3000, 60), 0)

    def test_connections_of_strangers_count_only_while_they_are_there(self) -> None:
        def crowded(at: float, descriptors: int) -> Story:
            return story(note(1000, "a", "crowded", style="crowd"), note(3000, "a", "crowd_gone"),
                         note(at, "a", "measured", descriptors=descriptors, threads=1))

        self.assert_found("S7", crowded(2000, 128), 0)
        self.assert_found("S7", crowded(2000, 129))
        self.assert_found("S7", crowded(3500, 128), 0)
        self.assert_found("S7", crowded(4100, 128))

    def test_a_transition_in_a_calm_run_is_found(self) -> None:
        moved = [note(1500, "lab", "faults_begin"), transition(2000, "b", "Backup", "Active"), note(9000, "lab", "over"),
                 transition(9500, "a", "Active", "Initialize", "shutdown")]
        self.assert_found("S8", story(moved, is_calm=True))
        self.assert_found("S8", story(moved), 0)
        self.assert_found("S8", story(moved[0], *moved[2:], is_calm=True), 0)

    def test_a_restart_in_a_calm_run_is_no_transition(self) -> None:
        begin, over = note(1500, "lab", "faults_begin"), note(9000, "lab", "over")
        right = [begin, restarted(2000, "a", "Active"), restarted(3000, "b", "Backup", epoch=0), over]
        self.assert_found("S8", story(*right, is_calm=True), 0)
        self.assert_found("S8", story(begin, restarted(2000, "a", "Backup"), over, is_calm=True))
        self.assert_found("S8", story(*right, transition(2700, "c", "Backup", "Active"), is_calm=True))
        self.assert_found("S8", story(begin, transition(2000, "b", "Initialize", "Backup", "startup"), over, is_calm=True))

    # --- S12 to S15 ---

    def test_an_address_that_stays_behind_is_found(self) -> None:
        # The drain, two down intervals of 761 ms, and a second: 3522 ms.
        demoted = transition(2000, "a", "Active", "Backup", "heard_better")
        over = note(9000, "lab", "over")
        self.assert_found("S12", story(demoted, address(5500, "a", is_added=False), over), 0)
        self.assert_found("S12", story(demoted, address(5600, "a", is_added=False), over))
        self.assert_found("S12", story(demoted, over))
        self.assert_found("S12", story(address(2000, "c", is_added=True), over))
        # Nobody can remove it without a process; the next one does.
        killed = [signal(2000, "a", "SIGKILL"), note(2001, "a", "exit", code=-9)]
        self.assert_found("S12", story(killed, over), 0)
        self.assert_found("S12", story(killed, started(7000, "a"), address(7100, "a", is_added=False), over), 0)
        self.assert_found("S12", story(killed, started(3000, "a"), over))

    def test_what_a_restart_in_place_changes_is_found(self) -> None:
        self.assert_found("S14", story(restarted(2000, "a", "Active", epoch=2)))
        self.assert_found("S14", story(restarted(2000, "a", "Backup")))
        self.assert_found("S14", story(restarted(2000, "b", "Active")))
        self.assert_found("S14", story(restarted(2000, "b", "Backup", epoch=0)), 0)
        # Peers have waited for 2 A already, and the last advert may have been a turn late.
        self.assert_found("S14", story(restarted(2000, "a", "Backup", until=2199)))
        self.assert_found("S14", story(restarted(2000, "a", "Backup", until=2201)), 0)
        # Told by the log and by the stream of events.
        self.assert_found("S14", story(restarted(2000, "a", "Active", epoch=2), note(2025, "a", "replaced")))
        # What it was before that counts for nothing, whether its end was told or not.
        lost = transition(1900, "a", "Backup", "Active", epoch=4)
        self.assert_found("S14", story(lost, restarted(2000, "a", "Active", epoch=4)), 0)
        self.assert_found("S14", story(lost, restarted(2000, "a", "Active")))
        self.assert_found("S14", story(transition(1900, "b", "Active", "Backup"), restarted(2000, "b", "Active")))
        self.assert_found("S14", story(transition(3000, "a", "Initialize", "Active", "resumed", 7)), 0)

    def test_a_secret_that_is_told_is_found(self) -> None:
        secret = note(1000, "a", "secret", name="SecretAccessKey", value="wJalr/K7MDENG")
        self.assert_found("S13", story(secret, note(1100, "a", "log", text="key=wJalr/K7MDENG")))
        self.assert_found("S13", story(secret, note(1100, "b", "output", text="<b>wJalr/K7MDENG</b>")))
        self.assert_found("S13", story(note(1100, "a", "log", text="sent AWS4-HMAC-SHA256 Credential=AKIA...")))
        self.assert_found("S13", story(secret, note(1100, "cloud", "log", text="wJalr/K7MDENG")), 0)

    def test_an_end_that_nobody_asked_for_is_found(self) -> None:
        self.assert_found("S15", story(note(2000, "a", "exit", code=0)))
        self.assert_found("S15", story(note(2000, "cloud", "exit", code=1)))
        self.assert_found("S15", story(signal(1900, "a", "SIGTERM"), note(2000, "a", "exit", code=1)))
        term = [signal(1900, "a", "SIGTERM"), note(1901, "a", "exit", code=-15)]
        self.assert_found("S15", story(note(10, "a", "ready"), term))
        self.assert_found("S15", story(term), 0)  # it had only just been started
        self.assert_found("S15", story(note(10, "a", "ready"), restarted(1850, "a"), term), 0)
        self.assert_found("S15", story(note(10, "a", "ready"), restarted(1500, "a", "Active"), note(1600, "a", "ready"), term))
        self.assert_found("S15", story(restarted(1500, "a"), note(1510, "a", "exit", code=1)))
        self.assert_found("S15", story(signal(1900, "a", "SIGSTOP"), note(2000, "a", "exit", code=-6)))
        self.assert_found("S15", story(signal(1900, "a", "SIGKILL"), note(2000, "a", "exit", code=-9)), 0)
        # Being killed once says nothing about the next process.
        self.assert_found("S15", story(signal(1900, "a", "SIGKILL"), note(2000, "a", "exit", code=-9), started(2500, "a"),
                                       note(3000, "a", "exit", code=-9)))

    def test_a_sanitizers_report_is_found(self) -> None:
        self.assert_found("S15", story(note(2000, "a", "log", text="==7==ERROR: AddressSanitizer: heap-use-after-free")))

    # --- liveness ---

    def test_a_cluster_that_does_not_come_right_in_time_is_found(self) -> None:
        healed = note(5000, "lab", "healed")
        self.assert_found("L-a", story(healed, note(35_001, "lab", "settled", owner="a")))
        self.assert_found("L-a", story(healed, note(34_999, "lab", "settled", owner="a")), 0)
        self.assert_found("L-a", story(healed, note(35_000, "lab", "not_settled", why="b is Active")))

    def test_whatever_happens_after_all_has_come_right_is_found(self) -> None:
        def later(*events: Event) -> Story:
            return story(note(5000, "lab", "settled", owner="a"), *events, note(8000, "lab", "over"),
                         transition(9000, "a", "Active", "Initialize", "shutdown"))

        self.assert_found("L-b", later(advert(6000, "a"), request(6000, "b", "DescribeRouteTables")), 0)
        self.assert_found("L-b", later(advert(6000, "b", 100)))
        self.assert_found("L-b", later(request(6000, "a")))
        self.assert_found("L-b", later(transition(6000, "b", "Backup", "Active")))
        self.assert_found("L-b", later(address(6000, "a", is_added=False)))
        self.assert_found("L-b", later(note(6000, "cloud", "change", table="rtb-1", node="node-b")))


class Bookkeeping(unittest.TestCase):
    def test_time_asleep_is_not_counted(self) -> None:
        told = story(note(2000, "a", "paused"), note(3000, "a", "resumed"))
        self.assertEqual(told.awake("a", ms(1500), ms(3500)), ms(1000))
        self.assertEqual(told.awake("b", ms(1500), ms(3500)), ms(2000))

    def test_a_line_that_was_lost_is_taken_from_the_stream_of_events(self) -> None:
        log = [transition(1000, "a", "Backup", "Active", epoch=1), transition(5000, "a", "Backup", "Active", epoch=2)]
        stream = [transition(999, "a", "Backup", "Active", epoch=1), transition(3000, "a", "Active", "Backup", epoch=1)]
        self.assertEqual([event.at for event in sorted(merge_transitions(log, stream), key=lambda e: e.at)],
                         [ms(1000), ms(3000), ms(5000)])

    def test_two_lines_that_a_full_disk_has_made_one_are_read(self) -> None:
        line = "2026-01-02T03:04:05.000006Z level=info event=tran2026-01-02T03:04:07.000008Z level=warning event=reload"
        self.assertEqual(records_of(line), [("2026-01-02T03:04:05", "000006", "level=info event=tran"),
                                            ("2026-01-02T03:04:07", "000008", "level=warning event=reload")])
        self.assertEqual(records_of("==7==ERROR: AddressSanitizer"), [])


class Plans(unittest.TestCase):
    def test_a_seed_is_a_plan(self) -> None:
        self.assertEqual(draw_plan(7), draw_plan(7))
        self.assertNotEqual(draw_plan(7), draw_plan(8))

    def test_every_kind_of_fault_is_met_in_the_twenty_runs_and_all_are_over_in_time(self) -> None:
        plans = [draw_plan(seed) for seed in range(1, 21)]
        self.assertEqual(len({type(fault) for plan in plans for fault in plan.faults}), len(KINDS))
        self.assertLess(max(fault.until for plan in plans for fault in plan.faults), SECONDS + 0.2)
        self.assertTrue(any(plan.is_calm for plan in plans))

    def test_what_would_move_an_active_is_not_in_a_calm_run(self) -> None:
        calm = [plan for plan in map(draw_plan, range(100)) if plan.is_calm]
        self.assertFalse([fault for plan in calm for fault in plan.faults if isinstance(fault, Pause)])
        self.assertEqual(set().union(*(plan.priorities for plan in calm)), set(NODES))


if __name__ == "__main__":
    unittest.main(verbosity=2)
