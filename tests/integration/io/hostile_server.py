#!/usr/bin/env python3
"""A server for the HTTPS client's tests that misbehaves on request: by port before HTTP is reached, by path after.

Makes its own certificates in a folder that it is given, listens on 127.0.0.1 with ports of the kernel's choice, prints one line
of JSON with the ports, and serves until its standard input is closed. Further lines tell what it has seen or done, to a client
that stands still meanwhile.
"""

import contextlib
import json
import os
import select
import socket
import struct
import ssl
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
counted = 0


def path(name):
    return os.path.join(FOLDER, name)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_ca(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_certificate(name, ca, alternative_names, days="2"):
    with open(path(f"{name}.ext"), "w", encoding="ascii") as file:
        file.write(f"subjectAltName={alternative_names}\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", days,
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def make_all_certificates():
    make_ca("ca")
    make_ca("stranger")
    make_certificate("good", "ca", "DNS:localhost,IP:127.0.0.1")
    make_certificate("other-name", "ca", "DNS:elsewhere.example,IP:127.0.0.9")
    make_certificate("expired", "ca", "DNS:localhost,IP:127.0.0.1", days="-1")
    make_certificate("unknown", "stranger", "DNS:localhost,IP:127.0.0.1")


def tls_context(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path(f"{name}.pem"), path(f"{name}.key"))
    return context


def read_request(connection):
    """Method, target, head and body of the next request, or nothing at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    size = 0
    for line in head.split(b"\r\n")[1:]:
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            size = int(value)
    while len(body) < size:
        body += connection.recv(65536)
    method, target, _ = head.split(b"\r\n")[0].split(b" ")
    return method.decode(), target.decode(), head, body


def answer(connection, body, head=b"HTTP/1.1 200 OK\r\n"):
    connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def hold(connection):
    """Until the other side gives up."""
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def say(text):
    print(text, flush=True)


def peer_port(connection):
    return connection.getpeername()[1]


def below_tls(connection):
    return socket.socket(fileno=connection.detach())


def read_to_the_end(connection):
    """The number of bytes that still come, and how the connection ends. Python's TLS does not know a reset from an end."""
    size = 0
    with below_tls(connection) as raw:
        try:
            while more := raw.recv(65536):
                size += len(more)
        except ConnectionResetError:
            return size, "reset"
    return size, "end"


def endless(connection, piece, pause=0.0):
    while True:
        connection.sendall(piece)
        if pause:
            time.sleep(pause)


def leave(connection, manner):
    """Closes without having been asked to, and says when it has."""
    client = peer_port(connection)
    if manner == "/leave-with-goodbye" and isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        try:
            connection.unwrap()
        except ssl.SSLWantReadError:
            pass  # the goodbye is out; the client's would be waited for
    if manner == "/leave-with-reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()
    say(client)


def serve_path(connection, method, target, head, body):
    """Answers one request; true when the connection goes on."""
    global counted
    if target == "/count":
        counted += 1
        answer(connection, str(counted).encode())
        return True
    if target == "/tell-the-end":
        say("begun")
        say(read_to_the_end(connection)[1])
        return False
    if target.startswith("/leave"):
        answer(connection, b"fine")
        leave(connection, target)
        return False
    if target == "/ok":
        answer(connection, b"fine")
        return True
    if target == "/echo":
        answer(connection, method.encode() + b"\n" + head + b"\n\n" + body)
        return True
    if target == "/whoami":
        answer(connection, str(peer_port(connection)).encode())
        return True
    if target == "/chunked":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nfine\r\n0\r\nX-Trailer: 1\r\n\r\n")
        return True
    if target == "/interim":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        answer(connection, b"fine")
        return True
    if target == "/extra":
        # In one piece: both are there when the first is read.
        one = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
        connection.sendall(one + b"fine" + one + b"evil")
        return True
    if target == "/extra-later":
        answer(connection, b"fine")
        answer(connection, b"and one that nobody asked for")
        return True
    if target == "/redirect":
        answer(connection, b"", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n")
        return True
    if target == "/close":
        answer(connection, b"fine", b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        return False
    if target == "/close-silently":
        # Says that it keeps the connection, and does not.
        answer(connection, b"fine")
        return False
    if target == "/until-end":
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nfine")
        return False
    if target == "/large":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        endless(connection, b"x" * 65536)
    if target == "/endless":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        endless(connection, b"10000\r\n" + b"x" * 65536 + b"\r\n")
    if target == "/endless-head":
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        endless(connection, b"X-Header: " + b"x" * 1000 + b"\r\n")
    if target == "/endless-line":
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        endless(connection, b"x" * 1000)
    if target == "/endless-interim":
        endless(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
    if target == "/endless-chunk-head":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;")
        endless(connection, b"x" * 1000)
    if target == "/one-byte-a-time":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        endless(connection, b"x", 0.02)
    if target == "/slow-head":
        endless(connection, b"H", 0.02)
    if target == "/bad-chunk":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfine\r\n0\r\n\r\n")
    if target == "/two-lengths":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfine!")
    if target == "/garbage":
        connection.sendall(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
    if target == "/switch":
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
    if target == "/truncated":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfine")
        return False
    if target == "/no-answer":
        return False
    hold(connection)
    return False


def serve_http(connection):
    while True:
        request = read_request(connection)
        if request is None or not serve_path(connection, *request):
            return


def serve_tls(context):
    def serve(raw):
        connection = context.wrap_socket(raw, server_side=True)
        try:
            serve_http(connection)
            connection.unwrap()
        finally:
            connection.close()

    return serve


def serve_truncating(context):
    """Ends the TCP connection without TLS's goodbye in the middle of a body that has no length."""

    def serve(raw):
        connection = context.wrap_socket(raw, server_side=True)
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nfine")
        below_tls(connection).close()

    return serve


def serve_stalling(context):
    """Reads the head of a request and no more until the connection has ended, and says what there was to be had after that."""

    def serve(raw):
        connection = context.wrap_socket(raw, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(1000)
            if not more:
                return
            head += more
        say("begun")
        ended = select.poll()
        ended.register(connection, select.POLLRDHUP)
        # A client that closes instead of resetting cannot bring its end through: what is before it has to be read.
        ended.poll(5000)
        size, end = read_to_the_end(connection)
        say(f"{size} {end}")

    return serve


def serve_leaving(context):
    """Has closed the connection when a request arrives, without having read a byte of it."""

    def serve(raw):
        connection = context.wrap_socket(raw, server_side=True)
        with below_tls(connection) as below:
            if below.recv(1, socket.MSG_PEEK) == b"\x17":  # TLS 1.2: application data, and no goodbye
                say("request")

    return serve


def serve_one_at_a_time(context):
    """Never comes to TLS with a client that connects while there is another."""
    free = threading.Lock()

    def serve(raw):
        if not free.acquire(blocking=False):
            hold(raw)
            return
        try:
            with contextlib.closing(context.wrap_socket(raw, server_side=True)) as connection:
                hold(connection)
        finally:
            free.release()

    return serve


def half_a_handshake(raw):
    raw.recv(65536)
    raw.sendall(b"\x16\x03\x03\x00\x50\x02")
    hold(raw)


def speak_plainly(raw):
    raw.recv(65536)
    raw.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def listen(serve, receive_buffer=0):
    listener = socket.socket()
    if receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)

    def one(raw):
        try:
            with raw:
                serve(raw)
        except (OSError, ValueError):
            pass

    def loop():
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=one, args=(raw,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


def main():
    make_all_certificates()
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    good = tls_context("good")
    old = tls_context("good")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    no_tickets = tls_context("good")
    no_tickets.num_tickets = 0
    ports = {
        "good": listen(serve_tls(good)),
        "tls12": listen(serve_tls(old)),
        "other_name": listen(serve_tls(tls_context("other-name"))),
        "expired": listen(serve_tls(tls_context("expired"))),
        "unknown_ca": listen(serve_tls(tls_context("unknown"))),
        "truncating": listen(serve_truncating(good)),
        "stalling": listen(serve_stalling(no_tickets), receive_buffer=16384),
        "one_at_a_time": listen(serve_one_at_a_time(good)),
        "leaving": listen(serve_leaving(old)),
        "plain": listen(serve_http),
        "silent": listen(hold),
        "closing": listen(lambda raw: None),
        "half_handshake": listen(half_a_handshake),
        "speaks_plainly": listen(speak_plainly),
        "closed": closed,
    }
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


main()
