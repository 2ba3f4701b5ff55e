// What stands between a decision and a request on the wire, and between an answer and a decision.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ec2_reply.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/ensure.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

namespace vipd::bench {
namespace {

using namespace std::chrono_literals;

constexpr wall_time signed_at{1'790'000'000s};

aws::ec2_call replace_route()
{
    return aws::replace_route{aws::route_table_id{"rtb-0123456789abcdef0"},
                              aws::route_destination::cidr(*ip_prefix::parse("172.16.1.100/32")),
                              aws::network_interface_id{"eni-0123456789abcdef0"}};
}

aws::http_request unsigned_request()
{
    return {"POST",
            "/",
            {{"Host", "ec2.eu-west-1.amazonaws.com"}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
            encode_form(replace_route())};
}

aws::credentials role_credentials()
{
    // A session token has this length in the field.
    return {"ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", std::string(1000, 't'), std::nullopt};
}

void encode_replace_route(benchmark::State& state)
{
    const auto call = replace_route();
    for (auto _ : state) {
        benchmark::DoNotOptimize(encode_form(call));
    }
}
BENCHMARK(encode_replace_route);

void sign_with_kept_key(benchmark::State& state)
{
    aws::signer signer;
    const auto keys = role_credentials();
    const auto request = unsigned_request();
    for (auto _ : state) {
        auto copy = request;
        signer.sign(copy, {"eu-west-1", "ec2"}, keys, signed_at);
        benchmark::DoNotOptimize(copy);
    }
}
BENCHMARK(sign_with_kept_key)->Unit(benchmark::kMicrosecond);

void sign_with_new_key(benchmark::State& state)
{
    const auto keys = role_credentials();
    const auto request = unsigned_request();
    for (auto _ : state) {
        auto copy = request;
        aws::sign(copy, {"eu-west-1", "ec2"}, keys, signed_at);
        benchmark::DoNotOptimize(copy);
    }
}
BENCHMARK(sign_with_new_key)->Unit(benchmark::kMicrosecond);

std::string tables_xml(int tables, int routes)
{
    std::string xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<DescribeRouteTablesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
        "    <requestId>6f570b0b-9c18-4b07-bdec-73740dcf861a</requestId>\n    <routeTableSet>\n";
    for (int t = 0; t < tables; ++t) {
        xml += fmt::format(
            "        <item>\n            <routeTableId>rtb-{:017x}</routeTableId>\n"
            "            <vpcId>vpc-0123456789abcdef0</vpcId>\n            <routeSet>\n",
            t);
        for (int r = 0; r < routes; ++r) {
            xml += fmt::format(
                "                <item>\n                    <destinationCidrBlock>172.16.{}.{}/32"
                "</destinationCidrBlock>\n                    <instanceId>i-0123456789abcdef0</instanceId>\n"
                "                    <networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId>\n"
                "                    <state>active</state>\n                    <origin>CreateRoute</origin>\n"
                "                </item>\n",
                r / 250, r % 250);
        }
        xml +=
            "            </routeSet>\n            <tagSet>\n                <item>\n                    <key>Name</key>\n"
            "                    <value>private</value>\n                </item>\n            </tagSet>\n        </item>\n";
    }
    return xml + "    </routeTableSet>\n</DescribeRouteTablesResponse>\n";
}

void decode_route_tables(benchmark::State& state)
{
    const aws::ec2_call call = aws::describe_route_tables{};
    aws::http_result result;
    result.outcome = aws::http_response{200,
                                        {{"Content-Type", "text/xml;charset=UTF-8"}},
                                        tables_xml(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)))};
    for (auto _ : state) {
        const auto reply = decode_reply(call, result);
        ENSURE(std::get<aws::route_tables_page>(reply.value).tables.size() == static_cast<std::size_t>(state.range(0)));
    }
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(std::get<aws::http_response>(result.outcome).body.size()));
}
BENCHMARK(decode_route_tables)->Args({1, 5})->Args({100, 5})->Args({100, 50})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vipd::bench
