"""What EC2 or Auto Scaling announces about an instance: its node hands over while clients go on asking, and none notices."""

from lab.cluster import Cluster
from lab.dataplane import Application, Client, RouteFollower
from lab.testing import LabTest, main

PRIORITIES = {"a": 200, "b": 100}
# Notices are asked for every 5 s.
HEARD_WITHIN_S = 12.0


class Notices(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0, tables=1)
        self.cloud = self.cluster.cloud
        RouteFollower(self.cluster.zones, self.cluster.tables[0])
        for name in PRIORITIES:
            Application(self.cluster.zones, name)

    def begin(self, **notices: bool) -> None:
        for name in PRIORITIES:
            self.cluster.start(name, notices=notices).ready()
        self.cluster.settle("a")

    def wait_for_questions(self, path: str, since: int) -> None:
        """Until a has asked the metadata service for it twice: the first time it may have been about to."""
        for _ in range(2):
            since = 1 + self.lab.timeline.wait(f"a asks for {path}", lambda e: e.source == "cloud" and e.fields.get(
                "node") == "node-a" and path in e.fields.get("action", ""), since=since, timeout=HEARD_WITHIN_S).at

    def hands_over(self, notice: dict) -> None:
        """Node a is given the notice: b takes over, and each question of the client is answered."""
        with Client(self.cluster.zones) as client:
            self.lab.timeline.until("a answers", lambda: client.answered_by("a", 0), timeout=5)
            given = self.lab.timeline.note("lab", "notice_given", what=notice["kind"])
            self.cloud.command("POST", "/notices", {"instance": "node-a", **notice})
            self.cluster.nodes["b"].wait_for_state("Active", timeout=HEARD_WITHIN_S)
            self.cluster.settle("b")
            self.lab.timeline.until("b answers", lambda: client.answered_by("b", given.at), timeout=5)
            # From there on everything that a was sent has been answered or never will be.
            self.lab.timeline.until("a second has passed", lambda: client.asked_for_ms(given.at) > 1000.0, timeout=15)
            self.assertLess(client.longest_silence_ms(given.at), 100.0)
            self.assertEqual(client.unanswered(given.at), 0)
        status = self.cluster.nodes["a"].status()
        self.assertIsNotNone(status["notice"])
        self.assertEqual(status["routers"][0]["effective_priority"], 1)

    def test_a_spot_interruption(self) -> None:
        self.begin()
        self.hands_over({"kind": "spot", "action": "terminate", "in_s": 120})

    def test_a_rebalance_recommendation_counts_where_it_is_wanted(self) -> None:
        self.begin(rebalance=True)
        self.hands_over({"kind": "rebalance"})
        self.assertEqual(self.cluster.nodes["a"].status()["notice"]["kind"], "rebalance recommendation")

    def test_a_rebalance_recommendation_is_left_alone_where_nothing_is_said_of_it(self) -> None:
        self.begin()
        given = self.lab.timeline.note("lab", "notice_given", what="rebalance")
        self.cloud.command("POST", "/notices", {"instance": "node-a", "kind": "rebalance"})
        self.wait_for_questions("spot/instance-action", given.at)
        self.assertIsNone(self.cluster.nodes["a"].status()["notice"])
        self.assertEqual(self.cluster.nodes["a"].router()["effective_priority"], PRIORITIES["a"])
        self.cluster.settle("a")

    def test_auto_scaling_that_terminates_and_thinks_better_of_it(self) -> None:
        self.begin()
        self.hands_over({"kind": "lifecycle", "state": "Terminated"})
        self.cloud.command("DELETE", "/notices/node-a")
        self.lab.timeline.until("a has its priority again",
                                lambda: self.cluster.nodes["a"].router()["effective_priority"] == 200, timeout=HEARD_WITHIN_S)

    def test_a_scheduled_event_counts_when_it_is_near(self) -> None:
        self.begin()
        self.cloud.command("POST", "/notices", {"instance": "node-a", "kind": "maintenance", "in_s": 3600})
        self.wait_for_questions("events/maintenance/scheduled", self.lab.timeline.note("lab", "far_away").at)
        self.assertIsNone(self.cluster.nodes["a"].status()["notice"])
        self.assertEqual(self.cluster.nodes["a"].router()["state"], "Active")
        self.hands_over({"kind": "maintenance", "code": "instance-reboot", "in_s": 60})


if __name__ == "__main__":
    main()
