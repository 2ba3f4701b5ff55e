"""The laboratory is one that AWS's own command line client takes for AWS: what holds against cloudsim is worth something."""

import json
import os
import subprocess

from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.zones import OPERATOR_KEY, REGION, VIP

# Debian's, whatever else is on the PATH.
AWS = "/usr/bin/aws"


class AwsCli(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities={"a": 150, "b": 100, "c": 50}, interval_ms=100.0)
        self.table = self.cluster.tables[0]

    def aws(self, node: str, *arguments: str, key: tuple[str, str] | None = None,
            check: bool = True) -> subprocess.CompletedProcess:
        """Runs the client on a node; without a key it asks the metadata service for the node's role."""
        home = self.lab.directory / "home"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1",
                       "AWS_CA_BUNDLE": str(self.cluster.cloud.ca_file), "AWS_PAGER": ""}
        if key:
            environment |= {"AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]}
        return self.cluster.zones.nodes[node].run(
            AWS, "--endpoint-url", "https://10.0.0.100", "--output", "json", "ec2", *arguments, check=check, env=environment)

    def route(self, node: str, action: str, target: str = "") -> subprocess.CompletedProcess:
        target_arguments = ["--network-interface-id", self.cluster.zones.places[target].interface_id] if target else []
        return self.aws(node, action, "--route-table-id", self.table, "--destination-cidr-block", VIP, *target_arguments,
                        check=False)

    def test_a_node_moves_a_route_with_the_credentials_of_its_role(self) -> None:
        self.assertEqual(self.route("a", "create-route", "a").returncode, 0)
        self.assertEqual(self.cluster.route_targets()[self.table], self.cluster.zones.places["a"].interface_id)
        again = self.route("b", "create-route", "b")
        self.assertIn("RouteAlreadyExists", again.stderr)
        self.assertEqual(self.route("b", "replace-route", "b").returncode, 0)
        self.assertEqual(self.cluster.route_targets()[self.table], self.cluster.zones.places["b"].interface_id)

    def test_a_role_may_do_what_its_policy_says_and_no_more(self) -> None:
        self.assertEqual(self.route("a", "create-route", "a").returncode, 0)
        refused = self.route("a", "delete-route")
        self.assertIn("UnauthorizedOperation", refused.stderr)
        self.assertEqual(self.cluster.owners(), {"a", ""})

    def test_an_operator_with_a_key_reads_the_tables(self) -> None:
        answer = json.loads(self.aws("c", "describe-route-tables", key=OPERATOR_KEY).stdout)
        self.assertEqual(sorted(table["RouteTableId"] for table in answer["RouteTables"]), self.cluster.tables)

    def test_a_wrong_secret_is_refused(self) -> None:
        refused = self.aws("c", "describe-route-tables", key=(OPERATOR_KEY[0], "not/the/secret"), check=False)
        self.assertRegex(refused.stderr, "AuthFailure|SignatureDoesNotMatch")


if __name__ == "__main__":
    main()
