#include "agent/io/key_file.hpp"

#include "agent/io/file_descriptor.hpp"
#include "agent/io/file_owner.hpp"
#include "agent/io/system_error.hpp"

#include <openssl/crypto.h>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vipd::io {

namespace {

result<void> check_file(int file)
{
    struct stat what {};
    if (::fstat(file, &what) != 0 || !S_ISREG(what.st_mode)) {
        return error{error_class::unsupported, "is no regular file"};
    }
    if (!is_trusted_owner(what.st_uid)) {
        return error{error_class::denied, "belongs to user " + std::to_string(what.st_uid) +
                                              "; allowed are root and the user that vipd runs as; chown it"};
    }
    if ((what.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return error{error_class::denied,
                     "has mode " + octal(what.st_mode) +
                         ", which lets group or others at it; allowed are modes for its owner alone; chmod 0400 it"};
    }
    return {};
}

}  // namespace

result<vrrp::hmac_secret> read_key_file(const std::string& path)
{
    // Not blocking, so that a pipe without a writer cannot hold the caller.
    const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) {
        auto problem = system_error(errno == EACCES ? error_class::denied : error_class::not_found, "cannot be read", errno);
        if (problem.kind == error_class::denied) {
            problem.text += "; the service runs as vipd: chown vipd and chmod 0400 the file, and let its folder be entered";
        }
        return problem;
    }
    if (const auto checked = check_file(file.get()); !checked) {
        return checked.error();
    }
    // One byte more than a key can have, so that a longer one is seen to be longer.
    std::array<std::uint8_t, vrrp::hmac_secret::file_size_max + 1> content{};
    std::size_t size = 0;
    ssize_t count = 0;
    do {
        count = ::read(file.get(), content.data() + size, content.size() - size);
        size += count > 0 ? static_cast<std::size_t>(count) : 0;
    } while ((count > 0 && size < content.size()) || (count < 0 && errno == EINTR));
    auto secret = count < 0 ? system_error(error_class::unavailable, "cannot be read", errno)
                  : size > vrrp::hmac_secret::file_size_max
                      ? error{error_class::too_large, "is longer than any key; make one with `openssl rand -hex 32`"}
                      : vrrp::hmac_secret::from_file(byte_view{content}.first(size));
    OPENSSL_cleanse(content.data(), content.size());
    return secret;
}

}  // namespace vipd::io
