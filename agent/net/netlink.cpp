#include "agent/net/netlink.hpp"

#include "agent/net/netlink_wire.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace vipd::net {

namespace {

// linux/if_addr.h of Debian 12 has it since 5.18's headers; older kernels ignore the attribute.
constexpr std::uint16_t attribute_address_protocol = 11;
constexpr std::size_t error_text_size_max = 200;
constexpr std::uint32_t lifetime_infinite = 0xffffffffU;

byte_buffer begin_address_message(std::uint16_t type, unsigned flags, std::uint32_t sequence, const link_address& value,
                                  route_scope scope = route_scope::global)
{
    auto out = begin_message(type, flags | NLM_F_REQUEST | NLM_F_ACK, sequence);
    ifaddrmsg header{};
    header.ifa_family = system_family(value.address.family());
    header.ifa_prefixlen = static_cast<std::uint8_t>(value.address.length());
    header.ifa_scope = system_scope(scope);
    header.ifa_index = static_cast<std::uint32_t>(value.link_index);
    append_struct(out, header);
    append_attribute(out, IFA_LOCAL, value.address.address().bytes());
    append_attribute(out, IFA_ADDRESS, value.address.address().bytes());
    return out;
}

byte_buffer encode_add(const link_address& value, const address_options& options, std::uint32_t sequence)
{
    auto out = begin_address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sequence, value, options.scope);
    append_attribute_of(out, attribute_address_protocol, route_protocol);
    if (value.address.family() == ip_family::v4) {
        if (!options.label.empty()) {
            append_text_attribute(out, IFA_LABEL, options.label);
        }
    } else {
        append_attribute_of(out, IFA_FLAGS, options.skip_dad ? std::uint32_t{IFA_F_NODAD} : 0U);
        if (options.deprecated.value_or(value.address.is_host())) {
            // Deprecated from birth: the kernel answers on it, and does not choose it as the source of what this node begins.
            ifa_cacheinfo lifetimes{};
            lifetimes.ifa_prefered = 0;
            lifetimes.ifa_valid = lifetime_infinite;
            append_attribute_of(out, IFA_CACHEINFO, lifetimes);
        }
    }
    return finish_message(std::move(out));
}

// --- reading ---

std::string mac_text(byte_view content)
{
    // The loopback's address is six zero bytes: it has none.
    if (content.size() != 6 || std::ranges::all_of(content, [](std::uint8_t byte) { return byte == 0; })) {
        return {};
    }
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", content[0], content[1], content[2], content[3], content[4],
                       content[5]);
}

decoded_body decode_link(byte_view body, bool gone)
{
    const auto header = load<ifinfomsg>(body);
    if (!header || header->ifi_index <= 0) {
        return malformed();
    }
    if (header->ifi_family != AF_UNSPEC) {
        // A bridge tells of its ports with the same types; RTM_DELLINK of AF_BRIDGE means that a port left, not that a link is
        // gone.
        return not_ours();
    }
    if (gone) {
        return {link_gone{header->ifi_index}, false};
    }
    link value;
    value.index = header->ifi_index;
    value.up = (header->ifi_flags & IFF_UP) != 0;
    value.running = (header->ifi_flags & IFF_LOWER_UP) != 0;
    const bool whole = for_each_attribute(body.subspan(align4(sizeof(ifinfomsg))), [&](std::uint16_t type, byte_view content) {
        if (type == IFLA_IFNAME) {
            value.name = printable_text(content, IFNAMSIZ);
        } else if (type == IFLA_ADDRESS) {
            value.mac = mac_text(content);
        }
    });
    if (!whole || value.name.empty()) {
        return malformed();
    }
    return {link_seen{std::move(value)}, false};
}

decoded_body decode_address(byte_view body, bool gone)
{
    const auto header = load<ifaddrmsg>(body);
    if (!header) {
        return malformed();
    }
    if (header->ifa_family != system_ipv4 && header->ifa_family != system_ipv6) {
        return not_ours();
    }
    const std::size_t size = header->ifa_family == system_ipv4 ? 4 : 16;
    std::optional<ip_address> local;
    std::optional<ip_address> address;
    std::uint32_t flags = header->ifa_flags;
    const bool whole = for_each_attribute(body.subspan(align4(sizeof(ifaddrmsg))), [&](std::uint16_t type, byte_view content) {
        if (type == IFA_LOCAL && content.size() == size) {
            local = ip_address::from_bytes(content);
        } else if (type == IFA_ADDRESS && content.size() == size) {
            address = ip_address::from_bytes(content);
        } else if (type == IFA_FLAGS) {
            flags = load<std::uint32_t>(content).value_or(flags);
        }
    });
    // On a point-to-point link IFA_ADDRESS is the other end's and IFA_LOCAL ours; elsewhere IPv6 has IFA_ADDRESS alone.
    const auto ours = local ? local : address;
    if (!whole || !ours || header->ifa_prefixlen > size * 8 || header->ifa_index == 0 || header->ifa_index > INT32_MAX) {
        return malformed();
    }
    link_address value;
    value.link_index = static_cast<int>(header->ifa_index);
    value.address = {*ours, header->ifa_prefixlen};
    value.tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
    value.duplicate = (flags & IFA_F_DADFAILED) != 0;
    if (gone) {
        return {address_gone{value}, false};
    }
    return {address_seen{value}, false};
}

decoded_body decode_error(const nlmsghdr& header, byte_view body)
{
    const auto answer = load<nlmsgerr>(body);
    if (!answer || answer->error > 0 || answer->error < -4095) {
        return malformed();
    }
    netlink_acknowledgement acknowledgement{header.nlmsg_seq, -answer->error, {}};
    if ((header.nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
        // The attributes stand behind our request, which is repeated whole on an error unless the kernel capped it.
        const bool capped = (header.nlmsg_flags & NLM_F_CAPPED) != 0;
        const std::size_t repeated =
            capped ? 0 : answer->msg.nlmsg_len - std::min<std::size_t>(answer->msg.nlmsg_len, sizeof(nlmsghdr));
        const std::size_t skip = sizeof(nlmsgerr) + align4(repeated);
        if (skip > body.size()) {
            return malformed();
        }
        const bool whole = for_each_attribute(body.subspan(skip), [&](std::uint16_t type, byte_view content) {
            if (type == NLMSGERR_ATTR_MSG) {
                acknowledgement.text = printable_text(content, error_text_size_max);
            }
        });
        if (!whole) {
            return malformed();
        }
    }
    return {std::move(acknowledgement), false};
}

decoded_body decode_body(const nlmsghdr& header, byte_view body)
{
    switch (header.nlmsg_type) {
        case NLMSG_ERROR:
            return decode_error(header, body);
        case NLMSG_DONE: {
            const auto code = load<std::int32_t>(body).value_or(0);
            return {netlink_dump_end{header.nlmsg_seq, code < 0 && code >= -4095 ? -code : 0}, false};
        }
        case NLMSG_OVERRUN:
            return {netlink_overrun{}, false};
        case RTM_NEWLINK:
        case RTM_DELLINK:
            return decode_link(body, header.nlmsg_type == RTM_DELLINK);
        case RTM_NEWADDR:
        case RTM_DELADDR:
            return decode_address(body, header.nlmsg_type == RTM_DELADDR);
        case RTM_NEWRULE:
        case RTM_DELRULE:
            return decode_rule(body, header.nlmsg_type == RTM_DELRULE);
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            return decode_route(header, body);
        default:
            return not_ours();
    }
}

byte_buffer encode_link_up(int link_index, std::uint32_t sequence)
{
    auto out = begin_message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, sequence);
    ifinfomsg body{};
    body.ifi_index = link_index;
    body.ifi_flags = body.ifi_change = IFF_UP;  // and no other flag is touched
    append_struct(out, body);
    return finish_message(std::move(out));
}

}  // namespace

byte_buffer encode_link_dump(std::uint32_t sequence)
{
    auto out = begin_message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    append_struct(out, ifinfomsg{});
    return finish_message(std::move(out));
}

byte_buffer encode_address_dump(std::uint32_t sequence)
{
    auto out = begin_message(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    append_struct(out, ifaddrmsg{});
    return finish_message(std::move(out));
}

byte_buffer encode_change(const kernel_change& change, std::uint32_t sequence)
{
    return std::visit(
        overloaded{
            [&](const add_address& add) { return encode_add(add.value, add.options, sequence); },
            [&](const remove_address& remove) {
                return finish_message(begin_address_message(RTM_DELADDR, 0, sequence, remove.value));
            },
            [&](const set_link_up& set) { return encode_link_up(set.link_index, sequence); },
            [&](const add_rule& add) { return encode_rule(add.value, false, sequence); },
            [&](const remove_rule& remove) { return encode_rule(remove.value, true, sequence); },
            [&](const add_route& add) { return encode_route(add.value, route_verb::add, sequence); },
            [&](const replace_route& replace) { return encode_route(replace.value, route_verb::replace, sequence); },
            [&](const remove_route& remove) { return encode_route(remove.value, route_verb::remove, sequence); },
        },
        change);
}

netlink_datagram decode_netlink(byte_view bytes)
{
    netlink_datagram result;
    while (!bytes.empty()) {
        const auto header = load<nlmsghdr>(bytes);
        if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > bytes.size()) {
            ++result.malformed;
            break;
        }
        result.dump_interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        auto body = decode_body(*header, bytes.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr)));
        result.malformed += body.malformed ? 1 : 0;
        if (body.message) {
            result.messages.push_back(std::move(*body.message));
        }
        bytes = bytes.subspan(std::min(bytes.size(), align4(header->nlmsg_len)));
    }
    return result;
}

bool is_success(const kernel_change& change, int error_number)
{
    if (error_number == 0) {
        return true;
    }
    return std::visit(overloaded{
                          [&](const add_address&) { return error_number == EEXIST; },
                          // ENODEV: the link is gone, and its addresses with it.
                          [&](const remove_address&) { return error_number == EADDRNOTAVAIL || error_number == ENODEV; },
                          [&](const remove_rule&) { return error_number == ENOENT; },
                          [&](const remove_route&) { return error_number == ESRCH || error_number == ENODEV; },
                          [](const auto&) { return false; },
                      },
                      change);
}

}  // namespace vipd::net
