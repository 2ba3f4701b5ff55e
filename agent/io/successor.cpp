#include "agent/io/successor.hpp"

#include "agent/io/file_descriptor.hpp"
#include "agent/io/system_error.hpp"

#include <climits>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {

namespace {

constexpr const char* succession_variable = "VIPD_SUCCESSION";
constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
// MFD_NOEXEC_SEAL, which glibc 2.36 does not know. A kernel may refuse what could be executed (vm.memfd_noexec = 2); one
// before 6.3 does not know it either.
constexpr unsigned never_executed = 0x0008U;

file_descriptor file_in_memory()
{
    constexpr auto name = "vipd-succession";
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const int made = ::memfd_create(name, flags | never_executed);
    return file_descriptor{made < 0 && errno == EINVAL ? ::memfd_create(name, flags) : made};
}

// Sealed, so that whoever reads it knows that it is one of ours and is whole.
result<file_descriptor> write_down(const std::string& text)
{
    auto file = file_in_memory();
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fcntl(file.get(), F_ADD_SEALS, seals) != 0) {
        return system_error(error_class::unavailable, "writing down what the next vipd has to know", errno);
    }
    return file;
}

result<std::string> read_back(int descriptor)
{
    struct stat what {};
    const int sealed = ::fcntl(descriptor, F_GET_SEALS);
    // The kernel adds one of its own, F_SEAL_EXEC, to what is never executed.
    if (sealed < 0 || (sealed & seals) != seals || ::fstat(descriptor, &what) != 0) {
        return error{error_class::malformed, "what the last vipd has left is not in a file that it has sealed"};
    }
    if (what.st_size > static_cast<off_t>(node::succession_size_max)) {
        return error{error_class::too_large, "what the last vipd has left is too long"};
    }
    std::string text(static_cast<std::size_t>(what.st_size), '\0');
    if (::pread(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return system_error(error_class::unavailable, "reading what the last vipd has left", errno);
    }
    return text;
}

void mask_handled_signals(int how)
{
    ::sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : handled_signals) {
        ::sigaddset(&set, signal);
    }
    ::sigprocmask(how, &set, nullptr);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> all;
    for (auto& text : texts) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

}  // namespace

result<std::string> own_program()
{
    std::array<char, PATH_MAX> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    if (size <= 0 || size == static_cast<ssize_t>(path.size())) {
        return system_error(error_class::unavailable, "asking the kernel which program this is", errno);
    }
    return std::string{path.data(), static_cast<std::size_t>(size)};
}

result<void> can_become(const std::string& program)
{
    if (::access(program.c_str(), X_OK) != 0) {
        auto problem = system_error(error_class::unavailable, "the program " + program, errno);
        problem.text += "; install vipd there, or restart the service";
        return problem;
    }
    return {};
}

void hold_back_signals()
{
    mask_handled_signals(SIG_BLOCK);
}

void let_signals_through()
{
    mask_handled_signals(SIG_UNBLOCK);
}

error become(const std::string& program, const std::vector<std::string>& arguments, const node::succession& left)
{
    auto file = write_down(format_succession(left));
    if (!file) {
        return file.error();
    }
    // From here on it must not fail for any reason but the program's.
    const auto name = std::string{succession_variable} + "=" + std::to_string(file->get());
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        environment.emplace_back(*entry);
    }
    environment.push_back(name);
    auto argument_texts = arguments;
    // A program that takes long to start would be killed for computing without a pause: handlers do not survive, this does.
    const auto before = std::signal(SIGXCPU, SIG_IGN);
    if (::fcntl(file->get(), F_SETFD, 0) == 0) {
        ::execve(program.c_str(), pointers_to(argument_texts).data(), pointers_to(environment).data());
    }
    const int error_number = errno;
    std::signal(SIGXCPU, before);
    return system_error(error_class::unavailable, "starting " + program, error_number);
}

std::vector<pid_t> inherited_children()
{
    std::ifstream file("/proc/thread-self/children");
    return {std::istream_iterator<pid_t>{file}, {}};
}

void collect(std::vector<pid_t>& children)
{
    // A number stays that of its process until it is collected.
    std::erase_if(children, [](pid_t child) { return ::waitpid(child, nullptr, WNOHANG) != 0; });
}

std::optional<node::succession> inherited(log_sink& log)
{
    const char* text = std::getenv(succession_variable);
    if (text == nullptr) {
        return std::nullopt;
    }
    const std::string_view number{text};
    int descriptor = -1;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), descriptor);
    const bool is_number = failure == std::errc{} && end == number.data() + number.size() && descriptor > STDERR_FILENO;
    ::unsetenv(succession_variable);
    // Checks that were killed: they are children of this process, which has not begun any. See inherited_children() for the
    // rest.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
    const auto content = is_number ? read_back(descriptor)
                                   : result<std::string>{error{error_class::malformed, std::string{succession_variable} +
                                                                                           " holds no number of an open file"}};
    if (content) {
        ::close(descriptor);  // it is one of ours: the seals say so
    }
    const auto left = content ? node::parse_succession(*content) : result<node::succession>{content.error()};
    if (!left) {
        log.warning("succession",
                    {{"error", left.error().text}, {"consequence", "this node starts as it does without a predecessor"}});
        return std::nullopt;
    }
    return *left;
}

}  // namespace vipd::io
