// The shell around an examination (agent/doctor): one more loop beside the daemon's, because nothing here is in a hurry.

#include "agent/io/doctor.hpp"

#include "agent/cli/check_report.hpp"
#include "agent/cli/doctor_report.hpp"
#include "agent/config/load.hpp"
#include "agent/doctor/examination.hpp"
#include "agent/doctor/judgements.hpp"
#include "agent/io/clock.hpp"
#include "agent/io/config_file.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/hook_program.hpp"
#include "agent/io/https_client.hpp"
#include "agent/io/limited_log.hpp"
#include "agent/io/log_writer.hpp"
#include "agent/io/netlink_socket.hpp"
#include "agent/io/permissions.hpp"
#include "agent/io/process_facts.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/socket_address.hpp"
#include "agent/io/unix_http_client.hpp"
#include "agent/node/cloud_settings.hpp"
#include "common/overloaded.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <pwd.h>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace vipd::io {

namespace {

doctor::process_rights rights_of_this_process()
{
    doctor::process_rights rights;
    const auto* const who = ::getpwuid(::geteuid());
    rights.user = who == nullptr ? std::to_string(::geteuid()) : std::string{who->pw_name};
    rights.net_raw = has_capability(CAP_NET_RAW);
    rights.net_admin = has_capability(CAP_NET_ADMIN);
    return rights;
}

// Having none is no trouble: before the first start there is none.
doctor::daemon_view ask_daemon_status(const std::string& socket)
{
    const auto reply = ask_daemon(socket, {});
    doctor::daemon_view view;
    if (!reply) {
        const auto kind = reply.error().kind;
        const bool is_absent = kind == error_class::not_found || kind == error_class::unavailable;
        view.problem = is_absent ? std::string{} : reply.error().text;
        return view;
    }
    if (reply->status != 200) {
        view.problem = "the daemon answered with status " + std::to_string(reply->status);
        return view;
    }
    return doctor::read_daemon_status(reply->body);
}

// A datagram socket that is connected sends nothing, and has the address that the kernel would send from.
result<ip_address> source_towards(const ip_address& to, std::uint16_t port)
{
    const auto there = to_socket_address(to, port);
    const file_descriptor socket{::socket(there.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    socket_address here;
    here.size = sizeof(here.storage);
    if (socket.get() < 0 || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there.storage), there.size) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here.storage), &here.size) != 0) {
        return error{error_class::unavailable,
                     "this node has no route to " + to.to_string() + ": " + std::system_category().message(errno)};
    }
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&here.storage);
    const auto at = to.is_v4() ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
    return ip_address::from_bytes({bytes + at, to.is_v4() ? 4U : 16U});
}

class runner final : public netlink_socket::listener, public https_client::owner {
public:
    runner(const doctor::examination_settings& settings, log_writer& log) :
        network_log_(log),
        examination_(settings, log),
        names_(context_, network_log_, {}),
        timer_(context_),
        seed_(settings.seed)
    {}

    result<void> prepare(const config::configuration& c, const std::string& ca_bundle);
    const doctor::evidence& run();

    void on_kernel_event(net::kernel_event&& event) override { examination_.handle(read_clocks(), event); }
    void on_kernel_answer(net::kernel_answer&& /*answer*/) override {}
    // What asks this would change something, and nothing of the kind is ever begun here: a dry run is no such request.
    bool may_begin(aws::http_exchange_id /*id*/) override { return false; }
    void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) override
    {
        examination_.handle_http(read_clocks(), id, std::move(result));
    }

private:
    void perform_outputs();
    void perform(doctor::examination_output&& what);
    void find_path(const aws::http_origin& to);

    boost::asio::io_context context_{1};
    limited_log network_log_;
    doctor::examination examination_;
    resolver names_;
    std::unique_ptr<netlink_socket> kernel_;
    std::unique_ptr<https_client> cloud_;
    boost::asio::steady_timer timer_;
    std::uint64_t seed_;
};

result<void> runner::prepare(const config::configuration& c, const std::string& ca_bundle)
{
    auto opened = netlink_socket::open(context_, *this, network_log_);
    if (!opened) {
        return opened.error();
    }
    kernel_ = std::move(*opened);
    if (c.uses_aws()) {
        auto made = https_client::create(context_, names_, *this, ca_bundle, seed_ + 1, network_log_, {});
        if (!made) {
            return made.error();
        }
        cloud_ = std::move(*made);
    }
    return {};
}

const doctor::evidence& runner::run()
{
    kernel_->start();
    examination_.start(read_clocks());
    while (true) {
        perform_outputs();
        if (examination_.finished()) {
            return examination_.snapshot();
        }
        timer_.expires_at(to_steady_clock(examination_.next_wakeup().at));
        timer_.async_wait([](const boost::system::error_code&) {});
        context_.run_one();
        context_.restart();
        const auto now = read_clocks();
        if (examination_.next_wakeup().at <= now.steady) {
            examination_.handle_timeout(now);
        }
    }
}

void runner::perform_outputs()
{
    while (auto what = examination_.poll_output()) {
        perform(std::move(*what));
    }
}

void runner::perform(doctor::examination_output&& what)
{
    std::visit(overloaded{
                   [&](aws::http_exchange& o) { cloud_->start(std::move(o)); },
                   [&](const aws::cancel_http& o) { cloud_->cancel(o.id); },
                   [&](const aws::keep_warm& o) { cloud_->keep_warm(o.origin, o.connections); },
                   [&](const aws::read_file& o) { examination_.handle_file(read_clocks(), o.id, read_small_file(o.path)); },
                   [&](const doctor::find_path& o) { find_path(o.to); },
               },
               what);
}

void runner::find_path(const aws::http_origin& to)
{
    names_.resolve(to.host, [this, to](const resolver::answer& addresses) {
        const auto now = read_clocks();
        if (!addresses) {
            examination_.handle(now, result<doctor::path_to_endpoint>{addresses.error()});
            return;
        }
        const auto local = source_towards(addresses->front(), to.port);
        examination_.handle(now, local ? result<doctor::path_to_endpoint>{doctor::path_to_endpoint{*addresses, *local}}
                                       : result<doctor::path_to_endpoint>{local.error()});
    });
}

int print(const cli::printed& what)
{
    std::fputs(what.err.c_str(), stderr);
    std::fputs(what.out.c_str(), stdout);
    return std::fflush(stdout) == 0 ? what.exit_code : cli::exit_failure;
}

int give_up(const std::string& reason)
{
    return print({"", "vipd: " + reason + "\n", cli::exit_failure});
}

}  // namespace

int run_doctor(const doctor_options& options)
{
    const auto text = read_config_file(options.config_file);
    if (!text) {
        return give_up(text.error().text);
    }
    auto checked = config::load(*text, options.config_file, this_machine());
    auto* const good = std::get_if<config::loaded>(&checked);
    if (good == nullptr) {
        return print(cli::check_report(checked, options.config_file));
    }
    if (const auto may = may_switch_users(good->value); !may) {
        good->warnings.push_back({0, 0, "", may.error().text});
    }
    std::signal(SIGPIPE, SIG_IGN);
    log_writer log(STDERR_FILENO);
    // What is wrong is said by the findings.
    log.configure({{}, log_level::error});

    doctor::examination_settings settings;
    settings.configuration = std::make_shared<const config::configuration>(std::move(good->value));
    settings.environment = capture_environment();
    settings.seed = random_seed();
    settings.rights = rights_of_this_process();
    settings.daemon = ask_daemon_status(options.socket.empty() ? settings.configuration->http.socket : options.socket);

    runner one(settings, log);
    if (const auto prepared =
            one.prepare(*settings.configuration, node::ca_bundle(*settings.configuration, settings.environment));
        !prepared) {
        return give_up(prepared.error().text);
    }
    auto report = doctor::judge(one.run());
    log.flush_at_exit();
    std::vector<doctor::finding> findings;
    for (const auto& warning : good->warnings) {
        findings.push_back({doctor::verdict::warn, "configuration", config::to_string(warning, options.config_file), {}});
    }
    if (findings.empty()) {
        findings.push_back({doctor::verdict::ok, "configuration", options.config_file, {}});
    }
    report.front().findings.insert(report.front().findings.begin(), findings.begin(), findings.end());
    return print(cli::doctor_report(report, options.as_json));
}

}  // namespace vipd::io
