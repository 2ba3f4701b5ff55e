#include "agent/io/child_processes.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/process_launch.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {

namespace {

namespace asio = boost::asio;

// As much as a pipe holds is read at the end, and before each pause until then: a program that writes without end is slowed
// down by its pipe, and not the loop by the program.
constexpr std::size_t piece = 16U << 10U;
constexpr std::size_t pieces_in_a_row = 4;
constexpr std::chrono::milliseconds pause_between{10};

std::string read_all(int descriptor)
{
    std::array<char, 4096> text{};
    const auto size = ::read(descriptor, text.data(), text.size());
    return size <= 0 ? std::string{} : std::string(text.data(), static_cast<std::size_t>(size));
}

void signal_group(pid_t process, int number)
{
    // Before it has begun a session there is no such group yet.
    if (::kill(-process, number) != 0 && errno == ESRCH) {
        ::kill(process, number);
    }
}

}  // namespace

class child_processes::child {
public:
    child(asio::io_context& context, launched_process&& what) :
        process(what.id), errors(std::move(what.errors)), end(context), output(context), pause(context)
    {
        is_watched = watch(what.end, end) && watch(what.output, output);
    }

    pid_t process;
    file_descriptor errors;
    asio::posix::stream_descriptor end;
    asio::posix::stream_descriptor output;
    deadline pause;
    std::size_t pieces = 0;  // since the last pause
    bool is_watched = false;

private:
    static bool watch(file_descriptor& from, asio::posix::stream_descriptor& by)
    {
        boost::system::error_code failed;
        by.assign(from.get(), failed);
        if (!failed) {
            static_cast<void>(from.release());
        }
        return !failed;
    }
};

child_processes::child_processes(asio::io_context& context, owner& to) : context_(context), to_(to) {}

child_processes::~child_processes()
{
    kill_all();
}

void child_processes::kill_all()
{
    for (const auto& [id, c] : children_) {
        signal_group(c->process, SIGKILL);
    }
}

void child_processes::start(hooks::start_process&& what)
{
    waiting_.push_back(std::move(what));
    if (waiting_.size() == 1) {
        asio::post(context_, [this] { start_next(); });
    }
}

void child_processes::start_next()
{
    if (waiting_.empty()) {
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!waiting_.empty()) {
        asio::post(context_, [this] { start_next(); });
    }
    start_now(std::move(next));
}

void child_processes::start_now(hooks::start_process&& what)
{
    auto launched = launch(what);
    if (!launched) {
        fail(what.id, launched.error().text);
        return;
    }
    auto made = std::make_unique<child>(context_, std::move(*launched));
    if (!made->is_watched) {
        signal_group(made->process, SIGKILL);
        ::waitpid(made->process, nullptr, 0);
        fail(what.id, "the reactor has no room for it");
        return;
    }
    children_.emplace(what.id, std::move(made));
    watch_end(what.id);
    watch_output(what.id);
}

void child_processes::fail(hooks::process_id id, std::string why)
{
    to_.on_process_ended({id, hooks::process_end::not_started, 0, std::move(why), false});
}

void child_processes::signal(const hooks::signal_process& what)
{
    const int number = what.what == hooks::process_signal::kill ? SIGKILL : SIGTERM;
    if (const auto found = children_.find(what.id); found != children_.end()) {
        signal_group(found->second->process, number);
        return;
    }
    const auto waits = std::ranges::find(waiting_, what.id, &hooks::start_process::id);
    if (waits != waiting_.end()) {
        waiting_.erase(waits);
        fail(what.id, "its time was over before its turn came");
    }
}

void child_processes::watch_end(hooks::process_id id)
{
    children_.at(id)->end.async_wait(asio::posix::descriptor_base::wait_read, [this, id](boost::system::error_code failed) {
        if (!failed && children_.contains(id)) {
            finish(id);
        }
    });
}

void child_processes::watch_output(hooks::process_id id)
{
    children_.at(id)->output.async_wait(asio::posix::descriptor_base::wait_read, [this, id](boost::system::error_code failed) {
        if (!failed && children_.contains(id)) {
            read_output(id);
        }
    });
}

void child_processes::read_output(hooks::process_id id)
{
    auto& c = *children_.at(id);
    std::string bytes(piece, '\0');
    const auto size = ::read(c.output.native_handle(), bytes.data(), bytes.size());
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        return;  // everybody has closed it
    }
    if (size > 0) {
        bytes.resize(static_cast<std::size_t>(size));
        to_.on_process_output({id, std::move(bytes)});
    }
    if (++c.pieces < pieces_in_a_row) {
        watch_output(id);
        return;
    }
    c.pieces = 0;
    c.pause.set(steady_now() + pause_between, [this, id] { watch_output(id); });
}

void child_processes::finish(hooks::process_id id)
{
    auto& c = *children_.at(id);
    siginfo_t how{};
    const bool is_known = ::waitid(P_PIDFD, static_cast<id_t>(c.end.native_handle()), &how, WEXITED | WNOHANG) == 0;
    // Its number stays the group's for as long as anybody is left in there, and is not given to others so soon when not.
    const bool left_others = ::kill(-c.process, SIGKILL) == 0 || errno == EPERM;
    for (std::size_t i = 0; i < pieces_in_a_row; ++i) {
        std::string bytes(piece, '\0');
        const auto size = ::read(c.output.native_handle(), bytes.data(), bytes.size());
        if (size <= 0) {
            break;
        }
        bytes.resize(static_cast<std::size_t>(size));
        to_.on_process_output({id, std::move(bytes)});
    }
    auto why = read_all(c.errors.get());
    children_.erase(id);
    if (!why.empty() || !is_known) {
        fail(id, is_known ? std::move(why) : "the kernel does not say how it ended");
        return;
    }
    const auto end = how.si_code == CLD_EXITED ? hooks::process_end::exited : hooks::process_end::signalled;
    to_.on_process_ended({id, end, how.si_status, "", left_others});
}

}  // namespace vipd::io
