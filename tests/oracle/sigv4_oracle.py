"""Compares our SigV4 with botocore's on random requests: what it signs we sign the same, and what it signed we accept. And our
AssumeRole with the one that it makes from AWS's own description of STS.

Usage: sigv4_oracle.py PATH_OF_SIGV4_TOOL [SEED]
"""

import datetime
import json
import random
import subprocess
import sys
import types
import urllib.parse

import botocore.auth
import botocore.serialize
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROUNDS = 400
PRINTABLE = "".join(chr(c) for c in range(0x20, 0x7F))
NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


class Tool:
    """The C++ program at the other end of a pipe."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("sigv4_tool ended before it answered")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def at_time(moment):
    """Makes botocore believe that it is `moment`; 1.29 reads datetime.datetime.utcnow()."""

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return moment

    botocore.auth.datetime = types.SimpleNamespace(datetime=Frozen)


def random_text(rng, alphabet, low, high):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def random_path(rng):
    segments = []
    for _ in range(rng.randint(0, 4)):
        raw = rng.choice([random_text(rng, NAME_CHARS, 1, 8), "..", ".", "", "a b", "~x", "é", "ሴ", "a+b=c@d"])
        segments.append(urllib.parse.quote(raw, safe=rng.choice(["~", "~+=@"])))
    return "/" + "/".join(segments)


def random_query(rng):
    alphabet = PRINTABLE + "éሴ"
    pairs = []
    for _ in range(rng.choice([0, 0, 1, 3])):
        key = rng.choice([random_text(rng, alphabet, 1, 6), "Param", "param"])
        value = random_text(rng, alphabet, 0, 8)
        pairs.append(urllib.parse.quote(key, safe="-_.~") + "=" + urllib.parse.quote(value, safe="-_.~"))
    return "&".join(pairs)


def random_headers(rng):
    headers = []
    for _ in range(rng.randint(0, 5)):
        name = "X-" + random_text(rng, NAME_CHARS, 1, 10)
        value = random_text(rng, PRINTABLE + "\t  ", 0, 20)
        headers.append((name, value))
        if rng.random() < 0.2:
            headers.append((name.swapcase(), random_text(rng, PRINTABLE, 0, 5)))
    if rng.random() < 0.8:
        headers.append(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))
    if rng.random() < 0.5:
        headers.append(("User-Agent", "agent " + random_text(rng, PRINTABLE, 0, 10)))
    if rng.random() < 0.3:
        headers.append(("Expect", "100-continue"))
    rng.shuffle(headers)
    return headers


def random_request(rng):
    host = rng.choice(["ec2.eu-central-1.amazonaws.com", "sts.amazonaws.com", "localhost:8443", "[fd00::1]:444"])
    query = random_query(rng)
    target = random_path(rng) + ("?" + query if query else "")
    body = bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 50, 500])))
    return {
        "method": rng.choice(["POST", "GET", "PUT", "DELETE"]),
        "host": host,
        "target": target,
        "headers": random_headers(rng),
        "body": body,
        "region": rng.choice(["eu-central-1", "us-gov-west-1", "cn-north-1"]),
        "service": rng.choice(["ec2", "sts"]),
        "key": random_text(rng, NAME_CHARS, 16, 24),
        "secret": random_text(rng, PRINTABLE, 1, 60),
        "token": rng.choice(["", random_text(rng, PRINTABLE.replace(" ", ""), 1, 900)]),
        "time": rng.randrange(0, 4102444800),
    }


def sign_with_botocore(r, headers):
    request = AWSRequest(method=r["method"], url="https://" + r["host"] + r["target"], data=r["body"])
    for name, value in headers:
        request.headers.add_header(name, value)
    at_time(datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=r["time"]))
    credentials = Credentials(r["key"], r["secret"], r["token"] or None)
    botocore.auth.SigV4Auth(credentials, r["service"], r["region"]).add_auth(request)
    return request


def check_signing(tool, r):
    headers = r["headers"] + [("Host", r["host"])]
    theirs = sign_with_botocore(r, headers).headers["Authorization"]
    fields = {k: r[k] for k in ("method", "target", "region", "service", "key", "secret", "token", "time")}
    ours = tool.ask(op="sign", headers=headers, body=r["body"].hex(), **fields)
    assert ours["authorization"] == theirs, f"\n ours   {ours['authorization']}\n theirs {theirs}\n{ours['canonical']}"


def check_verifying(tool, r, rng):
    # Connection is a header that botocore signs and we would not: the list in the request decides.
    request = sign_with_botocore(r, r["headers"] + [("Host", r["host"]), ("Connection", "keep-alive")])
    fields = {
        "method": r["method"],
        "target": r["target"],
        "headers": request.headers.items(),
        "body": r["body"].hex(),
        "secret": r["secret"],
    }
    good = tool.ask(op="verify", **fields)
    assert good.get("expected") == good.get("claimed") is not None, good
    what = rng.choice(["body", "secret", "target", "method"])
    fields[what] = {"body": fields["body"] + "00", "secret": r["secret"] + "x", "target": "/other", "method": "PATCH"}[what]
    bad = tool.ask(op="verify", **fields)
    assert bad["expected"] != bad["claimed"], f"a changed {what} was not noticed"


def check_assume_role(tool, rng, operation):
    word = NAME_CHARS + "+=,.@"
    question = {
        "role": f"arn:aws:iam::{rng.randrange(10**11, 10**12)}:role/{random_text(rng, word + '/', 1, 60)}",
        "session": random_text(rng, word, 2, 64),
        "external_id": rng.choice(["", random_text(rng, word + ":/", 2, 200)]),
        "duration": rng.choice([0, rng.randint(900, 43200)]),
        "host": "sts.eu-central-1.amazonaws.com",
        "region": "eu-central-1",
        "key": random_text(rng, NAME_CHARS, 16, 24),
        "secret": random_text(rng, PRINTABLE, 1, 60),
        "token": rng.choice(["", random_text(rng, PRINTABLE.replace(" ", ""), 1, 900)]),
        "time": rng.randrange(0, 4102444800),
    }
    ours = tool.ask(op="assume_role", **question)
    wanted = {"RoleArn": question["role"], "RoleSessionName": question["session"]}
    if question["external_id"]:
        wanted["ExternalId"] = question["external_id"]
    if question["duration"]:
        wanted["DurationSeconds"] = question["duration"]
    theirs = botocore.serialize.create_serializer("query").serialize_to_request(wanted, operation)["body"]
    assert dict(urllib.parse.parse_qsl(ours["body"])) == {name: str(value) for name, value in theirs.items()}, ours["body"]
    unsigned = [(name, value) for name, value in ours["headers"]
                if name.lower() not in ("authorization", "x-amz-date", "x-amz-security-token")]
    request = sign_with_botocore({**question, "method": "POST", "target": "/", "body": ours["body"].encode(), "service": "sts"},
                                 unsigned)
    assert dict(ours["headers"])["Authorization"] == request.headers["Authorization"], ours


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20260101
    rng = random.Random(seed)
    tool = Tool(sys.argv[1])
    assume_role = botocore.session.Session().get_service_model("sts").operation_model("AssumeRole")
    for number in range(ROUNDS):
        request = random_request(rng)
        try:
            check_signing(tool, request)
            check_verifying(tool, request, rng)
            check_assume_role(tool, rng, assume_role)
        except AssertionError as problem:
            raise SystemExit(f"seed {seed}, request {number}: {request}\n{problem}")
    if tool.close() != 0:
        raise SystemExit("sigv4_tool failed")
    print(f"{ROUNDS} requests agree in both directions (seed {seed}, botocore {botocore.__version__})")


if __name__ == "__main__":
    main()
