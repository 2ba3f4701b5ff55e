#include "agent/config/reading.hpp"

#include "agent/config/text.hpp"
#include "common/duration_text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vipd::config {

namespace {

// A number or date as it stands in the file: what the library made of it may have been cut to fit.
std::string_view token_at(std::string_view text, std::size_t offset)
{
    const auto rest = text.substr(std::min(offset, text.size()));
    return rest.substr(0, rest.find_first_of(", \t\r\n]}#"));
}

std::string_view type_name(const node& at)
{
    return std::visit(overloaded{
                          [](bool) { return "true or false"; },
                          [](std::int64_t) { return "a whole number"; },
                          [](const std::string&) { return "a text"; },
                          [](const number_with_point&) { return "a number with a point"; },
                          [](const date_or_time&) { return "a date or time"; },
                          [](const list&) { return "a list"; },
                          [](const table&) { return "a table"; },
                      },
                      at.value);
}

// What to do when a value has the type of another rule; empty when there is nothing better to say than what is allowed.
std::string_view remedy(const value_rule& rule, const node& at)
{
    const bool is_text = std::holds_alternative<std::string>(at.value);
    const bool is_number =
        std::holds_alternative<std::int64_t>(at.value) || std::holds_alternative<number_with_point>(at.value);
    if (is_text && (std::holds_alternative<boolean_rule>(rule) || std::holds_alternative<integer_rule>(rule))) {
        return "; write it without quotes";
    }
    if (std::holds_alternative<duration_rule>(rule) && (is_number || is_text)) {
        return "; write a number and its unit in quotes, such as \"200ms\", \"1.5s\" or \"2m\"";
    }
    if (std::holds_alternative<list_rule>(rule) && is_text) {
        return "; put it in [ ]";
    }
    const auto* const several = std::get_if<tables_rule>(&rule);
    if (several != nullptr && at.as_table() != nullptr) {
        return "; write its header with double brackets";
    }
    return "";
}

bool holds(const text_rule& rule, std::string_view text)
{
    if (text.empty()) {
        return rule.may_be_empty;
    }
    return (rule.bytes_max == 0 || text.size() <= rule.bytes_max) && (rule.holds == nullptr || rule.holds(text));
}

const std::string* as_text(const spot& s)
{
    return std::get_if<std::string>(&s.at.value);
}

bool refuse_because(reading& r, const spot& s, std::string_view why)
{
    r.error(s.at.offset, s.path, fmt::format("found {}; {}", shown(r, s.at), why));
    return false;
}

// EC2 keeps these for its own services and refuses routes inside of them (VPC user guide, "Route table concepts").
bool is_reserved_by_aws(const ip_prefix& prefix)
{
    static const ip_prefix reserved_v4{ip_address::v4(169, 254, 168, 0), 22};
    static const ip_prefix reserved_v6 = *ip_prefix::parse("fd00:ec2::/32");
    const auto& reserved = prefix.family() == ip_family::v4 ? reserved_v4 : reserved_v6;
    return prefix.length() >= reserved.length() && reserved.contains(prefix.address());
}

// 169.254.0.0/16 is link-local, too, and yet a legal destination in a VPC.
bool can_be_routed_to(const ip_prefix& prefix)
{
    const auto& address = prefix.address();
    const bool is_everything = address.is_unspecified() && !prefix.is_host();
    return is_everything || (is_unicast(address) && !address.is_loopback() && !(address.is_v6() && address.is_link_local()));
}

// A link-local address could be bound with its interface only.
bool can_be_listened_on(const ip_address& address)
{
    return address.is_unspecified() || (is_unicast(address) && !(address.is_v6() && address.is_link_local()));
}

}  // namespace

reading::reading(std::string_view text, const surroundings& machine) : text_(text), machine_(machine), lines_(text) {}

result<vrrp::hmac_secret> reading::read_key(const std::string& path) const
{
    if (!machine_.read_key) {
        return vipd::error{error_class::unsupported, "cannot be read here"};
    }
    return machine_.read_key(path);
}

result<account> reading::find_account(const std::string& user)
{
    if (!machine_.find_account) {
        return vipd::error{error_class::unsupported, "cannot be looked up here"};
    }
    const auto known = accounts_.find(user);
    return known != accounts_.end() ? known->second : accounts_.emplace(user, machine_.find_account(user)).first->second;
}

result<void> reading::check_program(const std::string& path, const std::optional<account>& user) const
{
    return machine_.check_program ? machine_.check_program(path, user) : result<void>{};
}

reading::placed reading::place(std::size_t offset, std::string key, std::string text) const
{
    const auto where = lines_.at(offset);
    return {offset, {where.line, where.column, std::move(key), std::move(text)}};
}

void reading::error(std::size_t offset, std::string key, std::string text)
{
    errors_.push_back(place(offset, std::move(key), std::move(text)));
}

void reading::warning(std::size_t offset, std::string key, std::string text)
{
    warnings_.push_back(place(offset, std::move(key), std::move(text)));
}

std::vector<finding> reading::take(std::vector<placed>& from)
{
    std::ranges::stable_sort(from, {}, &placed::offset);
    std::vector<finding> taken;
    taken.reserve(from.size());
    for (auto& item : from) {
        taken.push_back(std::move(item.what));
    }
    from.clear();
    return taken;
}

std::string shown(const reading& r, const node& at, bool secret)
{
    const auto* const text = std::get_if<std::string>(&at.value);
    if (secret) {
        return text == nullptr ? std::string(type_name(at)) : fmt::format("a text of {} bytes", text->size());
    }
    if (text != nullptr) {
        return in_quotes(*text);
    }
    if (const auto* const truth = std::get_if<bool>(&at.value)) {
        return *truth ? "true" : "false";
    }
    if (at.as_list() != nullptr || at.as_table() != nullptr) {
        return std::string(type_name(at));
    }
    return printable(token_at(r.text(), at.offset));
}

// What stands in front of the @ of a URL is a user name, and likely a password.
bool names_a_user(const node& at)
{
    const auto* const text = std::get_if<std::string>(&at.value);
    return text != nullptr && text->find("://") != std::string::npos && text->find('@') != std::string::npos;
}

bool refuse(reading& r, const spot& s)
{
    if (const auto* const elements = std::get_if<list_rule>(&s.rule.rule); elements != nullptr && s.is_element) {
        r.error(s.at.offset, s.path, fmt::format("found {}; allowed is {}", shown(r, s.at), elements->of));
        return false;
    }
    r.error(s.at.offset, s.path,
            fmt::format("found {}; allowed is {}{}", shown(r, s.at, s.rule.secret || names_a_user(s.at)), allowed_text(s.rule),
                        remedy(s.rule.rule, s.at)));
    return false;
}

bool is_unicast(const ip_address& address)
{
    const bool is_class_e = address.is_v4() && address.bytes()[0] >= 240;
    return !address.is_unspecified() && !address.is_multicast() && !is_class_e;
}

bool read_number(reading& r, const spot& s, std::int64_t& out)
{
    if (const auto* const words = std::get_if<word_rule>(&s.rule.rule)) {
        const auto* const text = as_text(s);
        const auto found = text == nullptr ? words->words.end() : std::ranges::find(words->words, *text);
        if (found == words->words.end()) {
            return refuse(r, s);
        }
        out = found - words->words.begin();
        return true;
    }
    const auto* const rule = std::get_if<integer_rule>(&s.rule.rule);
    ENSURE(rule != nullptr);
    const auto* const number = std::get_if<std::int64_t>(&s.at.value);
    if (number == nullptr || *number < rule->low || *number > rule->high) {
        return refuse(r, s);
    }
    out = *number;
    return true;
}

bool read_value(reading& r, const spot& s, bool& out)
{
    if (std::holds_alternative<word_rule>(s.rule.rule)) {
        std::int64_t word = 0;
        if (!read_number(r, s, word)) {
            return false;
        }
        out = word != 0;
        return true;
    }
    const auto* const truth = std::get_if<bool>(&s.at.value);
    if (truth == nullptr) {
        return refuse(r, s);
    }
    out = *truth;
    return true;
}

bool read_value(reading& r, const spot& s, duration& out)
{
    const auto* const rule = std::get_if<duration_rule>(&s.rule.rule);
    ENSURE(rule != nullptr);
    const auto* const text = as_text(s);
    if (text == nullptr) {
        return refuse(r, s);
    }
    const auto parsed = parse_duration(*text);
    if (!parsed) {
        return refuse(r, s);
    }
    if (*parsed < rule->low || *parsed > rule->high) {
        r.error(s.at.offset, s.path, fmt::format("found {}; allowed is {}", in_quotes(*text), allowed_text(s.rule)));
        return false;
    }
    out = *parsed;
    return true;
}

// An element of a list may be any text: what it means is looked at where the rest of the file is known.
bool read_value(reading& r, const spot& s, std::string& out)
{
    const auto* const rule = std::get_if<text_rule>(&s.rule.rule);
    ENSURE(rule != nullptr || s.is_element);
    const auto* const text = as_text(s);
    if (text == nullptr || (rule != nullptr && !holds(*rule, *text))) {
        return refuse(r, s);
    }
    out = *text;
    return true;
}

bool read_value(reading& r, const spot& s, ip_address& out)
{
    const auto* const text = as_text(s);
    if (text == nullptr) {
        return refuse(r, s);
    }
    const auto address = ip_address::parse(*text);
    if (!address || !is_unicast(*address)) {
        return refuse(r, s);
    }
    out = *address;
    return true;
}

bool read_value(reading& r, const spot& s, ip_prefix& out)
{
    const auto* const text = as_text(s);
    if (text == nullptr) {
        return refuse(r, s);
    }
    const auto prefix = ip_prefix::parse(*text);
    if (!prefix) {
        return refuse(r, s);
    }
    if (!is_unicast(prefix->address()) || prefix->address().is_loopback() || prefix->length() == 0) {
        return refuse_because(r, s, "allowed is a unicast address that is not a loopback address, with a length of at least 1");
    }
    out = *prefix;
    return true;
}

bool read_value(reading& r, const spot& s, rule_prefix& out)
{
    const auto* const text = as_text(s);
    const auto prefix = text == nullptr ? result<ip_prefix>{error{error_class::malformed, ""}} : ip_prefix::parse(*text);
    if (!prefix) {
        return refuse(r, s);
    }
    if (prefix->canonical() != *prefix) {
        return refuse_because(
            r, s, fmt::format("it has bits behind its length; write {}", in_quotes(prefix->canonical().to_string())));
    }
    out.value = *prefix;
    return true;
}

bool read_value(reading& r, const spot& s, policy_destination& out)
{
    const auto* const text = as_text(s);
    if (text != nullptr && *text == "default") {
        return true;
    }
    rule_prefix prefix;
    if (!read_value(r, s, prefix)) {
        return false;
    }
    if (prefix.value.address().is_multicast()) {
        return refuse_because(r, s, "allowed is a unicast prefix");
    }
    out.value = prefix.value;
    return true;
}

bool read_value(reading& r, const spot& s, aws::route_destination& out)
{
    constexpr std::string_view list_prefix = "pl-";
    const auto* const text = as_text(s);
    if (text == nullptr) {
        return refuse(r, s);
    }
    if (text->starts_with(list_prefix)) {
        if (!is_aws_id(*text, list_prefix)) {
            return refuse_because(r, s, "the id of a prefix list is \"pl-\" and 8 to 17 of the digits 0-9 a-f");
        }
        out = aws::route_destination::prefix_list(*text);
        return true;
    }
    const auto prefix = ip_prefix::parse(*text);
    if (!prefix) {
        return refuse(r, s);
    }
    if (!can_be_routed_to(*prefix)) {
        return refuse_because(r, s, "no route of a VPC leads to loopback, multicast, link-local or reserved addresses");
    }
    if (is_reserved_by_aws(*prefix)) {
        return refuse_because(r, s,
                              "AWS keeps 169.254.168.0/22 and fd00:ec2::/32 for itself; choose a destination outside of them");
    }
    out = aws::route_destination::cidr(*prefix);
    if (prefix->canonical() != *prefix) {
        r.warning(s.at.offset, s.path,
                  fmt::format("found {}, which has bits behind its length; {} is what EC2 stores and what is used",
                              in_quotes(*text), prefix->canonical().to_string()));
    }
    return true;
}

template <class Id>
bool read_id(reading& r, const spot& s, Id& out)
{
    std::string text;
    if (!read_value(r, s, text)) {
        return false;
    }
    out = Id(text);
    return true;
}

bool read_value(reading& r, const spot& s, aws::network_interface_id& out)
{
    return read_id(r, s, out);
}

bool read_value(reading& r, const spot& s, aws::allocation_id& out)
{
    return read_id(r, s, out);
}

bool read_value(reading& r, const spot& s, tcp_listener& out)
{
    const auto* const whole = as_text(s);
    if (whole == nullptr) {
        return refuse(r, s);
    }
    std::string_view text = *whole;
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return refuse(r, s);
    }
    const auto digits = text.substr(colon + 1);
    auto host = text.substr(0, colon);
    const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
    if (is_bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const auto address = ip_address::parse(host);
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool is_port = failure == std::errc{} && end == digits.data() + digits.size() && port > 0;
    if (!address || address->is_v6() != is_bracketed || !can_be_listened_on(*address) || !is_port) {
        return refuse(r, s);
    }
    out = {*address, port};
    return true;
}

}  // namespace vipd::config
