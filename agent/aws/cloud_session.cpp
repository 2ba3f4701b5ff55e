#include "agent/aws/cloud_session.hpp"

#include "agent/aws/call_queue.hpp"
#include "agent/aws/clock_skew.hpp"
#include "agent/aws/ec2_error.hpp"
#include "agent/aws/session_setup.hpp"
#include "agent/aws/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vipd::aws {

std::string_view to_string(credential_source source)
{
    switch (source) {
        case credential_source::none:
            return "none";
        case credential_source::environment:
            return "environment";
        case credential_source::profile:
            return "profile";
        case credential_source::container:
            return "container";
        case credential_source::instance_role:
            return "instance_role";
        case credential_source::web_identity:
            return "web_identity";
        case credential_source::assumed_role:
            return "assumed_role";
    }
    return "unknown";
}

// EC2 calls on top of what session_setup keeps ready: in turn, signed at the moment they go out, and what an answer says about
// our clock and credentials heeded.
class cloud_session::impl {
public:
    impl(const session_settings& settings, const environment& variables, std::uint64_t seed, log_sink& log) :
        log_(log),
        seeds_(seed),
        setup_(settings, variables, seeds_, log, outputs_),
        calls_(std::clamp(settings.connections, 1U, 256U))
    {}

    void start(instant now);
    void handle_http(instant now, http_exchange_id id, http_result&& result);
    void handle_file(instant now, file_read_id id, result<std::string>&& content);
    void handle_written(instant now, file_write_id id, const result<void>& outcome) { setup_.handle_written(now, id, outcome); }
    void handle_timeout(instant now);
    [[nodiscard]] wakeup next_wakeup() const;
    std::optional<session_output> poll_output() { return outputs_.take(); }

    ec2_call_id call(instant now, const ec2_call& what, duration wait_max);
    void cancel(ec2_call_id id);
    [[nodiscard]] std::optional<ec2_call_id> call_of(http_exchange_id id) const { return calls_.call_of(id); }
    void refresh_interfaces(instant now);
    void watch_notices(instant now, const notice_settings& settings);
    [[nodiscard]] const notice* current_notice(instant now) const { return setup_.current_notice(server_time(now).wall); }
    [[nodiscard]] std::vector<notice> heard_notices() const { return setup_.heard_notices(); }
    void recall_notices(const std::vector<notice>& last) { setup_.recall_notices(last); }

    [[nodiscard]] bool ready() const { return setup_.ready(); }
    [[nodiscard]] const std::optional<instance_identity>& identity() const { return setup_.identity(); }
    [[nodiscard]] session_snapshot snapshot() const;

private:
    void advance(instant now);
    void send_calls(instant now);
    void give_up_calls(instant now);
    std::optional<duration> learn_skew(instant now, std::optional<wall_time> server_date, const http_result& result);
    void heed_sts_clock(instant now, const http_result& result);
    void finish_call(instant now, sent_call&& sent, const http_result& result);
    [[nodiscard]] instant server_time(instant now) const { return {now.steady, now.wall + skew_}; }

    log_sink& log_;
    random_source seeds_;
    session_outputs outputs_;
    session_setup setup_;
    call_queue calls_;
    signer signer_;
    duration skew_{};
    time_point last_now_{};
    id_source<ec2_call_id> call_ids_;
};

void cloud_session::impl::start(instant now)
{
    setup_.start(now);
    advance(now);
}

void cloud_session::impl::handle_http(instant now, http_exchange_id id, http_result&& result)
{
    if (setup_.is_from_sts(id)) {
        heed_sts_clock(now, result);
    }
    if (!setup_.handle_http(server_time(now), id, result)) {
        // What is not under way was cancelled, and nobody waits for it.
        if (auto sent = calls_.finish(id)) {
            finish_call(now, std::move(*sent), result);
        }
    }
    advance(now);
}

void cloud_session::impl::handle_file(instant now, file_read_id id, result<std::string>&& content)
{
    setup_.handle_file(server_time(now), id, content);
    advance(now);
}

void cloud_session::impl::handle_timeout(instant now)
{
    setup_.handle_timeout(server_time(now));
    advance(now);
}

void cloud_session::impl::refresh_interfaces(instant now)
{
    setup_.refresh_interfaces(server_time(now));
    advance(now);
}

void cloud_session::impl::watch_notices(instant now, const notice_settings& settings)
{
    setup_.watch_notices(server_time(now), settings);
    advance(now);
}

void cloud_session::impl::advance(instant now)
{
    last_now_ = now.steady;
    setup_.advance(server_time(now));
    send_calls(now);
    give_up_calls(now);
}

ec2_call_id cloud_session::impl::call(instant now, const ec2_call& what, duration wait_max)
{
    const auto id = call_ids_.next();
    calls_.add({id, what, now.steady, saturating_add(now.steady, wait_max)});
    advance(now);
    return id;
}

void cloud_session::impl::send_calls(instant now)
{
    const auto& keeper = setup_.keeper();
    // The caller repeats a refused call at once, and the old keys would only be refused again.
    while (ready() && keeper.hold_until() <= now.steady && calls_.can_send()) {
        auto call = *calls_.next();
        http_exchange exchange;
        exchange.origin = *setup_.endpoint();
        exchange.mutating = is_mutating(call.what);
        exchange.request.method = "POST";
        exchange.request.headers = {{"Host", host_header(exchange.origin)},
                                    {"User-Agent", "vipd/" VIPD_VERSION},
                                    {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
        exchange.request.body = encode_form(call.what);
        signer_.sign(exchange.request, {setup_.region(), "ec2"}, *keeper.current(), server_time(now).wall);
        const auto id = outputs_.put(std::move(exchange));
        calls_.mark_sent(id, {std::move(call), keeper.generation(), skew_});
    }
}

std::optional<duration> cloud_session::impl::learn_skew(instant now, std::optional<wall_time> server_date,
                                                        const http_result& result)
{
    const auto skew = measure_skew(server_date, result.first_byte, result.finished, now);
    if (skew) {
        skew_ = *skew;
    }
    return skew;
}

// Without credentials no call to EC2 could tell that our clock is wrong, and STS refuses what is signed by a wrong one.
void cloud_session::impl::heed_sts_clock(instant now, const http_result& result)
{
    const auto* const response = std::get_if<http_response>(&result.outcome);
    const auto before = skew_;
    const auto skew = response == nullptr ? std::nullopt : learn_skew(now, date_of(*response), result);
    if (skew && std::chrono::abs(*skew - before) > clock_skew_blamed) {
        log_.warning("clock", {{"skew_ms", *skew}, {"code", "STS"}});
    }
}

void cloud_session::impl::finish_call(instant now, sent_call&& sent, const http_result& result)
{
    call_done done{.id = sent.call.id,
                   .reply = decode_reply(sent.call.what, result),
                   .issued = sent.call.issued,
                   .first_byte = result.first_byte,
                   .finished = result.finished};
    const auto skew = learn_skew(now, done.reply.server_date, result);
    auto* failure = std::get_if<ec2_error>(&done.reply.value);
    if (failure != nullptr && may_blame_clock(failure->code) && skew &&
        std::chrono::abs(*skew - sent.skew) > clock_skew_blamed) {
        failure->kind = ec2_error_class::clock;
        log_.warning("clock", {{"skew_ms", *skew}, {"code", failure->code}});
    } else if (failure != nullptr && failure->kind == ec2_error_class::credentials) {
        setup_.refused(server_time(now), sent.keys_generation);
    } else if (failure != nullptr && failure->kind == ec2_error_class::denied && may_blame_session(failure->code)) {
        setup_.doubted(server_time(now), sent.keys_generation);
    }
    outputs_.put_event(std::move(done));
}

void cloud_session::impl::give_up_calls(instant now)
{
    if (ready()) {
        return;
    }
    for (auto& call : calls_.take_expired(now.steady)) {
        const auto cause = setup_.last_error();
        const auto* missing = !setup_.endpoint() ? "the region or endpoint of EC2 is not known" : "there are no credentials";
        ec2_reply reply;
        reply.value = ec2_error{ec2_error_class::not_sent,
                                "not_ready",
                                clean_text(fmt::format("{} yet{}{}", missing, cause.empty() ? "" : ": ", cause), 300),
                                {}};
        outputs_.put_event(call_done{.id = call.id, .reply = std::move(reply), .issued = call.issued, .finished = now.steady});
    }
}

void cloud_session::impl::cancel(ec2_call_id id)
{
    const auto removed = calls_.remove(id);
    if (removed.was_waiting) {
        return;
    }
    const auto not_taken_yet = [&](const session_output& output) {
        const auto* const exchange = std::get_if<http_exchange>(&output);
        const auto* const finished = std::get_if<call_done>(&output);
        return (exchange != nullptr && exchange->id == removed.exchange) || (finished != nullptr && finished->id == id);
    };
    const bool was_queued = outputs_.take_back(not_taken_yet) > 0;
    if (removed.exchange && !was_queued) {
        outputs_.put_event(cancel_http{*removed.exchange});
    }
}

wakeup cloud_session::impl::next_wakeup() const
{
    if (ready() && calls_.can_send()) {
        // A cancelled call made room, and signing needs to be told the time.
        return earliest(setup_.next_wakeup(), {std::max(last_now_, setup_.keeper().hold_until()), "waiting EC2 calls"});
    }
    auto next = setup_.next_wakeup();
    if (!ready()) {
        next = earliest(next, {calls_.first_expiry(), "EC2 calls that cannot be signed"});
    }
    return next;
}

session_snapshot cloud_session::impl::snapshot() const
{
    session_snapshot s;
    s.region = setup_.region();
    s.endpoint = setup_.endpoint() ? to_string(*setup_.endpoint()) : std::string{};
    s.identity = setup_.identity();
    s.identity_from = setup_.identity_from();
    s.source = setup_.keeper().source();
    s.role_arn = setup_.keeper().role_arn();
    if (const auto& keys = setup_.keeper().current()) {
        s.access_key_id = keys->access_key_id;
        s.credentials_expire = keys->expiration;
    }
    s.clock_skew = skew_;
    s.last_error = setup_.last_error();
    s.calls_queued = calls_.waiting();
    s.calls_under_way = calls_.under_way();
    s.ready = ready();
    return s;
}

cloud_session::cloud_session(const session_settings& settings, const environment& variables, std::uint64_t seed,
                             log_sink& log) :
    impl_(std::make_unique<impl>(settings, variables, seed, log))
{}

cloud_session::~cloud_session() = default;

void cloud_session::start(instant now)
{
    impl_->start(now);
}

void cloud_session::handle_http(instant now, http_exchange_id id, http_result&& result)
{
    impl_->handle_http(now, id, std::move(result));
}

void cloud_session::handle_file(instant now, file_read_id id, result<std::string>&& content)
{
    impl_->handle_file(now, id, std::move(content));
}

void cloud_session::handle_written(instant now, file_write_id id, const result<void>& outcome)
{
    impl_->handle_written(now, id, outcome);
}

void cloud_session::handle_timeout(instant now)
{
    impl_->handle_timeout(now);
}

wakeup cloud_session::next_wakeup() const
{
    return impl_->next_wakeup();
}

std::optional<session_output> cloud_session::poll_output()
{
    return impl_->poll_output();
}

ec2_call_id cloud_session::call(instant now, const ec2_call& what, duration wait_max)
{
    return impl_->call(now, what, wait_max);
}

void cloud_session::cancel(ec2_call_id id)
{
    impl_->cancel(id);
}

std::optional<ec2_call_id> cloud_session::call_of(http_exchange_id id) const
{
    return impl_->call_of(id);
}

void cloud_session::refresh_interfaces(instant now)
{
    impl_->refresh_interfaces(now);
}

void cloud_session::watch_notices(instant now, const notice_settings& settings)
{
    impl_->watch_notices(now, settings);
}

const notice* cloud_session::current_notice(instant now) const
{
    return impl_->current_notice(now);
}

std::vector<notice> cloud_session::heard_notices() const
{
    return impl_->heard_notices();
}

void cloud_session::recall_notices(const std::vector<notice>& last)
{
    impl_->recall_notices(last);
}

bool cloud_session::ready() const
{
    return impl_->ready();
}

const std::optional<instance_identity>& cloud_session::identity() const
{
    return impl_->identity();
}

session_snapshot cloud_session::snapshot(instant) const
{
    return impl_->snapshot();
}

}  // namespace vipd::aws
