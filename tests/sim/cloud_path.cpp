#include "tests/sim/cloud_path.hpp"

#include <algorithm>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

constexpr duration handshake_time = 20ms;
// How long a connection is believed in that nothing comes from any more.
constexpr duration silence_max = 3s;

aws::http_failure failure(bool may_have_arrived, error_class kind, const char* text)
{
    return {may_have_arrived, {kind, text}};
}

}  // namespace

cloud_path::cloud_path(cloud_site& site, const host_clock& clock, cloud::request_source source, std::uint64_t seed, owner& to) :
    site_(site), clock_(clock), source_(std::move(source)), random_(seed), to_(to)
{}

cloud_path::under_way* cloud_path::find(aws::http_exchange_id id, std::uint64_t number)
{
    const auto found = under_way_.find(id);
    return found == under_way_.end() || found->second.number != number ? nullptr : &found->second;
}

void cloud_path::later(duration wait, aws::http_exchange_id id, std::uint64_t number, void (cloud_path::*what)(under_way&))
{
    site_.events.after(wait, [this, id, number, what] {
        if (auto* one = find(id, number)) {
            (this->*what)(*one);
        }
    });
}

void cloud_path::set_reachable(bool reachable)
{
    if (reachable != reachable_) {
        reachable_ = reachable;
        reachable_since_ = site_.events.now();
    }
}

void cloud_path::set_descriptors(bool left)
{
    if (left != descriptors_left_) {
        descriptors_left_ = left;
        descriptors_since_ = site_.events.now();
    }
}

void cloud_path::keep_warm(unsigned connections)
{
    warm_from_ = connections > 0 ? site_.events.now() + handshake_time : never;
}

bool cloud_path::has_warm_connection() const
{
    const auto now = site_.events.now();
    return now >= warm_from_ && (reachable_ ? now - handshake_time >= reachable_since_ : now - silence_max < reachable_since_);
}

void cloud_path::start(aws::http_exchange&& exchange)
{
    const auto id = exchange.id;
    auto& one = under_way_[id];
    one = {std::move(exchange), ++last_number_, clock_.read(site_.events.now()).steady, never, false, {}};
    later(one.exchange.time_max, id, one.number, &cloud_path::give_up);
    if (one.exchange.origin.tls && has_warm_connection()) {
        write(one);
    } else if (!descriptors_left_) {
        later({}, id, one.number, &cloud_path::refuse_socket);
    } else if (reachable_) {
        // TCP, and for EC2 the two round trips of TLS.
        later((one.exchange.origin.tls ? 6 : 2) * draw_delay(), id, one.number, &cloud_path::write);
    } else {
        later(one.exchange.connect_time_max, id, one.number, &cloud_path::refuse_connection);
    }
}

void cloud_path::refuse_connection(under_way& one)
{
    finish(one, failure(false, error_class::timed_out, "no connection in time"));
}

void cloud_path::refuse_socket(under_way& one)
{
    finish(one, failure(false, error_class::unavailable, "too many open files"));
}

void cloud_path::write(under_way& one)
{
    if (one.exchange.mutating && !to_.may_begin(one.exchange.id)) {
        finish(one, failure(false, error_class::cancelled, "not permitted"));
        return;
    }
    one.first_byte = clock_.read(site_.events.now()).steady;
    to_.on_first_byte(one.exchange);
    if (reachable_) {
        later(draw_delay(), one.exchange.id, one.number, &cloud_path::arrive);
    }
}

cloud::planned_reply cloud_path::hand_over(const aws::http_exchange& exchange)
{
    const auto now = site_.now();
    if (!exchange.origin.tls) {
        return site_.cloud.handle_imds(now, exchange.request, source_);
    }
    return exchange.origin.host.starts_with("sts") ? site_.cloud.handle_sts(now, exchange.request, source_)
                                                   : site_.cloud.handle_ec2(now, exchange.request, source_);
}

void cloud_path::arrive(under_way& one)
{
    one.arrived = true;
    const auto reply = hand_over(one.exchange);
    one.accepted = reply.id;
    const auto id = one.exchange.id;
    const auto number = one.number;
    site_.settle();
    // What is answered after the client has gone, or never, needs no event of its own.
    if (reply.reply_at != never && reply.reply_at < site_.events.now() + one.exchange.time_max) {
        later(reply.reply_at - site_.events.now() + draw_delay(), id, number, &cloud_path::collect);
    }
}

void cloud_path::collect(under_way& one)
{
    if (!reachable_) {
        return;  // the answer is lost on its way, and silence ends with give_up()
    }
    const auto reply = site_.cloud.collect(site_.now(), *one.accepted);
    one.accepted.reset();
    site_.settle();
    to_.on_answer(one.exchange, reply.record);
    finish(one, reply.as_client_sees(one.exchange.time_max, one.exchange.body_size_max));
}

void cloud_path::give_up(under_way& one)
{
    finish(one, failure(one.first_byte != never, error_class::timed_out, "no complete answer in time"));
}

void cloud_path::finish(under_way& one, std::variant<aws::http_response, aws::http_failure> outcome)
{
    const auto id = one.exchange.id;
    if (one.accepted) {
        site_.cloud.abandon(*one.accepted);
    }
    aws::http_result result{std::move(outcome), one.started, one.first_byte, clock_.read(site_.events.now()).steady};
    under_way_.erase(id);
    to_.on_http_finished(id, std::move(result));
}

// A reset: the cloud has it already, or will get it all the same, or never.
void cloud_path::let_go(const under_way& one)
{
    if (one.accepted) {
        site_.cloud.abandon(*one.accepted);
    } else if (one.first_byte != never && !one.arrived && reachable_ && random_.chance(0.5)) {
        site_.events.after(draw_delay(), [this, exchange = one.exchange] {
            site_.cloud.abandon(hand_over(exchange).id);
            site_.settle();
        });
    }
}

bool cloud_path::cancel(aws::http_exchange_id id)
{
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) {
        return false;
    }
    let_go(found->second);
    under_way_.erase(found);
    return true;
}

void cloud_path::drop_all()
{
    for (const auto& [id, one] : under_way_) {
        let_go(one);
    }
    under_way_.clear();
    warm_from_ = never;
}

std::size_t cloud_path::mutating_under_way() const
{
    std::size_t count = 0;
    for_each_mutating([&](const aws::http_exchange&) { ++count; });
    return count;
}

}  // namespace vipd::sim
