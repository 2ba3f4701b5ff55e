"""`vipd doctor` on a node where all is well, beside daemons that run, and on one where much is wrong at once."""

import json
import subprocess
from pathlib import Path

from lab import movables
from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.hotplug import Hotplug
from lab.testing import LabTest, main
from lab.vipd import program
from lab.zones import REGION, VPC

GROUP, GROUP_OF_B = "sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"
PRIORITIES = {"a": 150, "b": 100}
# EC2 has no dry run of these, and vipd reads no prefix list.
NOT_LOOKED_AT = ("ec2:AssignIpv6Addresses", "ec2:AssignPrivateIpAddresses", "ec2:UnassignIpv6Addresses",
                 f"route {movables.PREFIX_LIST}")


def grouped(topology: dict) -> None:
    """Security groups as an operator makes them: one for all nodes, which lets them speak VRRP to one another."""
    topology["security_groups"] = [
        {"id": GROUP, "vpc": VPC, "inbound": [{"protocol": "112", "groups": [GROUP]}]},
        {"id": GROUP_OF_B, "vpc": VPC, "inbound": [{"protocol": "tcp", "from_port": 22, "cidrs": ["10.0.0.0/16"]}]}]
    for instance in topology["instances"]:
        instance["interfaces"][0]["security_groups"] = [GROUP]


def broken(topology: dict) -> None:
    grouped(topology)
    a, b, _ = topology["instances"]
    a["interfaces"][0]["source_dest_check"] = True
    b["interfaces"][0]["security_groups"] = [GROUP_OF_B]
    topology["interfaces"] = [{"id": "eni-0aaaaaaaaaaaaaaa9", "subnet": topology["subnets"][1]["id"],
                               "mac": "02:00:00:00:02:50", "addresses": ["10.0.2.50"], "tags": {"Name": "floating"}}]


def movable(topology: dict) -> None:
    """All that can be moved in the zone of b and c."""
    grouped(topology)
    movables.add_to(topology)


class Doctor(LabTest):
    def begin(self, topology, priorities: dict[str, int] = PRIORITIES, **config) -> None:
        self.cluster = Cluster(self.lab, priorities=priorities, interval_ms=200.0, reconcile_ms=1000.0, tables=2,
                               topology=topology)
        self.file = Path(self.lab.directory, "doctor.toml")
        self.visit(*priorities, **config)

    def visit(self, name: str, peer: str, **config) -> None:
        """From now on `name` is the node that is examined, with `peer` for its only one."""
        self.node = self.cluster.zones.nodes[name]
        settings = {"peers": [entry for entry in self.cluster.zones.peers_of(name)
                              if entry["address"] == self.cluster.zones.places[peer].address], **config}
        self.file.write_text(self.cluster.config(name, **settings).text(str(Path(self.lab.directory, f"vipd-{name}.sock"))))

    def vipd(self, *arguments: str) -> subprocess.CompletedProcess:
        return self.node.run(program("VIPD", "vipd"), *arguments, "--config", str(self.file), check=False)

    def allow(self, *more: str) -> None:
        """The role gets what the command prints for this configuration."""
        printed = self.vipd("iam-policy", "--region", REGION, "--account", "123456789012", *more)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.cluster.cloud.command("PUT", "/policies", {"principal": "role/vipd", "statements": json.loads(printed.stdout)})

    def examine(self) -> tuple[int, list[dict]]:
        shown = self.vipd("doctor", "--json")
        self.assertEqual(shown.stderr, "")
        document = json.loads(shown.stdout)
        return shown.returncode, [{"section": section["name"], **finding} for section in document["sections"]
                                  for finding in section["findings"]]

    def assert_found(self, findings: list[dict], verdict: str, check: str, *words: str) -> None:
        of_check = [f for f in findings if f["verdict"] == verdict and f["check"] == check]
        text = " ".join(f"{f['found']} {f['remedy']}" for f in of_check)
        self.assertTrue(of_check, f"no {verdict} of {check} in {json.dumps(findings, indent=1)}")
        for word in words:
            self.assertIn(word, text)

    def changes_asked_for(self, since: int) -> list[str]:
        return [e.action for e in self.lab.timeline.select(is_mutating, since) if not e.fields.get("dry_run")]

    def test_a_healthy_node_beside_a_running_daemon(self) -> None:
        self.begin(grouped)
        self.allow("--with-doctor")
        for name in PRIORITIES:
            self.cluster.start(name)
        self.cluster.settle("a")
        since = self.lab.timeline.note("lab", "doctor").at
        code, findings = self.examine()
        self.assertEqual([f for f in findings if f["verdict"] in ("fail", "warn", "skipped")], [])
        self.assertEqual(code, 0)
        checks = {
            "node": ("configuration", "capabilities", "interface eth0", "daemon"),
            "AWS": ("metadata service", "credentials", "EC2 endpoint", "path to EC2", "clock", "ec2:ReplaceRoute",
                    "ec2:CreateRoute"),
            "router lab": ("source", "adverts", "peer 10.0.2.20", "route 172.16.1.100/32", "source/destination check")}
        for section, names in checks.items():
            shown = {f["check"] for f in findings if f["section"] == section}
            self.assertLessEqual(set(names), shown)
        self.assert_found(findings, "ok", "adverts", "the daemon is Active")
        # A dry run changes nothing, and leaves the daemon where it was.
        self.assertEqual(self.changes_asked_for(since), [])
        self.assertEqual(self.cluster.owners(), {"a"})
        self.assertEqual(self.cluster.nodes["a"].state(), "Active")

    def test_healthy_nodes_between_which_everything_moves(self) -> None:
        config = {"routes": [{"destination": movables.PREFIX_LIST, "tables": {"vpc": True}}], "moves": {
            "secondary_ip": [{"address": movables.ADDRESS}, {"address": movables.ADDRESS6}],
            "elastic_ip": [{"allocation": movables.ELASTIC_IP, "private_address": movables.ADDRESS}],
            "eni": [{"match": {"tags": {"Name": "floating"}}, "device_index": 1}]}}
        self.begin(movable, movables.PRIORITIES, **config)
        hotplug = Hotplug(self.cluster.zones)
        self.addCleanup(hotplug.close)
        self.allow("--with-doctor", "--vpc", VPC)
        for name in movables.PRIORITIES:
            self.cluster.start(name, peers=movables.peers_of(self.cluster, name), **config)
        self.cluster.nodes["b"].wait_for_state("Active")
        self.lab.timeline.until("b has everything", lambda: all(
            resource["state"] == "here" for resource in self.cluster.nodes["b"].router()["resources"]), timeout=20)
        since = self.lab.timeline.note("lab", "doctor").at
        b = self.cluster.zones.places["b"]
        for name, peer in (("b", "c"), ("c", "b")):
            self.visit(name, peer, **config)
            code, findings = self.examine()
            self.assertEqual(code, 0)
            self.assertEqual({(f["verdict"], f["check"]) for f in findings if f["verdict"] != "ok"},
                             {("skipped", check) for check in NOT_LOOKED_AT})
            self.assert_found(findings, "ok", f"route {movables.PREFIX_LIST}", f"leads to {b.interface_id} in")
            for address in (movables.ADDRESS, movables.ADDRESS6):
                self.assert_found(findings, "ok", f"secondary_ip {address}",
                                  f"of the subnet of {self.cluster.zones.places[name].interface_id}; {b.interface_id} has it")
            self.assert_found(findings, "ok", f"elastic_ip {movables.ELASTIC_IP}",
                              f"mapped to {movables.ADDRESS} at {b.interface_id}")
            self.assert_found(findings, "ok", f"eni {VPC} with tag Name=floating", f"at {b.instance_id} as device 1")
            for action in ("AssociateAddress", "AttachNetworkInterface", "CreateRoute", "DetachNetworkInterface",
                           "ModifyNetworkInterfaceAttribute", "ReplaceRoute"):
                self.assert_found(findings, "ok", f"ec2:{action}", "allowed on", "(dry run)")
        self.assertEqual(self.changes_asked_for(since), [])
        self.assertEqual([self.cluster.nodes[name].state() for name in ("b", "c")], ["Active", "Backup"])

    def test_the_least_policy_is_enough_for_a_daemon_and_doctor_says_what_it_could_not_see(self) -> None:
        self.begin(grouped)
        self.allow()
        code, findings = self.examine()
        self.assertEqual(code, 0, findings)
        self.assert_found(findings, "skipped", "ec2:DescribeSecurityGroups", "UnauthorizedOperation", "--with-doctor")
        self.assert_found(findings, "ok", "ec2:ReplaceRoute")

    def test_everything_that_is_wrong_is_named_at_once(self) -> None:
        self.begin(broken,
                   peers=["10.0.2.20", "10.0.2.77"],
                   routes=[{"destination": "172.16.1.100/32",
                            "tables": {"ids": ["rtb-00000000000000001", "rtb-0bbbbbbbbbbbbbbb1"]}},
                           {"destination": "10.0.1.200/32", "tables": {"vpc": True}}],
                   moves={"secondary_ip": [{"address": "10.0.2.100"}],
                          "elastic_ip": [{"allocation": "eipalloc-0bbbbbbbbbbbbbbb1"}],
                          "eni": [{"match": {"tags": {"Name": "floating"}}}]})
        self.cluster.cloud.set_policy("role/vipd", [{"effect": "allow", "actions": ["ec2:Describe*", "ec2:ReplaceRoute"]}])
        self.cluster.cloud.command("PUT", "/settings", {"clock_offset_s": 400})
        since = self.lab.timeline.note("lab", "doctor").at
        code, findings = self.examine()
        self.assertEqual(code, 1)
        self.assert_found(findings, "fail", "clock", " s behind EC2's, which refuses signatures", "chrony")
        self.assert_found(findings, "fail", "ec2:CreateRoute", "UnauthorizedOperation", "vipd iam-policy")
        self.assert_found(findings, "fail", "source/destination check", "on at", "--no-source-dest-check")
        self.assert_found(findings, "fail", "peer 10.0.2.20", f"inbound of 10.0.2.20 ({GROUP_OF_B})",
                          f"allow inbound IP protocol 112 from 10.0.1.10 or {GROUP} in {GROUP_OF_B}")
        self.assert_found(findings, "fail", "peer 10.0.2.20", "a secondary address is of one subnet", "stays in its zone")
        self.assert_found(findings, "warn", "peer 10.0.2.77", "no interface of")
        self.assert_found(findings, "fail", "route 10.0.1.200/32", "no whole subnet", "outside of the VPC")
        self.assert_found(findings, "fail", "route 172.16.1.100/32", "there is no route table rtb-0bbbbbbbbbbbbbbb1")
        self.assert_found(findings, "fail", "secondary_ip 10.0.2.100", "outside of the subnet")
        self.assert_found(findings, "fail", "elastic_ip eipalloc-0bbbbbbbbbbbbbbb1", "there is none")
        self.assert_found(findings, "fail", f"eni {VPC} with tag Name=floating", f"{REGION}b", f"{REGION}a")
        self.assertEqual(self.changes_asked_for(since), [])
        # And for people, in lines.
        shown = self.vipd("doctor")
        self.assertEqual(shown.returncode, 1)
        self.assertRegex(shown.stdout, r"(?m)^  FAIL +ec2:CreateRoute +denied on ")
        self.assertRegex(shown.stdout, r"(?m)^\d+ ok, \d+ warnings?, \d+ failed, \d+ skipped$")

    def test_what_is_out_of_reach_ends_in_time(self) -> None:
        self.begin(grouped, aws={"endpoint": "https://10.0.0.99"})
        code, findings = self.examine()
        self.assertEqual(code, 1)
        self.assert_found(findings, "fail", "EC2 endpoint", "https://10.0.0.99 did not answer", "TCP 443")
        self.cluster.cloud.stop()
        code, findings = self.examine()
        self.assertEqual(code, 1)
        self.assert_found(findings, "fail", "metadata service", "hop limit")


if __name__ == "__main__":
    main()
