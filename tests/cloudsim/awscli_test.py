"""AWS's own command line client against cloudsim: what it accepts is what AWS's protocol is.

    CLOUDSIM=build/dev/cloudsim python3 tests/cloudsim/awscli_test.py
"""

import http.client
import ssl
import unittest

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from awscli import NODE_A, AwsCliTest
from cloudsim import OPERATOR_KEY, OPERATOR_SECRET

VPC = "vpc-0aaaaaaaaaaaaaaa1"
PRIVATE_A = "rtb-0aaaaaaaaaaaaaaa2"
PRIVATE_B = "rtb-0aaaaaaaaaaaaaaa3"
INTERFACE_A = "eni-0aaaaaaaaaaaaaaa1"
INTERFACE_B = "eni-0aaaaaaaaaaaaaaa2"
INTERFACE_C = "eni-0aaaaaaaaaaaaaaa3"
VIRTUAL_IP = "172.16.1.100/32"


class Ec2(AwsCliTest):
    """A fresh cloud for each test, whose one IMDS address answers as node-a."""

    def run_aws(self, *arguments, **environment):
        return self.run_service("ec2", self.cloud.ec2_url, *arguments, **environment)

    def route_arguments(self, table=PRIVATE_A, interface=INTERFACE_B):
        return ["--route-table-id", table, "--destination-cidr-block", VIRTUAL_IP, "--network-interface-id", interface]

    def test_route_tables_are_described_by_tag_and_in_pages(self):
        tables = self.aws("describe-route-tables", "--filters", "Name=tag:Name,Values=private-*", f"Name=vpc-id,Values={VPC}")
        self.assertEqual([table["RouteTableId"] for table in tables["RouteTables"]], [PRIVATE_A, PRIVATE_B])
        routes = {route["DestinationCidrBlock"]: route for route in tables["RouteTables"][0]["Routes"]}
        self.assertEqual(routes["10.0.0.0/16"]["GatewayId"], "local")
        self.assertEqual(routes[VIRTUAL_IP], {"DestinationCidrBlock": VIRTUAL_IP, "NetworkInterfaceId": INTERFACE_A,
                                              "InstanceId": NODE_A, "InstanceOwnerId": "123456789012",
                                              "Origin": "CreateRoute", "State": "active"})
        for number in range(20):
            self.cloud.create_table(id=f"rtb-0bbbbbbbbbbbbbb{number:02}", vpc=VPC)
        paged = self.aws("describe-route-tables", "--page-size", "5")
        self.assertEqual(len(paged["RouteTables"]), 23)
        self.assertEqual(len(self.cloud.requests(action="DescribeRouteTables")), 1 + 5)

    def test_a_route_is_moved_and_the_log_says_when(self):
        self.aws("replace-route", *self.route_arguments())
        self.assertEqual(self.cloud.owners(VIRTUAL_IP), {PRIVATE_A: "node-b"})
        request, = self.cloud.requests(action="ReplaceRoute")
        self.assertEqual((request["status"], request["signature"], request["outcome"]), (200, "valid", "answered"))
        times = [request[name + "_ns"] for name in ("accepted", "secured", "first_byte", "complete", "effect", "replied")]
        self.assertEqual(times, sorted(times))
        change, = [line for line in self.cloud.log() if line["event"] == "change"]
        self.assertEqual((change["at_ns"], change["request_id"]), (request["effect_ns"], request["request_id"]))

    def test_a_route_is_created_and_deleted_and_refusals_are_worded_as_by_ec2(self):
        self.assertIn("(InvalidParameterValue)", self.refused("replace-route", *self.route_arguments(PRIVATE_B)))
        self.assertIn(f"There is no route defined for '{VIRTUAL_IP}' in the route table. Use CreateRoute instead.",
                      self.refused("replace-route", *self.route_arguments(PRIVATE_B)))
        self.assertEqual(self.aws("create-route", *self.route_arguments(PRIVATE_B)), {"Return": True})
        self.assertIn("(RouteAlreadyExists)", self.refused("create-route", *self.route_arguments(PRIVATE_B, INTERFACE_A)))
        self.aws("delete-route", "--route-table-id", PRIVATE_B, "--destination-cidr-block", VIRTUAL_IP)
        self.assertIn("(InvalidRoute.NotFound)",
                      self.refused("delete-route", "--route-table-id", PRIVATE_B, "--destination-cidr-block", VIRTUAL_IP))

    def test_source_dest_check_is_switched_off(self):
        def check():
            found = self.aws("describe-network-interfaces", "--filters", f"Name=network-interface-id,Values={INTERFACE_C}")
            return found["NetworkInterfaces"][0]["SourceDestCheck"]
        self.assertTrue(check())
        self.aws("modify-network-interface-attribute", "--network-interface-id", INTERFACE_C, "--no-source-dest-check")
        self.assertFalse(check())

    def test_instances_are_described(self):
        self.cloud.set_instance("node-b", "stopped")
        found = self.aws("describe-instances", "--filters", "Name=instance-state-name,Values=running")
        names = [instance["Tags"][0]["Value"] for item in found["Reservations"] for instance in item["Instances"]]
        self.assertEqual(names, ["node-a", "node-c"])

    def test_a_dry_run_changes_nothing(self):
        self.assertIn("(DryRunOperation)", self.refused("replace-route", "--dry-run", *self.route_arguments()))
        self.assertEqual(self.cloud.owners(VIRTUAL_IP), {PRIVATE_A: "node-a"})

    def test_the_instance_role_may_do_what_its_policy_says_and_nothing_else(self):
        environment = self.cloud.aws_environment(key=None)
        self.aws("replace-route", *self.route_arguments(), **environment)
        message = self.refused("delete-route", "--route-table-id", PRIVATE_A, "--destination-cidr-block", VIRTUAL_IP,
                               **environment)
        self.assertIn("(UnauthorizedOperation)", message)
        self.assertIn("Encoded authorization failure message: ", message)
        request, = self.cloud.requests(action="ReplaceRoute")
        self.assertEqual(request["node"], "node-a")
        self.assertEqual([line["status"] for line in self.cloud.requests(service="imds")][:3], [200, 200, 200])

    def test_an_empty_bucket_throttles(self):
        self.cloud.set_bucket("ReplaceRoute", level=0, refill_per_second=0.001)
        self.assertIn("(RequestLimitExceeded)", self.refused("replace-route", *self.route_arguments()))
        self.assertEqual(self.cloud.requests(action="ReplaceRoute")[0]["status"], 503)

    def test_a_wrong_secret_is_refused(self):
        message = self.refused("describe-route-tables", **self.cloud.aws_environment(secret="not the secret"))
        self.assertIn("(SignatureDoesNotMatch)", message)
        self.assertEqual(self.cloud.requests(action="DescribeRouteTables")[0]["signature"], "mismatch")

    def test_an_unknown_key_is_refused(self):
        self.assertIn("(AuthFailure)", self.refused("describe-route-tables", **self.cloud.aws_environment(key="AKIAUNKNOWN")))

    def test_a_clock_that_is_twenty_minutes_off_is_refused(self):
        for offset in (1200, -1200):
            self.cloud.set(clock_offset_s=offset)
            self.assertIn("(RequestExpired)", self.refused("describe-route-tables"))
        self.cloud.set(clock_offset_s=600)
        self.aws("describe-route-tables")

    def test_a_tampered_body_is_refused(self):
        body = f"Action=DeleteRoute&Version=2016-11-15&RouteTableId={PRIVATE_A}&DestinationCidrBlock=172.16.1.100%2F32"
        request = AWSRequest("POST", self.cloud.ec2_url + "/", data=body,
                             headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(Credentials(OPERATOR_KEY, OPERATOR_SECRET), "ec2", "eu-west-1").add_auth(request)
        tampered = body.replace(PRIVATE_A, PRIVATE_B)
        context = ssl.create_default_context(cafile=self.cloud.ca_file)
        for sent, status in ((tampered, 403), (body, 200)):
            connection = http.client.HTTPSConnection(self.cloud.ec2[0], context=context)
            connection.request("POST", "/", sent, dict(request.headers))
            answer = connection.getresponse()
            self.assertEqual(answer.status, status, answer.read())
            connection.close()
        self.assertEqual([line["signature"] for line in self.cloud.requests()], ["mismatch", "valid"])


if __name__ == "__main__":
    unittest.main()
