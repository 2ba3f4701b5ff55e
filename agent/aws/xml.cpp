#include "agent/aws/xml.hpp"

#include "agent/aws/text.hpp"

namespace vipd::aws {

namespace {

// The end of a tag that starts at `open`: the position of its '>', with '>' in quoted attribute values passed over.
std::size_t end_of_tag(std::string_view text, std::size_t open)
{
    char quote = 0;
    for (std::size_t i = open + 1; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return i;
        }
    }
    return std::string_view::npos;
}

// Where the markup that starts at `open` and is no element ends, or npos: comments, character data, processing instructions.
std::size_t end_of_other(std::string_view text, std::size_t open)
{
    const auto rest = text.substr(open);
    const auto after = [&](std::string_view start, std::string_view end) -> std::size_t {
        const auto found = text.find(end, open + start.size());
        return found == std::string_view::npos ? found : found + end.size() - 1;
    };
    if (rest.starts_with("<!--")) {
        return after("<!--", "-->");
    }
    if (rest.starts_with("<![CDATA[")) {
        return after("<![CDATA[", "]]>");
    }
    if (rest.starts_with("<?")) {
        return after("<?", "?>");
    }
    return std::string_view::npos;
}

xml_verdict measure(std::string_view text)
{
    unsigned depth = 0;
    unsigned elements = 0;
    std::size_t open = text.find('<');
    while (open != std::string_view::npos) {
        const char next = open + 1 < text.size() ? text[open + 1] : '\0';
        const bool is_element = next != '!' && next != '?';
        const auto close = is_element ? end_of_tag(text, open) : end_of_other(text, open);
        if (close == std::string_view::npos) {
            return xml_verdict::unreadable;
        }
        if (is_element && next == '/') {
            if (depth == 0) {
                return xml_verdict::unreadable;
            }
            --depth;
        } else {
            // Comments and the like count too: they may become nodes, and EC2 sends none.
            ++elements;
            const bool stays_open = is_element && text[close - 1] != '/';
            depth += stays_open ? 1 : 0;
        }
        if (depth > xml_depth_max) {
            return xml_verdict::unreadable;
        }
        if (elements > xml_elements_max) {
            return xml_verdict::too_many_elements;
        }
        open = text.find('<', close + 1);
    }
    return depth == 0 && elements > 0 ? xml_verdict::readable : xml_verdict::unreadable;
}

}  // namespace

xml_verdict parse_xml(std::string_view text, pugi::xml_document& out)
{
    const auto verdict = measure(text);
    if (verdict != xml_verdict::readable) {
        return verdict;
    }
    // parse_default knows the five predefined entities and character references; pugixml expands no others.
    const auto parsed = out.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!parsed) {
        out.reset();
        return xml_verdict::unreadable;
    }
    return xml_verdict::readable;
}

std::string_view child_text(const pugi::xml_node& node, const char* name)
{
    return trim(node.child(name).text().get());
}

}  // namespace vipd::aws
