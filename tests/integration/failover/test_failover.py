"""Three vipd nodes in two zones and a cloud over TLS: the virtual IP has one owner, and the right one, whatever happens.

What is observed is the wire (adverts), the kernels (addresses) and the cloud (its route tables and the requests it was sent).
"""

import signal

from lab import bounds
from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.testing import NOISE_SECONDS, LabTest, main
from lab.timeline import MILLISECOND
from lab.zones import VIP

INTERVAL_MS = 200.0
PRIORITIES = {"a": 150, "b": 100, "c": 50}


class Failover(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=INTERVAL_MS, reconcile_ms=1000.0)

    def start_all(self) -> None:
        """All three run, a is Active, every table leads to it, and every node has read that."""
        for name in PRIORITIES:
            self.cluster.start(name).ready()
        self.cluster.settle("a")

    def down_seconds(self, name: str) -> float:
        return bounds.down_interval(PRIORITIES[name], INTERVAL_MS) / 1000 + NOISE_SECONDS

    def both_active_ms(self, since: int) -> float:
        """The longest time for which two nodes advertised at once: from the first advert of a new Active to the last one of
        the old, as they left the nodes."""
        last_of: dict[str, int] = {}
        begun: dict[str, int] = {}
        worst = 0
        for advert in sorted(self.lab.timeline.select(lambda e: e.kind == "advert", since), key=lambda e: e.at):
            name = advert.source
            if advert.priority == 0:
                last_of.pop(name, None)
                begun.pop(name, None)
                continue
            if advert.at - last_of.get(name, 0) > 3 * INTERVAL_MS * MILLISECOND:
                begun[name] = advert.at
            last_of[name] = advert.at
            younger = [begun[other] for other in begun if other != name and begun[other] > begun[name]]
            worst = max([worst, *(advert.at - at for at in younger)])
        return worst / MILLISECOND

    def test_an_active_that_is_killed_is_followed_by_the_next(self) -> None:
        self.start_all()
        crash = self.cluster.nodes["a"].kill()
        first = self.assert_took_over("b", "a", crash.at, bounds.down_interval(PRIORITIES["b"], INTERVAL_MS))
        asked = self.cluster.first_mutating_request("b", crash.at)
        self.assertGreaterEqual(asked.at + 2 * MILLISECOND, first.at, "nothing is changed before b is Active")
        self.cluster.settle("b")
        self.has_address("b", VIP, since=crash.at)
        self.assertEqual(self.cluster.nodes["b"].kernel_says("Threads"), 1)
        # On a machine that stands still for longer than the skew c may have had its turn, but never without saying so first.
        spoke = [advert.at for advert in self.lab.adverts("c")]
        for request in self.cluster.mutations("c", 0):
            self.assertTrue(any(at <= request.at + 2 * MILLISECOND for at in spoke), "c changed something as a Backup")

    def test_an_active_that_slept_hears_its_follower_and_does_not_disturb_it(self) -> None:
        self.cluster.preempt_delay_ms = 30_000.0
        self.start_all()
        sleeper = self.cluster.nodes.pop("a")
        slept = sleeper.signal(signal.SIGSTOP)
        self.assert_took_over("b", "a", slept.at, bounds.down_interval(PRIORITIES["b"], INTERVAL_MS))
        self.cluster.settle("b")
        reign = self.cluster.nodes["b"].router()["epoch"]
        woken = sleeper.signal(signal.SIGCONT)
        sleeper.wait_for_state("Backup")
        self.cluster.nodes["a"] = sleeper
        self.lost_address("a", VIP, since=woken.at)
        self.cluster.settle("b")
        self.assertEqual(self.cluster.nodes["b"].router()["epoch"], reign)
        self.assertEqual([str(advert) for advert in self.lab.adverts("a", since=woken.at)], [], "a listens first")
        self.assertEqual(self.cluster.mutations("a", woken.at), [])

    def test_the_best_node_returns(self) -> None:
        self.start_all()
        crash = self.cluster.nodes["a"].kill()
        self.cluster.settle("b")
        self.cluster.zones.nodes["a"].ip("address", "flush", "dev", "lo", "scope", "global")
        returned = self.cluster.start("a")
        self.cluster.settle("a")
        self.lost_address("b", VIP, since=returned.started)
        self.assertEqual([e for e in self.cluster.mutations("b", self.last_speech("b", returned.started))], [],
                         "a Backup changes nothing")

    def test_a_step_down_hands_over_before_the_address_goes(self) -> None:
        self.cluster.preempt_delay_ms = 30_000.0
        self.start_all()
        asked = self.cluster.nodes["a"].step_down()
        goodbye = self.lab.advert("a says goodbye", "a", since=asked.at, priority=0)
        first = self.lab.advert("b follows", "b", since=goodbye.at)
        self.assertGreaterEqual((first.at - goodbye.at + 2 * MILLISECOND) / MILLISECOND,
                                bounds.skew(PRIORITIES["b"], INTERVAL_MS))
        gone = self.lost_address("a", VIP, since=asked.at)
        self.assertGreater(gone.at, goodbye.at, "the address stays while it may still be asked for")
        self.cluster.settle("b")
        self.assertEqual(self.cluster.mutations("a", goodbye.at), [], "the last one does not give, the next one takes")

    def test_a_rolling_restart_has_no_double_owner(self) -> None:
        self.cluster.preempt_delay_ms = 500.0
        self.start_all()
        begun = self.lab.timeline.note("lab", "rolling_restart").at
        for name in ("c", "b", "a"):
            stopping = self.cluster.nodes[name].signal(signal.SIGTERM)
            self.assertEqual(self.cluster.nodes[name].wait(15), 0)
            if name == "a":
                self.lab.advert("a says goodbye", "a", since=stopping.at, priority=0)
                self.cluster.settle("b")
            self.cluster.start(name).ready()
            self.cluster.settle("a")
        # The one that is preempted hears the better advert and falls silent; it may have one of its own on the way.
        self.assertLess(self.both_active_ms(begun), 2 * INTERVAL_MS + NOISE_SECONDS * 1000 / 10)
        self.assertEqual(self.owners_after_losing(begun), [])

    def test_a_node_that_hears_nobody_does_not_keep_the_route_afterwards(self) -> None:
        self.start_all()
        self.cut("c")
        isolated = self.lab.advert("c believes itself alone", "c", priority=PRIORITIES["c"], timeout=self.down_seconds("c"))
        self.cluster.first_mutating_request("c", isolated.at)
        healed = self.lab.timeline.note("lab", "healed")
        self.heal("c")
        self.cluster.settle("a")
        self.lost_address("c", VIP, since=healed.at)
        self.assertEqual(self.cluster.mutations("c", self.last_speech("c", healed.at)), [], "a Backup changes nothing")

    def test_a_route_that_somebody_changes_is_put_back(self) -> None:
        self.start_all()
        table = self.cluster.tables[1]
        changed = self.cluster.cloud.put_route(table, VIP, self.cluster.zones.places["c"].interface_id)
        self.lab.timeline.wait("the route is put back", lambda e: e.kind == "change" and e.fields.get("node") == "node-a"
                               and e.fields.get("table") == table, since=changed.at, timeout=10 + NOISE_SECONDS)
        self.cluster.settle("a")
        self.assertEqual(len(self.cluster.mutations("a", changed.at)), 1, "one call for one route")

    def test_an_address_that_somebody_removes_is_put_back(self) -> None:
        self.start_all()
        self.has_address("a", VIP)
        removed = self.lab.timeline.note("lab", "address_removed_by_hand")
        self.cluster.zones.nodes["a"].ip("address", "del", VIP, "dev", "lo")
        self.lost_address("a", VIP, since=removed.at)
        self.has_address("a", VIP, since=removed.at)
        self.assertEqual(self.cluster.nodes["a"].state(), "Active")

    def test_a_takeover_while_ec2_throttles_ends_with_every_route(self) -> None:
        self.start_all()
        fault = self.cluster.cloud.fault(action="ReplaceRoute", kind="throttle")
        crash = self.cluster.nodes["a"].kill()
        self.cluster.first_mutating_request("b", crash.at)
        self.cluster.cloud.command("DELETE", f"/faults/{fault}")
        self.cluster.settle("b")
        for table in self.cluster.tables:
            calls = [e for e in self.cluster.mutations("b", crash.at) if e.table == table]
            self.assertLessEqual(len(calls), 10, f"{table}: retries are spread and bounded")

    def test_an_answer_that_is_lost_is_read_back_and_not_repeated_blindly(self) -> None:
        self.start_all()
        self.cluster.cloud.fault(action="ReplaceRoute", kind="reset", applied=True, count=len(self.cluster.tables))
        crash = self.cluster.nodes["a"].kill()
        self.cluster.settle("b")
        self.lab.timeline.until("b has confirmed every route", lambda: all(
            resource["owned"] for resource in self.cluster.nodes["b"].router()["resources"]), timeout=15)
        self.assertEqual(len(self.cluster.mutations("b", crash.at)), len(self.cluster.tables),
                         "what took effect is not sent again")

    def test_a_good_reload_changes_no_role(self) -> None:
        self.start_all()
        node = self.cluster.nodes["a"]
        before = node.status()
        node.configure(self.cluster.config("a", priority=140, more={"drain": "2s"}))
        sent = node.signal(signal.SIGHUP)
        self.lab.advert("a speaks with its new priority", "a", since=sent.at, priority=140)
        self.lab.timeline.until("the reload is counted",
                                lambda: node.status()["configuration_reloads"] == before["configuration_reloads"] + 1)
        router = node.router()
        self.assertEqual((router["state"], router["epoch"], router["priority"]), ("Active", before["routers"][0]["epoch"], 140))
        self.assertEqual([e for e in self.lab.adverts("a", since=sent.at) if e.priority == 0], [])
        self.assertEqual(self.lab.adverts("b", since=sent.at), [])

    def test_a_bad_reload_is_refused_whole(self) -> None:
        self.start_all()
        node = self.cluster.nodes["a"]
        before = node.status()
        node.configure(self.cluster.config("a", priority=140, advert_interval="0ms"))
        sent = node.signal(signal.SIGHUP)
        self.lab.timeline.until("the refusal is counted",
                                lambda: node.status()["configuration_refusals"] == before["configuration_refusals"] + 1)
        said = node.log_line("the reason with its place", "router[0].advert_interval", since=sent.at)
        self.assertIn("0ms", said.text)
        router = node.router()
        self.assertEqual((router["state"], router["priority"]), ("Active", PRIORITIES["a"]))
        self.assertEqual({e.priority for e in self.lab.adverts("a", since=sent.at)} - {PRIORITIES["a"]}, set())

    # --- helpers ---

    def last_speech(self, name: str, since: int) -> int:
        """When `name` last advertised; `since` if it has not."""
        return max([since, *(advert.at for advert in self.lab.adverts(name, since=since))])

    def owners_after_losing(self, since: int) -> list[str]:
        """Changing calls of nodes that had said goodbye before and had not spoken again."""
        silent: set[str] = set()
        wrong = []
        events = self.lab.timeline.select(lambda e: e.kind == "advert" or is_mutating(e), since)
        for event in sorted(events, key=lambda e: e.at):
            if event.kind == "advert":
                (silent.add if event.priority == 0 else silent.discard)(event.source)
            elif event.fields["node"].removeprefix("node-") in silent:
                wrong.append(str(event))
        return wrong

    def cut(self, name: str) -> None:
        self.cluster.zones.nodes[name].run(
            "nft", "add table ip lab; add chain ip lab input { type filter hook input priority 0; }; "
                   "add rule ip lab input ip protocol 112 drop")

    def heal(self, name: str) -> None:
        self.cluster.zones.nodes[name].run("nft", "delete table ip lab")


if __name__ == "__main__":
    main()
