#include "agent/aws/profile.hpp"

#include "agent/aws/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::aws {

namespace {

bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

// Up to the first # or ; that follows white space.
std::string_view without_comment(std::string_view value)
{
    for (std::size_t i = 1; i < value.size(); ++i) {
        if ((value[i] == '#' || value[i] == ';') && is_space(value[i - 1])) {
            return trim(value.substr(0, i));
        }
    }
    return value;
}

// "profile  'my name'" -> "profile my name": runs of space become one and quotes go, as the CLI reads it.
std::string section_name(std::string_view header)
{
    std::string name;
    for (const char c : trim(header)) {
        if (is_space(c)) {
            if (!name.ends_with(' ')) {
                name.push_back(' ');
            }
        } else if (c != '"' && c != '\'') {
            name.push_back(c);
        }
    }
    return name;
}

error broken(std::string_view file, std::size_t line, std::string_view why)
{
    return {error_class::malformed, fmt::format("{}:{}: {}", file, line, why)};
}

class ini_parser {
public:
    explicit ini_parser(std::string_view file) : file_(file) {}

    result<ini_file> parse(std::string_view text)
    {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            ++line_;
            if (auto problem = take_line(text.substr(0, end))) {
                return std::move(*problem);
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return std::move(sections_);
    }

private:
    std::optional<error> take_line(std::string_view line)
    {
        const bool indented = !line.empty() && is_space(line.front());
        const auto content = trim(line);
        if (content.empty() || content.front() == '#' || content.front() == ';') {
            return std::nullopt;
        }
        if (content.front() == '[' && !indented) {
            return take_section(content);
        }
        return take_property(content, indented);
    }

    std::optional<error> take_section(std::string_view content)
    {
        const auto close = content.find(']');
        const auto after = close == std::string_view::npos ? std::string_view{} : trim(content.substr(close + 1));
        if (close == std::string_view::npos || !(after.empty() || after.front() == '#' || after.front() == ';')) {
            return broken(file_, line_, "a section header must end with ]");
        }
        const auto name = section_name(content.substr(1, close - 1));
        if (name.empty()) {
            return broken(file_, line_, "a section needs a name, such as [default] or [profile web]");
        }
        section_ = &sections_[name];
        parent_.clear();
        return std::nullopt;
    }

    std::optional<error> take_property(std::string_view content, bool indented)
    {
        if (section_ == nullptr) {
            return broken(file_, line_, "there must be a section such as [default] before the first key");
        }
        const auto equals = content.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            // The second line of a value: legal, and never part of what vipd reads.
            return indented && !parent_.empty()
                       ? std::nullopt
                       : std::optional{broken(file_, line_, "expected KEY = VALUE, [section] or a comment")};
        }
        const auto key = to_lower(trim(content.substr(0, equals)));
        const auto value = without_comment(trim(content.substr(equals + 1)));
        if (indented && !parent_.empty()) {
            if ((*section_)[parent_].empty()) {
                (*section_)[parent_ + "." + key] = value;
            }
            return std::nullopt;
        }
        (*section_)[key] = value;
        parent_ = key;
        return std::nullopt;
    }

    std::string_view file_;
    std::size_t line_ = 0;
    ini_file sections_;
    ini_section* section_ = nullptr;
    std::string parent_;  // the last key without indentation
};

const ini_section& section_of(const ini_file& file, const std::string& name)
{
    static const ini_section none;
    const auto found = file.find(name);
    return found == file.end() ? none : found->second;
}

std::string value_of(const ini_section& section, std::string_view key)
{
    const auto found = section.find(key);
    return found == section.end() ? std::string{} : found->second;
}

result<std::optional<credentials>> keys_of(const ini_section& section, std::string_view where)
{
    credentials keys;
    keys.access_key_id = value_of(section, "aws_access_key_id");
    keys.secret_access_key = value_of(section, "aws_secret_access_key");
    keys.session_token = value_of(section, "aws_session_token");
    if (keys.access_key_id.empty() && keys.secret_access_key.empty()) {
        return std::optional<credentials>{};
    }
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
        return error{error_class::malformed,
                     fmt::format("{} has {} and no {}; give both", where,
                                 keys.access_key_id.empty() ? "aws_secret_access_key" : "aws_access_key_id",
                                 keys.access_key_id.empty() ? "aws_access_key_id" : "aws_secret_access_key")};
    }
    const bool usable = is_header_value(keys.access_key_id) && is_header_value(keys.secret_access_key) &&
                        (keys.session_token.empty() || is_header_value(keys.session_token));
    if (!usable) {
        return error{error_class::malformed, fmt::format("the keys of {} contain spaces or control characters", where)};
    }
    return std::optional{std::move(keys)};
}

// The first of the keys by which a profile asks for something that vipd does not do.
std::string_view unsupported_key(const ini_section& config, const ini_section& shared)
{
    constexpr std::array<std::string_view, 7> keys = {"source_profile", "credential_source",  "sso_session",  "sso_start_url",
                                                      "role_arn",       "credential_process", "login_session"};
    for (const auto key : keys) {
        if (config.contains(key) || shared.contains(key)) {
            return key;
        }
    }
    return {};
}

bool is_true(const std::string& text)
{
    return equal_ignoring_case(text, "true");
}

void read_endpoints(const ini_file& config_file, const ini_section& config, profile_settings& out)
{
    const auto services = value_of(config, "services");
    const auto& section = section_of(config_file, "services " + services);
    const auto general = value_of(config, "endpoint_url");
    const auto choose = [&](std::string_view key) {
        auto specific = services.empty() ? std::string{} : value_of(section, key);
        return specific.empty() ? general : specific;
    };
    out.ec2_endpoint_url = choose("ec2.endpoint_url");
    out.sts_endpoint_url = choose("sts.endpoint_url");
}

}  // namespace

result<ini_file> parse_ini(std::string_view text, std::string_view file)
{
    if (text.starts_with("\xef\xbb\xbf")) {
        text.remove_prefix(3);
    }
    return ini_parser{file}.parse(text);
}

result<profile_settings> read_profile(const ini_file& credentials_file, const ini_file& config_file, std::string_view name)
{
    const std::string name_text{name};
    const auto long_name = "profile " + name_text;
    const bool has_long_name = config_file.contains(long_name);
    const bool has_config = has_long_name || (name == "default" && config_file.contains("default"));
    const auto& config = section_of(config_file, has_long_name || name != "default" ? long_name : "default");
    const auto& shared = section_of(credentials_file, name_text);

    profile_settings out;
    out.exists = has_config || credentials_file.contains(name_text);
    out.region = value_of(config, "region");
    out.imds_endpoint = value_of(config, "ec2_metadata_service_endpoint");
    out.imds_endpoint_mode = value_of(config, "ec2_metadata_service_endpoint_mode");
    out.fips = is_true(value_of(config, "use_fips_endpoint"));
    out.dual_stack = is_true(value_of(config, "use_dualstack_endpoint"));
    read_endpoints(config_file, config, out);

    const auto shared_keys = keys_of(shared, fmt::format("the profile \"{}\" in the credentials file", name));
    if (!shared_keys) {
        return shared_keys.error();
    }
    const auto config_keys = keys_of(config, fmt::format("the profile \"{}\" in the config file", name));
    if (!config_keys) {
        return config_keys.error();
    }

    const auto token_file = value_of(config, "web_identity_token_file");
    const auto role = value_of(config, "role_arn");
    const auto unsupported = unsupported_key(config, shared);
    if (!token_file.empty() && !role.empty()) {
        out.web_identity = web_identity_source{.role_arn = role, .token_file = token_file};
        if (auto session = value_of(config, "role_session_name"); !session.empty()) {
            out.web_identity->session_name = std::move(session);
        }
    } else if (unsupported == "source_profile" || unsupported == "credential_source" || unsupported == "role_arn") {
        // Its static keys, if there are any, are those of another identity than the role that was asked for.
        out.unsupported = unsupported;
    } else if (*shared_keys || *config_keys) {
        out.keys = *shared_keys ? *shared_keys : *config_keys;
    } else {
        out.unsupported = unsupported;
    }
    if (!out.unsupported.empty()) {
        out.unsupported = fmt::format(
            "the profile \"{}\" uses {}, which vipd does not support; it can use aws_access_key_id with aws_secret_access_key, "
            "or "
            "role_arn with web_identity_token_file, or on EC2 the instance's own role (leave the profile out)",
            name, out.unsupported);
    }
    return out;
}

}  // namespace vipd::aws
