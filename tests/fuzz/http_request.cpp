// Any request, with any state of the routers behind it, gets an answer that is bounded and well formed.
//
// Input: the first byte chooses method and transport, the second what happens to the routers while the body is drawn; then the
// target, Accept, Last-Event-ID and the body, one a line.

#include "agent/status/http.hpp"
#include "agent/status/target.hpp"
#include "common/ensure.hpp"
#include "tests/support/fake_node.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace vipd::status;
using namespace vipd::status::test;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 8> methods = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "", "\xff"};

std::string take_line(std::string_view& rest)
{
    const auto end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::string drawn_body(http_reply& reply, fake_node& node, std::uint8_t change)
{
    if (const auto* text = std::get_if<std::string>(&reply.body)) {
        return *text;
    }
    auto& body = *std::get<std::unique_ptr<body_source>>(reply.body);
    const bool endless = reply.content_type == "text/event-stream";
    std::string out;
    for (unsigned calls = 0;; ++calls) {
        ENSURE(endless || calls < 1000);
        if (endless && calls == 50) {
            return out;
        }
        if (calls == change % 16U) {
            node.insert_router(change / 16U % 3U, sample_router("new"));
            node.erase_router(1);
        }
        auto chunk = body.next(at(calls * 1s));
        if (std::holds_alternative<finished>(chunk)) {
            return out;
        }
        if (const auto* piece = std::get_if<std::string>(&chunk)) {
            ENSURE(!piece->empty());
            ENSURE(piece->size() < 100'000);
            out += *piece;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) {
        return 0;
    }
    std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
    http_request request;
    request.method = methods[data[0] % 8U];
    request.from_unix_socket = (data[0] & 8U) != 0;
    request.target = take_line(rest);
    request.accept = take_line(rest);
    request.last_event_id = take_line(rest);
    request.body = rest;

    fake_node node;
    // A name and an error that are whatever was sent.
    node.routers = {sample_router("haproxy"), sample_backup(request.target), sample_in_trouble("web")};
    node.routers[2].resources[0].last_error = request.body;
    node.events = {sample_event(1, request.body), sample_event(2, request.target)};
    fake_commands commands;
    responder endpoint(node, commands);
    auto reply = endpoint.respond(at({}), request);
    const auto text = drawn_body(reply, node, data[1]);

    ENSURE(reply.status >= 200 && reply.status < 600);
    ENSURE(!reply.content_type.empty());
    ENSURE(text.size() < 1'000'000 + 20 * size);
    ENSURE(request.from_unix_socket || commands.calls.empty());
    if (reply.content_type == "application/json") {
        boost::system::error_code failure;
        const auto value = boost::json::parse(text, failure);
        ENSURE(!failure);
    }
    for (const auto& [name, value] : reply.headers) {
        ENSURE(value.find_first_of("\r\n") == std::string::npos);
    }
    return 0;
}
