"""Starts and steers a cloudsim process: for tests and for demonstrations. Python 3.11's own library only.

    with Cloudsim(binary, directory) as cloud:
        cloud.add_fault(action="ReplaceRoute", kind="throttle", count=3)
        environment = cloud.aws_environment()
        ...
        cloud.wait_for(lambda line: line["event"] == "change" and line["table"] == "rtb-...")
"""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time

# The operator of the example topology; anything that can be read here is no secret.
OPERATOR_KEY = "AKIAEXAMPLEOPERATOR1"
OPERATOR_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class ControlError(Exception):
    """The control endpoint refused a request; the text says why."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class Cloudsim:
    """One process. `directory` gets ca.pem, requests.jsonl and control.sock; a Unix path holds 107 characters."""

    def __init__(self, binary, directory, *, topology=None, ec2=("127.0.0.1:0",), sts=(), imds=(), latency_ms=0, seed=1,
                 names=(), prefix=()):
        """`topology` is a dict, or None for the example. `prefix` goes before the command: ("ip", "netns", "exec", "cloud")."""
        self.directory = str(directory)
        self.ca_file = os.path.join(self.directory, "ca.pem")
        self.log_file = os.path.join(self.directory, "requests.jsonl")
        self.control_socket = os.path.join(self.directory, "control.sock")
        self._command = [*prefix, str(binary), "--ca-out", self.ca_file, "--log", self.log_file,
                         "--control", "unix:" + self.control_socket, "--latency-ms", str(latency_ms), "--seed", str(seed)]
        if topology is not None:
            path = os.path.join(self.directory, "topology.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(topology, file, indent=2)
            self._command += ["--topology", path]
        for option, values in (("--ec2", ec2), ("--sts", sts), ("--imds", imds), ("--name", names)):
            for value in values:
                self._command += [option, value]
        self.process = None
        self.ec2 = []
        self.sts = []
        self.imds = []

    # --- the process ---

    def start(self, timeout=30.0):
        """Returns when all addresses are bound."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        readable, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            self.stop()
            raise RuntimeError("cloudsim did not start: " + " ".join(self._command))
        ready = json.loads(line)
        self.ec2 = ready["ec2"]
        self.sts = ready["sts"]
        self.imds = ready["imds"]
        return self

    def stop(self):
        """RuntimeError when it was running and ended with an error: a sanitizer's report, for one."""
        if self.process is None:
            return
        running = self.process.poll() is None
        if running:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait()
        self.process.stdout.close()
        self.process = None
        if running and status != 0:
            raise RuntimeError(f"cloudsim ended with status {status}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    @property
    def ec2_url(self):
        return "https://" + self.ec2[0]

    @property
    def sts_url(self):
        return "https://" + self.sts[0]

    @property
    def imds_url(self):
        return "http://" + self.imds[0]

    def aws_environment(self, *, key=OPERATOR_KEY, secret=OPERATOR_SECRET, region="eu-west-1"):
        """What AWS's own tools need to talk to this cloud; without a key they ask IMDS."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment.update(AWS_CA_BUNDLE=self.ca_file, AWS_DEFAULT_REGION=region, AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
                           AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        if key:
            environment.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
        if self.imds:
            # botocore of Debian 12 joins the path to it without a slash of its own.
            environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.imds_url + "/"
        return environment

    # --- the control endpoint ---

    def control(self, method, path, body=None):
        connection = _UnixConnection(self.control_socket)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(answer["error"])
        return answer

    def state(self):
        return self.control("GET", "/state")

    def routes(self):
        """{table: {destination: {"target", "node", "state", "origin"}}}"""
        return self.control("GET", "/routes")

    def owners(self, destination):
        """{table: node} of the tables that have the route; a blackhole's node is None."""
        found = {}
        for table, routes in self.routes().items():
            if destination in routes:
                found[table] = routes[destination]["node"] if routes[destination]["state"] == "active" else None
        return found

    def add_fault(self, **fault):
        return self.control("POST", "/faults", fault)["id"]

    def remove_fault(self, fault_id):
        self.control("DELETE", f"/faults/{fault_id}")

    def clear_faults(self):
        self.control("DELETE", "/faults")

    def put_route(self, table, destination, target):
        """By hand: no rule is checked and nobody is asked."""
        self.control("PUT", "/routes", {"table": table, "destination": destination, "target": target})

    def delete_route(self, table, destination):
        self.control("DELETE", "/routes", {"table": table, "destination": destination})

    def create_table(self, **table):
        self.control("POST", "/tables", table)

    def delete_table(self, table):
        self.control("DELETE", f"/tables/{table}")

    def set_instance(self, instance, state):
        self.control("PUT", f"/instances/{instance}", {"state": state})

    def set_impaired(self, instance, impaired=True):
        """Its status checks fail, and what is detached from it stays `detaching` until that is forced."""
        self.control("PUT", f"/instances/{instance}", {"impaired": impaired})

    def set_interface(self, interface, **changes):
        """source_dest_check; instance with device_index: at once, as if by hand; an empty instance detaches."""
        self.control("PUT", f"/interfaces/{interface}", changes)

    def set_address(self, address, interface):
        """By hand: a secondary address goes to an interface; None takes it away."""
        if interface is None:
            self.control("DELETE", f"/addresses/{address}")
        else:
            self.control("PUT", f"/addresses/{address}", {"interface": interface})

    def set_elastic_ip(self, allocation, interface, private_address=None):
        """By hand; an empty interface disassociates."""
        body = {"interface": interface}
        if private_address is not None:
            body["private_address"] = private_address
        self.control("PUT", f"/elastic-ips/{allocation}", body)

    def set_policy(self, principal, statements):
        """None: may do everything."""
        self.control("PUT", "/policies", {"principal": principal, "statements": statements})

    def set_bucket(self, action, **values):
        self.control("PUT", "/buckets", {"action": action, **values})

    def set(self, **settings):
        """latency_ms, stale_probability with lag_max_ms, clock_offset_s, credential_lifetime_s; attach_ms, detach_ms,
        reassign_ms: how long what a call begins takes; metadata_lag_ms of IMDS about interfaces"""
        self.control("PUT", "/settings", settings)

    def rotate_credentials(self, instance, revoke=False):
        self.control("POST", "/credentials", {"instance": instance, "revoke": revoke})

    def put_token(self, token, subject, expired=False):
        """A web identity token that STS believes, or believed."""
        self.control("PUT", "/tokens", {"token": token, "subject": subject, "expired": expired})

    def set_metadata(self, instance, path, value):
        """An empty value removes."""
        self.control("PUT", "/metadata", {"instance": instance, "path": path, "value": value})

    def give_notice(self, instance, kind, **what):
        """spot (action), rebalance, maintenance (code), lifecycle (state); in_s: when it comes true."""
        self.control("POST", "/notices", {"instance": instance, "kind": kind, **what})

    def clear_notices(self, instance):
        self.control("DELETE", f"/notices/{instance}")

    # --- the log ---

    def log(self):
        """Every line so far. A request's line is written right after its answer, so the control endpoint is asked first: one
        thread serves both, in order."""
        if self.process is not None:
            self.control("GET", "/health")
        with open(self.log_file, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def requests(self, **expected):
        """The request lines that have all these values."""
        return [line for line in self.log()
                if line["event"] == "request" and all(line[name] == value for name, value in expected.items())]

    def movements(self, **expected):
        """What a hypervisor would have had to do: the movement lines that have all these values."""
        return [line for line in self.log()
                if line["event"] == "movement" and all(line[name] == value for name, value in expected.items())]

    def wait_for(self, predicate, timeout=30.0):
        """The first line that satisfies; TimeoutError when none comes."""
        deadline = time.monotonic() + timeout
        with open(self.log_file, encoding="utf-8") as file:
            rest = ""
            while True:
                rest += file.read()
                *lines, rest = rest.split("\n")
                for line in map(json.loads, lines):
                    if predicate(line):
                        return line
                if time.monotonic() > deadline:
                    raise TimeoutError("no such line in " + self.log_file)
                time.sleep(0.001)
