"""AWS's own command line client against the STS of cloudsim, and what it gets there against its EC2.

    CLOUDSIM=build/dev/cloudsim python3 tests/cloudsim/awscli_sts_test.py
"""

import unittest

from awscli import AwsCliTest

ROUTE_WRITER = "arn:aws:iam::210987654321:role/route-writer"
BY_TOKEN = "arn:aws:iam::123456789012:role/vipd-by-token"
SUBJECT = "system:serviceaccount:network:vipd"


class Sts(AwsCliTest):
    def run_aws(self, *arguments, **environment):
        return self.run_service("sts", self.cloud.sts_url, *arguments, **environment)

    def assume(self, *more, external_id="example-id"):
        return ["assume-role", "--role-arn", ROUTE_WRITER, "--role-session-name", "test", "--external-id", external_id, *more]

    @staticmethod
    def by_token(token="example.identity.token"):
        return ["assume-role-with-web-identity", "--role-arn", BY_TOKEN, "--role-session-name", "test",
                "--web-identity-token", token]

    def environment_of(self, answer):
        keys = answer["Credentials"]
        environment = self.cloud.aws_environment(key=keys["AccessKeyId"], secret=keys["SecretAccessKey"])
        return environment | {"AWS_SESSION_TOKEN": keys["SessionToken"]}

    def describe_tables(self, environment):
        return self.run_service("ec2", self.cloud.ec2_url, "describe-route-tables", **environment)

    def test_a_role_is_assumed_and_ec2_knows_its_session(self):
        answer = self.aws(*self.assume())
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/route-writer/test")
        environment = self.environment_of(answer)
        self.assertEqual(self.describe_tables(environment).returncode, 0)
        self.assertEqual(self.aws("get-caller-identity", **environment)["Arn"], answer["AssumedRoleUser"]["Arn"])
        request, = self.cloud.requests(service="sts", action="AssumeRole")
        self.assertEqual((request["role"], request["signature"], request["status"]), (ROUTE_WRITER, "valid", 200))
        self.assertEqual(self.cloud.requests(action="DescribeRouteTables")[0]["access_key"],
                         answer["Credentials"]["AccessKeyId"])

    def test_the_role_of_an_instance_may_assume_another(self):
        self.aws(*self.assume(), **self.cloud.aws_environment(key=None))
        self.assertEqual(self.cloud.requests(action="AssumeRole")[0]["node"], "node-a")

    def test_a_token_is_exchanged_without_a_key(self):
        answer = self.aws(*self.by_token(), **self.cloud.aws_environment(key=None))
        self.assertEqual(answer["SubjectFromWebIdentityToken"], SUBJECT)
        self.assertEqual(self.describe_tables(self.environment_of(answer)).returncode, 0)
        self.assertEqual(self.cloud.requests(action="AssumeRoleWithWebIdentity")[0]["signature"], "unsigned")

    def test_a_token_that_has_ended_is_refused(self):
        self.cloud.put_token("example.identity.token", SUBJECT, expired=True)
        self.assertIn("(ExpiredTokenException)", self.refused(*self.by_token()))
        self.cloud.put_token("a.newer.token", SUBJECT)
        self.aws(*self.by_token("a.newer.token"))
        self.assertIn("(InvalidIdentityToken)", self.refused(*self.by_token("made.up.token")))

    def test_who_is_not_trusted_is_refused_in_the_words_of_aws(self):
        message = self.refused(*self.assume(external_id="another"))
        self.assertIn("An error occurred (AccessDenied) when calling the AssumeRole operation", message)
        self.assertIn("User: arn:aws:iam::123456789012:user/operator is not authorized to perform: sts:AssumeRole on resource: "
                      + ROUTE_WRITER, message)
        self.assertIn("(ValidationError)", self.refused(*self.assume("--duration-seconds", "10000")))
        self.assertIn("(SignatureDoesNotMatch)",
                      self.refused(*self.assume(), **self.cloud.aws_environment(secret="not the secret")))
        self.assertIn("(InvalidClientTokenId)", self.refused(*self.assume(), **self.cloud.aws_environment(key="AKIAUNKNOWN")))

    def test_a_session_ends(self):
        self.cloud.set(credential_lifetime_s=300)
        environment = self.environment_of(self.aws(*self.assume()))
        self.assertEqual(self.describe_tables(environment).returncode, 0)
        # Five minutes pass: what was signed is young enough, the session is not.
        self.cloud.set(clock_offset_s=301)
        self.assertIn("(RequestExpired)", self.describe_tables(environment).stderr)
        self.assertIn("(ExpiredToken)", self.refused("get-caller-identity", **environment))


if __name__ == "__main__":
    unittest.main()
