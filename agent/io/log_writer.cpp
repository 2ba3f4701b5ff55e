#include "agent/io/log_writer.hpp"

#include "agent/io/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <climits>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace vipd::io {

namespace {

// For the handler below, which may look at nothing else.
std::string* lines_at_abort = nullptr;
int output_at_abort = STDERR_FILENO;

// A failed ENSURE asks for the lines before it: they are written out before the process dies of the signal.
void write_lines_at_abort(int signal)
{
    if (lines_at_abort != nullptr && !lines_at_abort->empty()) {
        [[maybe_unused]] const auto written = ::write(output_at_abort, lines_at_abort->data(), lines_at_abort->size());
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

bool has_room(int output)
{
    pollfd state{output, POLLOUT, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLOUT) != 0;
}

}  // namespace

// Waits for the reader while lines are pending. It has a descriptor of its own, since the reactor closes what it was given.
class log_writer::watcher {
public:
    watcher(boost::asio::io_context& context, log_writer& owner) : owner_(owner), descriptor_(context)
    {
        const int copy = ::fcntl(owner.reopened_ ? owner.reopened_.get() : owner.output_, F_DUPFD_CLOEXEC, 3);
        boost::system::error_code failed;
        if (copy >= 0) {
            descriptor_.assign(copy, failed);
            if (failed) {
                ::close(copy);
            }
        }
    }

    void wait()
    {
        if (waiting_ || !descriptor_.is_open()) {
            return;
        }
        waiting_ = true;
        descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                               [this](const boost::system::error_code& failed) {
                                   if (failed != boost::asio::error::operation_aborted) {
                                       waiting_ = false;
                                       owner_.flush();
                                   }
                               });
    }

private:
    log_writer& owner_;
    boost::asio::posix::stream_descriptor descriptor_;
    bool waiting_ = false;
};

log_writer::log_writer(int output) : output_(output)
{
    struct stat what {};
    if (::fstat(output, &what) == 0) {
        if (S_ISSOCK(what.st_mode)) {
            kind_ = kind::socket;
        } else if (S_ISREG(what.st_mode)) {
            kind_ = kind::file;
        } else {
            const auto path = "/proc/self/fd/" + std::to_string(output);
            reopened_ = file_descriptor{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
            kind_ = reopened_ ? kind::own : kind::shared;
        }
    }
    lines_at_abort = &pending_;
    output_at_abort = output;
    std::signal(SIGABRT, write_lines_at_abort);
}

log_writer::~log_writer()
{
    lines_at_abort = nullptr;
}

void log_writer::watch(boost::asio::io_context& context)
{
    if (kind_ != kind::file) {
        watcher_ = std::make_unique<watcher>(context, *this);
    }
}

void log_writer::stop_watching()
{
    watcher_.reset();
}

void log_writer::write(const log_record& record)
{
    if (record.level < options_.least) {
        return;
    }
    if (pending_.size() >= pending_bytes_max) {
        flush();
    }
    if (dropped_ != 0 && pending_.size() < pending_bytes_max / 2) {
        const std::array<log_field, 1> fields{log_field{"lines", dropped_}};
        dropped_ = 0;
        append({log_level::warning, "log_lines_dropped", fields});
    }
    if (pending_.size() >= pending_bytes_max || dropped_ != 0) {
        ++dropped_;
        ++dropped_total_;
        return;
    }
    append(record);
}

void log_writer::append(const log_record& record)
{
    pending_.append(log_line(record, read_clocks().wall, options_.style));
}

std::size_t log_writer::write_some(const char* bytes, std::size_t size)
{
    while (true) {
        ssize_t written = 0;
        switch (kind_) {
            case kind::socket:
                written = ::send(output_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
                break;
            case kind::own:
                written = ::write(reopened_.get(), bytes, size);
                break;
            case kind::shared:
                if (!has_room(output_)) {
                    return 0;
                }
                // poll(2) promises that this much is taken without waiting.
                written = ::write(output_, bytes, std::min<std::size_t>(size, PIPE_BUF));
                break;
            case kind::file:
                written = ::write(output_, bytes, size);
                break;
        }
        if (written >= 0) {
            return static_cast<std::size_t>(written);
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            // Nobody will read this any more (EPIPE), or the disk is full: the lines are lost, and counted.
            dropped_ += static_cast<std::uint64_t>(std::count(bytes, bytes + size, '\n'));
            dropped_total_ += static_cast<std::uint64_t>(std::count(bytes, bytes + size, '\n'));
            return size;
        }
        return 0;
    }
}

void log_writer::flush()
{
    std::size_t done = 0;
    while (done < pending_.size()) {
        const std::size_t written = write_some(pending_.data() + done, pending_.size() - done);
        if (written == 0) {
            break;
        }
        done += written;
    }
    pending_.erase(0, done);
    if (!pending_.empty() && watcher_) {
        watcher_->wait();
    }
}

void log_writer::flush_at_exit()
{
    const auto give_up = steady_now() + std::chrono::seconds{1};
    flush();
    while (!pending_.empty() && steady_now() < give_up) {
        pollfd state{reopened_ ? reopened_.get() : output_, POLLOUT, 0};
        static_cast<void>(::poll(&state, 1, 50));
        flush();
    }
}

}  // namespace vipd::io
