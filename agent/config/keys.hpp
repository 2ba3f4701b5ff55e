#pragma once

// Every key of the configuration file, once: what it is called, what it may be, and what it does. Loading, the messages about
// unknown keys and wrong values, and the reference that `vipd check --reference` prints all read this table. Defaults are not
// here; they are the initial values of the structs in config/config.hpp.

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::config {

struct boolean_rule {};

struct integer_rule {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

struct duration_rule {
    duration low{};
    duration high{};
};

// One of these. Where the setting is an enum (or a bool) its values are in the same order, from 0.
struct word_rule {
    std::span<const std::string_view> words;
};

// A text of a form of its own.
struct text_rule {
    std::string_view form;      // as a message says it: "an IP address"
    std::size_t bytes_max = 0;  // 0: the form decides
    bool (*holds)(std::string_view) = nullptr;
    bool may_be_empty = false;
};

// A list in [ ] of between `low` and `high` texts of a form (or tables, where the section says so).
struct list_rule {
    std::size_t low = 0;
    std::size_t high = 0;
    std::string_view of;
};

// A table: [aws] or name = { ... }.
struct table_rule {
    std::string_view header;  // how it is written
};

// [[router]]: a list of tables, up to `high` of them.
struct tables_rule {
    std::string_view header;
    std::size_t high = 0;
};

// A key that the design names and this version does not act on: refused, so that nobody relies on it.
struct refused_rule {
    std::string_view purpose;  // what it would do, as a verb: "move a network interface"
};

using value_rule = std::variant<boolean_rule, integer_rule, duration_rule, word_rule, text_rule, list_rule, table_rule,
                                tables_rule, refused_rule>;

enum class presence : std::uint8_t { optional, required };

struct key {
    std::string_view section;  // "router.route"; empty for the top of the file
    std::string_view name;
    value_rule rule;
    std::string_view help;  // one sentence
    presence need = presence::optional;
    bool secret = false;             // its value is never shown
    std::string_view fallback = {};  // what an absent key means where no default value can say it

    [[nodiscard]] bool is_refused() const { return std::holds_alternative<refused_rule>(rule); }
};

// In the order of the reference: by section, and within one in the order in which a file is best written.
std::span<const key> keys();

// Those of one section.
std::span<const key> keys_of(std::string_view section);

// Null when the section has no such key.
const key* find_key(std::string_view section, std::string_view name);

// How the section is written in a file: "[aws]", "[[router]]", "the top of the file".
std::string_view header_of(std::string_view section);

// "a whole number from 1 to 255"
std::string allowed_text(const key& k);

}  // namespace vipd::config
