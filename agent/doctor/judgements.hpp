#pragma once

// What the evidence means: one section for the node, one for AWS, one for each router. Functions of the evidence alone.

#include "agent/doctor/evidence.hpp"
#include "agent/doctor/finding.hpp"
#include "agent/doctor/holdings.hpp"
#include "agent/takeover/desired.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vipd::doctor {

section judge_node(const evidence& known);
section judge_aws(const evidence& known);
section judge_router(const evidence& known, const config::router& router);

// In the order in which they are read: what is wrong with the node explains what is wrong with AWS, and that the routers.
report judge(const evidence& known);

// --- parts ---

// Whether the router's groups, and its peers', let protocol 112 pass, both ways.
void judge_peers(const evidence& known, const config::router& router, section& out);
// Routes, addresses, Elastic IPs and interfaces that are moved.
void judge_moves(const evidence& known, const config::router& router, section& out);
// Of those, one interface.
void judge_interface(const evidence& known, const config::router& router, const takeover::floating_interface& floating,
                     const holdings& all, section& out);
// The links that the configuration names.
void judge_links(const evidence& known, section& out);
// What EC2 says that this node may do.
void judge_permissions(const evidence& known, section& out);

// What is said where EC2 does not let doctor read something that a daemon would not need.
inline constexpr const char* with_doctor_remedy =
    "for doctor alone: `vipd iam-policy --with-doctor` prints what it reads; a daemon does not need it";
// That, where EC2 has refused it; else nothing.
std::string_view remedy_of(const error& e);

// How many interfaces and addresses this instance takes.
result<aws::instance_type_limits> limits_of_type(const evidence& known);

// "10.0.1.0/24, 10.0.2.0/24"
template <class Each>
std::string listed(const std::vector<Each>& prefixes_or_addresses)
{
    std::string text;
    for (const auto& one : prefixes_or_addresses) {
        text += (text.empty() ? "" : ", ") + one.to_string();
    }
    return text;
}

}  // namespace vipd::doctor
