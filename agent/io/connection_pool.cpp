#include "agent/io/connection_pool.hpp"

#include "agent/io/clock.hpp"

namespace vipd::io {

namespace {

// A server that closes so soon after the handshake is in trouble, and not tidying up.
constexpr duration short_life = std::chrono::seconds{1};

// A host that is gone sends no FIN: without this bound a request would wait for its own deadline, and nobody would look for
// another address. Retransmissions after 200 and 600 ms get their chance.
constexpr unsigned unacknowledged_max_ms = 700;

}  // namespace

connection_pool::connection_pool(const aws::http_origin& origin, surroundings& around, owner& to) :
    target_{origin, std::nullopt, {}}, around_(around), to_(to), warm_again_(around.context)
{
    target_.unacknowledged_max_ms = unacknowledged_max_ms;
}

// --- how many ---

pool_counts connection_pool::count() const
{
    pool_counts counts;
    counts.waiting = to_.waiting_for(*this);
    counts.warm = warm_;
    counts.may_open_warm = !warm_again_.is_set();
    counts.total = members_.size();
    for (const auto& [id, m] : members_) {
        counts.opening += m.at == stage::opening ? 1U : 0U;
        counts.idle += m.at == stage::idle && !m.to_be_replaced ? 1U : 0U;
        counts.exchanging += m.at == stage::leased ? 1U : 0U;
    }
    return counts;
}

std::vector<connection_id> connection_pool::idle() const
{
    std::vector<connection_id> ids;
    for (const auto& [id, m] : members_) {
        if (m.at == stage::idle) {
            ids.push_back(id);
        }
    }
    return ids;
}

bool connection_pool::is_short() const
{
    const auto counts = count();
    return counts.waiting > counts.opening;
}

void connection_pool::keep_warm(std::size_t connections)
{
    warm_ = connections;
    if (connections == 0) {
        for (const auto id : idle()) {
            close(id);
        }
    }
    to_.on_pool_changed(*this);
}

void connection_pool::balance()
{
    // One that fails at once begins the pause of the warm ones and takes a waiting request with it, so this ends.
    while (connections_to_open(count()) > 0) {
        const connection_id id = ++around_.last_connection;
        const auto link = std::make_shared<outgoing_connection>(id, around_.context, target_, *this);
        members_[id].link = link;
        members_[id].made_under = around_.tls;
        link->open(around_.names, around_.tls, steady_now() + around_.connect_time_max);
    }
}

void connection_pool::pause()
{
    if (!warm_again_.is_set()) {
        warm_again_.set(steady_now() + backoff_.next(around_.random), [this] { to_.on_pool_changed(*this); });
    }
}

void connection_pool::distrust(connection_id silent, time_point begun)
{
    at(silent).step_on();
    for (const auto id : idle()) {
        if (members_.at(id).last_used < begun) {
            close(id);
        }
    }
}

void connection_pool::renew()
{
    target_.session.forget();
    for (const auto id : idle()) {
        close(id);
    }
    to_.on_pool_changed(*this);
}

// --- leases ---

std::optional<connection_id> connection_pool::lease(bool mutating)
{
    while (true) {
        const auto ids = idle();
        std::vector<idle_connection> choices;
        choices.reserve(ids.size());
        for (const auto id : ids) {
            choices.push_back({members_.at(id).last_used, members_.at(id).to_be_replaced});
        }
        const auto chosen = connection_for(mutating, choices);
        if (!chosen) {
            return std::nullopt;
        }
        auto& m = members_.at(ids[*chosen]);
        if (m.link->is_quiet()) {
            m.at = stage::leased;
            m.was_used = true;
            m.link->clear_alarm();
            return ids[*chosen];
        }
        close(ids[*chosen]);
    }
}

void connection_pool::give_back(connection_id id)
{
    backoff_.reset();
    rest(id);
}

void connection_pool::rest(connection_id id)
{
    auto& m = members_.at(id);
    if (m.made_under != around_.tls) {
        close(id);
        to_.on_pool_changed(*this);
        return;
    }
    m.at = stage::idle;
    m.to_be_replaced = false;
    m.last_used = steady_now();
    // Spread, so that connections that were opened together are not replaced together.
    const duration patience = target_.origin.tls ? around_.idle_max : around_.plain_idle_max;
    m.link->set_alarm(m.last_used + patience * 9 / 10 + around_.random.between(duration{0}, patience / 5));
    m.link->wait_for(transport::status::want_read);
    for (const auto other : idle()) {
        if (members_.at(other).to_be_replaced && count().idle >= warm_) {
            close(other);
        }
    }
    to_.on_pool_changed(*this);
}

// --- what connections tell ---

void connection_pool::on_open(connection_id id)
{
    rest(id);
}

void connection_pool::on_open_failed(connection_id id, const error& cause)
{
    close(id);
    around_.log.warning("connect_failed", {{"origin", aws::to_string(target_.origin)}, {"error", cause.text}});
    pause();
    to_.on_open_failed(*this, cause);
}

void connection_pool::on_ready(connection_id id)
{
    if (members_.at(id).at == stage::idle) {
        on_idle_readable(id);
    } else {
        to_.on_lease_ready(id);
    }
}

// A TLS session ticket, or the end: an answer without a question is an error.
void connection_pool::on_idle_readable(connection_id id)
{
    auto& m = members_.at(id);
    if (m.link->is_quiet()) {
        m.link->wait_for(transport::status::want_read);
        return;
    }
    if (!m.was_used && steady_now() - m.last_used < short_life) {
        pause();
    }
    close(id);
    to_.on_pool_changed(*this);
}

// An idle connection has rested long enough.
void connection_pool::on_alarm(connection_id id)
{
    auto& m = members_.at(id);
    backoff_.reset();
    if (!m.to_be_replaced && target_.origin.tls && count().idle <= warm_) {
        // It serves on until the one that replaces it is ready, or the server's patience is certainly over.
        m.to_be_replaced = true;
        m.link->set_alarm(steady_now() + around_.overlap_max);
    } else {
        close(id);
    }
    to_.on_pool_changed(*this);
}

}  // namespace vipd::io
