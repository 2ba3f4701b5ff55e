#include "agent/io/systemd.hpp"

#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

// The service manager's end of NOTIFY_SOCKET.
struct systemd_test : reactor_fixture {
    file_descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};

    // A name that begins with '@' is in the abstract namespace.
    void listen(const std::string& name)
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        if (name.front() == '@') {
            address.sun_path[0] = '\0';
        } else {
            ++size;
        }
        ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    void TearDown() override
    {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
        ::unsetenv("WATCHDOG_PID");
    }
    std::string heard()
    {
        std::array<char, 1000> text{};
        const auto size = ::recv(socket.get(), text.data(), text.size(), 0);
        return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
    }
};

TEST_F(systemd_test, every_change_is_a_datagram)
{
    temporary_folder folder;
    listen(folder.file("notify"));
    systemd manager(context);
    manager.ready();
    EXPECT_EQ(heard(), "READY=1");
    manager.reloading();
    EXPECT_TRUE(heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    manager.stopping();
    EXPECT_EQ(heard(), "STOPPING=1");
    manager.status("web Active");
    EXPECT_EQ(heard(), "STATUS=web Active");
    manager.status("web Active");
    EXPECT_EQ(heard(), "") << "nothing has changed";
}

TEST_F(systemd_test, readiness_is_told_again_until_the_manager_has_taken_it)
{
    listen("@vipd-test-" + std::to_string(::getpid()));
    systemd manager(context);
    // More than a queue of datagrams holds.
    for (int i = 0; i < 2000; ++i) {
        manager.status(std::to_string(i));
    }
    manager.ready();
    std::string last;
    for (auto text = heard(); !text.empty(); text = heard()) {
        last = text;
    }
    ASSERT_TRUE(last.starts_with("STATUS=")) << "the queue was full";
    std::string again;
    run_until([&] {
        again += heard();
        return !again.empty();
    });
    EXPECT_EQ(again, "READY=1");
}

TEST_F(systemd_test, the_abstract_namespace_is_spoken)
{
    listen("@vipd-test-" + std::to_string(::getpid()));
    systemd manager(context);
    manager.ready();
    EXPECT_EQ(heard(), "READY=1");
}

TEST_F(systemd_test, the_watchdog_is_fed_from_the_loop)
{
    listen("@vipd-test-" + std::to_string(::getpid()));
    ::setenv("WATCHDOG_USEC", "40000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    systemd manager(context);
    manager.start_watchdog();
    EXPECT_EQ(heard(), "WATCHDOG=1");
    std::string again;
    run_until([&] {
        again += heard();
        return !again.empty();
    });
    EXPECT_EQ(again, "WATCHDOG=1");
}

TEST_F(systemd_test, a_watchdog_for_another_process_is_not_ours)
{
    listen("@vipd-test-" + std::to_string(::getpid()));
    ::setenv("WATCHDOG_USEC", "40000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    systemd manager(context);
    manager.start_watchdog();
    EXPECT_EQ(heard(), "");
}

TEST_F(systemd_test, without_a_manager_nothing_happens)
{
    systemd manager(context);
    manager.ready();
    manager.start_watchdog();
    ::setenv("NOTIFY_SOCKET", "relative", 1);
    systemd odd(context);
    odd.ready();
    EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace vipd::io
