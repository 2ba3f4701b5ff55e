// Adverts as bytes, and who they are for.

#include "agent/vrrp/admission.hpp"
#include "agent/vrrp/advert.hpp"
#include "agent/vrrp/authentication.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <vector>

namespace vipd::bench {
namespace {

using namespace std::chrono_literals;

constexpr wall_time now{1'780'000'000s};
constexpr auto own = ip_address::v4(10, 0, 1, 10);
constexpr auto peer = ip_address::v4(10, 0, 2, 10);
constexpr std::array addresses{ip_address::v4(172, 16, 1, 100)};

vrrp::advert_content content(std::uint8_t vrid)
{
    return {.protocol_version = vrrp::version::v3, .vrid = vrid, .priority = 100, .interval = 100ms, .addresses = addresses};
}

byte_buffer encoded(std::uint8_t vrid, const ip_address& from, const ip_address& to)
{
    byte_buffer bytes;
    encode_advert(content(vrid), from, to, vrrp::checksum_form::rfc5798, bytes);
    return bytes;
}

// What an Active does each interval: nothing in the message has changed.
void advert_repeat(benchmark::State& state)
{
    vrrp::advert_template t(content(51), own, peer, vrrp::checksum_form::rfc5798);
    for (auto _ : state) {
        benchmark::DoNotOptimize(t.message(100, 100ms));
    }
}
BENCHMARK(advert_repeat);

void advert_encode_with_new_priority(benchmark::State& state)
{
    vrrp::advert_template t(content(51), own, peer, vrrp::checksum_form::rfc5798);
    std::uint8_t priority = 1;
    for (auto _ : state) {
        priority = static_cast<std::uint8_t>(priority % 254 + 1);
        benchmark::DoNotOptimize(t.message(priority, 100ms));
    }
}
BENCHMARK(advert_encode_with_new_priority);

void advert_decode(benchmark::State& state)
{
    const auto message = encoded(51, peer, own);
    for (auto _ : state) {
        benchmark::DoNotOptimize(vrrp::decode_advert(message, vrrp::version::v3, peer, own));
    }
}
BENCHMARK(advert_decode);

std::vector<vrrp::router_rule> rules(std::size_t count)
{
    std::vector<vrrp::router_rule> all;
    for (std::size_t i = 0; i < count; ++i) {
        vrrp::router_rule r;
        r.vrid = static_cast<std::uint8_t>(i % 250 + 1);
        r.source = ip_address::v4(10, 0, static_cast<std::uint8_t>(i / 250), 10);
        r.peers = {{peer, 255}};
        r.addresses = {addresses.begin(), addresses.end()};
        r.advert_interval = 100ms;
        all.push_back(std::move(r));
    }
    return all;
}

void admission_of_a_peer(benchmark::State& state)
{
    const auto all = rules(static_cast<std::size_t>(state.range(0)));
    vrrp::admission admission(all);
    std::vector<byte_buffer> messages;
    std::vector<vrrp::datagram> datagrams;
    for (const auto& r : all) {
        messages.push_back(encoded(r.vrid, peer, r.source));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        datagrams.push_back({peer, all[i].source, 255, messages[i]});
    }
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(admission.check(datagrams[next], now));
        next = next + 1 == datagrams.size() ? 0 : next + 1;
    }
}
BENCHMARK(admission_of_a_peer)->Arg(1)->Arg(1000);

void admission_of_a_stranger(benchmark::State& state)
{
    vrrp::admission admission(rules(1000));
    const auto stranger = ip_address::v4(10, 9, 9, 9);
    const auto message = encoded(51, stranger, own);
    const vrrp::datagram datagram{stranger, ip_address::v4(10, 0, 0, 10), 255, message};
    for (auto _ : state) {
        benchmark::DoNotOptimize(admission.check(datagram, now));
    }
}
BENCHMARK(admission_of_a_stranger);

vrrp::hmac_settings signatures()
{
    vrrp::hmac_settings settings;
    settings.against_replay = vrrp::anti_replay::monotonic;
    settings.keys = {{1, *vrrp::hmac_secret::from_file(byte_buffer(32, 0xa5))}};
    return settings;
}

// Once for each advert, however many peers it goes to.
void advert_sign(benchmark::State& state)
{
    vrrp::signer signer(signatures(), {time_point{1s}, now});
    const auto message = encoded(51, own, peer);
    for (auto _ : state) {
        benchmark::DoNotOptimize(signer.sign(message, own, {time_point{1s}, now}));
    }
}
BENCHMARK(advert_sign);

// Of a forgery, which costs as much as it can: all that is looked at before the HMAC is right.
void advert_verify(benchmark::State& state)
{
    const std::array senders{peer};
    vrrp::verifier verifier(signatures(), senders);
    vrrp::signer signer(signatures(), {time_point{1s}, now});
    const auto message = encoded(51, peer, own);
    const auto signed_by_peer = signer.sign(message, peer, {time_point{1s}, now});
    byte_buffer trailer{signed_by_peer.begin(), signed_by_peer.end()};
    trailer.back() ^= 1U;
    for (auto _ : state) {
        benchmark::DoNotOptimize(verifier.check(message, trailer, peer, now));
    }
}
BENCHMARK(advert_verify);

}  // namespace
}  // namespace vipd::bench
