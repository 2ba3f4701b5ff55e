#pragma once

// A TOML text as a tree whose every value knows where it stands. This is all that the rest of the configuration sees of TOML:
// the library that reads it is known to document.cpp alone.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::config {

// What a text may be at most, so that reading it stays bounded in time and memory.
inline constexpr std::size_t text_size_max = 1U << 20U;
inline constexpr std::size_t line_size_max = 8192;
inline constexpr unsigned nesting_max = 16;

struct node;
struct member;
using list = std::vector<node>;
using table = std::vector<member>;  // in the order of the text

// A floating-point number, or a date or time: nothing of ours is one.
struct number_with_point {};
struct date_or_time {};

struct node {
    std::size_t offset = 0;  // of its first byte; for [table] and [[table]] that of the header
    std::variant<bool, std::int64_t, std::string, number_with_point, date_or_time, list, table> value;

    [[nodiscard]] const table* as_table() const { return std::get_if<table>(&value); }
    [[nodiscard]] const list* as_list() const { return std::get_if<list>(&value); }
};

struct member {
    std::string key;
    std::size_t offset = 0;  // of the key
    node value;
};

// Null when there is none.
const node* find(const table& in, std::string_view key);

struct position {
    std::size_t line = 1;
    std::size_t column = 1;  // in characters
};

// Turns offsets into lines and columns. Refers to the text.
class line_index {
public:
    explicit line_index(std::string_view text);
    [[nodiscard]] position at(std::size_t offset) const;

private:
    std::string_view text_;
    std::vector<std::size_t> line_starts_;
};

struct syntax_error {
    position where;
    std::string text;  // names no value of the file: it may be a secret
};

// Never throws.
std::variant<node, syntax_error> parse_document(std::string_view text);

}  // namespace vipd::config
