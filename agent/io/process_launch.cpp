#include "agent/io/process_launch.hpp"

#include "agent/io/hook_program.hpp"
#include "agent/io/system_error.hpp"

#include <climits>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <grp.h>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {

namespace {

constexpr auto default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr rlim_t usual_open_files = 1024;  // more may surprise a program that still calls select()
constexpr unsigned long usual_timer_slack_ns = 50'000;
constexpr int exit_not_run = 127;

std::vector<std::string> whole_environment(const hooks::start_process& what)
{
    auto all = what.environment;
    const char* const path = std::getenv("PATH");
    all.push_back(std::string{"PATH="} + (path == nullptr ? default_path : path));
    if (const char* const language = std::getenv("LANG")) {
        all.push_back(std::string{"LANG="} + language);
    }
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (auto& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

struct pipe_ends {
    file_descriptor read;
    file_descriptor write;
};

// The reading end does not block; the program's own end does, as programs expect.
result<pipe_ends> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return system_error(error_class::unavailable, "making a pipe", errno);
    }
    pipe_ends made{file_descriptor{ends[0]}, file_descriptor{ends[1]}};
    if (::fcntl(made.read.get(), F_SETFL, O_NONBLOCK) != 0) {
        return system_error(error_class::unavailable, "making a pipe", errno);
    }
    return made;
}

// glibc 2.36 declares its pidfd_open() for C only.
int open_pidfd(pid_t process)
{
    return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

// --- in the new process ---

// Empty: it has worked.
std::string problem_with(std::string_view doing, bool worked)
{
    return worked ? std::string{} : system_error(error_class::denied, doing, errno).text;
}

void reset_signals()
{
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number <= SIGRTMAX; ++number) {
        static_cast<void>(::sigaction(number, &standard, nullptr));
    }
}

// What vipd has made of itself so that adverts are on time. What fails here is no reason not to run the program.
void give_back_privileges_of_the_loop()
{
    const sched_param ordinary{};
    static_cast<void>(::sched_setscheduler(0, SCHED_OTHER, &ordinary));
    ::prctl(PR_SET_TIMERSLACK, usual_timer_slack_ns);
    const rlimit none{};
    static_cast<void>(::setrlimit(RLIMIT_RTPRIO, &none));
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = std::min(files.rlim_cur, usual_open_files);
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
    }
    // The packaged unit keeps vipd from being killed when memory is short. A program that takes it all must not be spared.
    const file_descriptor score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
    static_cast<void>(::write(score.get(), "0", 1));
}

// What the new process has of vipd's: these two, and nothing above. At once, because a connection to EC2 that vipd gives up in
// this moment is to end.
constexpr int output_here = STDERR_FILENO + 1;
constexpr int errors_here = STDERR_FILENO + 2;

void keep_only(int output, int errors)
{
    constexpr int first_other = errors_here + 1;
    // By way of numbers that neither of the two is to have.
    const int lifted_output = ::fcntl(output, F_DUPFD_CLOEXEC, first_other);
    const int lifted_errors = ::fcntl(errors, F_DUPFD_CLOEXEC, first_other);
    ::dup3(lifted_output, output_here, O_CLOEXEC);
    ::dup3(lifted_errors, errors_here, O_CLOEXEC);
    // A kernel before 5.9 leaves them open until execve(), as all of vipd's are opened.
    static_cast<void>(::close_range(first_other, std::numeric_limits<unsigned>::max(), 0));
}

std::string set_streams()
{
    ::close(STDIN_FILENO);
    // The lowest number that is free.
    const bool worked = ::open("/dev/null", O_RDONLY) == STDIN_FILENO && ::dup2(output_here, STDOUT_FILENO) >= 0 &&
                        ::dup2(output_here, STDERR_FILENO) >= 0;
    return problem_with("setting its standard streams", worked);
}

std::string set_user(const std::optional<config::account>& user)
{
    if (user && user->user != ::geteuid()) {
        const std::vector<gid_t> groups{user->groups.begin(), user->groups.end()};
        const bool worked = ::setgroups(groups.size(), groups.data()) == 0 &&
                            ::setresgid(user->group, user->group, user->group) == 0 &&
                            ::setresuid(user->user, user->user, user->user) == 0;
        if (!worked) {
            return problem_with("becoming user " + user->name, false);
        }
    }
    return problem_with("dropping capabilities", ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
}

std::string check_again(const hooks::start_process& what)
{
    if (what.is_vipd_itself) {
        return {};
    }
    auto user = what.user;
    if (!user) {
        user.emplace().user = ::geteuid();
    }
    const auto checked = check_program(what.argv.front(), user);
    return checked ? std::string{} : what.argv.front() + " " + checked.error().text;
}

// Why the program cannot be run; empty when it can.
std::string prepare(const hooks::start_process& what, pid_t parent)
{
    if (::setsid() < 0) {
        return problem_with("beginning a session", false);
    }
    reset_signals();
    give_back_privileges_of_the_loop();
    if (auto problem = set_streams(); !problem.empty()) {
        return problem;
    }
    if (auto problem = set_user(what.user); !problem.empty()) {
        return problem;
    }
    // After the change of user, which would clear it.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
        return "vipd has ended";
    }
    if (::chdir("/") != 0) {
        return problem_with("entering /", false);
    }
    return check_again(what);
}

[[noreturn]] void become(const hooks::start_process& what, char* const* argv, char* const* environment, int output, int errors,
                         pid_t parent)
{
    keep_only(output, errors);
    auto problem = prepare(what, parent);
    if (problem.empty()) {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execve(argv[0], argv, environment);
        problem = problem_with("running " + what.argv.front(), false);
    }
    static_cast<void>(::write(errors_here, problem.data(), std::min<std::size_t>(problem.size(), PIPE_BUF)));
    ::_exit(exit_not_run);
}

}  // namespace

result<launched_process> launch(const hooks::start_process& what)
{
    auto output = make_pipe();
    if (!output) {
        return output.error();
    }
    auto errors = make_pipe();
    if (!errors) {
        return errors.error();
    }
    // A number for the pidfd, so that there is one when the process is there.
    file_descriptor place{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (!place) {
        return system_error(error_class::unavailable, "opening /dev/null", errno);
    }
    auto arguments = what.argv;
    auto variables = whole_environment(what);
    const auto argv = pointers_to(arguments);
    const auto environment = pointers_to(variables);
    const auto parent = ::getpid();
    // A signal in between would run vipd's own handler in the new process.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, &before);
    const auto process = ::fork();
    if (process == 0) {
        become(what, argv.data(), environment.data(), output->write.get(), errors->write.get(), parent);
    }
    const int failed = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (process < 0) {
        return system_error(error_class::unavailable, "making a process", failed);
    }
    place.close();
    launched_process made{process, file_descriptor{open_pidfd(process)}, std::move(output->read), std::move(errors->read)};
    if (!made.end) {
        auto problem = system_error(error_class::unavailable, "watching a process", errno);
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
        return problem;
    }
    return made;
}

}  // namespace vipd::io
