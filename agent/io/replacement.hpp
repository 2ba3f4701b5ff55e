#pragma once

// `vipd restart`, as far as this process goes: it has the program that is installed now check the configuration, waits for a
// moment in which nothing of its own is under way, and becomes that program (see successor.hpp). Whatever stands against it
// leaves the daemon as it was.

#include "agent/config/config.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/log_writer.hpp"
#include "agent/io/successor_check.hpp"
#include "agent/node/succession.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>

#include <string>

namespace vipd::io {

class replacement {
public:
    // The daemon.
    struct owner {
        // Whether this moment is one; of class unavailable where another may be.
        [[nodiscard]] virtual result<void> can_be_succeeded() const = 0;
        [[nodiscard]] virtual const config::configuration& configuration() const = 0;
        // What the successor has to know. This process may go on after it all the same.
        virtual node::succession leave_behind() = 0;

    protected:
        ~owner() = default;
    };

    replacement(boost::asio::io_context& context, const std::string& config_file, log_writer& log, owner& of);

    // Begins, or says what stands against it already. What is found later is in the log (event=restart).
    result<std::string> begin();

private:
    [[nodiscard]] result<void> is_possible() const;
    [[nodiscard]] result<void> may_start_by_file() const;
    void on_checked(const result<void>& outcome);
    void prepare();
    void become_successor();
    void refuse(const error& reason);

    std::string config_file_;
    log_writer& log_;
    owner& of_;
    result<std::string> program_;
    successor_check check_;
    deadline next_;
    bool is_under_way_ = false;
    time_point give_up_{};
};

}  // namespace vipd::io
