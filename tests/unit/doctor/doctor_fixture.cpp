#include "tests/unit/doctor/doctor_fixture.hpp"

#include "agent/cli/doctor_report.hpp"
#include "agent/config/load.hpp"
#include "common/overloaded.hpp"
#include "tests/cloud/topology.hpp"

#include <algorithm>
#include <utility>

namespace vipd::doctor {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

ip_prefix prefix(std::string_view text)
{
    return *ip_prefix::parse(text);
}

}  // namespace

doctor_test::doctor_test() :
    topology(json::parse(std::string{cloud::example_topology()}).as_object()),
    moves(
        "[[router.address]]\naddress = \"172.16.1.100/32\"\n\n[[router.route]]\ndestination = \"172.16.1.100/32\"\n"
        "tables = { vpc = true }\n"),
    kernel{net::link_seen{{1, "lo", "", true, true}}, net::address_seen{{1, prefix("127.0.0.1/8"), false}},
           net::link_seen{{2, "ens5", "02:00:00:00:01:10", true, true}}, net::address_seen{{2, prefix("10.0.1.10/24"), false}}},
    path(path_to_endpoint{{ip_address::v4(10, 0, 0, 100)}, ip_address::v4(10, 0, 1, 10)})
{}

json::object& doctor_test::item(std::string_view list, std::string_view id)
{
    for (auto& one : topology.at({list.data(), list.size()}).as_array()) {
        if (one.as_object().at("id").as_string() == json::string_view{id.data(), id.size()}) {
            return one.as_object();
        }
    }
    ADD_FAILURE() << "no " << id << " in " << list;
    return topology;
}

json::object& doctor_test::interface_of(std::string_view instance)
{
    return item("instances", instance).at("interfaces").as_array().front().as_object();
}

void doctor_test::allow(const std::vector<std::string>& actions, const std::vector<std::string>& resources)
{
    const auto list = [](const std::vector<std::string>& texts) {
        json::array out;
        for (const auto& text : texts) {
            out.emplace_back(text);
        }
        return out;
    };
    topology.at("policies").as_object()["role/vipd"] =
        json::array{json::object{{"effect", "allow"}, {"actions", list(actions)}, {"resources", list(resources)}}};
}

std::string doctor_test::configuration_text() const
{
    return (aws_keys.empty() ? "" : "[aws]\n" + aws_keys + "\n\n") +
           "[[router]]\nname = \"web\"\nvrid = 51\ninterface = \"ens5\"\npeers = " + peers +
           "\nadvertised_addresses = [\"172.16.1.100\"]\n" + router_keys + "\n\n" + moves;
}

config::configuration doctor_test::configuration() const
{
    auto loaded = config::load(configuration_text(), "vipd.toml");
    if (const auto* const wrong = std::get_if<std::vector<config::finding>>(&loaded)) {
        ADD_FAILURE() << config::to_string(wrong->front(), "vipd.toml");
        return {};
    }
    return std::get<config::loaded>(std::move(loaded)).value;
}

void doctor_test::start(instant now, const aws::http_exchange& exchange)
{
    under_way one{exchange, {}, now.steady, now.steady + exchange.time_max, {}};
    // What a doctor sends never needs a permit, because it changes nothing.
    EXPECT_FALSE(exchange.mutating) << exchange.request.body;
    if (!exchange.origin.tls) {
        if (imds_answers) {
            const auto planned =
                cloud_->handle_imds(now, exchange.request, {ip_address{}, cloud::instance_id{std::string{node_a}}});
            one.id = planned.id;
            one.ends = planned.reply_at;
        }
    } else if (ec2_answers) {
        bodies.push_back(exchange.request.body);
        one.instead = ec2_instead ? ec2_instead(exchange.request.body) : std::nullopt;
        if (one.instead) {
            one.ends = now.steady + 20ms;
        } else {
            const auto planned = cloud_->handle_ec2(now, exchange.request, {ip_address::v4(10, 0, 1, 10), {}});
            one.id = planned.id;
            one.ends = planned.reply_at;
        }
    }
    under_way_.push_back(std::move(one));
}

void doctor_test::finish_due(instant now, examination& examined)
{
    while (true) {
        const auto due = std::ranges::find_if(under_way_, [&](const under_way& u) { return u.ends <= now.steady; });
        if (due == under_way_.end()) {
            return;
        }
        const auto one = std::move(*due);
        under_way_.erase(due);
        aws::http_result answer;
        answer.started = one.started;
        answer.finished = now.steady;
        if (one.instead) {
            answer.first_byte = one.started;
            answer.outcome = *one.instead;
        } else if (one.id) {
            const auto collected = cloud_->collect(now, *one.id);
            records.push_back(collected.record);
            answer.first_byte = one.started;
            answer.outcome = collected.as_client_sees(one.exchange.time_max, one.exchange.body_size_max);
        } else {
            answer.outcome = aws::http_failure{false, {error_class::timed_out, "no connection in time"}};
        }
        examined.handle_http(now, one.exchange.id, std::move(answer));
    }
}

const report& doctor_test::examine()
{
    instant now{time_point{1h}, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}}};
    auto parsed = cloud::parse_topology(json::serialize(topology), now.steady - 1min);
    EXPECT_TRUE(parsed) << parsed.error().text;
    cloud_ = std::make_unique<cloud::simulated_cloud>(std::move(*parsed), 42);
    cloud_->set_clock_offset(clock_offset);
    examination one({std::make_shared<const config::configuration>(configuration()), {}, 1, rights, daemon}, log);
    const auto began = now.steady;
    one.start(now);
    for (const auto& event : kernel) {
        one.handle(now, event);
    }
    one.handle(now, net::dump_done{});
    for (unsigned turns = 0; !one.finished() && turns < 100'000; ++turns) {
        while (auto output = one.poll_output()) {
            std::visit(overloaded{
                           [&](const aws::http_exchange& e) { start(now, e); },
                           [&](const aws::read_file& f) {
                               one.handle_file(now, f.id, error{error_class::not_found, "there is no such file"});
                           },
                           [&](const find_path&) {
                               if (path) {
                                   one.handle(now, result<path_to_endpoint>{*path});
                               }
                           },
                           [](const auto&) {},
                       },
                       *output);
        }
        if (one.finished()) {
            break;
        }
        auto next = one.next_wakeup().at;
        for (const auto& waiting : under_way_) {
            next = std::min(next, waiting.ends);
        }
        const auto step = std::max(duration{}, next - now.steady);
        now.steady += step;
        now.wall += step;
        finish_due(now, one);
        if (one.next_wakeup().at <= now.steady) {
            one.handle_timeout(now);
        }
    }
    EXPECT_TRUE(one.finished());
    took = now.steady - began;
    result_ = judge(one.snapshot());
    return result_;
}

finding doctor_test::expect(verdict what, std::string_view check)
{
    for (const auto& one : all(what)) {
        if (one.check == check) {
            return one;
        }
    }
    ADD_FAILURE() << "no " << to_string(what) << " of " << check << " in\n" << text();
    return {};
}

void doctor_test::expect_no(verdict what, std::string_view check)
{
    EXPECT_EQ(std::ranges::count(all(what), check, &finding::check), 0) << to_string(what) << " of " << check << " in\n"
                                                                        << text();
}

std::vector<finding> doctor_test::all(verdict what) const
{
    std::vector<finding> found;
    for (const auto& part : result_) {
        std::ranges::copy_if(part.findings, std::back_inserter(found), [&](const finding& f) { return f.what == what; });
    }
    return found;
}

std::string doctor_test::text() const
{
    return cli::doctor_report(result_, false).out;
}

}  // namespace vipd::doctor
