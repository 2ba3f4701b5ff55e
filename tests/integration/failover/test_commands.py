"""What an operator types and opens: the command line against running daemons, and the HTTP endpoint over TCP."""

import json
import signal
import subprocess
import unittest
import urllib.error
import urllib.request
from collections.abc import Iterator

from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.testing import LabTest, main
from lab.unix_http import UnixConnection
from lab.vipd import Vipd, program
from lab.zones import VIP

PRIORITIES = {"a": 150, "b": 100, "c": 50}


class Usage(unittest.TestCase):
    """Without a daemon."""

    def vipd(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([program("VIPD", "vipd"), *arguments], capture_output=True, text=True, timeout=20, check=False)

    def test_every_command_explains_itself_with_examples(self) -> None:
        commands = ("run", "check", "plan", "doctor", "status", "step-down", "maintenance", "priority", "reload", "version")
        overview = self.vipd("--help").stdout
        for command in commands:
            with self.subTest(command=command):
                shown = self.vipd(command, "--help")
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                self.assertIn(f"Examples:\n  vipd {command}", shown.stdout)
                self.assertRegex(overview, rf"(?m)^  {command} ")

    def test_the_version_is_one_line(self) -> None:
        shown = self.vipd("version")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertRegex(shown.stdout, r"\Avipd \d+\.\d+\.\d+ \(.*\)\n\Z")
        self.assertEqual(self.vipd("--version").stdout, shown.stdout)

    def test_a_wrong_command_line_is_exit_code_2_and_a_sentence(self) -> None:
        for arguments in ((), ("stauts",), ("status", "--jsno"), ("status", "extra"), ("run", "--config"), ("maintenance",),
                          ("maintenance", "perhaps"), ("priority",), ("priority", "255"), ("priority", "high"),
                          ("priority", "--router", "a router", "100"), ("step-down",), ("step-down", "lab", "--all"),
                          ("step-down", "a router")):
            with self.subTest(arguments=arguments):
                refused = self.vipd(*arguments)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertRegex(refused.stderr, r"\Avipd: .+\n\Z")


class Commands(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=100.0, preempt_delay_ms=30_000.0,
                               reconcile_ms=1000.0, listen={"a": "10.0.1.10:9112"})
        self.a = self.cluster.start("a")
        self.a.wait_for_state("Active")
        self.cluster.wait_until_known("a")

    def vipd(self, *arguments: str, node: Vipd | None = None, on: str = "a") -> subprocess.CompletedProcess:
        """Runs a command on a node; with `node` it asks that daemon."""
        socket = ["--socket", node.socket] if node else []
        return self.cluster.zones.nodes[on].run(program("VIPD", "vipd"), *arguments, *socket, check=False)

    def start_b(self) -> Vipd:
        node = self.cluster.start("b")
        node.wait_for_state("Backup")
        self.cluster.wait_until_known("a")
        return node

    def http(self, method: str, path: str) -> tuple[int, str]:
        """From the namespace of the client, over TCP."""
        def ask() -> tuple[int, str]:
            request = urllib.request.Request(f"http://10.0.1.10:9112{path}", method=method)
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        return self.cluster.zones.client.call(ask)

    # --- commands ---

    def test_check_accepts_a_good_file_and_reports_every_error_of_a_bad_one(self) -> None:
        self.assertEqual(self.vipd("check", "--config", str(self.a.file)).returncode, 0)
        self.a.configure(self.cluster.config("a", priority=0, advert_interval="5ms", more={"colour": "red"}))
        refused = self.vipd("check", "--config", str(self.a.file))
        self.assertEqual(refused.returncode, 1)
        lines = (refused.stdout + refused.stderr).splitlines()
        for key in ("priority", "advert_interval", "colour"):
            self.assertTrue([line for line in lines if key in line and line.startswith(f"{self.a.file}:")], f"{key}: {lines}")

    def test_status_shows_people_who_is_active_and_programs_everything(self) -> None:
        shown = self.vipd("status", node=self.a)
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        for word in ("lab", "Active", VIP, self.cluster.tables[0]):
            self.assertIn(word, shown.stdout)
        self.assertNotIn("\x1b", shown.stdout, "no colours in a pipe")
        document = json.loads(self.vipd("status", "--json", node=self.a).stdout)
        self.assertEqual(document["routers"][0]["state"], "Active")

    def test_a_command_without_a_daemon_says_so(self) -> None:
        self.a.stop()
        failed = self.vipd("status", node=self.a)
        self.assertEqual((failed.returncode, failed.stdout), (1, ""))
        self.assertIn(self.a.socket, failed.stderr)

    def test_plan_reads_and_changes_nothing(self) -> None:
        b = self.start_b()
        since = self.lab.timeline.note("lab", "plan").at
        ids = {name: place.interface_id for name, place in self.cluster.zones.places.items()}
        # What the daemon says, and what is found without one: of a nothing would change, of b every table would.
        for node, heading, address, route in (
                (self.a, "nothing would change", f"= {VIP} on lo: is there", f"= {VIP} in TABLE: stays at {ids['a']}"),
                (b, "4 changes", f"+ {VIP} on lo: added by netlink",
                 f"~ {VIP} in TABLE: ReplaceRoute from {ids['a']} to {ids['b']}")):
            expected = {f"  {line}" for line in (address, *(route.replace("TABLE", table) for table in self.cluster.tables))}
            for shown in (self.vipd("plan", node=node), self.vipd("plan", "--config", str(node.file), on=node.name)):
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                first, *lines = shown.stdout.splitlines()
                self.assertRegex(first, rf"^lab \(\w+\): {heading}$")
                self.assertEqual(set(lines), expected)
        self.assertEqual(self.lab.timeline.select(is_mutating, since), [])
        self.assertEqual(self.cluster.owners(), {"a"})
        self.assertEqual((self.a.state(), b.state()), ("Active", "Backup"))

    def test_a_plan_without_a_daemon_waits_for_every_table_and_says_what_it_could_not_read(self) -> None:
        whole = self.vipd("plan", "--config", str(self.a.file))
        self.assertEqual((whole.returncode, whole.stderr), (0, ""))
        for table in self.cluster.tables:
            self.assertIn(f"= {VIP} in {table}: stays", whole.stdout)
        self.cluster.cloud.fault(action="DescribeRouteTables", kind="fail", status=403, code="UnauthorizedOperation",
                                 message="You are not authorized")
        denied = self.vipd("plan", "--config", str(self.a.file))
        self.assertEqual(denied.returncode, 1)
        self.assertIn(f"? {VIP}: ", denied.stdout)
        self.assertIn("UnauthorizedOperation", denied.stdout + denied.stderr)
        self.assertIn("not everything could be read in 10 s", denied.stderr)

    def test_step_down_hands_over(self) -> None:
        b = self.start_b()
        self.assertEqual(self.vipd("step-down", "lab", node=self.a).returncode, 0)
        b.wait_for_state("Active")
        self.a.wait_for_state("Backup")
        self.assertNotEqual(self.vipd("step-down", "nobody", node=b).returncode, 0)
        self.assertEqual(b.state(), "Active")
        on_backup = self.vipd("step-down", "lab", node=self.a)
        self.assertEqual((on_backup.returncode, on_backup.stdout), (1, ""))
        self.assertIn("router lab is Backup here, Active is 10.0.2.20: run it there", on_backup.stderr)
        self.assertEqual(b.state(), "Active")

    def test_a_command_that_does_not_exist_is_named(self) -> None:
        failed = self.vipd("import")
        self.assertEqual((failed.returncode, failed.stdout), (2, ""))
        self.assertIn("'import' is no command of vipd; there are run, check, plan, doctor, ", failed.stderr)

    def test_step_down_of_all_hands_over(self) -> None:
        b = self.start_b()
        self.assertEqual(self.vipd("step-down", "--all", node=self.a).returncode, 0)
        b.wait_for_state("Active")
        self.a.wait_for_state("Backup")

    def test_status_is_drawn_again_until_it_is_interrupted(self) -> None:
        watch = self.lab.start("watch", [program("VIPD", "vipd"), "status", "--watch", "--socket", self.a.socket])
        watch.log_line("the Active", "Active")
        changed = self.lab.timeline.note("lab", "maintenance_on")
        self.assertEqual(self.vipd("maintenance", "on", node=self.a).returncode, 0)
        watch.log_line("what has become of it", "Initialize", since=changed.at)
        watch.signal(signal.SIGINT)
        self.assertEqual(watch.wait(5), -signal.SIGINT)

    def test_maintenance_keeps_a_node_out_until_it_is_over(self) -> None:
        b = self.start_b()
        on = self.lab.timeline.note("lab", "maintenance_on")
        self.assertEqual(self.vipd("maintenance", "on", node=self.a).returncode, 0)
        self.lab.advert("a says goodbye", "a", since=on.at, priority=0)
        b.wait_for_state("Active")
        crash = b.kill()
        # Nobody else is there, and still a does not speak: seen from the second look that the cloud is asked for after it.
        for _ in range(3):
            asked = self.lab.timeline.note("lab", "look")
            self.lab.timeline.wait("a reads the cloud", lambda e: e.kind == "request" and e.fields.get("node") == "node-a",
                                   since=asked.at, timeout=10)
        self.assertEqual([e for e in self.lab.adverts("a", since=crash.at) if e.priority > 0], [])
        self.assertEqual(self.vipd("maintenance", "off", node=self.a).returncode, 0)
        self.a.wait_for_state("Active")

    def test_a_priority_that_is_set_moves_the_role_and_is_kept_by_a_restart_in_place(self) -> None:
        b = self.cluster.start("b", preempt_delay="0s")
        b.wait_for_state("Backup")
        lowered = self.lab.timeline.note("lab", "priority")
        shown = self.vipd("priority", "50", node=self.a)
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("router lab: the priority is 50 (configured: 150) until ", shown.stdout)
        self.lab.advert("a says so", "a", since=lowered.at, priority=50)
        b.wait_for_state("Active")
        self.a.wait_for_state("Backup")
        self.assertIn("50, set", self.vipd("status", node=self.a).stdout)
        self.assertIn('vipd_router_runtime_priority{router="lab"} 50', self.http("GET", "/metrics")[1])
        # Neither another configuration nor another process of this one takes it back.
        self.a.configure(self.cluster.config("a", preempt_delay="0s"))
        self.assertEqual(self.vipd("reload", node=self.a).returncode, 0)
        self.assertEqual(self.vipd("restart", "--config", str(self.a.file), node=self.a).returncode, 0)
        self.assertEqual(self.priorities_of_a(), (150, 50, 50))
        self.assertEqual(self.vipd("priority", "--router", "lab", "default", node=self.a).returncode, 0)
        self.a.wait_for_state("Active")
        self.assertEqual(self.priorities_of_a(), (150, None, 150))

    def test_a_priority_that_is_set_gives_way_to_one_that_is_configured_anew(self) -> None:
        self.assertEqual(self.vipd("priority", "200", node=self.a).returncode, 0)
        self.assertEqual(self.priorities_of_a(), (150, 200, 200))
        refused = self.vipd("priority", "--router", "nobody", "100", node=self.a)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn('there is no router "nobody"', refused.stderr)
        self.assertEqual(self.priorities_of_a(), (150, 200, 200))
        self.a.configure(self.cluster.config("a", priority=140))
        self.assertEqual(self.vipd("reload", node=self.a).returncode, 0)
        self.assertEqual(self.priorities_of_a(), (140, None, 140))
        self.assertEqual(self.a.state(), "Active")

    def priorities_of_a(self) -> tuple[int, int | None, int]:
        """Configured, set at run time, and what takes part in the election."""
        router = self.a.router()
        return router["priority"], router["runtime_priority"], router["effective_priority"]

    def test_reload_answers_with_the_reason(self) -> None:
        self.a.configure(self.cluster.config("a", priority=140))
        self.assertEqual(self.vipd("reload", node=self.a).returncode, 0)
        self.assertEqual(self.a.router()["priority"], 140)
        self.a.configure(self.cluster.config("a", priority=999))
        refused = self.vipd("reload", node=self.a)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("999", refused.stdout + refused.stderr)
        self.assertEqual(self.a.router()["priority"], 140)

    def test_a_daemon_with_a_wrong_file_does_not_start(self) -> None:
        place = self.cluster.config("c", priority=999)
        node = self.lab.own(Vipd(self.lab, self.cluster.zones.nodes["c"], place))
        self.assertEqual(node.wait(), 1)
        node.log_line("the place and what is allowed", "router[0].priority", since=node.started)

    def test_sigterm_twice_ends_at_once(self) -> None:
        self.a.configure(self.cluster.config("a", more={"drain": "60s"}))
        self.assertEqual(self.vipd("reload", node=self.a).returncode, 0)
        asked = self.a.signal(signal.SIGTERM)
        self.lab.advert("a says goodbye", "a", since=asked.at, priority=0)
        self.assertTrue(self.a.running, "the address drains")
        self.a.signal(signal.SIGTERM)
        self.assertEqual(self.a.wait(10), 0)

    # --- HTTP ---

    def test_load_balancers_and_people_are_answered_over_tcp(self) -> None:
        self.assertEqual(self.http("GET", "/healthz")[0], 200)
        self.assertEqual(self.http("GET", "/readyz")[0], 200)
        self.assertEqual(self.http("GET", "/v1/routers/lab/active")[0], 200)
        page = self.http("GET", "/")[1]
        self.assertIn("<!doctype html>", page)
        self.assertIn(VIP, page)
        self.assertIn('vipd_router_state{router="lab",state="active"} 1', self.http("GET", "/metrics")[1].lower())
        self.start_b()
        self.a.step_down()
        self.a.wait_for_state("Backup")
        self.assertEqual(self.http("GET", "/v1/routers/lab/active")[0], 503)

    def test_events_are_streamed_as_they_happen(self) -> None:
        seen = self.a.get("/v1/events")
        self.assertTrue([event for event in seen["events"] if event["kind"] == "transition"], "history comes as a list")
        events = self.stream_of_events(after=seen["last"])
        self.a.step_down()
        transition = next(event for event in events if event["kind"] == "transition")
        self.assertGreater(transition["number"], seen["last"])
        self.assertIn("from=Active to=Backup", transition["text"])

    def stream_of_events(self, after: int) -> Iterator[dict]:
        connection = UnixConnection(self.a.socket, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", f"/v1/events?after={after}", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "text/event-stream"))
        return (json.loads(line.removeprefix(b"data: ")) for line in answer if line.startswith(b"data: "))

    def test_changes_are_refused_over_tcp(self) -> None:
        for path in ("/v1/routers/lab/step-down", "/v1/priority"):
            code, text = self.http("POST", path)
            self.assertEqual(code, 403, text)
        self.assertEqual(self.a.state(), "Active")

    def test_no_secret_is_shown(self) -> None:
        credentials = self.a.status()["aws"]
        self.assertTrue(credentials["access_key_id"].startswith("ASIA"))
        everything = "\n".join([self.a.request("GET", path)[1] for path in ("/v1/status", "/metrics", "/", "/v1/events")]
                               + [e.text for e in self.lab.timeline.select(lambda e: e.source == "a" and e.kind == "log")])
        secret = self.secret_of_role()
        self.assertNotIn(secret["SecretAccessKey"], everything)
        self.assertNotIn(secret["Token"], everything)

    def secret_of_role(self) -> dict:
        """As the metadata service gives it to the node."""
        def ask() -> dict:
            base = "http://169.254.169.254/latest/"
            token = urllib.request.urlopen(urllib.request.Request(
                base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}), timeout=5).read()
            return json.loads(urllib.request.urlopen(urllib.request.Request(
                base + "meta-data/iam/security-credentials/vipd", headers={"X-aws-ec2-metadata-token": token.decode()}),
                timeout=5).read())

        return self.cluster.zones.nodes["a"].call(ask)


if __name__ == "__main__":
    main()
