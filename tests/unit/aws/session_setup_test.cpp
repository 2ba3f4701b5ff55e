// How a session gets ready, and that it does so whatever fails on the way.

#include "tests/unit/aws/session_harness.hpp"

namespace vipd::aws {
namespace {

std::vector<std::string> targets(const harness& s)
{
    std::vector<std::string> out;
    for (const auto& exchange : s.asked) {
        out.push_back(exchange.request.method + " " + exchange.request.target);
    }
    return out;
}

session_settings no_identity()
{
    session_settings settings;
    settings.needs_identity = false;
    return settings;
}

TEST(session_setup, identity_region_and_role_come_from_imds_over_one_token)
{
    harness s;
    s.start();
    ASSERT_TRUE(s->ready());
    const auto& identity = s->identity();
    ASSERT_TRUE(identity.has_value());
    EXPECT_EQ(identity->region, "eu-west-1");
    EXPECT_EQ(identity->availability_zone, "eu-west-1a");
    EXPECT_EQ(identity->account, "111122223333");
    ASSERT_EQ(identity->interfaces.size(), 1U);
    EXPECT_EQ(identity->interfaces[0].mac, "06:00:00:00:00:01");
    EXPECT_EQ(identity->interfaces[0].id.str(), "eni-00000001");
    EXPECT_EQ(identity->interfaces[0].vpc.str(), "vpc-00000001");
    EXPECT_EQ(identity->interfaces[0].subnet, "subnet-00000001");
    EXPECT_EQ(identity->interfaces[0].addresses, (std::vector{ip_address::v4(10, 0, 1, 10), ip_address::v4(10, 0, 1, 11)}));
    EXPECT_EQ(s.identity_changes, 1U);
    const auto all = targets(s);
    EXPECT_EQ(std::ranges::count(all, "PUT /latest/api/token"), 1);
    EXPECT_EQ(all.size(), 12U);  // the token, nine for the identity, two for the role
    for (const auto& exchange : s.asked) {
        EXPECT_EQ(exchange.origin, (http_origin{false, "169.254.169.254", 80}));
        EXPECT_FALSE(exchange.mutating);
        EXPECT_LE(exchange.time_max, 1s);
        EXPECT_LE(exchange.connect_time_max, 250ms);
        EXPECT_LE(exchange.body_size_max, 64U << 10U);
    }
}

TEST(session_setup, with_region_and_keys_given_and_no_identity_wanted_imds_is_never_asked)
{
    harness s{region_only(), {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    s.start();
    s.run_for(24h);
    EXPECT_TRUE(s->ready());
    EXPECT_TRUE(s.asked.empty());
    EXPECT_TRUE(s.files_read.empty());
}

TEST(session_setup, an_unknown_region_is_asked_from_imds_even_when_no_identity_is_wanted)
{
    harness s{no_identity(), {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).region, "eu-west-1");
}

TEST(session_setup, the_shared_files_are_read_once_at_the_start)
{
    harness s{no_identity(), {{"HOME", "/home/me"}}};
    s.files["/home/me/.aws/config"] = "[default]\nregion = eu-north-1\n";
    s.files["/home/me/.aws/credentials"] = "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = secret-of-file\n";
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).endpoint, "https://ec2.eu-north-1.amazonaws.com");
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDFILE");
    EXPECT_EQ(s->snapshot(s.now).source, credential_source::profile);
    EXPECT_TRUE(s.asked.empty());
}

TEST(session_setup, keys_that_are_rotated_in_the_file_are_taken_over)
{
    harness s{region_only(), {{"HOME", "/h"}}};
    s.files["/h/.aws/credentials"] = "[default]\naws_access_key_id = OLD\naws_secret_access_key = x\n";
    s.start();
    s.files["/h/.aws/credentials"] = "[default]\naws_access_key_id = NEW\naws_secret_access_key = x\n";
    s.run_for(10min);
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "NEW");
    s.files.clear();
    s.run_for(10min);
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "NEW");
    EXPECT_NE(s->snapshot(s.now).last_error, "");
}

TEST(session_setup, a_profile_that_cannot_be_used_is_said_once_and_mended_when_the_file_is)
{
    auto settings = region_only();
    settings.profile = "web";
    harness s{settings, {{"HOME", "/h"}}};
    s.files["/h/.aws/config"] = "[profile web]\nsso_session = x\n";
    s.start();
    s.run_for(5min);
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("sso_session"), std::string::npos);
    EXPECT_EQ(s.log.count({"warning event=aws_settings"}), 1U);
    s.files["/h/.aws/config"] = "[profile web]\naws_access_key_id = A\naws_secret_access_key = B\n";
    s.run_for(2min);
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
}

constexpr const char* keys_of_file = "aws_access_key_id = A\naws_secret_access_key = B\n";

TEST(session_setup, a_region_that_is_mended_in_the_file_is_taken)
{
    for (const std::string mended : {"region = eu-north-1\n", ""}) {
        harness s{no_identity(), {{"HOME", "/h"}}};
        s.files["/h/.aws/config"] = std::string{"[default]\nregion = eu north 1\n"} + keys_of_file;
        s.start();
        s.run_for(5min);
        EXPECT_FALSE(s->ready());
        EXPECT_NE(s->snapshot(s.now).last_error.find("\"eu north 1\" is no region"), std::string::npos);
        EXPECT_EQ(s.log.count({"warning event=aws_settings"}), 1U);
        s.files["/h/.aws/config"] = "[default]\n" + mended + keys_of_file;
        s.run_for(61s);
        EXPECT_TRUE(s->ready()) << s->snapshot(s.now).last_error;
        EXPECT_EQ(s->snapshot(s.now).region, mended.empty() ? "eu-west-1" : "eu-north-1") << "IMDS has the last word only";
        EXPECT_EQ(s->snapshot(s.now).last_error, "");
    }
}

TEST(session_setup, a_file_that_could_not_be_used_names_the_region_once_it_is_mended)
{
    harness s{no_identity(), {{"HOME", "/h"}}};
    s.files["/h/.aws/config"] = "nonsense";
    s.start();
    s.run_for(5min);
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("/h/.aws/config:1"), std::string::npos);
    EXPECT_TRUE(s.warm.empty()) << "of a region that may be the wrong one";
    s.files["/h/.aws/config"] = std::string{"[default]\nregion = eu-north-1\n"} + keys_of_file;
    s.run_for(61s);
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).endpoint, "https://ec2.eu-north-1.amazonaws.com");
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "A");
}

TEST(session_setup, keys_of_the_environment_wait_for_no_file_that_cannot_be_used)
{
    harness s{no_identity(), {{"HOME", "/h"}, {"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    s.files["/h/.aws/config"] = "nonsense";
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).region, "eu-west-1");
}

TEST(session_setup, a_file_that_is_named_has_to_be_readable_and_the_default_one_has_not)
{
    harness s{region_only(), {{"HOME", "/h"}}};
    s.start();
    EXPECT_TRUE(s->ready());
    harness broken_file{region_only(), {{"AWS_CONFIG_FILE", "/c"}}};
    broken_file.files["/c"] = "nonsense";
    broken_file.start();
    EXPECT_FALSE(broken_file->ready());
    EXPECT_NE(broken_file->snapshot(broken_file.now).last_error.find("/c:1"), std::string::npos);
}

TEST(session_setup, an_endpoint_that_is_refused_is_explained_once)
{
    auto settings = region_only();
    settings.endpoint = "https://localhost:8443";
    settings.fips = true;
    harness s{settings, {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    s.start();
    s.run_for(10min);
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("together with FIPS"), std::string::npos);
    EXPECT_EQ(s.log.count({"aws_settings"}), 1U);
}

TEST(session_setup, two_endpoints_that_are_refused_are_each_explained_once)
{
    harness s{region_only(),
              {{"AWS_ENDPOINT_URL", "http://plain"}, {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "arn:x"}}};
    s.start();
    s.run_for(10min);
    EXPECT_FALSE(s->ready());
    EXPECT_EQ(s.log.count({"aws_settings"}), 2U);
    EXPECT_EQ(s.log.count({"aws_settings", "STS"}), 1U);
}

TEST(session_setup, endpoint_and_identity_are_logged_when_they_are_learnt)
{
    harness s;
    s.start();
    EXPECT_EQ(s.log.lines,
              (std::vector<std::string>{
                  "info event=credentials source=instance_role access_key_id=AKIDROLE expires=2026-01-01T06:00:00Z",
                  "info event=aws_endpoint region=eu-west-1 endpoint=https://ec2.eu-west-1.amazonaws.com",
                  "info event=identity instance=i-1 zone=eu-west-1a interfaces=1 source=imds",
              }));
}

TEST(session_setup, half_a_key_pair_in_the_environment_is_no_reason_to_go_on_to_the_role)
{
    harness s{region_only(), {{"AWS_ACCESS_KEY_ID", "A"}}};
    s.start();
    s.run_for(1min);
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
    EXPECT_TRUE(s.asked.empty());
}

TEST(session_setup, the_ipv6_address_of_imds_is_used_when_asked_for)
{
    harness s{{}, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}}};
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s.asked.at(0).origin, (http_origin{false, "fd00:ec2::254", 80}));
    EXPECT_EQ(find_header(s.asked.at(0).request.headers, "host"), "[fd00:ec2::254]");
}

TEST(session_setup, without_imds_and_with_a_need_for_it_the_remedy_is_named)
{
    auto settings = region_only();
    settings.needs_identity = true;
    harness s{settings, {{"AWS_EC2_METADATA_DISABLED", "true"}, {"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    s.start();
    s.run_for(1min);
    EXPECT_TRUE(s->ready());
    EXPECT_TRUE(s.asked.empty());
    EXPECT_NE(s->snapshot(s.now).last_error.find("interface_id"), std::string::npos);
}

// --- web identity and container ---

http_result sts_answer(const std::string& key)
{
    return answered(200,
                    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                    "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>" +
                        key +
                        "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                        "<Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                        "</AssumeRoleWithWebIdentityResponse>");
}

TEST(session_setup, a_web_identity_token_is_exchanged_at_sts_of_the_region_that_imds_names)
{
    harness s{{}, {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}}};
    s.files["/token"] = "jwt.part/two\n";
    std::vector<http_exchange> to_sts;
    s.intercept = [&](const http_exchange& exchange) -> std::optional<http_result> {
        if (!exchange.origin.tls) {
            return std::nullopt;
        }
        to_sts.push_back(exchange);
        return sts_answer("AKIDSTS");
    };
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDSTS");
    EXPECT_EQ(s->snapshot(s.now).source, credential_source::web_identity);
    ASSERT_EQ(to_sts.size(), 1U);
    EXPECT_EQ(to_sts[0].origin.host, "sts.eu-west-1.amazonaws.com");
    EXPECT_EQ(to_sts[0].request.body,
              "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
              "RoleSessionName=vipd&WebIdentityToken=jwt.part%2Ftwo");
    EXPECT_FALSE(find_header(to_sts[0].request.headers, "authorization").has_value());
    s.run_for(1h);
    EXPECT_GE(std::ranges::count(s.files_read, "/token"), 2);
}

// A profile that assumes a role with the instance's own.
struct role_session : harness {
    explicit role_session(const session_settings& settings = {}) :
        harness(settings, {{"AWS_CONFIG_FILE", "/config"}, {"AWS_PROFILE", "shared"}})
    {
        files["/config"] = "[profile shared]\nrole_arn = arn:aws:iam::1:role/routes\ncredential_source = Ec2InstanceMetadata\n";
        intercept = [this](const http_exchange& exchange) -> std::optional<http_result> {
            if (!exchange.origin.tls) {
                return std::nullopt;
            }
            to_sts.push_back(exchange);
            return assume_role_answer();
        };
    }

    // As AWS: a signature that is off by more than 15 minutes is refused, with the time.
    http_result assume_role_answer()
    {
        const auto date = find_header(to_sts.back().request.headers, "x-amz-date").value_or("");
        const bool in_time = date == format_amz_date(now.wall + servers_ahead);
        std::string of_role =
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIDASSUMED</AccessKeyId><SecretAccessKey>s"
            "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-02T00:00:00Z</Expiration></Credentials>"
            "</AssumeRoleResult></AssumeRoleResponse>";
        auto result = in_time ? answered(200, of_role, headers)
                              : answered(403,
                                         "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired"
                                         "</Message></Error></ErrorResponse>",
                                         headers);
        result.started = result.first_byte = result.finished = now.steady;
        return result;
    }

    duration servers_ahead{};
    std::vector<http_header> headers;
    std::vector<http_exchange> to_sts;
};

TEST(session_setup, a_role_is_assumed_with_the_instances_own_and_kept_fresh)
{
    role_session s;
    s.start();
    EXPECT_TRUE(s->ready());
    const auto snap = s->snapshot(s.now);
    EXPECT_EQ(snap.access_key_id, "AKIDASSUMED");
    EXPECT_EQ(snap.source, credential_source::assumed_role);
    EXPECT_EQ(snap.role_arn, "arn:aws:iam::1:role/routes");
    ASSERT_EQ(s.to_sts.size(), 1U);
    EXPECT_EQ(s.to_sts[0].origin.host, "sts.eu-west-1.amazonaws.com");
    EXPECT_NE(find_header(s.to_sts[0].request.headers, "authorization")->find("Credential=AKIDROLE/20260101/eu-west-1/sts/"),
              std::string_view::npos);
    EXPECT_EQ(s.log.count({"event=credentials", "source=assumed_role", "role=arn:aws:iam::1:role/routes"}), 1U);
    s.run_for(1h);
    EXPECT_EQ(s.to_sts.size(), 2U);
    for (const auto& line : s.log.lines) {
        EXPECT_EQ(line.find("secret"), std::string::npos) << line;
        EXPECT_EQ(line.find("token-of-role"), std::string::npos) << line;
    }
}

TEST(session_setup, a_clock_that_is_hours_off_is_learnt_from_the_refusal_of_sts)
{
    role_session s{region_only()};
    s.servers_ahead = 2h;
    s.headers = {{"Date", "Thu, 01 Jan 2026 02:00:00 GMT"}};
    s.start();
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("the profile \"shared\" cannot assume"), std::string::npos);
    EXPECT_EQ(s.log.count({"warning event=clock", "skew_ms=7200000"}), 1U);
    const auto pause = s->next_wakeup().at - s.now.steady;
    s.servers_ahead -= pause;  // its clock stands still, as its Date does
    s.run_for(pause);
    EXPECT_TRUE(s->ready()) << s->snapshot(s.now).last_error;
}

TEST(session_setup, the_container_endpoint_gets_the_token_of_its_file_read_each_time)
{
    harness s{region_only(),
              {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
               {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"},
               {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "ignored"}}};
    s.files["/token"] = "first\n";
    s.intercept = [](const http_exchange&) -> std::optional<http_result> {
        return answered(200,
                        R"({"AccessKeyId":"AKIDPOD","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T02:00:00Z"})");
    };
    s.start();
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).source, credential_source::container);
    EXPECT_EQ(find_header(s.asked.at(0).request.headers, "authorization"), "first");
    s.files["/token"] = "second";
    s.run_for(61min);
    EXPECT_EQ(find_header(s.asked.back().request.headers, "authorization"), "second");
}

// --- identity over time ---

TEST(session_setup, an_interface_that_appears_is_found_although_imds_lags_behind)
{
    harness s;
    s.start();
    s.run_for(1min);
    const auto before = s.asked.size();
    s->refresh_interfaces(s.now);
    s.drain();
    EXPECT_GT(s.asked.size(), before);
    EXPECT_EQ(s.identity_changes, 1U);
    const std::string macs = "/latest/meta-data/network/interfaces/macs/";
    s.imds[macs] = "06:00:00:00:00:01/\n06:00:00:00:00:02/\n";
    s.run_for(2s);
    EXPECT_EQ(s->identity()->interfaces.size(), 1U) << "it has no interface id yet";
    s.imds[macs + "06:00:00:00:00:02/interface-id"] = "eni-00000002";
    s.imds[macs + "06:00:00:00:00:02/vpc-id"] = "vpc-00000001";
    s.imds[macs + "06:00:00:00:00:02/subnet-id"] = "subnet-00000001";
    s.imds[macs + "06:00:00:00:00:02/ipv6s"] = "2001:db8::5";
    s.run_for(1min);
    ASSERT_EQ(s->identity()->interfaces.size(), 2U);
    EXPECT_EQ(s->identity()->interfaces[1].addresses, (std::vector{ip_address::parse("2001:db8::5").value()}));
    EXPECT_EQ(s.identity_changes, 2U);
}

TEST(session_setup, a_storm_of_link_changes_asks_imds_once_a_second_at_most)
{
    harness s;
    s.start();
    s.run_for(1min);
    const auto before = s.asked.size();
    for (int i = 0; i < 1000; ++i) {
        s->refresh_interfaces(s.now);
        s.drain();
        s.run_for(1ms);
    }
    EXPECT_LE(s.asked.size() - before, 3U * 7U);
}

TEST(session_setup, an_identity_once_known_survives_imds)
{
    harness s;
    s.start();
    s.imds_up = false;
    s->refresh_interfaces(s.now);
    s.run_for(10min);
    EXPECT_TRUE(s->identity().has_value());
    EXPECT_NE(s->snapshot(s.now).last_error, "");
    EXPECT_EQ(s.log.count({"event=imds", "failing"}), 1U);
    s.imds_up = true;
    s.run_for(1min);
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
    EXPECT_EQ(s.log.count({"event=imds", "answers"}), 1U);
    EXPECT_EQ(s.identity_changes, 1U);
}

TEST(session_setup, a_token_that_imds_forgot_is_renewed_once_for_the_question)
{
    harness s;
    s.start();
    const auto before = s.asked.size();
    s.imds_token = "token-2";
    s->refresh_interfaces(s.now);
    s.run_for(2s);
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
    EXPECT_EQ(s.asked.at(before).request.target, "/latest/dynamic/instance-identity/document");
    EXPECT_EQ(s.asked.at(before + 1).request.method, "PUT");
    EXPECT_EQ(s.asked.at(before + 2).request.target, "/latest/dynamic/instance-identity/document");
}

TEST(session_setup, version_one_of_imds_is_never_tried)
{
    for (const unsigned status : {403U, 404U, 405U}) {
        harness s;
        s.intercept = [&](const http_exchange& exchange) -> std::optional<http_result> {
            return exchange.request.method == "PUT" ? answered(status, "") : answered(200, "i-1");
        };
        s.start();
        s.run_for(30s);
        for (const auto& exchange : s.asked) {
            EXPECT_EQ(exchange.request.method, "PUT");
        }
        EXPECT_FALSE(s->ready());
    }
}

// --- every step fails in turn ---

struct failure_mode {
    const char* name;
    std::function<http_result()> result;
};

std::vector<failure_mode> failure_modes()
{
    return {
        {"refused", [] { return broken(false, error_class::unavailable); }},
        {"connect timeout", [] { return broken(false, error_class::timed_out); }},
        {"answer timeout", [] { return broken(true, error_class::timed_out); }},
        {"too large", [] { return broken(true, error_class::too_large); }},
        {"400", [] { return answered(400, ""); }},
        {"401", [] { return answered(401, ""); }},
        {"403", [] { return answered(403, ""); }},
        {"404", [] { return answered(404, "<html/>"); }},
        {"500", [] { return answered(500, "oops"); }},
        {"503", [] { return answered(503, ""); }},
        {"redirect",
         [] {
             return answered(302, "", {{"Location", "http://evil/"}});
         }},
        {"empty", [] { return answered(200, ""); }},
        {"garbage", [] { return answered(200, std::string("\0\xff{[<garbage\r\nX: y", 18)); }},
        {"deep", [] { return answered(200, std::string(50'000, '[')); }},
    };
}

// Lets exchange number `position`, and as many after it as `count` says, fail.
void fail_from(harness& s, std::size_t position, std::size_t count, const failure_mode& mode)
{
    const auto usual = s.intercept;
    s.intercept = [&s, position, count, mode, usual](const http_exchange& exchange) -> std::optional<http_result> {
        const auto number = s.asked.size() - 1;
        if (number >= position && number < position + count) {
            return mode.result();
        }
        return usual ? usual(exchange) : std::nullopt;
    };
}

TEST(session_setup, whatever_exchange_fails_and_however_the_session_gets_ready_by_itself)
{
    for (const auto& mode : failure_modes()) {
        for (std::size_t position = 0; position < 10; ++position) {
            for (const std::size_t count : {1U, 5U}) {
                harness s;
                fail_from(s, position, count, mode);
                s.start();
                s.run_for(45s);
                EXPECT_TRUE(s->ready()) << mode.name << " at " << position;
                ASSERT_TRUE(s->identity().has_value()) << mode.name << " at " << position;
                ASSERT_EQ(s->identity()->interfaces.size(), 1U);
                EXPECT_EQ(s->identity()->interfaces[0].vpc.str(), "vpc-00000001") << mode.name << " at " << position;
                EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDROLE");
                EXPECT_EQ(s->snapshot(s.now).last_error, "") << mode.name << " at " << position;
            }
        }
    }
}

TEST(session_setup, whatever_step_of_a_web_identity_fails_the_session_gets_ready_by_itself)
{
    for (const auto& mode : failure_modes()) {
        for (const std::size_t count : {1U, 4U}) {
            harness s{region_only(), {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "arn:x"}}};
            s.files["/token"] = "jwt";
            s.intercept = [](const http_exchange&) -> std::optional<http_result> { return sts_answer("AKIDSTS"); };
            fail_from(s, 0, count, mode);
            s.start();
            EXPECT_FALSE(s->ready());
            s.run_for(30s);
            EXPECT_TRUE(s->ready()) << mode.name;
        }
    }
}

TEST(session_setup, whatever_step_of_a_chain_fails_the_session_gets_ready_by_itself)
{
    for (const auto& mode : failure_modes()) {
        for (std::size_t position = 0; position < 5; ++position) {
            for (const std::size_t count : {1U, 4U}) {
                role_session s{region_only()};
                fail_from(s, position, count, mode);
                s.start();
                s.run_for(30s);
                EXPECT_TRUE(s->ready()) << mode.name << " at " << position;
                EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDASSUMED");
                EXPECT_EQ(s->snapshot(s.now).last_error, "");
            }
        }
    }
}

TEST(session_setup, a_token_file_that_comes_late_is_found)
{
    harness s{region_only(), {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "arn:x"}}};
    s.intercept = [](const http_exchange&) -> std::optional<http_result> { return sts_answer("AKIDSTS"); };
    s.start();
    s.run_for(10s);
    EXPECT_FALSE(s->ready());
    EXPECT_NE(s->snapshot(s.now).last_error.find("token file"), std::string::npos);
    s.files["/token"] = "jwt";
    s.run_for(10s);
    EXPECT_TRUE(s->ready());
}

TEST(session_setup, while_nothing_answers_the_pauses_grow_and_never_end)
{
    harness s;
    s.imds_up = false;
    s.start();
    s.run_for(10min);
    // Two askers whose pauses are at most 5 s and on average half of that.
    EXPECT_GE(s.asked.size(), 2U * 120U);
    EXPECT_LE(s.asked.size(), 2U * 400U);
    EXPECT_LE(s->next_wakeup().at, s.now.steady + 5s);
    EXPECT_EQ(s.log.count({"event=imds"}), 1U);
    EXPECT_EQ(s.log.count({"event=credentials"}), 1U);
}

}  // namespace
}  // namespace vipd::aws
