#include "agent/io/resolver.hpp"

#include "agent/io/clock.hpp"

#include <ares.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/select.h>

namespace vipd::io {

namespace {

namespace asio = boost::asio;

constexpr std::size_t names_max = 256;
constexpr std::size_t addresses_max = 16;

struct found_addresses {
    std::vector<ip_address> addresses;
    duration keep = duration::max();  // of the address that is good for the shortest time
};

found_addresses read_addresses(const ares_addrinfo& info)
{
    found_addresses found;
    for (const auto* node = info.nodes; node != nullptr && found.addresses.size() < addresses_max; node = node->ai_next) {
        std::optional<ip_address> address;
        if (node->ai_family == AF_INET && node->ai_addrlen >= static_cast<ares_socklen_t>(sizeof(sockaddr_in))) {
            sockaddr_in socket_address{};
            std::memcpy(&socket_address, node->ai_addr, sizeof(socket_address));
            address = ip_address::from_bytes({reinterpret_cast<const std::uint8_t*>(&socket_address.sin_addr), 4});
        } else if (node->ai_family == AF_INET6 && node->ai_addrlen >= static_cast<ares_socklen_t>(sizeof(sockaddr_in6))) {
            sockaddr_in6 socket_address{};
            std::memcpy(&socket_address, node->ai_addr, sizeof(socket_address));
            address = ip_address::from_bytes({socket_address.sin6_addr.s6_addr, 16});
        }
        if (address && std::ranges::find(found.addresses, *address) == found.addresses.end()) {
            found.addresses.push_back(*address);
            found.keep = std::min<duration>(found.keep, std::chrono::seconds{std::max(0, node->ai_ttl)});
        }
    }
    return found;
}

}  // namespace

class resolver::impl {
public:
    impl(asio::io_context& context, log_sink& log, settings s) :
        context_(context), log_(log), settings_(std::move(s)), timer_(context)
    {
        ares_library_init(ARES_LIB_INIT_NONE);
    }

    ~impl()
    {
        stopping_ = true;
        close_channel();
        ares_library_cleanup();
    }

    void resolve(const std::string& host, const std::function<void(const answer&)>& done)
    {
        // A literal is not asked for: c-ares would query DNS with it as well and mix the answers.
        if (const auto literal = ip_address::parse(host)) {
            done(std::vector<ip_address>{*literal});
            return;
        }
        const auto now = steady_now();
        auto found = names_.find(host);
        if (found == names_.end()) {
            if (names_.size() >= names_max && !forget_oldest()) {
                done(error{error_class::unavailable, "more than " + std::to_string(names_max) + " names are being resolved"});
                return;
            }
            found = names_.emplace(host, name{}).first;
        }
        auto& entry = found->second;
        entry.wanted_at = now;
        const bool known = !entry.addresses.empty();
        const bool fresh = known && now < entry.good_until;
        if (!known) {
            entry.waiting.push_back(done);
        }
        if (!fresh && !entry.asked) {
            entry.asked = true;
            ask(host);
        }
        if (known) {
            done(entry.addresses);
        }
    }

private:
    struct name {
        std::vector<ip_address> addresses;  // the last good ones
        time_point good_until{};
        time_point wanted_at{};
        bool asked = false;
        std::vector<std::function<void(const answer&)>> waiting;
    };
    struct watched_socket {
        explicit watched_socket(asio::io_context& context) : descriptor(context) {}
        asio::posix::stream_descriptor descriptor;
        std::uint64_t generation = 0;
        bool wants_read = false;
        bool wants_write = false;
        bool waits_for_read = false;
        bool waits_for_write = false;
    };
    // What c-ares hands back to us with an answer.
    struct query {
        impl* self;
        std::string host;
    };

    // The name that nobody has wanted for the longest time: of a configuration that was reloaded since, as a rule. False when
    // all are being resolved.
    bool forget_oldest()
    {
        auto oldest = names_.end();
        for (auto n = names_.begin(); n != names_.end(); ++n) {
            if (!n->second.asked && (oldest == names_.end() || n->second.wanted_at < oldest->second.wanted_at)) {
                oldest = n;
            }
        }
        if (oldest == names_.end()) {
            return false;
        }
        names_.erase(oldest);
        return true;
    }

    void ask(const std::string& host)
    {
        if (channel_ == nullptr && !open_channel()) {
            // Told from the loop, as every other answer that was not at hand.
            asio::post(context_, [this, host] { take(host, ARES_ENOTINITIALIZED, {}); });
            return;
        }
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        auto* question = new query{this, host};
        ares_getaddrinfo(
            channel_, host.c_str(), nullptr, &hints,
            [](void* context, int status, int, ares_addrinfo* info) {
                const std::unique_ptr<query> asked{static_cast<query*>(context)};
                found_addresses found;
                if (info != nullptr) {
                    found = read_addresses(*info);
                    ares_freeaddrinfo(info);
                }
                auto* self = asked->self;
                if (self->stopping_) {
                    return;
                }
                // c-ares is in the middle of its own work: the answer is looked at from the loop.
                asio::post(self->context_, [self, host = asked->host, status, found = std::move(found)]() mutable {
                    self->take(host, status, std::move(found));
                });
            },
            question);
        arm_timer();
    }

    void take(const std::string& host, int status, found_addresses&& found)
    {
        auto& entry = names_[host];
        entry.asked = false;
        const bool good = status == ARES_SUCCESS && !found.addresses.empty();
        if (good) {
            entry.addresses = std::move(found.addresses);
            entry.good_until = steady_now() + std::clamp(found.keep, settings_.keep_min, settings_.keep_max);
        } else {
            log_.warning("dns_failed", {{"name", host}, {"error", ares_strerror(status)}, {"kept", entry.addresses.size()}});
            // The servers in /etc/resolv.conf may have changed: it is read again before the next question.
            reopen_when_idle_ = true;
        }
        answer told = entry.addresses;
        if (entry.addresses.empty()) {
            told = error{error_class::unavailable, "resolving " + host + ": " + ares_strerror(status)};
        }
        const auto waiting = std::exchange(entry.waiting, {});
        if (reopen_when_idle_ && std::ranges::none_of(names_, [](const auto& n) { return n.second.asked; })) {
            reopen_when_idle_ = false;
            close_channel();
        }
        for (const auto& done : waiting) {
            done(told);
        }
    }

    bool open_channel()
    {
        ares_options options{};
        options.timeout = static_cast<int>(settings_.try_time.count());
        options.tries = 2;
        options.sock_state_cb = [](void* self, ares_socket_t socket, int read, int write) {
            static_cast<impl*>(self)->watch(socket, read != 0, write != 0);
        };
        options.sock_state_cb_data = this;
        int status = ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
        if (status != ARES_SUCCESS) {
            channel_ = nullptr;
        } else if (!settings_.servers.empty()) {
            status = ares_set_servers_ports_csv(channel_, settings_.servers.c_str());
        }
        if (status != ARES_SUCCESS) {
            close_channel();
            log_.warning("dns_unavailable", {{"error", ares_strerror(status)}});
            return false;
        }
        return true;
    }

    void close_channel()
    {
        if (channel_ != nullptr) {
            ares_destroy(std::exchange(channel_, nullptr));
        }
    }

    // --- c-ares tells what it waits for ---

    void watch(ares_socket_t socket, bool read, bool write)
    {
        const auto found = sockets_.find(socket);
        if (!read && !write) {
            if (found != sockets_.end()) {
                // c-ares closes it right after this.
                static_cast<void>(found->second->descriptor.release());
                sockets_.erase(found);
            }
            return;
        }
        if (found == sockets_.end()) {
            auto made = std::make_unique<watched_socket>(context_);
            made->generation = ++generation_;
            boost::system::error_code failed;
            made->descriptor.assign(socket, failed);
            if (failed) {
                return;  // the query runs into its timeout
            }
            sockets_.emplace(socket, std::move(made));
        }
        auto& watched = *sockets_.at(socket);
        watched.wants_read = read;
        watched.wants_write = write;
        arm(socket);
    }

    void arm(ares_socket_t socket)
    {
        const auto found = sockets_.find(socket);
        if (found == sockets_.end()) {
            return;
        }
        auto& watched = *found->second;
        const auto wait = [&](asio::posix::stream_descriptor::wait_type what, bool& waiting, bool reading) {
            waiting = true;
            watched.descriptor.async_wait(
                what, [this, socket, generation = watched.generation, reading](const boost::system::error_code& failed) {
                    if (!failed) {
                        on_ready(socket, generation, reading);
                    }
                });
        };
        if (watched.wants_read && !watched.waits_for_read) {
            wait(asio::posix::stream_descriptor::wait_read, watched.waits_for_read, true);
        }
        if (watched.wants_write && !watched.waits_for_write) {
            wait(asio::posix::stream_descriptor::wait_write, watched.waits_for_write, false);
        }
    }

    void on_ready(ares_socket_t socket, std::uint64_t generation, bool reading)
    {
        const auto found = sockets_.find(socket);
        if (found == sockets_.end() || found->second->generation != generation || channel_ == nullptr) {
            return;
        }
        (reading ? found->second->waits_for_read : found->second->waits_for_write) = false;
        ares_process_fd(channel_, reading ? socket : ARES_SOCKET_BAD, reading ? ARES_SOCKET_BAD : socket);
        arm(socket);
        arm_timer();
    }

    void arm_timer()
    {
        timeval wait{};
        if (channel_ == nullptr || ares_timeout(channel_, nullptr, &wait) == nullptr) {
            timer_.cancel();
            return;
        }
        timer_.expires_after(std::chrono::seconds{wait.tv_sec} + std::chrono::microseconds{wait.tv_usec});
        timer_.async_wait([this](const boost::system::error_code& failed) {
            if (!failed && channel_ != nullptr) {
                ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
                arm_timer();
            }
        });
    }

    asio::io_context& context_;
    log_sink& log_;
    settings settings_;
    asio::steady_timer timer_;
    ares_channel channel_ = nullptr;
    std::map<std::string, name> names_;
    std::map<ares_socket_t, std::unique_ptr<watched_socket>> sockets_;
    std::uint64_t generation_ = 0;
    bool reopen_when_idle_ = false;
    bool stopping_ = false;
};

resolver::resolver(asio::io_context& context, log_sink& log, settings s) :
    impl_(std::make_unique<impl>(context, log, std::move(s)))
{}

resolver::~resolver() = default;

void resolver::resolve(const std::string& host, const std::function<void(const answer&)>& done)
{
    impl_->resolve(host, done);
}

}  // namespace vipd::io
