"""Routes move with credentials that STS gave: for a token, and for a role that a profile assumes with another's credentials."""

from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.timeline import Event
from lab.zones import EXTERNAL_ID, OPERATOR_KEY, ROUTES_ROLE, STS_ADDRESS, TOKEN, TOKEN_ROLE

ENVIRONMENT = {"AWS_ENDPOINT_URL_STS": f"https://{STS_ADDRESS}"}
MAY_ASSUME = [{"effect": "allow", "actions": ["sts:AssumeRole"]}]


class Credentials(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities={"a": 150, "b": 100, "c": 50}, interval_ms=100.0, reconcile_ms=1000.0)
        # The instances' own role may not touch a route: what moves one has its credentials from STS.
        self.cluster.cloud.set_policy("role/vipd", MAY_ASSUME)

    def profile(self, name: str, lines: dict[str, str]) -> dict:
        """What makes a node use this profile of a config file of its own; the credentials file has the operator's keys."""
        keys = self.lab.directory / "credentials"
        keys.write_text(f"[base]\naws_access_key_id = {OPERATOR_KEY[0]}\naws_secret_access_key = {OPERATOR_KEY[1]}\n")
        file = self.lab.directory / f"config-{name}"
        file.write_text("[profile routes]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items()))
        return {"aws": {**self.cluster.config(name).aws, "profile": "routes"},
                "environment": {**ENVIRONMENT, "AWS_CONFIG_FILE": str(file), "AWS_SHARED_CREDENTIALS_FILE": str(keys)}}

    def of_sts(self, since: int, node: str, **fields) -> Event:
        return self.lab.timeline.wait(
            f"STS answers {node}", lambda e: e.source == "cloud" and e.kind == "request" and e.fields["service"] == "sts"
            and e.fields["node"] == f"node-{node}" and all(e.fields[key] == value for key, value in fields.items()),
            since=since, timeout=20.0)

    def assert_moved_with(self, node: str, since: int, source: str, role: str) -> None:
        self.cluster.all_tables_moved(node, since, timeout=20.0)
        self.assertEqual(self.cluster.owners(), {node})
        aws = self.cluster.nodes[node].status()["aws"]
        self.assertEqual((aws["credential_source"], aws["role_arn"], aws["last_error"]), (source, role, ""))
        call = self.lab.timeline.wait(f"{node} moves a route", lambda e: is_mutating(e) and e.fields["status"] == 200
                                      and e.fields["node"] == f"node-{node}", since=since)
        self.assertTrue(call.fields["access_key"].startswith("ASIA"), "a session's key, and no user's")

    def test_a_token_moves_the_route_and_the_file_is_read_again_for_the_next_session(self) -> None:
        token = self.lab.directory / "token"
        token.write_text(TOKEN[0] + "\n")
        # Sessions that end within seconds: EC2 refuses the first, and the next one is asked for with the token of that time.
        self.cluster.cloud.command("PUT", "/settings", {"credential_lifetime_s": 3})
        node = self.cluster.start("a", environment={**ENVIRONMENT, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                                                    "AWS_ROLE_ARN": TOKEN_ROLE})
        self.assert_moved_with("a", node.started, "web_identity", TOKEN_ROLE)
        first = self.of_sts(node.started, "a", action="AssumeRoleWithWebIdentity", status=200)
        self.assertEqual((first.fields["role"], first.fields["signature"]), (TOKEN_ROLE, "unsigned"))
        self.cluster.cloud.put_token(TOKEN[0], TOKEN[1], expired=True)
        self.cluster.cloud.put_token("the.next.token", TOKEN[1])
        token.write_text("the.next.token\n")
        renewed = self.lab.timeline.note("lab", "renewed_token")
        self.of_sts(renewed.at, "a", action="AssumeRoleWithWebIdentity", status=200)

    def test_a_profile_assumes_its_role_with_the_keys_of_another_and_with_the_instances_own(self) -> None:
        of_role = {"role_arn": ROUTES_ROLE, "external_id": EXTERNAL_ID}
        a = self.cluster.start("a", **self.profile("a", {**of_role, "source_profile": "base", "role_session_name": "node-a"}))
        self.assert_moved_with("a", a.started, "assumed_role", ROUTES_ROLE)
        self.assertEqual(self.of_sts(a.started, "a", action="AssumeRole").fields["access_key"], OPERATOR_KEY[0])

        b = self.cluster.start("b", **self.profile("b", {**of_role, "credential_source": "Ec2InstanceMetadata"}))
        asked = self.of_sts(b.started, "b", action="AssumeRole", status=200)
        self.assertTrue(asked.fields["access_key"].startswith("ASIA"), "signed with the session of the instance's role")
        b.wait_for_state("Backup")
        self.lab.timeline.until("b can call EC2", lambda: b.status()["aws"]["ready"], timeout=20.0)
        died = a.kill()
        self.assert_moved_with("b", died.at, "assumed_role", ROUTES_ROLE)

    def test_a_role_that_is_not_given_is_explained_and_costs_no_virtual_address(self) -> None:
        a = self.cluster.start("a", **self.profile("a", {"role_arn": ROUTES_ROLE, "source_profile": "base",
                                                         "external_id": "another"}))
        a.wait_for_state("Active")
        self.of_sts(a.started, "a", action="AssumeRole", status=403)
        self.lab.timeline.until("a says why", lambda: a.status()["aws"]["last_error"], timeout=20.0)
        problem = a.status()["aws"]["last_error"]
        for part in ('the profile "routes" cannot assume ' + ROUTES_ROLE, "AccessDenied", "trust policy", "external_id"):
            self.assertIn(part, problem)
        self.assertNotIn("another", problem)
        self.assertEqual(self.cluster.owners(), {""})


if __name__ == "__main__":
    main()
