#include "agent/io/unix_http_client.hpp"

#include "agent/cli/daemon_reports.hpp"
#include "agent/io/file_descriptor.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace vipd::io {

namespace {

using moment = std::chrono::steady_clock::time_point;

constexpr auto time_max = std::chrono::seconds{3};

// 0 when the socket is ready, else an error number.
int wait_for(int fd, short events, moment until)
{
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        if (left <= 0) {
            return ETIMEDOUT;
        }
        pollfd waiting{fd, events, 0};
        const int count = ::poll(&waiting, 1, static_cast<int>(left));
        if (count > 0) {
            return 0;
        }
        if (count < 0 && errno != EINTR) {
            return errno;
        }
    }
}

int connect_to(int fd, const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return ENAMETOOLONG;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // A Unix socket connects at once or says EAGAIN: its queue of those who wait is full.
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
}

int send_all(int fd, std::string_view text, moment until)
{
    while (!text.empty()) {
        const auto count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            if (const int failure = wait_for(fd, POLLOUT, until); failure != 0) {
                return failure;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int receive_all(int fd, std::string& text, moment until)
{
    std::array<char, 65536> buffer{};
    while (text.size() <= cli::reply_size_max) {
        const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(count));
        } else if (count == 0) {
            return 0;
        } else if (errno == EAGAIN) {
            if (const int failure = wait_for(fd, POLLIN, until); failure != 0) {
                return failure;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return EMSGSIZE;
}

}  // namespace

result<cli::http_reply> ask_daemon(const std::string& socket_path, const cli::http_request& request)
{
    const moment until = std::chrono::steady_clock::now() + time_max;
    const file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    int failure = socket ? connect_to(socket.get(), socket_path) : errno;
    if (failure != 0) {
        return cli::no_daemon(socket_path, failure);
    }
    // A daemon that refuses a request may answer and close before it has read all of it: what it said counts.
    const int send_failure = send_all(socket.get(), cli::to_text(request), until);
    std::string text;
    failure = receive_all(socket.get(), text, until);
    if (text.empty() && send_failure != 0) {
        return cli::no_daemon(socket_path, send_failure);
    }
    auto reply = cli::parse_reply(text, failure == 0 ? cli::ending::closed : cli::ending::broken_off);
    if (!reply && failure != 0) {
        return cli::no_daemon(socket_path, failure);
    }
    return reply;
}

}  // namespace vipd::io
