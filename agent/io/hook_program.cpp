#include "agent/io/hook_program.hpp"

#include "agent/io/file_owner.hpp"
#include "agent/io/key_file.hpp"
#include "agent/io/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <grp.h>
#include <memory>
#include <pwd.h>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace vipd::io {

namespace {

constexpr mode_t others_may_write = S_IWGRP | S_IWOTH;
constexpr mode_t anybody_may_run = S_IXUSR | S_IXGRP | S_IXOTH;
constexpr std::size_t entry_bytes_max = 1U << 20U;
constexpr int groups_max = 65536;

// `name` is said before the verdict; empty for the program itself, which the caller names.
result<void> check_owner(const struct stat& what, const std::optional<config::account>& user, const std::string& name)
{
    const bool is_trusted = user ? what.st_uid == 0 || what.st_uid == user->user : is_trusted_owner(what.st_uid);
    const auto begin = name.empty() ? name : name + " ";
    if (!is_trusted) {
        return error{error_class::denied, begin + "belongs to user " + std::to_string(what.st_uid) +
                                              "; allowed are root and the user that the program runs as; chown it"};
    }
    // In a folder like /tmp everybody may make files, and nobody may replace those of others.
    const bool is_shared_folder = S_ISDIR(what.st_mode) && (what.st_mode & S_ISVTX) != 0;
    if ((what.st_mode & others_may_write) != 0 && !is_shared_folder) {
        return error{error_class::denied, begin + "has mode " + octal(what.st_mode) +
                                              ", which lets group or others change what is run; chmod go-w it"};
    }
    return {};
}

result<void> check_folders(const std::string& path, const std::optional<config::account>& user)
{
    for (auto slash = path.rfind('/'); slash != std::string::npos; slash = slash == 0 ? slash : path.rfind('/', slash - 1)) {
        const auto folder = slash == 0 ? std::string{"/"} : path.substr(0, slash);
        struct stat what {};
        if (::stat(folder.c_str(), &what) != 0) {
            return system_error(error_class::not_found, "is in a folder that cannot be looked at, " + folder, errno);
        }
        if (const auto checked = check_owner(what, user, "can be replaced: its folder " + folder); !checked) {
            return checked.error();
        }
        if (slash == 0) {
            break;
        }
    }
    return {};
}

std::vector<std::uint32_t> groups_of(const char* name, gid_t primary)
{
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    while (::getgrouplist(name, primary, groups.data(), &count) < 0 && count <= groups_max &&
           count > static_cast<int>(groups.size())) {
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(std::min(groups.size(), static_cast<std::size_t>(std::max(count, 0))));
    return {groups.begin(), groups.end()};
}

}  // namespace

result<config::account> find_account(const std::string& user)
{
    std::vector<char> buffer(4096);
    passwd entry{};
    passwd* found = nullptr;
    int failed = 0;
    while ((failed = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE &&
           buffer.size() < entry_bytes_max) {
        buffer.resize(2 * buffer.size());
    }
    if (found == nullptr) {
        return failed == 0 ? error{error_class::not_found, "is no user of this machine; `getent passwd` lists those there are"}
                           : system_error(error_class::unavailable, "cannot be looked up", failed);
    }
    return config::account{user, entry.pw_uid, entry.pw_gid, groups_of(user.c_str(), entry.pw_gid)};
}

result<void> check_program(const std::string& path, const std::optional<config::account>& user)
{
    const std::unique_ptr<char, void (*)(void*)> real{::realpath(path.c_str(), nullptr), &std::free};
    if (!real) {
        return system_error(error_class::not_found, "cannot be run", errno);
    }
    struct stat what {};
    if (::stat(real.get(), &what) != 0 || !S_ISREG(what.st_mode)) {
        return error{error_class::not_found, "cannot be run: it is no regular file"};
    }
    if ((what.st_mode & anybody_may_run) == 0) {
        return error{error_class::not_found, "cannot be run: it has mode " + octal(what.st_mode) + "; chmod 0755 it"};
    }
    if (const auto checked = check_owner(what, user, ""); !checked) {
        return checked.error();
    }
    return check_folders(real.get(), user);
}

config::surroundings this_machine()
{
    return {read_key_file, find_account, check_program};
}

}  // namespace vipd::io
