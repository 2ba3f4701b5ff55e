// Runs in a network namespace of its own, with root's rights there; a user namespace gives them to everybody else.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

bool write_file(const char* path, const std::string& text)
{
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(file);
    return written;
}

bool enter_namespace()
{
    const auto user = ::geteuid();
    const auto group = ::getegid();
    if (user == 0) {
        return ::unshare(CLONE_NEWNET) == 0;
    }
    return ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
           write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

bool bring_up_loopback()
{
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool done = ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
    ::close(socket);
    return done;
}

}  // namespace

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (!enter_namespace() || !bring_up_loopback()) {
        std::fprintf(stderr,
                     "a network namespace is needed (%s): run this as root, or allow user namespaces with "
                     "sysctl kernel.unprivileged_userns_clone=1\n",
                     std::strerror(errno));
        return 1;
    }
    return RUN_ALL_TESTS();
}
