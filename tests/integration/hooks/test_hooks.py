"""The programs of [router.hooks] as two real daemons run them: what they are told and in which order, a notify script of
keepalived's, and programs that misbehave while adverts go on.

    a (vipd, 150) ── eth0: 10.99.0.0/24 ── b (vipd, 100)
"""

import os
import pwd
import signal
import unittest
from pathlib import Path

from lab import rootless
from lab.testing import LabTest, main
from lab.vipd import Vipd, VipdConfig

EVENTS = ("active", "owned", "backup", "fault", "stopping", "lower_priority_advert")

# Each program writes what it is told, in one line. The file is not among what it is told, so it stands in the script.
RECORDER = """#!/bin/sh
env | grep ^VIPD_ | sort > {file}.$VIPD_EVENT
echo "$VIPD_EVENT" >> {file}
"""

# As they are found beside keepalived, with its four arguments and no more.
NOTIFY = """#!/bin/bash
TYPE=$1
NAME=$2
STATE=$3
PRIORITY=$4

case $STATE in
    MASTER|BACKUP|FAULT|STOP|MASTER_RX_LOWER_PRI)
        echo "$TYPE $NAME $STATE $PRIORITY" >> {file}
        exit 0
        ;;
    *)
        echo "unknown state: $STATE"
        exit 1
        ;;
esac
"""


@unittest.skipUnless(os.geteuid() == 0 and rootless.is_root(), "in a user namespace the system's programs are nobody's")
class Hooks(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.lab.two_nodes()

    def path(self, name: str) -> Path:
        return Path(self.lab.directory, name)

    def script(self, name: str, text: str) -> str:
        path = self.path(name)
        path.write_text(text.format(file=self.path(name + ".told")))
        path.chmod(0o755)
        return str(path)

    def told(self, name: str) -> list[str]:
        path = self.path(name + ".told")
        return path.read_text().splitlines() if path.exists() else []

    def variables(self, name: str, event: str) -> dict[str, str]:
        lines = self.path(f"{name}.told.{event}").read_text().splitlines()
        return dict(line.removeprefix("VIPD_").split("=", 1) for line in lines)

    def recorder(self, name: str) -> dict:
        return dict.fromkeys(EVENTS, [self.script(name, RECORDER)])

    def start(self, name: str, hooks: dict, first: tuple[str, ...] = (), **more) -> Vipd:
        node, number, other, priority = {"a": (self.a, 1, 2, 150), "b": (self.b, 2, 1, 100)}[name]
        config = VipdConfig(f"10.99.0.{number}", [f"10.99.0.{other}"], priority=priority, hooks=hooks, **more)
        return self.lab.own(Vipd(self.lab, node, config, first))

    def as_nobody(self, *capabilities: str) -> tuple[str, ...]:
        """As the packaged unit starts it: a user of its own, with ambient capabilities."""
        os.chown(self.lab.directory, pwd.getpwnam("nobody").pw_uid, -1)
        all_of_them = ",".join(f"+{name}" for name in ("net_raw", "net_admin", *capabilities))
        return ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", f"--inh-caps={all_of_them}",
                f"--ambient-caps={all_of_them}")

    def until_told(self, name: str, expected: list[str]) -> None:
        self.lab.timeline.until(f"{name} tells {expected}", lambda: self.told(name) == expected, timeout=15)

    def hooks(self, vipd: Vipd) -> dict[str, dict]:
        return {hook["event"]: hook for hook in vipd.router()["hooks"] if hook["hook"] == hook["event"]}

    # --- the tests ---

    def test_two_nodes_tell_their_roles_in_order(self) -> None:
        a = self.start("a", self.recorder("a"), preempt_delay="30s")
        a.wait_for_state("Active")
        self.until_told("a", ["backup", "active", "owned"])
        b = self.start("b", self.recorder("b"))
        b.wait_for_state("Backup")
        self.until_told("b", ["backup"])
        a.step_down()
        self.until_told("b", ["backup", "active", "owned"])
        self.until_told("a", ["backup", "active", "owned", "backup"])
        self.assertEqual(
            self.variables("b", "active"),
            {"ROUTER": "lab", "VRID": "51", "EVENT": "active", "STATE": "Active", "PREVIOUS_STATE": "Backup", "EPOCH": "1",
             "REASON": "the last Active handed over", "PRIORITY": "100", "ADDRESSES": "172.16.1.100", "INTERFACE": "eth0",
             "SOURCE": "10.99.0.2", "ACTIVE_ADDRESS": "10.99.0.2"})
        self.assertEqual(self.variables("a", "backup")["REASON"], "an operator asked it to step down")
        b.signal(signal.SIGTERM)
        self.assertEqual(b.wait(20), 0)
        self.assertEqual(self.told("b"), ["backup", "active", "owned", "stopping"])
        self.assertEqual(self.variables("b", "stopping")["REASON"], "vipd is stopping")

    def test_link_that_fails_is_a_fault(self) -> None:
        a = self.start("a", self.recorder("a"))
        a.wait_for_state("Active")
        self.until_told("a", ["backup", "active", "owned"])
        self.a.ip("link", "set", "eth0", "down")
        self.until_told("a", ["backup", "active", "owned", "fault"])
        self.assertEqual(self.variables("a", "fault")["STATE"], "Initialize")
        self.a.ip("link", "set", "eth0", "up")
        self.until_told("a", ["backup", "active", "owned", "fault", "backup", "active", "owned"])
        self.assertEqual(self.variables("a", "active")["EPOCH"], "2")

    def test_a_script_of_keepaliveds_runs_unchanged(self) -> None:
        a = self.start("a", {"notify": [self.script("notify", NOTIFY)]})
        a.wait_for_state("Active")
        self.until_told("notify", ["INSTANCE lab BACKUP 150", "INSTANCE lab MASTER 150"])
        a.signal(signal.SIGTERM)
        self.assertEqual(a.wait(20), 0)
        self.assertEqual(self.told("notify")[2:], ["INSTANCE lab STOP 150"])

    def test_a_hook_that_hangs_is_ended_and_adverts_go_on(self) -> None:
        hang = ["/bin/sh", "-c", "trap '' TERM; echo it hangs; while :; do sleep 100; done"]
        a = self.start("a", {"active": hang, "owned": [self.script("a", RECORDER)], "timeout": "1s"})
        b = self.start("b", {})
        a.wait_for_state("Active")
        ended = a.log_line("it is ended", "hook=active notify=false epoch=1 outcome=timed_out", timeout=20)
        self.assertIn("signal 9", ended.text)
        a.log_line("what it said", "event=hook_output router=lab hook=active line=\"it hangs\"", since=a.started)
        self.until_told("a", ["owned"])
        a.log_line("the next one has ended", "event=hook router=lab hook=owned", since=ended.at, timeout=20)
        self.assertEqual((a.state(), b.state()), ("Active", "Backup"))
        self.assertEqual(b.router()["election"]["became_active"], 0)
        shown = self.hooks(a)
        self.assertEqual(shown["active"]["runs"]["timed_out"], 1)
        self.assertEqual(shown["active"]["last"]["outcome"], "timed_out")
        self.assertEqual(shown["owned"]["last"]["outcome"], "succeeded")

    def test_a_hook_does_not_outlive_a_crash(self) -> None:
        a = self.start("a", {"active": ["/bin/sh", "-c", "echo $$; exec sleep 1000"]})
        said = a.log_line("it runs", "event=hook_output router=lab hook=active line=", timeout=20)
        process = Path("/proc", said.line)
        self.assertTrue(process.exists())
        self.start("b", {}).wait_for_state("Backup")
        a.kill()
        a.wait()
        # Whoever it was given to may not have collected it yet.
        self.lab.timeline.until("it is gone", lambda: not process.exists() or ") Z" in Path(process, "stat").read_text())

    def test_a_hook_that_talks_without_end_moves_no_role(self) -> None:
        talk = ["/bin/sh", "-c", "head -c 10000000 /dev/zero | tr '\\0' '\\n' | sed s/^/word/; yes"]
        a = self.start("a", {"backup": talk, "timeout": "4s"})
        a.wait_for_state("Active")
        b = self.start("b", {})
        b.wait_for_state("Backup")
        a.log_line("it is ended", "outcome=timed_out", timeout=30)
        self.assertEqual(len(self.lab.timeline.select(lambda e: e.kind == "log" and "event=hook_output" in e.text)), 100)
        self.assertGreater(self.hooks(a)["backup"]["lines_dropped"], 1000)
        self.assertEqual(b.router()["election"]["became_active"], 0)

    def test_what_fails_is_shown_and_counted(self) -> None:
        a = self.start("a", {"active": ["/bin/sh", "-c", "exit 3"], "backup": ["/usr/bin/nowhere"]})
        a.log_line("a warning at the start", "/usr/bin/nowhere", since=a.started)
        a.wait_for_state("Active")
        a.log_line("it failed", "hook=active notify=false epoch=1 outcome=failed problem=\"exit status 3\"", since=a.started)
        a.log_line("it was not there", "hook=backup notify=false epoch=0 outcome=not_started", since=a.started)
        code, metrics = a.request("GET", "/metrics")
        self.assertEqual(code, 200)
        self.assertIn('vipd_hook_runs_total{router="lab",hook="active",event="active",outcome="failed"} 1', metrics)
        self.assertIn('vipd_hook_failing{router="lab",hook="backup",event="backup"} 1', metrics)
        _, page = a.request("GET", "/")
        self.assertIn("exit status 3", page)

    def test_a_hook_runs_as_the_user_that_is_configured(self) -> None:
        a = self.start("a", {"active": ["/bin/sh", "-c", "id -un; grep CapEff /proc/self/status"], "user": "nobody"})
        a.wait_for_state("Active")
        a.log_line("its user", "event=hook_output router=lab hook=active line=nobody", since=a.started)
        a.log_line("its capabilities", "0000000000000000", since=a.started)

    def test_capabilities_of_a_service_do_not_go_along(self) -> None:
        look = ["/bin/sh", "-c", "id -un; grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status"]
        a = self.start("a", {"active": look}, self.as_nobody())
        a.wait_for_state("Active")
        a.log_line("its own user", "event=hook_output router=lab hook=active line=nobody", since=a.started)
        for word in ("CapPrm", "CapEff", "CapAmb"):
            a.log_line("none", f"line=\"{word}:\\x090000000000000000\"", since=a.started)

    def test_another_user_takes_three_capabilities_more(self) -> None:
        hooks = {"active": ["/bin/sh", "-c", "trap '' TERM; id -un; sleep 100; sleep 100"], "user": "daemon", "timeout": "1s"}
        refused = self.start("a", hooks, self.as_nobody())
        self.assertEqual(refused.wait(20), 1)
        refused.log_line("what to do", "needs CAP_SETUID, CAP_SETGID and CAP_KILL; put deploy/systemd/vipd-hooks.conf",
                         since=refused.started)
        a = self.start("a", hooks, self.as_nobody("setuid", "setgid", "kill"))
        a.wait_for_state("Active")
        a.log_line("the other user", "event=hook_output router=lab hook=active line=daemon", since=a.started)
        a.log_line("it can be ended", "hook=active notify=false epoch=1 outcome=timed_out", since=a.started)

    def test_a_reload_changes_the_next_event_and_is_none(self) -> None:
        a = self.start("a", self.recorder("first"))
        a.wait_for_state("Active")
        self.until_told("first", ["backup", "active", "owned"])
        a.config.hooks = self.recorder("second")
        at = self.lab.timeline.note("lab", "reload")
        a.configure(a.config)
        a.signal(signal.SIGHUP)
        a.log_line("the reload", "event=reload outcome=applied", since=at.at)
        a.step_down()
        self.until_told("second", ["backup", "active", "owned"])
        self.assertEqual(self.told("first"), ["backup", "active", "owned"])

    def test_a_program_that_others_can_change_is_refused(self) -> None:
        path = self.script("open", RECORDER)
        Path(path).chmod(0o777)
        a = self.start("a", {"active": [path]})
        self.assertEqual(a.wait(20), 1)
        a.log_line("the reason", "has mode 0777, which lets group or others change what is run; chmod go-w it", since=a.started)


if __name__ == "__main__":
    main()
