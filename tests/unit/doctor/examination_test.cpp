#include "agent/cli/iam_policy.hpp"
#include "tests/unit/doctor/doctor_fixture.hpp"

#include <gmock/gmock.h>

namespace vipd::doctor {

namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(doctor_test, a_healthy_node_has_nothing_to_complain_of)
{
    examine();
    EXPECT_FALSE(has_failed(result_)) << text();
    EXPECT_THAT(all(verdict::warn), IsEmpty()) << text();
    EXPECT_THAT(all(verdict::skipped), IsEmpty()) << text();
    EXPECT_EQ(expect(verdict::ok, "capabilities").found, "root has CAP_NET_RAW and CAP_NET_ADMIN");
    EXPECT_EQ(expect(verdict::ok, "interface ens5").found, "up, 10.0.1.10/24");
    EXPECT_EQ(expect(verdict::ok, "metadata service").found,
              "i-0aaaaaaaaaaaaaaa1 (t3.micro) in eu-west-1a, account 123456789012, 1 interface");
    EXPECT_THAT(expect(verdict::ok, "credentials").found, HasSubstr("from instance_role, until "));
    EXPECT_THAT(expect(verdict::ok, "EC2 endpoint").found, HasSubstr("https://ec2.eu-west-1.amazonaws.com"));
    EXPECT_EQ(expect(verdict::ok, "path to EC2").found, "from 10.0.1.10 to 10.0.0.100, which does not move");
    EXPECT_EQ(expect(verdict::ok, "clock").found, "as EC2's");
    EXPECT_EQ(expect(verdict::ok, "ec2:ReplaceRoute").found,
              "allowed on rtb-0aaaaaaaaaaaaaaa1, rtb-0aaaaaaaaaaaaaaa2, rtb-0aaaaaaaaaaaaaaa3 (dry run)");
    EXPECT_EQ(expect(verdict::ok, "source").found, "adverts come from 10.0.1.10");
    EXPECT_EQ(expect(verdict::ok, "peer 10.0.2.10").found,
              "protocol 112 passes both ways (sg-0aaaaaaaaaaaaaaa1 here, sg-0aaaaaaaaaaaaaaa1 there)");
    EXPECT_EQ(expect(verdict::ok, "source/destination check").found, "off at eni-0aaaaaaaaaaaaaaa1");
    EXPECT_LT(took, 3s);
}

TEST_F(doctor_test, nothing_leaves_that_could_change_anything)
{
    moves +=
        "source_dest_check = \"disable\"\n\n[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n\n"
        "[[router.elastic_ip]]\nallocation = \"eipalloc-0aaaaaaaaaaaaaaa1\"\n\n"
        "[[router.eni]]\nmatch = { id = \"eni-0aaaaaaaaaaaaaaa9\" }\n";
    allow({"*"});
    examine();
    ASSERT_FALSE(bodies.empty());
    EXPECT_THAT(bodies, Each(::testing::AnyOf(HasSubstr("Action=Describe"), HasSubstr("&DryRun=true"))));
    for (const auto* action :
         {"ReplaceRoute", "CreateRoute", "ModifyNetworkInterfaceAttribute", "AssociateAddress", "AttachNetworkInterface"}) {
        EXPECT_THAT(bodies, ::testing::Contains(AllOf(HasSubstr(action), HasSubstr("DryRun=true")))) << action;
    }
    EXPECT_FALSE(cloud_->poll_change().has_value());
    EXPECT_FALSE(cloud_->poll_movement().has_value());
}

TEST_F(doctor_test, names_the_permission_that_is_missing)
{
    allow({"ec2:Describe*", "ec2:ReplaceRoute"});
    examine();
    const auto denied = expect(verdict::fail, "ec2:CreateRoute");
    EXPECT_EQ(denied.found,
              "denied on rtb-0aaaaaaaaaaaaaaa1, rtb-0aaaaaaaaaaaaaaa2, rtb-0aaaaaaaaaaaaaaa3 to "
              "arn:aws:iam::123456789012:role/vipd (UnauthorizedOperation)");
    EXPECT_THAT(denied.remedy, HasSubstr("vipd iam-policy --config"));
    EXPECT_THAT(all(verdict::fail), SizeIs(1)) << text();
    expect(verdict::ok, "ec2:ReplaceRoute");
}

TEST_F(doctor_test, a_permission_may_reach_some_tables_only)
{
    allow({"ec2:Describe*", "ec2:ReplaceRoute"});
    auto& statements = topology.at("policies").as_object().at("role/vipd").as_array();
    statements.push_back(boost::json::object{
        {"effect", "allow"}, {"actions", boost::json::array{"ec2:CreateRoute"}}, {"resources", boost::json::array{table_a}}});
    examine();
    EXPECT_EQ(expect(verdict::ok, "ec2:CreateRoute").found, "allowed on rtb-0aaaaaaaaaaaaaaa2 (dry run)");
    EXPECT_THAT(expect(verdict::fail, "ec2:CreateRoute").found,
                HasSubstr("denied on rtb-0aaaaaaaaaaaaaaa1, rtb-0aaaaaaaaaaaaaaa3"));
}

TEST_F(doctor_test, a_describe_that_a_daemon_needs_is_a_failure_and_one_of_its_own_is_not)
{
    allow({"ec2:DescribeRouteTables", "ec2:ReplaceRoute", "ec2:CreateRoute"});
    examine();
    EXPECT_THAT(expect(verdict::fail, "ec2:DescribeNetworkInterfaces").remedy, HasSubstr("vipd iam-policy"));

    allow({"ec2:DescribeRouteTables", "ec2:DescribeNetworkInterfaces", "ec2:ReplaceRoute", "ec2:CreateRoute"});
    examine();
    EXPECT_FALSE(has_failed(result_)) << text();
    EXPECT_THAT(expect(verdict::skipped, "ec2:DescribeVpcs").remedy, HasSubstr("--with-doctor"));
    EXPECT_THAT(expect(verdict::skipped, "peer 10.0.2.10").found, HasSubstr("its security groups are not known"));
    EXPECT_THAT(expect(verdict::skipped, "route 172.16.1.100/32").found, HasSubstr("whether it lies outside of"));
}

TEST_F(doctor_test, a_table_is_asked_about_once_and_of_many_only_so_many_as_throttling_bears)
{
    moves += "\n[[router.route]]\ndestination = \"172.16.1.101/32\"\ntables = { vpc = true }\n";
    for (unsigned i = 10; i < 40; ++i) {
        topology.at("route_tables")
            .as_array()
            .push_back(
                boost::json::object{{"id", "rtb-0bbbbbbbbbbbbbb" + std::to_string(i)}, {"vpc", "vpc-0aaaaaaaaaaaaaaa1"}});
    }
    examine();
    const auto of_action = [](std::string_view action) {
        return [action](const std::string& body) { return body.find(action) != std::string::npos; };
    };
    EXPECT_EQ(std::ranges::count_if(bodies, of_action("Action=ReplaceRoute")), 20);
    EXPECT_THAT(expect(verdict::skipped, "ec2:ReplaceRoute").found, HasSubstr("13 more were not asked about"));
    EXPECT_THAT(expect(verdict::ok, "ec2:ReplaceRoute").found, HasSubstr("rtb-0bbbbbbbbbbbbbb12 and 14 more (dry run)"));
}

TEST_F(doctor_test, what_has_no_dry_run_is_said_plainly)
{
    peers = peer_in_subnet;
    moves = "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n";
    examine();
    EXPECT_THAT(expect(verdict::skipped, "ec2:AssignPrivateIpAddresses").found, HasSubstr("EC2 has no dry run of it"));
    EXPECT_FALSE(has_failed(result_)) << text();
}

TEST_F(doctor_test, the_policy_that_vipd_prints_allows_everything_that_is_asked)
{
    peers = peer_in_subnet;
    moves +=
        "source_dest_check = \"disable\"\n\n[[router.elastic_ip]]\nallocation = \"eipalloc-0aaaaaaaaaaaaaaa1\"\n"
        "private_address = \"10.0.1.100\"\n\n[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n\n"
        "[[router.eni]]\nmatch = { tags = { Name = \"floating\" } }\n";
    for (const bool with_doctor : {true, false}) {
        const auto policy = cli::iam_policy(
            configuration(), {.account = "123456789012", .region = "eu-west-1", .vpc = {}, .with_doctor = with_doctor});
        topology.at("policies").as_object()["role/vipd"] = boost::json::parse(policy.out);
        examine();
        EXPECT_FALSE(has_failed(result_)) << text();
        for (const auto* action :
             {"ReplaceRoute", "CreateRoute", "ModifyNetworkInterfaceAttribute", "AssociateAddress", "AttachNetworkInterface"}) {
            expect(verdict::ok, std::string("ec2:") + action);
        }
        const auto skipped = all(verdict::skipped);
        EXPECT_EQ(std::ranges::any_of(skipped, [](const finding& f) { return f.remedy == with_doctor_remedy; }), !with_doctor)
            << text();
    }
}

TEST_F(doctor_test, the_policy_for_a_vpc_lets_an_interface_that_is_found_by_tags_or_address_move_there_alone)
{
    peers = peer_in_subnet;
    for (const std::string match : {R"({ tags = { Name = "floating" } })", R"({ address = "10.0.1.50" })"}) {
        moves = "[[router.eni]]\nmatch = " + match + "\n";
        for (const bool is_own : {true, false}) {
            const std::string vpc = is_own ? "vpc-0aaaaaaaaaaaaaaa1" : "vpc-0bbbbbbbbbbbbbbb1";
            const auto policy = cli::iam_policy(
                configuration(), {.account = "123456789012", .region = "eu-west-1", .vpc = vpc, .with_doctor = true});
            topology.at("policies").as_object()["role/vipd"] = boost::json::parse(policy.out);
            examine();
            expect(is_own ? verdict::ok : verdict::fail, "ec2:AttachNetworkInterface");
        }
    }
}

TEST_F(doctor_test, an_endpoint_that_does_it_in_spite_of_dry_run_is_found_out)
{
    ec2_instead = [](const std::string& body) -> std::optional<aws::http_response> {
        if (body.find("Action=CreateRoute") == std::string::npos) {
            return std::nullopt;
        }
        return aws::http_response{
            200, {{"Content-Type", "text/xml"}}, "<CreateRouteResponse><return>true</return></CreateRouteResponse>"};
    };
    examine();
    EXPECT_THAT(expect(verdict::fail, "ec2:CreateRoute").remedy, HasSubstr("this is not EC2"));
}

TEST_F(doctor_test, without_the_metadata_service_nothing_waits_for_ever)
{
    imds_answers = false;
    examine();
    const auto missing = expect(verdict::fail, "metadata service");
    EXPECT_THAT(missing.found, HasSubstr("it has not said who this instance is: "));
    EXPECT_THAT(missing.remedy, HasSubstr("hop limit of 2"));
    EXPECT_THAT(expect(verdict::fail, "credentials").remedy, HasSubstr("instance profile"));
    EXPECT_THAT(expect(verdict::skipped, "route 172.16.1.100/32").found, HasSubstr("metadata service has not said"));
    EXPECT_LE(took, session_wait_max + 1s);
}

TEST_F(doctor_test, an_endpoint_that_is_out_of_reach_is_one_failure_and_everything_else_is_skipped)
{
    ec2_answers = false;
    examine();
    const auto unreachable = expect(verdict::fail, "EC2 endpoint");
    EXPECT_THAT(unreachable.found, HasSubstr("did not answer"));
    EXPECT_THAT(unreachable.remedy, HasSubstr("TCP 443"));
    EXPECT_THAT(all(verdict::fail), SizeIs(1)) << text();
    expect(verdict::skipped, "clock");
    EXPECT_THAT(expect(verdict::skipped, "peer 10.0.2.10").found, HasSubstr("EC2 was not reached"));
    EXPECT_LE(took, examination_max);
}

TEST_F(doctor_test, everything_ends_when_the_time_is_over)
{
    path.reset();
    examine();
    EXPECT_EQ(took, examination_max);
    // What was answered is judged all the same.
    expect(verdict::ok, "ec2:ReplaceRoute");
}

TEST_F(doctor_test, a_throttled_question_is_asked_again)
{
    unsigned refused = 0;
    ec2_instead = [&](const std::string& body) -> std::optional<aws::http_response> {
        if (body.find("Action=DescribeVpcs") == std::string::npos || ++refused > 2) {
            return std::nullopt;
        }
        return aws::http_response{503,
                                  {{"Content-Type", "text/xml"}},
                                  "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow down</Message>"
                                  "</Error></Errors><RequestID>r-1</RequestID></Response>"};
    };
    examine();
    EXPECT_EQ(refused, 3U);
    EXPECT_THAT(expect(verdict::ok, "route 172.16.1.100/32").found, HasSubstr("outside of vpc-0aaaaaaaaaaaaaaa1"));
}

TEST_F(doctor_test, a_clock_that_is_wrong_is_told_by_how_much)
{
    struct row {
        duration offset;
        verdict what;
        const char* found;
    };
    for (const auto& [offset, what, found] :
         {row{40s, verdict::warn, "40 s behind EC2's"}, row{-40s, verdict::warn, "40 s ahead of EC2's"},
          row{10s, verdict::ok, "10 s behind EC2's"},
          row{400s, verdict::fail, "400 s behind EC2's, which refuses signatures of such a clock"}}) {
        clock_offset = offset;
        examine();
        const auto clock = expect(what, "clock");
        EXPECT_EQ(clock.found, found);
        EXPECT_EQ(clock.remedy.empty(), what == verdict::ok) << clock.remedy;
    }
}

TEST_F(doctor_test, a_path_that_begins_at_the_moving_address_is_a_failure)
{
    path = path_to_endpoint{{ip_address::v4(10, 0, 0, 100)}, ip_address::v4(172, 16, 1, 100)};
    examine();
    const auto wrong = expect(verdict::fail, "path to EC2");
    EXPECT_THAT(wrong.found, HasSubstr("172.16.1.100 is an address that vipd moves"));
    EXPECT_THAT(wrong.remedy, HasSubstr("ip route"));

    path = error{error_class::not_found, "ec2.eu-west-1.amazonaws.com has no address"};
    examine();
    EXPECT_EQ(expect(verdict::fail, "path to EC2").found, "ec2.eu-west-1.amazonaws.com has no address");
}

TEST_F(doctor_test, a_configuration_without_aws_asks_nobody)
{
    moves = "[[router.address]]\naddress = \"172.16.1.100/32\"\n";
    examine();
    EXPECT_THAT(bodies, IsEmpty());
    EXPECT_THAT(result_, SizeIs(2));
    EXPECT_EQ(took, 0s);
    EXPECT_FALSE(has_failed(result_)) << text();
}

// --- the node ---

TEST_F(doctor_test, rights_are_a_warning_because_they_are_of_who_runs_doctor)
{
    rights = {"admin", false, false};
    examine();
    const auto missing = expect(verdict::warn, "capabilities");
    EXPECT_EQ(missing.found, "admin, who runs this, has not CAP_NET_RAW and CAP_NET_ADMIN");
    EXPECT_THAT(missing.remedy, HasSubstr("vipd.service"));
    rights = {"admin", true, false};
    examine();
    EXPECT_THAT(expect(verdict::warn, "capabilities").found, HasSubstr("CAP_NET_ADMIN, which addresses"));
}

TEST_F(doctor_test, an_interface_has_to_be_there_up_and_with_an_address)
{
    const auto whole = kernel;
    kernel = {whole[0], whole[1]};
    examine();
    EXPECT_EQ(expect(verdict::fail, "interface ens5").found, "this node has no such interface, but lo");
    EXPECT_THAT(expect(verdict::fail, "source").found, HasSubstr("ens5 has no address"));
    EXPECT_THAT(expect(verdict::fail, "route 172.16.1.100/32").found, HasSubstr("there is no interface 'ens5'"));

    kernel = {whole[0], net::link_seen{{2, "ens5", "02:00:00:00:01:10", false, false}}, whole[3]};
    examine();
    EXPECT_EQ(expect(verdict::fail, "interface ens5").remedy, "`ip link set ens5 up`");

    kernel = {whole[0], net::link_seen{{2, "ens5", "02:00:00:00:01:10", true, false}}, whole[3]};
    examine();
    EXPECT_EQ(expect(verdict::fail, "interface ens5").found, "it is up, and has no carrier");

    kernel = {whole[0], whole[2]};
    examine();
    EXPECT_EQ(expect(verdict::fail, "interface ens5").found, "it is up, and has no address");
}

TEST_F(doctor_test, a_source_that_ec2_does_not_know_is_a_failure)
{
    kernel.emplace_back(net::address_seen{{2, *ip_prefix::parse("10.0.1.99/24"), false}});
    router_keys = "source = \"10.0.1.99\"";
    examine();
    EXPECT_THAT(expect(verdict::fail, "source").found, HasSubstr("a VPC drops what comes from it"));

    router_keys = "source = \"10.0.1.98\"";
    examine();
    EXPECT_THAT(expect(verdict::fail, "source").found, HasSubstr("10.0.1.98, which adverts come from, is not on this node"));

    kernel.emplace_back(net::address_seen{{2, *ip_prefix::parse("10.0.1.98/24"), true}});
    examine();
    EXPECT_THAT(expect(verdict::fail, "source").found, HasSubstr("10.0.1.98, which adverts come from, is tentative"));

    kernel.back() = net::address_seen{{2, *ip_prefix::parse("10.0.1.98/24"), true, true}};
    examine();
    EXPECT_THAT(expect(verdict::fail, "source").found,
                HasSubstr("10.0.1.98, which adverts come from, is another node's as well"));
}

TEST_F(doctor_test, a_source_in_a_tunnel_is_no_business_of_the_vpc)
{
    kernel.emplace_back(net::link_seen{{3, "wg0", "", true, true}});
    kernel.emplace_back(net::address_seen{{3, *ip_prefix::parse("10.9.0.1/24"), false}});
    router_keys = "source = \"10.9.0.1\"";
    examine();
    EXPECT_EQ(expect(verdict::ok, "source").found, "adverts come from 10.9.0.1");
}

TEST_F(doctor_test, a_daemon_that_runs_tells_what_it_hears)
{
    const auto seen = [&](const char* state, std::optional<double> age, bool blocked) {
        daemon.runs = true;
        daemon.routers = {{"web", state, {{ip_address::v4(10, 0, 2, 10), age, blocked}}}};
        examine();
    };
    seen("Active", std::nullopt, false);
    EXPECT_EQ(expect(verdict::ok, "daemon").found, "one is running here, with 1 router");
    EXPECT_THAT(expect(verdict::ok, "adverts").found, HasSubstr("only an Active sends; no peer has been heard yet"));
    seen("Backup", 0.2, false);
    EXPECT_EQ(expect(verdict::ok, "adverts").found, "the daemon is Backup; last heard 10.0.2.10 0.2 s ago");
    seen("Backup", std::nullopt, false);
    EXPECT_THAT(expect(verdict::warn, "adverts").remedy, HasSubstr("start vipd on the peers"));
    seen("Backup", 0.2, true);
    EXPECT_THAT(expect(verdict::fail, "adverts").remedy, HasSubstr("allow inbound IP protocol 112"));
    daemon.routers.front().name = "other";
    examine();
    EXPECT_THAT(expect(verdict::warn, "adverts").remedy, HasSubstr("vipd reload"));
    daemon.problem = "the socket is not open to this user";
    examine();
    EXPECT_EQ(expect(verdict::skipped, "daemon").found, "the socket is not open to this user");
}

TEST_F(doctor_test, a_daemon_that_takes_no_part_would_not_take_over)
{
    daemon.runs = true;
    daemon.maintenance = true;
    daemon.routers = {{"web", "Initialize", {{ip_address::v4(10, 0, 2, 10), 86400.0, false}}, "maintenance is on"}};
    examine();
    const auto wanted = expect(verdict::warn, "election");
    EXPECT_EQ(wanted.found, "the daemon is Initialize and takes no part, so it would not take over: maintenance is on");
    EXPECT_THAT(wanted.remedy, HasSubstr("vipd maintenance off"));
    expect_no(verdict::ok, "adverts");

    daemon.routers.front().peers.front().last_heard_age_seconds.reset();
    examine();
    expect(verdict::warn, "election");
    expect_no(verdict::warn, "adverts");

    daemon.maintenance = false;
    daemon.routers.front().state_reason = "tracker haproxy: connection refused";
    daemon.routers.front().failing_trackers = {{"haproxy", "connection refused", false}, {"load", "the file says 1", true}};
    examine();
    const auto failing = expect(verdict::fail, "election");
    EXPECT_THAT(failing.found, HasSubstr("it would not take over: tracker haproxy: connection refused"));
    EXPECT_THAT(failing.remedy, HasSubstr("vipd status"));
    expect_no(verdict::warn, "adverts");
    expect_no(verdict::warn, "tracker haproxy");
    EXPECT_EQ(expect(verdict::warn, "tracker load").found, "it is failing: the file says 1");

    daemon.routers.front().state = "Backup";
    examine();
    expect(verdict::warn, "tracker haproxy");
    expect_no(verdict::fail, "election");
}

TEST_F(doctor_test, a_backup_that_has_heard_nobody_for_long_is_kept_from_taking_over)
{
    const auto seen = [&](double heard_age, std::optional<double> state_age) {
        daemon.runs = true;
        daemon.routers = {{"web",
                           "Backup",
                           {{ip_address::v4(10, 0, 2, 10), heard_age, false}},
                           "waits for router 'back' of its sync group 'web'",
                           state_age,
                           3.6}};
        examine();
    };
    seen(86400, 90000);
    EXPECT_EQ(expect(verdict::warn, "adverts").found,
              "the daemon is Backup (waits for router 'back' of its sync group 'web'), and last heard 10.0.2.10 86400.0 s ago: "
              "a Backup takes over 3.6 s after the last advert");
    EXPECT_THAT(expect(verdict::warn, "adverts").remedy, HasSubstr("sync group"));
    seen(86400, std::nullopt);
    expect(verdict::warn, "adverts");
    seen(10, 90000);
    expect(verdict::ok, "adverts");
    seen(86400, 2);
    EXPECT_THAT(expect(verdict::ok, "adverts").found, HasSubstr("86400.0 s ago")) << "it was Active until now";
    router_keys = "startup_delay = \"60s\"";
    seen(60, 60);
    expect(verdict::ok, "adverts");
}

}  // namespace

}  // namespace vipd::doctor
