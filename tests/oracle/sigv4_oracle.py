"""Compares our SigV4 with botocore's on random requests: what it signs we sign the same, byte for byte, what it signed we
accept, and what was changed after that we refuse. And our AssumeRole with the one that it makes from AWS's own description of
STS.

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

ROUNDS = 3000
PRINTABLE = "".join(chr(c) for c in range(0x20, 0x7F))
NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


class Batch:
    """Questions for the C++ program, each with what has to be true of its answer; asked all at once."""

    def __init__(self):
        self.questions = []
        self.checks = []

    def ask(self, check, **question):
        self.questions.append(json.dumps(question))
        self.checks.append(check)

    def run(self, path):
        """What is wrong with the first answer that is wrong, as (number of the question, text)."""
        tool = subprocess.run([path], input="\n".join(self.questions) + "\n", stdout=subprocess.PIPE, text=True, check=False)
        answers = tool.stdout.split("\n")[:-1]
        for number, (check, answer) in enumerate(zip(self.checks, answers)):
            try:
                check(json.loads(answer))
            except AssertionError as problem:
                return number, str(problem)
        if tool.returncode != 0 or len(answers) != len(self.questions):
            return len(answers), f"sigv4_tool ended with {tool.returncode} before it answered"
        return None


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


# What the signature adds, and the signature.
ADDED = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")


def check_signing(batch, r):
    headers = r["headers"] + [("Host", r["host"])]
    signed = sign_with_botocore(r, headers)
    theirs = {name: signed.headers[name] for name in ADDED if name in signed.headers}

    def check(ours):
        added = {name: value for name, value in ours["headers"] if name in ADDED}
        assert added == theirs, f"\n ours   {added}\n theirs {theirs}\n{ours['canonical']}"

    fields = {k: r[k] for k in ("method", "target", "region", "service", "key", "secret", "token", "time")}
    batch.ask(check, op="sign", headers=headers, body=r["body"].hex(), **fields)


def check_verifying(batch, r, rng):
    # Connection is a header that botocore signs and we would not: the list in the request decides.
    request = sign_with_botocore(r, r["headers"] + [("Host", r["host"]), ("Connection", "keep-alive")])
    fields = {
        "method": r["method"],
        "target": r["target"],
        "headers": request.headers.items(),
        "body": r["body"].hex(),
        "secret": r["secret"],
    }

    def check_good(answer):
        assert answer.get("expected") == answer.get("claimed") is not None, f"refused as it was signed: {answer}"

    batch.ask(check_good, op="verify", **fields)
    what = rng.choice(["body", "secret", "target", "method"])
    fields[what] = {"body": fields["body"] + "00", "secret": r["secret"] + "x", "target": "/other", "method": "PATCH"}[what]

    def check_bad(answer):
        assert answer["expected"] != answer["claimed"], f"a changed {what} was not noticed"

    batch.ask(check_bad, op="verify", **fields)


def check_assume_role(batch, rng, operation):
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
    wanted = {"RoleArn": question["role"], "RoleSessionName": question["session"]}
    if question["external_id"]:
        wanted["ExternalId"] = question["external_id"]
    if question["duration"]:
        wanted["DurationSeconds"] = question["duration"]
    theirs = botocore.serialize.create_serializer("query").serialize_to_request(wanted, operation)["body"]

    def check(ours):
        sent = dict(urllib.parse.parse_qsl(ours["body"]))
        assert sent == {name: str(value) for name, value in theirs.items()}, ours["body"]
        unsigned = [(name, value) for name, value in ours["headers"] if name not in ADDED]
        request = sign_with_botocore({**question, "method": "POST", "target": "/", "body": ours["body"].encode(),
                                      "service": "sts"}, unsigned)
        assert dict(ours["headers"])["Authorization"] == request.headers["Authorization"], ours

    batch.ask(check, op="assume_role", **question)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20260101
    rng = random.Random(seed)
    assume_role = botocore.session.Session().get_service_model("sts").operation_model("AssumeRole")
    batch = Batch()
    for _ in range(ROUNDS):
        request = random_request(rng)
        check_signing(batch, request)
        check_verifying(batch, request, rng)
        check_assume_role(batch, rng, assume_role)
    if found := batch.run(sys.argv[1]):
        number, problem = found
        question = batch.questions[number] if number < len(batch.questions) else ""
        raise SystemExit(f"seed {seed}, question {number}: {question}\n{problem}")
    print(f"{ROUNDS} requests agree in both directions (seed {seed}, botocore {botocore.__version__})")


if __name__ == "__main__":
    main()
