#include "agent/aws/ec2_reply.hpp"

#include "agent/aws/xml.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

const route_table_id table{"rtb-1"};
const route_destination vip = route_destination::cidr(ip_prefix::parse("198.51.100.10/32").value());
const network_interface_id eni{"eni-1"};

const ec2_call replacing = replace_route{table, vip, eni};
const ec2_call creating = create_route{table, vip, eni};
const ec2_call describing_tables = describe_route_tables{};
const ec2_call describing_interfaces = describe_network_interfaces{};

ec2_reply decode(const ec2_call& call, unsigned status, std::string body, std::vector<http_header> headers = {})
{
    if (!find_header(headers, "content-type")) {
        headers.push_back({"Content-Type", "text/xml;charset=UTF-8"});
    }
    http_result result;
    result.outcome = http_response{status, std::move(headers), std::move(body)};
    return decode_reply(call, result);
}

ec2_error error_of(const ec2_reply& reply)
{
    const auto* e = std::get_if<ec2_error>(&reply.value);
    return e != nullptr ? *e : ec2_error{ec2_error_class::dry_run_ok, "was no error", "", {}};
}

ec2_error failed(const ec2_call& call, bool may_have_arrived, error_class kind)
{
    http_result result;
    result.outcome = http_failure{may_have_arrived, {kind, "why it failed"}};
    return error_of(decode_reply(call, result));
}

constexpr const char* tables_answer = R"(<?xml version="1.0" encoding="UTF-8"?>
<DescribeRouteTablesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
  <routeTableSet>
    <item>
      <routeTableId>rtb-1</routeTableId>
      <vpcId>vpc-1</vpcId>
      <ownerId>111122223333</ownerId>
      <routeSet>
        <item>
          <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
          <gatewayId>local</gatewayId>
          <state>active</state>
          <origin>CreateRouteTable</origin>
        </item>
        <item>
          <destinationCidrBlock>198.51.100.10/32</destinationCidrBlock>
          <instanceId>i-1</instanceId>
          <instanceOwnerId>111122223333</instanceOwnerId>
          <networkInterfaceId>eni-1</networkInterfaceId>
          <state>blackhole</state>
          <origin>CreateRoute</origin>
        </item>
        <item>
          <destinationIpv6CidrBlock>2001:db8::1/128</destinationIpv6CidrBlock>
          <gatewayId>vgw-1</gatewayId>
          <state>filtered</state>
          <origin>EnableVgwRoutePropagation</origin>
        </item>
        <item>
          <destinationPrefixListId>pl-1</destinationPrefixListId>
          <ipAddress>10.0.0.7</ipAddress>
          <state>brand-new</state>
          <origin>Advertisement</origin>
        </item>
        <item><destinationCidrBlock>nonsense</destinationCidrBlock><gatewayId>igw-1</gatewayId></item>
      </routeSet>
      <associationSet><item><main>true</main></item>
        <item><gatewayId>igw-0</gatewayId><associationState><state>disassociated</state></associationState></item>
      </associationSet>
      <tagSet><item><key>x</key><value>y</value></item><item><key>Name</key><value>private a</value></item></tagSet>
    </item>
    <item><routeTableId>rtb-2</routeTableId><vpcId>vpc-1</vpcId><routeSet/>
      <associationSet>
        <item><gatewayId>igw-1</gatewayId><associationState><state>associated</state></associationState></item>
      </associationSet>
      <propagatingVgwSet><item><gatewayId>vgw-1</gatewayId></item></propagatingVgwSet>
    </item>
  </routeTableSet>
  <nextToken>abc==</nextToken>
</DescribeRouteTablesResponse>)";

TEST(ec2_reply, route_tables_are_read_with_every_kind_of_route)
{
    const auto reply = decode(describing_tables, 200, tables_answer);
    EXPECT_EQ(reply.request.str(), "59dbff89-35bd-4eac-99ed-be587EXAMPLE");
    const auto* page = std::get_if<route_tables_page>(&reply.value);
    ASSERT_NE(page, nullptr);
    EXPECT_EQ(page->next_token, "abc==");
    ASSERT_EQ(page->tables.size(), 2U);
    const auto& first = page->tables[0];
    EXPECT_EQ(first.id, table);
    EXPECT_EQ(first.vpc.str(), "vpc-1");
    EXPECT_EQ(first.name, "private a");
    EXPECT_FALSE(first.of_gateway) << "what was disassociated is over";
    EXPECT_TRUE(page->tables[1].of_gateway);
    ASSERT_EQ(first.routes.size(), 4U);
    EXPECT_EQ(first.routes[0].target, "local");
    EXPECT_TRUE(first.routes[0].interface.empty());
    EXPECT_EQ(first.routes[0].state, route_state::active);
    EXPECT_EQ(first.routes[1].destination, vip);
    EXPECT_EQ(first.routes[1].interface, eni);
    EXPECT_EQ(first.routes[1].target, "eni-1");
    EXPECT_EQ(first.routes[1].state, route_state::blackhole);
    EXPECT_FALSE(first.routes[1].propagated);
    EXPECT_EQ(first.routes[2].destination.to_string(), "2001:db8::1/128");
    EXPECT_EQ(first.routes[2].state, route_state::filtered);
    EXPECT_TRUE(first.routes[2].propagated);
    EXPECT_EQ(first.routes[3].destination, route_destination::prefix_list("pl-1"));
    EXPECT_EQ(first.routes[3].target, "10.0.0.7");
    EXPECT_EQ(first.routes[3].state, route_state::unknown);
    EXPECT_TRUE(first.routes[3].propagated);
    EXPECT_TRUE(page->tables[1].routes.empty());
    EXPECT_EQ(page->tables[1].name, "");
}

TEST(ec2_reply, an_empty_page_is_an_answer)
{
    const auto reply =
        decode(describing_tables, 200,
               "<DescribeRouteTablesResponse><requestId>r</requestId><routeTableSet/></DescribeRouteTablesResponse>");
    const auto* page = std::get_if<route_tables_page>(&reply.value);
    ASSERT_NE(page, nullptr);
    EXPECT_TRUE(page->tables.empty());
    EXPECT_EQ(page->next_token, "");
}

TEST(ec2_reply, interfaces_are_read)
{
    const auto reply = decode(describing_interfaces, 200, R"(
<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>
<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
<availabilityZone>eu-west-1a</availabilityZone><macAddress>06:AA:bb:cc:dd:ee</macAddress>
<sourceDestCheck>false</sourceDestCheck><attachment><attachmentId>eni-attach-1</attachmentId><instanceId>i-1</instanceId>
<deviceIndex>2</deviceIndex><status>detaching</status><deleteOnTermination>true</deleteOnTermination></attachment>
<privateIpAddressesSet><item><privateIpAddress>10.0.1.11</privateIpAddress><primary>false</primary></item>
<item><privateIpAddress>10.0.1.10</privateIpAddress><primary>true</primary></item></privateIpAddressesSet>
<ipv6AddressesSet><item><ipv6Address>2001:db8::a</ipv6Address></item><item><ipv6Address>x</ipv6Address></item></ipv6AddressesSet>
<tagSet><item><key>Name</key><value>floating</value></item></tagSet></item><item><networkInterfaceId>eni-2</networkInterfaceId><sourceDestCheck>true</sourceDestCheck></item>
</networkInterfaceSet></DescribeNetworkInterfacesResponse>)");
    const auto* page = std::get_if<network_interfaces_page>(&reply.value);
    ASSERT_NE(page, nullptr);
    ASSERT_EQ(page->interfaces.size(), 2U);
    EXPECT_EQ(page->interfaces[0].id, eni);
    EXPECT_EQ(page->interfaces[0].vpc.str(), "vpc-1");
    EXPECT_EQ(page->interfaces[0].availability_zone, "eu-west-1a");
    EXPECT_EQ(page->interfaces[0].mac, "06:aa:bb:cc:dd:ee");
    EXPECT_FALSE(page->interfaces[0].source_dest_check);
    EXPECT_EQ(page->interfaces[0].subnet.str(), "subnet-1");
    EXPECT_EQ(page->interfaces[0].name, "floating");
    const auto& attachment = page->interfaces[0].attachment;
    ASSERT_TRUE(attachment);
    EXPECT_EQ(attachment->id.str(), "eni-attach-1");
    EXPECT_EQ(attachment->instance.str(), "i-1");
    EXPECT_EQ(attachment->device_index, 2U);
    EXPECT_EQ(attachment->state, attachment_state::detaching);
    EXPECT_TRUE(attachment->delete_on_termination);
    EXPECT_EQ(page->interfaces[0].addresses,
              (std::vector{ip_address::v4(10, 0, 1, 10), ip_address::v4(10, 0, 1, 11), *ip_address::parse("2001:db8::a")}));
    EXPECT_TRUE(page->interfaces[1].source_dest_check);
    EXPECT_FALSE(page->interfaces[1].attachment);
    EXPECT_TRUE(page->interfaces[1].addresses.empty());
}

TEST(ec2_reply, elastic_addresses_are_read_whether_or_not_they_are_associated)
{
    const auto reply = decode(describe_addresses{}, 200, R"(
<DescribeAddressesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId><addressesSet>
<item><publicIp>203.0.113.7</publicIp><allocationId>eipalloc-1</allocationId><domain>vpc</domain>
<associationId>eipassoc-1</associationId><networkInterfaceId>eni-1</networkInterfaceId><instanceId>i-1</instanceId>
<privateIpAddress>10.0.1.10</privateIpAddress></item>
<item><publicIp>203.0.113.8</publicIp><allocationId>eipalloc-2</allocationId></item>
<item><publicIp>203.0.113.9</publicIp></item></addressesSet></DescribeAddressesResponse>)");
    const auto* found = std::get_if<elastic_addresses>(&reply.value);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->all.size(), 2U);
    EXPECT_EQ(found->all[0].allocation.str(), "eipalloc-1");
    EXPECT_EQ(found->all[0].public_ip, "203.0.113.7");
    EXPECT_EQ(found->all[0].interface, eni);
    EXPECT_EQ(found->all[0].private_address, ip_address::v4(10, 0, 1, 10));
    EXPECT_TRUE(found->all[1].interface.empty());
    EXPECT_FALSE(found->all[1].private_address);
    EXPECT_EQ(error_of(decode(describe_addresses{}, 200, "<DescribeAddressesResponse/>")).kind, ec2_error_class::transient);
}

TEST(ec2_reply, vpcs_and_subnets_have_the_ranges_that_are_associated)
{
    const auto reply = decode(describe_vpcs{}, 200, R"(<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId>
<cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet>
<item><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item>
<item><cidrBlock>10.1.0.0/16</cidrBlock><cidrBlockState><state>disassociated</state></cidrBlockState></item>
</cidrBlockAssociationSet><ipv6CidrBlockAssociationSet><item><ipv6CidrBlock>2001:db8::/56</ipv6CidrBlock>
<ipv6CidrBlockState><state>associated</state></ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>
</item></vpcSet></DescribeVpcsResponse>)");
    const auto* const found = std::get_if<vpcs>(&reply.value);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->all.size(), 1U);
    EXPECT_EQ(found->all[0].cidrs, (std::vector{*ip_prefix::parse("10.0.0.0/16"), *ip_prefix::parse("2001:db8::/56")}));
    // A VPC without a range is none: half an answer must not make every address look free.
    const auto half = decode(describe_vpcs{}, 200,
                             "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>");
    EXPECT_EQ(error_of(half).kind, ec2_error_class::transient);

    const auto in_vpc = decode(describe_subnets{}, 200, R"(<DescribeSubnetsResponse><subnetSet><item>
<subnetId>subnet-1</subnetId><cidrBlock>10.0.1.0/24</cidrBlock><availabilityZone>eu-west-1a</availabilityZone></item>
</subnetSet></DescribeSubnetsResponse>)");
    const auto* const all = std::get_if<subnets>(&in_vpc.value);
    ASSERT_NE(all, nullptr);
    ASSERT_EQ(all->all.size(), 1U);
    EXPECT_EQ(all->all[0].availability_zone, "eu-west-1a");
    EXPECT_EQ(all->all[0].cidrs, std::vector{*ip_prefix::parse("10.0.1.0/24")});
    EXPECT_EQ(error_of(decode(describe_subnets{}, 200, "<DescribeSubnetsResponse/>")).kind, ec2_error_class::transient);
}

TEST(ec2_reply, security_groups_have_the_rules_of_both_directions)
{
    const auto reply = decode(describe_security_groups{}, 200, R"(<DescribeSecurityGroupsResponse><securityGroupInfo><item>
<groupId>sg-1</groupId><ipPermissions><item><ipProtocol>112</ipProtocol>
<groups><item><userId>1</userId><groupId>sg-2</groupId></item></groups>
<ipRanges><item><cidrIp>10.0.1.0/24</cidrIp></item></ipRanges>
<ipv6Ranges><item><cidrIpv6>2001:db8::/64</cidrIpv6></item></ipv6Ranges>
<prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item></ipPermissions>
<ipPermissionsEgress><item><ipProtocol>-1</ipProtocol></item></ipPermissionsEgress></item>
</securityGroupInfo></DescribeSecurityGroupsResponse>)");
    const auto* const found = std::get_if<security_groups>(&reply.value);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->all.size(), 1U);
    ASSERT_EQ(found->all[0].inbound.size(), 1U);
    const auto& rule = found->all[0].inbound[0];
    EXPECT_EQ(rule.protocol, "112");
    EXPECT_EQ(rule.groups, std::vector{security_group_id{"sg-2"}});
    EXPECT_EQ(rule.cidrs, (std::vector{*ip_prefix::parse("10.0.1.0/24"), *ip_prefix::parse("2001:db8::/64")}));
    EXPECT_EQ(rule.prefix_lists, std::vector<std::string>{"pl-1"});
    ASSERT_EQ(found->all[0].outbound.size(), 1U);
    EXPECT_EQ(found->all[0].outbound[0].protocol, "-1");
}

TEST(ec2_reply, instance_types_say_how_much_they_take)
{
    const auto reply = decode(describe_instance_types{}, 200, R"(<DescribeInstanceTypesResponse><instanceTypeSet><item>
<instanceType>t3.micro</instanceType><networkInfo><maximumNetworkInterfaces>2</maximumNetworkInterfaces>
<ipv4AddressesPerInterface>2</ipv4AddressesPerInterface><ipv6AddressesPerInterface>3</ipv6AddressesPerInterface>
</networkInfo></item></instanceTypeSet></DescribeInstanceTypesResponse>)");
    const auto* const found = std::get_if<instance_types>(&reply.value);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->all.size(), 1U);
    EXPECT_EQ(found->all[0].interfaces_max, 2U);
    EXPECT_EQ(found->all[0].ipv4_addresses_per_interface, 2U);
    EXPECT_EQ(found->all[0].ipv6_addresses_per_interface, 3U);
}

TEST(ec2_reply, an_interface_has_its_groups_and_who_manages_it)
{
    const auto reply = decode(describe_network_interfaces{}, 200, R"(<DescribeNetworkInterfacesResponse><networkInterfaceSet>
<item><networkInterfaceId>eni-1</networkInterfaceId><requesterManaged>true</requesterManaged>
<groupSet><item><groupId>sg-1</groupId></item><item><groupId>sg-2</groupId></item></groupSet></item>
<item><networkInterfaceId>eni-2</networkInterfaceId></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>)");
    const auto* const page = std::get_if<network_interfaces_page>(&reply.value);
    ASSERT_NE(page, nullptr);
    EXPECT_TRUE(page->interfaces[0].requester_managed);
    EXPECT_EQ(page->interfaces[0].groups, (std::vector{security_group_id{"sg-1"}, security_group_id{"sg-2"}}));
    EXPECT_FALSE(page->interfaces[1].requester_managed);
}

TEST(ec2_reply, mutating_calls_are_done_when_ec2_says_true_or_nothing)
{
    for (const auto* body : {"<ReplaceRouteResponse><requestId>r-9</requestId><return>true</return></ReplaceRouteResponse>",
                             "<ReplaceRouteResponse><requestId>r-9</requestId></ReplaceRouteResponse>"}) {
        const auto reply = decode(replacing, 200, body);
        EXPECT_TRUE(std::holds_alternative<done>(reply.value)) << body;
        EXPECT_EQ(reply.request.str(), "r-9");
    }
    const auto refused = decode(replacing, 200, "<ReplaceRouteResponse><return>false</return></ReplaceRouteResponse>");
    EXPECT_EQ(error_of(refused).kind, ec2_error_class::unknown_outcome);
}

TEST(ec2_reply, an_error_has_its_code_message_and_request_id)
{
    const auto reply =
        decode(creating, 400,
               "<?xml version=\"1.0\"?><Response><Errors><Error><Code>RouteAlreadyExists</Code><Message>The route "
               "identified by 198.51.100.10/32 already exists.</Message></Error></Errors>"
               "<RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>");
    const auto e = error_of(reply);
    EXPECT_EQ(e.kind, ec2_error_class::route_exists);
    EXPECT_EQ(e.code, "RouteAlreadyExists");
    EXPECT_EQ(e.message, "The route identified by 198.51.100.10/32 already exists.");
    EXPECT_EQ(e.request.str(), "ea966190-f9aa-478e-9ede-example");
    EXPECT_EQ(reply.request, e.request);
}

TEST(ec2_reply, a_success_that_cannot_be_read_leaves_a_mutating_call_unknown_and_a_read_to_be_repeated)
{
    const std::vector<std::string> bodies = {
        "",
        "<html><body>captive portal</body></html>",
        "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>",
        "<SomethingElseResponse/>",
        "<ReplaceRouteResponse><return>tr",
        "<DescribeRouteTablesResponse><requestId>r</requestId></DescribeRouteTablesResponse>",
        "<DescribeRouteTablesResponse><routeTableSet><item><vpcId>v</vpcId></item></routeTableSet></"
        "DescribeRouteTablesResponse>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ReplaceRouteResponse/>",
    };
    for (const auto& body : bodies) {
        EXPECT_EQ(error_of(decode(replacing, 200, body)).kind, ec2_error_class::unknown_outcome) << body;
        EXPECT_EQ(error_of(decode(describing_tables, 200, body)).kind, ec2_error_class::transient) << body;
    }
    for (const unsigned status : {100U, 204U, 301U, 307U}) {
        EXPECT_EQ(error_of(decode(replacing, status, "")).kind, ec2_error_class::unknown_outcome) << status;
        EXPECT_EQ(error_of(decode(describing_tables, status, "")).kind, ec2_error_class::transient) << status;
    }
}

TEST(ec2_reply, a_success_counts_only_as_xml)
{
    const std::string replaced = "<ReplaceRouteResponse><return>true</return></ReplaceRouteResponse>";
    for (const auto* type : {"text/xml", "application/xml", "Text/XML; charset=utf-8", "application/xml ;charset=UTF-8"}) {
        EXPECT_TRUE(std::holds_alternative<done>(decode(replacing, 200, replaced, {{"content-type", type}}).value)) << type;
    }
    for (const auto* type : {"", "text/html", "text/html; charset=utf-8", "text/plain", "text/xmlish", "application/json",
                             "xml", ";text/xml", "application/soap+xml"}) {
        EXPECT_EQ(error_of(decode(replacing, 200, replaced, {{"content-type", type}})).kind, ec2_error_class::unknown_outcome)
            << type;
        EXPECT_EQ(error_of(decode(describing_tables, 200, tables_answer, {{"content-type", type}})).kind,
                  ec2_error_class::transient)
            << type;
    }
    http_result untyped;
    untyped.outcome = http_response{200, {}, replaced};
    EXPECT_EQ(error_of(decode_reply(replacing, untyped)).kind, ec2_error_class::unknown_outcome);
}

TEST(ec2_reply, an_error_is_read_whatever_its_type)
{
    const std::string body = "<Response><Errors><Error><Code>RouteAlreadyExists</Code></Error></Errors></Response>";
    EXPECT_EQ(error_of(decode(creating, 400, body, {{"content-type", "text/html"}})).kind, ec2_error_class::route_exists);
}

TEST(ec2_reply, every_cut_of_an_answer_is_unreadable)
{
    const std::string whole = tables_answer;
    for (std::size_t length = 0; length < whole.size(); length += 7) {
        EXPECT_EQ(error_of(decode(describing_tables, 200, whole.substr(0, length))).kind, ec2_error_class::transient) << length;
    }
}

TEST(ec2_reply, a_dry_run_that_gets_no_readable_answer_is_a_read)
{
    const ec2_call dry = replace_route{table, vip, eni, true};
    EXPECT_EQ(error_of(decode(dry, 200, "garbage")).kind, ec2_error_class::transient);
    EXPECT_EQ(failed(dry, true, error_class::timed_out).kind, ec2_error_class::transient);
}

TEST(ec2_reply, what_was_never_sent_is_told_from_what_may_have_arrived)
{
    EXPECT_EQ(failed(replacing, false, error_class::timed_out).kind, ec2_error_class::not_sent);
    EXPECT_EQ(failed(describing_tables, false, error_class::unavailable).kind, ec2_error_class::not_sent);
    EXPECT_EQ(failed(replacing, true, error_class::timed_out).kind, ec2_error_class::unknown_outcome);
    EXPECT_EQ(failed(replacing, true, error_class::too_large).kind, ec2_error_class::unknown_outcome);
    EXPECT_EQ(failed(describing_tables, true, error_class::unavailable).kind, ec2_error_class::transient);
    EXPECT_EQ(failed(describing_tables, true, error_class::too_large).kind, ec2_error_class::page_too_large);
    EXPECT_EQ(failed(describing_tables, true, error_class::timed_out).code, "timeout");
    EXPECT_EQ(failed(describing_tables, true, error_class::timed_out).message, "why it failed");
}

TEST(ec2_reply, a_page_with_too_many_elements_is_asked_for_in_smaller_pages)
{
    std::string body = "<DescribeRouteTablesResponse><routeTableSet>";
    for (unsigned i = 0; i < xml_elements_max; ++i) {
        body += "<i/>";
    }
    body += "</routeTableSet></DescribeRouteTablesResponse>";
    EXPECT_EQ(error_of(decode(describing_tables, 200, body)).kind, ec2_error_class::page_too_large);
    EXPECT_EQ(error_of(decode(replacing, 200, body)).kind, ec2_error_class::unknown_outcome);
}

TEST(ec2_reply, the_date_is_taken_from_success_and_error_alike_unless_a_cache_answered)
{
    const http_header date{"date", "Thu, 01 Jan 2026 00:00:00 GMT"};
    constexpr wall_time new_year = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    EXPECT_EQ(decode(replacing, 200, "<ReplaceRouteResponse/>", {date}).server_date, new_year);
    EXPECT_EQ(decode(replacing, 503, "", {date}).server_date, new_year);
    EXPECT_FALSE(decode(replacing, 503, "", {date, {"Age", "3"}}).server_date.has_value());
    EXPECT_FALSE(decode(replacing, 503, "", {{"Date", "yesterday"}}).server_date.has_value());
    EXPECT_FALSE(decode(replacing, 503, "").server_date.has_value());
}

TEST(ec2_reply, ids_that_are_none_and_endless_tokens_are_not_taken_over)
{
    const auto reply = decode(describing_tables, 200,
                              "<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</"
                              "routeTableId><vpcId>a&#10;b</vpcId><routeSet><item>"
                              "<destinationCidrBlock>10.0.0.0/8</destinationCidrBlock><networkInterfaceId>eni "
                              "1</networkInterfaceId></item></routeSet>"
                              "</item></routeTableSet></DescribeRouteTablesResponse>");
    const auto& page = std::get<route_tables_page>(reply.value);
    EXPECT_TRUE(page.tables.at(0).vpc.empty());
    EXPECT_TRUE(page.tables.at(0).routes.at(0).interface.empty());
    const auto endless = decode(describing_tables, 200,
                                "<DescribeRouteTablesResponse><routeTableSet/><nextToken>" + std::string(5000, 'x') +
                                    "</nextToken></DescribeRouteTablesResponse>");
    EXPECT_EQ(error_of(endless).kind, ec2_error_class::transient);
}

TEST(ec2_reply, every_class_has_a_name)
{
    EXPECT_EQ(to_string(ec2_error_class::transient), "transient");
    EXPECT_EQ(to_string(ec2_error_class::page_too_large), "page_too_large");
    EXPECT_EQ(to_string(ec2_error_class::not_sent), "not_sent");
}

}  // namespace
}  // namespace vipd::aws
