#pragma once

// What systemd is told (sd_notify(3)): one datagram for each change, to the socket named in NOTIFY_SOCKET. Without systemd all
// of this does nothing.

#include "agent/io/deadline.hpp"
#include "agent/io/file_descriptor.hpp"
#include "common/time.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <sys/un.h>

namespace vipd::io {

class systemd {
public:
    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    explicit systemd(boost::asio::io_context& context);

    // Again until the manager's socket has taken it: without it systemd would end the service.
    void ready();
    void reloading();
    void stopping();
    // For people: `systemctl status`.
    void status(std::string_view text);

    // Feeds the watchdog four times in its period from the loop that it watches.
    void start_watchdog();

private:
    // Whether there is nobody to tell, or it was told.
    bool send(std::string_view text);

    file_descriptor socket_;
    sockaddr_un address_{};
    socklen_t address_size_ = 0;
    std::optional<duration> watchdog_period_;
    deadline watchdog_;
    deadline ready_again_;
    std::string last_status_;
};

}  // namespace vipd::io
