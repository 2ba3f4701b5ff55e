#include "agent/cli/http_text.hpp"

#include "agent/aws/http_message.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace vipd::cli {

namespace {

constexpr std::string_view line_end = "\r\n";

error not_an_answer(std::string_view why)
{
    return {error_class::malformed,
            fmt::format("what answered does not speak vipd's HTTP ({}); is another program listening on this socket?", why)};
}

error cut_short()
{
    return {error_class::unavailable, "the answer ended before it was complete; the daemon may just have stopped: ask again"};
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10)
{
    Number number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

// Takes up to the next CR LF away from `text`, and that too.
std::optional<std::string_view> take_line(std::string_view& text)
{
    const auto end = text.find(line_end);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + line_end.size());
    return line;
}

struct framing {
    std::optional<std::size_t> length;
    bool is_chunked = false;
};

result<framing> read_headers(std::string_view& text)
{
    framing found;
    while (true) {
        const auto line = take_line(text);
        if (!line) {
            return cut_short();
        }
        if (line->empty()) {
            return found;
        }
        const auto colon = line->find(':');
        if (colon == std::string_view::npos) {
            return not_an_answer("a header without a colon");
        }
        const auto name = line->substr(0, colon);
        auto value = line->substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        value = value.substr(0, value.find_last_not_of(" \t") + 1);
        if (aws::equal_ignoring_case(name, "Content-Length")) {
            found.length = parse_number<std::size_t>(value);
            if (!found.length) {
                return not_an_answer("a length that is no number");
            }
        } else if (aws::equal_ignoring_case(name, "Transfer-Encoding")) {
            found.is_chunked = aws::equal_ignoring_case(value, "chunked");
        }
    }
}

result<std::string> join_chunks(std::string_view text)
{
    std::string body;
    while (true) {
        const auto line = take_line(text);
        if (!line) {
            return cut_short();
        }
        const auto size = parse_number<std::size_t>(line->substr(0, line->find(';')), 16);
        if (!size) {
            return not_an_answer("a chunk without a size");
        }
        if (*size == 0) {
            return body;
        }
        if (text.size() < line_end.size() || *size > text.size() - line_end.size()) {
            return cut_short();
        }
        body.append(text.substr(0, *size));
        text.remove_prefix(*size);
        if (!text.starts_with(line_end)) {
            return not_an_answer("a chunk that is longer than it says");
        }
        text.remove_prefix(line_end.size());
    }
}

}  // namespace

std::string to_text(const http_request& request)
{
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n",
                                   request.method, request.target);
    if (!request.body.empty()) {
        text += "Content-Type: application/json\r\n";
    }
    if (!request.body.empty() || request.method != "GET") {
        text += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    return text + "\r\n" + request.body;
}

result<http_reply> parse_reply(std::string_view text, ending how)
{
    if (text.empty()) {
        return cut_short();
    }
    // "HTTP/1.1 200 OK"
    const auto status_line = take_line(text);
    if (!status_line || !status_line->starts_with("HTTP/1.") || status_line->size() < 12) {
        return not_an_answer("no status line");
    }
    const auto status = parse_number<unsigned>(status_line->substr(9, 3));
    if (!status) {
        return not_an_answer("no status");
    }
    const auto framed = read_headers(text);
    if (!framed) {
        return framed.error();
    }
    http_reply reply{*status, {}};
    if (framed->is_chunked) {
        auto body = join_chunks(text);
        if (!body) {
            return body.error();
        }
        reply.body = std::move(*body);
        return reply;
    }
    const bool is_cut = framed->length ? text.size() < *framed->length : how == ending::broken_off;
    if (is_cut) {
        return cut_short();
    }
    reply.body = std::string(framed->length ? text.substr(0, *framed->length) : text);
    return reply;
}

}  // namespace vipd::cli
