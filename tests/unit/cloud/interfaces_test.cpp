// Interfaces that are attached and detached: what EC2 asks for, how long it takes, and what can be seen meanwhile.

#include "tests/unit/cloud/moves_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using lines = std::vector<std::string>;

class interfaces : public moves_test {
protected:
    void add_fault(const std::string& json)
    {
        const auto parsed = parse_fault(boost::json::parse(json));
        ASSERT_TRUE(parsed) << parsed.error().text;
        cloud.faults().add(*parsed);
    }
    std::string shown_status(const char* id) { return described(id).child_value("status"); }
    parameters attach_parameters(const char* interface, const char* instance)
    {
        return {{"NetworkInterfaceId", interface}, {"InstanceId", instance}, {"DeviceIndex", "1"}};
    }
};

TEST_F(interfaces, one_goes_from_an_instance_to_another_under_a_new_attachment_each_time)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    const auto first = attachment_of(floating);
    EXPECT_EQ(interface(floating).attached->instance.str(), node_a);
    EXPECT_EQ(interface(floating).attached->device_index, 1U);
    ASSERT_EQ(detach(floating), "200");
    EXPECT_FALSE(interface(floating).attached);
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(interface(floating).attached->instance.str(), node_b);
    EXPECT_NE(attachment_of(floating), first);
    EXPECT_TRUE(first.starts_with("eni-attach-") && first.size() == std::string("eni-attach-").size() + 17) << first;
}

TEST_F(interfaces, the_answer_names_the_attachment_and_the_description_shows_it)
{
    const auto answer = get("AttachNetworkInterface", attach_parameters(floating, node_a));
    const auto root = answer.child("AttachNetworkInterfaceResponse");
    EXPECT_EQ(root.child_value("attachmentId"), attachment_of(floating));
    EXPECT_STREQ(root.child_value("networkCardIndex"), "0");
    const auto shown = described(floating);
    EXPECT_STREQ(shown.child_value("status"), "in-use");
    const auto attachment = shown.child("attachment");
    EXPECT_EQ(attachment.child_value("attachmentId"), attachment_of(floating));
    EXPECT_STREQ(attachment.child_value("instanceId"), node_a);
    EXPECT_STREQ(attachment.child_value("deviceIndex"), "1");
    EXPECT_STREQ(attachment.child_value("networkCardIndex"), "0");
    EXPECT_STREQ(attachment.child_value("status"), "attached");
    EXPECT_STREQ(attachment.child_value("deleteOnTermination"), "false");
    EXPECT_STREQ(attachment.child_value("attachTime"), "2026-01-01T00:00:00Z");
    EXPECT_EQ(shown.child("tagSet").select_node("item[key='Name']/value").node().child_value(), std::string("floating"));
    EXPECT_STREQ(shown.child_value("description"), "the floating one");
    EXPECT_STREQ(shown.child_value("availabilityZoneId"), "euw1-az1");
}

TEST_F(interfaces, what_is_in_use_cannot_be_attached)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(attach(floating, node_b), "400 InvalidNetworkInterface.InUse");
    EXPECT_EQ(message("AttachNetworkInterface", attach_parameters(floating, node_b)),
              "Interface: [eni-0aaaaaaaaaaaaaaa9] in use.");
    EXPECT_EQ(attach(floating, node_a), "400 InvalidNetworkInterface.InUse") << "not idempotent";
}

TEST_F(interfaces, an_index_is_taken_once_and_has_a_bound)
{
    ASSERT_EQ(attach(floating, node_a, 1), "200");
    EXPECT_EQ(attach(other_floating, node_a, 1), "400 InvalidParameterValue");
    EXPECT_EQ(message("AttachNetworkInterface", attach_parameters(other_floating, node_a)),
              "Instance 'i-0aaaaaaaaaaaaaaa1' already has an interface attached at device index '1'.");
    EXPECT_EQ(attach(other_floating, node_a, 0), "400 InvalidParameterValue");
    EXPECT_EQ(attach(other_floating, node_a, 3), "400 InvalidParameterValue") << "t3.small has three";
    EXPECT_EQ(attach(other_floating, node_a, 2), "200");
}

TEST_F(interfaces, an_instance_takes_as_many_as_its_type_allows)
{
    // Node c is a t3.micro, which takes two. By hand no rule is asked.
    cloud.model().attach(now.steady, network_interface_id{other_floating}, instance_id{node_c}, 1);
    EXPECT_EQ(attach(floating_in_b, node_c, 2), "400 AttachmentLimitExceeded");
    cloud.model().attach(now.steady, network_interface_id{other_floating}, {}, 0);
    EXPECT_EQ(attach(floating_in_b, node_c, 1), "200");
}

TEST_F(interfaces, what_has_too_many_addresses_for_a_type_is_not_attached)
{
    for (const auto* address : {"10.0.2.60", "10.0.2.61"}) {
        ASSERT_EQ(assign(floating_in_b, address), "200") << "without an instance there is no limit";
    }
    EXPECT_EQ(attach(floating_in_b, node_c), "400 PrivateIpAddressLimitExceeded");
    ASSERT_EQ(unassign(floating_in_b, "10.0.2.61"), "200");
    EXPECT_EQ(attach(floating_in_b, node_c), "200");
}

TEST_F(interfaces, zone_vpc_and_state_have_to_fit)
{
    EXPECT_EQ(attach(floating, node_c), "400 InvalidParameterCombination");
    EXPECT_NE(message("AttachNetworkInterface", attach_parameters(floating, node_c)).find("the same availability zone"),
              std::string::npos);
    EXPECT_EQ(attach(floating, node_d), "400 InvalidParameterCombination") << "the same zone, another VPC";
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::stopping);
    EXPECT_EQ(attach(floating, node_a), "400 IncorrectInstanceState");
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::stopped);
    EXPECT_EQ(attach(floating, node_a), "200");
}

TEST_F(interfaces, what_is_named_has_to_exist_and_to_look_like_an_id)
{
    EXPECT_EQ(attach("eni-0ccccccccccccccc1", node_a), "400 InvalidNetworkInterfaceID.NotFound");
    EXPECT_EQ(attach(floating, "i-0ccccccccccccccc1"), "400 InvalidInstanceID.NotFound");
    EXPECT_EQ(attach("floating", node_a), "400 InvalidNetworkInterfaceId.Malformed");
    EXPECT_EQ(attach(floating, "node-a"), "400 InvalidInstanceID.Malformed");
    EXPECT_EQ(verdict("AttachNetworkInterface", {{"NetworkInterfaceId", floating}, {"InstanceId", node_a}}),
              "400 MissingParameter");
    EXPECT_EQ(verdict("DetachNetworkInterface", {{"AttachmentId", "eni-attach-0ccccccccccccccc1"}}),
              "400 InvalidAttachmentID.NotFound");
    EXPECT_EQ(verdict("DetachNetworkInterface", {{"AttachmentId", floating}}),
              "400 InvalidNetworkInterfaceAttachmentId.Malformed");
}

TEST_F(interfaces, the_first_interface_of_an_instance_cannot_be_detached)
{
    EXPECT_EQ(detach(interface_a), "400 OperationNotPermitted");
    EXPECT_EQ(detach(interface_a, true), "400 OperationNotPermitted");
    EXPECT_EQ(message("DetachNetworkInterface", {{"AttachmentId", attachment_of(interface_a)}}),
              "The network interface at device index 0 and networkCard index 0 cannot be detached.");
}

TEST_F(interfaces, an_old_attachment_is_not_found)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    const auto old = attachment_of(floating);
    ASSERT_EQ(detach(floating), "200");
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(verdict("DetachNetworkInterface", {{"AttachmentId", old}}), "400 InvalidAttachmentID.NotFound");
    EXPECT_EQ(interface(floating).attached->instance.str(), node_b);
}

TEST_F(interfaces, attaching_and_detaching_take_their_time)
{
    cloud.set_move_times({delay::fixed(seconds{2}), delay::fixed(seconds{5}), {}});
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(shown_status(floating), "attaching");
    EXPECT_EQ(cloud.next_wakeup().at, now.steady + seconds{2});
    EXPECT_EQ(cloud.last_effect(), now.steady + seconds{2});
    pass(seconds{2} - duration{1});
    EXPECT_EQ(shown_status(floating), "attaching");
    pass(duration{1});
    EXPECT_EQ(shown_status(floating), "in-use");
    ASSERT_EQ(detach(floating), "200");
    EXPECT_EQ(shown_status(floating), "detaching");
    EXPECT_EQ(attach(floating, node_b), "400 InvalidNetworkInterface.InUse");
    EXPECT_EQ(detach(floating), "400 IncorrectState");
    pass(seconds{5});
    EXPECT_EQ(shown_status(floating), "available");
    EXPECT_EQ(cloud.next_wakeup().at, never);
    EXPECT_EQ(cloud.last_effect(), never);
    EXPECT_EQ(attach(floating, node_b), "200");
}

TEST_F(interfaces, detached_while_it_is_attached_it_ends_up_available)
{
    cloud.set_move_times({delay::fixed(seconds{2}), delay::fixed(seconds{1}), {}});
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(detach(floating), "200");
    pass(seconds{3});
    EXPECT_EQ(shown_status(floating), "available");
    EXPECT_EQ(movements(), lines{}) << "the guest never had it";
}

TEST_F(interfaces, a_fault_makes_one_detach_linger)
{
    add_fault(R"({"action": "DetachNetworkInterface", "interface": "eni-*9", "kind": "linger", "by": 40000, "count": 1})");
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(attach(other_floating, node_a, 2), "200");
    ASSERT_EQ(detach(other_floating), "200");
    EXPECT_EQ(shown_status(other_floating), "available") << "the fault is for the other one";
    ASSERT_EQ(detach(floating), "200");
    pass(seconds{39});
    EXPECT_EQ(shown_status(floating), "detaching");
    pass(seconds{1});
    EXPECT_EQ(shown_status(floating), "available");
}

TEST_F(interfaces, a_stuck_detach_ends_when_it_is_forced)
{
    add_fault(R"({"action": "DetachNetworkInterface", "kind": "stuck", "count": 1})");
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(detach(floating), "200");
    pass(minutes{30});
    EXPECT_EQ(shown_status(floating), "detaching");
    EXPECT_EQ(detach(floating, true), "200");
    EXPECT_EQ(shown_status(floating), "available");
}

TEST_F(interfaces, an_impaired_instance_does_not_let_go_without_force)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(attach(other_floating, node_a, 2), "200");
    cloud.model().set_impaired(now.steady, instance_id{node_a}, true);
    ASSERT_EQ(detach(floating), "200");
    ASSERT_EQ(detach(other_floating), "200");
    EXPECT_EQ(detach(floating, true), "200");
    EXPECT_EQ(shown_status(floating), "available");
    EXPECT_EQ(shown_status(other_floating), "detaching");
    EXPECT_EQ(texts("DescribeInstanceStatus", {}, "//item[instanceId='i-0aaaaaaaaaaaaaaa1']/instanceStatus/status"),
              lines{"impaired"});
    cloud.model().set_impaired(now.steady, instance_id{node_a}, false);
    EXPECT_EQ(shown_status(other_floating), "available");
}

TEST_F(interfaces, termination_deletes_what_is_to_end_with_the_instance_and_frees_the_rest)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(attach(other_floating, node_a, 2), "200");
    ASSERT_EQ(verdict("ModifyNetworkInterfaceAttribute", {{"NetworkInterfaceId", other_floating},
                                                          {"Attachment.AttachmentId", attachment_of(other_floating)},
                                                          {"Attachment.DeleteOnTermination", "true"}}),
              "200");
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::terminated);
    EXPECT_EQ(shown_status(floating), "available");
    const auto* gone = cloud.model().primary().interface(network_interface_id{other_floating});
    EXPECT_EQ(gone, nullptr);
    EXPECT_EQ(cloud.model().primary().interface(network_interface_id{interface_a}), nullptr);
}

TEST_F(interfaces, the_attribute_of_an_attachment_needs_its_id)
{
    const auto modify = [&](const parameters& more) {
        parameters values{{"NetworkInterfaceId", floating}};
        values.insert(values.end(), more.begin(), more.end());
        return verdict("ModifyNetworkInterfaceAttribute", values);
    };
    EXPECT_EQ(modify({{"Attachment.AttachmentId", "eni-attach-0ccccccccccccccc1"}, {"Attachment.DeleteOnTermination", "true"}}),
              "400 InvalidAttachmentID.NotFound");
    ASSERT_EQ(attach(floating, node_a), "200");
    const std::pair<std::string, std::string> id{"Attachment.AttachmentId", attachment_of(floating)};
    EXPECT_EQ(modify({{"Attachment.DeleteOnTermination", "true"}}), "400 MissingParameter");
    EXPECT_EQ(modify({id}), "400 MissingParameter");
    EXPECT_EQ(modify({id, {"Attachment.DeleteOnTermination", "true"}, {"SourceDestCheck.Value", "false"}}),
              "400 InvalidParameterCombination");
    EXPECT_EQ(modify({id, {"Attachment.DeleteOnTermination", "true"}}), "200");
    EXPECT_TRUE(interface(floating).attached->delete_on_termination);
    EXPECT_EQ(modify({id, {"Attachment.DeleteOnTermination", "false"}}), "200");
    EXPECT_FALSE(interface(floating).attached->delete_on_termination);
}

TEST_F(interfaces, a_route_follows_the_interface_it_goes_to)
{
    route_table table;
    table.id = route_table_id{table_a};
    table.vpc = vpc_id{"vpc-0aaaaaaaaaaaaaaa1"};
    ASSERT_TRUE(cloud.model().add_table(now.steady, table));
    ASSERT_EQ(verdict("CreateRoute", route(table_a, floating)), "200");
    const auto shown = [&](const char* what) { return texts("DescribeRouteTables", {}, what); };
    EXPECT_EQ(shown("//routeSet/item/state"), lines{"blackhole"});
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(shown("//routeSet/item/state"), lines{"active"});
    EXPECT_EQ(shown("//routeSet/item/instanceId"), lines{node_a});
    ASSERT_EQ(detach(floating), "200");
    EXPECT_EQ(shown("//routeSet/item/state"), lines{"blackhole"});
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(shown("//routeSet/item/instanceId"), lines{node_b});
}

TEST_F(interfaces, a_dry_run_moves_nothing)
{
    auto values = attach_parameters(floating, node_a);
    values.emplace_back("DryRun", "true");
    EXPECT_EQ(verdict("AttachNetworkInterface", values), "412 DryRunOperation");
    EXPECT_FALSE(interface(floating).attached);
}

TEST_F(interfaces, whoever_plays_the_hypervisor_is_told_of_each_arrival_and_departure)
{
    cloud.set_move_times({delay::fixed(seconds{2}), delay::fixed(seconds{5}), {}});
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(movements(), lines{}) << "the device is not there yet";
    pass(seconds{2});
    cloud.handle_timeout(now);
    EXPECT_EQ(movements(), lines{"eni-0aaaaaaaaaaaaaaa9 arrived at node-a"});
    ASSERT_EQ(detach(floating), "200");
    EXPECT_EQ(movements(), lines{});
    pass(seconds{5});
    cloud.handle_timeout(now);
    EXPECT_EQ(movements(), lines{"eni-0aaaaaaaaaaaaaaa9 left node-a"});
    cloud.model().attach(now.steady, network_interface_id{floating}, instance_id{node_a}, 1);
    cloud.model().attach(now.steady, network_interface_id{floating}, instance_id{node_b}, 1);
    EXPECT_EQ(movements(), (lines{"eni-0aaaaaaaaaaaaaaa9 arrived at node-a", "eni-0aaaaaaaaaaaaaaa9 left node-a",
                                  "eni-0aaaaaaaaaaaaaaa9 arrived at node-b"}));
}

TEST_F(interfaces, a_movement_has_the_time_it_came_about)
{
    cloud.set_move_times({delay::fixed(seconds{2}), {}, {}});
    const auto begun = now.steady;
    ASSERT_EQ(attach(floating, node_a), "200");
    pass(seconds{10});
    cloud.handle_timeout(now);
    const auto what = cloud.poll_movement();
    ASSERT_TRUE(what);
    EXPECT_EQ(what->at, begun + seconds{2});
    EXPECT_EQ(what->mac, "02:00:00:00:01:50");
    EXPECT_EQ(what->instance.str(), node_a);
    EXPECT_EQ(what->device_index, 1U);
}

TEST_F(interfaces, a_stale_description_shows_the_attachment_of_before)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    pass(seconds{10});
    ASSERT_EQ(detach(floating), "200");
    add_fault(R"({"action": "DescribeNetworkInterfaces", "kind": "stale", "lag": 5000, "count": 1})");
    pass(seconds{1});
    EXPECT_EQ(shown_status(floating), "in-use");
    EXPECT_EQ(shown_status(floating), "available");
}

TEST_F(interfaces, they_are_found_by_filters)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    const auto found = [&](const std::string& name, const std::string& value) {
        return texts("DescribeNetworkInterfaces", filter(name, value), "//networkInterfaceSet/item/networkInterfaceId");
    };
    EXPECT_EQ(found("attachment.instance-id", node_a), (lines{interface_a, floating}));
    EXPECT_EQ(found("attachment.device-index", "1"), lines{floating});
    EXPECT_EQ(found("attachment.attachment-id", attachment_of(floating)), lines{floating});
    EXPECT_EQ(found("attachment.status", "attached").size(), 5U);
    EXPECT_EQ(found("attachment.delete-on-termination", "false"), lines{floating});
    EXPECT_EQ(found("status", "available"), (lines{managed, floating_in_b, other_floating}));
    EXPECT_EQ(found("tag:Name", "float*"), lines{floating});
    EXPECT_EQ(found("mac-address", "02:00:00:00:01:5?"), (lines{other_floating, floating}));
    EXPECT_EQ(found("addresses.private-ip-address", "10.0.1.50"), lines{floating});
    EXPECT_EQ(found("private-ip-address", "10.0.1.1?"), (lines{interface_a, interface_b}));
    EXPECT_EQ(found("ipv6-addresses.ipv6-address", "2001:db8:0:1::10"), lines{interface_a});
    EXPECT_EQ(found("subnet-id", "subnet-0aaaaaaaaaaaaaaa2"), (lines{interface_c, floating_in_b}));
    EXPECT_EQ(found("vpc-id", "vpc-0aaaaaaaaaaaaaaa2"), lines{interface_d});
    EXPECT_EQ(found("group-id", "sg-0aaaaaaaaaaaaaaa1"), lines{interface_a});
}

TEST_F(interfaces, an_instance_shows_all_of_its_interfaces)
{
    ASSERT_EQ(attach(floating, node_b), "200");
    const auto document = get("DescribeInstances", filter("network-interface.network-interface-id", floating));
    const auto machine = document.select_node("//instancesSet/item").node();
    EXPECT_STREQ(machine.child_value("instanceId"), node_b);
    EXPECT_STREQ(machine.child_value("instanceType"), "t3.small");
    EXPECT_STREQ(machine.child_value("instanceLifecycle"), "spot");
    const auto second = machine.select_node("networkInterfaceSet/item[networkInterfaceId='eni-0aaaaaaaaaaaaaaa9']").node();
    EXPECT_STREQ(second.child("attachment").child_value("deviceIndex"), "1");
    EXPECT_STREQ(machine.child_value("privateIpAddress"), "10.0.1.11");
}

TEST_F(interfaces, the_log_names_the_interface_behind_an_attachment)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    const auto record = ask("DetachNetworkInterface", {{"AttachmentId", attachment_of(floating)}}).record;
    EXPECT_EQ(record.interface, floating);
    EXPECT_EQ(record.instance, node_a);
    const auto attached = cloud.poll_change();
    const auto detached = cloud.poll_change();
    ASSERT_TRUE(attached && detached);
    EXPECT_EQ(attached->action, "AttachNetworkInterface");
    EXPECT_EQ(attached->instance, node_a);
    EXPECT_EQ(detached->action, "DetachNetworkInterface");
    EXPECT_EQ(detached->interface, floating);
}

}  // namespace vipd::cloud
