#pragma once

// Whether the program that is installed now would take the configuration. It is asked for that itself (`vipd check`), by this
// process's user and in what the unit lets that one see: whoever asks for a restart is root, mostly, and reads what the daemon
// cannot.

#include "agent/io/child_processes.hpp"
#include "agent/io/deadline.hpp"
#include "common/result.hpp"
#include "common/strong_id.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace vipd::io {

class successor_check final : private child_processes::owner {
public:
    explicit successor_check(boost::asio::io_context& context, duration answer_time_max = std::chrono::seconds{5}) :
        answer_time_max_(answer_time_max), children_(context, *this), until_(context)
    {}

    // `done` is called once, and later: with what the program has said when it refused the file, or did not run, or did not end
    // in its time. One at a time.
    void begin(const std::string& program, const std::string& config_file, std::function<void(const result<void>&)> done);

private:
    void on_process_output(hooks::process_output&& what) override;
    void on_process_ended(hooks::process_ended&& what) override;
    void finish(const result<void>& outcome);

    duration answer_time_max_;
    child_processes children_;
    deadline until_;
    id_source<hooks::process_id> ids_;
    hooks::process_id process_;  // none while none is asked
    std::string command_;
    std::string said_;
    std::function<void(const result<void>&)> done_;
};

}  // namespace vipd::io
