#include "agent/io/https_client.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/outgoing_connection.hpp"
#include "agent/io/pool_policy.hpp"
#include "agent/io/request_text.hpp"
#include "agent/io/response_reader.hpp"
#include "agent/io/transport.hpp"
#include "common/backoff.hpp"
#include "common/ensure.hpp"
#include "common/random.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace vipd::io {

namespace {

namespace asio = boost::asio;

// A fast and endless answer is read in pieces, so that adverts come in between.
constexpr std::size_t reads_per_turn_max = 8;
constexpr unsigned moves_max = 3;
// A server that closes so soon after the handshake is in trouble, and not tidying up.
constexpr duration short_life = std::chrono::seconds{1};
constexpr duration log_pause = std::chrono::seconds{10};

struct pool {
    pool(const aws::http_origin& origin, asio::io_context& context) : target{origin, 0, nullptr}, warm_again(context) {}

    connection_target target;
    std::size_t warm = 0;
    std::deque<aws::http_exchange_id> waiting;
    backoff pause{{std::chrono::milliseconds{200}, std::chrono::seconds{5}}};
    deadline warm_again;  // while it is set no warm connection is opened
    std::optional<time_point> last_logged;
};

enum class stage : std::uint8_t { opening, idle, exchanging };

struct member {
    explicit member(pool& p) : home(p) {}

    pool& home;
    std::shared_ptr<outgoing_connection> link;
    stage at = stage::opening;
    time_point last_used{};
    bool was_used = false;
    bool to_be_replaced = false;
    // of the exchange under way
    aws::http_exchange_id exchange;
    std::size_t written = 0;
    std::uint64_t handed_over_before = 0;
    std::unique_ptr<response_reader> reader;
};

struct exchange {
    exchange(aws::http_exchange&& e, pool& p, asio::io_context& context) : what(std::move(e)), home(p), timer(context) {}

    aws::http_exchange what;
    pool& home;
    std::string text;
    time_point started{};
    time_point first_byte = never;
    connection_id on = 0;  // 0: waiting for one
    unsigned moves = 0;
    deadline timer;
};

class client final : public https_client, public outgoing_connection::listener {
public:
    client(asio::io_context& context, resolver& names, owner& to, std::shared_ptr<const tls_context> tls, std::uint64_t seed,
           log_sink& log, const limits& l) :
        context_(context), names_(names), to_(to), tls_(std::move(tls)), random_(seed), log_(log), limits_(l)
    {}

    void start(aws::http_exchange&& what) override;
    void cancel(aws::http_exchange_id id) override;
    void keep_warm(const aws::http_origin& origin, unsigned connections) override;
    result<void> trust(const std::string& ca_bundle) override;
    [[nodiscard]] std::size_t idle_connections(const aws::http_origin& origin) const override;

private:
    // --- pools ---
    pool& pool_of(const aws::http_origin& origin);
    void serve(pool& p);
    std::optional<connection_id> take_idle(const pool& p, bool mutating);
    [[nodiscard]] pool_counts count(const pool& p) const;
    [[nodiscard]] std::vector<connection_id> idle_of(const pool& p) const;
    void open_one(pool& p);
    void pause_warmth(pool& p);

    // --- connections ---
    void on_open(connection_id id) override;
    void on_open_failed(connection_id id, const error& cause) override;
    void on_ready(connection_id id) override;
    void on_alarm(connection_id id) override;
    void become_idle(connection_id id);
    void on_idle_readable(connection_id id);

    // --- exchanges ---
    void begin(exchange& e, connection_id on);
    void write_more(member& m);
    void read_more(connection_id id);
    void on_response(connection_id id);
    void move_or_fail(member& m, const error& cause);
    void set_timer(exchange& e);
    void on_time_over(exchange& e);
    void fail(exchange& e, const error& cause);
    void let_go(const exchange& e);
    void finish(aws::http_exchange_id id, std::variant<aws::http_response, aws::http_failure> outcome);
    [[nodiscard]] bool has_left(const exchange& e);

    member& at(connection_id id) { return *members_.at(id); }
    exchange& at(aws::http_exchange_id id) { return *exchanges_.at(id); }

    asio::io_context& context_;
    resolver& names_;
    owner& to_;
    std::shared_ptr<const tls_context> tls_;
    random_source random_;
    log_sink& log_;
    limits limits_;
    std::map<aws::http_origin, std::unique_ptr<pool>> pools_;
    std::map<aws::http_exchange_id, std::unique_ptr<exchange>> exchanges_;
    std::map<connection_id, std::unique_ptr<member>> members_;  // in the order in which they were opened
    connection_id last_connection_ = 0;
    std::array<std::uint8_t, 16U << 10U> read_buffer_{};
};

// --- pools ---

pool& client::pool_of(const aws::http_origin& origin)
{
    auto& place = pools_[origin];
    if (!place) {
        place = std::make_unique<pool>(origin, context_);
    }
    return *place;
}

// Gives waiting requests to ready connections and opens what is missing. Each step may call the owner, who may call us: nothing
// is remembered across a step.
void client::serve(pool& p)
{
    while (!p.waiting.empty()) {
        auto& e = at(p.waiting.front());
        const auto on = take_idle(p, e.what.mutating);
        if (!on) {
            break;
        }
        begin(e, *on);
    }
    while (connections_to_open(count(p)) > 0) {
        open_one(p);
    }
}

std::optional<connection_id> client::take_idle(const pool& p, bool mutating)
{
    while (true) {
        const auto idle = idle_of(p);
        std::vector<idle_connection> choices;
        choices.reserve(idle.size());
        for (const auto id : idle) {
            choices.push_back({at(id).last_used, at(id).to_be_replaced});
        }
        const auto chosen = connection_for(mutating, choices);
        if (!chosen) {
            return std::nullopt;
        }
        if (at(idle[*chosen]).link->is_quiet()) {
            return idle[*chosen];
        }
        members_.erase(idle[*chosen]);
    }
}

std::vector<connection_id> client::idle_of(const pool& p) const
{
    std::vector<connection_id> idle;
    for (const auto& [id, m] : members_) {
        if (&m->home == &p && m->at == stage::idle) {
            idle.push_back(id);
        }
    }
    return idle;
}

pool_counts client::count(const pool& p) const
{
    pool_counts counts;
    counts.waiting = p.waiting.size();
    counts.warm = p.warm;
    counts.may_open_warm = !p.warm_again.is_set();
    for (const auto& [id, m] : members_) {
        if (&m->home == &p) {
            ++counts.total;
            counts.opening += m->at == stage::opening ? 1U : 0U;
            counts.idle += m->at == stage::idle && !m->to_be_replaced ? 1U : 0U;
            counts.exchanging += m->at == stage::exchanging ? 1U : 0U;
        }
    }
    return counts;
}

void client::open_one(pool& p)
{
    const connection_id id = ++last_connection_;
    auto link = std::make_shared<outgoing_connection>(id, context_, p.target, *this);
    members_.emplace(id, std::make_unique<member>(p)).first->second->link = link;
    link->open(names_, tls_, steady_now() + limits_.connect_time_max);
}

void client::pause_warmth(pool& p)
{
    if (!p.warm_again.is_set()) {
        p.warm_again.set(steady_now() + p.pause.next(random_), [this, &p] { serve(p); });
    }
}

void client::keep_warm(const aws::http_origin& origin, unsigned connections)
{
    auto& p = pool_of(origin);
    p.warm = connections;
    if (connections == 0) {
        for (const auto id : idle_of(p)) {
            members_.erase(id);
        }
    }
    serve(p);
}

result<void> client::trust(const std::string& ca_bundle)
{
    auto made = tls_context::create(ca_bundle);
    if (!made) {
        return made.error();
    }
    tls_ = std::move(*made);
    for (auto& [origin, p] : pools_) {
        p->target.session.reset();
        for (const auto id : idle_of(*p)) {
            members_.erase(id);
        }
        serve(*p);
    }
    return {};
}

std::size_t client::idle_connections(const aws::http_origin& origin) const
{
    const auto found = pools_.find(origin);
    return found == pools_.end() ? 0 : idle_of(*found->second).size();
}

// --- connections ---

void client::on_open(connection_id id)
{
    become_idle(id);
}

void client::on_open_failed(connection_id id, const error& cause)
{
    auto& p = at(id).home;
    members_.erase(id);
    const auto now = steady_now();
    if (!p.last_logged || now >= *p.last_logged + log_pause) {
        p.last_logged = now;
        log_.warning("connect_failed", {{"origin", aws::to_string(p.target.origin)}, {"error", cause.text}});
    }
    pause_warmth(p);
    const auto counts = count(p);
    if (counts.waiting > counts.opening) {
        fail(at(p.waiting.front()), cause);
    }
}

void client::become_idle(connection_id id)
{
    auto& m = at(id);
    auto& p = m.home;
    m.at = stage::idle;
    m.to_be_replaced = false;
    m.last_used = steady_now();
    if (m.was_used) {
        p.pause.reset();
    }
    // Spread, so that connections that were opened together are not replaced together.
    const duration rest = p.target.origin.tls ? limits_.idle_max : limits_.plain_idle_max;
    m.link->set_alarm(m.last_used + rest * 9 / 10 + random_.between(duration{0}, rest / 5));
    m.link->wait_for(transport::status::want_read);
    for (const auto other : idle_of(p)) {
        if (at(other).to_be_replaced && count(p).idle >= p.warm) {
            members_.erase(other);
        }
    }
    serve(p);
}

void client::on_ready(connection_id id)
{
    auto& m = at(id);
    if (m.at == stage::idle) {
        on_idle_readable(id);
    } else if (m.at == stage::exchanging && m.written < at(m.exchange).text.size()) {
        write_more(m);
    } else if (m.at == stage::exchanging) {
        read_more(id);
    }
}

// A TLS session ticket, or the end: an answer without a question is an error.
void client::on_idle_readable(connection_id id)
{
    auto& m = at(id);
    if (m.link->is_quiet()) {
        m.link->wait_for(transport::status::want_read);
        return;
    }
    auto& p = m.home;
    if (!m.was_used && steady_now() - m.last_used < short_life) {
        pause_warmth(p);
    }
    members_.erase(id);
    serve(p);
}

// An idle connection has rested long enough.
void client::on_alarm(connection_id id)
{
    auto& m = at(id);
    auto& p = m.home;
    p.pause.reset();
    if (!m.to_be_replaced && p.target.origin.tls && count(p).idle <= p.warm) {
        // It serves on until the one that replaces it is ready, or the server's patience is certainly over.
        m.to_be_replaced = true;
        m.link->set_alarm(steady_now() + limits_.idle_max / 5);
    } else {
        members_.erase(id);
    }
    serve(p);
}

// --- exchanges ---

void client::start(aws::http_exchange&& what)
{
    auto& p = pool_of(what.origin);
    const auto id = what.id;
    auto& e = *exchanges_.insert_or_assign(id, std::make_unique<exchange>(std::move(what), p, context_)).first->second;
    e.started = steady_now();
    auto text = request_text(e.what.request);
    if (!text) {
        finish(id, aws::http_failure{false, {error_class::malformed, "the request holds a control character"}});
        return;
    }
    e.text = std::move(*text);
    p.waiting.push_back(id);
    serve(p);
    // After the first byte, so as not to be in its way.
    if (const auto still_there = exchanges_.find(id); still_there != exchanges_.end()) {
        set_timer(*still_there->second);
    }
}

void client::begin(exchange& e, connection_id on)
{
    std::erase(e.home.waiting, e.what.id);
    if (e.what.mutating && !to_.may_begin(e.what.id)) {
        finish(e.what.id,
               aws::http_failure{false, {error_class::cancelled, "this node may not change the cloud at this moment"}});
        return;
    }
    auto& m = at(on);
    e.on = on;
    e.first_byte = steady_now();
    m.at = stage::exchanging;
    m.exchange = e.what.id;
    m.written = 0;
    m.handed_over_before = m.link->wire().bytes_handed_over();
    m.link->clear_alarm();
    write_more(m);
}

void client::write_more(member& m)
{
    const auto& e = at(m.exchange);
    auto& wire = m.link->wire();
    while (m.written < e.text.size()) {
        const auto step = wire.write(std::string_view{e.text}.substr(m.written));
        if (step.what == transport::status::done) {
            m.written += step.bytes;
        } else if (step.what == transport::status::want_read || step.what == transport::status::want_write) {
            m.link->wait_for(step.what);
            return;
        } else {
            move_or_fail(m, {error_class::unavailable,
                             step.what == transport::status::end ? "the connection was closed" : wire.problem()});
            return;
        }
    }
    m.reader = std::make_unique<response_reader>(response_reader::limits{limits_.head_bytes_max, e.what.body_size_max});
    m.link->wait_for(transport::status::want_read);
}

void client::read_more(connection_id id)
{
    auto& m = at(id);
    auto& wire = m.link->wire();
    for (std::size_t i = 0; i < reads_per_turn_max; ++i) {
        const auto step = wire.read(read_buffer_);
        auto progress = response_reader::progress::need_more;
        if (step.what == transport::status::done) {
            progress = m.reader->put({read_buffer_.data(), step.bytes});
        } else if (step.what == transport::status::end) {
            progress = m.reader->end();
        } else if (step.what == transport::status::failed) {
            move_or_fail(m, {error_class::unavailable, wire.problem()});
            return;
        } else {
            m.link->wait_for(step.what);
            return;
        }
        if (progress == response_reader::progress::done) {
            on_response(id);
            return;
        }
        if (progress == response_reader::progress::failed) {
            move_or_fail(m, m.reader->problem());
            return;
        }
    }
    // What OpenSSL holds already makes no socket readable.
    asio::post(context_, [this, id, e = m.exchange] {
        if (const auto found = members_.find(id); found != members_.end() && found->second->exchange == e) {
            read_more(id);
        }
    });
}

void client::on_response(connection_id id)
{
    auto& m = at(id);
    auto& p = m.home;
    const auto answered = std::exchange(m.exchange, {});
    auto response = m.reader->take();
    const bool reusable = m.reader->connection_is_reusable();
    m.reader.reset();
    m.was_used = true;
    at(answered).on = 0;
    if (reusable) {
        become_idle(id);
    } else {
        members_.erase(id);
        serve(p);
    }
    finish(answered, std::move(response));
}

// The connection broke under a request. When the kernel demonstrably took none of its bytes it goes to another connection.
void client::move_or_fail(member& m, const error& cause)
{
    auto& e = at(m.exchange);
    if (has_left(e) || e.moves >= moves_max) {
        fail(e, error{cause});
        return;
    }
    ++e.moves;
    members_.erase(std::exchange(e.on, 0));
    e.first_byte = never;
    e.home.waiting.push_front(e.what.id);
    set_timer(e);
    serve(e.home);
}

bool client::has_left(const exchange& e)
{
    const auto found = members_.find(e.on);
    return found != members_.end() && found->second->link->wire().bytes_handed_over() > found->second->handed_over_before;
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
    const auto origin = aws::to_string(e.home.target.origin);
    fail(e, {error_class::timed_out,
             e.on == 0 ? "no connection to " + origin + " in time" : "no whole answer from " + origin + " in time"});
}

void client::fail(exchange& e, const error& cause)
{
    auto& p = e.home;
    const auto id = e.what.id;
    const bool left = has_left(e);
    if (!left) {
        e.first_byte = never;
    }
    let_go(e);
    finish(id, aws::http_failure{left, cause});
    serve(p);
}

// Its connection ends with a reset, so that what the kernel still holds of the request is not delivered.
void client::let_go(const exchange& e)
{
    const auto found = members_.find(e.on);
    if (found == members_.end()) {
        std::erase(e.home.waiting, e.what.id);
        return;
    }
    found->second->link->reset();
    members_.erase(found);
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
        auto& p = found->second->home;
        let_go(*found->second);
        exchanges_.erase(found);
        serve(p);
    }
}

}  // namespace

result<std::unique_ptr<https_client>> https_client::create(asio::io_context& context, resolver& names, owner& to,
                                                           const std::string& ca_bundle, std::uint64_t seed, log_sink& log,
                                                           const limits& l)
{
    auto tls = tls_context::create(ca_bundle);
    if (!tls) {
        return tls.error();
    }
    return std::unique_ptr<https_client>{std::make_unique<client>(context, names, to, std::move(*tls), seed, log, l)};
}

}  // namespace vipd::io
