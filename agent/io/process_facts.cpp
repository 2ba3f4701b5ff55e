#include "agent/io/process_facts.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/system_error.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <link.h>
#include <malloc.h>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vipd::io {

std::uint64_t resident_bytes()
{
    const file_descriptor file{::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
    std::array<char, 128> text{};
    const auto size = file ? ::read(file.get(), text.data(), text.size()) : -1;
    if (size <= 0) {
        return 0;
    }
    // "total resident ...", in pages
    const std::string_view line{text.data(), static_cast<std::size_t>(size)};
    const auto space = line.find(' ');
    std::uint64_t pages = 0;
    if (space != std::string_view::npos) {
        std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
    }
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_files()
{
    const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir("/proc/self/fd"), &::closedir};
    std::uint64_t count = 0;
    while (directory && ::readdir(directory.get()) != nullptr) {
        ++count;
    }
    // ".", ".." and the directory itself.
    return count > 3 ? count - 3 : 0;
}

aws::environment capture_environment()
{
    aws::environment captured;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        if (equals != std::string_view::npos && (name == "HOME" || name.starts_with("AWS_"))) {
            captured.variables.emplace(name, text.substr(equals + 1));
        }
    }
    return captured;
}

std::uint64_t random_seed()
{
    std::uint64_t seed = 0;
    if (::getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != static_cast<ssize_t>(sizeof(seed))) {
        // So early after the boot that the kernel has no entropy yet. It is for jitter only.
        seed = static_cast<std::uint64_t>(read_clocks().wall.time_since_epoch().count()) ^
               (static_cast<std::uint64_t>(::getpid()) << 32U);
    }
    return seed;
}

std::string boot_id()
{
    if (auto kernels = read_small_file("/proc/sys/kernel/random/boot_id")) {
        return std::move(*kernels);
    }
    const char* const handed_in = std::getenv("VIPD_BOOT_ID");
    return handed_in == nullptr ? "" : handed_in;
}

bool has_capability(unsigned capability)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    return ::syscall(SYS_capget, &header, data.data()) == 0 &&
           (data.at(capability / 32).effective & (1U << (capability % 32))) != 0;
}

void release_pages_of_the_start()
{
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto release = [](dl_phdr_info* object, std::size_t /*size*/, void* argument) {
        const auto page_size = *static_cast<const std::uintptr_t*>(argument);
        for (const auto& segment : std::span{object->dlpi_phdr, object->dlpi_phnum}) {
            // Never written to: the file holds the same bytes.
            if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) {
                const auto from = (object->dlpi_addr + segment.p_vaddr) / page_size * page_size;
                const auto to = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
                ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
            }
        }
        return 0;
    };
    auto argument = page;
    ::dl_iterate_phdr(release, &argument);
    ::malloc_trim(0);
}

void raise_open_file_limit()
{
    constexpr rlim_t wanted = 4096;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    }
}

result<std::string> read_small_file(const std::string& path)
{
    // O_NONBLOCK: opening a FIFO that somebody put there must not wait for its writer.
    const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) {
        const int why = errno;
        return system_error(why == ENOENT   ? error_class::not_found
                            : why == EACCES ? error_class::denied
                                            : error_class::unavailable,
                            "reading " + path, why);
    }
    struct stat what {};
    if (::fstat(file.get(), &what) != 0 || !S_ISREG(what.st_mode)) {
        return error{error_class::unsupported, "reading " + path + ": it is no regular file"};
    }
    std::string content(small_file_bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = ::read(file.get(), content.data() + size, content.size() - size);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return system_error(error_class::unavailable, "reading " + path, errno);
        }
        if (count == 0) {
            content.resize(size);
            return content;
        }
        size += static_cast<std::size_t>(count);
    }
    return error{error_class::too_large,
                 "reading " + path + ": it is larger than " + std::to_string(small_file_bytes_max) + " bytes"};
}

result<void> replace_small_file(const std::string& path, std::string_view content)
{
    // Always the same name, so that a crash in between leaves one such file and not one more each time; whatever has that name
    // is not written through, but removed.
    const auto temporary = path + ".new";
    const auto fail = [&](int why) -> result<void> {
        return system_error(why == EACCES ? error_class::denied : error_class::unavailable, "writing " + path, why);
    };
    if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) {
        return fail(errno);
    }
    const file_descriptor file{
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR)};
    if (!file) {
        return fail(errno);
    }
    const auto give_up = [&](int why) {
        ::unlink(temporary.c_str());
        return fail(why);
    };
    while (!content.empty()) {
        const auto count = ::write(file.get(), content.data(), content.size());
        if (count < 0 && errno != EINTR) {
            return give_up(errno);
        }
        content.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return give_up(errno);
    }
    return {};
}

}  // namespace vipd::io
