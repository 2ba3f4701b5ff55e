#include "agent/io/systemd.hpp"

#include "agent/io/clock.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace vipd::io {

namespace {

constexpr duration ready_pause = std::chrono::milliseconds{200};

std::optional<std::uint64_t> number_in_environment(const char* name)
{
    const char* text = std::getenv(name);
    if (text == nullptr) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto* end = text + std::strlen(text);
    const auto [last, failure] = std::from_chars(text, end, number);
    return failure == std::errc{} && last == end ? std::optional{number} : std::nullopt;
}

}  // namespace

systemd::systemd(boost::asio::io_context& context) : watchdog_(context), ready_again_(context)
{
    const char* path = std::getenv("NOTIFY_SOCKET");
    const std::size_t size = path == nullptr ? 0 : std::strlen(path);
    if (size < 2 || size >= sizeof(address_.sun_path) || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path, size);
    address_size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + 1);
    if (path[0] == '@') {
        // A name in the abstract namespace begins with a zero byte and ends with its length.
        address_.sun_path[0] = '\0';
        --address_size_;
    }
    socket_ = file_descriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const auto period = number_in_environment("WATCHDOG_USEC");
    const auto process = number_in_environment("WATCHDOG_PID");
    if (period && *period > 0 && (!process || *process == static_cast<std::uint64_t>(::getpid()))) {
        watchdog_period_ = std::chrono::microseconds{*period};
    }
}

bool systemd::send(std::string_view text)
{
    return !socket_ || ::sendto(socket_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address_), address_size_) >= 0;
}

void systemd::ready()
{
    ready_again_.clear();
    if (!send("READY=1")) {
        ready_again_.set(steady_now() + ready_pause, [this] { ready(); });
    }
}

void systemd::reloading()
{
    ready_again_.clear();
    // By systemd's clock (sd_notify(3)).
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(read_clock(CLOCK_MONOTONIC).time_since_epoch());
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void systemd::stopping()
{
    ready_again_.clear();
    send("STOPPING=1");
}

void systemd::status(std::string_view text)
{
    if (text != last_status_) {
        last_status_ = text;
        send("STATUS=" + last_status_);
    }
}

void systemd::start_watchdog()
{
    if (!watchdog_period_) {
        return;
    }
    send("WATCHDOG=1");
    watchdog_.set(steady_now() + *watchdog_period_ / 4, [this] { start_watchdog(); });
}

}  // namespace vipd::io
