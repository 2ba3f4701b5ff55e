#include "agent/aws/source_fetch.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

template <class Question>
Question question(const source_fetch::step& step)
{
    return std::get<Question>(std::get<credential_question>(step));
}

const result<credentials>& outcome(const source_fetch::step& step)
{
    return std::get<result<credentials>>(step);
}

result<std::string> absent()
{
    return error{error_class::not_found, "there is none"};
}

TEST(source_fetch, a_role_is_asked_for_its_name_and_then_for_its_keys)
{
    source_fetch fetch{from_instance_role{}, {}};
    EXPECT_EQ(question<ask_imds>(fetch.begin()).path, "/latest/meta-data/iam/security-credentials/");
    EXPECT_EQ(question<ask_imds>(fetch.handle(result<std::string>{"my-role_1+x=y,z@w.a\nsecond\n"})).path,
              "/latest/meta-data/iam/security-credentials/my-role_1+x=y,z@w.a");
    const auto end = fetch.handle(result<std::string>{R"({"AccessKeyId":"A","SecretAccessKey":"S","Token":"T"})"});
    EXPECT_EQ(outcome(end).value(), (credentials{"A", "S", "T", {}}));
}

TEST(source_fetch, an_instance_without_a_role_is_told_how_to_get_one)
{
    for (const auto& listed : {absent(), result<std::string>{""}, result<std::string>{"\n"}}) {
        source_fetch fetch{from_instance_role{}, {}};
        fetch.begin();
        const auto step = fetch.handle(result<std::string>{listed});
        EXPECT_EQ(outcome(step).error().kind, error_class::not_found);
        EXPECT_NE(outcome(step).error().text.find("instance profile"), std::string::npos);
    }
}

TEST(source_fetch, a_role_name_cannot_lead_to_another_path)
{
    for (const auto* name : {"../../user-data", "a b", "a/b", "a?b", "a\rb", "\xc3\xa9"}) {
        source_fetch fetch{from_instance_role{}, {}};
        fetch.begin();
        EXPECT_TRUE(outcome(fetch.handle(result<std::string>{name})).has_error()) << name;
    }
}

TEST(source_fetch, a_profile_reads_both_files_and_either_may_be_missing)
{
    const from_profile plan{"default", {"/credentials", "/config"}};
    source_fetch fetch{plan, {}};
    EXPECT_EQ(question<ask_file>(fetch.begin()).path, "/credentials");
    EXPECT_EQ(question<ask_file>(fetch.handle(absent())).path, "/config");
    const auto end = fetch.handle(result<std::string>{"[default]\naws_access_key_id = A\naws_secret_access_key = S\n"});
    EXPECT_EQ(outcome(end)->access_key_id, "A");

    source_fetch empty{plan, {}};
    empty.begin();
    empty.handle(absent());
    EXPECT_EQ(outcome(empty.handle(absent())).error().kind, error_class::not_found);

    source_fetch unreadable{plan, {}};
    unreadable.begin();
    EXPECT_EQ(outcome(unreadable.handle(result<std::string>{error{error_class::denied, "no"}})).error().text, "no");

    source_fetch broken{plan, {}};
    broken.begin();
    broken.handle(result<std::string>{"[default"});
    EXPECT_NE(outcome(broken.handle(absent())).error().text.find("/credentials:1"), std::string::npos);
}

TEST(source_fetch, a_container_endpoint_is_asked_with_its_token)
{
    container_source source{{false, "169.254.170.2", 80}, "/path?x=1", "inline", ""};
    source_fetch direct{source, {}};
    const auto request = question<http_exchange>(direct.begin());
    EXPECT_EQ(request.request.target, "/path?x=1");
    EXPECT_EQ(find_header(request.request.headers, "authorization"), "inline");

    source.token_file = "/token";
    source_fetch by_file{source, {}};
    EXPECT_EQ(question<ask_file>(by_file.begin()).path, "/token");
    EXPECT_EQ(find_header(question<http_exchange>(by_file.handle(result<std::string>{"from-file\n"})).request.headers,
                          "authorization"),
              "from-file");

    source_fetch no_file{source, {}};
    no_file.begin();
    EXPECT_EQ(outcome(no_file.handle(absent())).error().text, "the token file: there is none");
}

TEST(source_fetch, a_web_identity_goes_from_file_to_sts)
{
    const sts_place sts{{true, "sts.eu-west-1.amazonaws.com", 443}, "eu-west-1"};
    source_fetch fetch{web_identity_source{"arn:x", "/token", "me"}, sts};
    EXPECT_EQ(question<ask_file>(fetch.begin()).path, "/token");
    const auto request = question<http_exchange>(fetch.handle(result<std::string>{"jwt"}));
    EXPECT_EQ(request.origin, sts.origin);

    source_fetch empty{web_identity_source{"arn:x", "/token", "me"}, sts};
    empty.begin();
    EXPECT_NE(outcome(empty.handle(result<std::string>{" \n"})).error().text.find("/token"), std::string::npos);
}

}  // namespace
}  // namespace vipd::aws
