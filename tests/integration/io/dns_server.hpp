#pragma once

// A DNS server on the loopback, on the reactor of whoever asks it, that answers as it is told to.

#include "common/ip.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipd::io {

struct dns_question {
    std::string name;
    bool is_v6 = false;  // AAAA and not A
    bool over_tcp = false;
};

struct dns_reply {
    std::vector<ip_address> addresses;
    std::uint32_t ttl = 300;
    std::string alias_of = {};  // a CNAME stands before the addresses
    unsigned code = 0;          // 3: there is no such name
    bool truncated = false;
};

class dns_server {
public:
    // Nothing: no reply.
    using answer = std::function<std::optional<dns_reply>(const dns_question&)>;

    dns_server(boost::asio::io_context& context, answer a);

    // "127.0.0.1:5353"
    [[nodiscard]] std::string address() const;
    [[nodiscard]] const std::vector<dns_question>& questions() const { return questions_; }

    // Its port answers nobody, and belongs to it for when it comes up again.
    void go_down();
    void come_up();

private:
    struct stream {
        explicit stream(boost::asio::ip::tcp::socket s) : socket(std::move(s)) {}
        boost::asio::ip::tcp::socket socket;
        std::array<std::uint8_t, 2> size{};
        std::vector<std::uint8_t> message;
    };

    void receive();
    void accept();
    static void read(dns_server& server, const std::shared_ptr<stream>& from);
    std::vector<std::uint8_t> reply_to(const std::vector<std::uint8_t>& message, bool over_tcp);

    answer answer_;
    std::vector<dns_question> questions_;
    boost::asio::ip::udp::endpoint place_;
    boost::asio::ip::udp::socket datagrams_;
    boost::asio::ip::tcp::acceptor streams_;
    boost::asio::ip::udp::endpoint asker_;
    std::vector<std::uint8_t> message_;
};

}  // namespace vipd::io
