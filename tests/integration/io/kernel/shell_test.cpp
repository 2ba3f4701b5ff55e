#include "agent/io/shell.hpp"

#include "agent/io/clock.hpp"
#include "agent/vrrp/advert.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <array>
#include <functional>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

const ip_address own = ip_address::v4(127, 0, 0, 1);
const ip_address peer = ip_address::v4(127, 0, 0, 2);

std::shared_ptr<const config::configuration> one_router()
{
    auto c = std::make_shared<config::configuration>();
    auto& r = c->routers.emplace_back();
    r.name = "web";
    r.vrid = 51;
    r.priority = 100;
    r.source = own;
    r.interface = "lo";
    r.peers = {{peer, 255}};
    r.advert_interval = 100ms;
    r.advertised_addresses = {ip_address::v4(172, 16, 1, 100)};
    return c;
}

// As good as running out of descriptors, of which a sanitizer needs some itself.
bool allow_raw_sockets(bool allowed)
{
    constexpr std::uint32_t net_raw = 1U << CAP_NET_RAW;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) {
        return false;
    }
    auto& effective = sets[0].effective;
    effective = allowed ? effective | net_raw : effective & ~net_raw;
    return ::syscall(SYS_capset, &header, sets.data()) == 0;
}

struct shell_test : reactor_fixture, shell::observer {
    void on_ready() override {}
    void on_stopped() override {}

    // Looks again and again while the shell runs, which ends when it is so.
    void run_shell_until(const std::function<bool()>& reached)
    {
        const auto give_up = std::chrono::steady_clock::now() + 10s;
        boost::asio::steady_timer tick{context};
        const std::function<void()> look_soon = [&] {
            tick.expires_after(1ms);
            tick.async_wait([&](const boost::system::error_code&) {
                if (reached() || std::chrono::steady_clock::now() > give_up) {
                    the_shell.stop();
                } else {
                    look_soon();
                }
            });
        };
        look_soon();
        the_shell.run();
    }

    void speak_as_peer(std::uint8_t priority)
    {
        const auto& r = configuration->routers.front();
        byte_buffer bytes;
        vrrp::encode_advert({.protocol_version = r.version,
                             .vrid = r.vrid,
                             .priority = priority,
                             .interval = r.advert_interval,
                             .addresses = r.advertised_addresses,
                             .password = nullptr},
                            peer, own, vrrp::checksum_form::rfc5798, bytes);
        peer_socket->send(0, peer, own, bytes);
        peer_socket->flush();
    }

    [[nodiscard]] status::router router() const { return the_node.router_snapshot(read_clocks(), 0); }
    [[nodiscard]] bool has_heard_peer() const { return router().peers.front().last_heard_age.has_value(); }

    std::shared_ptr<const config::configuration> configuration = one_router();
    file_descriptor nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    log_writer lines{nowhere.get()};
    node::node the_node{{.configuration = configuration, .environment = {}, .seed = 1}, read_clocks(), log};
    shell the_shell{context, the_node, lines, *this};
    std::unique_ptr<advert_socket> peer_socket;
};

TEST_F(shell_test, a_socket_that_could_not_be_opened_for_its_peers_hears_them_once_it_is)
{
    auto opened = advert_socket::open(context, ip_family::v4);
    ASSERT_TRUE(opened) << opened.error().text;
    peer_socket = std::move(*opened);
    the_shell.start();
    ASSERT_TRUE(allow_raw_sockets(false));
    the_shell.tell(node::kernel_told{net::link_seen{{1, "lo", "", true, true}}});
    the_shell.tell(node::kernel_told{net::address_seen{{1, *ip_prefix::parse("127.0.0.1/8")}}});
    the_shell.tell(node::kernel_told{net::dump_done{}});
    bool is_allowed = false;
    run_shell_until([&] {
        if (!is_allowed && router().state == vrrp::state::active) {
            is_allowed = allow_raw_sockets(true);
        }
        if (is_allowed) {
            speak_as_peer(200);
        }
        return has_heard_peer();
    });
    EXPECT_TRUE(is_allowed) << "nobody was heard, so it has become Active";
    EXPECT_TRUE(has_heard_peer());
    EXPECT_EQ(router().state, vrrp::state::backup);
    allow_raw_sockets(true);
}

}  // namespace
}  // namespace vipd::io
