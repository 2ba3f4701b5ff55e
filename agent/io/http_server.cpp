#include "agent/io/http_server.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/request_reader.hpp"
#include "common/overloaded.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace vipd::io {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using socket_type = asio::generic::stream_protocol::socket;

// Connections that wait to be accepted are taken in batches, so that adverts come in between.
constexpr int accepts_per_turn_max = 16;
constexpr duration accept_pause = std::chrono::milliseconds{50};
// A stream with nothing to say looks again so often at the latest, and finds out whether its client is still there.
constexpr duration look_again_max = std::chrono::milliseconds{100};

enum class activity : std::uint8_t { idle, requesting, streaming };

struct connection {
    connection(asio::io_context& context, socket_type s, std::uint32_t head_bytes_max, bool from_unix) :
        socket(std::move(s)), limit(context), pause(context), reader(head_bytes_max, from_unix), is_unix_socket(from_unix)
    {}

    void close()
    {
        error_code ignored;
        socket.close(ignored);
        pause.cancel();
    }

    socket_type socket;
    deadline limit;
    asio::steady_timer pause;
    request_reader reader;
    bool is_unix_socket;
    std::array<std::uint8_t, 2048> input{};
    activity doing = activity::idle;
    time_point since{};
};

// The end of what a client sends is no absence: `nc -N` asks, says that this was all, and reads. A stream has no other sign
// that nobody listens any more, and no end of its own.
bool client_has_left(socket_type& socket, bool is_stream)
{
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 ? is_stream : count < 0 && errno != EAGAIN && errno != EINTR;
}

}  // namespace

class http_server::impl : public std::enable_shared_from_this<http_server::impl> {
public:
    impl(asio::io_context& context, http_handler& handler, log_sink& log, const limits& l) :
        context_(context), handler_(handler), log_(log), limits_(l), spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC))
    {}

    void serve(file_descriptor listener, bool is_unix_socket);
    void close();

    std::uint64_t requests = 0;
    std::list<std::shared_ptr<connection>> connections;

private:
    struct listening {
        listening(asio::io_context& context, file_descriptor l, bool is_unix) :
            descriptor(context, l.release()), again(context), is_unix_socket(is_unix)
        {}
        asio::posix::stream_descriptor descriptor;
        deadline again;
        bool is_unix_socket;
    };

    void wait_for_clients(listening& l);
    void accept_some(listening& l);
    void accept_failed(listening& l, int error_number);
    void admit(file_descriptor accepted, bool is_unix_socket);
    bool make_room(bool for_unix_socket);

    static asio::awaitable<void> session(std::shared_ptr<impl> self, std::shared_ptr<connection> c);
    asio::awaitable<bool> exchange(connection& c);
    asio::awaitable<bool> answer(connection& c, const request_reader::received& received);
    static asio::awaitable<bool> send_text(connection& c, http::response<http::string_body> response);
    asio::awaitable<bool> send_source(connection& c, http::response<http::empty_body> head,
                                      std::unique_ptr<status::body_source> source, bool head_only);
    asio::awaitable<bool> send_chunks(connection& c, status::body_source& source, bool chunked, bool is_stream);
    void begin_request(connection& c);

    asio::io_context& context_;
    http_handler& handler_;
    log_sink& log_;
    limits limits_;
    file_descriptor spare_;  // given up for a moment when there is no other, to turn a client away
    std::list<listening> listeners_;
    bool closed_ = false;
};

// --- accepting ---

void http_server::impl::serve(file_descriptor listener, bool is_unix_socket)
{
    wait_for_clients(listeners_.emplace_back(context_, std::move(listener), is_unix_socket));
}

void http_server::impl::close()
{
    closed_ = true;
    listeners_.clear();
    for (const auto& c : connections) {
        c->close();
    }
}

void http_server::impl::wait_for_clients(listening& l)
{
    l.descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                            [this, &l, alive = weak_from_this()](const error_code& failed) {
                                const auto self = alive.lock();
                                if (!failed && self && !closed_) {
                                    accept_some(l);
                                }
                            });
}

void http_server::impl::accept_some(listening& l)
{
    for (int i = 0; i < accepts_per_turn_max; ++i) {
        file_descriptor accepted{::accept4(l.descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (!accepted) {
            if (errno == EAGAIN) {
                break;
            }
            if (errno != EINTR && errno != ECONNABORTED) {
                accept_failed(l, errno);
                return;
            }
            continue;
        }
        admit(std::move(accepted), l.is_unix_socket);
    }
    wait_for_clients(l);
}

// Out of descriptors or memory. With the spare descriptor the client is told by a close instead of being left to wait, and the
// loop does not spin on a connection that it cannot take.
void http_server::impl::accept_failed(listening& l, int error_number)
{
    log_.warning("http_accept_failed", {{"error", std::system_category().message(error_number)}});
    if (error_number == EMFILE || error_number == ENFILE) {
        spare_.close();
        const file_descriptor turned_away{::accept4(l.descriptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)};
    }
    if (!spare_) {
        spare_ = file_descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    }
    l.again.set(steady_now() + accept_pause, [this, &l] { wait_for_clients(l); });
}

void http_server::impl::admit(file_descriptor accepted, bool is_unix_socket)
{
    if (connections.size() >= limits_.connections_max && !make_room(is_unix_socket)) {
        return;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int on = 1;
    static_cast<void>(::getsockname(accepted.get(), reinterpret_cast<sockaddr*>(&address), &size));
    static_cast<void>(::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
    socket_type socket(context_);
    error_code failed;
    socket.assign(asio::generic::stream_protocol(address.ss_family, 0), accepted.get(), failed);
    if (failed) {
        return;
    }
    static_cast<void>(accepted.release());
    auto c = std::make_shared<connection>(context_, std::move(socket), limits_.head_bytes_max, is_unix_socket);
    c->since = steady_now();
    connections.push_back(c);
    asio::co_spawn(context_, session(shared_from_this(), std::move(c)), asio::detached);
}

// Whoever reaches a TCP listener may be a stranger, whoever reaches the Unix socket is the operator: no number of strangers
// takes the operator's place, and the operator takes theirs whatever they are in the middle of.
bool http_server::impl::make_room(bool for_unix_socket)
{
    const auto close_oldest = [this](activity doing, bool of_unix_socket) {
        const auto fits = [&](const auto& c) {
            return c->doing == doing && c->is_unix_socket == of_unix_socket && c->socket.is_open();
        };
        const auto oldest =
            std::ranges::min_element(connections, {}, [&](const auto& c) { return fits(c) ? c->since : never; });
        if (oldest == connections.end() || !fits(*oldest)) {
            return false;
        }
        (*oldest)->close();
        connections.erase(oldest);
        return true;
    };
    if (close_oldest(activity::idle, false) || close_oldest(activity::streaming, false)) {
        return true;
    }
    return for_unix_socket && (close_oldest(activity::requesting, false) || close_oldest(activity::idle, true) ||
                               close_oldest(activity::streaming, true));
}

// --- one connection ---

// Owns what it needs: the server may be gone before the last session has noticed.
asio::awaitable<void> http_server::impl::session(std::shared_ptr<impl> self, std::shared_ptr<connection> c)
{
    try {
        while (co_await self->exchange(*c)) {}
    } catch (const std::exception& e) {
        self->log_.error("http_session_failed", {{"error", e.what()}});
    }
    c->limit.clear();
    c->close();
    self->connections.remove(c);
}

void http_server::impl::begin_request(connection& c)
{
    c.doing = activity::requesting;
    c.since = steady_now();
    c.limit.set(c.since + limits_.request_time_max, [&c] { c.close(); });
}

// One request and its answer; true when another may follow.
asio::awaitable<bool> http_server::impl::exchange(connection& c)
{
    error_code failed;
    auto progress = c.reader.put({});
    if (c.reader.is_idle()) {
        c.doing = activity::idle;
        c.since = steady_now();
        c.limit.set(c.since + limits_.idle_time_max, [&c] { c.close(); });
        co_await c.socket.async_wait(socket_type::wait_read, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            co_return false;
        }
    }
    begin_request(c);
    while (progress == request_reader::progress::need_more) {
        const auto into = asio::buffer(c.input);
        const auto size = co_await c.socket.async_read_some(into, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            co_return false;  // nobody is left to be told
        }
        progress = c.reader.put({c.input.data(), size});
    }
    if (progress == request_reader::progress::failed) {
        http::response<http::string_body> response{http::int_to_status(c.reader.problem().status), 11};
        response.keep_alive(false);
        response.body() = c.reader.problem().text + "\n";
        response.prepare_payload();
        co_await send_text(c, std::move(response));
        co_return false;
    }
    ++requests;
    const auto received = c.reader.take();
    co_return co_await answer(c, received);
}

asio::awaitable<bool> http_server::impl::answer(connection& c, const request_reader::received& received)
{
    auto reply = handler_.respond(read_clocks(), received.request);
    const bool head_only = received.request.method == "HEAD";
    const auto fill = [&](auto& response) {
        response.result(reply.status);
        response.version(received.version);
        response.keep_alive(received.keep_alive);
        response.set(http::field::content_type, reply.content_type);
        for (const auto& [name, value] : reply.headers) {
            response.set(name, value);
        }
    };
    if (auto* text = std::get_if<std::string>(&reply.body)) {
        http::response<http::string_body> response;
        fill(response);
        response.content_length(text->size());
        if (!head_only) {
            response.body() = std::move(*text);
        }
        co_return co_await send_text(c, std::move(response));
    }
    http::response<http::empty_body> head;
    fill(head);
    auto source = std::move(std::get<std::unique_ptr<status::body_source>>(reply.body));
    co_return co_await send_source(c, std::move(head), std::move(source), head_only);
}

asio::awaitable<bool> http_server::impl::send_text(connection& c, http::response<http::string_body> response)
{
    error_code failed;
    const bool keep = response.keep_alive();
    http::response_serializer<http::string_body> serializer(response);
    co_await http::async_write(c.socket, serializer, asio::redirect_error(asio::use_awaitable, failed));
    co_return !failed && keep;
}

asio::awaitable<bool> http_server::impl::send_source(connection& c, http::response<http::empty_body> head,
                                                     std::unique_ptr<status::body_source> source, bool head_only)
{
    const bool chunked = head.version() >= 11;
    if (chunked) {
        head.chunked(true);
    } else {
        head.keep_alive(false);
    }
    const bool keep = head.keep_alive();
    const bool is_stream = head[http::field::content_type].starts_with("text/event-stream");
    error_code failed;
    http::response_serializer<http::empty_body> serializer(head);
    co_await http::async_write_header(c.socket, serializer, asio::redirect_error(asio::use_awaitable, failed));
    if (failed || head_only) {
        co_return !failed && keep;
    }
    const bool whole = co_await send_chunks(c, *source, chunked, is_stream);
    co_return whole&& keep;
}

// One chunk in a turn: the end of a write is always a handler of its own.
asio::awaitable<bool> http_server::impl::send_chunks(connection& c, status::body_source& source, bool chunked, bool is_stream)
{
    c.doing = is_stream ? activity::streaming : activity::requesting;
    error_code failed;
    while (!failed && c.socket.is_open()) {
        auto next = source.next(read_clocks());
        if (const auto* pause = std::get_if<status::not_yet>(&next)) {
            if (is_stream) {
                c.limit.clear();
            }
            if (client_has_left(c.socket, is_stream)) {
                co_return false;
            }
            c.pause.expires_after(std::min(pause->ask_again, look_again_max));
            co_await c.pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
            continue;
        }
        if (is_stream) {
            c.limit.set(steady_now() + limits_.request_time_max, [&c] { c.close(); });
        }
        if (const auto* text = std::get_if<std::string>(&next); text != nullptr && chunked) {
            const auto piece = http::make_chunk(asio::const_buffer(text->data(), text->size()));
            co_await asio::async_write(c.socket, piece, asio::redirect_error(asio::use_awaitable, failed));
        } else if (text != nullptr) {
            const asio::const_buffer piece(text->data(), text->size());
            co_await asio::async_write(c.socket, piece, asio::redirect_error(asio::use_awaitable, failed));
        } else {
            if (chunked) {
                const auto last = http::make_chunk_last();
                co_await asio::async_write(c.socket, last, asio::redirect_error(asio::use_awaitable, failed));
            }
            co_return !failed;
        }
    }
    co_return false;
}

http_server::http_server(asio::io_context& context, http_handler& handler, log_sink& log, const limits& l) :
    impl_(std::make_shared<impl>(context, handler, log, l))
{}

http_server::~http_server()
{
    impl_->close();
}

void http_server::serve(file_descriptor listener, bool is_unix_socket)
{
    impl_->serve(std::move(listener), is_unix_socket);
}

std::uint64_t http_server::request_count() const
{
    return impl_->requests;
}

std::size_t http_server::connection_count() const
{
    return impl_->connections.size();
}

}  // namespace vipd::io
