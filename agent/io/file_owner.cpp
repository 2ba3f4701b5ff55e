#include "agent/io/file_owner.hpp"

#include <array>
#include <cstdio>
#include <pwd.h>

#include <unistd.h>

namespace vipd::io {

bool is_service_user(uid_t user)
{
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    return ::getpwnam_r("vipd", &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr && entry.pw_uid == user;
}

bool is_trusted_owner(uid_t user)
{
    return user == 0 || user == ::geteuid() || (::geteuid() == 0 && is_service_user(user));
}

std::string octal(mode_t mode)
{
    std::array<char, 16> text{};
    const auto size = std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace vipd::io
