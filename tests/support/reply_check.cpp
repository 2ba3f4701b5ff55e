#include "tests/support/reply_check.hpp"

#include "common/ensure.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <variant>

namespace vipd::status::test {

namespace {

using namespace std::chrono_literals;

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

void check_reply(fake_node& node, const http_request& request, std::uint8_t change, std::size_t asked_size)
{
    fake_commands commands;
    responder endpoint(node, commands);
    auto reply = endpoint.respond(at({}), request);
    const auto text = drawn_body(reply, node, change);

    ENSURE(reply.status >= 200 && reply.status < 600);
    ENSURE(!reply.content_type.empty());
    ENSURE(text.size() < 1'000'000 + 20 * asked_size);
    ENSURE(request.from_unix_socket || commands.calls.empty());
    if (reply.content_type == "application/json") {
        boost::system::error_code failure;
        const auto value = boost::json::parse(text, failure);
        ENSURE(!failure);
    }
    for (const auto& [name, value] : reply.headers) {
        ENSURE(value.find_first_of("\r\n") == std::string::npos);
    }
}

}  // namespace vipd::status::test
