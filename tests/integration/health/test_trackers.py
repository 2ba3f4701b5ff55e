"""What [[router.track]] does to the roles of two real daemons: a process that dies, a number in a file, a server, a script.

    a (vipd, 150) ── eth0: 10.99.0.0/24 ── b (vipd, 100)
"""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from lab import rootless
from lab.process import Process
from lab.testing import LabTest, main
from lab.vipd import Vipd, VipdConfig

# Answers 200 until there is a file "ill" beside it, and 503 then.
SERVER = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists(sys.argv[1]) else 200)
        self.end_headers()
        self.wfile.write(b"so it is")

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
"""


class Trackers(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.lab.two_nodes()

    def path(self, name: str) -> Path:
        return Path(self.lab.directory, name)

    def program(self, name: str, *arguments: str, **options) -> Process:
        """Ended by the test and not by the lab, to which an end by a signal that nobody sent is a fault."""
        process = self.lab.start(name, [str(argument) for argument in arguments], **options)
        self.addCleanup(lambda: process.running and process.kill())
        return process

    def start(self, name: str, *trackers: dict) -> Vipd:
        node, number, other, priority = {"a": (self.a, 1, 2, 150), "b": (self.b, 2, 1, 100)}[name]
        config = VipdConfig(f"10.99.0.{number}", [f"10.99.0.{other}"], priority=priority, trackers=list(trackers))
        return self.lab.own(Vipd(self.lab, node, config))

    def two(self, tracker: dict) -> tuple[Vipd, Vipd]:
        """a, which has the tracker, is Active."""
        a = self.start("a", tracker)
        b = self.start("b")
        a.wait_for_state("Active")
        b.wait_for_state("Backup")
        return a, b

    def tracker(self, vipd: Vipd) -> dict:
        (found,) = vipd.router()["trackers"]
        return found

    def change_places(self, active: Vipd, other: Vipd) -> None:
        active.wait_for_state("Active")
        self.lab.timeline.until("the other one has let go", lambda: other.state() != "Active")

    # --- the tests ---

    def test_process_that_dies_hands_over_at_once_and_its_return_brings_the_role_back(self) -> None:
        name = f"vip{os.getpid()}"
        shutil.copy("/bin/sleep", self.path(name))
        server = self.program("server", self.path(name), "1000")
        a, b = self.two({"kind": "process", "name": name})
        self.assertEqual(self.tracker(a)["state"], "well")
        self.assertIsNone(self.tracker(a)["next_in_seconds"], "nobody looks while it is there")
        killed = server.kill()
        release = self.lab.advert("a releases the role", "a", since=killed.at, priority=0)
        self.assertLess(release.at - killed.at, 3_000_000_000)
        b.wait_for_state("Active")
        self.assertEqual(a.state(), "Initialize")
        self.assertIn(f"tracker {name}: it has ended", a.router()["state_reason"])
        a.log_line("it is told", f"event=tracker router=lab tracker={name} kind=process", since=killed.at)
        self.program("successor", self.path(name), "1000")
        self.change_places(a, b)

    def test_number_in_a_file_moves_the_priority_and_back(self) -> None:
        file = self.path("weight")
        a, b = self.two({"kind": "file", "name": "weight", "path": str(file), "weight": 1, "interval": "200ms"})
        self.assertEqual(a.router()["effective_priority"], 150)
        file.write_text("-100\n")
        self.change_places(b, a)
        router = a.router()
        self.assertEqual((router["state"], router["effective_priority"]), ("Backup", 50))
        self.assertEqual(router["priority_reason"], "tracker weight: -100")
        file.unlink()
        self.change_places(a, b)
        self.assertEqual(a.router()["effective_priority"], 150)

    def test_server_that_answers_wrongly_and_right_again(self) -> None:
        ill = self.path("ill")
        self.path("server.py").write_text(SERVER)
        self.program("server", "python3", self.path("server.py"), ill, namespace=self.a)
        a, b = self.two({"kind": "http", "name": "web", "url": "http://127.0.0.1:8080/health", "status": [200],
                         "weight": -100, "interval": "200ms", "timeout": "2s", "fall": 2, "rise": 2})
        ill.touch()
        self.change_places(b, a)
        self.assertEqual(self.tracker(a)["reason"], "the answer is 503; well are 200")
        self.assertEqual(self.tracker(a)["contribution"], -100)
        code, metrics = a.request("GET", "/metrics")
        self.assertEqual(code, 200)
        self.assertIn('vipd_tracker_up{router="lab",tracker="web"} 0', metrics)
        self.assertIn('vipd_tracker_contribution{router="lab",tracker="web"} -100', metrics)
        _, page = a.request("GET", "/")
        self.assertIn("the answer is 503", page)
        ill.unlink()
        self.change_places(a, b)
        self.assertEqual(self.tracker(a)["state"], "well")

    def test_look_has_its_whole_timeout_for_what_is_lost_on_the_way(self) -> None:
        """For longer than a connection to EC2 would put up with it, which another one replaces."""
        self.path("server.py").write_text(SERVER.replace("127.0.0.1", "10.99.0.2"))
        self.program("server", "python3", self.path("server.py"), self.path("ill"), namespace=self.b)
        a = self.start("a", {"kind": "http", "name": "web", "url": "http://10.99.0.2:8080/health", "interval": "100ms",
                             "timeout": "20s"})
        a.wait_for_state("Active")
        self.lab.timeline.until("the first look has passed", lambda: self.tracker(a)["checks"]["passed"] > 0)

        def filter_of_b(rules: str) -> None:
            subprocess.run(self.b.command("nft", "-f", "-"), input=rules, text=True, check=True, capture_output=True)

        before = self.tracker(a)["checks"]
        # A connection is made, and nothing that is sent on it arrives.
        filter_of_b("table ip lost { chain input { type filter hook input priority 0; tcp dport 8080 tcp flags & psh == psh "
                    "counter drop; }; }\n")

        def lost() -> int:
            listed = subprocess.run(self.b.command("nft", "list", "table", "ip", "lost"), text=True, check=True,
                                    capture_output=True).stdout
            return int(re.search(r"counter packets (\d+)", listed)[1])

        # The first one, and what was sent again after some 0.2, 0.6 and 1.4 s.
        self.lab.timeline.until("four have been lost", lambda: lost() >= 4, timeout=20)
        filter_of_b("delete table ip lost")
        self.lab.timeline.until("the look has passed", lambda: self.tracker(a)["checks"]["passed"] > before["passed"],
                                timeout=20)
        after = self.tracker(a)["checks"]
        self.assertEqual((after["failed"], after["timed_out"]), (before["failed"], before["timed_out"]))

    @unittest.skipUnless(os.geteuid() == 0 and rootless.is_root(), "in a user namespace the system's programs are nobody's")
    def test_script_decides_and_one_that_hangs_has_failed(self) -> None:
        verdict = self.path("verdict")
        verdict.write_text("exit 0\n")
        script = self.path("check")
        script.write_text(f"#!/bin/sh\n. {verdict}\n")
        script.chmod(0o755)
        a, b = self.two({"kind": "script", "name": "check", "command": [str(script)], "interval": "300ms", "timeout": "2s"})
        verdict.write_text("echo the disk is full; exit 4\n")
        b.wait_for_state("Active")
        self.assertEqual(a.router()["state_reason"], "tracker check: exit status 4: the disk is full")
        verdict.write_text("exit 0\n")
        self.change_places(a, b)
        verdict.write_text("sleep 1000\n")
        b.wait_for_state("Active")
        self.assertEqual(a.router()["state_reason"], "tracker check: it ran for longer than 2s")
        self.assertGreaterEqual(self.tracker(a)["checks"]["timed_out"], 1)

    def test_reload_brings_a_tracker_without_a_transition_and_takes_it_away(self) -> None:
        a, b = self.two({"kind": "interface", "name": "net", "interface": "eth0"})
        file = self.path("maintenance")
        switch = {"kind": "file", "name": "maintenance", "path": str(file), "interval": "100ms"}
        a.configure(VipdConfig("10.99.0.1", ["10.99.0.2"], priority=150, trackers=[switch]))
        code, _ = a.request("POST", "/v1/reload")
        self.assertEqual(code, 200)
        self.lab.timeline.until("it is looked at", lambda: self.tracker(a)["state"] == "well")
        self.assertEqual(a.router()["election"]["became_active"], 1)
        file.write_text("1\n")
        b.wait_for_state("Active")
        self.assertEqual(a.router()["state_reason"], "tracker maintenance: the file says 1")
        a.configure(VipdConfig("10.99.0.1", ["10.99.0.2"], priority=150))
        a.request("POST", "/v1/reload")
        self.change_places(a, b)


if __name__ == "__main__":
    main()
