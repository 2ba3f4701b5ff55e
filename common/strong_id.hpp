#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace vipd {

// A string that is one kind of name and cannot be passed where another is meant: strong_id<struct vpc_tag>.
template <class Tag>
class strong_id {
public:
    strong_id() = default;
    explicit strong_id(std::string text) : text_(std::move(text)) {}

    [[nodiscard]] const std::string& str() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

    friend auto operator<=>(const strong_id&, const strong_id&) = default;

private:
    std::string text_;
};

// A number that is one kind of handle. Zero means "none"; next() never returns it.
template <class Tag>
class strong_number {
public:
    constexpr strong_number() = default;
    explicit constexpr strong_number(std::uint64_t value) : value_(value) {}

    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
    explicit constexpr operator bool() const { return value_ != 0; }

    friend constexpr auto operator<=>(strong_number, strong_number) = default;

private:
    std::uint64_t value_ = 0;
};

template <class Number>
class id_source {
public:
    Number next() { return Number{++last_}; }

private:
    std::uint64_t last_ = 0;
};

}  // namespace vipd

template <class Tag>
struct std::hash<vipd::strong_id<Tag>> {
    std::size_t operator()(const vipd::strong_id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};

template <class Tag>
struct std::hash<vipd::strong_number<Tag>> {
    std::size_t operator()(vipd::strong_number<Tag> id) const noexcept { return std::hash<std::uint64_t>{}(id.value()); }
};
