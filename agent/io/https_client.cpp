#include "agent/io/https_client.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/connection_pool.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/request_text.hpp"
#include "agent/io/response_reader.hpp"
#include "agent/io/transport.hpp"
#include "common/ensure.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace vipd::io {

namespace {

namespace asio = boost::asio;

// A fast and endless answer is read in pieces, so that adverts come in between.
constexpr std::size_t reads_per_turn_max = 8;
constexpr unsigned moves_max = 3;

// An origin's connections, and the requests that wait for one.
struct destination {
    destination(const aws::http_origin& origin, connection_pool::surroundings& around, connection_pool::owner& owner) :
        pool(origin, around, owner)
    {}

    connection_pool pool;
    std::deque<aws::http_exchange_id> waiting;  // mutating ones first: what moves an address does not stand behind a read
};

struct exchange {
    exchange(aws::http_exchange&& e, destination& d, asio::io_context& context) : what(std::move(e)), to(d), timer(context) {}

    aws::http_exchange what;
    destination& to;
    std::string text;
    time_point started{};
    time_point first_byte = never;
    unsigned moves = 0;
    deadline timer;
    // while it has a connection
    connection_id on = 0;
    std::size_t written = 0;
    std::uint64_t handed_over_before = 0;
    std::unique_ptr<response_reader> reader;
};

class client final : public https_client, public connection_pool::owner {
public:
    client(asio::io_context& context, resolver& names, https_client::owner& to, std::shared_ptr<const tls_context> tls,
           std::uint64_t seed, log_sink& log, const limits& l) :
        to_(to), limits_(l), around_{context,
                                     names,
                                     log,
                                     random_source{seed},
                                     std::move(tls),
                                     l.idle_max,
                                     l.overlap_max,
                                     l.plain_idle_max,
                                     l.connect_time_max,
                                     0}
    {}

    void start(aws::http_exchange&& what) override;
    void cancel(aws::http_exchange_id id) override;
    void keep_warm(const aws::http_origin& origin, unsigned connections) override;
    result<void> trust(const std::string& ca_bundle) override;
    [[nodiscard]] std::size_t idle_connections(const aws::http_origin& origin) const override;

private:
    [[nodiscard]] std::size_t waiting_for(const connection_pool& pool) const override;
    void on_pool_changed(connection_pool& pool) override { serve(destination_of(pool.origin())); }
    void on_open_failed(connection_pool& pool, const error& cause) override;
    void on_lease_ready(connection_id id) override;

    destination& destination_of(const aws::http_origin& origin);
    void serve(destination& d);
    [[nodiscard]] std::deque<aws::http_exchange_id>::iterator first_read(destination& d);
    void begin(exchange& e, connection_id on);
    void write_more(exchange& e);
    void read_more(exchange& e);
    void on_response(exchange& e);
    void move_or_fail(exchange& e, const error& cause);
    static void distrust_if_silent(exchange& e);
    void set_timer(exchange& e);
    void on_time_over(exchange& e);
    void fail(exchange& e, const error& cause);
    void let_go(exchange& e);
    void finish(aws::http_exchange_id id, std::variant<aws::http_response, aws::http_failure> outcome);
    [[nodiscard]] static outgoing_connection& link_of(const exchange& e) { return e.to.pool.at(e.on); }
    [[nodiscard]] static bool has_left(const exchange& e);

    https_client::owner& to_;
    limits limits_;
    connection_pool::surroundings around_;
    std::map<aws::http_origin, std::unique_ptr<destination>> destinations_;
    std::map<aws::http_exchange_id, std::unique_ptr<exchange>> exchanges_;
    std::map<connection_id, aws::http_exchange_id> leased_;
    std::array<std::uint8_t, 16U << 10U> read_buffer_{};
};

// --- destinations ---

destination& client::destination_of(const aws::http_origin& origin)
{
    auto& place = destinations_[origin];
    if (!place) {
        place = std::make_unique<destination>(origin, around_, *this);
    }
    return *place;
}

// Gives waiting requests to ready connections and lets the pool open what is missing. Each step may call the owner, who may
// call us: nothing is remembered across a step.
void client::serve(destination& d)
{
    while (!d.waiting.empty()) {
        auto& e = *exchanges_.at(d.waiting.front());
        const auto on = d.pool.lease(e.what.mutating);
        if (!on) {
            break;
        }
        begin(e, *on);
    }
    d.pool.balance();
}

std::size_t client::waiting_for(const connection_pool& pool) const
{
    return destinations_.at(pool.origin())->waiting.size();
}

std::deque<aws::http_exchange_id>::iterator client::first_read(destination& d)
{
    return std::ranges::find_if(d.waiting, [this](aws::http_exchange_id id) { return !exchanges_.at(id)->what.mutating; });
}

// The connections that are still on their way are for the mutating requests, so a read gives up first.
void client::on_open_failed(connection_pool& pool, const error& cause)
{
    auto& d = destination_of(pool.origin());
    if (pool.is_short()) {
        const auto read = first_read(d);
        fail(*exchanges_.at(read == d.waiting.end() ? d.waiting.front() : *read), cause);
    }
}

void client::keep_warm(const aws::http_origin& origin, unsigned connections)
{
    destination_of(origin).pool.keep_warm(connections);
}

result<void> client::trust(const std::string& ca_bundle)
{
    auto made = tls_context::create({.ca_bundle = ca_bundle});
    if (!made) {
        return made.error();
    }
    around_.tls = std::move(*made);
    for (auto& [origin, d] : destinations_) {
        d->pool.renew();
    }
    return {};
}

std::size_t client::idle_connections(const aws::http_origin& origin) const
{
    const auto found = destinations_.find(origin);
    return found == destinations_.end() ? 0 : found->second->pool.idle_count();
}

// --- exchanges ---

void client::start(aws::http_exchange&& what)
{
    auto& d = destination_of(what.origin);
    const auto id = what.id;
    auto& e = *exchanges_.insert_or_assign(id, std::make_unique<exchange>(std::move(what), d, around_.context)).first->second;
    e.started = steady_now();
    auto text = request_text(e.what.request);
    if (!text) {
        finish(id, aws::http_failure{false, {error_class::malformed, "the request holds a control character"}});
        return;
    }
    e.text = std::move(*text);
    d.waiting.insert(e.what.mutating ? first_read(d) : d.waiting.end(), id);
    serve(d);
    // After the first byte, so as not to be in its way.
    if (const auto still_there = exchanges_.find(id); still_there != exchanges_.end()) {
        set_timer(*still_there->second);
    }
}

void client::begin(exchange& e, connection_id on)
{
    std::erase(e.to.waiting, e.what.id);
    if (e.what.mutating && !to_.may_begin(e.what.id)) {
        auto& d = e.to;
        finish(e.what.id,
               aws::http_failure{false, {error_class::cancelled, "this node may not change the cloud at this moment"}});
        d.pool.give_back(on);
        return;
    }
    leased_[on] = e.what.id;
    e.on = on;
    e.written = 0;
    e.handed_over_before = link_of(e).wire().bytes_handed_over();
    e.first_byte = steady_now();
    write_more(e);
}

void client::on_lease_ready(connection_id id)
{
    auto& e = *exchanges_.at(leased_.at(id));
    if (e.written == e.text.size()) {
        read_more(e);
    } else if (e.what.mutating && !to_.may_begin(e.what.id)) {
        // This process may have stood still in the middle of the request, and what is left of it would complete it.
        fail(e, {error_class::cancelled, "this node may no longer change the cloud"});
    } else {
        write_more(e);
    }
}

void client::write_more(exchange& e)
{
    auto& link = link_of(e);
    while (e.written < e.text.size()) {
        const auto step = link.wire().write(std::string_view{e.text}.substr(e.written));
        if (step.what == transport::status::done) {
            e.written += step.bytes;
        } else if (step.what == transport::status::want_read || step.what == transport::status::want_write) {
            link.wait_for(step.what);
            return;
        } else {
            const bool closed = step.what == transport::status::end;
            move_or_fail(e, {error_class::unavailable, closed ? "the connection was closed" : link.wire().problem()});
            return;
        }
    }
    e.reader = std::make_unique<response_reader>(response_reader::limits{limits_.head_bytes_max, e.what.body_size_max});
    link.wait_for(transport::status::want_read);
}

void client::read_more(exchange& e)
{
    auto& link = link_of(e);
    for (std::size_t i = 0; i < reads_per_turn_max; ++i) {
        const auto step = link.wire().read(read_buffer_);
        auto progress = response_reader::progress::need_more;
        if (step.what == transport::status::done) {
            progress = e.reader->put({read_buffer_.data(), step.bytes});
        } else if (step.what == transport::status::end) {
            progress = e.reader->end();
        } else if (step.what == transport::status::failed) {
            move_or_fail(e, {error_class::unavailable, link.wire().problem()});
            return;
        } else {
            link.wait_for(step.what);
            return;
        }
        if (progress == response_reader::progress::done) {
            on_response(e);
            return;
        }
        if (progress == response_reader::progress::failed) {
            move_or_fail(e, error{e.reader->problem()});
            return;
        }
    }
    // What OpenSSL holds already makes no socket readable.
    asio::post(around_.context, [this, on = e.on, id = e.what.id] {
        if (const auto found = leased_.find(on); found != leased_.end() && found->second == id) {
            read_more(*exchanges_.at(id));
        }
    });
}

void client::on_response(exchange& e)
{
    const auto id = e.what.id;
    const auto on = std::exchange(e.on, 0);
    auto& d = e.to;
    auto response = e.reader->take();
    const bool reusable = e.reader->connection_is_reusable();
    leased_.erase(on);
    finish(id, std::move(response));
    if (reusable) {
        d.pool.give_back(on);
    } else {
        d.pool.close(on);
        serve(d);
    }
}

// The connection broke under a request. When the kernel demonstrably took none of its bytes it goes to another connection.
void client::move_or_fail(exchange& e, const error& cause)
{
    if (has_left(e) || e.moves >= moves_max) {
        distrust_if_silent(e);
        fail(e, cause);
        return;
    }
    ++e.moves;
    let_go(e);
    e.first_byte = never;
    e.to.waiting.insert(e.what.mutating ? e.to.waiting.begin() : first_read(e.to), e.what.id);
    set_timer(e);
    serve(e.to);
}

bool client::has_left(const exchange& e)
{
    return e.on != 0 && link_of(e).wire().bytes_handed_over() > e.handed_over_before;
}

// When a host or the way to it dies, its other connections die without a word as well. The next request must not be spent on
// finding that out.
void client::distrust_if_silent(exchange& e)
{
    if (has_left(e) && !(e.reader && e.reader->has_begun())) {
        e.to.pool.distrust(e.on, e.first_byte);
    }
}

void client::set_timer(exchange& e)
{
    const duration allowed = e.on == 0 ? std::min(e.what.connect_time_max, e.what.time_max) : e.what.time_max;
    e.timer.set(e.started + allowed, [this, &e] { on_time_over(e); });
}

void client::on_time_over(exchange& e)
{
    if (e.on != 0 && steady_now() < e.started + e.what.time_max) {
        // It was waiting when the timer was set, and has found its connection since.
        set_timer(e);
        return;
    }
    distrust_if_silent(e);
    const auto origin = aws::to_string(e.what.origin);
    fail(e, {error_class::timed_out,
             (e.on == 0 ? "no connection to " : "no whole answer from ") + origin + " in the time allowed"});
}

void client::fail(exchange& e, const error& cause)
{
    auto& d = e.to;
    const bool left = has_left(e);
    if (!left) {
        e.first_byte = never;
    }
    let_go(e);
    finish(e.what.id, aws::http_failure{left, cause});
    serve(d);
}

// Its connection ends with a reset, so that what the kernel still holds of the request is not delivered.
void client::let_go(exchange& e)
{
    if (e.on == 0) {
        std::erase(e.to.waiting, e.what.id);
        return;
    }
    link_of(e).reset();
    leased_.erase(e.on);
    e.to.pool.close(std::exchange(e.on, 0));
}

void client::finish(aws::http_exchange_id id, std::variant<aws::http_response, aws::http_failure> outcome)
{
    const auto found = exchanges_.find(id);
    ENSURE(found != exchanges_.end());
    aws::http_result told;
    told.outcome = std::move(outcome);
    told.started = found->second->started;
    told.first_byte = found->second->first_byte;
    told.finished = steady_now();
    exchanges_.erase(found);
    to_.on_http_finished(id, std::move(told));
}

void client::cancel(aws::http_exchange_id id)
{
    const auto found = exchanges_.find(id);
    if (found != exchanges_.end()) {
        auto& d = found->second->to;
        let_go(*found->second);
        exchanges_.erase(found);
        serve(d);
    }
}

}  // namespace

result<std::unique_ptr<https_client>> https_client::create(asio::io_context& context, resolver& names, owner& to,
                                                           const std::string& ca_bundle, std::uint64_t seed, log_sink& log,
                                                           const limits& l)
{
    auto tls = tls_context::create({.ca_bundle = ca_bundle});
    if (!tls) {
        return tls.error();
    }
    return std::unique_ptr<https_client>{std::make_unique<client>(context, names, to, std::move(*tls), seed, log, l)};
}

}  // namespace vipd::io
