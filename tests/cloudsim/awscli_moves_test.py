"""AWS's own command line client moves interfaces, addresses and Elastic IPs in cloudsim.

    CLOUDSIM=build/dev/cloudsim python3 tests/cloudsim/awscli_moves_test.py
"""

import unittest

from awscli import NODE_A, AwsCliTest

NODE_C = "i-0aaaaaaaaaaaaaaa3"
INTERFACE_A = "eni-0aaaaaaaaaaaaaaa1"
INTERFACE_C = "eni-0aaaaaaaaaaaaaaa3"
FLOATING = "eni-0aaaaaaaaaaaaaaa9"
ELASTIC = "eipalloc-0aaaaaaaaaaaaaaa1"
GROUP = "sg-0aaaaaaaaaaaaaaa1"
ADDRESS = "10.0.1.100"
ADDRESS6 = "2001:db8:0:1::100"


class Moves(AwsCliTest):
    """Nodes a and c of the example share a zone; an interface and an Elastic IP are nobody's."""

    def run_aws(self, *arguments, **environment):
        return self.run_service("ec2", self.cloud.ec2_url, *arguments, **environment)

    def attach(self, instance, interface=FLOATING, index=1):
        return self.aws("attach-network-interface", "--network-interface-id", interface, "--instance-id", instance,
                        "--device-index", str(index), "--network-card-index", "0")["AttachmentId"]

    def interface(self, name="network-interface-id", value=FLOATING):
        found, = self.aws("describe-network-interfaces", "--filters", f"Name={name},Values={value}")["NetworkInterfaces"]
        return found

    def test_an_interface_goes_from_node_to_node(self):
        attachment = self.attach(NODE_A)
        shown = self.interface()
        self.assertEqual((shown["Status"], shown["Attachment"]["InstanceId"], shown["Attachment"]["AttachmentId"]),
                         ("in-use", NODE_A, attachment))
        self.assertEqual((shown["Attachment"]["DeviceIndex"], shown["Attachment"]["DeleteOnTermination"]), (1, False))
        self.assertIn("(InvalidNetworkInterface.InUse)",
                      self.refused("attach-network-interface", "--network-interface-id", FLOATING, "--instance-id", NODE_C,
                                   "--device-index", "1"))
        self.aws("detach-network-interface", "--attachment-id", attachment)
        self.assertEqual(self.interface()["Status"], "available")
        self.assertNotEqual(self.attach(NODE_C), attachment)
        self.assertEqual([(line["arrived"], line["node"]) for line in self.cloud.movements(what="interface")],
                         [(True, "node-a"), (False, "node-a"), (True, "node-c")])
        request, = self.cloud.requests(action="DetachNetworkInterface")
        self.assertEqual((request["interface"], request["instance"]), (FLOATING, NODE_A))
        self.assertIn("(InvalidAttachmentID.NotFound)",
                      self.refused("detach-network-interface", "--attachment-id", attachment))

    def test_a_detach_takes_its_time_and_a_stuck_one_is_forced(self):
        attachment = self.attach(NODE_A)
        self.cloud.set_impaired("node-a")
        self.aws("detach-network-interface", "--attachment-id", attachment)
        self.assertEqual(self.interface()["Attachment"]["Status"], "detaching")
        status, = self.aws("describe-instance-status", "--instance-ids", NODE_A)["InstanceStatuses"]
        self.assertEqual(status["SystemStatus"]["Status"], "impaired")
        self.cloud.set(detach_ms=50)
        self.aws("detach-network-interface", "--attachment-id", attachment, "--force")
        self.cloud.wait_for(lambda line: line["event"] == "movement" and not line["arrived"])
        self.assertEqual(self.interface()["Status"], "available")

    def test_the_attribute_of_an_attachment_is_changed(self):
        attachment = self.attach(NODE_A)
        self.aws("modify-network-interface-attribute", "--network-interface-id", FLOATING,
                 "--attachment", f"AttachmentId={attachment},DeleteOnTermination=true")
        self.assertTrue(self.interface()["Attachment"]["DeleteOnTermination"])
        self.cloud.set_instance("node-a", "terminated")
        self.assertNotIn(FLOATING, self.cloud.state()["interfaces"])

    def test_a_secondary_address_changes_hands(self):
        assigned = self.aws("assign-private-ip-addresses", "--network-interface-id", INTERFACE_A,
                            "--private-ip-addresses", ADDRESS)
        self.assertEqual(assigned["AssignedPrivateIpAddresses"], [{"PrivateIpAddress": ADDRESS}])
        assign_to_c = ["assign-private-ip-addresses", "--network-interface-id", INTERFACE_C, "--private-ip-addresses", ADDRESS]
        self.assertIn("(InvalidParameterValue)", self.refused(*assign_to_c))
        self.aws(*assign_to_c, "--allow-reassignment")
        shown = self.interface("addresses.private-ip-address", ADDRESS)
        self.assertEqual(shown["NetworkInterfaceId"], INTERFACE_C)
        self.assertEqual([(one["PrivateIpAddress"], one["Primary"]) for one in shown["PrivateIpAddresses"]],
                         [("10.0.1.11", True), (ADDRESS, False)])
        self.aws("unassign-private-ip-addresses", "--network-interface-id", INTERFACE_C, "--private-ip-addresses", ADDRESS)
        self.assertEqual([(line["address"], line["arrived"], line["interface"]) for line in self.cloud.movements()],
                         [(ADDRESS, True, INTERFACE_A), (ADDRESS, False, INTERFACE_A), (ADDRESS, True, INTERFACE_C),
                          (ADDRESS, False, INTERFACE_C)])

    def test_an_elastic_ip_is_associated_and_let_go(self):
        done = self.aws("associate-address", "--allocation-id", ELASTIC, "--network-interface-id", INTERFACE_A,
                        "--private-ip-address", "10.0.1.10", "--allow-reassociation")
        address, = self.aws("describe-addresses", "--allocation-ids", ELASTIC)["Addresses"]
        self.assertEqual((address["AssociationId"], address["InstanceId"], address["PrivateIpAddress"], address["PublicIp"]),
                         (done["AssociationId"], NODE_A, "10.0.1.10", "203.0.113.10"))
        self.assertEqual(self.interface(value=INTERFACE_A)["Association"]["AllocationId"], ELASTIC)
        self.aws("associate-address", "--allocation-id", ELASTIC, "--network-interface-id", INTERFACE_C)
        self.assertIn("(InvalidAssociationID.NotFound)",
                      self.refused("disassociate-address", "--association-id", done["AssociationId"]))
        address, = self.aws("describe-addresses", "--filters", f"Name=network-interface-id,Values={INTERFACE_C}")["Addresses"]
        self.aws("disassociate-address", "--association-id", address["AssociationId"])
        self.assertEqual(self.cloud.state()["elastic_ips"][ELASTIC]["interface"], "")

    def test_networks_are_described(self):
        group, = self.aws("describe-security-groups", "--group-ids", GROUP)["SecurityGroups"]
        vrrp, = [rule for rule in group["IpPermissions"] if rule["IpProtocol"] == "112"]
        self.assertEqual((vrrp["UserIdGroupPairs"][0]["GroupId"], vrrp["PrefixListIds"]), (GROUP, []))
        subnets = self.aws("describe-subnets", "--filters", "Name=availability-zone,Values=eu-west-1a")["Subnets"]
        self.assertEqual([(one["CidrBlock"], one["AvailabilityZoneId"]) for one in subnets], [("10.0.1.0/24", "euw1-az1")])
        vpc, = self.aws("describe-vpcs")["Vpcs"]
        self.assertEqual([one["CidrBlock"] for one in vpc["CidrBlockAssociationSet"]], ["10.0.0.0/16"])
        kind, = self.aws("describe-instance-types", "--instance-types", "t3.micro")["InstanceTypes"]
        self.assertEqual((kind["NetworkInfo"]["MaximumNetworkInterfaces"], kind["NetworkInfo"]["Ipv4AddressesPerInterface"]),
                         (2, 2))
        reservation, = self.aws("describe-instances", "--instance-ids", NODE_A)["Reservations"]
        self.assertEqual(reservation["Instances"][0]["NetworkInterfaces"][0]["Attachment"]["NetworkCardIndex"], 0)

    def test_a_dry_run_moves_nothing(self):
        self.assertIn("(DryRunOperation)",
                      self.refused("attach-network-interface", "--dry-run", "--network-interface-id", FLOATING,
                                   "--instance-id", NODE_A, "--device-index", "1"))
        self.assertIn("(DryRunOperation)", self.refused("associate-address", "--dry-run", "--allocation-id", ELASTIC,
                                                        "--network-interface-id", INTERFACE_A))
        self.assertEqual(self.interface()["Status"], "available")
        self.assertEqual(self.cloud.movements(), [])

    def test_a_least_privilege_policy_is_put_in_force(self):
        self.cloud.set_policy("user/operator", {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ec2:AttachNetworkInterface",
             "Resource": [f"arn:aws:ec2:eu-west-1:123456789012:instance/{NODE_A}",
                          "arn:aws:ec2:eu-west-1:123456789012:network-interface/*"],
             "Condition": {"StringEquals": {"aws:ResourceTag/Name": ["node-a", "floating"]}}}]})
        self.attach(NODE_A)
        self.assertIn("(UnauthorizedOperation)", self.refused("describe-network-interfaces"))
        message = self.refused("detach-network-interface", "--attachment-id",
                               self.cloud.state()["interfaces"][FLOATING]["attachment"])
        self.assertIn(f"on resource: arn:aws:ec2:eu-west-1:123456789012:network-interface/{FLOATING}", message)


class MovesOfIpv6(AwsCliTest):
    """The example with IPv6 in its first subnet."""

    @staticmethod
    def change(topology):
        topology["vpcs"][0]["cidrs"].append("2001:db8::/56")
        topology["subnets"][0]["cidrs"].append("2001:db8:0:1::/64")

    def run_aws(self, *arguments, **environment):
        return self.run_service("ec2", self.cloud.ec2_url, *arguments, **environment)

    def test_an_ipv6_address_is_let_go_before_another_has_it(self):
        def assign(interface):
            return ["assign-ipv6-addresses", "--network-interface-id", interface, "--ipv6-addresses", ADDRESS6]
        self.assertEqual(self.aws(*assign(INTERFACE_A))["AssignedIpv6Addresses"], [ADDRESS6])
        self.assertIn("(InvalidParameterValue)", self.refused(*assign(INTERFACE_C)))
        done = self.aws("unassign-ipv6-addresses", "--network-interface-id", INTERFACE_A, "--ipv6-addresses", ADDRESS6)
        self.assertEqual(done["UnassignedIpv6Addresses"], [ADDRESS6])
        self.aws(*assign(INTERFACE_C))
        found, = self.aws("describe-network-interfaces", "--filters",
                          f"Name=ipv6-addresses.ipv6-address,Values={ADDRESS6}")["NetworkInterfaces"]
        self.assertEqual(found["NetworkInterfaceId"], INTERFACE_C)


if __name__ == "__main__":
    unittest.main()
