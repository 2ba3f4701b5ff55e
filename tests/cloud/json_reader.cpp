#include "tests/cloud/json_reader.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

json_reader::json_reader(const boost::json::value& json, std::string place) :
    json_reader(json, std::move(place), std::make_shared<std::optional<error>>())
{}

json_reader::json_reader(const boost::json::value& json, std::string place, std::shared_ptr<std::optional<error>> problem) :
    json_(&json), place_(std::move(place)), problem_(std::move(problem))
{}

void json_reader::fail(std::string_view key, std::string_view what)
{
    if (!*problem_) {
        const auto where = key.empty() ? place_ : place_ + "." + std::string(key);
        *problem_ = error{error_class::malformed, where + ": " + std::string(what)};
    }
}

const boost::json::value* json_reader::find(std::string_view key)
{
    asked_.emplace(key);
    if (!json_->is_object()) {
        fail("", "has to be an object");
        return nullptr;
    }
    return json_->get_object().if_contains(key);
}

bool json_reader::has(std::string_view key)
{
    return find(key) != nullptr;
}

const boost::json::value* json_reader::raw(std::string_view key)
{
    return find(key);
}

std::string json_reader::text(std::string_view key, std::string_view otherwise)
{
    const auto* value = find(key);
    if (value == nullptr) {
        return std::string(otherwise);
    }
    if (!value->is_string()) {
        fail(key, "has to be a text");
        return std::string(otherwise);
    }
    return std::string(value->get_string());
}

std::string json_reader::required_text(std::string_view key)
{
    if (!has(key)) {
        fail(key, "is missing");
    }
    return text(key);
}

bool json_reader::boolean(std::string_view key, bool otherwise)
{
    const auto* value = find(key);
    if (value != nullptr && !value->is_bool()) {
        fail(key, "has to be true or false");
    }
    return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

double json_reader::number(std::string_view key, double otherwise)
{
    const auto* value = find(key);
    if (value != nullptr && !value->is_number()) {
        fail(key, "has to be a number");
    }
    return value != nullptr && value->is_number() ? value->to_number<double>() : otherwise;
}

std::uint64_t json_reader::count(std::string_view key, std::uint64_t otherwise)
{
    const auto* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (value->is_uint64()) {
        return value->get_uint64();
    }
    if (value->is_int64() && value->get_int64() >= 0) {
        return static_cast<std::uint64_t>(value->get_int64());
    }
    fail(key, "has to be a whole number, 0 or more");
    return otherwise;
}

std::vector<std::string> json_reader::texts(std::string_view key)
{
    std::vector<std::string> out;
    for (const auto& item : items(key)) {
        if (item.json_->is_string()) {
            out.emplace_back(item.json_->get_string());
        } else {
            fail(key, "has to be a list of texts");
        }
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> json_reader::text_pairs(std::string_view key)
{
    std::vector<std::pair<std::string, std::string>> out;
    const auto* value = find(key);
    if (value == nullptr) {
        return out;
    }
    if (!value->is_object()) {
        fail(key, "has to be an object of texts");
        return out;
    }
    for (const auto& member : value->get_object()) {
        if (member.value().is_string()) {
            out.emplace_back(member.key(), member.value().get_string());
        } else {
            fail(key, "has to be an object of texts");
        }
    }
    return out;
}

std::vector<json_reader> json_reader::items()
{
    std::vector<json_reader> out;
    if (!json_->is_array()) {
        fail("", "has to be a list");
        return out;
    }
    std::size_t index = 0;
    for (const auto& item : json_->get_array()) {
        out.push_back(json_reader{item, place_ + "[" + std::to_string(index++) + "]", problem_});
    }
    return out;
}

std::vector<json_reader> json_reader::items(std::string_view key)
{
    const auto* value = find(key);
    return value == nullptr ? std::vector<json_reader>{}
                            : json_reader{*value, place_ + "." + std::string(key), problem_}.items();
}

void json_reader::finish()
{
    if (!json_->is_object()) {
        fail("", "has to be an object");
        return;
    }
    for (const auto& member : json_->get_object()) {
        if (!asked_.contains(std::string_view(member.key()))) {
            fail(std::string_view(member.key()), "is not known here");
        }
    }
}

}  // namespace vipd::cloud
