#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::test {

using namespace std::chrono_literals;

std::map<std::string, std::string> parse_form(const std::string& body)
{
    const auto decode = [](const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '%' && i + 2 < text.size()) {
                out.push_back(static_cast<char>(from_hex(text.substr(i + 1, 2)).at(0)));
                i += 2;
            } else {
                out.push_back(text[i]);
            }
        }
        return out;
    };
    std::map<std::string, std::string> pairs;
    std::size_t begin = 0;
    while (begin < body.size()) {
        const auto end = std::min(body.find('&', begin), body.size());
        const auto pair = body.substr(begin, end - begin);
        const auto equals = std::min(pair.find('='), pair.size());
        pairs[decode(pair.substr(0, equals))] = equals < pair.size() ? decode(pair.substr(equals + 1)) : "";
        begin = end + 1;
    }
    return pairs;
}

aws::http_response ec2_error_response(unsigned status, const std::string& code, const std::string& message)
{
    return {status,
            {},
            "<Response><Errors><Error><Code>" + code + "</Code><Message>" + message +
                "</Message></Error></Errors><RequestID>req-e</RequestID></Response>"};
}

std::string small_cloud::describe() const
{
    std::string xml =
        "<DescribeRouteTablesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>req-d</requestId>"
        "<routeTableSet>";
    for (const auto& [id, target] : targets) {
        xml += "<item><routeTableId>" + id + "</routeTableId><vpcId>vpc-1</vpcId><routeSet>";
        if (!target.empty()) {
            xml += "<item><destinationCidrBlock>" + destination + "</destinationCidrBlock><networkInterfaceId>" + target +
                   "</networkInterfaceId><state>active</state><origin>CreateRoute</origin></item>";
        }
        xml += "</routeSet></item>";
    }
    return xml + "</routeTableSet></DescribeRouteTablesResponse>";
}

aws::http_response small_cloud::answer(const aws::http_request& request)
{
    const std::vector<aws::http_header> xml = {{"Content-Type", "text/xml;charset=UTF-8"}};
    auto form = parse_form(request.body);
    const auto action = form["Action"];
    const auto ok = [&](const std::string& inner) {
        return aws::http_response{200, xml,
                                  "<" + action + "Response><requestId>req-1</requestId>" + inner + "</" + action + "Response>"};
    };
    if (action == "DescribeRouteTables") {
        return {200, xml, describe()};
    }
    if (action == "DescribeNetworkInterfaces") {
        return ok(
            "<networkInterfaceSet><item><networkInterfaceId>eni-0000000000000000a</networkInterfaceId><vpcId>vpc-1</vpcId>"
            "<sourceDestCheck>" +
            std::string(source_dest_check ? "true" : "false") + "</sourceDestCheck></item></networkInterfaceSet>");
    }
    if (action == "ModifyNetworkInterfaceAttribute") {
        source_dest_check = false;
        return ok("<return>true</return>");
    }
    const auto table = targets.find(form["RouteTableId"]);
    if (table == targets.end()) {
        return ec2_error_response(400, "InvalidRouteTableID.NotFound");
    }
    if (action == "ReplaceRoute" && table->second.empty()) {
        return ec2_error_response(
            400, "InvalidParameterValue",
            "There is no route defined for '" + destination + "' in the route table. Use CreateRoute instead.");
    }
    if (action == "CreateRoute" && !table->second.empty() && table->second != form["NetworkInterfaceId"]) {
        return ec2_error_response(400, "RouteAlreadyExists");
    }
    table->second = form["NetworkInterfaceId"];
    return ok("<return>true</return>");
}

std::shared_ptr<config::configuration> node_harness::one_router()
{
    auto c = std::make_shared<config::configuration>();
    c->aws.region = "eu-west-1";
    c->notices = {.spot = false, .rebalance = false, .scheduled_events = false, .auto_scaling = false};
    config::router r;
    r.name = "web";
    r.vrid = 51;
    r.priority = 100;
    r.source = ip_address::v4(10, 0, 1, 10);
    r.interface = "ens5";
    r.peers = {{ip_address::v4(10, 0, 2, 10), 255}};
    r.advert_interval = 100ms;
    r.preempt_delay = 0s;
    r.advertised_addresses = {ip_address::v4(172, 16, 1, 100)};
    r.addresses.emplace_back().address = ip_prefix::host(ip_address::v4(172, 16, 1, 100));
    config::route_entry route;
    route.destination = aws::route_destination::cidr(ip_prefix::host(ip_address::v4(172, 16, 1, 100)));
    route.tables.ids = {aws::route_table_id{"rtb-1"}};
    route.interface = "ens5";
    route.interface_id = aws::network_interface_id{"eni-0000000000000000a"};
    r.routes = {route};
    c->routers = {r};
    return c;
}

node_harness::node_harness(std::shared_ptr<const config::configuration> configuration) :
    now{time_point{1000s}, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}}},
    configuration_(std::move(configuration))
{
    cloud.targets["rtb-1"] = "eni-0000000000000000b";
    replace(configuration_);
}

void node_harness::replace(std::shared_ptr<const config::configuration> configuration)
{
    configuration_ = std::move(configuration);
    make_node({});
}

void node_harness::make_node(std::optional<node::succession> predecessor)
{
    aws::environment variables;
    variables.variables = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"}, {"AWS_SECRET_ACCESS_KEY", "secret-of-the-test"}};
    node = std::make_unique<node::node>(node::node_options{configuration_, variables, 42, boot_id, std::move(predecessor)}, now,
                                        log);
}

void node_harness::succeed(duration after, std::shared_ptr<const config::configuration> configuration)
{
    // By its text, as it is carried.
    auto left = node::parse_succession(node::format_succession(node->leave_behind(now)));
    ASSERT_TRUE(left.has_value());
    pending_.clear();
    now.steady += after;
    now.wall += after;
    if (configuration != nullptr) {
        configuration_ = std::move(configuration);
    }
    make_node(std::move(*left));
}

void node_harness::start()
{
    node->start(now);
    drain();
    kernel(net::link_seen{{1, "lo", "", true, true}});
    kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.10/24")}});
    for (const auto& [index, prefix] : local) {
        kernel(net::address_seen{{index, prefix}});
    }
    for (const auto& event : policies.dump()) {
        kernel(event);
    }
    kernel(net::dump_done{});
}

void node_harness::tell(node::input&& what)
{
    node->handle(now, std::move(what));
    drain();
}

void node_harness::hear(std::uint8_t priority, std::size_t router, duration interval)
{
    const auto& r = configuration_->routers.at(router);
    byte_buffer bytes;
    const auto& peer = r.peers.front().address;
    const auto to = r.source.value_or(ip_address::v4(10, 0, 1, 10));
    vrrp::encode_advert({.protocol_version = r.version,
                         .vrid = r.vrid,
                         .priority = priority,
                         .interval = interval,
                         .addresses = r.advertised_addresses,
                         .password = r.auth.password ? &*r.auth.password : nullptr},
                        peer, to, vrrp::checksum_form::rfc5798, bytes);
    hear(node::advert_received{peer, to, 255, bytes});
}

void node_harness::hear(const node::advert_received& datagram)
{
    node->handle(now, datagram);
    drain();
}

void node_harness::start_exchange(const aws::http_exchange& exchange)
{
    auto form = parse_form(exchange.request.body);
    const bool permitted = !exchange.mutating || node->permit(now, exchange.id);
    seen_calls.push_back({now.steady, form["Action"], form["RouteTableId"], form["NetworkInterfaceId"], permitted});
    if (!permitted) {
        pending_.push_back({now.steady, exchange, failure(false, "not permitted")});
        return;
    }
    std::optional<aws::http_result> result;
    if (intercept) {
        result = intercept(exchange);
    }
    pending_.push_back({now.steady + latency, exchange, std::move(result)});
}

aws::http_result node_harness::failure(bool may_have_arrived, const std::string& text)
{
    return {aws::http_failure{may_have_arrived, {error_class::unavailable, text}}, {}, never, {}};
}

void node_harness::perform(const node::change_kernel& wanted)
{
    int error = kernel_error;
    if (error == 0) {
        std::vector<net::kernel_event> told;
        error = policies.apply(wanted.change, told).value_or(0);
        for (auto& event : told) {
            answers_.emplace_back(node::kernel_told{std::move(event)});
        }
    }
    if (error != 0) {
        answers_.emplace_back(node::kernel_answered{{wanted.id, error, "the test refuses"}});
        return;
    }
    if (const auto* add = std::get_if<net::add_address>(&wanted.change)) {
        local.insert({add->value.link_index, add->value.address});
        answers_.emplace_back(node::kernel_told{net::address_seen{add->value}});
    } else if (const auto* remove = std::get_if<net::remove_address>(&wanted.change)) {
        local.erase({remove->value.link_index, remove->value.address});
        answers_.emplace_back(node::kernel_told{net::address_gone{remove->value}});
    }
    answers_.emplace_back(node::kernel_answered{{wanted.id, 0, ""}});
}

void node_harness::perform(const node::output& o)
{
    if (const auto* a = std::get_if<node::send_advert>(&o)) {
        order.emplace_back("advert");
        adverts.push_back({now.steady, a->router, a->destination, a->message[2], {a->message.begin(), a->message.end()}});
    } else if (const auto* k = std::get_if<node::change_kernel>(&o)) {
        order.emplace_back("kernel");
        perform(*k);
    } else if (const auto* told = std::get_if<node::announcement>(&o)) {
        announcements.push_back(*told);
    } else if (const auto* h = std::get_if<node::start_http>(&o)) {
        order.emplace_back("http");
        start_exchange(h->exchange);
    } else if (const auto* c = std::get_if<node::cancel_http>(&o)) {
        cancelled.push_back(c->id);
        std::erase_if(pending_, [&](const pending_answer& p) { return p.exchange.id == c->id; });
    } else if (const auto* p = std::get_if<node::set_peers>(&o)) {
        filter = p->peers;
    } else if (const auto* r = std::get_if<node::read_file>(&o)) {
        const auto found = files.find(r->path);
        const error absent{error_class::not_found, "no such file"};
        answers_.emplace_back(node::file_was_read{
            r->id, found == files.end() ? result<std::string>{absent} : result<std::string>{found->second}});
    } else if (const auto* w = std::get_if<node::write_file>(&o)) {
        files[w->path] = w->content;
        answers_.emplace_back(node::file_was_written{w->id, {}});
    } else if (const auto* warm = std::get_if<node::keep_warm>(&o)) {
        warm_connections = warm->connections;
    } else if (const auto* program = std::get_if<node::start_process>(&o)) {
        order.emplace_back("hook");
        programs.push_back(*program);
    } else if (const auto* signal = std::get_if<node::signal_process>(&o)) {
        signals.push_back(*signal);
    } else if (const auto* probe = std::get_if<node::start_probe>(&o)) {
        probes.push_back({now.steady, *probe});
    } else if (const auto* stop = std::get_if<node::stop_probes>(&o)) {
        stopped_probes.push_back(stop->id);
    } else if (std::holds_alternative<node::ready>(o)) {
        is_ready = true;
    } else if (std::holds_alternative<node::stopped>(o)) {
        is_stopped = true;
    }
}

void node_harness::drain()
{
    constexpr unsigned answers_max = 10'000;
    for (unsigned answered = 0;; ++answered) {
        while (const auto o = node->poll_output()) {
            perform(*o);
        }
        if (answers_.empty()) {
            return;
        }
        ASSERT_LT(answered, answers_max) << "what is asked of the kernel is undone and asked again, without end";
        auto first = std::move(answers_.front());
        answers_.erase(answers_.begin());
        node->handle(now, std::move(first));
    }
}

void node_harness::deliver_due()
{
    while (true) {
        const auto due = std::ranges::find_if(pending_, [&](const pending_answer& p) { return p.at <= now.steady; });
        if (due == pending_.end()) {
            return;
        }
        auto p = std::move(*due);
        pending_.erase(due);
        auto result = p.result ? std::move(*p.result) : aws::http_result{cloud.answer(p.exchange.request), {}, never, {}};
        result.started = p.at - latency;
        result.first_byte = p.at - latency;
        result.finished = now.steady;
        node->handle(now, node::http_finished{p.exchange.id, std::move(result)});
        drain();
    }
}

void node_harness::advance(duration d)
{
    const auto end = now.steady + d;
    unsigned turns_at_once = 0;
    while (true) {
        auto next = node->next_wakeup().at;
        for (const auto& p : pending_) {
            next = std::min(next, p.at);
        }
        ASSERT_GE(next, now.steady - 1h) << "a deadline that lies in the past for ever";
        const bool over = next > end;
        const auto to = over ? end : std::max(next, now.steady);
        turns_at_once = to > now.steady ? 0 : turns_at_once + 1;
        ASSERT_LT(turns_at_once, 1000U) << node->next_wakeup().why << ": a deadline that is due for ever";
        now.wall += to - now.steady;
        now.steady = to;
        if (over) {
            return;
        }
        deliver_due();
        node->handle_timeout(now);
        drain();
    }
}

vrrp::state node_harness::state(std::uint32_t index) const
{
    return router(index).state;
}

status::router node_harness::router(std::uint32_t index) const
{
    return node->router_snapshot(now, index);
}

const status::resource& node_harness::resource(status::resource_kind kind)
{
    const auto r = router();
    const auto found = std::ranges::find(r.resources, kind, &status::resource::kind);
    EXPECT_NE(found, r.resources.end());
    found_ = found == r.resources.end() ? status::resource{} : *found;
    return found_;
}

bool node_harness::has_local(const std::string& address) const
{
    return std::ranges::any_of(local, [&](const auto& entry) { return entry.second.to_string() == address; });
}

std::size_t node_harness::calls(const std::string& action) const
{
    return static_cast<std::size_t>(
        std::ranges::count_if(seen_calls, [&](const seen_call& c) { return c.action == action && c.permitted; }));
}

}  // namespace vipd::test
