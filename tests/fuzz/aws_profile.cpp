// The shared files of AWS's tools, as the credentials file and as the config file at once.

#include "agent/aws/profile.hpp"
#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace vipd::aws;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto file = parse_ini(text, "file");
    if (!file) {
        ENSURE(file.error().text.starts_with("file:"));
        return 0;
    }
    for (const auto* name : {"default", "web", ""}) {
        const auto profile = read_profile(*file, *file, name);
        if (profile && profile->keys) {
            ENSURE(profile->unsupported.empty());
            ENSURE(is_header_value(profile->keys->access_key_id));
            ENSURE(is_header_value(profile->keys->secret_access_key));
        }
    }
    return 0;
}
