// Signs and verifies requests for sigv4_oracle.py: one JSON object a line in, one a line out, until there are no more.
//
//   {"op": "sign", "method", "target", "headers": [[name, value]...], "body": hex, "region", "service", "key", "secret",
//    "token", "time": seconds}  ->  {"headers": [[name, value]...], "canonical": text}
//   {"op": "assume_role", "role", "session", "external_id", "duration": seconds, "host", "region", "key", "secret", "token",
//    "time"}  ->  {"headers": [[name, value]...], "body": text}
//   {"op": "verify", "method", "target", "headers", "body", "secret"}  ->  {"claimed": hex, "expected": hex} or {"error": text}

#include "agent/aws/sigv4.hpp"
#include "agent/aws/sts.hpp"
#include "common/bytes.hpp"

#include <boost/json.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace vipd;
using namespace vipd::aws;

std::string text_at(const boost::json::object& o, const char* key)
{
    return std::string{o.at(key).as_string()};
}

http_request request_from(const boost::json::object& o)
{
    http_request request;
    request.method = text_at(o, "method");
    request.target = text_at(o, "target");
    for (const auto& header : o.at("headers").as_array()) {
        const auto& pair = header.as_array();
        request.headers.push_back({std::string{pair.at(0).as_string()}, std::string{pair.at(1).as_string()}});
    }
    const auto body = from_hex(text_at(o, "body"));
    request.body.assign(body.begin(), body.end());
    return request;
}

credentials keys_from(const boost::json::object& o)
{
    return {text_at(o, "key"), text_at(o, "secret"), text_at(o, "token"), {}};
}

wall_time time_from(const boost::json::object& o)
{
    return wall_time{std::chrono::seconds{o.at("time").to_number<std::int64_t>()}};
}

boost::json::array to_json(const std::vector<http_header>& headers)
{
    boost::json::array all;
    for (const auto& header : headers) {
        all.push_back(boost::json::array{header.name, header.value});
    }
    return all;
}

boost::json::object sign_one(const boost::json::object& o, signer& keeps_keys)
{
    auto request = request_from(o);
    const auto region = text_at(o, "region");
    const auto service = text_at(o, "service");
    keeps_keys.sign(request, {region, service}, keys_from(o), time_from(o));
    return {{"headers", to_json(request.headers)}, {"canonical", canonical_request(request)}};
}

boost::json::object assume_role_one(const boost::json::object& o)
{
    const assumed_role role{.profile = "oracle",
                            .role_arn = text_at(o, "role"),
                            .session_name = text_at(o, "session"),
                            .external_id = text_at(o, "external_id"),
                            .duration_seconds = o.at("duration").to_number<std::uint32_t>()};
    const sts_place place{{true, text_at(o, "host"), 443}, text_at(o, "region")};
    const auto request = assume_role_request(role, place, keys_from(o), time_from(o)).request;
    return {{"headers", to_json(request.headers)}, {"body", request.body}};
}

boost::json::object verify_one(const boost::json::object& o)
{
    const auto request = request_from(o);
    const auto claim = parse_authorization(find_header(request.headers, "authorization").value_or(""));
    if (!claim) {
        return {{"error", claim.error().text}};
    }
    const auto expected = expected_signature(request, *claim, text_at(o, "secret"));
    if (!expected) {
        return {{"error", expected.error().text}};
    }
    return {{"claimed", claim->signature}, {"expected", *expected}};
}

}  // namespace

int main()
{
    vipd::aws::signer keeps_keys;
    for (std::string line; std::getline(std::cin, line);) {
        const auto value = boost::json::parse(line);
        const auto& o = value.as_object();
        const auto op = text_at(o, "op");
        const auto answer = op == "sign" ? sign_one(o, keeps_keys) : op == "assume_role" ? assume_role_one(o) : verify_one(o);
        std::cout << boost::json::serialize(answer) << '\n';
    }
}
