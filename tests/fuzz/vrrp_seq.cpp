// Rows of events into the node that ships, judged by the invariants of the simulated clusters after every event.
//
// One machine of such a cluster is alive; its peers are switched off, and the input speaks in their names. The first bytes
// choose the cluster (tests/sim/options.hpp), the rest is a row of events: one byte for the kind, then what it needs. They are
// adverts with drawn fields, damaged ones and bytes of any kind; time that passes and time that is lost; the wall clock; what
// operators do; what the kernel tells; what the cloud answers; and the end of the process. A datagram that is discarded must
// change nothing (S5); the other invariants are listed in tests/README.md, "Clusters in virtual time".

#include "tests/fuzz/input_reader.hpp"
#include "tests/sim/cluster.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using namespace vipd;
using namespace vipd::sim;

constexpr std::size_t alive = 0;
constexpr std::size_t peers = 2;
// An input is an execution of bounded cost.
constexpr unsigned events_max = 150;
constexpr duration length_max = 400s;

cluster_options draw_cluster(test::input_reader& in)
{
    const auto choice = in.byte();
    const auto more = in.byte();
    cluster_options o;
    o.machines.resize(1 + peers);
    o.machines[alive].priority = static_cast<std::uint8_t>(1 + in.byte() % 254);
    o.machines[2].zone = 1;
    o.version = (choice & 1U) != 0 ? vrrp::version::v2 : vrrp::version::v3;
    o.family = (choice & 3U) == 2 ? ip_family::v6 : ip_family::v4;
    o.advert_interval = o.version == vrrp::version::v3 && (choice & 4U) != 0 ? duration{200ms} : 1s;
    o.preempt = (choice & 8U) == 0;
    o.preempt_delay = (choice & 16U) != 0 ? duration{3s} : 0s;
    o.drain = (choice & 32U) != 0 ? 2s : ((choice & 64U) != 0 ? 0s : 1s);
    o.down_timer_adverts = (choice & 128U) != 0 ? 5 : 3;
    o.tables = 1 + more % 2;
    o.chosen =
        std::array{table_choice::by_id, table_choice::whole_vpc, table_choice::by_tag, table_choice::by_id}[more / 2 % 4];
    o.routes_exist = (more & 8U) == 0;
    o.cloud_latency = (more & 16U) != 0 ? 400ms : 20ms;
    o.credential_lifetime = (more & 32U) != 0 ? duration{15min} : 6h;
    if ((more & 64U) != 0) {
        o.stale_reads = 0.5;
        o.stale_reads_lag = 3s;
    }
    if ((more & 128U) != 0) {
        const auto third = in.byte();
        o.api_weight = std::array<std::int16_t, 4>{0, -60, 40, 0}[third % 4U];
        if ((third & 4U) != 0) {
            using vrrp::hmac_mode;
            o.auth = auth_options{std::array{hmac_mode::enforce, hmac_mode::permissive, hmac_mode::receive_only,
                                             hmac_mode::enforce}[third / 8U % 4U],
                                  (third & 32U) != 0 ? vrrp::anti_replay::monotonic : vrrp::anti_replay::time,
                                  (third & 64U) != 0 ? duration{30s} : duration{5s}};
        }
    }
    return o;
}

// Nobody's key but of whoever forges.
constexpr std::uint8_t key_of_stranger = 121;

class play {
public:
    play(byte_view input, std::function<void(const std::string&)> tell) :
        in_(input),
        world_(draw_cluster(in_), 1, std::move(tell)),
        router_(world_.options().configuration(alive).routers.front())
    {
        if (router_.auth.hmac) {
            signer_.emplace(*router_.auth.hmac, peers_now());
        }
    }

    // What was broken; empty when nothing was.
    std::string run()
    {
        // They come up at some moment of the first second.
        world_.run_for(1s);
        for (std::size_t peer = 1; peer <= peers; ++peer) {
            world_.inflict({{}, 24h, faults::power_off{peer}});
        }
        for (unsigned i = 0; i < events_max && !in_.is_empty() && !is_broken(); ++i) {
            happen(in_.byte());
            // Whatever is due now, so that an event finds the consequences of the one before; datagrams alone may pile up.
            world_.run_for(0s);
        }
        // So that what should have ended has.
        world_.run_for(20s);
        const auto& found = world_.judge().found();
        return found ? found->invariant + ": " + found->text : std::string{};
    }

private:
    [[nodiscard]] bool is_broken() const { return world_.judge().found().has_value(); }

    void wait(duration length)
    {
        length = std::min(length, length_max - waited_);
        waited_ += length;
        world_.run_for(length);
    }
    // 10 ms to 85 s, finer where it is short.
    duration draw_duration()
    {
        const auto b = in_.byte();
        return 10ms * (1 + (b & 31U)) * (1U << (b >> 5U)) * (b >= 224 ? 2 : 1);
    }

    void happen(std::uint8_t kind)
    {
        constexpr unsigned kinds = 31;
        switch (kind % kinds) {
            case 0:
            case 1:
            case 2:
                return hear(draw_advert());
            case 3:
                return hear(damaged(draw_advert()));
            case 4: {
                const auto from = draw_source();
                const auto bytes = in_.take_counted();
                return hear({from, {bytes.begin(), bytes.end()}, machine::datagram_kind::corrupted, vrrp::ttl_sent});
            }
            case 5:
                return inflict(faults::forged_adverts{alive, draw_forgery(), 1ms}, 1ms);
            case 6:
            case 7:
            case 8:
            case 9:
                return wait(draw_duration());
            case 10:
                return inflict(faults::clock_set{alive, 20s * static_cast<std::int16_t>(in_.two_bytes())}, {});
            case 11:
            case 12:
                return inflict_for_a_while(faults::pause{alive, in_.flag()});
            case 13:
                return inflict_for_a_while(faults::late_timers{alive, 10ms * in_.byte()});
            default:
                return happen_around(kind % kinds);
        }
    }

    void happen_around(unsigned kind)
    {
        switch (kind) {
            case 14:
                return inflict(faults::step_down{alive}, {});
            case 15:
                return inflict_for_a_while(faults::maintenance{alive});
            case 16:
                return inflict(faults::reload{alive, static_cast<std::uint8_t>(in_.byte() % 255)}, {});
            case 17:
                return inflict_for_a_while(faults::link_down{alive});
            case 18:
                return inflict(faults::address_removed{alive}, {});
            case 19:
                return tell_of_source();
            case 20:
                return world_.node(alive).tell(node::advert_not_sent{0, in_.byte()});
            case 21:
            case 22:
                return trouble_cloud();
            case 23:
                return inflict_for_a_while(faults::cloud_unreachable{{alive}});
            case 24:
                return change_route();
            case 25:
                return inflict_for_a_while(faults::permission_missing{alive, in_.byte() % world_.options().tables});
            case 26:
                return refuse();
            case 28:
                return hear_again();
            case 29:
                return rotate_keys();
            case 30:
                return inflict(faults::reload{alive, static_cast<std::uint8_t>(in_.byte() % 255), true}, {});
            default:
                return end_process();
        }
    }

    void inflict(fault_kind what, duration lasts) { world_.inflict({{}, lasts, std::move(what)}); }
    // Drawn after what was drawn for the fault itself, whatever the compiler's order of arguments is.
    void inflict_for_a_while(fault_kind what)
    {
        const auto lasts = draw_duration();
        inflict(std::move(what), lasts);
    }

    // --- datagrams ---

    ip_address draw_source()
    {
        const auto who = in_.byte() % 8U;
        if (who == 7) {
            return *ip_address::parse(world_.options().family == ip_family::v4 ? "10.0.1.200" : "2001:db8:0:1::200");
        }
        return world_.options().address(who == 6 ? alive : 1 + who % peers);
    }

    // A peer's own, but for what the second byte changes.
    machine::datagram draw_advert()
    {
        const auto from = draw_source();
        const auto other = in_.byte();
        const auto priority = in_.byte();
        const auto& o = world_.options();
        const bool v2 = o.version == vrrp::version::v2;
        vrrp::advert_content content{.protocol_version = o.version,
                                     .vrid = static_cast<std::uint8_t>((other & 1U) != 0 ? 1 + in_.byte() % 255 : 51),
                                     .priority = priority,
                                     .interval = o.advert_interval,
                                     .addresses = router_.advertised_addresses};
        if ((other & 2U) != 0) {
            content.interval = v2 ? duration{1s * (1 + in_.byte() % 255)} : 10ms * (1 + in_.two_bytes() % 4095);
        }
        const std::array others = {o.virtual_address().address(), from};
        if ((other & 4U) != 0) {
            content.addresses = others;
        }
        if ((other & 8U) != 0 && o.family == ip_family::v4) {
            content.protocol_version = v2 ? vrrp::version::v3 : vrrp::version::v2;
            content.interval = 1s;
        }
        const auto form = (other & 16U) != 0 ? vrrp::checksum_form::rfc9568 : vrrp::checksum_form::rfc5798;
        const auto ttl = static_cast<std::uint8_t>((other & 32U) != 0 ? in_.byte() : vrrp::ttl_sent);
        machine::datagram d{from, {}, machine::datagram_kind::corrupted, ttl};
        vrrp::advert_template advert{content, from, o.address(alive), form};
        auto message = advert.message(content.priority, content.interval);
        if (signer_) {
            if ((other & 64U) != 0) {
                d.kind = o.auth->mode == vrrp::hmac_mode::enforce ? machine::datagram_kind::forged : d.kind;
            } else {
                const bool is_right = (other & 128U) == 0;
                d.kind = is_right ? d.kind : machine::datagram_kind::forged;
                message = advert.message(content.priority, content.interval, trailer_for(message, from, is_right));
            }
        }
        d.message = {message.begin(), message.end()};
        return d;
    }

    // The peers' clocks are right, whatever is done to that of the one machine.
    [[nodiscard]] instant peers_now()
    {
        auto now = world_.node(alive).now();
        now.wall -= world_.node(alive).wall_offset();
        return now;
    }

    // The sequence grows from one to the next, whoever speaks. Peers sign with the key that the machine signs with.
    byte_view trailer_for(byte_view message, const ip_address& from, bool is_right)
    {
        auto settings = *world_.node(alive).router().auth.hmac;
        if (!is_right) {
            settings.keys = {{settings.active_key, key_of(key_of_stranger).secret}};
        }
        signer_->change(settings, peers_now());
        return signer_->sign(message, from, peers_now());
    }

    // A single bit. What is signed survives none, but in the checksum, which has two forms.
    machine::datagram damaged(machine::datagram d)
    {
        const auto place = in_.byte() % d.message.size();
        d.message[place] ^= static_cast<std::uint8_t>(1U << (in_.byte() % 8U));
        if (signer_ && place != 6 && place != 7 && world_.options().auth->mode == vrrp::hmac_mode::enforce) {
            d.kind = machine::datagram_kind::forged;
        }
        return d;
    }

    faults::forgery draw_forgery()
    {
        const auto& auth = world_.options().auth;
        const auto kind =
            static_cast<faults::forgery>(in_.byte() % (auth ? faults::forgery_count : faults::forgery_count_unsigned));
        const bool is_allowed = kind == faults::forgery::unsigned_advert && auth->mode != vrrp::hmac_mode::enforce;
        return is_allowed ? faults::forgery::wrong_key : kind;
    }

    void hear(machine::datagram d)
    {
        last_ = d;
        world_.node(alive).receive(std::move(d));
    }
    // A copy of the last one, which may have been lost.
    void hear_again()
    {
        if (last_) {
            world_.node(alive).receive(*last_);
        }
    }

    void rotate_keys()
    {
        const auto period = draw_duration();
        if (world_.options().auth) {
            inflict(faults::rotate_keys{period}, {});
        }
    }

    // --- the kernel ---

    void tell_of_source()
    {
        const auto choice = in_.byte();
        const auto& address = world_.node(alive).address();
        const net::link_address source{
            2, *ip_prefix::parse(address.to_string() + (address.family() == ip_family::v4 ? "/24" : "/64")),
            (choice & 4U) != 0};
        auto& m = world_.node(alive);
        if ((choice & 3U) == 0) {
            m.tell(node::kernel_told{net::address_gone{source}});
        } else if ((choice & 3U) == 1) {
            m.tell(node::kernel_told{net::dump_done{}});
        } else {
            m.tell(node::kernel_told{net::address_seen{source}});
        }
    }

    // --- the cloud ---

    cloud::fault_effect draw_effect()
    {
        using namespace cloud::effects;
        constexpr std::array kinds = {cloud::hostile_kind::truncated,    cloud::hostile_kind::cut,
                                      cloud::hostile_kind::entity_bomb,  cloud::hostile_kind::garbage,
                                      cloud::hostile_kind::wrong_root,   cloud::hostile_kind::empty,
                                      cloud::hostile_kind::wrong_type,   cloud::hostile_kind::error_in_success,
                                      cloud::hostile_kind::invalid_utf8, cloud::hostile_kind::odd_xml,
                                      cloud::hostile_kind::duplicated,   cloud::hostile_kind::redirect};
        constexpr std::array codes = {std::pair{503U, "Unavailable"},
                                      std::pair{503U, "RequestLimitExceeded"},
                                      std::pair{500U, "InternalError"},
                                      std::pair{400U, "InvalidParameterValue"},
                                      std::pair{400U, "InvalidRouteTableID.NotFound"},
                                      std::pair{400U, "RouteAlreadyExists"},
                                      std::pair{403U, "UnauthorizedOperation"},
                                      std::pair{401U, "AuthFailure"},
                                      std::pair{400U, "RequestExpired"},
                                      std::pair{502U, ""}};
        const auto choice = in_.byte();
        const bool applied = (choice & 128U) != 0;
        switch (choice % 7U) {
            case 0: {
                const auto& [status, code] = codes[in_.byte() % codes.size()];
                return fail{status, code, "told so", applied};
            }
            case 1:
                return reset{applied};
            case 2:
                return hang{applied};
            case 3:
                return land_late{cloud::delay::fixed(draw_duration()), applied};
            case 4:
                return slow{cloud::delay::fixed(draw_duration()), cloud::delay::fixed(draw_duration())};
            case 5:
                return stale{cloud::delay::fixed(draw_duration())};
            default:
                return hostile{kinds[in_.byte() % kinds.size()], 0};
        }
    }

    void trouble_cloud()
    {
        constexpr std::array<const char*, 7> actions = {"ec2:*",         "ec2:*Route", "ec2:ReplaceRoute", "ec2:CreateRoute",
                                                        "ec2:Describe*", "imds:*",     "imds:*/iam/*"};
        cloud::fault f;
        f.action = actions[in_.byte() % actions.size()];
        f.count = 1 + in_.byte() % 8U;
        f.effect = draw_effect();
        inflict_for_a_while(faults::cloud_trouble{std::move(f)});
    }

    void change_route()
    {
        const auto choice = in_.byte();
        const auto& o = world_.options();
        const auto table = choice % o.tables;
        const auto target = choice / 2U % 5U;
        inflict(faults::route_changed{table, target == 4 ? std::string{} : o.interface_id(target)}, {});
    }

    void refuse()
    {
        if (in_.flag()) {
            inflict(faults::credentials_revoked{alive}, {});
        } else {
            inflict(faults::throttled{-1.0 * in_.byte()}, {});
        }
    }

    void end_process()
    {
        if (in_.flag()) {
            inflict_for_a_while(faults::stop_process{alive});
        } else {
            inflict_for_a_while(faults::kill_process{alive, 1U + in_.byte() % 3U});
        }
    }

    test::input_reader in_;
    cluster world_;
    config::router router_;
    std::optional<vrrp::signer> signer_;
    std::optional<machine::datagram> last_;
    duration waited_{};
};

// Plays it again, and shows the end of the story.
void show(byte_view input, const std::string& broken)
{
    std::deque<std::string> lines;
    play again{input, [&](const std::string& line) {
                   lines.push_back(line);
                   if (lines.size() > 200) {
                       lines.pop_front();
                   }
               }};
    again.run();
    for (const auto& line : lines) {
        std::fprintf(stderr, "%s\n", line.c_str());
    }
    std::fprintf(stderr, "BROKEN: %s\n", broken.c_str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const byte_view input{data, size};
    if (const auto broken = play{input, {}}.run(); !broken.empty()) {
        show(input, broken);
        std::abort();
    }
    return 0;
}
