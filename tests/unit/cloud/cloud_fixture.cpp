#include "tests/unit/cloud/cloud_fixture.hpp"

#include "common/bytes.hpp"
#include "tests/cloud/wire_time.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace vipd::cloud {

namespace {

using digest = std::array<std::uint8_t, 32>;

byte_view bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

digest sha256(std::string_view text)
{
    digest out{};
    EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
    return out;
}

digest keyed(byte_view key, std::string_view text)
{
    digest out{};
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text).data(), text.size(), out.data(), nullptr);
    return out;
}

// "2026-01-01T00:00:00Z" without its punctuation.
std::string amz_date(wall_time time)
{
    auto text = iso_time(time);
    std::erase(text, '-');
    std::erase(text, ':');
    return text;
}

std::string encoded(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            out += "%" + to_hex({&byte, 1});
        }
    }
    return out;
}

}  // namespace

aws::http_request signed_request(const std::string& form, const access_key& key, wall_time now, const std::string& region,
                                 const std::string& service)
{
    const auto date = amz_date(now);
    const auto day = date.substr(0, 8);
    const auto scope = day + "/" + region + "/" + service + "/aws4_request";
    aws::http_request request{"POST", "/", {{"Host", "ec2.test"}, {"X-Amz-Date", date}}, form};
    std::string canonical = "POST\n/\n\nhost:ec2.test\nx-amz-date:" + date + "\n";
    std::string names = "host;x-amz-date";
    if (!key.token.empty()) {
        request.headers.push_back({"X-Amz-Security-Token", key.token});
        canonical += "x-amz-security-token:" + key.token + "\n";
        names += ";x-amz-security-token";
    }
    canonical += "\n" + names + "\n" + to_hex(sha256(form));
    const auto to_sign = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + to_hex(sha256(canonical));
    const auto day_key = keyed(bytes_of("AWS4" + key.secret), day);
    const auto signing_key = keyed(keyed(keyed(day_key, region), service), "aws4_request");
    request.headers.push_back({"Authorization", "AWS4-HMAC-SHA256 Credential=" + key.id + "/" + scope + ", SignedHeaders=" +
                                                    names + ", Signature=" + to_hex(keyed(signing_key, to_sign))});
    return request;
}

std::string cloud_test::form(const std::string& action, const parameters& values)
{
    std::string out = "Action=" + action + "&Version=2016-11-15";
    for (const auto& [name, value] : values) {
        out += "&" + name + "=" + encoded(value);
    }
    return out;
}

cloud_test::parameters cloud_test::route(const std::string& table, const std::string& interface, const std::string& destination)
{
    return {{"RouteTableId", table}, {"DestinationCidrBlock", destination}, {"NetworkInterfaceId", interface}};
}

planned_reply cloud_test::send(const std::string& action, const parameters& values)
{
    const auto request = signed_request(form(action, values), operator_key(), now.wall);
    return cloud.handle_ec2(now, request, {ip_address::v4(10, 0, 1, 10), {}});
}

collected_reply cloud_test::ask(const std::string& action, const parameters& values)
{
    const auto planned = send(action, values);
    if (planned.reply_at != never && planned.reply_at > now.steady) {
        pass(planned.reply_at - now.steady);
    }
    return cloud.collect(now, planned.id);
}

pugi::xml_document cloud_test::get(const std::string& action, const parameters& values)
{
    const auto reply = ask(action, values);
    EXPECT_EQ(reply.record.status, 200U) << reply.answer.head.body;
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(reply.answer.head.body.c_str()));
    return document;
}

std::string cloud_test::verdict(const std::string& action, const parameters& values)
{
    const auto record = ask(action, values).record;
    return std::to_string(record.status) + (record.code.empty() ? "" : " " + record.code);
}

std::string cloud_test::message(const std::string& action, const parameters& values)
{
    pugi::xml_document document;
    document.load_string(ask(action, values).answer.head.body.c_str());
    return document.child("Response").child("Errors").child("Error").child_value("Message");
}

std::string cloud_test::owner(const std::string& table)
{
    const auto* found = cloud.model().primary().table(route_table_id{table});
    const auto* held = found == nullptr ? nullptr : found->static_route(*ip_prefix::parse(virtual_ip));
    return held == nullptr ? std::string{} : held->target.id;
}

aws::http_response cloud_test::imds(const std::string& method, const std::string& path,
                                    const std::vector<aws::http_header>& headers, const std::string& node)
{
    const auto planned = cloud.handle_imds(now, {method, path, headers, ""}, {ip_address{}, instance_id{node}});
    return cloud.collect(now, planned.id).answer.head;
}

std::string cloud_test::imds_token(int seconds, const std::string& node)
{
    return imds("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", std::to_string(seconds)}}, node).body;
}

std::string cloud_test::imds_text(const std::string& path, const std::string& node)
{
    const auto response = imds("GET", path, {{"X-aws-ec2-metadata-token", imds_token(60, node)}}, node);
    return response.status == 200 ? response.body : std::to_string(response.status);
}

}  // namespace vipd::cloud
