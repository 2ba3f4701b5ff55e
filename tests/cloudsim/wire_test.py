"""What cloudsim's faults look like on the wire, seen by a client that knows HTTP and TLS and nothing else.

    CLOUDSIM=build/dev/cloudsim python3 tests/cloudsim/wire_test.py
"""

import os
import socket
import ssl
import tempfile
import unittest

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudsim import OPERATOR_KEY, OPERATOR_SECRET, Cloudsim, ControlError

TABLE = "rtb-0aaaaaaaaaaaaaaa2"
INTERFACE_A = "eni-0aaaaaaaaaaaaaaa1"
INTERFACE_B = "eni-0aaaaaaaaaaaaaaa2"
VIRTUAL_IP = "172.16.1.100/32"
NODE_A = "i-0aaaaaaaaaaaaaaa1"
REPLACE = (f"Action=ReplaceRoute&Version=2016-11-15&RouteTableId={TABLE}&DestinationCidrBlock=172.16.1.100%2F32"
           f"&NetworkInterfaceId={INTERFACE_B}")
DESCRIBE = "Action=DescribeRouteTables&Version=2016-11-15"


class Wire(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="cloudsim")
        self.addCleanup(directory.cleanup)
        self.cloud = Cloudsim(os.environ["CLOUDSIM"], directory.name, imds=["127.0.0.1:0=" + NODE_A]).start()
        self.addCleanup(self.cloud.stop)
        self.context = ssl.create_default_context(cafile=self.cloud.ca_file)

    def connect(self, context=None):
        host, port = self.cloud.ec2[0].split(":")
        plain = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(plain.close)
        secured = (context or self.context).wrap_socket(plain, server_hostname=host)
        self.addCleanup(secured.close)
        return secured

    def request_bytes(self, body):
        request = AWSRequest("POST", self.cloud.ec2_url + "/", data=body)
        SigV4Auth(Credentials(OPERATOR_KEY, OPERATOR_SECRET), "ec2", "eu-west-1").add_auth(request)
        head = f"POST / HTTP/1.1\r\nHost: {self.cloud.ec2[0]}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return (head + "\r\n" + body).encode()

    def send(self, body, connection=None):
        connection = connection or self.connect()
        connection.sendall(self.request_bytes(body))
        return connection

    @staticmethod
    def read_answer(connection):
        """(head, body) of one answer with a Content-Length."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, body = received.split(b"\r\n\r\n", 1)
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
        while len(body) < length:
            part = connection.recv(65536)
            if not part:
                break
            body += part
        return head.decode(), body.decode()

    @staticmethod
    def read_until_end(connection, most=1 << 30):
        size = 0
        while size < most:
            part = connection.recv(1 << 20)
            if not part:
                break
            size += len(part)
        return size

    def expect_reset(self, connection):
        """Below TLS, because Python's ssl tells a reset as an end."""
        with self.assertRaises(ConnectionResetError):
            while socket.socket.recv(connection, 65536):
                pass

    def owner(self):
        return self.cloud.routes()[TABLE][VIRTUAL_IP]["target"]

    def test_a_connection_serves_many_requests(self):
        connection = self.connect()
        for _ in range(20):
            head, _ = self.read_answer(self.send(DESCRIBE, connection))
            self.assertIn("200 OK", head)
        lines = self.cloud.requests(action="DescribeRouteTables")
        self.assertEqual({line["connection"] for line in lines}, {1})
        starts = [line["first_byte_ns"] for line in lines]
        self.assertEqual(starts, sorted(starts))

    def test_a_request_that_comes_byte_by_byte_began_with_its_first(self):
        connection = self.connect()
        message = self.request_bytes(DESCRIBE)
        connection.sendall(message[:1])
        # The control endpoint's answer proves that a turn of the loop has passed in between.
        self.cloud.state()
        for number in range(1, len(message)):
            connection.sendall(message[number:number + 1])
        self.read_answer(connection)
        line, = self.cloud.requests()
        self.assertLess(line["first_byte_ns"], line["complete_ns"])

    def test_a_request_that_is_broken_off_is_in_the_log(self):
        connection = self.connect()
        connection.sendall(self.request_bytes(REPLACE)[:100])
        connection.close()
        line = self.cloud.wait_for(lambda line: line.get("outcome") == "request_incomplete")
        self.assertIsNotNone(line["first_byte_ns"])
        self.assertEqual(self.cloud.requests(), [])
        self.assertEqual(self.owner(), INTERFACE_A)

    def test_a_reset_is_a_reset_and_is_without_effect_unless_after_it(self):
        for applied in (False, True):
            self.cloud.add_fault(action="ReplaceRoute", kind="reset", count=1, applied=applied)
            self.expect_reset(self.send(REPLACE))
            self.assertEqual(self.owner(), INTERFACE_B if applied else INTERFACE_A)
        self.assertEqual([line["outcome"] for line in self.cloud.requests()], ["reset", "reset"])

    def test_a_hang_leaves_the_connection_open(self):
        self.cloud.add_fault(action="ReplaceRoute", kind="hang", count=1, applied=True)
        connection = self.send(REPLACE)
        self.cloud.wait_for(lambda line: line.get("outcome") == "hung")
        connection.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        self.assertEqual(self.owner(), INTERFACE_B)
        head, _ = self.read_answer(self.send(DESCRIBE))
        self.assertIn("200 OK", head)

    def test_a_late_call_lands_after_its_connection_is_gone(self):
        self.cloud.add_fault(action="ReplaceRoute", kind="land_late", by=100, count=1)
        self.expect_reset(self.send(REPLACE))
        change = self.cloud.wait_for(lambda line: line["event"] == "change")
        request, = self.cloud.requests()
        self.assertEqual(change["request_id"], request["request_id"])
        self.assertGreaterEqual(change["at_ns"] - request["complete_ns"], 100_000_000)
        self.assertEqual(self.owner(), INTERFACE_B)

    def test_a_call_takes_effect_though_the_client_has_gone(self):
        self.cloud.set(latency_ms=50)
        connection = self.send(REPLACE)
        connection.close()
        self.cloud.wait_for(lambda line: line["event"] == "change")
        self.assertEqual(self.owner(), INTERFACE_B)

    def test_latency_is_between_request_and_effect(self):
        self.cloud.set(latency_ms=30)
        self.read_answer(self.send(REPLACE))
        line, = self.cloud.requests()
        self.assertGreaterEqual(line["effect_ns"] - line["complete_ns"], 30_000_000)
        self.assertGreaterEqual(line["replied_ns"], line["effect_ns"])

    def test_a_trickle_comes_byte_by_byte(self):
        self.cloud.add_fault(kind="trickle", bytes_per_second=200, count=1)
        connection = self.send(REPLACE)
        parts = []
        while b"</ReplaceRouteResponse>" not in b"".join(parts):
            parts.append(connection.recv(65536))
        self.assertGreater(len(parts), 20)

    def test_hostile_answers_are_what_they_are_called(self):
        def ask(kind, **more):
            self.cloud.add_fault(kind="hostile", body=kind, count=1, **more)
            return self.send(DESCRIBE)
        head, body = self.read_answer(ask("truncated", size=100))
        self.assertEqual(len(body), 100)
        self.assertNotIn("Content-Length: 100\r\n", head)
        head, body = self.read_answer(ask("wrong_type"))
        self.assertIn("text/html", head)
        head, body = self.read_answer(ask("redirect"))
        self.assertIn("Location: https://elsewhere.example/", head)
        self.assertGreater(self.read_until_end(ask("large"), 90 << 20), 89 << 20)
        self.assertGreater(self.read_until_end(ask("endless"), 20 << 20), 19 << 20)
        self.assertGreater(self.read_until_end(ask("informational_storm"), 1 << 20), 1 << 19)
        self.assertEqual(ask("no_http").recv(8), b"SSH-2.0-")
        self.assertIn(b"zz\r\n", ask("bad_chunks").recv(65536))
        head, body = self.read_answer(ask("deep", size=1000))
        self.assertIn("<item>" * 1000, body)
        head, body = self.read_answer(self.send(DESCRIBE))
        self.assertIn("200 OK", head)

    def test_wrong_certificates_are_wrong_in_the_way_that_was_asked_for(self):
        for flaw, reason in (("expired", "certificate has expired"), ("not_yet_valid", "certificate is not yet valid"),
                             ("wrong_name", "IP address mismatch"), ("untrusted", "unable to get local issuer")):
            self.cloud.add_fault(action="connect:ec2", kind="certificate", flaw=flaw, count=1)
            with self.assertRaises(ssl.SSLCertVerificationError) as refused:
                self.connect()
            self.assertIn(reason, str(refused.exception))
        self.connect()

    def test_connections_are_reset_or_never_secured(self):
        self.cloud.add_fault(action="connect:ec2", kind="reset", count=1)
        with self.assertRaises(OSError):
            self.connect()
        self.cloud.add_fault(action="connect:ec2", kind="hang", count=1)
        host, port = self.cloud.ec2[0].split(":")
        plain = socket.create_connection((host, int(port)), timeout=0.05)
        self.addCleanup(plain.close)
        with self.assertRaises(TimeoutError):
            self.context.wrap_socket(plain, server_hostname=host)
        self.connect()

    def test_metadata_is_served_and_can_fail(self):
        host, port = self.cloud.imds[0].split(":")
        def ask(message):
            plain = socket.create_connection((host, int(port)), timeout=60)
            self.addCleanup(plain.close)
            plain.sendall(message)
            return self.read_answer(plain)
        put = b"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n"
        head, token = ask(put)
        self.assertIn("200 OK", head)
        get = f"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n"
        head, text = ask(get.encode())
        self.assertEqual(text, NODE_A)
        self.cloud.add_fault(action="imds:*", kind="fail", status=503)
        self.assertIn("503", ask(put)[0])

    def test_the_control_endpoint_says_what_is_wrong(self):
        with self.assertRaisesRegex(ControlError, "fault.kind: \"gremlin\" is no kind of fault"):
            self.cloud.add_fault(kind="gremlin")

    def test_a_hundred_tables_are_moved_by_many_connections(self):
        tables = [f"rtb-0bbbbbbbbbbbbbb{number:02}" for number in range(100)]
        for table in tables:
            self.cloud.create_table(id=table, vpc="vpc-0aaaaaaaaaaaaaaa1",
                                    routes=[{"destination": VIRTUAL_IP, "target": INTERFACE_A}])
        self.cloud.set_bucket("ReplaceRoute", capacity=1000, level=1000)
        connections = [self.connect() for _ in range(16)]
        for first in range(0, 100, 16):
            batch = list(zip(connections, tables[first:first + 16]))
            for connection, table in batch:
                self.send(REPLACE.replace(TABLE, table), connection)
            for connection, _ in batch:
                self.assertIn("200 OK", self.read_answer(connection)[0])
        owners = self.cloud.owners(VIRTUAL_IP)
        self.assertEqual({owners[table] for table in tables}, {"node-b"})


if __name__ == "__main__":
    unittest.main()
