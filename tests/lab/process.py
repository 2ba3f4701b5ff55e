"""Processes inside a namespace: their lines become events, they die with the lab, and they are ended by their own id only."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .network import Namespace
from .observer import Observer
from .timeline import Event, Timeline, now

LineParser = Callable[[str], dict]

_LOGFMT = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


def _unescape(match: re.Match) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if len(code) == 3 else {"n": "\n", "t": "\t"}.get(code, code)


def logfmt(line: str) -> dict:
    """The fields of a line like `event=transition router=haproxy reason="no advert for 361 ms"`."""
    fields = {}
    for key, value in _LOGFMT.findall(line):
        if value.startswith('"'):
            value = re.sub(r"\\(x[0-9a-f]{2}|.)", _unescape, value[1:-1])
        fields[key] = value
    return fields


class Process:
    """One child. `log` events carry the line as `text` and whatever the parser found in it."""

    def __init__(self, timeline: Timeline, observer: Observer, name: str, arguments: list[str], *,
                 namespace: Namespace | None = None, environment: Mapping[str, str] | None = None,
                 parse: LineParser = lambda line: {}) -> None:
        self.name = name
        self._timeline = timeline
        self._parse = parse
        # The signal on the parent's death is what ends the children of a lab that is itself killed.
        command = ["setpriv", "--pdeathsig", "KILL", *arguments]
        self.started = now()
        self._child = subprocess.Popen(namespace.command(*command) if namespace else command, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env={**os.environ, **(environment or {})})
        self.pid = self._child.pid
        assert self._child.stdout is not None
        # The observer owns a duplicate, so that the order in which objects are collected does not matter.
        output = os.dup(self._child.stdout.fileno())
        self._child.stdout.close()
        self._output_ended = threading.Event()
        observer.watch_lines(output, self._line, self._output_ended.set)
        exit_descriptor = os.pidfd_open(self.pid)

        def exited() -> None:
            observer.unwatch(exit_descriptor)
            os.close(exit_descriptor)
            timeline.note(name, "exit", code=self._child.wait())
            self._exit_noted.set()

        self._exit_noted = threading.Event()
        observer.watch(exit_descriptor, exited)

    def _line(self, line: str) -> None:
        self._timeline.add(Event(now(), self.name, "log", {**self._parse(line), "text": line}))

    @property
    def running(self) -> bool:
        """Until its end is on the timeline, so that a successor begins after it there too."""
        return self._child.poll() is None or not self._exit_noted.is_set()

    @property
    def exit_code(self) -> int | None:
        return self._child.poll()

    def kernel_says(self, field: str) -> int:
        """A number of /proc/PID/status: "Threads", "VmRSS" and "VmHWM" (in KiB), ..."""
        return int(re.search(rf"^{field}:\s*(\d+)", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE).group(1))

    def forget_memory_peak(self) -> None:
        """VmHWM is the highest since then."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def is_sanitized(self) -> bool:
        """AddressSanitizer keeps what was freed: memory says nothing there."""
        return "/libasan." in Path(f"/proc/{self.pid}/maps").read_text()

    def signal(self, number: int) -> Event:
        """Sends a signal to this process alone; the event's time is the moment just before."""
        event = Event(now(), "lab", "signal", {"target": self.name, "signal": signal.Signals(number).name})
        self._child.send_signal(number)
        self._timeline.add(event)
        return event

    def kill(self) -> Event:
        """The crash: SIGKILL, to all its children too where there are any (see Keepalived)."""
        return self.signal(signal.SIGKILL)

    def wait(self, timeout: float = 10.0) -> int:
        """Its end is on the timeline afterwards, before anything that its successor does."""
        code = self._child.wait(timeout)
        self._exit_noted.wait(timeout)
        return code

    def log_line(self, what: str, containing: str, *, since: int = 0, timeout: float = 10.0) -> Event:
        return self._timeline.wait(f"{self.name}: {what}",
                                   lambda e: e.source == self.name and e.kind == "log" and containing in e.text,
                                   since=since, timeout=timeout)

    def stop(self, timeout: float = 5.0) -> int:
        """Asks politely, then does not ask. Its last words are on the timeline afterwards."""
        if self.running:
            self._child.terminate()
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self._child.kill()
        code = self._child.wait(timeout)
        self._output_ended.wait(timeout)
        return code
