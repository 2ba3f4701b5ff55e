// Sessions of roles: who gets one, how long it lasts, and that EC2 knows it.

#include "tests/unit/cloud/cloud_fixture.hpp"

namespace vipd::cloud {

namespace {

constexpr const char* route_writer = "arn:aws:iam::210987654321:role/route-writer";
constexpr const char* middle = "arn:aws:iam::123456789012:role/middle";
constexpr const char* by_token = "arn:aws:iam::123456789012:role/vipd-by-token";
constexpr const char* example_token = "example.identity.token";

}  // namespace

class sts : public cloud_test {
protected:
    static std::string sts_form(const std::string& action, const parameters& values)
    {
        auto text = form(action, values);
        return text.replace(text.find("2016-11-15"), 10, "2011-06-15");
    }

    collected_reply ask_sts(const std::string& action, const parameters& values, const access_key& key)
    {
        const auto request = signed_request(sts_form(action, values), key, now.wall, "eu-west-1", "sts");
        return cloud.collect(now, cloud.handle_sts(now, request, {}).id);
    }

    collected_reply ask_unsigned(const parameters& values)
    {
        const aws::http_request request{"POST", "/", {{"Host", "sts.test"}}, sts_form("AssumeRoleWithWebIdentity", values)};
        return cloud.collect(now, cloud.handle_sts(now, request, {}).id);
    }

    static parameters session(const std::string& role, const parameters& more = {})
    {
        parameters values{{"RoleArn", role}, {"RoleSessionName", "test"}};
        values.insert(values.end(), more.begin(), more.end());
        return values;
    }

    static std::string verdict_of(const collected_reply& reply)
    {
        return std::to_string(reply.record.status) + (reply.record.code.empty() ? "" : " " + reply.record.code);
    }

    // What a client makes of a success.
    static access_key key_of(const collected_reply& reply)
    {
        pugi::xml_document document;
        document.load_string(reply.answer.head.body.c_str());
        const auto node = document.document_element().first_child().child("Credentials");
        access_key key;
        key.id = node.child_value("AccessKeyId");
        key.secret = node.child_value("SecretAccessKey");
        key.token = node.child_value("SessionToken");
        EXPECT_FALSE(key.id.empty()) << reply.answer.head.body;
        return key;
    }

    std::string ec2_verdict(const access_key& key, const std::string& action = "DescribeRouteTables",
                            const parameters& values = {})
    {
        const auto request = signed_request(form(action, values), key, now.wall);
        return verdict_of(cloud.collect(now, cloud.handle_ec2(now, request, {}).id));
    }

    static parameters with_id(const parameters& more = {})
    {
        auto values = session(route_writer, {{"ExternalId", "example-id"}});
        values.insert(values.end(), more.begin(), more.end());
        return values;
    }
};

TEST_F(sts, a_session_is_accepted_by_ec2_until_its_end)
{
    const auto reply = ask_sts("AssumeRole", with_id({{"DurationSeconds", "900"}}), operator_key());
    EXPECT_EQ(verdict_of(reply), "200");
    EXPECT_EQ(reply.record.role, route_writer);
    EXPECT_NE(reply.answer.head.body.find("<Expiration>2026-01-01T00:15:00Z</Expiration>"), std::string::npos);
    EXPECT_NE(reply.answer.head.body.find("arn:aws:sts::210987654321:assumed-role/route-writer/test"), std::string::npos);
    const auto key = key_of(reply);
    EXPECT_EQ(ec2_verdict(key), "200");
    pass(std::chrono::seconds{899});
    EXPECT_EQ(ec2_verdict(key), "200");
    pass(std::chrono::seconds{1});
    EXPECT_EQ(ec2_verdict(key), "400 RequestExpired");
}

TEST_F(sts, a_session_may_do_what_the_policy_of_its_role_says)
{
    cloud.policies()["role/route-writer"] = {{true, {"ec2:ReplaceRoute"}, {table_a}}};
    const auto key = key_of(ask_sts("AssumeRole", with_id(), operator_key()));
    EXPECT_EQ(ec2_verdict(key, "ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_EQ(ec2_verdict(key, "CreateRoute", route(table_b, interface_b)), "403 UnauthorizedOperation");
}

TEST_F(sts, both_policies_and_the_external_id_have_to_allow_it)
{
    const auto ask_for = [&](const parameters& values) { return verdict_of(ask_sts("AssumeRole", values, operator_key())); };
    EXPECT_EQ(ask_for(with_id()), "200");
    EXPECT_EQ(ask_for(session(route_writer)), "403 AccessDenied");
    EXPECT_EQ(ask_for(session(route_writer, {{"ExternalId", "another"}})), "403 AccessDenied");
    EXPECT_EQ(ask_for(session(by_token)), "403 AccessDenied") << "it trusts somebody else";
    EXPECT_EQ(ask_for(session("arn:aws:iam::123456789012:role/nobody")), "403 AccessDenied");
    cloud.policies()["user/operator"] = {{true, {"sts:AssumeRole"}, {middle}}};
    EXPECT_EQ(ask_for(with_id()), "403 AccessDenied");
    EXPECT_EQ(ask_for(session(middle)), "200");
}

TEST_F(sts, a_role_assumed_with_a_role_lasts_an_hour_at_most)
{
    const auto first = key_of(ask_sts("AssumeRole", session(middle), operator_key()));
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id({{"DurationSeconds", "7200"}}), operator_key())), "200");
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id({{"DurationSeconds", "7201"}}), operator_key())), "400 ValidationError");
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id({{"DurationSeconds", "7200"}}), first)), "400 ValidationError");
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id(), first)), "200");
}

TEST_F(sts, an_instances_session_keeps_its_instance)
{
    const auto document = imds_text("/latest/meta-data/iam/security-credentials/vipd");
    const auto id = document.substr(document.find("ASIA"), 20);
    const auto reply = ask_sts("AssumeRole", with_id(), cloud.keys().at(id));
    EXPECT_EQ(verdict_of(reply), "200");
    EXPECT_EQ(reply.record.node, "node-a");
    EXPECT_EQ(cloud.keys().at(key_of(reply).id).issued_to.str(), node_a);
}

TEST_F(sts, a_token_gives_a_session_without_a_signature)
{
    const auto reply = ask_unsigned(session(by_token, {{"WebIdentityToken", example_token}}));
    EXPECT_EQ(verdict_of(reply), "200");
    EXPECT_EQ(reply.record.signature, "unsigned");
    EXPECT_EQ(ec2_verdict(key_of(reply)), "200");
}

TEST_F(sts, a_token_has_to_be_known_young_and_of_a_subject_that_the_role_trusts)
{
    const auto with_token = [&](const std::string& token, const std::string& role) {
        return verdict_of(ask_unsigned(session(role, {{"WebIdentityToken", token}})));
    };
    EXPECT_EQ(with_token("made.up.token", by_token), "400 InvalidIdentityToken");
    EXPECT_EQ(with_token(example_token, middle), "403 AccessDenied");
    cloud.sts().iam().tokens["other"] = {"system:serviceaccount:other:vipd", false};
    EXPECT_EQ(with_token("other", by_token), "403 AccessDenied");
    cloud.sts().iam().tokens[example_token].expired = true;
    EXPECT_EQ(with_token(example_token, by_token), "400 ExpiredTokenException");
}

TEST_F(sts, a_signature_is_for_sts_and_refused_in_its_words)
{
    const auto for_ec2 = signed_request(sts_form("AssumeRole", with_id()), operator_key(), now.wall);
    EXPECT_EQ(cloud.collect(now, cloud.handle_sts(now, for_ec2, {}).id).record.code, "SignatureDoesNotMatch");
    auto stranger = operator_key();
    stranger.id = "AKIAUNKNOWN";
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id(), stranger)), "403 InvalidClientTokenId");
    auto key = key_of(ask_sts("AssumeRole", session(middle, {{"DurationSeconds", "900"}}), operator_key()));
    pass(std::chrono::minutes{15});
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id(), key)), "403 ExpiredToken");
    cloud.set_clock_offset(std::chrono::minutes{16});
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", with_id(), operator_key())), "403 SignatureDoesNotMatch");
}

TEST_F(sts, what_is_malformed_is_refused_before_it_is_weighed)
{
    const auto ask_for = [&](const parameters& values) { return verdict_of(ask_sts("AssumeRole", values, operator_key())); };
    EXPECT_EQ(ask_for({{"RoleArn", middle}}), "400 ValidationError");
    EXPECT_EQ(ask_for({{"RoleArn", middle}, {"RoleSessionName", "a b"}}), "400 ValidationError");
    EXPECT_EQ(ask_for(session(middle, {{"DurationSeconds", "899"}})), "400 ValidationError");
    EXPECT_EQ(ask_for(session(middle, {{"SerialNumber", "x"}})), "400 ValidationError");
    EXPECT_EQ(verdict_of(ask_sts("GetFederationToken", {}, operator_key())), "400 InvalidAction");
}

TEST_F(sts, a_caller_is_told_who_it_is)
{
    const auto key = key_of(ask_sts("AssumeRole", with_id(), operator_key()));
    EXPECT_NE(ask_sts("GetCallerIdentity", {}, key).answer.head.body.find("assumed-role/route-writer/test"), std::string::npos);
    EXPECT_NE(ask_sts("GetCallerIdentity", {}, operator_key()).answer.head.body.find("arn:aws:iam::123456789012:user/operator"),
              std::string::npos);
}

TEST_F(sts, no_session_outlives_the_set_lifetime)
{
    cloud.sts().set_lifetime_max(std::chrono::seconds{10});
    const auto key = key_of(ask_sts("AssumeRole", session(middle), operator_key()));
    pass(std::chrono::seconds{10});
    EXPECT_EQ(ec2_verdict(key), "400 RequestExpired");
}

TEST_F(sts, faults_are_for_it_by_name)
{
    cloud.faults().add(
        {.action = "sts:AssumeRole", .count = 1, .effect = effects::fail{.status = 503, .code = "ServiceUnavailable"}});
    cloud.faults().add({.action = "connect:sts", .count = 1, .effect = effects::reset{}});
    EXPECT_EQ(cloud.handle_connection(cloud_service::sts, {}).end, exchange_plan::ending::reset);
    const auto reply = ask_sts("AssumeRole", session(middle), operator_key());
    EXPECT_EQ(verdict_of(reply), "503 ServiceUnavailable");
    EXPECT_NE(reply.answer.head.body.find("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
              std::string::npos);
    EXPECT_EQ(verdict_of(ask_sts("AssumeRole", session(middle), operator_key())), "200");
}

}  // namespace vipd::cloud
