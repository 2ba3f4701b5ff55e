#include "agent/doctor/examination.hpp"

#include "agent/aws/endpoint.hpp"
#include "agent/doctor/questions.hpp"
#include "agent/node/cloud_settings.hpp"
#include "common/ensure.hpp"
#include "common/overloaded.hpp"

#include <utility>

namespace vipd::doctor {

namespace {

using namespace std::chrono_literals;

constexpr unsigned attempts_max = 3;
// While more than these are open, what follows from their answers waits: it is worked out from all that is known, which costs
// some time where a thousand routers are configured.
constexpr std::size_t questions_open_max = 8;

// Passes by itself, or was put right by the session: our clock, our credentials.
bool may_pass(aws::ec2_error_class kind)
{
    switch (kind) {
        case aws::ec2_error_class::transient:
        case aws::ec2_error_class::throttled:
        case aws::ec2_error_class::credentials:
        case aws::ec2_error_class::clock:
        case aws::ec2_error_class::unknown_outcome:
        case aws::ec2_error_class::not_sent:
            return true;
        case aws::ec2_error_class::consistency:
        case aws::ec2_error_class::route_missing:
        case aws::ec2_error_class::route_exists:
        case aws::ec2_error_class::outdated:
        case aws::ec2_error_class::index_taken:
        case aws::ec2_error_class::denied:
        case aws::ec2_error_class::invalid:
        case aws::ec2_error_class::dry_run_ok:
        case aws::ec2_error_class::page_too_large:
            return false;
    }
    return false;
}

aws::session_settings settings_of(const config::configuration& configuration)
{
    auto settings = node::session_settings(configuration, {});
    // What an earlier process has written down is not what the service says.
    settings.identity_cache.clear();
    settings.needs_identity = true;
    return settings;
}

}  // namespace

examination::examination(const examination_settings& settings, log_sink& log)
{
    known_.configuration = settings.configuration;
    known_.rights = settings.rights;
    known_.daemon = settings.daemon;
    if (settings.configuration->uses_aws()) {
        session_ = std::make_unique<aws::cloud_session>(settings_of(*settings.configuration), settings.environment,
                                                        settings.seed, log);
    }
}

void examination::start(instant now)
{
    end_ = now.steady + examination_max;
    if (session_) {
        session_until_ = now.steady + session_wait_max;
        session_->start(now);
    }
    advance(now);
}

void examination::handle(instant now, const net::kernel_event& event)
{
    known_.links.apply(event);
    if (std::holds_alternative<net::dump_done>(event)) {
        advance(now);
    }
}

void examination::handle(instant now, result<path_to_endpoint>&& path)
{
    known_.path = std::move(path);
    advance(now);
}

void examination::handle_http(instant now, aws::http_exchange_id id, aws::http_result&& result)
{
    session_->handle_http(now, id, std::move(result));
    advance(now);
}

void examination::handle_file(instant now, aws::file_read_id id, result<std::string>&& content)
{
    session_->handle_file(now, id, std::move(content));
    advance(now);
}

void examination::handle_timeout(instant now)
{
    if (session_ && session_->next_wakeup().at <= now.steady) {
        session_->handle_timeout(now);
    }
    advance(now);
}

wakeup examination::next_wakeup() const
{
    if (finished_) {
        return {};
    }
    wakeup next{end_, "the end of the examination"};
    if (!known_.session_given_up) {
        next = earliest(next, {session_until_, "identity and credentials"});
    }
    if (session_) {
        next = earliest(next, session_->next_wakeup());
    }
    if (!repetitions_.empty()) {
        next = earliest(next, {repetitions_.begin()->first, "a question that is asked again"});
    }
    return next;
}

std::optional<examination_output> examination::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto oldest = std::move(outputs_.front());
    outputs_.pop_front();
    return oldest;
}

void examination::advance(instant now)
{
    if (finished_) {
        return;
    }
    if (session_) {
        while (take_session_outputs(now)) {}
        known_.session = session_->snapshot(now);
        known_.session_given_up = known_.session_given_up || session_until_ <= now.steady;
        ask_for_path();
        repeat_questions(now);
        if (session_->ready() && under_way_.size() < questions_open_max) {
            for (const auto& question : next_questions(known_)) {
                ask(now, question);
            }
        }
        while (take_session_outputs(now)) {}
    }
    known_.out_of_time = end_ <= now.steady && is_waiting();
    finished_ = known_.out_of_time || !is_waiting();
}

bool examination::is_waiting() const
{
    if (!known_.links.complete()) {
        return true;
    }
    if (!session_) {
        return false;
    }
    const bool has_session = session_->ready() && session_->identity();
    return (!has_session && !known_.session_given_up) || !under_way_.empty() || !repetitions_.empty() ||
           (path_asked_ && !known_.path);
}

bool examination::take_session_outputs(instant now)
{
    bool any = false;
    while (auto output = session_->poll_output()) {
        any = true;
        std::visit(overloaded{
                       [&](aws::call_done& o) { take_answer(now, std::move(o)); },
                       [](aws::identity_changed&) {},
                       // There is no file for the identity, so that nothing is ever written.
                       [](aws::write_file&) {},
                       [&](auto& o) { outputs_.emplace_back(std::move(o)); },
                   },
                   *output);
    }
    return any;
}

void examination::take_answer(instant now, aws::call_done&& answer)
{
    const auto found = under_way_.find(answer.id);
    if (found == under_way_.end()) {
        return;
    }
    const auto call = std::move(found->second);
    under_way_.erase(found);
    auto& entry = known_.answers.entry(call);
    if (answer.first_byte != never && answer.finished >= answer.first_byte) {
        entry.round_trip = answer.finished - answer.first_byte;
    }
    const auto* const failure = std::get_if<aws::ec2_error>(&answer.reply.value);
    if (failure != nullptr && may_pass(failure->kind) && entry.attempts < attempts_max) {
        // With a pause that lets a bucket of EC2's throttling fill up.
        repetitions_.emplace(now.steady + 400ms * entry.attempts, call);
    }
    entry.reply = std::move(answer.reply);
}

void examination::ask(instant now, const aws::ec2_call& question)
{
    ENSURE(!aws::is_mutating(question));
    ++known_.answers.entry(question).attempts;
    under_way_.emplace(session_->call(now, question), question);
}

void examination::repeat_questions(instant now)
{
    while (!repetitions_.empty() && repetitions_.begin()->first <= now.steady) {
        const auto question = std::move(repetitions_.begin()->second);
        repetitions_.erase(repetitions_.begin());
        ask(now, question);
    }
}

void examination::ask_for_path()
{
    if (path_asked_ || known_.session.endpoint.empty()) {
        return;
    }
    if (const auto origin = aws::parse_origin(known_.session.endpoint, false)) {
        path_asked_ = true;
        outputs_.emplace_back(find_path{*origin});
    }
}

}  // namespace vipd::doctor
