#include "agent/config/load.hpp"

#include "agent/config/checks.hpp"
#include "agent/config/derived.hpp"
#include "agent/config/fields.hpp"
#include "agent/config/hook_checks.hpp"
#include "agent/config/reading.hpp"
#include "agent/config/text.hpp"
#include "agent/config/trackers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::config {

namespace {

template <class Section>
bool read_section(reading& r, const node& at, const std::string& path, Section& out);

std::string path_of(const std::string& parent, std::string_view name)
{
    return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

// --- values that are made of others ---

template <class Value>
concept small_number = std::is_enum_v<Value> || std::is_same_v<Value, std::uint8_t> || std::is_same_v<Value, std::int16_t> ||
    std::is_same_v<Value, unsigned>;

// The rule has made sure that the value fits; keys_test.cpp compares every rule with its member.
template <small_number Value>
bool read_value(reading& r, const spot& s, Value& out)
{
    std::int64_t number = 0;
    if (!read_number(r, s, number)) {
        return false;
    }
    out = static_cast<Value>(number);
    return true;
}

bool read_value(reading& r, const spot& s, aws_section& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, http_section& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, log_section& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, notices_section& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, sync_group_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, router& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, address_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, route_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, table_selection& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, secondary_ip_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, elastic_ip_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, interface_match& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, eni_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, announce_section& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, hooks_section& out)
{
    const bool is_good = read_section(r, s.at, s.path, out);
    return (out.user.empty() || find_user(r, s, out.user, out.runs_as)) && is_good;
}

bool read_value(reading& r, const spot& s, tracker& out)
{
    track_section keys;
    return read_section(r, s.at, s.path, keys) && make_tracker(r, s, keys, out);
}

bool read_value(reading& r, const spot& s, policy_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, policy_rule_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

bool read_value(reading& r, const spot& s, policy_route_entry& out)
{
    return read_section(r, s.at, s.path, out);
}

// An address alone, or a table with more about it.
bool read_value(reading& r, const spot& s, vrrp::peer_rule& out)
{
    const bool is_short = std::holds_alternative<std::string>(s.at.value);
    if (!is_short && s.at.as_table() == nullptr) {
        return refuse(r, s);
    }
    const auto* const address_key = find_key("router.peers", "address");
    ENSURE(address_key != nullptr);
    if (is_short ? !read_value(r, {*address_key, s.at, s.path}, out.address) : !read_section(r, s.at, s.path, out)) {
        return false;
    }
    if (out.address.is_v6() && out.address.is_link_local()) {
        const auto* const address = s.at.as_table() == nullptr ? &s.at : find(*s.at.as_table(), "address");
        r.error(address->offset, s.path,
                fmt::format("found {}; a link-local address reaches one subnet only and means nothing without its interface; "
                            "allowed is a global or unique local address",
                            in_quotes(out.address.to_string())));
        return false;
    }
    return true;
}

bool read_value(reading& r, const spot& s, vrrp::identified_secret& out)
{
    auth_key_section key;
    if (!read_section(r, s.at, s.path, key)) {
        return false;
    }
    auto secret = r.read_key(key.file);
    if (!secret) {
        const auto* const file = find(*s.at.as_table(), "file");
        r.error(file->offset, path_of(s.path, "file"), fmt::format("{} {}", in_quotes(key.file), secret.error().text));
        return false;
    }
    out = {key.id, std::move(*secret)};
    return true;
}

bool read_value(reading& r, const spot& s, aws::route_table_id& out)
{
    const auto* const text = std::get_if<std::string>(&s.at.value);
    if (text == nullptr || !is_aws_id(*text, "rtb-")) {
        return refuse(r, s);
    }
    out = aws::route_table_id(*text);
    return true;
}

// { Name = "private-*" }: the limits are those of EC2's tags.
bool read_value(reading& r, const spot& s, std::vector<aws::tag_filter>& out)
{
    const auto* const tags = s.at.as_table();
    if (tags == nullptr) {
        return refuse(r, s);
    }
    if (tags->empty() || tags->size() > 50) {
        r.error(s.at.offset, s.path, fmt::format("found {} tags; allowed are 1 to 50", tags->size()));
        return false;
    }
    bool is_good = true;
    for (const auto& tag : *tags) {
        const auto* const value = std::get_if<std::string>(&tag.value.value);
        if (value == nullptr || value->size() > 1024 || !has_no_control_character(*value)) {
            r.error(tag.value.offset, path_of(s.path, printable(tag.key)),
                    fmt::format("found {}; allowed is the text that the tag's value has to match", shown(r, tag.value)));
            is_good = false;
        } else if (tag.key.empty() || tag.key.size() > 512 || !has_no_control_character(tag.key)) {
            r.error(tag.offset, path_of(s.path, printable(tag.key)), "is not the key of a tag; allowed are 1 to 512 bytes");
            is_good = false;
        } else {
            out.push_back({tag.key, *value});
        }
    }
    return is_good;
}

template <class Value>
bool read_value(reading& r, const spot& s, std::optional<Value>& out)
{
    Value value{};
    if (!read_value(r, s, value)) {
        return false;
    }
    out = std::move(value);
    return true;
}

// The list that is read takes the place of the default. Elements keep their index even when one of them is wrong.
template <class Element>
bool read_value(reading& r, const spot& s, std::vector<Element>& out)
{
    const auto* const elements = s.at.as_list();
    if (elements == nullptr) {
        return refuse(r, s);
    }
    const auto* const plain = std::get_if<list_rule>(&s.rule.rule);
    const std::size_t low = plain == nullptr ? 0 : plain->low;
    const std::size_t high = plain == nullptr ? std::get<tables_rule>(s.rule.rule).high : plain->high;
    if (elements->size() < low || elements->size() > high) {
        r.error(s.at.offset, s.path, fmt::format("found {} entries; allowed are {} to {}", elements->size(), low, high));
        return false;
    }
    out.assign(elements->size(), Element{});
    bool is_good = true;
    for (std::size_t i = 0; i < elements->size(); ++i) {
        const auto path = fmt::format("{}[{}]", s.path, i);
        if (!read_value(r, {s.rule, (*elements)[i], path, true}, out[i])) {
            r.mark_broken((*elements)[i]);
            is_good = false;
        }
    }
    return is_good;
}

// [router.auth]; defined below, because it is a list of tables among others.
bool read_value(reading& r, const spot& s, authentication& out);

// --- a table ---

// `name` is in the file and not in the table of keys.
void report_unknown(reading& r, std::string_view section, const std::string& path, const member& m)
{
    std::vector<std::string_view> known;
    for (const auto& k : keys_of(section)) {
        if (!k.is_refused()) {
            known.push_back(k.name);
        }
    }
    const auto meant = nearest(m.key, known);
    const auto hint =
        meant.empty() ? fmt::format("its keys are {}", fmt::join(known, ", ")) : fmt::format("did you mean \"{}\"?", meant);
    r.error(m.offset, path_of(path, printable(m.key)), fmt::format("is not a key of {}; {}", header_of(section), hint));
}

bool refuse_strangers(reading& r, std::string_view section, const std::string& path, const table& members)
{
    bool is_good = true;
    for (const auto& m : members) {
        const auto* const k = find_key(section, m.key);
        if (k == nullptr) {
            report_unknown(r, section, path, m);
            is_good = false;
        } else if (const auto* const refused = std::get_if<refused_rule>(&k->rule)) {
            r.error(m.offset, path_of(path, m.key),
                    fmt::format("is not supported by this version of vipd; remove it (it would {})", refused->purpose));
            is_good = false;
        }
    }
    return is_good;
}

template <class Section>
bool read_section(reading& r, const node& at, const std::string& path, Section& out)
{
    constexpr auto section = section_name<Section>();
    const auto* const members = at.as_table();
    if (members == nullptr) {
        r.error(at.offset, path, fmt::format("found {}; allowed is a table, {}", shown(r, at, true), header_of(section)));
        r.mark_broken(at);
        return false;
    }
    bool is_good = true;
    visit_fields(
        [&](std::string_view name, auto& field) {
            const auto* const rule = find_key(section, name);
            ENSURE(rule != nullptr);
            const auto* const value = find(*members, name);
            if (value == nullptr) {
                if (rule->need == presence::required) {
                    r.error(at.offset, path_of(path, name), fmt::format("is missing; allowed is {}", allowed_text(*rule)));
                    is_good = false;
                }
                return;
            }
            const auto value_path = path_of(path, name);
            if (!read_value(r, {*rule, *value, value_path}, field)) {
                r.mark_broken(*value);
                is_good = false;
            }
        },
        out);
    is_good = refuse_strangers(r, section, path, *members) && is_good;
    if (!is_good) {
        r.mark_broken(at);
    }
    return is_good;
}

// --- [router.auth] ---

// The keys of the other kind have no meaning.
bool refuse_keys_of_other_kind(reading& r, const spot& s, auth_kind kind)
{
    bool is_good = true;
    for (const auto& m : *s.at.as_table()) {
        const bool of_password = m.key == "password";
        if (m.key != "kind" && of_password != (kind == auth_kind::password)) {
            r.error(
                m.offset, path_of(s.path, m.key),
                fmt::format("has no meaning with kind = \"{}\"; remove it", kind == auth_kind::password ? "password" : "hmac"));
            is_good = false;
        }
    }
    return is_good;
}

bool require(reading& r, const spot& s, std::string_view name)
{
    if (find(*s.at.as_table(), name) != nullptr) {
        return true;
    }
    r.error(s.at.offset, path_of(s.path, name),
            fmt::format("is missing; allowed is {}", allowed_text(*find_key("router.auth", name))));
    return false;
}

bool read_value(reading& r, const spot& s, authentication& out)
{
    auth_section auth;
    if (!read_section(r, s.at, s.path, auth) || !refuse_keys_of_other_kind(r, s, auth.kind)) {
        return false;
    }
    if (auth.kind == auth_kind::password) {
        if (!require(r, s, "password")) {
            return false;
        }
        auto& password = out.password.emplace();
        ENSURE(auth.password.size() <= password.bytes.size());
        std::ranges::copy(auth.password, password.bytes.begin());
        return true;
    }
    if (!require(r, s, "keys")) {
        return false;
    }
    const auto active = auth.active_key.value_or(auth.keys.front().id);
    if (!auth.active_key && auth.keys.size() > 1) {
        return require(r, s, "active_key");
    }
    // A window that is not given is complete()'s.
    out.hmac = {auth.mode, auth.anti_replay, auth.window.value_or(duration::zero()), active, std::move(auth.keys)};
    return true;
}

}  // namespace

std::string to_string(const finding& f, std::string_view file)
{
    const auto what = f.key.empty() ? f.text : fmt::format("{}: {}", f.key, f.text);
    return f.line == 0 ? fmt::format("{}: {}", file, what) : fmt::format("{}:{}:{}: {}", file, f.line, f.column, what);
}

std::variant<loaded, std::vector<finding>> load(std::string_view text, std::string_view, const surroundings& machine)
{
    const auto document = parse_document(text);
    if (const auto* const wrong = std::get_if<syntax_error>(&document)) {
        return std::vector<finding>{{wrong->where.line, wrong->where.column, "", wrong->text}};
    }
    const auto& root = std::get<node>(document);
    reading r{text, machine};
    configuration read;
    read_section(r, root, "", read);
    complete(read);
    check(r, root, read);
    auto errors = r.take_errors();
    if (!errors.empty()) {
        return errors;
    }
    return loaded{std::move(read), r.take_warnings()};
}

}  // namespace vipd::config
