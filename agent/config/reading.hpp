#pragma once

// Values of the file, one by one: from a node of the document to a member of a struct, under the rule that the key table has
// for it. What is wrong is reported and the member keeps its default; reading goes on, so that one run finds everything.

#include "agent/config/config.hpp"
#include "agent/config/document.hpp"
#include "agent/config/keys.hpp"
#include "agent/config/load.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::config {

// What is known while one file is read.
class reading {
public:
    // Refers to both.
    reading(std::string_view text, const surroundings& machine);

    void error(std::size_t offset, std::string key, std::string text);
    void warning(std::size_t offset, std::string key, std::string text);

    // A value that is wrong, or has something wrong inside: what is said about it together with others would mislead.
    void mark_broken(const node& at) { broken_.insert(&at); }
    [[nodiscard]] bool is_broken(const node& at) const { return broken_.contains(&at); }

    [[nodiscard]] std::size_t line_of(std::size_t offset) const { return lines_.at(offset).line; }
    [[nodiscard]] std::string_view text() const { return text_; }

    [[nodiscard]] result<vrrp::hmac_secret> read_key(const std::string& path) const;
    // Each user is looked up once, however many routers name it.
    [[nodiscard]] result<account> find_account(const std::string& user);
    [[nodiscard]] result<void> check_program(const std::string& path, const std::optional<account>& user) const;

    // In the order of the file.
    std::vector<finding> take_errors() { return take(errors_); }
    std::vector<finding> take_warnings() { return take(warnings_); }

private:
    struct placed {
        std::size_t offset;
        finding what;
    };
    [[nodiscard]] placed place(std::size_t offset, std::string key, std::string text) const;
    static std::vector<finding> take(std::vector<placed>& from);

    std::string_view text_;
    const surroundings& machine_;
    line_index lines_;
    std::vector<placed> errors_;
    std::vector<placed> warnings_;
    std::set<const node*> broken_;
    std::map<std::string, result<account>> accounts_;
};

// One value and what the table says about it.
struct spot {
    const key& rule;
    const node& at;
    const std::string& path;  // "router[0].peers[1]"
    bool is_element = false;  // of the list that the rule is about
};

// "300", "\"abc\"", "a list": how a message shows what was found. A secret is shown by its type alone.
std::string shown(const reading& r, const node& at, bool secret = false);

// "found X; allowed is ..." with the remedy that the pair of types suggests.
bool refuse(reading& r, const spot& s);

// Each reports and returns false when the value is not allowed.
bool read_value(reading& r, const spot& s, bool& out);
bool read_value(reading& r, const spot& s, duration& out);
bool read_value(reading& r, const spot& s, std::string& out);
bool read_value(reading& r, const spot& s, ip_address& out);
bool read_value(reading& r, const spot& s, ip_prefix& out);
bool read_value(reading& r, const spot& s, rule_prefix& out);
bool read_value(reading& r, const spot& s, policy_destination& out);
bool read_value(reading& r, const spot& s, aws::route_destination& out);
bool read_value(reading& r, const spot& s, aws::network_interface_id& out);
bool read_value(reading& r, const spot& s, aws::allocation_id& out);
bool read_value(reading& r, const spot& s, tcp_listener& out);
bool read_value(reading& r, const spot& s, command& out);

// A whole number, or the place of a word in its rule.
bool read_number(reading& r, const spot& s, std::int64_t& out);

// Whether adverts can go to it and come from it.
bool is_unicast(const ip_address& address);

}  // namespace vipd::config
