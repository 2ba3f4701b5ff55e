// Rules and routes in rtnetlink's words (linux/fib_rules.h, linux/rtnetlink.h).

#include "agent/net/netlink_wire.hpp"

#include <array>

#include <linux/fib_rules.h>
#include <linux/if.h>

namespace vipd::net {

namespace {

constexpr std::uint32_t suppress_nothing = 0xffffffffU;
constexpr std::uint8_t protocol_of_others = RTPROT_UNSPEC;

constexpr std::size_t address_size(ip_family family)
{
    return family == ip_family::v4 ? 4 : 16;
}

std::optional<ip_family> family_of(std::uint8_t system)
{
    switch (system) {
        case system_ipv4:
            return ip_family::v4;
        case system_ipv6:
            return ip_family::v6;
        default:
            return std::nullopt;
    }
}

ip_address unspecified(ip_family family)
{
    constexpr std::array<std::uint8_t, 16> zeros{};
    return ip_address::from_bytes(byte_view{zeros}.first(address_size(family)));
}

// The short field holds the number of a table below 256; the attribute holds any.
std::uint8_t short_table(std::uint32_t table)
{
    return table < 256 ? static_cast<std::uint8_t>(table) : std::uint8_t{RT_TABLE_UNSPEC};
}

std::uint8_t system_kind(route_kind kind)
{
    switch (kind) {
        case route_kind::unicast:
            return RTN_UNICAST;
        case route_kind::blackhole:
            return RTN_BLACKHOLE;
        case route_kind::unreachable:
            return RTN_UNREACHABLE;
        case route_kind::prohibit:
            return RTN_PROHIBIT;
    }
    return RTN_UNICAST;
}

std::optional<route_kind> kind_of(std::uint8_t system)
{
    for (const auto kind : {route_kind::unicast, route_kind::blackhole, route_kind::unreachable, route_kind::prohibit}) {
        if (system_kind(kind) == system) {
            return kind;
        }
    }
    return std::nullopt;
}

// Empty when it is a scope that we never give.
std::optional<route_scope> scope_of(std::uint8_t system)
{
    for (const auto scope : {route_scope::global, route_scope::link, route_scope::host}) {
        if (system_scope(scope) == system) {
            return scope;
        }
    }
    return std::nullopt;
}

void append_prefix(byte_buffer& out, std::uint16_t type, const std::optional<ip_prefix>& prefix)
{
    if (prefix) {
        append_attribute(out, type, prefix->address().bytes());
    }
}

void append_metrics(byte_buffer& out, std::uint32_t mtu)
{
    byte_buffer inner;
    append_attribute_of(inner, RTAX_MTU, mtu);
    append_attribute(out, RTA_METRICS, inner);
}

std::uint32_t mtu_in(byte_view metrics)
{
    std::uint32_t mtu = 0;
    for_each_attribute(metrics, [&](std::uint16_t type, byte_view content) {
        if (type == RTAX_MTU) {
            mtu = load<std::uint32_t>(content).value_or(0);
        }
    });
    return mtu;
}

// The prefix of an attribute that is there when `length` is not 0. False: what is said does not fit together.
bool read_prefix(ip_family family, byte_view content, std::uint8_t length, std::optional<ip_prefix>& out)
{
    if (content.size() != address_size(family) || length > content.size() * 8) {
        return false;
    }
    out = ip_prefix{ip_address::from_bytes(content), length};
    return true;
}

// The attributes of one rule, as they come.
struct rule_reader {
    const fib_rule_hdr& header;
    ip_family family;
    rule_told& told;
    bool says_more = false;  // than a policy_rule can
    bool fits = true;

    void read(std::uint16_t type, byte_view content)
    {
        const auto number = load<std::uint32_t>(content).value_or(0);
        auto& rule = told.value;
        switch (type) {
            case FRA_SRC:
                fits = read_prefix(family, content, header.src_len, rule.from) && fits;
                break;
            case FRA_DST:
                fits = read_prefix(family, content, header.dst_len, rule.to) && fits;
                break;
            case FRA_IIFNAME:
                rule.input_interface = printable_text(content, IFNAMSIZ);
                break;
            case FRA_OIFNAME:
                rule.output_interface = printable_text(content, IFNAMSIZ);
                break;
            case FRA_FWMARK:
                rule.mark = number;
                break;
            case FRA_FWMASK:
                rule.mark_mask = number;
                break;
            case FRA_PRIORITY:
                rule.priority = number;
                break;
            case FRA_TABLE:
                rule.table = number;
                break;
            case FRA_PROTOCOL:
                told.protocol = content.empty() ? protocol_of_others : content[0];
                break;
            case FRA_SUPPRESS_PREFIXLEN:
            case FRA_SUPPRESS_IFGROUP:
                says_more = says_more || number != suppress_nothing;
                break;
            case FRA_UNSPEC:
            case FRA_PAD:
                break;
            default:
                says_more = true;
                break;
        }
    }
};

// Likewise of one route.
struct route_reader {
    const rtmsg& header;
    ip_family family;
    route& value;
    std::optional<ip_prefix> destination = std::nullopt;
    bool says_more = false;
    bool fits = true;

    void read_address(byte_view content, std::optional<ip_address>& out)
    {
        fits = fits && content.size() == address_size(family);
        if (fits) {
            out = ip_address::from_bytes(content);
        }
    }

    void read(std::uint16_t type, byte_view content)
    {
        const auto number = load<std::uint32_t>(content).value_or(0);
        switch (type) {
            case RTA_DST:
                fits = read_prefix(family, content, header.rtm_dst_len, destination) && fits;
                break;
            case RTA_TABLE:
                value.key.table = number;
                break;
            case RTA_PRIORITY:
                value.key.metric = number;
                break;
            case RTA_OIF:
                fits = fits && number <= INT32_MAX;
                value.link_index = static_cast<int>(number & INT32_MAX);
                break;
            case RTA_GATEWAY:
                read_address(content, value.gateway);
                break;
            case RTA_PREFSRC:
                read_address(content, value.source);
                break;
            case RTA_METRICS:
                value.mtu = mtu_in(content);
                break;
            case RTA_MULTIPATH:
            case RTA_VIA:
            case RTA_NH_ID:
            case RTA_ENCAP:
            case RTA_FLOW:
                says_more = true;
                break;
            default:
                break;
        }
    }
};

}  // namespace

byte_buffer encode_rule_dump(std::uint32_t sequence)
{
    auto out = begin_message(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    append_struct(out, fib_rule_hdr{});
    return finish_message(std::move(out));
}

byte_buffer encode_route_dump(ip_family family, std::uint32_t sequence)
{
    auto out = begin_message(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    rtmsg header{};
    header.rtm_family = system_family(family);
    header.rtm_protocol = route_protocol;
    append_struct(out, header);
    return finish_message(std::move(out));
}

byte_buffer encode_rule(const policy_rule& value, bool remove, std::uint32_t sequence)
{
    const unsigned verb = remove ? 0U : unsigned{NLM_F_CREATE | NLM_F_EXCL};
    auto out = begin_message(remove ? RTM_DELRULE : RTM_NEWRULE, verb | NLM_F_REQUEST | NLM_F_ACK, sequence);
    fib_rule_hdr header{};
    header.family = system_family(value.family);
    header.src_len = value.from ? static_cast<std::uint8_t>(value.from->length()) : std::uint8_t{0};
    header.dst_len = value.to ? static_cast<std::uint8_t>(value.to->length()) : std::uint8_t{0};
    header.table = short_table(value.table);
    header.action = FR_ACT_TO_TBL;
    append_struct(out, header);
    append_prefix(out, FRA_SRC, value.from);
    append_prefix(out, FRA_DST, value.to);
    if (!value.input_interface.empty()) {
        append_text_attribute(out, FRA_IIFNAME, value.input_interface);
    }
    if (!value.output_interface.empty()) {
        append_text_attribute(out, FRA_OIFNAME, value.output_interface);
    }
    if (value.mark_mask != 0) {
        append_attribute_of(out, FRA_FWMARK, value.mark);
        append_attribute_of(out, FRA_FWMASK, value.mark_mask);
    }
    append_attribute_of(out, FRA_PRIORITY, value.priority);
    append_attribute_of(out, FRA_TABLE, value.table);
    append_attribute_of(out, FRA_PROTOCOL, route_protocol);
    return finish_message(std::move(out));
}

byte_buffer encode_route(const route& value, route_verb verb, std::uint32_t sequence)
{
    const bool remove = verb == route_verb::remove;
    const unsigned flags = remove                        ? 0U
                           : verb == route_verb::replace ? unsigned{NLM_F_CREATE | NLM_F_REPLACE}
                                                         : unsigned{NLM_F_CREATE | NLM_F_EXCL};
    auto out = begin_message(remove ? RTM_DELROUTE : RTM_NEWROUTE, flags | NLM_F_REQUEST | NLM_F_ACK, sequence);
    const auto family = value.key.destination.family();
    rtmsg header{};
    header.rtm_family = system_family(family);
    header.rtm_dst_len = static_cast<std::uint8_t>(value.key.destination.length());
    header.rtm_table = short_table(value.key.table);
    header.rtm_protocol = route_protocol;
    // IPv4 compares the scope of what is to be removed, unless it is "nowhere".
    header.rtm_scope = remove && family == ip_family::v4 ? std::uint8_t{RT_SCOPE_NOWHERE} : system_scope(value.scope);
    header.rtm_type = system_kind(value.kind);
    header.rtm_flags = value.onlink ? unsigned{RTNH_F_ONLINK} : 0U;
    append_struct(out, header);
    append_attribute_of(out, RTA_TABLE, value.key.table);
    if (value.key.destination.length() > 0) {
        append_attribute(out, RTA_DST, value.key.destination.address().bytes());
    }
    if (value.key.metric != 0) {
        append_attribute_of(out, RTA_PRIORITY, value.key.metric);
    }
    if (value.gateway) {
        append_attribute(out, RTA_GATEWAY, value.gateway->bytes());
    }
    if (value.link_index != 0) {
        append_attribute_of(out, RTA_OIF, value.link_index);
    }
    if (value.source) {
        append_attribute(out, RTA_PREFSRC, value.source->bytes());
    }
    if (value.mtu != 0 && !remove) {
        append_metrics(out, value.mtu);
    }
    return finish_message(std::move(out));
}

decoded_body decode_rule(byte_view body, bool gone)
{
    const auto header = load<fib_rule_hdr>(body);
    if (!header) {
        return malformed();
    }
    const auto family = family_of(header->family);
    if (!family) {
        return not_ours();  // multicast routing has rules, too
    }
    rule_told told;
    told.gone = gone;
    told.value.family = *family;
    told.value.table = header->table;
    rule_reader reader{*header, *family, told};
    reader.says_more = header->action != FR_ACT_TO_TBL || header->tos != 0 || (header->flags & FIB_RULE_INVERT) != 0;
    const bool whole = for_each_attribute(body.subspan(align4(sizeof(fib_rule_hdr))),
                                          [&](std::uint16_t type, byte_view content) { reader.read(type, content); });
    if (!whole || !reader.fits) {
        return malformed();
    }
    if (reader.says_more) {
        told.protocol = protocol_of_others;
    }
    return {std::move(told), false};
}

decoded_body decode_route(const nlmsghdr& header, byte_view body)
{
    const auto fixed = load<rtmsg>(body);
    if (!fixed) {
        return malformed();
    }
    const auto family = family_of(fixed->rtm_family);
    if (!family || (fixed->rtm_flags & RTM_F_CLONED) != 0) {
        return not_ours();
    }
    route_told told;
    told.gone = header.nlmsg_type == RTM_DELROUTE;
    told.replaces = (header.nlmsg_flags & NLM_F_REPLACE) != 0;
    auto& value = told.value;
    value.key.table = fixed->rtm_table;
    value.onlink = (fixed->rtm_flags & RTNH_F_ONLINK) != 0;
    route_reader reader{*fixed, *family, value};
    reader.says_more = fixed->rtm_tos != 0 || fixed->rtm_src_len != 0;
    const bool whole = for_each_attribute(body.subspan(align4(sizeof(rtmsg))),
                                          [&](std::uint16_t type, byte_view content) { reader.read(type, content); });
    if (!whole || !reader.fits || (!reader.destination && fixed->rtm_dst_len != 0)) {
        return malformed();
    }
    value.key.destination = reader.destination.value_or(ip_prefix{unspecified(*family), 0});
    const auto kind = kind_of(fixed->rtm_type);
    const auto scope = scope_of(fixed->rtm_scope);
    value.kind = kind.value_or(route_kind::unicast);
    value.scope = scope.value_or(route_scope::global);
    if (value.kind != route_kind::unicast) {
        value.link_index = 0;  // IPv6 says the loopback here
    }
    told.protocol = kind && scope && !reader.says_more ? fixed->rtm_protocol : protocol_of_others;
    return {std::move(told), false};
}

}  // namespace vipd::net
