#include "agent/net/netlink.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace vipd::net {
namespace {

byte_buffer bytes(std::string text)
{
    std::erase(text, ' ');
    return from_hex(text);
}

policy_rule small_rule()
{
    policy_rule rule;
    rule.from = *ip_prefix::parse("10.1.0.50/32");
    rule.priority = 100;
    rule.table = 100;
    return rule;
}

route full_route()
{
    route r;
    r.key = {100, *ip_prefix::parse("0.0.0.0/0"), 50};
    r.link_index = 2;
    r.gateway = *ip_address::parse("10.1.0.1");
    r.source = *ip_address::parse("10.1.0.50");
    r.mtu = 1500;
    r.onlink = true;
    return r;
}

constexpr auto small_rule_body =
    "02 00 20 00 64 00 00 01 00000000"
    "0800 0200 0a010032"    // FRA_SRC
    "0800 0600 64000000"    // FRA_PRIORITY
    "0800 0f00 64000000"    // FRA_TABLE
    "0500 1500 70 000000";  // FRA_PROTOCOL 112

constexpr auto full_route_body =
    "02 00 00 00 64 70 00 01 04000000"  // RTNH_F_ONLINK
    "0800 0f00 64000000"                // RTA_TABLE
    "0800 0600 32000000"                // RTA_PRIORITY
    "0800 0500 0a010001"                // RTA_GATEWAY
    "0800 0400 02000000"                // RTA_OIF
    "0800 0700 0a010032"                // RTA_PREFSRC
    "0c00 0800 0800 0200 dc050000";     // RTA_METRICS: RTAX_MTU

template <class T>
T only(const netlink_datagram& decoded)
{
    EXPECT_EQ(decoded.malformed, 0U);
    if (decoded.messages.size() != 1 || !std::holds_alternative<T>(decoded.messages.front())) {
        ADD_FAILURE() << "no message of the kind that was expected";
        return {};
    }
    return std::get<T>(decoded.messages.front());
}

rule_told decoded_rule(const std::string& body, const std::string& type = "2000")
{
    const auto whole = bytes("00000000 " + type + " 0000 00000000 00000000" + body);
    auto message = whole;
    message[0] = static_cast<std::uint8_t>(message.size());
    return only<rule_told>(decode_netlink(message));
}

route_told decoded_route(const std::string& body, const std::string& type_and_flags = "1800 0000")
{
    auto message = bytes("00000000 " + type_and_flags + " 00000000 00000000" + body);
    message[0] = static_cast<std::uint8_t>(message.size());
    return only<route_told>(decode_netlink(message));
}

TEST(netlink_rules, a_rule_is_added_exclusively_and_marked_as_ours)
{
    EXPECT_EQ(to_hex(encode_change(add_rule{small_rule()}, 9)),
              to_hex(bytes(std::string("3c000000 2000 0506 09000000 00000000") + small_rule_body)));
}

TEST(netlink_rules, removing_one_says_all_of_it_so_that_no_other_matches)
{
    EXPECT_EQ(to_hex(encode_change(remove_rule{small_rule()}, 9)),
              to_hex(bytes(std::string("3c000000 2100 0500 09000000 00000000") + small_rule_body)));
}

TEST(netlink_rules, interfaces_marks_and_long_table_numbers_are_attributes)
{
    policy_rule rule;
    rule.family = ip_family::v6;
    rule.to = *ip_prefix::parse("fd00::/16");
    rule.input_interface = "eth1";
    rule.output_interface = "lo";
    rule.mark = 7;
    rule.mark_mask = 0xff;
    rule.priority = 5;
    rule.table = 1000;
    const auto message = encode_change(add_rule{rule}, 9);
    EXPECT_EQ(to_hex(byte_view{message}.subspan(16)), to_hex(bytes("0a 10 00 00 00 00 00 01 00000000"
                                                                   "1400 0100 fd000000000000000000000000000000"
                                                                   "0900 0300 65746831 00 000000"
                                                                   "0700 1100 6c6f 00 00"
                                                                   "0800 0a00 07000000"
                                                                   "0800 1000 ff000000"
                                                                   "0800 0600 05000000"
                                                                   "0800 0f00 e8030000"
                                                                   "0500 1500 70 000000")));
    auto read = only<rule_told>(decode_netlink(message));
    EXPECT_EQ(read.value, rule);
    EXPECT_EQ(read.protocol, route_protocol);
}

TEST(netlink_rules, what_the_kernel_tells_of_one_is_read)
{
    // It adds FRA_SUPPRESS_PREFIXLEN with "nothing".
    const auto seen = decoded_rule(std::string(small_rule_body) + "0800 0e00 ffffffff");
    EXPECT_EQ(seen.value, small_rule());
    EXPECT_EQ(seen.protocol, route_protocol);
    EXPECT_FALSE(seen.gone);
    EXPECT_TRUE(decoded_rule(small_rule_body, "2100").gone);
}

TEST(netlink_rules, one_that_says_more_than_ours_can_is_never_taken_for_ours)
{
    EXPECT_EQ(decoded_rule(std::string(small_rule_body) + "0800 0e00 00000000").protocol, 0) << "suppress_prefixlength 0";
    EXPECT_EQ(decoded_rule(std::string(small_rule_body) + "0500 1600 06 000000").protocol, 0) << "ipproto tcp";
    std::string inverted = small_rule_body;
    inverted.replace(inverted.find("00000000"), 8, "02000000");
    EXPECT_EQ(decoded_rule(inverted).protocol, 0) << "not from";
    std::string unreachable = small_rule_body;
    unreachable.replace(unreachable.find("01 0000"), 2, "07");
    EXPECT_EQ(decoded_rule(unreachable).protocol, 0) << "another action";
}

TEST(netlink_rules, those_of_multicast_routing_are_none_of_our_business)
{
    auto message = bytes("1c000000 2000 0000 00000000 00000000 80 00 00 00 fd 00 00 01 00000000");
    const auto decoded = decode_netlink(message);
    EXPECT_TRUE(decoded.messages.empty());
    EXPECT_EQ(decoded.malformed, 0U);
}

TEST(netlink_routes, a_route_is_added_exclusively_and_marked_as_ours)
{
    EXPECT_EQ(to_hex(encode_change(add_route{full_route()}, 9)),
              to_hex(bytes(std::string("50000000 1800 0506 09000000 00000000") + full_route_body)));
}

TEST(netlink_routes, replacing_one_takes_the_place_of_what_has_its_key)
{
    EXPECT_EQ(to_hex(encode_change(replace_route{full_route()}, 9)),
              to_hex(bytes(std::string("50000000 1800 0505 09000000 00000000") + full_route_body)));
}

TEST(netlink_routes, removing_one_names_it_whatever_its_scope_and_metrics_are)
{
    EXPECT_EQ(to_hex(encode_change(remove_route{full_route()}, 9)), to_hex(bytes("44000000 1900 0500 09000000 00000000"
                                                                                 "02 00 00 00 64 70 ff 01 04000000"
                                                                                 "0800 0f00 64000000"
                                                                                 "0800 0600 32000000"
                                                                                 "0800 0500 0a010001"
                                                                                 "0800 0400 02000000"
                                                                                 "0800 0700 0a010032")));
}

TEST(netlink_routes, what_the_kernel_tells_of_one_is_read)
{
    const auto seen = decoded_route(full_route_body);
    EXPECT_EQ(seen.value, full_route());
    EXPECT_EQ(seen.protocol, route_protocol);
    EXPECT_FALSE(seen.replaces);
    EXPECT_TRUE(decoded_route(full_route_body, "1900 0000").gone);
    EXPECT_TRUE(decoded_route(full_route_body, "1800 0001").replaces) << "NLM_F_REPLACE";
}

TEST(netlink_routes, ipv6_says_the_loopback_of_a_route_that_leads_nowhere)
{
    route dark;
    dark.key = {100, *ip_prefix::parse("fd78::/64"), 1024};
    dark.kind = route_kind::unreachable;
    const auto seen = decoded_route(
        "0a 40 00 00 64 70 00 07 00000000"
        "0800 0f00 64000000"
        "1400 0100 fd780000000000000000000000000000"
        "0800 0600 00040000"
        "0800 0400 01000000");
    EXPECT_EQ(seen.value, dark);
    EXPECT_EQ(seen.protocol, route_protocol);
}

TEST(netlink_routes, the_default_route_has_no_destination)
{
    const auto seen =
        decoded_route("0a 00 00 00 64 70 00 01 00000000 0800 0f00 64000000 0800 0600 00040000 0800 0400 02000000");
    EXPECT_EQ(seen.value.key.destination.to_string(), "::/0");
}

TEST(netlink_routes, one_of_several_gateways_is_never_taken_for_ours)
{
    EXPECT_EQ(decoded_route(std::string(full_route_body) + "0400 0900").protocol, 0);
}

TEST(netlink_routes, what_the_kernel_remembers_of_one_destination_is_no_route)
{
    auto message = bytes("1c000000 1800 0000 00000000 00000000 0a 80 00 00 fe 00 00 01 00020000");
    const auto decoded = decode_netlink(message);
    EXPECT_TRUE(decoded.messages.empty()) << "RTM_F_CLONED";
}

TEST(netlink_routes, truncation_at_every_byte_is_harmless_and_noticed)
{
    for (const auto& message : {encode_change(add_route{full_route()}, 1), encode_change(add_rule{small_rule()}, 1)}) {
        for (std::size_t size = 17; size < message.size(); ++size) {
            auto cut = byte_buffer(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
            EXPECT_EQ(decode_netlink(cut).malformed, 1U) << size;
            // Cut between two attributes it is a message like any other.
            cut[0] = static_cast<std::uint8_t>(size);
            EXPECT_LE(decode_netlink(cut).messages.size(), 1U) << size;
        }
    }
}

TEST(netlink_routes, dumps_ask_for_what_is_ours)
{
    EXPECT_EQ(to_hex(encode_rule_dump(7)), to_hex(bytes("1c000000 2200 0103 07000000 00000000"
                                                        "00 00 00 00 00 00 00 00 00000000")));
    EXPECT_EQ(to_hex(encode_route_dump(ip_family::v6, 7)), to_hex(bytes("1c000000 1a00 0103 07000000 00000000"
                                                                        "0a 00 00 00 00 70 00 00 00000000")));
}

TEST(netlink_policies, removing_what_is_gone_is_a_success_and_adding_what_is_there_is_none)
{
    EXPECT_TRUE(is_success(remove_rule{small_rule()}, ENOENT));
    EXPECT_TRUE(is_success(remove_route{full_route()}, ESRCH));
    EXPECT_TRUE(is_success(remove_route{full_route()}, ENODEV));
    EXPECT_FALSE(is_success(add_rule{small_rule()}, EEXIST));
    EXPECT_FALSE(is_success(add_route{full_route()}, EEXIST));
    EXPECT_FALSE(is_success(replace_route{full_route()}, ENETUNREACH));
    EXPECT_FALSE(is_success(remove_rule{small_rule()}, EPERM));
}

TEST(netlink_addresses, options_of_an_address_are_said)
{
    const link_address v4{2, *ip_prefix::parse("10.1.0.50/32"), false};
    address_options options;
    options.label = "eth0:vip";
    options.scope = route_scope::link;
    EXPECT_EQ(to_hex(encode_change(add_address{v4, options}, 9)), to_hex(bytes("40000000 1400 0506 09000000 00000000"
                                                                               "02 20 00 fd 02000000"
                                                                               "0800 0200 0a010032"
                                                                               "0800 0100 0a010032"
                                                                               "0500 0b00 70 000000"
                                                                               "0d00 0300 657468303a766970 00 000000")));
    const link_address v6{2, *ip_prefix::parse("fd00::64/128"), false};
    options = {};
    options.skip_dad = false;
    options.deprecated = false;
    const auto message = encode_change(add_address{v6, options}, 9);
    EXPECT_EQ(to_hex(byte_view{message}.last(8)), "0800080000000000") << "no flag, and no lifetimes";
}

}  // namespace
}  // namespace vipd::net
