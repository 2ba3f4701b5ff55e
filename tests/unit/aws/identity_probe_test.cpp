#include "agent/aws/identity_probe.hpp"

#include <gtest/gtest.h>

#include <map>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};
const std::string document = "/latest/dynamic/instance-identity/document";
const std::string macs = "/latest/meta-data/network/interfaces/macs/";

std::map<std::string, std::string> two_interfaces()
{
    std::map<std::string, std::string> items = {
        {document, R"({"region":"eu-west-1","instanceId":"i-1","availabilityZone":"eu-west-1a","accountId":"1"})"},
        {macs, "0a:00:00:00:00:02/\n0A:00:00:00:00:01/\n"},
    };
    for (const std::string n : {"1", "2"}) {
        const auto mac = macs + "0a:00:00:00:00:0" + n + "/";
        items[mac + "interface-id"] = "eni-0000000" + n;
        items[mac + "vpc-id"] = "vpc-00000001";
        items[mac + "subnet-id"] = "subnet-0000000" + n;
        items[mac + "local-ipv4s"] = "10.0.0." + n + "\nnonsense\n";
    }
    return items;
}

// Answers until the probe asks nothing more.
void answer_all(identity_probe& probe, const std::map<std::string, std::string>& items, time_point now = start)
{
    while (const auto path = probe.poll_path(now)) {
        const auto found = items.find(*path);
        probe.handle(now, found == items.end() ? result<std::string>{error{error_class::not_found, "404"}}
                                               : result<std::string>{found->second});
    }
}

TEST(identity_probe, asks_nothing_before_it_is_started)
{
    identity_probe probe{1};
    EXPECT_FALSE(probe.poll_path(start).has_value());
    EXPECT_EQ(probe.next_wakeup().at, never);
}

TEST(identity_probe, one_pass_learns_every_interface_in_an_order_of_its_own)
{
    identity_probe probe{1};
    probe.start(start);
    auto items = two_interfaces();
    items[macs + "0a:00:00:00:00:02/ipv6s"] = "2001:db8::2";
    answer_all(probe, items);
    ASSERT_TRUE(probe.identity().has_value());
    EXPECT_EQ(probe.identity()->instance.str(), "i-1");
    ASSERT_EQ(probe.identity()->interfaces.size(), 2U);
    EXPECT_EQ(probe.identity()->interfaces[0].id.str(), "eni-00000001");
    EXPECT_EQ(probe.identity()->interfaces[0].addresses, std::vector{ip_address::v4(10, 0, 0, 1)});
    EXPECT_EQ(probe.identity()->interfaces[1].id.str(), "eni-00000002");
    EXPECT_EQ(probe.identity()->interfaces[1].addresses,
              (std::vector{ip_address::v4(10, 0, 0, 2), ip_address::parse("2001:db8::2").value()}));
    EXPECT_TRUE(probe.take_changed());
    EXPECT_FALSE(probe.take_changed());
    EXPECT_EQ(probe.next_wakeup().at, never) << "once is enough";
}

TEST(identity_probe, an_interface_of_one_family_has_no_list_of_the_other)
{
    identity_probe probe{1};
    probe.start(start);
    auto items = two_interfaces();
    items.erase(macs + "0a:00:00:00:00:01/local-ipv4s");
    answer_all(probe, items);
    EXPECT_TRUE(probe.identity()->interfaces[0].addresses.empty());
    EXPECT_EQ(probe.next_wakeup().at, start + 1s) << "it has to have one address: that is asked for again";
    items[macs + "0a:00:00:00:00:01/ipv6s"] = "2001:db8::1";
    answer_all(probe, items, start + 1s);
    EXPECT_EQ(probe.identity()->interfaces[0].addresses.size(), 1U);
}

TEST(identity_probe, an_interface_without_id_vpc_or_subnet_waits_for_a_later_pass)
{
    for (const auto* field : {"interface-id", "vpc-id", "subnet-id"}) {
        identity_probe probe{1};
        probe.start(start);
        auto items = two_interfaces();
        const auto whole = items;
        items.erase(macs + "0a:00:00:00:00:02/" + field);
        answer_all(probe, items);
        ASSERT_TRUE(probe.identity().has_value());
        EXPECT_EQ(probe.identity()->interfaces.size(), 1U);
        const auto again = probe.next_wakeup().at;
        ASSERT_NE(again, never);
        answer_all(probe, whole, again);
        EXPECT_EQ(probe.identity()->interfaces.size(), 2U) << field;
    }
}

TEST(identity_probe, an_interface_that_was_known_outlives_a_wrong_answer_about_it)
{
    for (const auto* field : {"interface-id", "vpc-id", "subnet-id"}) {
        identity_probe probe{1};
        probe.start(start);
        answer_all(probe, two_interfaces());
        const auto known = probe.identity();
        probe.take_changed();
        auto now = start + 1min;
        for (const auto* wrong :
             {"", "<html>", "404", "eni-0000", "vpc-0000000", "subnet-000000001", "eni_00000001", "eni-0000 001"}) {
            auto items = two_interfaces();
            const auto path = macs + "0a:00:00:00:00:01/" + field;
            items[path] = wrong;
            if (items[path] == "404") {
                items.erase(path);
            }
            probe.refresh(now);
            answer_all(probe, items, now);
            EXPECT_EQ(probe.identity(), known) << field << " " << wrong;
            EXPECT_FALSE(probe.take_changed());
            now = probe.next_wakeup().at;
        }
    }
}

// Every list that an interface has.
std::map<std::string, std::string> whole_lists()
{
    auto items = two_interfaces();
    const auto mac = macs + "0a:00:00:00:00:01/";
    items[mac + "subnet-ipv4-cidr-block"] = "10.0.0.0/24";
    items[mac + "subnet-ipv6-cidr-blocks"] = "2001:db8::/64";
    items[mac + "ipv6s"] = "2001:db8::1";
    return items;
}

TEST(identity_probe, a_list_that_an_interface_had_outlives_one_answer_without_it)
{
    for (const auto* list : {"subnet-ipv4-cidr-block", "subnet-ipv6-cidr-blocks", "local-ipv4s", "ipv6s"}) {
        for (const bool is_empty : {false, true}) {
            identity_probe probe{1};
            probe.start(start);
            answer_all(probe, whole_lists());
            const auto known = probe.identity();
            probe.take_changed();
            auto without = whole_lists();
            const auto path = macs + "0a:00:00:00:00:01/" + list;
            is_empty ? void(without[path].clear()) : void(without.erase(path));

            auto now = start + 1min;
            probe.refresh(now);
            answer_all(probe, without, now);
            EXPECT_EQ(probe.identity(), known) << list;
            now = probe.next_wakeup().at;
            EXPECT_EQ(now, start + 1min + 1s);
            answer_all(probe, whole_lists(), now);
            now = probe.next_wakeup().at;
            answer_all(probe, without, now);
            EXPECT_EQ(probe.identity(), known) << list << ": not in succession";
            EXPECT_FALSE(probe.take_changed());
        }
    }
}

TEST(identity_probe, two_answers_in_succession_take_the_ipv6_lists_away_and_none_the_ipv4_ones)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, whole_lists());
    auto expected = probe.identity().value();
    auto& interface = expected.interfaces[0];
    ASSERT_EQ(interface.addresses.size(), 2U);
    ASSERT_EQ(interface.subnet_prefixes.size(), 2U);
    interface.addresses.pop_back();
    interface.subnet_prefixes.pop_back();
    auto without = whole_lists();
    for (const auto* list : {"subnet-ipv4-cidr-block", "subnet-ipv6-cidr-blocks", "local-ipv4s", "ipv6s"}) {
        without.erase(macs + "0a:00:00:00:00:01/" + list);
    }
    auto now = start + 1min;
    probe.refresh(now);
    for (int passes = 0; passes < 30; ++passes) {
        answer_all(probe, without, now);
        now = probe.next_wakeup().at;
        ASSERT_NE(now, never) << "what cannot be is asked again";
        if (passes >= 1) {
            EXPECT_EQ(probe.identity(), expected);
        }
    }
    EXPECT_GE(now, start + 15min) << "and not often for ever";
}

TEST(identity_probe, another_interface_with_the_same_mac_address_inherits_no_list)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, whole_lists());
    auto other = whole_lists();
    const auto mac = macs + "0a:00:00:00:00:01/";
    other[mac + "interface-id"] = "eni-00000009";
    other.erase(mac + "local-ipv4s");
    probe.refresh(start + 1min);
    answer_all(probe, other, start + 1min);
    EXPECT_EQ(probe.identity()->interfaces[0].addresses, std::vector{ip_address::parse("2001:db8::1").value()});
}

TEST(identity_probe, a_pass_in_doubt_is_repeated_after_a_second_and_not_that_often_for_ever)
{
    identity_probe probe{1};
    probe.start(start);
    auto items = two_interfaces();
    items.erase(macs + "0a:00:00:00:00:02/vpc-id");
    answer_all(probe, items);
    std::vector<time_point> passes;
    while (passes.size() < 6) {
        passes.push_back(probe.next_wakeup().at);
        answer_all(probe, items, passes.back());
    }
    EXPECT_EQ(passes, (std::vector{start + 1s, start + 2s, start + 4s, start + 8s, start + 18s, start + 48s}));
}

TEST(identity_probe, an_interface_is_forgotten_when_two_passes_in_succession_do_not_list_it)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, two_interfaces());
    const auto known = probe.identity();
    probe.take_changed();
    auto without = two_interfaces();
    without[macs] = "0a:00:00:00:00:02/\n";

    auto now = start + 1min;
    probe.refresh(now);
    answer_all(probe, without, now);
    EXPECT_EQ(probe.identity(), known) << "once may be a mistake";
    now = probe.next_wakeup().at;
    EXPECT_EQ(now, start + 1min + 1s);
    answer_all(probe, two_interfaces(), now);
    now = probe.next_wakeup().at;
    answer_all(probe, without, now);
    EXPECT_EQ(probe.identity(), known) << "not in succession";
    EXPECT_FALSE(probe.take_changed());
    now = probe.next_wakeup().at;
    answer_all(probe, without, now);
    ASSERT_EQ(probe.identity()->interfaces.size(), 1U);
    EXPECT_EQ(probe.identity()->interfaces[0].id.str(), "eni-00000002");
    EXPECT_TRUE(probe.take_changed());
}

TEST(identity_probe, another_instance_inherits_no_interface)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, two_interfaces());
    auto items = two_interfaces();
    items[document] = R"({"region":"eu-west-1","instanceId":"i-2"})";
    items[macs] = "0a:00:00:00:00:01/\n";
    probe.refresh(start + 1min);
    answer_all(probe, items, start + 1min);
    EXPECT_EQ(probe.identity()->interfaces.size(), 1U);
}

TEST(identity_probe, a_failed_pass_changes_nothing_and_is_repeated)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, two_interfaces());
    const auto known = probe.identity();
    probe.refresh(start + 1min);
    ASSERT_TRUE(probe.poll_path(start + 1min).has_value());
    probe.handle(start + 1min, error{error_class::timed_out, "too slow"});
    EXPECT_EQ(probe.identity(), known);
    EXPECT_EQ(probe.problem(), "too slow");
    const auto again = probe.next_wakeup().at;
    EXPECT_GT(again, start + 1min);
    EXPECT_LE(again, start + 1min + 250ms);
    answer_all(probe, two_interfaces(), again);
    EXPECT_EQ(probe.problem(), "");
    EXPECT_EQ(probe.identity(), known);
}

TEST(identity_probe, a_refresh_is_a_few_passes_and_then_rests)
{
    identity_probe probe{1};
    probe.start(start);
    answer_all(probe, two_interfaces());
    probe.take_changed();
    auto now = start + 1min;
    probe.refresh(now);
    std::vector<time_point> passes;
    for (; passes.size() < 20 && probe.next_wakeup().at != never; now = probe.next_wakeup().at) {
        passes.push_back(probe.next_wakeup().at);
        answer_all(probe, two_interfaces(), probe.next_wakeup().at);
    }
    EXPECT_EQ(passes, (std::vector{start + 60s, start + 61s, start + 62s, start + 64s, start + 68s, start + 78s, start + 108s,
                                   start + 168s, start + 228s, start + 288s, start + 348s, start + 408s, start + 468s}));
    EXPECT_FALSE(probe.take_changed());
}

TEST(identity_probe, a_refresh_during_a_pass_makes_another_one_follow)
{
    identity_probe probe{1};
    probe.start(start);
    ASSERT_TRUE(probe.poll_path(start).has_value());
    probe.refresh(start);
    probe.handle(start, two_interfaces()[document]);
    answer_all(probe, two_interfaces());
    EXPECT_EQ(probe.next_wakeup().at, start + 1s);
}

TEST(identity_probe, the_document_needs_instance_and_region)
{
    EXPECT_TRUE(parse_identity_document(R"({"region":"r","instanceId":"i"})").has_value());
    for (const auto* body :
         {"", "[]", "{}", "null", R"({"region":"r"})", R"({"instanceId":"i"})", R"({"region":"r","instanceId":7})",
          R"({"region":"r r","instanceId":"i"})", R"({"region":"","instanceId":"i"})", R"({"region":"r")"}) {
        EXPECT_TRUE(parse_identity_document(body).has_error()) << body;
    }
}

TEST(identity_probe, mac_lists_are_cleaned_sorted_and_bounded)
{
    EXPECT_EQ(
        parse_mac_list("0a:00:00:00:00:02/\r\n0A:00:00:00:00:01\n\nfoo/\n0a:00:00:00:00:02/\n../../x/\n0a-00-00-00-00-03/"),
        (std::vector<std::string>{"0a:00:00:00:00:01", "0a:00:00:00:00:02"}));
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many += "0a:00:00:00:" + std::to_string(10 + i / 90) + ":" + std::to_string(10 + i % 90) + "/\n";
    }
    EXPECT_EQ(parse_mac_list(many).size(), 64U);
}

}  // namespace
}  // namespace vipd::aws
