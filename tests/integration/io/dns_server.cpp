#include "tests/integration/io/dns_server.hpp"

#include "common/bytes.hpp"
#include "common/ensure.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace vipd::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t head_size = 12;
constexpr std::size_t datagram_size_max = 512;
constexpr unsigned type_a = 1;
constexpr unsigned type_cname = 5;
constexpr unsigned type_aaaa = 28;

void put(std::vector<std::uint8_t>& out, std::size_t value, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; --i) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
    }
}

std::vector<std::uint8_t> spelt(const std::string& name)
{
    std::vector<std::uint8_t> out;
    for (std::size_t at = 0; at < name.size();) {
        const auto end = std::min(name.find('.', at), name.size());
        put(out, end - at, 1);
        out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(at), name.begin() + static_cast<std::ptrdiff_t>(end));
        at = end + 1;
    }
    put(out, 0, 1);
    return out;
}

void put_record(std::vector<std::uint8_t>& out, const std::vector<std::uint8_t>& name, unsigned type, std::uint32_t ttl,
                byte_view data)
{
    out.insert(out.end(), name.begin(), name.end());
    put(out, type, 2);
    put(out, 1, 2);  // Internet
    put(out, ttl, 4);
    put(out, data.size(), 2);
    out.insert(out.end(), data.begin(), data.end());
}

}  // namespace

dns_server::dns_server(asio::io_context& context, answer a) :
    answer_(std::move(a)), place_(asio::ip::address_v4::loopback(), 0), datagrams_(context), streams_(context)
{
    // A port that is free for datagrams may be taken for streams.
    for (unsigned attempts_left = 10;; --attempts_left) {
        try {
            come_up();
            return;
        } catch (const boost::system::system_error&) {
            ENSURE(attempts_left > 0);
            go_down();
            place_.port(0);
        }
    }
}

std::string dns_server::address() const
{
    return "127.0.0.1:" + std::to_string(place_.port());
}

void dns_server::go_down()
{
    datagrams_.close();
    streams_.close();
}

void dns_server::come_up()
{
    datagrams_.open(place_.protocol());
    datagrams_.bind(place_);
    place_ = datagrams_.local_endpoint();
    const asio::ip::tcp::endpoint same_port(place_.address(), place_.port());
    streams_.open(same_port.protocol());
    streams_.set_option(asio::socket_base::reuse_address(true));
    streams_.bind(same_port);
    streams_.listen();
    receive();
    accept();
}

void dns_server::receive()
{
    message_.resize(datagram_size_max);
    datagrams_.async_receive_from(asio::buffer(message_), asker_, [this](const error_code& failed, std::size_t size) {
        if (failed) {
            return;
        }
        message_.resize(size);
        if (const auto reply = reply_to(message_, false); !reply.empty()) {
            datagrams_.send_to(asio::buffer(reply), asker_);
        }
        receive();
    });
}

void dns_server::accept()
{
    streams_.async_accept([this](const error_code& failed, asio::ip::tcp::socket socket) {
        if (!failed) {
            read(*this, std::make_shared<stream>(std::move(socket)));
            accept();
        }
    });
}

void dns_server::read(dns_server& server, const std::shared_ptr<stream>& from)
{
    asio::async_read(from->socket, asio::buffer(from->size), [&server, from](const error_code& no_size, std::size_t) {
        if (no_size) {
            return;
        }
        from->message.resize(load_big_u16(from->size, 0));
        asio::async_read(from->socket, asio::buffer(from->message), [&server, from](const error_code& failed, std::size_t) {
            if (failed) {
                return;
            }
            const auto reply = server.reply_to(from->message, true);
            std::vector<std::uint8_t> framed;
            put(framed, reply.size(), 2);
            framed.insert(framed.end(), reply.begin(), reply.end());
            asio::write(from->socket, asio::buffer(framed));
            read(server, from);
        });
    });
}

std::vector<std::uint8_t> dns_server::reply_to(const std::vector<std::uint8_t>& message, bool over_tcp)
{
    dns_question asked;
    asked.over_tcp = over_tcp;
    std::size_t at = head_size;
    for (; message.at(at) != 0; at += message[at] + 1U) {
        asked.name += asked.name.empty() ? "" : ".";
        asked.name.append(reinterpret_cast<const char*>(&message.at(at + 1)), message[at]);
    }
    const unsigned type = load_big_u16(message, at + 1);
    ENSURE(type == type_a || type == type_aaaa);
    const auto question_end = message.begin() + static_cast<std::ptrdiff_t>(at + 5);
    asked.is_v6 = type == type_aaaa;
    questions_.push_back(asked);
    const auto told = answer_(asked);
    if (!told) {
        return {};
    }
    std::vector<std::uint8_t> out(message.begin(), message.begin() + 2);
    // A response; recursion was desired and is available.
    put(out, 0x8180U | (told->truncated ? 0x0200U : 0U) | told->code, 2);
    put(out, 1, 2);
    put(out, told->addresses.size() + (told->alias_of.empty() ? 0 : 1), 2);
    put(out, 0, 4);
    out.insert(out.end(), message.begin() + head_size, question_end);
    auto name = spelt(asked.name);
    if (!told->alias_of.empty()) {
        const auto alias_of = spelt(told->alias_of);
        put_record(out, name, type_cname, told->ttl, alias_of);
        name = alias_of;
    }
    for (const auto& address : told->addresses) {
        ENSURE(address.is_v6() == asked.is_v6);
        put_record(out, name, type, told->ttl, address.bytes());
    }
    return out;
}

}  // namespace vipd::io
