#include "agent/io/listening_socket.hpp"

#include "agent/io/socket_address.hpp"
#include "agent/io/system_error.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace vipd::io {

namespace {

constexpr int backlog = 128;

error with_port_remedy(const std::string& where, int error_number)
{
    std::string remedy;
    if (error_number == EADDRINUSE) {
        remedy = "; another program listens there: choose another port for listen in [http]";
    } else if (error_number == EADDRNOTAVAIL) {
        remedy = "; this machine does not have the address: listen in [http] takes addresses of this machine";
    } else if (error_number == EACCES) {
        remedy = "; ports below 1024 need CAP_NET_BIND_SERVICE";
    }
    auto problem = system_error(error_class::unavailable, "listening on " + where, error_number);
    problem.text += remedy;
    return problem;
}

error with_path_remedy(const std::string& socket_path, int error_number)
{
    std::string remedy;
    if (error_number == EACCES || error_number == EROFS) {
        remedy = "; the folder has to be one that this user may write to";
    } else if (error_number == ENOENT || error_number == ENOTDIR) {
        remedy = "; its folder is made when it is missing, but not those above: make them, or choose another path";
    }
    auto problem = system_error(error_class::unavailable, "listening on " + socket_path, error_number);
    problem.text += remedy + " (socket in [http])";
    return problem;
}

// Only what is certain to be of nobody may be replaced: a socket that does not let us in may well have a daemon behind it.
result<void> make_way(const std::string& socket_path, const sockaddr_un& address)
{
    struct stat what {};
    if (::lstat(socket_path.c_str(), &what) != 0) {
        return errno == ENOENT ? result<void>{} : with_path_remedy(socket_path, errno);
    }
    if (!S_ISSOCK(what.st_mode)) {
        return error{error_class::unavailable,
                     socket_path + " is there and is no socket: remove it, or choose another path with socket in [http]"};
    }
    const file_descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const bool connected = probe && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    // A full backlog (EAGAIN) is an answer, too.
    if (connected || errno == EAGAIN) {
        return error{error_class::unavailable, "another vipd answers on " + socket_path +
                                                   "; stop it, or give this one a socket of its own with socket in [http]"};
    }
    if (errno != ECONNREFUSED && errno != ENOENT) {
        auto problem = system_error(error_class::unavailable, "asking who listens on " + socket_path, errno);
        problem.text += "; it may be another vipd: stop it, or choose another path with socket in [http]";
        return problem;
    }
    ::unlink(socket_path.c_str());
    return {};
}

}  // namespace

result<file_descriptor> listen_on(const config::tcp_listener& where)
{
    const std::string name = (where.address.is_v6() ? "[" + where.address.to_string() + "]" : where.address.to_string()) + ":" +
                             std::to_string(where.port);
    file_descriptor socket{
        ::socket(where.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
    const int on = 1;
    const auto address = to_socket_address(where.address, where.port);
    if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (where.address.is_v6() && ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        return with_port_remedy(name, errno);
    }
    return socket;
}

result<file_descriptor> listen_on(const std::string& socket_path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.empty() || socket_path.size() >= sizeof(address.sun_path)) {
        return error{error_class::out_of_range, "'" + socket_path + "' is no path for a socket: allowed are 1 to " +
                                                    std::to_string(sizeof(address.sun_path) - 1) + " bytes"};
    }
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    const auto folder = std::filesystem::path{socket_path}.parent_path();
    if (!folder.empty() && ::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
        return with_path_remedy(socket_path, errno);
    }
    if (const auto made = make_way(socket_path, address); !made) {
        return made.error();
    }
    file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::chmod(socket_path.c_str(), 0660) != 0 || ::listen(socket.get(), backlog) != 0) {
        return with_path_remedy(socket_path, errno);
    }
    return socket;
}

}  // namespace vipd::io
