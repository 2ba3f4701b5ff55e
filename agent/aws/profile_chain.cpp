#include "agent/aws/profile_chain.hpp"

#include "agent/aws/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vipd::aws {

namespace {

constexpr std::string_view ways_to_credentials =
    "aws_access_key_id with aws_secret_access_key, role_arn with source_profile, credential_source or "
    "web_identity_token_file, or on EC2 the instance's own role (leave the profile out)";

std::string quoted(std::string_view name)
{
    return fmt::format("\"{}\"", clean_text(name, 60));
}

error about(error_class kind, std::string_view profile, std::string_view what)
{
    return {kind, fmt::format("the profile {} {}", quoted(profile), what)};
}

const ini_section& section_of(const ini_file& file, const std::string& name)
{
    static const ini_section none;
    const auto found = file.find(name);
    return found == file.end() ? none : found->second;
}

// Roles may stand in either file.
std::string said(const profile_sections& sections, std::string_view key)
{
    auto text = value_of(sections.credentials, key);
    return text.empty() ? value_of(sections.config, key) : text;
}

result<std::optional<credentials>> keys_of(const ini_section& section, std::string_view profile, std::string_view file)
{
    credentials keys;
    keys.access_key_id = value_of(section, "aws_access_key_id");
    keys.secret_access_key = value_of(section, "aws_secret_access_key");
    keys.session_token = value_of(section, "aws_session_token");
    if (keys.access_key_id.empty() && keys.secret_access_key.empty()) {
        return std::optional<credentials>{};
    }
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
        const bool has_id = !keys.access_key_id.empty();
        return about(error_class::malformed, profile,
                     fmt::format("in the {} file has {} and no {}; give both", file,
                                 has_id ? "aws_access_key_id" : "aws_secret_access_key",
                                 has_id ? "aws_secret_access_key" : "aws_access_key_id"));
    }
    const bool usable = is_header_value(keys.access_key_id) && is_header_value(keys.secret_access_key) &&
                        (keys.session_token.empty() || is_header_value(keys.session_token));
    if (!usable) {
        return about(error_class::malformed, profile,
                     fmt::format("in the {} file has keys with spaces or control characters", file));
    }
    return std::optional{std::move(keys)};
}

// The first of the keys by which a profile asks for something that vipd does not do.
std::string_view unsupported_key(const profile_sections& sections)
{
    constexpr std::array<std::string_view, 4> keys = {"sso_session", "sso_start_url", "credential_process", "login_session"};
    const auto* const found = std::ranges::find_if(
        keys, [&](std::string_view key) { return sections.config.contains(key) || sections.credentials.contains(key); });
    return found == keys.end() ? std::string_view{} : *found;
}

// What STS takes as the name of a session and, with ":" and "/" too, as an external id.
bool is_made_of(std::string_view text, std::size_t size_max, std::string_view punctuation)
{
    return text.size() >= 2 && text.size() <= size_max && std::ranges::all_of(text, [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      punctuation.find(c) != std::string_view::npos;
           });
}

// "arn:aws:iam::123456789012:role/path/name"
bool is_role_arn(std::string_view text)
{
    return text.starts_with("arn:") && text.find(":role/") != std::string_view::npos && text.size() <= 2048 &&
           is_header_value(text);
}

result<std::uint32_t> read_duration(std::string_view profile, std::string_view text)
{
    std::uint32_t seconds = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem != std::errc{} || end != text.data() + text.size() || seconds < session_seconds_min ||
        seconds > session_seconds_max) {
        return about(error_class::out_of_range, profile,
                     fmt::format("has duration_seconds = {}; allowed are {} to {}", quoted(text), session_seconds_min,
                                 session_seconds_max));
    }
    return seconds;
}

result<assumed_role> read_role(std::string_view profile, const profile_sections& sections)
{
    assumed_role role;
    role.profile = profile;
    role.role_arn = said(sections, "role_arn");
    role.external_id = said(sections, "external_id");
    if (!is_role_arn(role.role_arn)) {
        return about(
            error_class::malformed, profile,
            fmt::format("has role_arn = {}; it has to be like arn:aws:iam::123456789012:role/NAME", quoted(role.role_arn)));
    }
    if (auto name = said(sections, "role_session_name"); !name.empty()) {
        role.session_name = std::move(name);
    }
    if (!is_made_of(role.session_name, 64, "_+=,.@-")) {
        return about(error_class::malformed, profile,
                     fmt::format("has role_session_name = {}; allowed are 2 to 64 letters, digits and _+=,.@-",
                                 quoted(role.session_name)));
    }
    // It is half a secret between two accounts, so the message does not repeat it.
    if (!role.external_id.empty() && !is_made_of(role.external_id, 1224, "_+=,.@:/-")) {
        return about(error_class::malformed, profile,
                     "has an external_id that STS cannot take; allowed are 2 to 1224 letters, digits and _+=,.@:/-");
    }
    if (const auto text = said(sections, "duration_seconds"); !text.empty()) {
        const auto seconds = read_duration(profile, text);
        if (!seconds) {
            return seconds.error();
        }
        role.duration_seconds = *seconds;
    }
    return role;
}

result<named_source> read_named_source(std::string_view profile, std::string_view text)
{
    using place = named_source::place;
    constexpr std::array<std::pair<std::string_view, place>, 3> places = {{
        {"Environment", place::environment},
        {"Ec2InstanceMetadata", place::instance_role},
        {"EcsContainer", place::container},
    }};
    const auto* const found = std::ranges::find(places, text, &std::pair<std::string_view, place>::first);
    if (found == places.end()) {
        return about(error_class::out_of_range, profile,
                     fmt::format("has credential_source = {}; allowed are Environment, Ec2InstanceMetadata and EcsContainer",
                                 quoted(text)));
    }
    return named_source{found->second, std::string{profile}};
}

// A role that is assumed with a role's session gets an hour at most, whatever the role allows.
std::optional<error> check_durations(const profile_chain& chain)
{
    const auto* const place = std::get_if<named_source>(&chain.first);
    bool from_role = std::holds_alternative<web_identity_source>(chain.first) ||
                     (place != nullptr && place->where != named_source::place::environment);
    for (const auto& role : chain.roles) {
        if (from_role && role.duration_seconds > chained_session_seconds_max) {
            return about(error_class::out_of_range, role.profile,
                         fmt::format("has duration_seconds = {}; a role that is assumed with another role's credentials can "
                                     "have {} at most",
                                     role.duration_seconds, chained_session_seconds_max));
        }
        from_role = true;
    }
    return std::nullopt;
}

// From the profile that was asked for down to the first source.
class chain_reader {
public:
    explicit chain_reader(const shared_file_pair& files) : files_(files) {}

    result<profile_chain> read(std::string name)
    {
        while (true) {
            visited_.push_back(name);
            auto next = take_profile(name);
            if (!next) {
                return next.error();
            }
            if (next->empty()) {
                break;
            }
            name = std::move(*next);
        }
        std::ranges::reverse(chain_.roles);
        if (auto problem = check_durations(chain_)) {
            return std::move(*problem);
        }
        return std::move(chain_);
    }

private:
    // The profile to go on with; empty when the first source is found.
    result<std::string> take_profile(const std::string& name)
    {
        const auto sections = find_profile(files_, name);
        const bool is_source = visited_.size() > 1;
        const auto keys = read_keys(files_, name);
        if (!keys) {
            return keys.error();
        }
        if (*keys && is_source) {
            return end_with(keys_in_profile{name});
        }
        const auto role = said(sections, "role_arn");
        if (const auto token_file = said(sections, "web_identity_token_file"); !token_file.empty()) {
            return take_web_identity(name, sections, role, token_file);
        }
        for (const auto* key : {"source_profile", "credential_source"}) {
            if (role.empty() && !said(sections, key).empty()) {
                return about(error_class::malformed, name,
                             fmt::format("has {} and no role_arn; say which role is to be assumed", key));
            }
        }
        if (!role.empty()) {
            return take_role(name, sections);
        }
        return *keys ? end_with(keys_in_profile{name}) : take_nothing(name, sections, is_source);
    }

    template <class Source>
    result<std::string> end_with(Source&& source)
    {
        chain_.first = std::forward<Source>(source);
        return std::string{};
    }

    result<std::string> take_web_identity(const std::string& name, const profile_sections& sections, const std::string& role,
                                          const std::string& token_file)
    {
        if (role.empty()) {
            return about(error_class::malformed, name, "has web_identity_token_file and no role_arn; give both");
        }
        web_identity_source source{.role_arn = role, .token_file = token_file};
        if (auto session = said(sections, "role_session_name"); !session.empty()) {
            source.session_name = std::move(session);
        }
        return end_with(std::move(source));
    }

    result<std::string> take_role(const std::string& name, const profile_sections& sections)
    {
        const auto profile = said(sections, "source_profile");
        const auto place = said(sections, "credential_source");
        if (sections.config.contains("mfa_serial") || sections.credentials.contains("mfa_serial")) {
            return about(error_class::unsupported, name,
                         "uses mfa_serial, which vipd does not support: nobody is there to type a code; let the trust policy "
                         "of the role do without MFA");
        }
        if (!profile.empty() && !place.empty()) {
            return about(error_class::malformed, name, "has source_profile and credential_source; name one of the two");
        }
        if (profile.empty() && place.empty()) {
            return about(error_class::malformed, name,
                         "has a role_arn and does not say with whose credentials to assume it; give source_profile, "
                         "credential_source or web_identity_token_file");
        }
        if (chain_.roles.size() == roles_max) {
            return error{error_class::out_of_range,
                         fmt::format("the profiles {} are a chain of more than {} roles; let one of them name a source_profile "
                                     "that has keys",
                                     path(), roles_max)};
        }
        auto role = read_role(name, sections);
        if (!role) {
            return role.error();
        }
        chain_.roles.push_back(std::move(*role));
        if (!place.empty()) {
            auto source = read_named_source(name, place);
            return source ? end_with(std::move(*source)) : result<std::string>{source.error()};
        }
        return check_source(name, profile);
    }

    result<std::string> check_source(const std::string& name, const std::string& source)
    {
        if (!find_profile(files_, source).exists) {
            return about(error_class::not_found, name,
                         fmt::format("names the source_profile {}, which is in neither of the shared files", quoted(source)));
        }
        const auto keys = read_keys(files_, source);
        const bool ends_there = keys && *keys;
        if (!ends_there && std::ranges::find(visited_, source) != visited_.end()) {
            return error{
                error_class::malformed,
                fmt::format("the profiles {} -> {} name one another as source_profile in a circle; let one of them have "
                            "keys or a credential_source",
                            path(), quoted(source))};
        }
        return source;
    }

    result<std::string> take_nothing(const std::string& name, const profile_sections& sections, bool is_source)
    {
        if (const auto key = unsupported_key(sections); !key.empty()) {
            return about(error_class::unsupported, name,
                         fmt::format("uses {}, which vipd does not support; it can use {}", key, ways_to_credentials));
        }
        if (is_source) {
            return about(error_class::not_found, name,
                         fmt::format("is the source_profile of {} and has no credentials; give it aws_access_key_id with "
                                     "aws_secret_access_key, or a role_arn of its own",
                                     quoted(visited_[visited_.size() - 2])));
        }
        return std::string{};
    }

    // "a" -> "b" -> "c"
    [[nodiscard]] std::string path() const
    {
        std::vector<std::string> names;
        std::ranges::transform(visited_, std::back_inserter(names), quoted);
        return fmt::format("{}", fmt::join(names, " -> "));
    }

    shared_file_pair files_;
    profile_chain chain_;
    std::vector<std::string> visited_;  // in the order of the way
};

}  // namespace

profile_sections find_profile(const shared_file_pair& files, std::string_view name)
{
    const std::string name_text{name};
    const auto long_name = "profile " + name_text;
    const bool has_long_name = files.config.contains(long_name);
    const bool has_config = has_long_name || (name == "default" && files.config.contains("default"));
    return {.exists = has_config || files.credentials.contains(name_text),
            .credentials = section_of(files.credentials, name_text),
            .config = section_of(files.config, has_long_name || name != "default" ? long_name : "default")};
}

result<std::optional<credentials>> read_keys(const shared_file_pair& files, std::string_view name)
{
    const auto sections = find_profile(files, name);
    auto shared = keys_of(sections.credentials, name, "credentials");
    auto config = keys_of(sections.config, name, "config");
    if (!shared || !config) {
        return shared ? config.error() : shared.error();
    }
    return *shared ? std::move(shared) : std::move(config);
}

result<profile_chain> read_chain(const shared_file_pair& files, std::string_view name)
{
    return chain_reader{files}.read(std::string{name});
}

}  // namespace vipd::aws
