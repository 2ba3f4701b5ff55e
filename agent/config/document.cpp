#include "agent/config/document.hpp"

#include "agent/config/text.hpp"

#include <fmt/format.h>
#include <toml.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

namespace vipd::config {

namespace {

using toml_value = toml::basic_value<toml::discard_comments, std::map, std::vector>;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool is_bare_key_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// The library descends by recursion, and its work grows with the square of a line's length. So the text is looked over first:
// brackets and dots outside of texts and comments are what makes it deep.
class bounds_check {
public:
    explicit bounds_check(std::string_view text) : text_(text) {}

    std::optional<std::pair<std::size_t, std::string>> run()
    {
        while (at_ < text_.size()) {
            step();
            if (depth_ > nesting_max || dots_ > nesting_max) {
                return std::pair{at_ - 1,
                                 fmt::format("nested more than {} levels deep; no key of vipd is that deep", nesting_max)};
            }
            if (at_ - line_start_ > line_size_max) {
                return std::pair{line_start_, fmt::format("a line of more than {} bytes; break it: a list may have a line for "
                                                          "each of its elements",
                                                          line_size_max)};
            }
        }
        return std::nullopt;
    }

private:
    void step()
    {
        const char c = text_[at_];
        if (quote_ != 0) {
            step_in_text(c);
            return;
        }
        ++at_;
        switch (c) {
            case '\n':
                line_start_ = at_;
                dots_ = 0;
                break;
            case '#':
                at_ = std::min(text_.find('\n', at_), text_.size());
                break;
            case '"':
            case '\'':
                quote_ = c;
                triple_ = text_.substr(at_, 2) == std::string(2, c);
                at_ += triple_ ? 2 : 0;
                break;
            case '[':
            case '{':
                ++depth_;
                break;
            case ']':
            case '}':
                depth_ -= depth_ > 0 ? 1 : 0;
                break;
            case '.':
                ++dots_;
                break;
            case ',':
            case '=':
                dots_ = 0;
                break;
            default:
                break;
        }
    }

    void step_in_text(char c)
    {
        if (c == '\\' && quote_ == '"' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
            at_ += 2;
            return;
        }
        ++at_;
        if (c == '\n') {
            line_start_ = at_;
            // A text on one line that is not closed is an error that the library reports; what follows is read as if it were.
            quote_ = triple_ ? quote_ : '\0';
        } else if (c == quote_ && !triple_) {
            quote_ = 0;
        } else if (c == quote_ && text_.substr(at_, 2) == std::string(2, c)) {
            at_ += 2;
            quote_ = 0;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    unsigned depth_ = 0;
    unsigned dots_ = 0;
    char quote_ = 0;
    bool triple_ = false;
};

// Where the key of the value at `value_offset` begins, found backwards from the value: the library keeps no place for keys.
std::size_t key_offset(std::string_view text, std::size_t value_offset)
{
    std::size_t at = value_offset;
    const auto skip_blanks = [&] {
        while (at > 0 && is_blank(text[at - 1])) {
            --at;
        }
    };
    skip_blanks();
    if (at == 0 || text[at - 1] != '=') {
        return value_offset;  // a header, which is its own key
    }
    --at;
    skip_blanks();
    if (at == 0) {
        return value_offset;
    }
    const char last = text[at - 1];
    if (last == '"' || last == '\'') {
        --at;
        while (at > 0 && text[at - 1] != last && text[at - 1] != '\n') {
            --at;
        }
        return at > 0 ? at - 1 : 0;
    }
    while (at > 0 && is_bare_key_character(text[at - 1])) {
        --at;
    }
    return at;
}

class converter {
public:
    explicit converter(std::string_view text) : text_(text) {}

    [[nodiscard]] node convert(const toml_value& from) const
    {
        node to;
        to.offset = offset_of(from);
        switch (from.type()) {
            case toml::value_t::boolean:
                to.value = from.as_boolean();
                break;
            case toml::value_t::integer:
                to.value = from.as_integer();
                break;
            case toml::value_t::string:
                to.value = from.as_string().str;
                break;
            case toml::value_t::floating:
                to.value = number_with_point{};
                break;
            case toml::value_t::array:
                to.value = convert_list(from);
                break;
            case toml::value_t::table:
                to.value = convert_table(from);
                break;
            default:
                to.value = date_or_time{};
                break;
        }
        return to;
    }

private:
    static std::size_t offset_of(const toml_value& value)
    {
        const auto* region = dynamic_cast<const toml::detail::region*>(toml::detail::get_region(value));
        return region == nullptr ? 0 : static_cast<std::size_t>(std::distance(region->begin(), region->first()));
    }

    [[nodiscard]] list convert_list(const toml_value& from) const
    {
        list to;
        to.reserve(from.as_array().size());
        for (const auto& element : from.as_array()) {
            to.push_back(convert(element));
        }
        return to;
    }

    [[nodiscard]] table convert_table(const toml_value& from) const
    {
        table to;
        to.reserve(from.as_table().size());
        for (const auto& [key, value] : from.as_table()) {
            member m{key, 0, convert(value)};
            m.offset = key_offset(text_, m.value.offset);
            to.push_back(std::move(m));
        }
        std::ranges::stable_sort(to, {}, &member::offset);
        return to;
    }

    std::string_view text_;
};

// "[error] toml::parse_table: invalid line format" -> "invalid line format"
std::string_view title_of(std::string_view what)
{
    auto title = what.substr(0, what.find('\n'));
    constexpr std::string_view severity = "[error] ";
    if (title.starts_with(severity)) {
        title.remove_prefix(severity.size());
    }
    if (title.starts_with("toml::")) {
        const auto colon = title.find(": ");
        title = colon == std::string_view::npos ? std::string_view{} : title.substr(colon + 2);
    }
    return title;
}

struct underlined {
    position where;
    std::string_view note;
};

// The library's picture of the last place it names is more exact than the location beside it:
//
//      2 | a = 1 2
//        |       ^--- expected newline, but got '2'.
std::optional<underlined> read_picture(std::string_view what)
{
    std::optional<underlined> last;
    std::string_view before;
    while (!what.empty()) {
        const auto line = what.substr(0, what.find('\n'));
        what.remove_prefix(std::min(line.size() + 1, what.size()));
        const auto bar = line.find("| ");
        const auto mark = line.find_first_not_of(' ', bar == std::string_view::npos ? 0 : bar + 1);
        const bool is_picture = bar != std::string_view::npos && line.find_first_not_of(' ') == bar &&
                                mark != std::string_view::npos && (line[mark] == '^' || line[mark] == '~');
        const auto digits = before.find_first_not_of(' ');
        if (is_picture && digits != std::string_view::npos) {
            underlined found;
            const auto [end, failure] =
                std::from_chars(before.data() + digits, before.data() + before.size(), found.where.line);
            if (failure == std::errc{} && end != before.data() + before.size() && *end == ' ') {
                found.where.column = mark - bar - 1;
                const auto note = line.find_first_not_of("^~- ", mark);
                found.note = note == std::string_view::npos ? std::string_view{} : line.substr(note);
                last = found;
            }
        }
        before = line;
    }
    return last;
}

syntax_error describe(const toml::exception& e)
{
    const std::string_view what = e.what();
    syntax_error error;
    error.where = {e.location().line(), e.location().column()};
    std::string_view note;
    if (const auto picture = read_picture(what)) {
        error.where = picture->where;
        note = picture->note;
    }
    auto title = title_of(what);
    if (title.empty()) {
        title = note;
    } else if (note.starts_with("expected")) {
        error.text = fmt::format("is not valid TOML: {}: {}", title, note);
    }
    if (error.text.empty()) {
        error.text = fmt::format("is not valid TOML: {}", title);
    }
    while (error.text.ends_with('.')) {
        error.text.pop_back();
    }
    error.text = printable(error.text, 512);
    return error;
}

}  // namespace

const node* find(const table& in, std::string_view key)
{
    const auto found = std::ranges::find(in, key, &member::key);
    return found == in.end() ? nullptr : &found->value;
}

line_index::line_index(std::string_view text) : text_(text), line_starts_{0}
{
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        line_starts_.push_back(at + 1);
    }
}

position line_index::at(std::size_t offset) const
{
    offset = std::min(offset, text_.size());
    const auto next = std::ranges::upper_bound(line_starts_, offset);
    const auto start = *(next - 1);
    auto before = text_.substr(start, offset - start);
    if (start == 0 && before.starts_with(byte_order_mark)) {
        before.remove_prefix(byte_order_mark.size());
    }
    const auto characters =
        std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    return {static_cast<std::size_t>(next - line_starts_.begin()), static_cast<std::size_t>(characters) + 1};
}

std::variant<node, syntax_error> parse_document(std::string_view text)
{
    if (text.size() > text_size_max) {
        return syntax_error{{1, 1}, fmt::format("found {} bytes; allowed are {} at most", text.size(), text_size_max)};
    }
    // The library reads outside of its buffer where the text is not UTF-8.
    if (const auto at = find_invalid_utf8(text); at != std::string_view::npos) {
        return syntax_error{line_index{text}.at(at),
                            fmt::format("found the byte 0x{:02x}, which is not UTF-8; save the file as UTF-8",
                                        static_cast<unsigned char>(text[at]))};
    }
    if (auto excess = bounds_check{text}.run()) {
        return syntax_error{line_index{text}.at(excess->first), std::move(excess->second)};
    }
    try {
        std::istringstream stream{std::string(text)};
        const toml_value root = toml::parse<toml::discard_comments, std::map, std::vector>(stream);
        return converter{text}.convert(root);
    } catch (const toml::exception& e) {
        return describe(e);
    } catch (const std::exception&) {
        return syntax_error{{1, 1}, "is not valid TOML; the place is not known"};
    }
}

}  // namespace vipd::config
