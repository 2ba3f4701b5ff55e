// Any request, with any state of the routers behind it, gets an answer that is bounded and well formed. What HTTP's wire would
// not let through is asked as well; bytes on that wire are the target http_bytes.
//
// Input: the first byte chooses method and transport, the second what happens to the routers while the body is drawn; then the
// target, Accept, Last-Event-ID and the body, one a line.

#include "agent/status/http.hpp"
#include "tests/support/fake_node.hpp"
#include "tests/support/reply_check.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace vipd::status;
using namespace vipd::status::test;

constexpr std::array<std::string_view, 8> methods = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "", "\xff"};

std::string take_line(std::string_view& rest)
{
    const auto end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
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
    check_reply(node, request, data[1], size);
    return 0;
}
