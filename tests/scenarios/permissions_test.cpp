// The policy that `vipd iam-policy` prints is enough, and none of its actions is too much: without any one of them there is
// something that a node cannot take or cannot be sure of, and it says which action it lacks. Everything else goes on.

#include "agent/cli/iam_policy.hpp"
#include "tests/cloud/policy.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/sim/account.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

struct way {
    std::string name;
    void (*choose)(cluster_options&);
    void (*configure)(config::router&) = nullptr;
    bool asks_for_vpc = false;  // where anything is not named by its id
};

void switch_check_off(config::router& r)
{
    r.routes.front().disable_source_dest_check = true;
}

void PrintTo(const way& w, std::ostream* out)
{
    *out << w.name;
}

class permissions : public scenario, public ::testing::WithParamInterface<way> {
protected:
    static cluster_options options()
    {
        auto o = machines({150, 100});
        o.machines[1].zone = 0;
        GetParam().choose(o);
        return o;
    }

    static config::configuration configuration_of(const cluster_options& o, std::size_t machine)
    {
        auto c = o.configuration(machine);
        if (GetParam().configure != nullptr) {
            GetParam().configure(c.routers.front());
        }
        return c;
    }

    static cloud::policy policy_for(const config::configuration& c, const std::string& vpc = {})
    {
        const auto printed = cli::iam_policy(c, {"123456789012", "eu-west-1", vpc});
        EXPECT_EQ(printed.exit_code, cli::exit_success) << printed.err;
        auto parsed = cloud::parse_policy(boost::json::parse(printed.out));
        EXPECT_TRUE(parsed.has_value()) << printed.out;
        return parsed.value();
    }

    static std::set<std::string> actions_of(const cloud::policy& p)
    {
        std::set<std::string> all;
        for (const auto& statement : p) {
            all.insert(statement.actions.begin(), statement.actions.end());
        }
        return all;
    }

    static bool asks_for_vpc(const cloud::policy& p)
    {
        return std::ranges::any_of(p, [](const cloud::policy_statement& s) {
            return std::ranges::any_of(s.conditions, [](const cloud::policy_condition& c) { return c.key == "ec2:Vpc"; });
        });
    }

    // What cannot be moved, or not be seen, without an action.
    static std::set<status::resource_kind> that_need(const std::string& action)
    {
        using kind = status::resource_kind;
        // The link of an interface comes with it.
        static const std::map<std::string, std::set<kind>> needs = {
            {"ReplaceRoute", {kind::route}},
            {"CreateRoute", {kind::route}},
            {"DescribeRouteTables", {kind::route}},
            {"DescribeNetworkInterfaces", {kind::source_dest_check, kind::secondary_ip, kind::network_interface, kind::link}},
            {"DescribeAddresses", {kind::elastic_ip}},
            {"AssignPrivateIpAddresses", {kind::secondary_ip}},
            {"AssignIpv6Addresses", {kind::secondary_ip}},
            {"UnassignIpv6Addresses", {kind::secondary_ip}},
            {"AssociateAddress", {kind::elastic_ip}},
            {"DetachNetworkInterface", {kind::network_interface, kind::link}},
            {"AttachNetworkInterface", {kind::network_interface, kind::link}},
            {"ModifyNetworkInterfaceAttribute", {kind::source_dest_check, kind::network_interface}},
        };
        return needs.at(action);
    }

    static cloud::policy without(cloud::policy p, const std::string& action)
    {
        for (auto& statement : p) {
            std::erase(statement.actions, action);
        }
        std::erase_if(p, [](const cloud::policy_statement& s) { return s.actions.empty(); });
        return p;
    }

    // Machine 1 takes everything over, with these permissions and no others.
    void let_machine_1_take_over(const cloud::policy& allowed, const std::string& lacking)
    {
        const auto o = options();
        begin(o);
        for (const std::size_t machine : {0U, 1U}) {
            world->node(machine).reload(std::make_shared<const config::configuration>(configuration_of(o, machine)));
        }
        wait(30s);
        ASSERT_TRUE(has_confirmed(0));
        world->cloud().policies()[role_of(1)] = allowed;
        inflict(faults::power_off{0});
        if (lacking == "ec2:CreateRoute") {
            // By hand, or there would be a route to replace.
            inflict(faults::route_changed{0, ""});
        }
        auto& model = world->cloud().model();
        const auto now = [&] { return cloud::occasion{{world->now(), {}}, {}, false}; };
        const auto routes = configuration_of(o, 1).routers.front().routes;
        if (!routes.empty() && routes.front().disable_source_dest_check) {
            model.apply(now(), cloud::set_source_dest_check{cloud::network_interface_id{o.interface_id(1)}, true});
        }
        until("machine 1 is Active", down_interval(1) + 100ms, [&] { return is_active(1); });
        wait(60s);
        if (o.moves_interface) {
            const auto found = model.state().interfaces.find(cloud::network_interface_id{cluster_options::floating_id()});
            const auto& floating = *found->second.current();
            if (floating.attached) {
                model.apply(now(), cloud::set_delete_on_termination{floating.id, floating.attached->id, true});
            }
            wait(60s);
        }
    }

    // What machine 1 says is wrong.
    [[nodiscard]] std::vector<status::resource> wrong() const
    {
        auto all = world->node(1).snapshot().resources;
        std::erase_if(
            all, [](const status::resource& r) { return r.state == status::resource_state::here && r.last_error.empty(); });
        return all;
    }

    // The same, a line each.
    [[nodiscard]] std::vector<std::string> complaints() const
    {
        std::vector<std::string> all;
        for (const auto& r : wrong()) {
            all.push_back(std::string{to_string(r.kind)} + " " + r.name + ": " + std::string{to_string(r.state)} + ", " +
                          r.last_error);
        }
        return all;
    }

    // Machine 1 lacks this action, and no other.
    void expect_one_lack(const std::string& action)
    {
        const auto said = testing::PrintToString(complaints());
        EXPECT_TRUE(std::ranges::any_of(wrong(), [&](const status::resource& r) {
            return r.last_error.find("ec2:" + action) != std::string::npos;
        })) << said;
        const auto concerned = that_need(action);
        for (const auto& r : wrong()) {
            EXPECT_TRUE(concerned.contains(r.kind)) << "the rest goes on: " << said;
        }
        EXPECT_TRUE(was_told({"node-1", "event=ec2_call", "action=" + action, "outcome=denied", "code=UnauthorizedOperation",
                              "perform: ec2:" + action}));
        EXPECT_TRUE(is_active(1)) << "what EC2 refuses changes no role";
        EXPECT_TRUE(world->node(1).has_address(world->options().virtual_address()));
    }
};

TEST_P(permissions, that_are_printed_are_enough)
{
    for (const auto& vpc : {std::string{}, the_vpc().str()}) {
        let_machine_1_take_over(policy_for(configuration_of(options(), 1), vpc), {});
        EXPECT_EQ(complaints(), std::vector<std::string>{}) << vpc;
        EXPECT_FALSE(was_told({"node-1", "UnauthorizedOperation"})) << vpc;
    }
}

TEST_P(permissions, that_are_printed_for_another_vpc_are_refused_in_this_one)
{
    const auto elsewhere = policy_for(configuration_of(options(), 1), "vpc-00000000000000002");
    EXPECT_EQ(asks_for_vpc(elsewhere), GetParam().asks_for_vpc);
    let_machine_1_take_over(elsewhere, {});
    EXPECT_EQ(!complaints().empty(), GetParam().asks_for_vpc);
    for (const auto& r : wrong()) {
        EXPECT_NE(r.last_error.find("UnauthorizedOperation"), std::string::npos) << testing::PrintToString(complaints());
    }
}

TEST_P(permissions, that_are_printed_are_needed_each)
{
    const auto whole = policy_for(configuration_of(options(), 1), the_vpc().str());
    for (const auto& full_name : actions_of(whole)) {
        SCOPED_TRACE("without " + full_name);
        let_machine_1_take_over(without(whole, full_name), full_name);
        expect_one_lack(full_name.substr(full_name.find(':') + 1));
        world->cloud().policies()[role_of(1)] = whole;
        until("it has everything, once it may", 70s, [&] { return wrong().empty(); });
    }
}

INSTANTIATE_TEST_SUITE_P(
    ways, permissions,
    ::testing::Values(way{"route_in_named_tables", [](cluster_options& o) { o.tables = 2; }},
                      way{"route_in_tables_of_the_vpc", [](cluster_options& o) { o.chosen = table_choice::whole_vpc; }, nullptr,
                          true},
                      way{"route_in_tagged_tables", [](cluster_options& o) { o.chosen = table_choice::by_tag; }, nullptr, true},
                      way{"route_of_a_prefix_list",
                          [](cluster_options& o) {
                              o.by_prefix_list = true;
                              o.chosen = table_choice::whole_vpc;
                          },
                          nullptr, true},
                      way{"route_with_the_check_switched_off", [](cluster_options&) {}, switch_check_off, true},
                      way{"secondary_address", [](cluster_options& o) { o.moves_secondary_ip = true; }, nullptr, true},
                      way{"secondary_ipv6_address",
                          [](cluster_options& o) {
                              o.family = ip_family::v6;
                              o.moves_secondary_ip = true;
                          },
                          nullptr, true},
                      way{"elastic_ip", [](cluster_options& o) { o.moves_elastic_ip = true; }, nullptr, true},
                      way{"interface", [](cluster_options& o) { o.moves_interface = true; }},
                      way{"all_of_them_at_once",
                          [](cluster_options& o) {
                              o.chosen = table_choice::whole_vpc;
                              o.moves_secondary_ip = o.moves_elastic_ip = o.moves_interface = true;
                          },
                          switch_check_off, true}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace vipd::sim
