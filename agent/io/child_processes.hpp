#pragma once

// The programs of hooks, as processes. Nothing here waits: a start returns as soon as there is a process, its output is read
// when there is some, and its end is told by its pidfd.
//
// fork() and not vfork() or posix_spawn(): those stop the caller until the new process has called execve(), and that has the
// ordinary priority, while the loop may have a real-time one. On two busy processors it took 16 ms, and nothing bounds it. With
// fork() the loop goes on after 0.5 ms (12 MiB of locked memory, whatever the load), and between fork() and execve() there is
// room for what posix_spawn() cannot do. vipd has one thread, so the child may call what it likes.

#include "agent/hooks/process.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>

namespace vipd::io {

class child_processes {
public:
    class owner {
    public:
        virtual void on_process_output(hooks::process_output&& what) = 0;
        virtual void on_process_ended(hooks::process_ended&& what) = 0;

    protected:
        ~owner() = default;
    };

    child_processes(boost::asio::io_context& context, owner& to);
    // Whoever still runs is killed: nobody would see to its deadline.
    ~child_processes();
    child_processes(const child_processes&) = delete;
    child_processes& operator=(const child_processes&) = delete;

    // One in each round of the reactor, so that many of them delay an advert by one.
    void start(hooks::start_process&& what);
    void signal(const hooks::signal_process& what);
    // Before this process becomes another one, which will not hear of them.
    void kill_all();

    // It is a process, and its turn is not still to come.
    [[nodiscard]] bool has_begun(hooks::process_id id) const { return children_.contains(id); }
    [[nodiscard]] std::size_t size() const { return children_.size() + waiting_.size(); }

private:
    class child;

    void start_next();
    void start_now(hooks::start_process&& what);
    void fail(hooks::process_id id, std::string why);
    void watch_end(hooks::process_id id);
    void watch_output(hooks::process_id id);
    void read_output(hooks::process_id id);
    void finish(hooks::process_id id);

    boost::asio::io_context& context_;
    owner& to_;
    std::deque<hooks::start_process> waiting_;
    std::map<hooks::process_id, std::unique_ptr<child>> children_;
};

}  // namespace vipd::io
