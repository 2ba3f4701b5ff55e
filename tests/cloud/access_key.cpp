#include "tests/cloud/access_key.hpp"

#include <string_view>

namespace vipd::cloud {

std::string random_text(random_source& random, std::size_t length)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    while (out.size() < length) {
        out.push_back(alphabet[random.below(alphabet.size())]);
    }
    return out;
}

access_key make_session_key(random_source& random, const std::string& role, wall_time expires)
{
    access_key key;
    key.id = "ASIA";
    for (int i = 0; i < 16; ++i) {
        key.id.push_back(static_cast<char>('A' + random.below(26)));
    }
    key.secret = random_text(random, 40);
    key.token = "IQoJ" + random_text(random, 320) + "==";
    key.principal = "role/" + role;
    key.expires = std::chrono::floor<std::chrono::seconds>(expires);
    return key;
}

}  // namespace vipd::cloud
