"""One thread that reads everything there is to read: the pipes of processes, packet sockets, netlink sockets, growing files."""

import os
import selectors
import socket
import threading
from collections.abc import Callable


class Observer:
    """Calls back when a descriptor is readable. Callbacks run on the observer's thread and must not block."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wake)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()

    def watch(self, file, on_readable: Callable[[], None]) -> None:
        """Watches `file` (anything with fileno) until unwatch."""
        with self._lock:
            self._selector.register(file, selectors.EVENT_READ, on_readable)
        self._wake()

    def unwatch(self, file) -> None:
        with self._lock:
            try:
                self._selector.unregister(file)
            except (KeyError, ValueError):
                pass

    def watch_lines(self, descriptor: int, on_line: Callable[[str], None], on_end: Callable[[], None]) -> None:
        """Reads whole lines from a pipe; closes it at its end."""
        os.set_blocking(descriptor, False)
        pending = bytearray()

        def readable() -> None:
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            pending.extend(data)
            *lines, rest = bytes(pending).split(b"\n")
            pending[:] = rest
            for line in lines:
                on_line(line.decode(errors="replace"))
            if not data:
                if pending:
                    on_line(pending.decode(errors="replace"))
                self.unwatch(descriptor)
                os.close(descriptor)
                on_end()

        self.watch(descriptor, readable)

    def close(self) -> None:
        self._stopping = True
        self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join(5)
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _wake(self) -> None:
        self._wake_write.send(b"x")

    def _drain_wake(self) -> None:
        try:
            self._wake_read.recv(4096)
        except BlockingIOError:
            pass

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select():
                key.data()
