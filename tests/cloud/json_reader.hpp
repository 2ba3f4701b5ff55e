#pragma once

// Reads what people write for the simulator (topology, faults, control requests): every access gives a value of the wanted
// type, the first thing that is wrong is kept with its place, and a key that nobody asked for is wrong too.

#include "common/result.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

class json_reader {
public:
    json_reader(const boost::json::value& json, std::string place);

    [[nodiscard]] bool has(std::string_view key);
    std::string text(std::string_view key, std::string_view otherwise = "");
    std::string required_text(std::string_view key);
    bool boolean(std::string_view key, bool otherwise);
    double number(std::string_view key, double otherwise);
    std::uint64_t count(std::string_view key, std::uint64_t otherwise);
    std::vector<std::string> texts(std::string_view key);
    // An object of texts; for tags.
    std::vector<std::pair<std::string, std::string>> text_pairs(std::string_view key);
    // Null when absent.
    const boost::json::value* raw(std::string_view key);
    // All of it, for a reader of its own.
    [[nodiscard]] const boost::json::value& value() const { return *json_; }

    // The elements of this array, or of the array under `key`; none when it is absent.
    std::vector<json_reader> items();
    std::vector<json_reader> items(std::string_view key);

    // Complains about keys that were not asked for.
    void finish();

    void fail(std::string_view key, std::string_view what);
    // The first complaint of this reader or of any that came from it.
    [[nodiscard]] std::optional<error> problem() const { return *problem_; }
    [[nodiscard]] const std::string& place() const { return place_; }

private:
    json_reader(const boost::json::value& json, std::string place, std::shared_ptr<std::optional<error>> problem);
    const boost::json::value* find(std::string_view key);

    const boost::json::value* json_;
    std::string place_;
    std::set<std::string, std::less<>> asked_;
    std::shared_ptr<std::optional<error>> problem_;
};

}  // namespace vipd::cloud
