"""What a run writes down beside the laboratory: the lines of logs that are files on small disks, the stream of each daemon's
events, and what each process uses."""

import calendar
import json
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

from lab.process import logfmt
from lab.timeline import Event, Timeline, now
from lab.vipd import Vipd
from story import STAMP

PERIOD_SECONDS = 0.1
DISK_BYTES = 512 * 1024
PAGE = 4096
# A line that was cut when the disk was full may have the next one behind it.
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z (level=.*?)(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z level=|$)")
_STREAM = b"GET /v1/events HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n"


def on_our_clock(seconds: str, microseconds: str) -> int:
    """The time of a line on CLOCK_MONOTONIC. Both clocks are read now: the wall clock has had a tenth of a second to step."""
    wall = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000 + int(microseconds) * 1000
    return now() - (time.time_ns() - wall)


def records_of(text: str) -> list[tuple[str, str, str]]:
    """The records of one line of a file: seconds, microseconds and the rest; none where it is no line of the daemon's."""
    return _LINE.findall(text)


class Disk:
    """A small tmpfs with the log of one node."""

    def __init__(self, directory: Path, node: str) -> None:
        self.path = directory / f"disk-{node}"
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.path)], check=True)
        self.log = self.path / "log"
        self.log.touch()
        self._filling = self.path / "filling"

    @property
    def first(self) -> tuple[str, ...]:
        """Goes before a program whose output is to be written here."""
        return "sh", "-c", 'exec "$@" >>"$0" 2>&1', str(self.log)

    def fill(self) -> None:
        with self._filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                pass
        # The rest of the log's own last page is the file's already.
        with self.log.open("ab") as file:
            file.write(b"\n" * (-self.log.stat().st_size % PAGE))

    def free(self) -> None:
        self._filling.unlink(missing_ok=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=False)


class _Tail:
    """Lines of a growing file as they come."""

    def __init__(self, timeline: Timeline, node: str, file: Path) -> None:
        self._timeline = timeline
        self._node = node
        self._file = file.open("rb")
        self._pending = b""

    def read(self) -> None:
        *lines, self._pending = (self._pending + self._file.read()).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            records = records_of(text)
            for seconds, microseconds, rest in records:
                at = on_our_clock(seconds, microseconds)
                fields = logfmt(rest)
                self._timeline.add(Event(at, self._node, "log", {"text": rest}))
                if fields.get("event") == "restart" and "program" in fields:
                    self._timeline.add(Event(at, self._node, "replaced"))
                if fields.get("event") == "transition":
                    self._timeline.add(Event(at, self._node, "log_transition", fields))
            if text and not records:  # what a sanitizer or a failed assertion says
                self._timeline.add(Event(now(), self._node, "log", {"text": text}))

    def close(self) -> None:
        self._file.close()


class _Stream:
    """/v1/events of one process over its Unix socket, from its first event on. It is opened when that is possible, and again
    when it was closed: from its first event on once more, or from that of the program that the process has become."""

    def __init__(self, timeline: Timeline, node: Vipd) -> None:
        self.node = node
        self._timeline = timeline
        self._socket: socket.socket | None = None
        self._pending = b""
        self._seen: dict[int, str] = {}  # by number: when it was

    def read(self) -> None:
        if self._socket is None and self.node.running:
            self._connect()
        while self._socket is not None:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    self._event(json.loads(line[5:]))

    def _connect(self) -> None:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(0.05)
        try:
            opened.connect(self.node.socket)
            opened.sendall(_STREAM)
        except OSError:
            opened.close()
            return
        opened.setblocking(False)
        self._socket, self._pending = opened, b""

    def _event(self, event: dict) -> None:
        number, stamp = event["number"], event["at"]
        if self._seen.get(number) == stamp:
            return
        at = on_our_clock(*stamp.removesuffix("Z").split("."))
        if number in self._seen:
            # Numbers begin again with the successor. Its predecessor's last line may have been lost: it was before this.
            self._seen.clear()
            self._timeline.add(Event(at - STAMP, self.node.name, "replaced", {"seen": "afterwards"}))
        self._seen[number] = stamp
        if event["kind"] == "transition":
            self._timeline.add(Event(at, self.node.name, "stream_transition", logfmt(event["text"])))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Recorder:
    """A thread that looks at everything ten times a second; `look` may be called from elsewhere too."""

    def __init__(self, lab, disks: dict[str, Disk]) -> None:
        self._timeline = lab.timeline
        self._tails = [_Tail(lab.timeline, node, disk.log) for node, disk in disks.items()]
        self._streams: list[_Stream] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.counts_memory = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def follow(self, node: Vipd) -> None:
        """A process that was just started."""
        with self._lock:
            self._streams.append(_Stream(self._timeline, node))

    def look(self) -> None:
        with self._lock:
            for tail in self._tails:
                tail.read()
            for stream in self._streams:
                stream.read()
                self._measure(stream.node)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        self.look()
        for part in [*self._tails, *self._streams]:
            part.close()

    def _measure(self, node: Vipd) -> None:
        try:
            if not node.running:
                return
            used = {"descriptors": len(os.listdir(f"/proc/{node.pid}/fd")), "threads": node.kernel_says("Threads")}
            if self.counts_memory:
                used["rss_kib"] = node.kernel_says("VmRSS")
        except (OSError, AttributeError):  # it has ended in the meantime: a zombie has no memory
            return
        self._timeline.note(node.name, "measured", **used)

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD_SECONDS):
            self.look()
