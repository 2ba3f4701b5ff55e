#!/usr/bin/env python3
"""A server for the HTTPS client's tests that misbehaves on request: by port before HTTP is reached, by path after.

Makes its own certificates in a folder that it is given, listens on 127.0.0.1 with ports of the kernel's choice, prints one line
of JSON with the ports, and serves until its standard input is closed.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]


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


def endless(connection, piece, pause=0.0):
    while True:
        connection.sendall(piece)
        if pause:
            time.sleep(pause)


def serve_path(connection, method, target, head, body):
    """Answers one request; true when the connection goes on."""
    if target == "/ok":
        answer(connection, b"fine")
        return True
    if target == "/echo":
        answer(connection, method.encode() + b"\n" + head + b"\n\n" + body)
        return True
    if target == "/whoami":
        answer(connection, str(connection.getpeername()[1]).encode())
        return True
    if target == "/chunked":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nfine\r\n0\r\nX-Trailer: 1\r\n\r\n")
        return True
    if target == "/interim":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        answer(connection, b"fine")
        return True
    if target == "/extra":
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
        raw_descriptor = connection.detach()
        socket.socket(fileno=raw_descriptor).close()

    return serve


def half_a_handshake(raw):
    raw.recv(65536)
    raw.sendall(b"\x16\x03\x03\x00\x50\x02")
    hold(raw)


def speak_plainly(raw):
    raw.recv(65536)
    raw.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def listen(serve):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

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
    ports = {
        "good": listen(serve_tls(good)),
        "tls12": listen(serve_tls(old)),
        "other_name": listen(serve_tls(tls_context("other-name"))),
        "expired": listen(serve_tls(tls_context("expired"))),
        "unknown_ca": listen(serve_tls(tls_context("unknown"))),
        "truncating": listen(serve_truncating(good)),
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
