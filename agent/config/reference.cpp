#include "agent/config/reference.hpp"

#include "agent/config/fields.hpp"
#include "agent/config/keys.hpp"
#include "agent/config/text.hpp"
#include "common/duration_text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <map>
#include <type_traits>

namespace vipd::config {

namespace {

std::string default_text(bool value, const word_rule* words)
{
    return words == nullptr ? (value ? "true" : "false") : in_quotes(words->words[value ? 1 : 0]);
}

template <class Number>
requires(std::is_integral_v<Number> || std::is_enum_v<Number>) std::string default_text(Number value, const word_rule* words)
{
    return words == nullptr ? std::to_string(static_cast<unsigned>(value))
                            : in_quotes(words->words[static_cast<std::size_t>(value)]);
}

std::string default_text(duration value, const word_rule*)
{
    return in_quotes(format_duration(value));
}

std::string default_text(const std::string& value, const word_rule*)
{
    return value.empty() ? "" : in_quotes(value);
}

std::string default_text(const std::vector<tcp_listener>& value, const word_rule*)
{
    std::string text;
    for (const auto& listener : value) {
        const auto address = listener.address.to_string();
        const auto shown = listener.address.is_v6() ? fmt::format("\"[{}]:{}\"", address, listener.port)
                                                    : fmt::format("\"{}:{}\"", address, listener.port);
        text += text.empty() ? shown : ", " + shown;
    }
    return "[" + text + "]";
}

// Tables, lists and identifiers: nothing, until the file has one.
template <class Other>
requires(!std::is_integral_v<Other> && !std::is_enum_v<Other>) std::string default_text(const Other&, const word_rule*)
{
    return "";
}

// The defaults of one section, by the path of the key.
template <class Section>
void collect(std::map<std::string, std::string>& defaults)
{
    Section initial;
    visit_fields(
        [&](std::string_view name, const auto& value) {
            const auto* const k = find_key(section_name<Section>(), name);
            ENSURE(k != nullptr);
            defaults[fmt::format("{}.{}", k->section, name)] = default_text(value, std::get_if<word_rule>(&k->rule));
        },
        initial);
}

std::map<std::string, std::string> all_defaults()
{
    std::map<std::string, std::string> defaults;
    collect<configuration>(defaults);
    collect<aws_section>(defaults);
    collect<http_section>(defaults);
    collect<log_section>(defaults);
    collect<notices_section>(defaults);
    collect<sync_group_entry>(defaults);
    collect<router>(defaults);
    collect<vrrp::peer_rule>(defaults);
    collect<auth_section>(defaults);
    collect<auth_key_section>(defaults);
    collect<address_entry>(defaults);
    collect<route_entry>(defaults);
    collect<table_selection>(defaults);
    collect<secondary_ip_entry>(defaults);
    collect<elastic_ip_entry>(defaults);
    collect<eni_entry>(defaults);
    collect<interface_match>(defaults);
    collect<announce_section>(defaults);
    collect<hooks_section>(defaults);
    collect<track_section>(defaults);
    collect<policy_entry>(defaults);
    collect<policy_rule_entry>(defaults);
    collect<policy_route_entry>(defaults);
    return defaults;
}

std::string shown_default(const key& k, const std::map<std::string, std::string>& defaults)
{
    if (k.need == presence::required) {
        return "required";
    }
    if (!k.fallback.empty()) {
        return std::string(k.fallback);
    }
    const auto found = defaults.find(fmt::format("{}.{}", k.section, k.name));
    ENSURE(found != defaults.end());
    return found->second.empty() ? "none" : "`" + found->second + "`";
}

// A bar would end the cell.
std::string cell(std::string text)
{
    for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
        text.replace(at, 1, "\\|");
    }
    return text;
}

}  // namespace

std::string reference()
{
    const auto defaults = all_defaults();
    std::string text;
    const std::string_view* section = nullptr;
    for (const auto& k : keys()) {
        if (k.is_refused()) {
            continue;
        }
        if (section == nullptr || *section != k.section) {
            section = &k.section;
            const auto header = header_of(k.section);
            text += fmt::format("{}### {}\n\n| key | what it does | allowed | default |\n| --- | --- | --- | --- |\n",
                                text.empty() ? "" : "\n", header.starts_with('[') ? fmt::format("`{}`", header) : header);
        }
        text += fmt::format("| `{}` | {} | {} | {} |\n", k.name, cell(std::string(k.help)), cell(allowed_text(k)),
                            cell(shown_default(k, defaults)));
    }
    return text;
}

}  // namespace vipd::config
