// Bytes of an HTTP client, through the reader and with the bounds of the server, and the requests among them to the responder.
//
// Input: the first byte is the transport and the size of the pieces in which the rest arrives. Whatever it is:
//  - the requests in it are the same in one piece as in many;
//  - what is kept of it while more is wanted is bounded, and so is every part of a request;
//  - a refusal is one of three.

#include "agent/io/http_server.hpp"
#include "agent/io/request_reader.hpp"
#include "common/ensure.hpp"
#include "tests/support/fake_node.hpp"
#include "tests/support/reply_check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace vipd;
using progress = io::request_reader::progress;

const std::uint32_t head_bytes_max = io::http_server::limits{}.head_bytes_max;

struct outcome {
    std::vector<io::request_reader::received> requests;
    unsigned refused = 0;
    bool is_idle = true;
};

// Of the same bytes, cut in two ways. What is wrong in the middle of a head may be found out when the rest of it has come.
bool same(const outcome& a, const outcome& b)
{
    const auto equal = [](const io::request_reader::received& x, const io::request_reader::received& y) {
        return x.request.method == y.request.method && x.request.target == y.request.target &&
               x.request.host == y.request.host && x.request.accept == y.request.accept &&
               x.request.last_event_id == y.request.last_event_id && x.request.body == y.request.body &&
               x.version == y.version && x.keep_alive == y.keep_alive;
    };
    return std::equal(a.requests.begin(), a.requests.end(), b.requests.begin(), b.requests.end(), equal) &&
           (a.refused != 0 || b.refused != 0 || a.is_idle == b.is_idle);
}

void check(const io::request_reader::received& got, bool from_unix_socket)
{
    const auto& r = got.request;
    const auto is_word = [](const std::string& text) {
        return !text.empty() &&
               std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > ' '; });
    };
    ENSURE(is_word(r.method) && is_word(r.target));
    for (const auto* value : {&r.host, &r.accept, &r.last_event_id}) {
        ENSURE(value->find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos);
    }
    ENSURE(r.method.size() + r.target.size() + r.host.size() + r.accept.size() + r.last_event_id.size() < head_bytes_max);
    ENSURE(r.body.size() <= status::request_body_size_max);
    ENSURE(r.from_unix_socket == from_unix_socket);
    ENSURE(got.version == 10 || got.version == 11);
}

outcome read(byte_view bytes, std::size_t piece_size, bool from_unix_socket)
{
    io::request_reader reader(head_bytes_max, from_unix_socket);
    outcome out;
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(piece_size, bytes.size()));
        bytes = bytes.subspan(piece.size());
        auto reached = reader.put(piece);
        while (reached == progress::done) {
            out.requests.push_back(reader.take());
            check(out.requests.back(), from_unix_socket);
            reached = reader.put({});
        }
        if (reached == progress::failed) {
            out.refused = reader.problem().status;
            ENSURE(out.refused == 400 || out.refused == 413 || out.refused == 431);
            ENSURE(!reader.problem().text.empty());
            return out;
        }
        ENSURE(reader.bytes_kept() <= head_bytes_max);
        out.is_idle = reader.is_idle();
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1) {
        return 0;
    }
    const bool from_unix_socket = (data[0] & 1U) != 0;
    const byte_view bytes{data + 1, size - 1};
    const auto whole = read(bytes, size, from_unix_socket);
    ENSURE(same(whole, read(bytes, data[0] / 2U + 1U, from_unix_socket)));

    status::test::fake_node node;
    node.routers = {status::test::sample_router("haproxy"), status::test::sample_backup("web")};
    node.events = {status::test::sample_event(1, "one"), status::test::sample_event(2, "two")};
    for (std::size_t i = 0; i < std::min<std::size_t>(whole.requests.size(), 3); ++i) {
        check_reply(node, whole.requests[i].request, data[0], size);
    }
    return 0;
}
