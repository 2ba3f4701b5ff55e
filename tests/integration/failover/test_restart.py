"""vipd restart: the daemon is replaced by the program that is installed now, and neither the peers, nor EC2, nor who sends to
the address notice."""

import contextlib
import itertools
import os
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from lab import bounds, rootless
from lab.cloudsim import is_mutating
from lab.cluster import Cluster
from lab.dataplane import Application, Client, RouteFollower
from lab.testing import LabTest, main
from lab.timeline import Event
from lab.vipd import program

PRIORITIES = {"a": 200, "b": 100}
# A program with sanitizers takes a while to start on a busy machine.
INTERVAL_MS = 500.0
RLIMIT_RTTIME = 15  # Linux's; Python has no name for it


class Restart(LabTest):
    def setUp(self) -> None:
        super().setUp()
        # A program of its own, which an upgrade can replace.
        self.built = program("VIPD", "vipd")
        self.program = Path(self.lab.directory, "vipd")
        shutil.copy(self.built, self.program)
        before = os.environ.get("VIPD")
        os.environ["VIPD"] = str(self.program)
        self.addCleanup(lambda: os.environ.update(VIPD=before) if before else os.environ.pop("VIPD"))
        self.cluster = Cluster(self.lab, priorities=PRIORITIES, interval_ms=INTERVAL_MS, reconcile_ms=1000.0,
                               tables=1)
        RouteFollower(self.cluster.zones, self.cluster.tables[0])
        for name in PRIORITIES:
            Application(self.cluster.zones, name)
            self.cluster.start(name).ready()
        self.cluster.settle("a")

    def install(self, what: str) -> None:
        """As a package manager does it: what runs goes on, and its path is another file's."""
        self.program.unlink()
        shutil.copy(what, self.program)

    def restart(self, name: str) -> subprocess.CompletedProcess:
        node = self.cluster.nodes[name]
        return subprocess.run([self.program, "restart", "--config", node.file, "--socket", node.socket],
                              capture_output=True, text=True, timeout=30, check=False)

    def test_nobody_notices(self) -> None:
        a = self.cluster.nodes["a"]
        epoch, process = a.router()["epoch"], a.pid
        with Client(self.cluster.zones) as client:
            self.lab.timeline.until("a answers", lambda: client.answered_by("a", 0), timeout=5)
            self.install(self.built)
            asked = self.lab.timeline.note("lab", "restart")
            done = self.restart("a")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Active here, as before: lab", done.stdout)
            self.lab.timeline.until("two seconds have passed", lambda: client.asked_for_ms(asked.at) > 2000.0, timeout=15)
            self.assertEqual(client.unanswered(asked.at), 0)
        self.assertEqual(a.pid, process)
        self.assertIsNone(a.exit_code, "it is the same process to whoever started it")
        status = a.status()
        self.assertLess(status["uptime_seconds"], 20.0)
        router = status["routers"][0]
        self.assertEqual((router["state"], router["epoch"]), ("Active", epoch))
        self.assertTrue(all(resource["state"] == "here" for resource in router["resources"]), router["resources"])
        self.assertEqual([str(advert) for advert in self.lab.adverts("b", since=asked.at)], [], "b never took over")
        self.assertEqual([advert.priority for advert in self.lab.adverts("a", since=asked.at) if advert.priority != 200], [])
        requests = self.lab.timeline.select(lambda e: e.source == "cloud" and e.kind == "request", asked.at)
        self.assertEqual([str(request) for request in requests if is_mutating(request)], [], "it is here already")

    def test_what_the_file_says_of_real_time_is_followed(self) -> None:
        a = self.cluster.nodes["a"]
        epoch, text = a.router()["epoch"], a.file.read_text()

        def restart_with(realtime: str) -> int:
            a.file.write_text(text.replace("realtime = false\n", f"realtime = {realtime}\n"))
            done = self.restart("a")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((a.state(), a.router()["epoch"]), ("Active", epoch))
            return os.sched_getscheduler(a.pid) & ~os.SCHED_RESET_ON_FORK

        if restart_with("true") != os.SCHED_FIFO:
            self.skipTest("no real-time scheduling here")
        self.assertEqual(restart_with("false"), os.SCHED_OTHER)
        soft, hard = resource.prlimit(a.pid, RLIMIT_RTTIME)
        self.assertEqual(soft, hard)
        ignored = int(re.search(r"^SigIgn:\s*([0-9a-f]+)", Path(f"/proc/{a.pid}/status").read_text(), re.MULTILINE)[1], 16)
        self.assertFalse(ignored >> (signal.SIGXCPU - 1) & 1)

    def test_a_wrong_configuration_is_found_before_anything_happens(self) -> None:
        a = self.cluster.nodes["a"]
        uptime = a.status()["uptime_seconds"]
        a.file.write_text(a.file.read_text() + "\n[nonsense]\n")
        refused = self.restart("a")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nonsense", refused.stderr)
        self.assertGreaterEqual(a.status()["uptime_seconds"], uptime, "it is the process that it was")
        self.assertEqual(a.state(), "Active")

    def assert_goes_on(self, asked: Event, why: str) -> None:
        a = self.cluster.nodes["a"]
        self.assertIn(why, a.log_line("a says why", "event=restart outcome=refused", since=asked.at).text)
        self.assertEqual(a.state(), "Active")
        self.assertEqual([advert.priority for advert in self.lab.adverts("a", since=asked.at) if advert.priority != 200], [])
        self.assertEqual(self.lab.adverts("b", since=asked.at), [])

    def test_the_daemon_has_its_file_checked_by_the_new_program_itself(self) -> None:
        """Whoever asks may see another file, or be another user."""
        a = self.cluster.nodes["a"]
        text = a.file.read_text()
        a.file.write_text(text + "\n[nonsense]\n")
        asked = self.lab.timeline.note("lab", "restart")
        self.assertEqual(a.request("POST", "/v1/restart")[0], 200)
        self.assert_goes_on(asked, "nonsense")
        a.file.write_text(text)
        self.install("/bin/false")
        asked = self.lab.timeline.note("lab", "restart")
        self.assertEqual(a.request("POST", "/v1/restart")[0], 200)
        self.assert_goes_on(asked, "exit code 1")
        self.install(self.built)
        done = self.restart("a")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_file_that_was_named_from_a_folder_is_found(self) -> None:
        self.cluster.nodes["a"].stop()
        self.cluster.settle("b")
        self.cluster.first["a"] = ("sh", "-c", f'cd {self.lab.directory} && exec "$0" run --config vipd-a.toml')
        a = self.cluster.start("a")
        self.cluster.settle("a")
        self.assertEqual(a.file, Path(self.lab.directory, "vipd-a.toml"))
        done = self.restart("a")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_port_that_another_program_has_is_found_before_anything_happens(self) -> None:
        a = self.cluster.nodes["a"]
        server = self.lab.start("server", ["python3", "-m", "http.server", "--bind", "127.0.0.1", "9119"],
                                namespace=self.cluster.zones.nodes["a"])
        self.addCleanup(lambda: server.running and server.kill())
        self.lab.timeline.until("the server listens", lambda: ":9119" in subprocess.run(
            self.cluster.zones.nodes["a"].command("ss", "-ltn"), capture_output=True, text=True, check=True).stdout)
        text = a.file.read_text()
        self.assertIn("listen = []\n", text)
        a.file.write_text(text.replace("listen = []\n", 'listen = ["127.0.0.1:9119"]\n'))
        asked = self.lab.timeline.note("lab", "restart")
        code, answer = a.request("POST", "/v1/restart")
        self.assertNotEqual(code, 200)
        self.assertIn("another program listens there", answer)
        self.assertEqual(a.state(), "Active")
        self.assertEqual(self.lab.adverts("b", since=asked.at), [])

    def test_a_program_that_does_not_start_is_a_crash_that_the_peers_follow(self) -> None:
        a = self.cluster.nodes["a"]
        self.program.unlink()
        self.program.write_text('#!/bin/sh\ntest "$1" = check\n')
        self.program.chmod(0o755)
        asked = self.lab.timeline.note("lab", "restart")
        code, text = a.request("POST", "/v1/restart")
        self.assertEqual(code, 200, text)
        self.assertEqual(a.wait(10), 1)
        self.assert_took_over("b", "a", asked.at, bounds.down_interval(PRIORITIES["b"], INTERVAL_MS))
        self.cluster.settle("b")

    def test_a_program_that_cannot_be_executed_leaves_the_daemon_as_it_was(self) -> None:
        a = self.cluster.nodes["a"]
        self.program.unlink()
        self.program.write_text("no program\n")
        self.program.chmod(0o755)
        asked = self.lab.timeline.note("lab", "restart")
        done = subprocess.run([self.built, "restart", "--config", a.file, "--socket", a.socket], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("goes on as it was", done.stderr)
        a.log_line("a says why", "event=restart outcome=refused", since=asked.at)
        self.assertEqual(a.state(), "Active")
        self.assertEqual(self.lab.adverts("b", since=asked.at), [])

    @unittest.skipUnless(os.geteuid() == 0 and rootless.is_root(), "in a user namespace the system's programs are nobody's")
    def test_a_script_that_a_refused_restart_has_killed_says_nothing(self) -> None:
        runs, script = Path(self.lab.directory, "runs"), Path(self.lab.directory, "check")
        script.write_text(f"#!/bin/sh\necho >> {runs}\nexec sleep 3\n")
        script.chmod(0o755)
        self.cluster.nodes["a"].stop()
        a = self.cluster.start("a", trackers=[{"kind": "script", "name": "check", "command": [str(script)], "interval": "100ms",
                                               "timeout": "60s"}])
        self.cluster.settle("a")
        self.program.unlink()
        self.program.write_text("no program\n")
        self.program.chmod(0o755)

        def count() -> int:
            return runs.stat().st_size

        before = count()
        self.lab.timeline.until("the script runs anew", lambda: count() > before, timeout=10)
        before = count()
        asked = self.lab.timeline.note("lab", "restart")
        self.assertEqual(a.request("POST", "/v1/restart")[0], 200)
        a.log_line("a says why", "event=restart outcome=refused", since=asked.at)
        self.lab.timeline.until("it has run again, and been looked at", lambda: count() >= before + 2, timeout=20)
        (tracker,) = a.router()["trackers"]
        checks = tracker["checks"]
        self.assertEqual((tracker["state"], checks["failed"], checks["timed_out"]), ("well", 0, 0), tracker)
        self.assertEqual([advert.priority for advert in self.lab.adverts("a", since=asked.at) if advert.priority != 200], [])

    def test_who_does_not_read_the_log_holds_nobody_up(self) -> None:
        log = Path(self.lab.directory, "log")
        os.mkfifo(log)
        reader = os.open(log, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.cluster.nodes["a"].stop()
        self.cluster.first["a"] = ("sh", "-c", f'exec "$0" "$@" 2>{log}')
        a = self.cluster.start("a")
        self.cluster.settle("a")
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(reader, b"\n")
        asked = self.lab.timeline.note("lab", "restart")
        done = self.restart("a")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(a.state(), "Active")
        self.lab.timeline.until("the successor has sent adverts", lambda: len(self.lab.adverts("a", since=asked.at)) >= 4,
                                timeout=10)
        times = [asked.at, *(advert.at for advert in self.lab.adverts("a", since=asked.at))]
        longest_ms = max(later - earlier for earlier, later in itertools.pairwise(times)) / 1e6
        self.assertLess(longest_ms, 1000.0, "nothing has waited for the reader")

    def test_what_is_asked_for_by_a_signal_meanwhile_is_the_successors(self) -> None:
        """Around the moment, less than 0.1 s after the answer, when there is one program no more and another not yet."""
        a = self.cluster.nodes["a"]
        epoch = a.router()["epoch"]

        def ask_and_signal(number: int, after_ms: float) -> Event:
            asked = self.lab.timeline.note("lab", "restart")
            self.assertEqual(a.request("POST", "/v1/restart")[0], 200)
            time.sleep(after_ms / 1000.0)
            a.signal(number)
            return asked

        # The new program has checked the file first, and then there are 50 ms. What keepalived writes files for does no harm at
        # any time.
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            asked = ask_and_signal(number, 80.0)
            a.log_line("one of them has heard it", f"event=signal number={int(number)}", since=asked.at)
            a.log_line("the successor starts", "event=start", since=asked.at)
        for after_ms in (5.0, 60.0, 70.0, 80.0, 90.0, 100.0, 120.0):
            asked = ask_and_signal(signal.SIGHUP, after_ms)
            a.log_line("one of them reloads", "event=reload outcome=applied", since=asked.at)
            a.log_line("the successor starts", "event=start", since=asked.at)
            self.assertEqual((a.state(), a.router()["epoch"]), ("Active", epoch), after_ms)
        asked = ask_and_signal(signal.SIGTERM, 80.0)
        self.assertEqual(a.wait(20), 0)
        self.lab.advert("a releases", "a", since=asked.at, priority=0)
        self.cluster.settle("b")

    def test_a_backup_is_replaced_as_well(self) -> None:
        asked = self.lab.timeline.note("lab", "restart")
        done = self.restart("b")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no router", done.stdout)
        self.assertEqual(self.cluster.nodes["b"].state(), "Backup")
        self.assertEqual(self.lab.adverts("b", since=asked.at), [])


if __name__ == "__main__":
    main()
