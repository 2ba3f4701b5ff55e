#include "agent/io/successor_check.hpp"

#include "common/ensure.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vipd::io {

namespace {

// Of what it says; the first findings tell enough.
constexpr std::size_t said_max = 2048;

std::string how_it_ended(const hooks::process_ended& what)
{
    switch (what.how) {
        case hooks::process_end::exited:
            return "exit code " + std::to_string(what.code);
        case hooks::process_end::signalled:
            return "ended by signal " + std::to_string(what.code);
        case hooks::process_end::not_started:
            break;
    }
    return what.why;
}

}  // namespace

void successor_check::begin(const std::string& program, const std::string& config_file,
                            std::function<void(const result<void>&)> done)
{
    ENSURE(!process_);
    process_ = ids_.next();
    command_ = program + " check --config " + config_file;
    said_.clear();
    done_ = std::move(done);
    until_.set(steady_now() + answer_time_max_, [this] {
        children_.signal({process_, hooks::process_signal::kill});
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(answer_time_max_).count();
        finish(error{error_class::unavailable, command_ + " has not ended for " + std::to_string(seconds) + " s"});
    });
    hooks::start_process what;
    what.id = process_;
    what.argv = {program, "check", "--config", config_file};
    what.is_vipd_itself = true;
    children_.start(std::move(what));
}

void successor_check::on_process_output(hooks::process_output&& what)
{
    if (what.id == process_) {
        said_.append(what.bytes, 0, said_max - std::min(said_max, said_.size()));
    }
}

void successor_check::on_process_ended(hooks::process_ended&& what)
{
    if (what.id != process_) {
        return;  // its deadline was over
    }
    if (what.how == hooks::process_end::exited && what.code == 0) {
        finish({});
        return;
    }
    std::ranges::replace(said_, '\n', ' ');
    finish(error{error_class::malformed, command_ + ": " + how_it_ended(what) + (said_.empty() ? "" : ": ") + said_});
}

void successor_check::finish(const result<void>& outcome)
{
    until_.clear();
    process_ = {};
    std::exchange(done_, nullptr)(outcome);
}

}  // namespace vipd::io
