#include "bench/driven_node.hpp"

#include "agent/vrrp/advert.hpp"
#include "common/ensure.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace vipd::bench {

namespace {

using namespace std::chrono_literals;

constexpr instant beginning{time_point{1'000'000s}, wall_time{1'790'000'000s}};
constexpr std::uint8_t own_priority = 100;

std::uint8_t network_of(std::size_t router)
{
    return static_cast<std::uint8_t>(router / vrids_per_interface);
}

ip_address own_address(std::size_t router)
{
    return ip_address::v4(10, 99, network_of(router), 1);
}

ip_address peer_address(std::size_t router)
{
    return ip_address::v4(10, 99, network_of(router), 2);
}

ip_prefix virtual_address(std::size_t router)
{
    return ip_prefix::host(
        ip_address::v4(172, 16, static_cast<std::uint8_t>(router / 250), static_cast<std::uint8_t>(router % 250 + 1)));
}

config::policy_entry policy_of(std::size_t router, std::size_t parts, const std::string& interface)
{
    config::policy_entry policy;
    policy.table = static_cast<unsigned>(1000 + router);
    for (std::size_t i = 0; i < parts; ++i) {
        const auto low = static_cast<std::uint8_t>(i);
        auto& rule = policy.rules.emplace_back();
        rule.from = config::rule_prefix{ip_prefix::host(ip_address::v4(10, 5, network_of(router), low))};
        rule.priority = static_cast<unsigned>(1000 + router);
        auto& route = policy.routes.emplace_back();
        route.to.value = ip_prefix{ip_address::v4(10, 6, low, 0), 24};
        route.interface = interface;
    }
    return policy;
}

aws::environment long_term_credentials()
{
    return {
        {{"AWS_ACCESS_KEY_ID", "AKIABENCHMARK0000001"}, {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}}};
}

// The yes of EC2 to each call that a node makes here.
std::string answer_body(const std::string& form, std::size_t routers)
{
    const auto action = form.substr(7, form.find('&') - 7);
    if (action == "DescribeRouteTables") {
        std::string routes;
        for (std::size_t i = 0; i < routers; ++i) {
            routes += fmt::format(
                "<item><destinationCidrBlock>{}</destinationCidrBlock><networkInterfaceId>eni-me"
                "</networkInterfaceId><state>active</state><origin>CreateRoute</origin></item>",
                virtual_address(i).to_string());
        }
        return "<DescribeRouteTablesResponse><requestId>r</requestId><routeTableSet><item><routeTableId>rtb-1</routeTableId>"
               "<vpcId>vpc-1</vpcId><routeSet>" +
               routes + "</routeSet></item></routeTableSet></DescribeRouteTablesResponse>";
    }
    if (action == "DescribeNetworkInterfaces") {
        return "<DescribeNetworkInterfacesResponse><requestId>r</"
               "requestId><networkInterfaceSet><item><networkInterfaceId>eni-me"
               "</networkInterfaceId><vpcId>vpc-1</vpcId><sourceDestCheck>false</sourceDestCheck></item></networkInterfaceSet>"
               "</DescribeNetworkInterfacesResponse>";
    }
    return "<" + action + "Response><requestId>r</requestId><return>true</return></" + action + "Response>";
}

}  // namespace

std::shared_ptr<const config::configuration> fleet_configuration(const fleet_options& options)
{
    auto c = std::make_shared<config::configuration>();
    c->aws.region = "eu-west-1";
    c->notices = {.spot = false, .rebalance = false, .scheduled_events = false, .auto_scaling = false};
    for (std::size_t i = 0; i < options.routers; ++i) {
        config::router r;
        r.name = fmt::format("router-{}", i);
        r.vrid = static_cast<std::uint8_t>(i % vrids_per_interface + 1);
        r.priority = own_priority;
        r.interface = fmt::format("eth{}", network_of(i));
        r.source = own_address(i);
        r.peers = {{peer_address(i), 255}};
        r.advert_interval = options.advert_interval;
        r.preempt_delay = 0s;
        r.advertised_addresses = {virtual_address(i).address()};
        if (options.with_route) {
            config::route_entry route;
            route.destination = aws::route_destination::cidr(virtual_address(i));
            route.tables.ids = {aws::route_table_id{"rtb-1"}};
            route.interface_id = aws::network_interface_id{"eni-me"};
            r.routes.push_back(std::move(route));
        }
        if (options.policy_parts > 0) {
            r.policies = {policy_of(i, options.policy_parts, r.interface)};
        }
        c->routers.push_back(std::move(r));
    }
    return c;
}

driven_node::driven_node(const fleet_options& options) :
    configuration_(fleet_configuration(options)),
    now_(beginning),
    node_({.configuration = configuration_, .environment = long_term_credentials(), .seed = 1}, beginning, log_)
{
    node_.start(now_);
    tell_kernel();
    carry_out();
}

void driven_node::tell_kernel()
{
    const auto networks = network_of(configuration_->routers.size() - 1) + 1;
    for (int i = 0; i < networks; ++i) {
        const auto mac = fmt::format("02:00:00:00:00:{:02x}", i);
        node_.handle(now_, node::kernel_told{net::link_seen{{i + 2, fmt::format("eth{}", i), mac, true, true}}});
        const auto address = ip_address::v4(10, 99, static_cast<std::uint8_t>(i), 1);
        node_.handle(now_, node::kernel_told{net::address_seen{{i + 2, ip_prefix{address, 24}, false}}});
    }
    node_.handle(now_, node::kernel_told{net::dump_done{}});
}

void driven_node::set_now(time_point at)
{
    now_.wall += at - now_.steady;
    now_.steady = at;
}

void driven_node::answer(const aws::http_exchange& exchange)
{
    aws::http_response response{200, {{"Content-Type", "text/xml;charset=UTF-8"}}, {}};
    response.body = answer_body(exchange.request.body, configuration_->routers.size());
    node_.handle(now_, node::http_finished{exchange.id, {std::move(response), now_.steady, now_.steady, now_.steady}});
}

std::size_t driven_node::carry_out()
{
    std::size_t adverts = 0;
    while (auto output = node_.poll_output()) {
        std::visit(overloaded{[&](const node::send_advert&) { ++adverts; },
                              [&](const node::change_kernel& o) {
                                  node_.handle(now_, node::kernel_answered{{o.id, 0, {}}});
                              },
                              [&](const node::start_http& o) {
                                  ENSURE(!o.exchange.mutating || node_.permit(now_, o.exchange.id));
                                  answer(o.exchange);
                              },
                              [&](const node::read_file& o) {
                                  const error absent{error_class::not_found, "no such file"};
                                  node_.handle(now_, node::file_was_read{o.id, absent});
                              },
                              [](const auto&) {}},
                   *output);
    }
    return adverts;
}

void driven_node::run_until(time_point until)
{
    while (node_.next_wakeup().at <= until) {
        set_now(std::max(now_.steady, node_.next_wakeup().at));
        node_.handle_timeout(now_);
        carry_out();
    }
    set_now(until);
}

std::vector<byte_buffer> driven_node::peer_adverts(std::uint8_t priority) const
{
    std::vector<byte_buffer> all;
    for (std::size_t i = 0; i < configuration_->routers.size(); ++i) {
        const auto& r = configuration_->routers[i];
        const vrrp::advert_content content{.protocol_version = r.version,
                                           .vrid = r.vrid,
                                           .priority = priority,
                                           .interval = r.advert_interval,
                                           .addresses = r.advertised_addresses};
        encode_advert(content, peer_address(i), own_address(i), vrrp::checksum_form::rfc5798, all.emplace_back());
    }
    return all;
}

vrrp::datagram driven_node::datagram(std::size_t router, byte_view message) const
{
    return {peer_address(router), own_address(router), vrrp::ttl_sent, message};
}

void driven_node::hear_all(std::uint8_t priority)
{
    const auto adverts = peer_adverts(priority);
    for (std::size_t i = 0; i < adverts.size(); ++i) {
        node_.handle(now_, datagram(i, adverts[i]));
    }
    carry_out();
}

bool driven_node::all_are(vrrp::state state) const
{
    for (std::uint32_t i = 0; i < node_.router_count(); ++i) {
        if (node_.router_snapshot(now_, i).state != state) {
            return false;
        }
    }
    return true;
}

}  // namespace vipd::bench
