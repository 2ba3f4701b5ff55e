#include "agent/node/reload_rules.hpp"

#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;

struct reload_case {
    const char* name;
    std::function<void(config::configuration&)> edit;
    const char* named_in_refusal;  // null when it is applied
    session_kind session = session_kind::without_identity;
};

class reload_rules : public testing::TestWithParam<reload_case> {};

TEST_P(reload_rules, decide)
{
    const auto old = test::node_harness::one_router();
    auto next = *old;
    GetParam().edit(next);
    const auto verdict = check_reload(*old, next, GetParam().session);
    if (GetParam().named_in_refusal == nullptr) {
        EXPECT_TRUE(verdict) << verdict.error().text;
    } else {
        ASSERT_FALSE(verdict);
        EXPECT_NE(verdict.error().text.find(GetParam().named_in_refusal), std::string::npos) << verdict.error().text;
        EXPECT_NE(verdict.error().text.find("restart"), std::string::npos) << "the remedy";
    }
}

INSTANTIATE_TEST_SUITE_P(
    edits, reload_rules,
    testing::Values(reload_case{"nothing", [](auto&) {}, nullptr},
                    reload_case{"priority", [](auto& c) { c.routers[0].priority = 7; }, nullptr},
                    reload_case{"router_added", [](auto& c) { c.routers.push_back(c.routers[0]); }, nullptr},
                    reload_case{"reconcile_period", [](auto& c) { c.aws.reconcile_period = 30s; }, nullptr},
                    reload_case{"routes_dropped", [](auto& c) { c.routers[0].routes.clear(); }, nullptr},
                    reload_case{"listener", [](auto& c) { c.http.listen.clear(); }, "[http]"},
                    reload_case{"realtime", [](auto& c) { c.realtime = true; }, "realtime"},
                    reload_case{"log", [](auto& c) { c.log.debug = true; }, "[log]"},
                    reload_case{"region", [](auto& c) { c.aws.region = "us-east-1"; }, "[aws]"},
                    reload_case{"identity", [](auto& c) { c.routers[0].routes[0].interface_id.reset(); }, "interface_id"},
                    reload_case{"identity_that_was_asked_for", [](auto& c) { c.routers[0].routes[0].interface_id.reset(); },
                                nullptr, session_kind::with_identity},
                    reload_case{"identity_for_the_first_session", [](auto& c) { c.routers[0].routes[0].interface_id.reset(); },
                                nullptr, session_kind::none}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace vipd::node
