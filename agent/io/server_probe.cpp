#include "agent/io/server_probe.hpp"

#include "agent/health/answers.hpp"
#include "agent/io/clock.hpp"
#include "common/duration_text.hpp"

#include <array>
#include <span>
#include <utility>

namespace vipd::io {

namespace {

std::string request_of(const config::http_check& what)
{
    return "GET " + what.target + " HTTP/1.1\r\nHost: " + (what.host.empty() ? aws::host_header(what.origin) : what.host) +
           "\r\nUser-Agent: vipd/" VIPD_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

server_probe::server_probe(health::check_id id, boost::asio::io_context& context, connection_target& target,
                           std::optional<config::http_check> http, owner& to) :
    id_(id),
    http_(std::move(http)),
    to_(to),
    request_(http_ ? request_of(*http_) : std::string{}),
    connection_(std::make_shared<outgoing_connection>(id.value(), context, target, *this))
{}

server_probe::~server_probe() = default;

void server_probe::begin(resolver& names, std::shared_ptr<const tls_context> tls, duration timeout)
{
    timeout_ = timeout;
    give_up_ = steady_now() + timeout;
    connection_->open(names, std::move(tls), give_up_);
}

void server_probe::on_open(connection_id /*id*/)
{
    if (!http_) {
        end({id_, health::probe_outcome::passed, "", 0, false});
        return;
    }
    is_open_ = true;
    connection_->set_alarm(give_up_);
    go_on();
}

void server_probe::on_open_failed(connection_id /*id*/, const error& cause)
{
    fail(cause.kind == error_class::timed_out ? health::probe_outcome::timed_out : health::probe_outcome::failed, cause.text);
}

void server_probe::on_ready(connection_id /*id*/)
{
    go_on();
}

void server_probe::on_alarm(connection_id /*id*/)
{
    fail(health::probe_outcome::timed_out,
         (reader_.has_begun() ? "no whole answer in " : "no answer in ") + format_duration(timeout_));
}

void server_probe::go_on()
{
    if (written_ == request_.size()) {
        read_some();
    } else if (write_some()) {
        // Nobody answers in the same moment.
        connection_->wait_for(transport::status::want_read);
    }
}

// False: it waits, or is over.
bool server_probe::write_some()
{
    while (written_ < request_.size()) {
        const auto step = connection_->wire().write(std::string_view{request_}.substr(written_));
        if (step.what == transport::status::done) {
            written_ += step.bytes;
        } else if (step.what == transport::status::want_read || step.what == transport::status::want_write) {
            connection_->wait_for(step.what);
            return false;
        } else {
            fail(health::probe_outcome::failed, "the request cannot be sent: " + connection_->wire().problem());
            return false;
        }
    }
    return true;
}

// All that has come is taken at once: it is bounded by what an answer may have.
void server_probe::read_some()
{
    std::array<std::uint8_t, 16384> bytes{};
    while (true) {
        const auto step = connection_->wire().read(bytes);
        if (step.what == transport::status::want_read || step.what == transport::status::want_write) {
            connection_->wait_for(step.what);
            return;
        }
        if (step.what == transport::status::failed) {
            fail(health::probe_outcome::failed, connection_->wire().problem());
            return;
        }
        const auto progress =
            step.what == transport::status::end ? reader_.end() : reader_.put(std::span{bytes}.first(step.bytes));
        if (progress == response_reader::progress::done) {
            judge(reader_.take().status);
            return;
        }
        if (progress == response_reader::progress::failed) {
            if (const auto status = reader_.status_of_too_large()) {
                connection_->reset();
                judge(*status);
            } else {
                fail(health::probe_outcome::failed, reader_.problem().text);
            }
            return;
        }
    }
}

void server_probe::judge(unsigned status)
{
    end(health::http_answer(id_, *http_, status));
}

void server_probe::fail(health::probe_outcome outcome, std::string why)
{
    if (is_open_) {
        connection_->reset();
    }
    end({id_, outcome, std::move(why), 0, false});
}

void server_probe::end(health::probe_ended&& how)
{
    to_.on_server_probe_ended(std::move(how));
}

}  // namespace vipd::io
