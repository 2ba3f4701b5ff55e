#include "agent/doctor/judgements.hpp"
#include "agent/doctor/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace vipd::doctor {

namespace {

// An interface at one end, with the rules of all its groups.
struct end_of_path {
    std::string name;  // "this node", "10.0.2.10"
    party who;
    std::vector<aws::security_group_rule> inbound, outbound;

    [[nodiscard]] std::string groups() const
    {
        std::string ids;
        for (const auto& id : who.groups) {
            ids += (ids.empty() ? "" : ", ") + id.str();
        }
        return ids;
    }
};

result<end_of_path> end_with(const answer_book& answers, std::string name, const ip_address& address,
                             const aws::network_interface& interface)
{
    end_of_path end{std::move(name), {address, interface.groups}, {}, {}};
    for (const auto& id : interface.groups) {
        const auto groups = answers.get<aws::security_groups>(aws::describe_security_groups{{id}});
        if (!groups) {
            return groups.error();
        }
        for (const auto& group : groups->all) {
            std::ranges::copy(group.inbound, std::back_inserter(end.inbound));
            std::ranges::copy(group.outbound, std::back_inserter(end.outbound));
        }
    }
    return end;
}

// One way, from one end to the other: out here and in there.
struct way {
    std::vector<std::string> closed;   // sentences
    std::vector<std::string> unclear;  // likewise
    std::vector<std::string> remedies;
};

void look_along(const end_of_path& from, const end_of_path& to, way& found)
{
    const auto note = [&](passage p, const end_of_path& at, const end_of_path& other, const char* direction,
                          const char* toward) {
        const auto what = fmt::format("{} of {} ({}) {} {}", direction, at.name, at.groups(), toward, other.name);
        if (p == passage::closed) {
            found.closed.push_back(what);
            found.remedies.push_back(fmt::format("allow {} IP protocol 112 {} {}{} in {}", direction, toward,
                                                 other.who.address.to_string(),
                                                 other.who.groups.empty() ? "" : " or " + other.groups(), at.groups()));
        } else if (p == passage::unclear) {
            found.unclear.push_back(what);
        }
    };
    note(passage_of(from.outbound, to.who), from, to, "outbound", "to");
    note(passage_of(to.inbound, from.who), to, from, "inbound", "from");
}

void judge_groups(const end_of_path& own, const end_of_path& peer, const std::string& check, section& out)
{
    if (own.who.groups.empty() || peer.who.groups.empty()) {
        out.skip(check, fmt::format("EC2 shows no security group of {}", own.who.groups.empty() ? own.name : peer.name));
        return;
    }
    way both;
    look_along(peer, own, both);
    look_along(own, peer, both);
    if (!both.closed.empty()) {
        out.fail(check, fmt::format("protocol 112 is not let through: {}", fmt::join(both.closed, "; ")),
                 fmt::format("{}", fmt::join(both.remedies, "; ")));
    } else if (!both.unclear.empty()) {
        out.warn(check, fmt::format("only a prefix list may let protocol 112 through: {}", fmt::join(both.unclear, "; ")),
                 "doctor does not read prefix lists: look whether the addresses are in it");
    } else {
        out.ok(check, fmt::format("protocol 112 passes both ways ({} here, {} there)", own.groups(), peer.groups()));
    }
}

// What moves within a subnet, or a zone, can be taken over only by a node that is there.
void judge_neighbourhood(const config::router& router, const aws::network_interface& own, const aws::network_interface& peer,
                         const std::string& check, section& out)
{
    if (!router.secondary_ips.empty() && peer.subnet != own.subnet) {
        out.fail(check,
                 fmt::format("{} is in {}, and {} of this node in {}: a secondary address is of one subnet", peer.id.str(),
                             peer.subnet.str(), own.id.str(), own.subnet.str()),
                 "put all nodes that move it into one subnet, or move an address outside of the VPC by [[router.route]]");
    }
    if (!router.enis.empty() && peer.availability_zone != own.availability_zone) {
        out.fail(check,
                 fmt::format("{} is in {}, and this node in {}: an interface stays in its zone", peer.id.str(),
                             peer.availability_zone, own.availability_zone),
                 "put all nodes that move it into one zone, or move an address by [[router.route]]");
    }
}

void judge_peer(const evidence& known, const config::router& router, const result<aws::network_interface>& own,
                const ip_address& source, const ip_address& address, section& out)
{
    const auto check = "peer " + address.to_string();
    const auto vpc = known.vpc_of(router);
    if (known.own_interface_with(address) != nullptr) {
        out.fail(check, "it is an address of this node", "peers holds the addresses of the other nodes");
        return;
    }
    const auto found = known.answers.interfaces_with(address, vpc);
    if (!found) {
        out.skip(check, found.error().text);
        return;
    }
    if (found->empty()) {
        out.warn(check, fmt::format("no interface of {} has that address", vpc.empty() ? "this account" : vpc.str()),
                 "put right peers in [[router]]; a peer of another VPC has to be reached by peering or a transit gateway, and "
                 "its security groups cannot be looked at from here");
        return;
    }
    const auto& interface = found->front();
    if (!own) {
        out.skip(check, fmt::format("{}; this node's own interface is not known: {}", interface.id.str(), own.error().text));
        return;
    }
    judge_neighbourhood(router, *own, interface, check, out);
    const auto here = end_with(known.answers, "this node", source, *own);
    const auto there = end_with(known.answers, address.to_string(), address, interface);
    if (!here || !there) {
        const auto& why = here ? there.error() : here.error();
        out.skip(check, fmt::format("{}, and its security groups are not known: {}", interface.id.str(), why.text),
                 why.kind == error_class::denied ? with_doctor_remedy : "");
        return;
    }
    judge_groups(*here, *there, check, out);
}

result<aws::network_interface> own_interface(const evidence& known, const ip_address& source)
{
    const auto* const own = known.own_interface_with(source);
    if (own == nullptr) {
        return error{error_class::not_found,
                     fmt::format("the metadata service knows no interface of this node with {}", source.to_string())};
    }
    return known.answers.interface(own->id);
}

}  // namespace

void judge_peers(const evidence& known, const config::router& router, section& out)
{
    const auto source = known.source_of(router);
    if (!source || known.identity() == nullptr) {
        return;  // said of the source, or of the metadata service
    }
    const auto own = own_interface(known, *source);
    for (const auto& peer : router.peers) {
        judge_peer(known, router, own, *source, peer.address, out);
    }
}

}  // namespace vipd::doctor
