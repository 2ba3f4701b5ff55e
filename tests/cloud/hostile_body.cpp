#include "tests/cloud/hostile_body.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::cloud {

namespace {

constexpr std::array<std::pair<hostile_kind, std::string_view>, 20> names{{
    {hostile_kind::truncated, "truncated"},
    {hostile_kind::cut, "cut"},
    {hostile_kind::endless, "endless"},
    {hostile_kind::large, "large"},
    {hostile_kind::deep, "deep"},
    {hostile_kind::entity_bomb, "entity_bomb"},
    {hostile_kind::wrong_type, "wrong_type"},
    {hostile_kind::redirect, "redirect"},
    {hostile_kind::garbage, "garbage"},
    {hostile_kind::wrong_root, "wrong_root"},
    {hostile_kind::empty, "empty"},
    {hostile_kind::error_in_success, "error_in_success"},
    {hostile_kind::invalid_utf8, "invalid_utf8"},
    {hostile_kind::odd_xml, "odd_xml"},
    {hostile_kind::duplicated, "duplicated"},
    {hostile_kind::bad_chunks, "bad_chunks"},
    {hostile_kind::length_too_large, "length_too_large"},
    {hostile_kind::informational_storm, "informational_storm"},
    {hostile_kind::huge_header, "huge_header"},
    {hostile_kind::no_http, "no_http"},
}};

constexpr std::string_view opening =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeRouteTablesResponse "
    "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
    "<requestId>00000000-0000-0000-0000-000000000000</requestId>\n<routeTableSet>\n";
constexpr std::string_view closing = "</routeTableSet></DescribeRouteTablesResponse>\n";
// A kilobyte of a table that nobody has.
const std::string filler_item =
    "<item><routeTableId>rtb-0fffffffffffffff0</routeTableId><tagSet><item><key>filler</key><value>" + std::string(880, 'x') +
    "</value></item></tagSet></item>\n";

std::uint64_t size_or(std::uint64_t size, std::uint64_t usual)
{
    return size == 0 ? usual : size;
}

wire_answer raw_bytes(std::string bytes, wire_answer::ending end)
{
    wire_answer out;
    out.raw = std::move(bytes);
    out.end = end;
    return out;
}

// `text` many times in memory would be what the client has to survive, not the simulator.
wire_answer filled(aws::http_response head, std::string filler, std::uint64_t count, std::string tail)
{
    wire_answer out{std::move(head), {}, std::move(filler), count, std::move(tail), {}, wire_answer::ending::keep_alive};
    if (count == endless) {
        out.end = wire_answer::ending::close;
    } else {
        out.announced_length = out.head.body.size() + out.filler.size() * count + out.tail.size();
    }
    return out;
}

std::string entity_bomb()
{
    std::string out = "<?xml version=\"1.0\"?>\n<!DOCTYPE bomb [\n<!ENTITY e0 \"boom\">\n";
    for (int i = 1; i < 10; ++i) {
        out += "<!ENTITY e" + std::to_string(i) + " \"";
        for (int j = 0; j < 10; ++j) {
            out += "&e" + std::to_string(i - 1) + ";";
        }
        out += "\">\n";
    }
    return out + "]>\n<DescribeRouteTablesResponse><requestId>&e9;</requestId></DescribeRouteTablesResponse>\n";
}

// The honest text with every "<item>...</item>" of a line-wise document repeated.
std::string with_lines_twice(const std::string& xml)
{
    std::string out;
    std::size_t at = 0;
    while (at < xml.size()) {
        const auto end = std::min(xml.find('\n', at), xml.size() - 1) + 1;
        const auto line = std::string_view(xml).substr(at, end - at);
        out += line;
        // A line with an element of its own: "<key>value</key>".
        if (line.find("</") != std::string_view::npos && line.find_first_not_of(" <") != std::string_view::npos &&
            line[line.find('<') + 1] != '/') {
            out += line;
        }
        at = end;
    }
    return out;
}

std::string odd_xml(std::string xml)
{
    const auto after_declaration = xml.find("?>") == std::string::npos ? 0 : xml.find("?>") + 2;
    xml.insert(after_declaration, "\n<!-- a comment -- not quite --><?php echo 1; ?>");
    const auto value = xml.find("<requestId>");
    if (value != std::string::npos) {
        xml.insert(value + 11, "<![CDATA[<]]>");
    }
    return "\xef\xbb\xbf" + xml;
}

wire_answer hostile_content(hostile_kind kind, std::uint64_t size, aws::http_response honest, random_source& random)
{
    wire_answer out{std::move(honest), {}, {}, 0, {}, {}, wire_answer::ending::keep_alive};
    auto& body = out.head.body;
    switch (kind) {
        case hostile_kind::truncated:
            out.announced_length = body.size();
            body.resize(std::min<std::size_t>(body.size(), size_or(size, body.size() / 2)));
            out.end = wire_answer::ending::close;
            break;
        case hostile_kind::cut:
            body.resize(std::min<std::size_t>(body.size(), size_or(size, body.size() / 2)));
            break;
        case hostile_kind::entity_bomb:
            body = entity_bomb();
            break;
        case hostile_kind::wrong_type:
            std::ranges::find(out.head.headers, "Content-Type", &aws::http_header::name)->value = "text/html";
            break;
        case hostile_kind::redirect:
            out.head.status = 307;
            out.head.headers.push_back({"Location", "https://elsewhere.example/"});
            break;
        case hostile_kind::garbage:
            body.resize(size_or(size, 1000));
            std::ranges::generate(body, [&] { return static_cast<char>(random.below(256)); });
            break;
        case hostile_kind::wrong_root:
            body = "<?xml version=\"1.0\"?>\n<ListBucketResult><Name>not what was asked for</Name></ListBucketResult>\n";
            break;
        case hostile_kind::empty:
            body.clear();
            break;
        case hostile_kind::error_in_success:
            body =
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InternalError</Code><Message>An "
                "internal "
                "error has "
                "occurred</Message></Error></Errors><RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>";
            break;
        case hostile_kind::invalid_utf8:
            body.insert(std::min(body.size(), body.find("</requestId>")), "\xc3\x28\xff\xfe");
            break;
        case hostile_kind::odd_xml:
            body = odd_xml(std::move(body));
            break;
        default:
            body = with_lines_twice(body);
            break;
    }
    return out;
}

}  // namespace

std::string_view to_string(hostile_kind kind)
{
    return std::ranges::find(names, kind, &std::pair<hostile_kind, std::string_view>::first)->second;
}

std::optional<hostile_kind> parse_hostile_kind(std::string_view text)
{
    const auto* found = std::ranges::find(names, text, &std::pair<hostile_kind, std::string_view>::second);
    return found == names.end() ? std::nullopt : std::optional{found->first};
}

wire_answer make_hostile(hostile_kind kind, std::uint64_t size, aws::http_response honest, random_source& random)
{
    using ending = wire_answer::ending;
    const std::string status_line = "HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=UTF-8\r\n";
    switch (kind) {
        case hostile_kind::endless:
            honest.body = opening;
            return filled(std::move(honest), filler_item, endless, {});
        case hostile_kind::large:
            honest.body = opening;
            return filled(std::move(honest), filler_item, size_or(size, 100U << 20U) / filler_item.size(),
                          std::string(closing));
        case hostile_kind::deep: {
            const auto depth = size_or(size, 100'000);
            honest.body = opening;
            // The way down as filler; the way up never comes, which an honest parser finds out only at the end.
            return filled(std::move(honest), "<item>", depth, std::string(closing));
        }
        case hostile_kind::bad_chunks:
            return raw_bytes(status_line + "Transfer-Encoding: chunked\r\n\r\nzz\r\n<xml/>\r\n-1\r\n", ending::close);
        case hostile_kind::length_too_large:
            return raw_bytes(status_line + "Content-Length: " + std::to_string(honest.body.size() + size_or(size, 100)) +
                                 "\r\n\r\n" + honest.body,
                             ending::hang);
        case hostile_kind::informational_storm: {
            auto out = raw_bytes("", ending::close);
            out.filler = "HTTP/1.1 100 Continue\r\n\r\n";
            out.filler_count = endless;
            return out;
        }
        case hostile_kind::huge_header:
            return raw_bytes(status_line + "X-Filler: " + std::string(size_or(size, 1U << 20U), 'x') +
                                 "\r\nContent-Length: " + std::to_string(honest.body.size()) + "\r\n\r\n" + honest.body,
                             ending::keep_alive);
        case hostile_kind::no_http:
            return raw_bytes("SSH-2.0-OpenSSH_9.2\r\n", ending::close);
        default:
            return hostile_content(kind, size, std::move(honest), random);
    }
}

}  // namespace vipd::cloud
