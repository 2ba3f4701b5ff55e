// Datagrams from anywhere, into admission and the elections behind it.
//
// The input is a row of records: one byte that chooses source, destination and TTL, one byte of time that passes, one byte for
// the length, and that many bytes of VRRP message. Whatever they are:
//  - a message that decodes can be signed, and its signature is right once;
//  - every datagram is counted exactly once;
//  - a datagram that is discarded changes no election;
//  - no election sends another priority than 0 or its own, nor 0 unless it leaves Active, nor waits longer than it may.

#include "agent/vrrp/admission.hpp"

#include "agent/vrrp/advert.hpp"
#include "agent/vrrp/authentication.hpp"
#include "agent/vrrp/election.hpp"
#include "agent/vrrp/timers.hpp"
#include "common/ensure.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace vipd;
using namespace vipd::vrrp;

ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

const std::array<ip_address, 6>& addresses()
{
    static const std::array<ip_address, 6> all = {address("10.0.1.10"),     address("10.0.2.20"),     address("10.9.9.9"),
                                                  address("2001:db8:1::a"), address("2001:db8:2::b"), address("224.0.0.18")};
    return all;
}

// 32 bytes from 0 up, as id 1.
const hmac_settings& key()
{
    static const auto all = [] {
        byte_buffer bytes;
        for (std::uint8_t i = 0; i < 32; ++i) {
            bytes.push_back(i);
        }
        hmac_settings settings;
        settings.keys = {{1, *hmac_secret::from_file(bytes)}};
        return settings;
    }();
    return all;
}

// Keys are prepared once, since that is dear; what a verifier remembers begins anew with each copy.
const verifier& fresh_verifier(const ip_address& sender)
{
    static const auto all = [] {
        std::vector<verifier> made;
        for (const auto& address : addresses()) {
            made.emplace_back(key(), std::array{address});
        }
        return made;
    }();
    return all[static_cast<std::size_t>(std::ranges::find(addresses(), sender) - addresses().begin())];
}

std::shared_ptr<verifier> signatures(const ip_address& peer)
{
    return std::make_shared<verifier>(fresh_verifier(peer));
}

std::vector<router_rule> rules()
{
    const auto& [self_v4, peer_v4, stranger, self_v6, peer_v6, group] = addresses();
    const simple_password secret{{'s', 'e', 'c', 'r', 'e', 't'}};
    return {
        {version::v3, 51, self_v4, {{peer_v4, 255}}, {address("192.0.2.100")}, 1s, std::nullopt},
        {version::v2, 52, self_v4, {{peer_v4, 254}}, {address("192.0.2.100")}, 1s, std::nullopt},
        {version::v2, 53, self_v4, {{peer_v4, 255}}, {address("192.0.2.100")}, 1s, secret},
        {version::v3, 51, self_v6, {{peer_v6, 255}}, {address("fe80::1"), address("2001:db8::100")}, 1s, std::nullopt},
        {version::v3, 54, self_v4, {{peer_v4, 255}}, {address("192.0.2.100")}, 1s, std::nullopt, signatures(peer_v4)},
        {version::v2, 55, self_v4, {{peer_v4, 255}}, {address("192.0.2.100")}, 1s, std::nullopt, signatures(peer_v4)},
        {version::v3, 54, self_v6, {{peer_v6, 255}}, {address("2001:db8::100")}, 1s, std::nullopt, signatures(peer_v6)},
    };
}

// What is signed is told from its trailer again, and is right as it stands.
void check_signature(byte_view message, version v, const ip_address& source)
{
    static const instant now{time_point{1000s}, wall_time{1'780'000'000s}};
    static const signer fresh{key(), now};
    auto s = fresh;
    byte_buffer all;
    all.reserve(message.size() + trailer_size);
    append(all, message);
    append(all, s.sign(message, source, now));
    const auto [again, trailer] = split_trailer(all, v, source.family());
    ENSURE(std::ranges::equal(again, message) && trailer.size() == trailer_size);
    auto judge = fresh_verifier(source);
    ENSURE(!judge.check(again, trailer, source, now.wall));
    ENSURE(judge.check(again, trailer, source, now.wall) == signature_fault::replay);
}

constexpr std::size_t routers = 7;

// What of an election may not change when a datagram is discarded: everything that can be seen.
struct seen {
    state current{};
    time_point due;
    duration interval{};
    std::uint64_t counted = 0;
    friend bool operator==(const seen&, const seen&) = default;
};

class node {
public:
    node() : node(rules()) {}
    explicit node(const std::vector<router_rule>& all) : admission_(all)
    {
        ENSURE(all.size() == routers);
        elections_.reserve(all.size());
        out_.reserve(4);
        for (const auto& rule : all) {
            election_settings s;
            s.protocol_version = rule.protocol_version;
            s.source = rule.source;
            s.preempt_delay = rule.vrid == 51 ? 0s : 5s;
            elections_.emplace_back(s);
            elections_.back().startup(now_, out_);
            check_outputs();
        }
    }

    void receive(const datagram& d)
    {
        const auto before = look();
        const auto verdict = admission_.check(d, wall_);
        ++received_;
        if (const auto* const a = std::get_if<admitted>(&verdict)) {
            elections_[a->router].handle(now_, a->advert, out_);
            check_outputs();
        } else {
            ENSURE(look() == before);
        }
        ENSURE(counted() == received_);
    }

    void pass(duration d)
    {
        now_ += d;
        wall_ += d;
        for (auto& e : elections_) {
            e.handle_timeout(now_, out_);
            check_outputs();
            ENSURE(e.next_wakeup().at > now_);
            ENSURE(e.next_wakeup().at - now_ <= longest_down_interval(version::v3, 40950ms, 3));
        }
    }

private:
    [[nodiscard]] std::array<seen, routers> look() const
    {
        std::array<seen, routers> all;
        for (std::size_t i = 0; i < routers; ++i) {
            const auto& e = elections_[i];
            const auto& c = e.counters();
            all[i] = {e.current(), e.next_wakeup().at, e.active_advert_interval(),
                      c.became_active + c.became_backup + c.priority_zero_received + c.lower_priority_heard_while_active +
                          c.owner_conflicts + c.adverts_skipped};
        }
        return all;
    }

    [[nodiscard]] std::uint64_t counted() const
    {
        std::uint64_t sum = 0;
        for (const auto count : admission_.counters_before_router()) {
            sum += count;
        }
        for (std::uint32_t router = 0; router < elections_.size(); ++router) {
            const auto& c = admission_.counters(router);
            sum += c.accepted;
            for (const auto count : c.discarded) {
                sum += count;
            }
        }
        return sum;
    }

    void check_outputs()
    {
        for (const auto& output : out_) {
            if (const auto* const a = std::get_if<send_advert>(&output)) {
                ENSURE(a->priority == election_settings{}.priority);
            }
        }
        ENSURE(out_.size() <= 2);
        out_.clear();
    }

    time_point now_{1000s};
    wall_time wall_{1'780'000'000s};
    admission admission_;
    std::vector<election> elections_;
    std::vector<election_output> out_;
    std::uint64_t received_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    byte_view rest{data, size};
    node n;
    while (rest.size() >= 3) {
        const unsigned choice = rest[0];
        const duration passed = rest[1] * 20ms;
        const auto message = rest.subspan(3, std::min<std::size_t>(rest[2], rest.size() - 3));
        rest = rest.subspan(3 + message.size());

        // 36 pairs of addresses; what is left of the byte makes the TTL too low.
        const auto& source = addresses()[choice % 6];
        const auto& destination = addresses()[choice / 6 % 6];
        const auto ttl = static_cast<std::uint8_t>(255 - choice / 36);
        if (source.family() == destination.family()) {
            for (const auto v : {version::v2, version::v3}) {
                if (std::holds_alternative<advert>(decode_advert(message, v, source, destination))) {
                    check_signature(message, v, source);
                }
            }
        }
        n.receive({source, destination, ttl, message});
        n.pass(passed);
    }
    return 0;
}
