#include "agent/doctor/judgements.hpp"
#include "agent/doctor/networks.hpp"
#include "agent/doctor/questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace vipd::doctor {

namespace {

// Of one [[router.eni]]: whether it can be attached here, and serves then.
class interface_judge {
public:
    interface_judge(const evidence& known, const config::router& router, const takeover::floating_interface& floating,
                    const holdings& all, section& out) :
        known_(known), router_(router), floating_(floating), all_(all), out_(out)
    {}

    void judge();

private:
    // Whether it can be so, as far as is known; what stands against it has been said.
    [[nodiscard]] bool judge_room(const aws::network_interface& found);
    [[nodiscard]] bool judge_device_index(unsigned wanted, const aws::network_interface_id& id,
                                          const aws::instance_type_limits& limit);
    [[nodiscard]] bool judge_address_count(const aws::network_interface& found);
    [[nodiscard]] bool judge_chosen_addresses(const aws::network_interface& found);
    [[nodiscard]] bool judge_chosen_address(const ip_address& address, const aws::network_interface& found);
    void judge_vpc(const aws::network_interface& found);
    [[nodiscard]] std::map<unsigned, aws::network_interface_id> own_device_indices() const;

    const evidence& known_;
    const config::router& router_;
    const takeover::floating_interface& floating_;
    const holdings& all_;
    section& out_;
    std::string check_ = "eni " + takeover::describe_query(floating_.match);
};

void interface_judge::judge()
{
    const auto found = floating_interface(floating_, known_);
    if (!found) {
        const auto kind = found.error().kind;
        if (kind == error_class::not_found || kind == error_class::out_of_range) {
            out_.fail(check_, found.error().text, "match in [[router.eni]] has to find exactly one");
        } else {
            out_.skip(check_, found.error().text);
        }
        return;
    }
    const auto& zone = known_.identity()->availability_zone;
    if (found->availability_zone != zone) {
        out_.fail(check_,
                  fmt::format("{} is in {}, and this instance in {}: it cannot be attached here", found->id.str(),
                              found->availability_zone, zone),
                  "an interface stays in its zone: put all nodes there, or move the address by [[router.route]]");
        return;
    }
    if (found->requester_managed) {
        out_.fail(check_, fmt::format("{} belongs to another service of AWS, which alone may move it", found->id.str()),
                  "name an interface of your own");
        return;
    }
    if (found->attachment && found->attachment->device_index == 0) {
        out_.fail(check_,
                  fmt::format("{} is the primary interface of {}, which cannot be detached", found->id.str(),
                              found->attachment->instance.str()),
                  "create an interface for it that is nobody's primary one");
        return;
    }
    if (!judge_room(*found) || !judge_address_count(*found) || !judge_chosen_addresses(*found)) {
        return;
    }
    judge_vpc(*found);
    auto text = found->attachment ? fmt::format("{}, at {} as device {}", found->id.str(), found->attachment->instance.str(),
                                                found->attachment->device_index)
                                  : fmt::format("{}, attached to nobody", found->id.str());
    if (found->attachment && found->attachment->delete_on_termination) {
        text += "; it would be deleted with that instance until vipd, Active there, switches that off";
    }
    out_.ok(check_, text);
}

bool interface_judge::judge_room(const aws::network_interface& found)
{
    const auto limit = limits_of_type(known_);
    if (!limit) {
        out_.skip(check_, fmt::format("how many interfaces this instance takes is not known: {}", limit.error().text),
                  std::string{remedy_of(limit.error())});
        return true;
    }
    if (floating_.device_index && !judge_device_index(*floating_.device_index, found.id, *limit)) {
        return false;
    }
    const bool is_here = found.attachment && found.attachment->instance == floating_.instance;
    const auto taken = own_device_indices();
    if (!is_here && taken.size() >= limit->interfaces_max) {
        out_.fail(
            check_,
            fmt::format("this instance has {} interfaces, and {} takes {}", taken.size(), limit->type, limit->interfaces_max),
            "detach one, or choose a larger instance type");
        return false;
    }
    std::set<aws::network_interface_id> together;
    for (const auto& [index, id] : taken) {
        together.insert(id);
    }
    together.insert(all_.interfaces.begin(), all_.interfaces.end());
    if (!is_here && together.size() > limit->interfaces_max) {
        out_.fail(check_,
                  fmt::format("this instance has {} interfaces, with all that [[router.eni]] moves here it would have {}, and "
                              "{} takes {}",
                              taken.size(), together.size(), limit->type, limit->interfaces_max),
                  "move fewer interfaces here, detach another one, or choose a larger instance type");
        return false;
    }
    return true;
}

bool interface_judge::judge_device_index(unsigned wanted, const aws::network_interface_id& id,
                                         const aws::instance_type_limits& limit)
{
    if (wanted >= limit.interfaces_max) {
        out_.fail(check_,
                  fmt::format("device_index {} is too high: {} takes {} interfaces, 0 to {}", wanted, limit.type,
                              limit.interfaces_max, limit.interfaces_max - 1),
                  "choose a lower device_index, or a larger instance type");
        return false;
    }
    const auto taken = own_device_indices();
    const auto holder = taken.find(wanted);
    if (holder != taken.end() && holder->second != id) {
        out_.fail(check_, fmt::format("device_index {} of this instance is taken by {}", wanted, holder->second.str()),
                  "choose another device_index, or leave it out");
        return false;
    }
    return true;
}

// Addresses can be given to an interface that is attached to nobody without any bound, and EC2 counts them when it is attached
// (PrivateIpAddressLimitExceeded).
bool interface_judge::judge_address_count(const aws::network_interface& found)
{
    const auto limit = limits_of_type(known_);
    if (!limit) {
        return true;  // said of the room for the interface
    }
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        const auto has = static_cast<unsigned>(std::ranges::count(found.addresses, family, &ip_address::family));
        const auto max = family == ip_family::v4 ? limit->ipv4_addresses_per_interface : limit->ipv6_addresses_per_interface;
        if (has > max) {
            out_.fail(check_,
                      fmt::format("{} has {} {} addresses, and an interface of {} takes {}: EC2 does not attach it here",
                                  found.id.str(), has, family == ip_family::v4 ? "IPv4" : "IPv6", limit->type, max),
                      "take addresses away from it, or choose a larger instance type");
            return false;
        }
    }
    return true;
}

// EC2 attaches an interface of another VPC of the same account and zone; only the first interface says which one is the
// instance's own.
void interface_judge::judge_vpc(const aws::network_interface& found)
{
    const auto taken = own_device_indices();
    const auto primary = taken.find(0);
    if (primary == taken.end() || found.vpc.empty()) {
        return;
    }
    const auto own = known_.answers.interface(primary->second);
    if (own && !own->vpc.empty() && own->vpc != found.vpc) {
        out_.warn(check_,
                  fmt::format("{} is of {}, and this instance of {}: EC2 attaches it, and its security groups and routes are "
                              "those of {}",
                              found.id.str(), found.vpc.str(), own->vpc.str(), found.vpc.str()),
                  fmt::format("name an interface of {} in match of [[router.eni]], unless {} is meant", own->vpc.str(),
                              found.vpc.str()));
    }
}

bool interface_judge::judge_chosen_addresses(const aws::network_interface& found)
{
    bool is_sound = true;
    for (const auto& address : addresses_not_given(router_, floating_, found)) {
        is_sound = judge_chosen_address(address, found) && is_sound;  // every one of them is said
    }
    return is_sound;
}

// Of one that EC2 has not listed among the interface's own.
bool interface_judge::judge_chosen_address(const ip_address& address, const aws::network_interface& found)
{
    const std::string remedy = "put right addresses in [[router.eni]]";
    const auto holders = known_.answers.interfaces_with(address, found.vpc);
    if (holders && !holders->empty()) {
        out_.fail(check_,
                  fmt::format("addresses names {}, and the VPC delivers it to {}, not to {}", address.to_string(),
                              holders->front().id.str(), found.id.str()),
                  remedy + ", or take it away from the interface that has it");
        return false;
    }
    const auto subnets = known_.answers.get<aws::subnets>(aws::describe_subnets{found.vpc});
    if (subnets) {
        const auto subnet = std::ranges::find(subnets->all, found.subnet, &aws::subnet::id);
        if (subnet != subnets->all.end() && find_covering(subnet->cidrs, ip_prefix::host(address)) == nullptr) {
            out_.fail(check_,
                      fmt::format("addresses names {}, which is outside of the subnet of {}, {} ({}): the VPC delivers it "
                                  "nowhere",
                                  address.to_string(), found.id.str(), subnet->id.str(), listed(subnet->cidrs)),
                      remedy + ", or lead it to the interface by [[router.route]]");
            return false;
        }
    }
    // What EC2 has given in whole prefixes is not among the addresses.
    const bool is_v4 = address.is_v4();
    out_.warn(check_,
              fmt::format("addresses names {}, and {} has {}: the VPC delivers it there only if it is in a prefix of that "
                          "interface",
                          address.to_string(), found.id.str(), listed(found.addresses)),
              fmt::format("{}, or assign it: `aws ec2 {} --network-interface-id {} {} {}`", remedy,
                          is_v4 ? "assign-private-ip-addresses" : "assign-ipv6-addresses", found.id.str(),
                          is_v4 ? "--private-ip-addresses" : "--ipv6-addresses", address.to_string()));
    return true;
}

std::map<unsigned, aws::network_interface_id> interface_judge::own_device_indices() const
{
    std::map<unsigned, aws::network_interface_id> taken;
    for (const auto& own : known_.identity()->interfaces) {
        const auto described = known_.answers.interface(own.id);
        if (described && described->attachment) {
            taken.emplace(described->attachment->device_index, described->id);
        }
    }
    return taken;
}

}  // namespace

void judge_interface(const evidence& known, const config::router& router, const takeover::floating_interface& floating,
                     const holdings& all, section& out)
{
    interface_judge{known, router, floating, all, out}.judge();
}

}  // namespace vipd::doctor
