// The stranger: sends well-formed adverts that nobody asked for, at a given rate.
//
//     advert_flood --source 10.99.0.66 --destination 10.99.0.1 --vrid 51 --priority 255 --rate 50000 --seconds 10
//
// Prints how many it sent, as JSON. The source may be anybody's address.

#include "agent/vrrp/advert.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vipd::bench {
namespace {

struct options {
    std::string source;
    std::string destination;
    unsigned vrid = 51;
    unsigned priority = 255;
    double interval_ms = 100;
    double rate = 50'000;
    double seconds = 10;
};

[[noreturn]] void give_up(std::string_view what)
{
    fmt::print(stderr, "advert_flood: {}: {}\n", what, std::strerror(errno));
    std::exit(1);
}

ip_address parse(const std::string& text)
{
    const auto address = ip_address::parse(text);
    if (!address || !address->is_v4()) {
        fmt::print(stderr, "advert_flood: '{}' is no IPv4 address\n", text);
        std::exit(1);
    }
    return *address;
}

in_addr native(const ip_address& address)
{
    in_addr out{};
    std::memcpy(&out, address.bytes().data(), sizeof out);
    return out;
}

// The whole packet; the kernel fills in the length, the checksum and the identification.
byte_buffer packet(const options& chosen)
{
    const auto source = parse(chosen.source);
    const auto destination = parse(chosen.destination);
    const std::array addresses{ip_address::v4(172, 16, 1, 100)};
    const auto interval = std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(chosen.interval_ms));
    byte_buffer message;
    encode_advert({.protocol_version = vrrp::version::v3,
                   .vrid = static_cast<std::uint8_t>(chosen.vrid),
                   .priority = static_cast<std::uint8_t>(chosen.priority),
                   .interval = interval,
                   .addresses = addresses},
                  source, destination, vrrp::checksum_form::rfc5798, message);
    iphdr header{};
    header.version = 4;
    header.ihl = 5;
    header.ttl = 255;
    header.protocol = vrrp::ip_protocol;
    header.saddr = native(source).s_addr;
    header.daddr = native(destination).s_addr;
    byte_buffer bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    append(bytes, message);
    return bytes;
}

// Sends `rate` packets a second, a millisecond's worth at a time, and catches up when it was kept waiting.
std::uint64_t flood(int descriptor, const options& chosen)
{
    auto bytes = packet(chosen);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr = native(parse(chosen.destination));
    iovec data{bytes.data(), bytes.size()};
    std::vector<mmsghdr> batch(512);
    for (auto& m : batch) {
        m.msg_hdr.msg_name = &to;
        m.msg_hdr.msg_namelen = sizeof to;
        m.msg_hdr.msg_iov = &data;
        m.msg_hdr.msg_iovlen = 1;
    }
    using clock = std::chrono::steady_clock;
    const auto started = clock::now();
    std::uint64_t sent = 0;
    std::chrono::duration<double> passed{};
    while (passed.count() < chosen.seconds) {
        const auto due = static_cast<std::uint64_t>(passed.count() * chosen.rate);
        while (sent < due) {
            const auto count = static_cast<unsigned>(std::min<std::uint64_t>(due - sent, batch.size()));
            const int done = ::sendmmsg(descriptor, batch.data(), count, 0);
            if (done < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
                give_up("send");
            }
            sent += done > 0 ? static_cast<unsigned>(done) : 0;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        passed = clock::now() - started;
    }
    return sent;
}

int run(const options& chosen)
{
    const int descriptor = ::socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (descriptor < 0) {
        give_up("raw socket (root is needed)");
    }
    const auto sent = flood(descriptor, chosen);
    ::close(descriptor);
    fmt::print("{{\"sent\": {}, \"packets_per_second\": {:.0f}}}\n", sent, static_cast<double>(sent) / chosen.seconds);
    return 0;
}

}  // namespace
}  // namespace vipd::bench

int main(int argc, char** argv)
{
    vipd::bench::options chosen;
    CLI::App app{"Sends well-formed adverts that nobody asked for, at a given rate"};
    app.add_option("--source", chosen.source, "whose adverts they claim to be")->required();
    app.add_option("--destination", chosen.destination, "whom they are sent to")->required();
    app.add_option("--vrid", chosen.vrid)->check(CLI::Range(1, 255));
    app.add_option("--priority", chosen.priority)->check(CLI::Range(0, 255));
    app.add_option("--interval-ms", chosen.interval_ms, "the Max Advertise Interval that they carry");
    app.add_option("--rate", chosen.rate, "packets per second");
    app.add_option("--seconds", chosen.seconds);
    CLI11_PARSE(app, argc, argv);
    return vipd::bench::run(chosen);
}
