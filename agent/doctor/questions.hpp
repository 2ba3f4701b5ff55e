#pragma once

// What is asked of EC2: functions of the evidence, called again with every answer, until there is nothing left to ask.

#include "agent/aws/ec2_call.hpp"
#include "agent/doctor/evidence.hpp"
#include "agent/takeover/desired.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vipd::doctor {

// Every changing call that a takeover of this may make, as far as its parameters are known. They are not made: what can be
// asked of them is dry_run_of() each.
std::vector<aws::ec2_call> changes_of(const takeover::wanted_route& route, const evidence& known);
std::vector<aws::ec2_call> changes_of(const takeover::wanted_resource& wanted, const evidence& known);
// Of a whole router, with the source/destination checks that it may switch.
std::vector<aws::ec2_call> changes_of(const config::router& router, const evidence& known);

// Whether an action is allowed on a thing. A hundred routes in one table are one such question: EC2 authorises them on the
// table.
struct permission {
    std::string action;   // "ReplaceRoute"
    std::string subject;  // "rtb-...", for people
    // The dry run that answers it; none where EC2 has none.
    std::optional<aws::ec2_call> question;
    // Too many of this action are asked about already: dry runs draw on the budget that takeovers of the whole account need.
    bool left_out = false;
};
inline constexpr std::size_t dry_runs_of_action_max = 20;
std::vector<permission> permissions_of(const evidence& known);

// The tables of a query that a route can be in: all of those that were named, and of the others those that are no edge tables.
result<std::vector<aws::route_table>> tables_for(const takeover::table_query& query, const evidence& known);

// The one interface that `match` of [[router.eni]] finds; an error says how many there are.
result<aws::network_interface> floating_interface(const takeover::floating_interface& wanted, const evidence& known);

// Of `addresses` of that [[router.eni]], those that EC2 has not listed among the interface's own, and that nothing else moves
// there either.
std::vector<ip_address> addresses_not_given(const config::router& router, const takeover::floating_interface& wanted,
                                            const aws::network_interface& found);

// What EC2 can be asked now and has not been: reads, and dry runs. At most `questions_max` in all are ever asked.
inline constexpr std::size_t questions_max = 1000;
std::vector<aws::ec2_call> next_questions(const evidence& known);

}  // namespace vipd::doctor
