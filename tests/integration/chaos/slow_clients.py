"""Clients of the status endpoint that are slow, many, or do not speak HTTP. None of them may cost an advert."""

import socket
import threading
import time
from collections.abc import Callable

from lab.network import Namespace
from lab.timeline import Timeline

CROWD = 150
STEP_SECONDS = 0.05
TEXT_MAX = 1 << 20
SCRAPED = ("/metrics", "/v1/status", "/v1/events", "/", "/v1/plan", "/healthz", "/v1/routers/lab", "/nowhere")

# HTTP/2, TLS, a proxy's request, a command that TCP may not give, and what is too long or no HTTP at all.
NONSENSE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"CONNECT x:1 HTTP/1.1\r\n\r\n",
    b"POST /v1/routers/lab/step-down HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    bytes(4096),
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET " + b"/x" * 40000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
)


class SlowClients:
    """Those of one fault, on a thread, until it is ended."""

    def __init__(self, timeline: Timeline, node: Namespace, port: int, style: str) -> None:
        self._timeline = timeline
        self._node = node
        self._address = ("127.0.0.1", port)
        self._ending = threading.Event()
        self._opened: list[socket.socket] = []
        self._round = 0
        step = {"slowloris": self._drip, "crowd": self._crowd, "huge_head": self._huge_head, "half_close": self._half_close,
                "never_reads": self._never_read, "nonsense": self._nonsense, "scrapes": self._scrape}[style]
        self._thread = threading.Thread(target=self._run, args=(step,), name=style, daemon=True)
        self._timeline.note(node.name, "crowded", style=style)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join(10)
        self._timeline.note(self._node.name, "crowd_gone")

    def _run(self, step: Callable[[], None]) -> None:
        while not self._ending.wait(STEP_SECONDS):
            try:
                step()
            except OSError:  # it was turned away, or the node is not there
                pass
            self._round += 1
        for opened in self._opened:
            opened.close()

    def _connect(self, count: int = 1) -> list[socket.socket]:
        """Keeps them open until the end, the newest crowd of them."""
        opened = self._node.call(lambda: [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)])
        self._opened += opened
        while len(self._opened) > CROWD:
            self._opened.pop(0).close()
        for each in opened:
            each.settimeout(0.2)
            each.connect(self._address)
        return opened

    def _drip(self) -> None:
        """A byte of a head now and then, on thirty connections."""
        if self._round % 10 == 0:
            for opened in self._connect(30):
                opened.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        for opened in self._opened[-30:]:
            opened.send(b"X")

    def _crowd(self) -> None:
        if self._round % 20 == 0:
            self._connect(CROWD)

    def _huge_head(self) -> None:
        opened, = self._connect()
        fields = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(64))
        opened.sendall(b"GET /v1/status HTTP/1.1\r\n" + fields + b"\r\n")
        self._read(opened)

    def _half_close(self) -> None:
        opened, = self._connect()
        opened.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if self._round % 2 else b""))
        opened.shutdown(socket.SHUT_WR)
        self._read(opened)

    def _never_read(self) -> None:
        """Two hundred requests on one connection, and nobody reads the answers."""
        if len(self._opened) < 20:
            opened, = self._connect()
            opened.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 200)

    def _nonsense(self) -> None:
        opened, = self._connect()
        opened.sendall(NONSENSE[self._round % len(NONSENSE)])
        self._read(opened)

    def _scrape(self) -> None:
        opened, = self._connect()
        opened.sendall(f"GET {SCRAPED[self._round % len(SCRAPED)]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        self._read(opened)

    def _read(self, opened: socket.socket) -> None:
        """What it is answered, as output of the node."""
        text = bytearray()
        until = time.monotonic() + 1.0
        try:
            while len(text) < TEXT_MAX and time.monotonic() < until and (data := opened.recv(65536)):
                text += data
        except OSError:
            pass
        if text:
            self._timeline.note(self._node.name, "output", text=text.decode(errors="replace"))
