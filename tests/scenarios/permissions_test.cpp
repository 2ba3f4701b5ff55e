// The policy that `vipd iam-policy` prints is enough, and none of its actions is too much: without any one of them there is
// something that a node cannot take or cannot be sure of, and it says which action it lacks.

#include "agent/cli/iam_policy.hpp"
#include "tests/cloud/policy.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/sim/account.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

struct way {
    std::string name;
    void (*choose)(cluster_options&);
    void (*configure)(config::router&) = [](config::router&) {};
};

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
        GetParam().configure(c.routers.front());
        return c;
    }

    static cloud::policy policy_for(const config::configuration& c)
    {
        const auto printed = cli::iam_policy(c, {"123456789012", "eu-west-1", {}});
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

    // What machine 1 says is wrong, a line each.
    [[nodiscard]] std::vector<std::string> complaints() const
    {
        std::vector<std::string> all;
        for (const auto& r : world->node(1).snapshot().resources) {
            if (r.state != status::resource_state::here || !r.last_error.empty()) {
                all.push_back(std::string{to_string(r.kind)} + " " + r.name + ": " + std::string{to_string(r.state)} + ", " +
                              r.last_error);
            }
        }
        return all;
    }
};

TEST_P(permissions, that_are_printed_are_enough)
{
    let_machine_1_take_over(policy_for(configuration_of(options(), 1)), {});
    EXPECT_EQ(complaints(), std::vector<std::string>{});
}

TEST_P(permissions, that_are_printed_are_needed_each)
{
    const auto whole = policy_for(configuration_of(options(), 1));
    for (const auto& action : actions_of(whole)) {
        let_machine_1_take_over(without(whole, action), action);
        const auto said = complaints();
        const auto name = action.substr(action.find(':') + 1);
        EXPECT_TRUE(std::ranges::any_of(said, [&](const std::string& line) { return line.find(name) != std::string::npos; }))
            << "without " << action << " it says " << testing::PrintToString(said);
    }
}

INSTANTIATE_TEST_SUITE_P(
    ways, permissions,
    ::testing::Values(way{"route_in_named_tables", [](cluster_options& o) { o.tables = 2; }},
                      way{"route_in_tables_of_the_vpc", [](cluster_options& o) { o.chosen = table_choice::whole_vpc; }},
                      way{"route_in_tagged_tables", [](cluster_options& o) { o.chosen = table_choice::by_tag; }},
                      way{"route_with_the_check_switched_off", [](cluster_options&) {},
                          [](config::router& r) { r.routes.front().disable_source_dest_check = true; }},
                      way{"secondary_address", [](cluster_options& o) { o.moves_secondary_ip = true; }},
                      way{"secondary_ipv6_address",
                          [](cluster_options& o) {
                              o.family = ip_family::v6;
                              o.moves_secondary_ip = true;
                          }},
                      way{"elastic_ip", [](cluster_options& o) { o.moves_elastic_ip = true; }},
                      way{"interface", [](cluster_options& o) { o.moves_interface = true; }}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace vipd::sim
