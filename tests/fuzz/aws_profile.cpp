// The shared files of AWS's tools, as the credentials file and as the config file at once.

#include "agent/aws/profile.hpp"
#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace vipd::aws;

void check(const ini_file& file, std::string_view name)
{
    const auto profile = read_profile({file, file}, name);
    const auto keys = read_keys({file, file}, name);
    if (keys && *keys) {
        ENSURE(is_header_value((*keys)->access_key_id) && is_header_value((*keys)->secret_access_key));
    }
    if (!profile.chain) {
        const auto& text = profile.chain.error().text;
        ENSURE(!text.empty() && text == clean_text(text, text.size()));
        return;
    }
    const auto& chain = *profile.chain;
    ENSURE(chain.roles.size() <= roles_max);
    ENSURE(chain.roles.empty() || chain.roles.back().profile == name);
    ENSURE(chain.roles.empty() || !std::holds_alternative<std::monostate>(chain.first));
    for (const auto& role : chain.roles) {
        ENSURE(is_header_value(role.role_arn) && is_header_value(role.session_name));
        ENSURE(role.external_id.empty() || is_header_value(role.external_id));
    }
    if (const auto* source = std::get_if<keys_in_profile>(&chain.first)) {
        const auto there = read_keys({file, file}, source->profile);
        ENSURE(there && *there);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto file = parse_ini(text, "file");
    if (!file) {
        ENSURE(file.error().text.starts_with("file:"));
        return 0;
    }
    for (const auto* name : {"default", "web", ""}) {
        check(*file, name);
    }
    return 0;
}
