#include "agent/aws/cloud_session.hpp"

#include "tests/unit/aws/session_harness.hpp"

#include <algorithm>

namespace vipd::aws {
namespace {

const route_table_id table{"rtb-1"};
const route_destination vip = route_destination::cidr(ip_prefix::parse("198.51.100.10/32").value());
const network_interface_id eni{"eni-1"};
const ec2_call replacing = replace_route{table, vip, eni};
const ec2_call reading = describe_route_tables{};

constexpr const char* replaced = "<ReplaceRouteResponse><requestId>r</requestId><return>true</return></ReplaceRouteResponse>";
constexpr const char* no_tables = "<DescribeRouteTablesResponse><routeTableSet/></DescribeRouteTablesResponse>";

// A session that needs neither IMDS nor files.
struct ready_session : harness {
    explicit ready_session(unsigned connections = 16) :
        harness(with(connections), {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret-of-env"}})
    {
        start();
    }

    static session_settings with(unsigned connections)
    {
        auto settings = region_only();
        settings.connections = connections;
        return settings;
    }
};

std::string ec2_error_body(const std::string& code)
{
    return "<Response><Errors><Error><Code>" + code +
           "</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>";
}

const ec2_error& error_of(const call_done& done)
{
    return std::get<ec2_error>(done.reply.value);
}

TEST(cloud_session, a_call_is_signed_and_handed_out_in_the_turn_it_is_made)
{
    ready_session s;
    ASSERT_TRUE(s->ready());
    const auto id = s.call(replacing);
    ASSERT_EQ(s.ec2.size(), 1U);
    const auto& exchange = s.ec2[0];
    EXPECT_EQ(s->call_of(exchange.id), id);
    EXPECT_TRUE(exchange.mutating);
    EXPECT_EQ(exchange.origin, (http_origin{true, "ec2.eu-west-1.amazonaws.com", 443}));
    EXPECT_EQ(exchange.time_max, 3s);
    EXPECT_EQ(exchange.connect_time_max, 1s);
    EXPECT_EQ(exchange.body_size_max, 4U << 20U);
    EXPECT_EQ(exchange.request.method, "POST");
    EXPECT_EQ(exchange.request.target, "/");
    EXPECT_EQ(exchange.request.body, encode_form(replacing));
    EXPECT_EQ(find_header(exchange.request.headers, "host"), "ec2.eu-west-1.amazonaws.com");
    const auto claim = parse_authorization(*find_header(exchange.request.headers, "authorization")).value();
    EXPECT_EQ(claim.access_key_id, "AKID");
    EXPECT_EQ(claim.region, "eu-west-1");
    EXPECT_EQ(claim.service, "ec2");
    EXPECT_EQ(expected_signature(exchange.request, claim, "secret-of-env").value(), claim.signature);
}

TEST(cloud_session, an_answer_is_one_call_done_with_the_times_of_the_exchange)
{
    ready_session s;
    const auto id = s.call(replacing);
    const auto issued = s.now.steady;
    s.answer_ec2(s.ec2.at(0), answered(200, replaced), 25ms);
    ASSERT_EQ(s.done_calls.size(), 1U);
    EXPECT_EQ(s.done_calls[0].id, id);
    EXPECT_TRUE(std::holds_alternative<done>(s.done_calls[0].reply.value));
    EXPECT_EQ(s.done_calls[0].issued, issued);
    EXPECT_EQ(s.done_calls[0].first_byte, issued);
    EXPECT_EQ(s.done_calls[0].finished, issued + 25ms);
    EXPECT_FALSE(s->call_of(s.ec2[0].id).has_value());
}

TEST(cloud_session, a_second_answer_to_the_same_exchange_is_ignored)
{
    ready_session s;
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(200, replaced));
    s.answer_ec2(s.ec2.at(0), answered(200, replaced));
    EXPECT_EQ(s.done_calls.size(), 1U);
}

TEST(cloud_session, no_more_than_connections_are_under_way_and_the_rest_follow_in_order)
{
    ready_session s{4};
    for (int i = 0; i < 10; ++i) {
        s.call(replace_route{route_table_id{"rtb-" + std::to_string(i)}, vip, eni});
    }
    EXPECT_EQ(s.ec2.size(), 4U);
    EXPECT_EQ(s->snapshot(s.now).calls_under_way, 4U);
    EXPECT_EQ(s->snapshot(s.now).calls_queued, 6U);
    for (std::size_t i = 0; i < 10; ++i) {
        ASSERT_GT(s.ec2.size(), i);
        EXPECT_NE(s.ec2[i].request.body.find("rtb-" + std::to_string(i) + "&"), std::string::npos);
        s.answer_ec2(s.ec2[i], answered(200, replaced));
    }
    EXPECT_EQ(s.done_calls.size(), 10U);
    EXPECT_EQ(s->snapshot(s.now).calls_queued, 0U);
}

TEST(cloud_session, mutating_calls_overtake_reads_that_wait)
{
    ready_session s{1};
    s.call(reading);
    s.call(reading);
    s.call(replacing);
    ASSERT_EQ(s.ec2.size(), 1U);
    s.answer_ec2(s.ec2[0], answered(200, no_tables));
    ASSERT_EQ(s.ec2.size(), 2U);
    EXPECT_TRUE(s.ec2[1].mutating);
    s.answer_ec2(s.ec2[1], answered(200, replaced));
    ASSERT_EQ(s.ec2.size(), 3U);
    EXPECT_FALSE(s.ec2[2].mutating);
}

TEST(cloud_session, reads_that_hang_leave_room_for_mutating_calls)
{
    ready_session s{4};
    for (int i = 0; i < 10; ++i) {
        s.call(reading);
    }
    EXPECT_EQ(s.ec2.size(), 2U);
    s.call(replacing);
    s.call(replacing);
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 4U);
    EXPECT_TRUE(s.ec2[2].mutating);
    EXPECT_TRUE(s.ec2[3].mutating);
}

TEST(cloud_session, a_waiting_call_is_signed_with_the_time_at_which_it_goes_out)
{
    ready_session s{1};
    s.call(replacing);
    s.call(replacing);
    s.move_to(s.now.steady + 90s);
    s.answer_ec2(s.ec2.at(0), broken(true, error_class::timed_out), 0ms);
    ASSERT_EQ(s.ec2.size(), 2U);
    EXPECT_EQ(find_header(s.ec2[0].request.headers, "x-amz-date"), "20260101T000000Z");
    EXPECT_EQ(find_header(s.ec2[1].request.headers, "x-amz-date"), "20260101T000130Z");
}

TEST(cloud_session, a_failure_is_reported_and_nothing_is_sent_twice)
{
    ready_session s;
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), broken(true, error_class::timed_out));
    s.call(replacing);
    s.answer_ec2(s.ec2.at(1), broken(false, error_class::unavailable));
    s.run_for(60s);
    ASSERT_EQ(s.done_calls.size(), 2U);
    EXPECT_EQ(error_of(s.done_calls[0]).kind, ec2_error_class::unknown_outcome);
    EXPECT_EQ(error_of(s.done_calls[1]).kind, ec2_error_class::not_sent);
    EXPECT_EQ(s.ec2.size(), 2U);
}

// --- cancelling ---

TEST(cloud_session, a_cancelled_call_that_waits_leaves_without_a_trace)
{
    ready_session s{1};
    s.call(replacing);
    const auto second = s.call(replacing);
    s->cancel(second);
    s.answer_ec2(s.ec2.at(0), answered(200, replaced));
    EXPECT_EQ(s.ec2.size(), 1U);
    EXPECT_EQ(s.done_calls.size(), 1U);
    EXPECT_TRUE(s.cancelled.empty());
}

TEST(cloud_session, a_cancelled_call_on_the_wire_is_reset_and_its_place_is_free_again)
{
    ready_session s{1};
    const auto first = s.call(replacing);
    s.call(replacing);
    s->cancel(first);
    s.drain();
    ASSERT_EQ(s.cancelled.size(), 1U);
    EXPECT_EQ(s.cancelled[0], s.ec2.at(0).id);
    EXPECT_LE(s->next_wakeup().at, s.now.steady);
    s->handle_timeout(s.now);
    s.drain();
    EXPECT_EQ(s.ec2.size(), 2U);
    s.answer_ec2(s.ec2[0], answered(200, replaced));
    EXPECT_TRUE(s.done_calls.empty());
}

TEST(cloud_session, a_call_cancelled_before_the_shell_took_it_is_never_seen)
{
    ready_session s;
    const auto id = s->call(s.now, replacing);
    s->cancel(id);
    EXPECT_FALSE(s->poll_output().has_value());
}

TEST(cloud_session, a_call_cancelled_after_its_answer_has_no_call_done)
{
    ready_session s;
    const auto id = s.call(replacing);
    s->handle_http(s.now, s.ec2.at(0).id, answered(200, replaced));
    s->cancel(id);
    s.drain();
    EXPECT_TRUE(s.done_calls.empty());
    EXPECT_TRUE(s.cancelled.empty());
}

TEST(cloud_session, cancelling_twice_or_something_unknown_does_nothing)
{
    ready_session s;
    const auto id = s.call(replacing);
    s->cancel(id);
    s->cancel(id);
    s->cancel(ec2_call_id{999});
    s.drain();
    EXPECT_EQ(s.cancelled.size(), 1U);
}

// --- before it is ready ---

TEST(cloud_session, calls_made_before_readiness_go_out_as_soon_as_it_is_there)
{
    harness s{region_only()};
    s.call(reading);
    s.call(replacing);
    EXPECT_TRUE(s.ec2.empty());
    s.start();
    ASSERT_EQ(s.ec2.size(), 2U);
    EXPECT_TRUE(s.ec2[0].mutating);
}

TEST(cloud_session, calls_that_cannot_be_signed_in_time_are_answered_with_the_reason)
{
    harness s{region_only()};
    s.imds_up = false;
    s.start();
    s.call(replacing, 3s);
    s.call(reading, 10s);
    s.run_for(2900ms);
    EXPECT_TRUE(s.done_calls.empty());
    s.run_for(200ms);
    ASSERT_EQ(s.done_calls.size(), 1U);
    const auto& e = error_of(s.done_calls[0]);
    EXPECT_EQ(e.kind, ec2_error_class::not_sent);
    EXPECT_EQ(e.code, "not_ready");
    EXPECT_NE(e.message.find("credentials"), std::string::npos);
    EXPECT_NE(e.message.find("connection refused"), std::string::npos);
    EXPECT_EQ(s.done_calls[0].first_byte, never);
    s.imds_up = true;
    s.run_for(6s);
    EXPECT_EQ(s.ec2.size(), 1U);
}

TEST(cloud_session, once_ready_calls_wait_for_a_place_as_long_as_it_takes)
{
    ready_session s{1};
    s.call(replacing, 1s);
    s.call(replacing, 1s);
    s.run_for(30s);
    EXPECT_TRUE(s.done_calls.empty());
    EXPECT_EQ(s->snapshot(s.now).calls_queued, 1U);
}

// --- the clock ---

http_header date(const char* text)
{
    return {"Date", text};
}

TEST(cloud_session, the_servers_clock_is_learnt_from_every_answer)
{
    ready_session s;
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(200, replaced, {date("Thu, 01 Jan 2026 00:10:00 GMT")}), 20ms);
    // Midway between sending and the end of the answer.
    EXPECT_EQ(s->snapshot(s.now).clock_skew, 10min - 10ms);
    s.call(replacing);
    EXPECT_EQ(find_header(s.ec2.at(1).request.headers, "x-amz-date"), "20260101T001000Z");
}

TEST(cloud_session, a_refused_signature_of_a_wrong_clock_is_mended_for_the_next_attempt)
{
    for (const auto* code : {"AuthFailure", "RequestExpired", "SignatureDoesNotMatch"}) {
        ready_session s;
        s.call(replacing);
        s.answer_ec2(s.ec2.at(0), answered(401, ec2_error_body(code), {date("Thu, 01 Jan 2026 01:00:00 GMT")}));
        EXPECT_EQ(error_of(s.done_calls.at(0)).kind, ec2_error_class::clock) << code;
        EXPECT_EQ(s.log.count({"warning event=clock"}), 1U);
        s.call(replacing);
        EXPECT_EQ(find_header(s.ec2.at(1).request.headers, "x-amz-date")->substr(0, 11), "20260101T01");
        // Refused again although the time was right: it was not the clock.
        s.answer_ec2(s.ec2.at(1), answered(401, ec2_error_body(code), {date("Thu, 01 Jan 2026 01:00:00 GMT")}));
        EXPECT_EQ(error_of(s.done_calls.at(1)).kind, ec2_error_class::credentials) << code;
    }
}

TEST(cloud_session, a_clock_that_is_off_by_less_than_four_minutes_is_not_blamed)
{
    ready_session s;
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(401, ec2_error_body("AuthFailure"), {date("Thu, 01 Jan 2026 00:03:59 GMT")}));
    EXPECT_EQ(error_of(s.done_calls.at(0)).kind, ec2_error_class::credentials);
}

TEST(cloud_session, a_cached_or_slow_answer_says_nothing_about_the_clock)
{
    ready_session s;
    s.call(replacing);
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(200, replaced, {date("Thu, 01 Jan 2026 00:10:00 GMT"), {"Age", "7"}}));
    EXPECT_EQ(s->snapshot(s.now).clock_skew, 0s);
    s.answer_ec2(s.ec2.at(1), answered(200, replaced, {date("Thu, 01 Jan 2026 00:10:00 GMT")}), 11s);
    EXPECT_EQ(s->snapshot(s.now).clock_skew, 0s);
}

// --- credentials that EC2 refuses ---

TEST(cloud_session, refused_credentials_are_fetched_again_and_the_next_call_has_the_new_ones)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    s.call(replacing);
    s.imds["/latest/meta-data/iam/security-credentials/node-role"] = role_document("AKIDNEW", "2026-01-01T07:00:00Z");
    s.answer_ec2(s.ec2.at(0), answered(400, ec2_error_body("RequestExpired")));
    EXPECT_EQ(error_of(s.done_calls.at(0)).kind, ec2_error_class::credentials);
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDNEW");
    s.call(replacing);
    EXPECT_NE(find_header(s.ec2.at(1).request.headers, "authorization")->find("AKIDNEW"), std::string_view::npos);
}

TEST(cloud_session, a_resource_that_is_somebody_elses_is_no_reason_to_fetch_credentials)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    const auto asked = s.asked.size();
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(400, ec2_error_body("AuthFailure")));
    EXPECT_EQ(error_of(s.done_calls.at(0)).kind, ec2_error_class::denied);
    s.run_for(60s);
    EXPECT_EQ(s.asked.size(), asked);
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 2U) << "nothing is held";
}

TEST(cloud_session, a_session_that_was_revoked_is_replaced_by_what_the_source_gives_now)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    s.imds["/latest/meta-data/iam/security-credentials/node-role"] = role_document("AKIDNEW", "2026-01-01T07:00:00Z");
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(403, ec2_error_body("UnauthorizedOperation")));
    EXPECT_EQ(error_of(s.done_calls.at(0)).kind, ec2_error_class::denied);
    EXPECT_EQ(s->snapshot(s.now).access_key_id, "AKIDNEW");
    s.call(replacing);
    EXPECT_NE(find_header(s.ec2.at(1).request.headers, "authorization")->find("AKIDNEW"), std::string_view::npos);
}

TEST(cloud_session, a_policy_that_denies_a_call_asks_the_source_once_a_minute_and_holds_nothing_back)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    const auto before = s.asked.size();
    for (std::size_t i = 0; i < 150; ++i) {
        s.call(replacing);
        ASSERT_EQ(s.ec2.size(), i + 1);
        s.answer_ec2(s.ec2.at(i), answered(403, ec2_error_body("UnauthorizedOperation")));
        s.run_for(980ms);
    }
    // At 0, 60 and 120 s, two requests each.
    EXPECT_EQ(s.asked.size() - before, 6U);
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
    EXPECT_TRUE(s->ready());
}

TEST(cloud_session, refused_credentials_stay_in_use_while_no_new_ones_come)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    s.imds_up = false;
    s.call(replacing);
    s.answer_ec2(s.ec2.at(0), answered(400, ec2_error_body("ExpiredToken")));
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 2U);
    EXPECT_TRUE(s->ready());
}

// A session whose credentials have just been refused, and whose IMDS has newer ones but does not say so yet.
struct refused_session : harness {
    refused_session() : harness{region_only()}
    {
        start();
        run_for(60s);
        call(replacing);
        imds["/latest/meta-data/iam/security-credentials/node-role"] = role_document("AKIDNEW", "2026-01-01T07:00:00Z");
        imds_slow = true;
        answer_ec2(ec2.at(0), answered(400, ec2_error_body("RequestExpired")));
    }

    [[nodiscard]] bool is_signed_with(std::size_t exchange, std::string_view key) const
    {
        return find_header(ec2.at(exchange).request.headers, "authorization")->find(key) != std::string_view::npos;
    }
};

TEST(cloud_session, calls_wait_for_the_credentials_that_replace_refused_ones)
{
    refused_session s;
    s.move_to(s.now.steady + 1ns);
    s.call(replacing);
    s.call(reading);
    s.run_for(500ms);
    EXPECT_EQ(s.ec2.size(), 1U) << "signed with keys that have just been refused";
    s.answer_slow_imds();
    ASSERT_EQ(s.ec2.size(), 3U);
    EXPECT_TRUE(s.is_signed_with(1, "AKIDNEW"));
    EXPECT_TRUE(s.is_signed_with(2, "AKIDNEW"));
}

TEST(cloud_session, calls_wait_no_more_than_a_second_for_a_source_that_says_nothing)
{
    refused_session s;
    s.call(replacing);
    s.run_for(1s - 1ns);
    EXPECT_EQ(s.ec2.size(), 1U);
    s.run_for(1ns);
    ASSERT_EQ(s.ec2.size(), 2U);
    EXPECT_TRUE(s.is_signed_with(1, "AKIDROLE"));
    s.answer_ec2(s.ec2.at(1), answered(400, ec2_error_body("RequestExpired")));
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 3U) << "a second once, and not after every refusal";
}

TEST(cloud_session, calls_go_on_when_no_other_credentials_come)
{
    refused_session s;
    s.imds_up = false;
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 1U);
    s.answer_slow_imds();
    EXPECT_EQ(s.ec2.size(), 2U);
}

TEST(cloud_session, a_fetch_that_no_refusal_caused_holds_nothing_up)
{
    harness s{region_only()};
    s.start();
    s.imds_slow = true;
    const auto before = s.asked.size();
    s.run_for(6h);
    ASSERT_GT(s.asked.size(), before);
    s.call(replacing);
    EXPECT_EQ(s.ec2.size(), 1U);
}

TEST(cloud_session, refusals_in_a_row_do_not_make_a_storm_of_fetches)
{
    harness s{region_only()};
    s.start();
    const auto before = s.asked.size();
    for (std::size_t i = 0; i < 50; ++i) {
        s.call(replacing);
        s.answer_ec2(s.ec2.at(i), answered(400, ec2_error_body("ExpiredToken")), 20ms);
        s.run_for(80ms);
    }
    // Five seconds of refusals: one fetch of two requests.
    EXPECT_LE(s.asked.size() - before, 2U);
}

TEST(cloud_session, an_answer_to_a_call_signed_with_older_credentials_fetches_nothing)
{
    harness s{region_only()};
    s.start();
    s.run_for(60s);
    s.call(replacing);
    s.call(replacing);
    s.imds["/latest/meta-data/iam/security-credentials/node-role"] = role_document("AKIDNEW", "2026-01-01T07:00:00Z");
    s.answer_ec2(s.ec2.at(0), answered(400, ec2_error_body("RequestExpired")));
    const auto before = s.asked.size();
    s.move_to(s.now.steady + 30s);
    s.answer_ec2(s.ec2.at(1), answered(400, ec2_error_body("RequestExpired")));
    EXPECT_EQ(s.asked.size(), before);
}

// --- what is told ---

TEST(cloud_session, connections_are_asked_to_be_warm_once_the_endpoint_is_known)
{
    ready_session s;
    ASSERT_EQ(s.warm.size(), 1U);
    EXPECT_EQ(s.warm[0].origin.host, "ec2.eu-west-1.amazonaws.com");
    EXPECT_EQ(s.warm[0].connections, 2U);
}

TEST(cloud_session, the_snapshot_shows_what_is_known_and_no_secret)
{
    harness s;
    s.start();
    const auto snap = s->snapshot(s.now);
    EXPECT_TRUE(snap.ready);
    EXPECT_EQ(snap.region, "eu-west-1");
    EXPECT_EQ(snap.endpoint, "https://ec2.eu-west-1.amazonaws.com");
    EXPECT_EQ(snap.source, credential_source::instance_role);
    EXPECT_EQ(snap.access_key_id, "AKIDROLE");
    EXPECT_EQ(snap.credentials_expire, wall_at_start + 6h);
    EXPECT_EQ(snap.last_error, "");
    ASSERT_TRUE(snap.identity.has_value());
    EXPECT_EQ(snap.identity->instance.str(), "i-1");
}

TEST(cloud_session, no_secret_ever_reaches_the_log)
{
    harness s;
    s.files["/home/.aws/credentials"] = "secret-of-file";
    s.start();
    s.imds["/latest/meta-data/iam/security-credentials/node-role"] =
        "{\"Code\":\"Failed\",\"Message\":\"x\",\"Token\":\"token-of-role\"}";
    s.run_for(3h);
    s.imds["/latest/meta-data/iam/security-credentials/node-role"] = "token-of-role secret-of-role";
    s.run_for(3h);
    ASSERT_FALSE(s.log.lines.empty());
    for (const auto* secret : {"secret-of", "token-of-role", "token-1"}) {
        EXPECT_EQ(s.log.count({secret}), 0U) << secret;
    }
}

}  // namespace
}  // namespace vipd::aws
