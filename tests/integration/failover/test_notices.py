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
            self.cluster.start(name).ready()
        self.cluster.settle("a")

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
        self.hands_over({"kind": "spot", "action": "terminate", "in_s": 120})

    def test_auto_scaling_that_terminates_and_thinks_better_of_it(self) -> None:
        self.hands_over({"kind": "lifecycle", "state": "Terminated"})
        self.cloud.command("DELETE", "/notices/node-a")
        self.lab.timeline.until("a has its priority again",
                                lambda: self.cluster.nodes["a"].router()["effective_priority"] == 200, timeout=HEARD_WITHIN_S)

    def test_a_scheduled_event_counts_when_it_is_near(self) -> None:
        self.cloud.command("POST", "/notices", {"instance": "node-a", "kind": "maintenance", "in_s": 3600})
        asked = self.lab.timeline.note("lab", "far_away")
        for _ in range(2):
            asked = self.lab.timeline.wait("a has asked for scheduled events", lambda e: e.source == "cloud" and
                                           "events/maintenance/scheduled" in e.fields.get("action", ""),
                                           since=asked.at + 1, timeout=HEARD_WITHIN_S)
        self.assertIsNone(self.cluster.nodes["a"].status()["notice"])
        self.assertEqual(self.cluster.nodes["a"].router()["state"], "Active")
        self.hands_over({"kind": "maintenance", "code": "instance-reboot", "in_s": 60})


if __name__ == "__main__":
    main()
