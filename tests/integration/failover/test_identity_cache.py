"""A node that is restarted while the instance metadata service is down still knows who it is: it becomes Active and moves the
route, and when the service returns nothing happens that would not have happened without."""

import json
from pathlib import Path

from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.vipd import Vipd, identity_cache, program
from lab.zones import OPERATOR_KEY, VPC

PRIORITIES = {"a": 150, "b": 100}
# A role's credentials would come from the service that is down.
KEYS = {"AWS_ACCESS_KEY_ID": OPERATOR_KEY[0], "AWS_SECRET_ACCESS_KEY": OPERATOR_KEY[1]}


class IdentityCache(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=200.0, reconcile_ms=1000.0)
        for name in PRIORITIES:
            self.start(name)
        self.routes_lead_to("a")

    def start(self, name: str, **changes) -> Vipd:
        node = self.cluster.start(name, environment=KEYS, **changes)
        node.ready()
        return node

    def routes_lead_to(self, name: str) -> None:
        self.cluster.nodes[name].wait_for_state("Active")
        self.lab.timeline.until(f"every table leads to {name}", lambda: self.cluster.owners() == {name}, timeout=15)
        self.cluster.wait_until_known(name)

    def identity_source(self, name: str) -> str | None:
        return self.cluster.nodes[name].status()["aws"]["identity_source"]

    def cache_of(self, name: str) -> Path:
        return Path(identity_cache(self.cluster.nodes[name].socket))

    def imds_goes_down(self) -> None:
        """From here on node a gets no connection to the metadata service; b, which plays no part, keeps it."""
        self.cluster.zones.nodes["a"].ip("route", "add", "unreachable", "169.254.169.254/32")

    def imds_returns(self) -> None:
        self.cluster.zones.nodes["a"].ip("route", "del", "unreachable", "169.254.169.254/32")

    def crash_of_a(self) -> None:
        self.cluster.nodes["a"].kill()
        self.routes_lead_to("b")
        self.cluster.zones.nodes["a"].ip("address", "flush", "dev", "lo", "scope", "global")

    def mutations_of_a(self, since: int) -> list:
        return self.lab.timeline.select(lambda e: is_mutating(e) and e.fields.get("node") == "node-a", since)

    def test_a_node_restarted_while_imds_is_down_moves_the_route(self) -> None:
        kept = json.loads(self.cache_of("a").read_text(encoding="utf-8"))
        self.assertEqual(self.cache_of("a").stat().st_mode & 0o777, 0o600)
        place = self.cluster.zones.places["a"]
        self.assertEqual([(i["mac"], i["id"], i["vpc"]) for i in kept["interfaces"]], [(place.mac, place.interface_id, VPC)])
        self.assertEqual(self.identity_source("a"), "imds")
        self.imds_goes_down()
        self.crash_of_a()

        restarted = self.start("a")
        restarted.log_line("where its identity is from", "event=identity ", since=restarted.started)
        self.routes_lead_to("a")
        self.assertEqual(self.identity_source("a"), "cache")
        self.lab.timeline.until("it says that the service is down", lambda: restarted.status()["aws"]["last_error"] != "")
        shown = restarted.node.run(program("VIPD", "vipd"), "status", "--socket", restarted.socket)
        self.assertIn("identity from the cache", shown.stdout)

        asked = self.mutations_of_a(restarted.started)
        epoch = restarted.router()["epoch"]
        self.imds_returns()
        self.lab.timeline.until("the service has confirmed it", lambda: self.identity_source("a") == "imds", timeout=20)
        restarted.log_line("that it was confirmed", "source=imds", since=restarted.started)
        self.assertEqual(self.mutations_of_a(restarted.started), asked, "what was confirmed is no reason for a call")
        self.assertEqual((restarted.state(), restarted.router()["epoch"]), ("Active", epoch))

    def test_a_file_that_cannot_be_believed_delays_nothing_but_the_routes(self) -> None:
        text = self.cache_of("a").read_text(encoding="utf-8")
        self.imds_goes_down()
        self.crash_of_a()
        self.cache_of("a").write_text(text[:len(text) // 2], encoding="utf-8")

        restarted = self.start("a")
        said = restarted.log_line("why", "event=identity_cache", since=restarted.started)
        self.assertEqual((said.outcome, said.file), ("ignored", str(self.cache_of("a"))))
        restarted.wait_for_state("Active")
        self.assertIsNone(self.identity_source("a"))
        self.assertEqual(self.mutations_of_a(restarted.started), [])
        self.imds_returns()
        self.routes_lead_to("a")
        self.assertEqual(self.cache_of("a").read_text(encoding="utf-8"), text, "it is whole again")

    def test_a_file_that_cannot_be_written_is_a_warning_and_nothing_else(self) -> None:
        self.crash_of_a()
        nowhere = Path(self.lab.directory, "not-there", "identity.json")
        config = self.cluster.config("a")
        restarted = self.start("a", aws={**config.aws, "identity_cache": str(nowhere)})
        said = restarted.log_line("why", "event=identity_cache", since=restarted.started)
        self.assertEqual((said.outcome, said.file), ("not_written", str(nowhere)))
        self.routes_lead_to("a")
        self.assertEqual(self.identity_source("a"), "imds")


if __name__ == "__main__":
    main()
