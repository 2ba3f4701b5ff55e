#include "agent/cli/doctor_report.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace vipd::cli {

namespace {

doctor::report sample()
{
    doctor::section node{"node", {}};
    node.ok("clock", "as EC2's");
    node.warn("interface ens5", "it is down", "`ip link set ens5 up`");
    doctor::section router{"router web", {}};
    router.fail("route 10.0.1.100/32", "inside of vpc-1", std::string(120, 'x'));
    router.skip("peer 10.0.2.10", "no answer in time");
    return {node, router};
}

TEST(doctor_report, has_a_line_for_each_finding_and_the_remedy_behind_or_under_it)
{
    const auto printed = doctor_report(sample(), false);
    EXPECT_EQ(printed.out,
              "node\n"
              "  ok       clock           as EC2's\n"
              "  warn     interface ens5  it is down -> `ip link set ens5 up`\n"
              "router web\n"
              "  FAIL     route 10.0.1.100/32  inside of vpc-1\n"
              "           -> " +
                  std::string(120, 'x') +
                  "\n"
                  "  skipped  peer 10.0.2.10       no answer in time\n"
                  "1 ok, 1 warning, 1 failed, 1 skipped\n");
    EXPECT_EQ(printed.err, "");
    EXPECT_EQ(printed.exit_code, exit_failure);
}

TEST(doctor_report, ends_with_success_when_nothing_has_failed)
{
    auto report = sample();
    report.pop_back();
    EXPECT_EQ(doctor_report(report, false).exit_code, exit_success);
    EXPECT_EQ(doctor_report(report, true).exit_code, exit_success);
}

TEST(doctor_report, is_json_for_programs)
{
    const auto printed = doctor_report(sample(), true);
    EXPECT_EQ(printed.exit_code, exit_failure);
    const auto document = boost::json::parse(printed.out);
    EXPECT_EQ(document.at("failed"), 1);
    EXPECT_EQ(document.at("skipped"), 1);
    const auto& found = document.at("sections").at(1).at("findings").at(0);
    EXPECT_EQ(found.at("verdict"), "fail");
    EXPECT_EQ(found.at("check"), "route 10.0.1.100/32");
    EXPECT_EQ(found.at("remedy").as_string(), std::string(120, 'x'));
}

TEST(doctor_report, what_is_found_cannot_redraw_the_terminal)
{
    doctor::section node{"node", {}};
    node.ok("clock", "\x1b[2Jas EC2's");
    EXPECT_EQ(doctor_report({node}, false).out.find('\x1b'), std::string::npos);
}

}  // namespace

}  // namespace vipd::cli
