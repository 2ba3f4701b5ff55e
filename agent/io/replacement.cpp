#include "agent/io/replacement.hpp"

#include "agent/io/config_file.hpp"
#include "agent/io/listening_socket.hpp"
#include "agent/io/permissions.hpp"
#include "agent/io/successor.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <system_error>

namespace vipd::io {

namespace {

// A program that is asked runs in another folder.
std::string whole_path(const std::string& path)
{
    std::error_code failed;
    const auto whole = std::filesystem::absolute(path, failed);
    return failed ? path : whole.string();
}

}  // namespace

replacement::replacement(boost::asio::io_context& context, const std::string& config_file, log_writer& log, owner& of) :
    config_file_(whole_path(config_file)), log_(log), of_(of), program_(own_program()), check_(context), next_(context)
{}

result<void> replacement::is_possible() const
{
    if (const auto possible = of_.can_be_succeeded(); !possible) {
        return possible;
    }
    return program_ ? can_become(*program_) : result<void>{program_.error()};
}

// What a start would be refused for, beyond what a check looks at: the capabilities, and ports that others have. A file that
// this program does not understand may be one for the next.
result<void> replacement::may_start_by_file() const
{
    const auto file = load_config_file(config_file_);
    if (!file) {
        return {};
    }
    if (const auto allowed = may_do(*file->configuration); !allowed) {
        return allowed;
    }
    const auto& own = of_.configuration().http.listen;
    for (const auto& where : file->configuration->http.listen) {
        // A port that this process has will be free.
        if (std::ranges::find(own, where.port, &config::tcp_listener::port) != own.end()) {
            continue;
        }
        if (const auto tried = listen_on(where); !tried) {
            return tried.error();
        }
    }
    return {};
}

result<std::string> replacement::begin()
{
    constexpr duration patience = std::chrono::seconds{8};
    if (const auto possible = is_possible(); !possible) {
        return possible.error();
    }
    if (const auto may_start = may_start_by_file(); !may_start) {
        return may_start.error();
    }
    if (!std::exchange(is_under_way_, true)) {
        give_up_ = steady_now() + patience;
        check_.begin(*program_, config_file_, [this](const result<void>& outcome) { on_checked(outcome); });
    }
    return "vipd has the configuration checked by " + *program_ +
           ", and makes room for it; no router changes its state, "
           "and the log says so if it goes on instead (event=restart)";
}

void replacement::on_checked(const result<void>& outcome)
{
    if (outcome) {
        prepare();
    } else {
        refuse(outcome.error());
    }
}

// A signal that has come is heard in that time, and the answer reaches who has asked. One that comes later is the successor's.
void replacement::prepare()
{
    constexpr duration hearing_time = std::chrono::milliseconds{50};
    hold_back_signals();
    next_.set(steady_now() + hearing_time, [this] { become_successor(); });
}

void replacement::become_successor()
{
    constexpr duration next_try = std::chrono::milliseconds{200};
    if (const auto possible = is_possible(); !possible) {
        let_signals_through();
        if (possible.error().kind == error_class::unavailable && steady_now() < give_up_) {
            next_.set(steady_now() + next_try, [this] { prepare(); });
        } else {
            refuse(possible.error());
        }
        return;
    }
    log_.info("restart", {{"program", *program_}, {"version", VIPD_VERSION}});
    // Nobody waits for who reads the log: the adverts would, too. What does not fit at this moment is lost with this program.
    log_.flush();
    const auto problem = become(*program_, {*program_, "run", "--config", config_file_}, of_.leave_behind());
    let_signals_through();
    refuse(problem);
}

void replacement::refuse(const error& reason)
{
    is_under_way_ = false;
    log_.error("restart", {{"outcome", "refused"}, {"reason", reason.text}});
}

}  // namespace vipd::io
