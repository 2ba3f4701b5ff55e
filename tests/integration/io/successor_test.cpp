#include "agent/io/successor.hpp"

#include "agent/io/file_descriptor.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
constexpr int seal_of_the_kernel = 0x20;  // F_SEAL_EXEC, which comes with vm.memfd_noexec = 1

struct successor : reactor_fixture {
    ~successor() override { ::unsetenv("VIPD_SUCCESSION"); }

    // A file that somebody has left with these seals; none where the kernel does not know them.
    static file_descriptor leave(int seals)
    {
        const auto text = node::format_succession({});
        file_descriptor file{::memfd_create("left", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
        EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::setenv("VIPD_SUCCESSION", std::to_string(file.get()).c_str(), 1);
        return ::fcntl(file.get(), F_ADD_SEALS, seals) == 0 ? std::move(file) : file_descriptor{};
    }
};

TEST_F(successor, what_is_sealed_is_believed_and_its_file_closed)
{
    const int number = leave(all_seals).release();
    EXPECT_TRUE(inherited(log));
    EXPECT_TRUE(log.lines.empty());
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
    EXPECT_FALSE(inherited(log)) << "it is told once";
}

TEST_F(successor, seal_that_the_kernel_adds_does_no_harm)
{
    auto file = leave(all_seals | seal_of_the_kernel);
    if (!file) {
        GTEST_SKIP() << "a kernel before 6.3";
    }
    static_cast<void>(file.release());
    EXPECT_TRUE(inherited(log));
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(successor, what_is_not_sealed_by_vipd_is_passed_over)
{
    for (const int seals : {0, all_seals & ~F_SEAL_WRITE, all_seals & ~F_SEAL_SEAL}) {
        log.lines.clear();
        const auto file = leave(seals);
        EXPECT_FALSE(inherited(log)) << seals;
        EXPECT_THAT(log.lines, ElementsAre(HasSubstr("is not in a file that it has sealed"))) << seals;
        EXPECT_EQ(::fcntl(file.get(), F_GETFD), FD_CLOEXEC) << "it may be somebody else's";
    }
    for (const char* number : {"1", "x", "12x", "1000000"}) {
        log.lines.clear();
        ::setenv("VIPD_SUCCESSION", number, 1);
        EXPECT_FALSE(inherited(log)) << number;
        EXPECT_EQ(log.lines.size(), 1U) << number;
    }
}

TEST_F(successor, children_of_the_program_before_are_collected_when_they_end)
{
    const auto child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    auto left = inherited_children();
    if (left.empty()) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        GTEST_SKIP() << "the kernel does not tell";
    }
    EXPECT_THAT(left, Contains(child));
    collect(left);
    EXPECT_THAT(left, Contains(child)) << "it lives";
    ::kill(child, SIGKILL);
    boost::asio::steady_timer again(context);
    run_until([&] {
        again.expires_after(10ms);
        again.async_wait([](boost::system::error_code) {});
        collect(left);
        return !testing::Matches(Contains(child))(left);
    });
    EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    EXPECT_THAT(inherited_children(), Not(Contains(child)));
}

TEST_F(successor, program_that_cannot_be_executed_is_told)
{
    EXPECT_THAT(become("/nowhere", {"/nowhere"}, {}).text, HasSubstr("starting /nowhere: No such file or directory"));
}

}  // namespace
}  // namespace vipd::io
