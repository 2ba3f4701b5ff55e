#include "agent/doctor/questions.hpp"

#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace vipd::doctor {

namespace {

// Collects what has not been asked yet, each once.
class question_list {
public:
    explicit question_list(const evidence& known) : known_(known) {}

    void ask(const aws::ec2_call& call)
    {
        if (known_.answers.find(call) == nullptr && forms_.insert(aws::encode_form(call)).second &&
            known_.answers.all().size() + calls_.size() < questions_max) {
            calls_.push_back(call);
        }
    }
    void ask(const takeover::cloud_query& query)
    {
        if (const auto page = known_.answers.next_page(query)) {
            ask(*page);
        }
    }

    std::vector<aws::ec2_call> take() { return std::move(calls_); }

private:
    const evidence& known_;
    std::set<std::string> forms_;
    std::vector<aws::ec2_call> calls_;
};

void ask_about_group_of(question_list& ask, const aws::network_interface& interface)
{
    for (const auto& group : interface.groups) {
        ask.ask(aws::describe_security_groups{{group}});
    }
}

// Both ends of every pair that adverts travel between.
void ask_about_peers(question_list& ask, const evidence& known, const config::router& router)
{
    if (const auto source = known.source_of(router)) {
        if (const auto* const own = known.own_interface_with(*source)) {
            ask.ask(by_id(own->id));
            if (const auto described = known.answers.interface(own->id)) {
                ask_about_group_of(ask, *described);
            }
        }
    }
    const auto vpc = known.vpc_of(router);
    for (const auto& peer : router.peers) {
        ask.ask(by_address(peer.address, vpc));
        if (const auto found = known.answers.interfaces_with(peer.address, vpc)) {
            for (const auto& interface : *found) {
                ask_about_group_of(ask, interface);
            }
        }
    }
}

void ask_about_room(question_list& ask, const evidence& known)
{
    if (const auto* const who = known.identity(); who != nullptr && !who->instance_type.empty()) {
        ask.ask(aws::describe_instance_types{who->instance_type});
    }
}

void ask_about(question_list& ask, const evidence& known, const takeover::wanted_route& route)
{
    ask.ask(route.query);
    ask.ask(by_id(route.target));
    const auto target = known.answers.interface(route.target);
    if (target && !target->vpc.empty()) {
        ask.ask(aws::describe_vpcs{{target->vpc}});
        ask.ask(aws::describe_subnets{target->vpc});
    }
}

// Where the VPC delivers what the interface has not been given.
void ask_about_addresses(question_list& ask, const evidence& known, const config::router& router,
                         const takeover::floating_interface& wanted)
{
    const auto found = floating_interface(wanted, known);
    if (!found) {
        return;
    }
    for (const auto& address : addresses_not_given(router, wanted, *found)) {
        ask.ask(by_address(address, found->vpc));
        ask.ask(aws::describe_subnets{found->vpc});
    }
}

void ask_about(question_list& ask, const evidence& known, const config::router& router, const takeover::wanted_resource& wanted)
{
    ask.ask(wanted.query);
    const auto ask_about_target = [&](const aws::network_interface_id& id) {
        ask.ask(by_id(id));
        const auto target = known.answers.interface(id);
        if (target && !target->vpc.empty()) {
            ask.ask(aws::describe_subnets{target->vpc});
        }
    };
    std::visit(overloaded{
                   [](const takeover::route_in_table&) {},
                   [&](const takeover::secondary_address& a) {
                       ask_about_target(a.target);
                       if (const auto target = known.answers.interface(a.target)) {
                           ask.ask(by_address(a.address, target->vpc));
                       }
                       ask_about_room(ask, known);
                   },
                   [&](const takeover::elastic_ip& e) { ask_about_target(e.target); },
                   [&](const takeover::floating_interface& f) {
                       ask_about_room(ask, known);
                       ask_about_addresses(ask, known, router, f);
                       // Which device indices are taken.
                       for (const auto& own : known.identity()->interfaces) {
                           ask.ask(by_id(own.id));
                       }
                   },
               },
               wanted.what);
}

// What a change is authorised on, for people.
std::string subject_of(const aws::ec2_call& call)
{
    return std::visit(
        overloaded{
            [](const aws::replace_route& c) { return c.table.str(); },
            [](const aws::create_route& c) { return c.table.str(); },
            [](const aws::attach_network_interface& c) { return fmt::format("{} at {}", c.interface.str(), c.instance.str()); },
            [](const aws::detach_network_interface& c) { return c.attachment.str(); },
            [](const aws::associate_address& c) { return fmt::format("{} at {}", c.allocation.str(), c.interface.str()); },
            [](const auto& c) {
                if constexpr (requires { c.interface; }) {
                    return c.interface.str();
                } else {
                    return std::string("*");
                }
            },
        },
        call);
}

}  // namespace

result<std::vector<aws::route_table>> tables_for(const takeover::table_query& query, const evidence& known)
{
    auto tables = known.answers.tables(query);
    if (tables && !query.by_id()) {
        std::erase_if(*tables, [](const aws::route_table& t) { return t.of_gateway; });
    }
    return tables;
}

result<aws::network_interface> floating_interface(const takeover::floating_interface& wanted, const evidence& known)
{
    auto found = known.answers.interfaces(wanted.match);
    if (!found) {
        return found.error();
    }
    if (found->size() != 1) {
        std::string ids;
        for (const auto& one : *found) {
            ids += (ids.empty() ? ": " : ", ") + one.id.str();
        }
        return error{found->empty() ? error_class::not_found : error_class::out_of_range,
                     found->empty() ? std::string("there is no such interface")
                                    : fmt::format("there are {} of them{}", found->size(), ids)};
    }
    return std::move(found->front());
}

std::vector<ip_address> addresses_not_given(const config::router& router, const takeover::floating_interface& wanted,
                                            const aws::network_interface& found)
{
    const auto is_it = [&](const config::eni_entry& e) {
        return e.match.id == wanted.match.id && e.match.address == wanted.match.address && e.match.tags == wanted.match.tags;
    };
    const auto entry = std::ranges::find_if(router.enis, is_it);
    std::vector<ip_address> missing;
    if (entry == router.enis.end()) {
        return missing;
    }
    for (const auto& address : entry->addresses) {
        const bool is_given = std::ranges::find(found.addresses, address) != found.addresses.end();
        const bool is_assigned = std::ranges::any_of(router.secondary_ips, [&](const config::secondary_ip_entry& s) {
            return s.address == address && s.interface_id == found.id;
        });
        const bool is_routed = std::ranges::any_of(router.routes, [&](const config::route_entry& r) {
            const auto* const prefix = std::get_if<ip_prefix>(&r.destination.value);
            // What is in a prefix list is not known.
            return r.interface_id == found.id && (prefix == nullptr || prefix->contains(address));
        });
        if (!is_given && !is_assigned && !is_routed) {
            missing.push_back(address);
        }
    }
    return missing;
}

std::vector<aws::ec2_call> changes_of(const takeover::wanted_route& route, const evidence& known)
{
    std::vector<aws::ec2_call> calls;
    if (const auto tables = tables_for(route.query, known)) {
        for (const auto& table : *tables) {
            calls.emplace_back(aws::replace_route{table.id, route.destination, route.target});
            calls.emplace_back(aws::create_route{table.id, route.destination, route.target});
        }
    }
    return calls;
}

std::vector<aws::ec2_call> changes_of(const takeover::wanted_resource& wanted, const evidence& known)
{
    using calls = std::vector<aws::ec2_call>;
    return std::visit(
        overloaded{
            [](const takeover::route_in_table&) { return calls{}; },
            [&](const takeover::secondary_address& a) {
                if (a.address.is_v4()) {
                    return calls{aws::assign_private_ip_address{a.target, a.address}};
                }
                return calls{aws::unassign_ipv6_address{a.target, a.address}, aws::assign_ipv6_address{a.target, a.address}};
            },
            [](const takeover::elastic_ip& e) {
                return calls{aws::associate_address{e.allocation, e.target, e.private_address}};
            },
            [&](const takeover::floating_interface& f) {
                calls all;
                const auto found = floating_interface(f, known);
                if (!found) {
                    return all;
                }
                all.emplace_back(aws::attach_network_interface{found->id, f.instance, f.device_index.value_or(1)});
                if (found->attachment) {
                    all.emplace_back(aws::detach_network_interface{found->attachment->id});
                    all.emplace_back(aws::keep_on_termination{found->id, found->attachment->id});
                }
                return all;
            },
        },
        wanted.what);
}

std::vector<aws::ec2_call> changes_of(const config::router& router, const evidence& known)
{
    std::vector<aws::ec2_call> all;
    const auto add = [&](std::vector<aws::ec2_call>&& calls) { std::ranges::move(calls, std::back_inserter(all)); };
    const auto resolved = known.resolve(router);
    for (const auto& route : resolved.wanted.routes) {
        add(changes_of(route, known));
    }
    for (const auto& other : resolved.wanted.others) {
        add(changes_of(other, known));
    }
    for (const auto& [interface, may_disable] : resolved.wanted.disable_source_dest_check) {
        if (may_disable) {
            all.emplace_back(aws::disable_source_dest_check{interface});
        }
    }
    return all;
}

std::vector<permission> permissions_of(const evidence& known)
{
    std::vector<permission> all;
    std::map<std::string, std::set<std::string>> subjects;  // by action
    for (const auto& router : known.configuration->routers) {
        for (const auto& change : changes_of(router, known)) {
            permission wanted{std::string{aws::action_name(change)}, subject_of(change), aws::dry_run_of(change)};
            auto& seen = subjects[wanted.action];
            if (seen.insert(wanted.subject).second) {
                wanted.left_out = seen.size() > dry_runs_of_action_max;
                all.push_back(std::move(wanted));
            }
        }
    }
    return all;
}

std::vector<aws::ec2_call> next_questions(const evidence& known)
{
    question_list ask{known};
    for (const auto& router : known.configuration->routers) {
        if (!router.moves_in_cloud()) {
            continue;
        }
        const auto resolved = known.resolve(router);
        for (const auto& route : resolved.wanted.routes) {
            ask_about(ask, known, route);
        }
        for (const auto& other : resolved.wanted.others) {
            ask_about(ask, known, router, other);
        }
        ask_about_peers(ask, known, router);
    }
    for (const auto& wanted : permissions_of(known)) {
        if (wanted.question && !wanted.left_out) {
            ask.ask(*wanted.question);
        }
    }
    return ask.take();
}

}  // namespace vipd::doctor
