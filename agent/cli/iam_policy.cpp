#include "agent/cli/iam_policy.hpp"

#include "agent/aws/endpoint.hpp"
#include "agent/config/text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace vipd::cli {

namespace {

// Operator, key, value: {"StringLike": {"aws:ResourceTag/Name": "private-*"}}
using conditions = std::map<std::pair<std::string, std::string>, std::string>;

struct statement {
    std::string sid;
    std::set<std::string> actions;
    std::set<std::string> resources;
    conditions when;
};

std::string quoted(std::string_view text)
{
    return boost::json::serialize(boost::json::string(text));
}

std::string listed(const std::set<std::string>& texts)
{
    std::vector<std::string> parts;
    for (const auto& text : texts) {
        parts.push_back(quoted(text));
    }
    return parts.size() == 1 ? parts.front() : fmt::format("[\n        {}\n      ]", fmt::join(parts, ",\n        "));
}

std::string condition_text(const conditions& when)
{
    std::map<std::string, std::vector<std::string>> by_operator;
    for (const auto& [key, value] : when) {
        by_operator[key.first].push_back(quoted(key.second) + ": " + quoted(value));
    }
    std::vector<std::string> parts;
    for (const auto& [name, tests] : by_operator) {
        parts.push_back(fmt::format("{}: {{ {} }}", quoted(name), fmt::join(tests, ", ")));
    }
    return fmt::format("{{\n        {}\n      }}", fmt::join(parts, ",\n        "));
}

std::string json_of(const statement& s)
{
    auto text =
        fmt::format("    {{\n      \"Sid\": {},\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}",
                    quoted(s.sid), listed(s.actions), listed(s.resources));
    if (!s.when.empty()) {
        text += ",\n      \"Condition\": " + condition_text(s.when);
    }
    return text + "\n    }";
}

class policy_writer {
public:
    policy_writer(std::string region, const account_scope& scope) : region_(std::move(region)), scope_(scope) {}

    void add(const config::router& router)
    {
        for (const auto& route : router.routes) {
            add(route);
        }
        for (const auto& entry : router.secondary_ips) {
            read("DescribeNetworkInterfaces");
            if (entry.address.is_v4()) {
                allow_interface("MoveSecondaryAddresses", "AssignPrivateIpAddresses", entry.interface_id);
            } else {
                // It is unassigned from whoever has it.
                note_interfaces(entry.interface_id);
                allow("MoveIpv6Addresses", {"AssignIpv6Addresses", "UnassignIpv6Addresses"}, arn("network-interface", "*"),
                      of_interfaces_vpc());
            }
        }
        for (const auto& entry : router.elastic_ips) {
            read("DescribeAddresses");
            allow("MoveElasticIps", {"AssociateAddress"}, arn("elastic-ip", entry.allocation.str()));
            allow_interface("MoveElasticIps", "AssociateAddress", entry.interface_id);
        }
        for (const auto& entry : router.enis) {
            add(entry);
        }
    }

    // Reads beyond what a daemon makes, apart from the others so that they can be taken away again.
    void add_doctor()
    {
        if (!statements_.empty()) {
            allow("ReadByDoctor",
                  {"DescribeInstanceTypes", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets",
                   "DescribeVpcs"},
                  "*", of_region());
        }
    }

    // Which role the profile assumes, if any, is in the shared AWS files, which may be another machine's.
    void note_profile(const std::string& profile)
    {
        if (!profile.empty()) {
            notes_.insert(fmt::format(
                "where the profile {} assumes a role, this is the policy of that role: the one that it is assumed from needs "
                "sts:AssumeRole on its ARN and nothing of this",
                config::in_quotes(profile)));
        }
    }

    printed take()
    {
        if (statements_.empty()) {
            return {"", "vipd: this configuration moves nothing in AWS and needs no permission\n", exit_success};
        }
        std::vector<std::string> texts;
        for (const auto& [key, s] : statements_) {
            texts.push_back(json_of(s));
        }
        printed result;
        result.out =
            fmt::format("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n", fmt::join(texts, ",\n"));
        for (const auto& note : notes_) {
            result.err += "note: " + note + "\n";
        }
        return result;
    }

private:
    [[nodiscard]] std::string arn(std::string_view kind, std::string_view id) const { return arn_of(scope_.account, kind, id); }

    // Of any account, where that is empty.
    [[nodiscard]] std::string arn_of(std::string_view account, std::string_view kind, std::string_view id) const
    {
        const auto partition = region_.empty() ? std::string_view{"*"} : aws::partition_of(region_);
        return fmt::format("arn:{}:ec2:{}:{}:{}/{}", partition, region_.empty() ? "*" : region_,
                           account.empty() ? "*" : account, kind, id);
    }

    void note_interfaces(const std::optional<aws::network_interface_id>& id)
    {
        if (!id) {
            notes_.insert(
                fmt::format("the interfaces of the nodes are not named in the configuration: every network interface of the "
                            "{} is allowed; replace network-interface/* by theirs",
                            scope_.vpc.empty() ? "account" : "VPC"));
        }
    }

    // An action on this node's interface; on whichever that is where the configuration does not name it.
    void allow_interface(const std::string& sid, const std::string& action, const std::optional<aws::network_interface_id>& id)
    {
        note_interfaces(id);
        if (id) {
            allow(sid, {action}, arn("network-interface", id->str()));
        } else {
            allow(sid, {action}, arn("network-interface", "*"), of_interfaces_vpc());
        }
    }

    // Of a floating interface that is found by what it has.
    void note_vpc_of(const config::interface_match& match)
    {
        if (match.address) {
            notes_.insert(
                fmt::format("the interface with the address {} is not named in the configuration: every network "
                            "interface of the {} is allowed; match it by id or tags",
                            match.address->to_string(), scope_.vpc.empty() ? "account" : "VPC"));
        }
        if (!scope_.vpc.empty()) {
            notes_.insert(
                fmt::format("an interface that [[router.eni]] matches by tags or address may be moved if it is of {}; one of "
                            "another VPC has to be matched by id",
                            scope_.vpc));
        } else if (!match.address) {
            notes_.insert(
                "the VPC is not named in the configuration: network interfaces with the tags of [[router.eni]] are allowed in "
                "every VPC; give --vpc");
        }
    }

    // A VPC that is shared is another account's than the interfaces in it.
    [[nodiscard]] conditions of_interfaces_vpc() const
    {
        return scope_.vpc.empty() ? conditions{} : conditions{{{"ArnLike", "ec2:Vpc"}, arn_of({}, "vpc", scope_.vpc)}};
    }

    void allow(const std::string& sid, const std::set<std::string>& actions, const std::string& resource,
               const conditions& when = {})
    {
        auto& s = statements_[{sid, when}];
        if (s.sid.empty()) {
            // A Sid is unique in a policy.
            const auto alike = std::ranges::count_if(statements_, [&](const auto& entry) { return entry.first.first == sid; });
            s.sid = alike == 1 ? sid : fmt::format("{}{}", sid, alike);
        }
        for (const auto& action : actions) {
            s.actions.insert("ec2:" + action);
        }
        s.resources.insert(resource);
        s.when = when;
    }

    // EC2 authorises reads on nothing narrower than a region.
    void read(const std::string& action) { allow("Read", {action}, "*", of_region()); }

    [[nodiscard]] conditions of_region() const
    {
        return region_.empty() ? conditions{} : conditions{{{"StringEquals", "ec2:Region"}, region_}};
    }

    static conditions of_tags(const std::vector<aws::tag_filter>& tags)
    {
        conditions when;
        for (const auto& tag : tags) {
            when[{"StringLike", "aws:ResourceTag/" + tag.key}] = tag.value;
        }
        return when;
    }

    void add(const config::route_entry& route)
    {
        read("DescribeRouteTables");
        read("DescribeNetworkInterfaces");
        const std::set<std::string> actions = {"ReplaceRoute", "CreateRoute"};
        for (const auto& id : route.tables.ids) {
            allow("MoveRoutes", actions, arn("route-table", id.str()));
        }
        if (route.tables.ids.empty()) {
            auto when = of_tags(route.tables.tags);
            if (scope_.vpc.empty()) {
                notes_.insert("the VPC is not named in the configuration: route tables of every VPC are allowed; give --vpc");
            } else {
                when[{"ArnLike", "ec2:Vpc"}] = arn("vpc", scope_.vpc);
            }
            allow("MoveRoutes", actions, arn("route-table", "*"), when);
        }
        if (route.disable_source_dest_check) {
            allow_interface("SwitchSourceDestCheck", "ModifyNetworkInterfaceAttribute", route.interface_id);
        }
    }

    void add(const config::eni_entry& entry)
    {
        read("DescribeNetworkInterfaces");
        auto when = of_tags(entry.match.tags);
        if (!entry.match.id) {
            // By tags it is looked for in the nodes' VPC alone, and by address that is where it will be.
            when.merge(of_interfaces_vpc());
            note_vpc_of(entry.match);
        }
        const auto interface = arn("network-interface", entry.match.id ? entry.match.id->str() : "*");
        allow("MoveInterfaces", {"AttachNetworkInterface", "DetachNetworkInterface", "ModifyNetworkInterfaceAttribute"},
              interface, when);
        // Both are authorised on the instance as well: attaching on this one, detaching on the one that has it.
        notes_.insert(
            "the instances of the cluster are not named in the configuration: every instance of the account is "
            "allowed; replace instance/* by theirs");
        allow("MoveInterfacesBetweenInstances", {"AttachNetworkInterface", "DetachNetworkInterface"}, arn("instance", "*"));
    }

    std::string region_;
    const account_scope& scope_;
    std::map<std::pair<std::string, conditions>, statement> statements_;
    std::set<std::string> notes_;
};

}  // namespace

std::string wrong_scope(const account_scope& scope)
{
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!scope.account.empty() && (scope.account.size() != 12 || !std::ranges::all_of(scope.account, is_digit))) {
        return fmt::format("--account takes the twelve digits of an account, not {}", config::in_quotes(scope.account));
    }
    if (!scope.region.empty() && !config::is_region(scope.region)) {
        return fmt::format("--region takes the name of a region, such as eu-west-1, not {}", config::in_quotes(scope.region));
    }
    if (!scope.vpc.empty() && !config::is_aws_id(scope.vpc, "vpc-")) {
        return fmt::format("--vpc takes the id of a VPC, \"vpc-\" and 8 to 17 digits, not {}", config::in_quotes(scope.vpc));
    }
    return {};
}

printed iam_policy(const config::configuration& configuration, const account_scope& scope)
{
    policy_writer policy{scope.region.empty() ? configuration.aws.region : scope.region, scope};
    policy.note_profile(configuration.aws.profile);
    for (const auto& router : configuration.routers) {
        policy.add(router);
    }
    if (scope.with_doctor) {
        policy.add_doctor();
    }
    return policy.take();
}

}  // namespace vipd::cli
