// Where everything is built, in order, and put together. Objects refer to those above them and to nothing below.

#include "agent/io/daemon.hpp"

#include "agent/cli/daemon_reports.hpp"
#include "agent/cli/printed.hpp"
#include "agent/io/clock.hpp"
#include "agent/io/config_file.hpp"
#include "agent/io/http_server.hpp"
#include "agent/io/https_client.hpp"
#include "agent/io/limited_log.hpp"
#include "agent/io/listening_socket.hpp"
#include "agent/io/log_writer.hpp"
#include "agent/io/netlink_socket.hpp"
#include "agent/io/permissions.hpp"
#include "agent/io/process_facts.hpp"
#include "agent/io/realtime.hpp"
#include "agent/io/replacement.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/shell.hpp"
#include "agent/io/status_adaptor.hpp"
#include "agent/io/successor.hpp"
#include "agent/io/systemd.hpp"
#include "agent/node/cloud_settings.hpp"
#include "agent/node/node.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace vipd::io {

namespace {

// journald is what standard error leads to (sd_journal_stream_fd(3)).
bool is_journal(int output)
{
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat what {};
    return stream != nullptr && ::fstat(output, &what) == 0 &&
           std::to_string(what.st_dev) + ":" + std::to_string(what.st_ino) == stream;
}

int refuse(const std::string& reason)
{
    std::fprintf(stderr, "%svipd: %s\n", is_journal(STDERR_FILENO) ? "<3>" : "", reason.c_str());
    return cli::exit_failure;
}

duration fastest_interval(const config::configuration& c)
{
    duration fastest = std::chrono::seconds{1};
    for (const auto& r : c.routers) {
        fastest = std::min(fastest, r.advert_interval);
    }
    return fastest;
}

bool has_peer_of(const config::configuration& c, ip_family family)
{
    return std::ranges::any_of(c.routers, [&](const config::router& r) {
        return std::ranges::any_of(r.peers, [&](const vrrp::peer_rule& p) { return p.address.family() == family; });
    });
}

class daemon final : public shell::observer, private replacement::owner {
public:
    daemon(const run_options& options, loaded_file&& file, log_writer& log) :
        options_(options),
        configuration_(std::move(file.configuration)),
        log_(log),
        environment_(capture_environment()),
        seed_(random_seed()),
        node_({configuration_, environment_, seed_, boot_id(), inherited(log_)}, read_clocks(), log_),
        children_left_(inherited_children()),
        shell_(context_, node_, log_, *this),
        names_(context_, network_log_, {}),
        checks_(context_, names_, shell_),
        status_(
            node_, shell_, log_, configuration_->http.socket, [this] { return reload(); },
            [this] { return replacement_.begin(); }),
        server_(context_, status_, network_log_, {}),
        systemd_(context_),
        signals_(context_)
    {
        for (const int signal : handled_signals) {
            signals_.add(signal);
        }
    }

    ~daemon() { log_.stop_watching(); }

    // Everything that can fail, before the first advert.
    result<void> prepare();
    int run();
    // Reads the cloud until it is known and says what becoming Active would change, without sending or changing anything.
    cli::printed plan();

    void on_ready() override;
    void on_stopped() override { shell_.stop(); }

private:
    result<void> open_kernel();
    result<void> open_cloud(const config::configuration& c);
    result<void> open_http();
    void wait_for_signal();
    void on_signal(int signal);
    result<std::string> reload();
    [[nodiscard]] result<void> can_be_succeeded() const override;
    [[nodiscard]] const config::configuration& configuration() const override { return *configuration_; }
    node::succession leave_behind() override;
    void tell_status();
    [[nodiscard]] std::vector<status::router> routers(instant now) const;
    [[nodiscard]] bool knows_the_cloud(instant now) const;
    void look_again(time_point give_up);
    static std::string whole_body(status::http_reply&& reply);

    run_options options_;
    std::shared_ptr<const config::configuration> configuration_;
    log_writer& log_;
    limited_log network_log_{log_};
    aws::environment environment_;
    std::uint64_t seed_;
    boost::asio::io_context context_{1};
    node::node node_;
    std::vector<pid_t> children_left_;  // by the program before this one
    shell shell_;
    resolver names_;
    probes checks_;
    std::unique_ptr<netlink_socket> kernel_;
    std::unique_ptr<https_client> cloud_;  // none without AWS resources
    status_adaptor status_;
    http_server server_;
    systemd systemd_;
    boost::asio::signal_set signals_;
    deadline status_again_{context_};
    replacement replacement_{context_, options_.config_file, log_, *this};
    deadline hear_signals_{context_};
    deadline look_again_{context_};  // vipd plan
    bool only_look_ = false;
    bool is_stopping_ = false;
};

result<void> daemon::open_kernel()
{
    auto opened = netlink_socket::open(context_, shell_, network_log_);
    if (!opened) {
        return opened.error();
    }
    kernel_ = std::move(*opened);
    return {};
}

result<void> daemon::open_cloud(const config::configuration& c)
{
    if (!c.uses_aws() || cloud_) {
        return {};
    }
    auto made = https_client::create(context_, names_, shell_, node::ca_bundle(c, environment_), seed_ + 1, network_log_, {});
    if (!made) {
        return made.error();
    }
    cloud_ = std::move(*made);
    shell_.use({kernel_.get(), cloud_.get(), only_look_, &checks_});
    return {};
}

result<void> daemon::open_http()
{
    auto local = listen_on(configuration_->http.socket);
    if (!local) {
        return local.error();
    }
    server_.serve(std::move(*local), true);
    for (const auto& where : configuration_->http.listen) {
        auto listener = listen_on(where);
        if (!listener) {
            return listener.error();
        }
        server_.serve(std::move(*listener), false);
    }
    status_.use(server_);
    return {};
}

result<void> daemon::prepare()
{
    log_.watch(context_);
    if (const auto allowed = may_do(*configuration_); !allowed) {
        return allowed.error();
    }
    const auto sockets =
        shell_.open_sockets(has_peer_of(*configuration_, ip_family::v4), has_peer_of(*configuration_, ip_family::v6));
    if (!sockets) {
        return sockets.error();
    }
    if (const auto opened = open_kernel(); !opened) {
        return opened.error();
    }
    shell_.use({kernel_.get(), nullptr, false, &checks_});
    if (const auto opened = open_cloud(*configuration_); !opened) {
        return opened.error();
    }
    if (const auto opened = open_http(); !opened) {
        return opened.error();
    }
    shell_.set_fastest_interval(fastest_interval(*configuration_));
    return {};
}

int daemon::run()
{
    log_.info("start",
              {{"version", VIPD_VERSION}, {"config", options_.config_file}, {"routers", configuration_->routers.size()}});
    release_pages_of_the_start();
    if (configuration_->realtime) {
        const auto got = enter_realtime(log_);
        status_.set_realtime(true, got);
        shell_.set_realtime(got.scheduling);
    } else {
        leave_realtime();
    }
    wait_for_signal();
    // What a predecessor has held back is for routers that have taken its place: before that there is nothing to hand over.
    constexpr duration longest_start = std::chrono::seconds{2};
    hear_signals_.set(steady_now() + longest_start, let_signals_through);
    kernel_->start();
    shell_.start();
    shell_.run();
    ::unlink(configuration_->http.socket.c_str());
    log_.info("stop", {});
    return cli::exit_success;
}

void daemon::on_ready()
{
    let_signals_through();
    if (only_look_) {
        return;
    }
    systemd_.ready();
    systemd_.start_watchdog();
    tell_status();
}

// A sentence for `systemctl status`, where the routers are few enough for one.
void daemon::tell_status()
{
    constexpr std::size_t routers_max = 8;
    collect(children_left_);
    if (has_lost_realtime()) {
        status_.lost_realtime();
        log_.error("realtime", {{"what", "the loop computed for a second without a pause and has lost its real-time priority"},
                                {"remedy", "`vipd restart` brings it back; please report this"}});
    }
    if (node_.router_count() <= routers_max) {
        const auto now = read_clocks();
        std::string text;
        for (std::uint32_t i = 0; i < node_.router_count(); ++i) {
            const auto router = node_.router_snapshot(now, i);
            text.append(text.empty() ? "" : ", ").append(router.name).append(" ").append(vrrp::to_string(router.state));
        }
        systemd_.status(text);
    }
    status_again_.set(steady_now() + std::chrono::seconds{2}, [this] { tell_status(); });
}

void daemon::wait_for_signal()
{
    signals_.async_wait([this](const boost::system::error_code& failed, int signal) {
        if (!failed) {
            on_signal(signal);
            wait_for_signal();
        }
    });
}

void daemon::on_signal(int signal)
{
    if (signal == SIGUSR1 || signal == SIGUSR2) {
        // keepalived writes files then, and who is used to that must not end a node.
        log_.info("signal", {{"number", signal}, {"does", "nothing; vipd status and /v1/status show the state"}});
        return;
    }
    if (signal == SIGHUP && !only_look_) {
        static_cast<void>(reload());
        return;
    }
    if (is_stopping_ || only_look_) {
        // Asked twice, or nothing to hand over: at once.
        is_stopping_ = true;
        shell_.stop();
        return;
    }
    is_stopping_ = true;
    systemd_.stopping();
    shell_.tell(node::shut_down{});
}

// Refused whole, or applied whole.
result<std::string> daemon::reload()
{
    systemd_.reloading();
    auto refused = [this](const error& reason) -> result<std::string> {
        auto line = reason.text;
        std::ranges::replace(line, '\n', ' ');
        log_.error("reload", {{"outcome", "refused"}, {"reason", line}});
        status_.note_refused_file();
        systemd_.ready();
        return reason;
    };
    auto file = load_config_file(options_.config_file);
    if (!file) {
        return refused(file.error());
    }
    if (const auto allowed = may_do(*file->configuration); !allowed) {
        return refused(allowed.error());
    }
    if (const auto possible = node_.can_reload(*file->configuration); !possible) {
        // The node counts and logs the refusal.
        shell_.tell(node::reload{file->configuration});
        systemd_.ready();
        return possible.error();
    }
    // The certificates of the bundle may be others than at the start.
    const auto trusted =
        cloud_ ? cloud_->trust(node::ca_bundle(*file->configuration, environment_)) : open_cloud(*file->configuration);
    if (!trusted) {
        return refused(trusted.error());
    }
    for (const auto& warning : file->warnings) {
        log_.warning("configuration", {{"finding", warning}});
    }
    configuration_ = file->configuration;
    shell_.set_fastest_interval(fastest_interval(*configuration_));
    shell_.tell(node::reload{configuration_});
    systemd_.ready();
    return std::string{"the configuration was read again and is in force"};
}

// --- another process in the place of this one ---

result<void> daemon::can_be_succeeded() const
{
    if (const auto possible = node_.can_be_succeeded(); !possible) {
        return possible;
    }
    if (shell_.has_children()) {
        return error{error_class::unavailable, "a program that vipd has started is running; try again"};
    }
    return {};
}

node::succession daemon::leave_behind()
{
    checks_.abandon_programs();
    return node_.leave_behind(read_clocks());
}

// --- vipd plan ---

std::vector<status::router> daemon::routers(instant now) const
{
    std::vector<status::router> all;
    for (std::uint32_t i = 0; i < node_.router_count(); ++i) {
        all.push_back(node_.router_snapshot(now, i));
    }
    return all;
}

// Every route table that a router asks for has been read.
bool daemon::knows_the_cloud(instant now) const
{
    for (std::uint32_t i = 0; i < node_.router_count(); ++i) {
        const auto lines = node_.plan(now, i);
        if (std::ranges::any_of(lines, [](const std::string& line) { return line.starts_with('?'); })) {
            return false;
        }
    }
    return node_.snapshot(now).ready;
}

void daemon::look_again(time_point give_up)
{
    const auto now = read_clocks();
    if (knows_the_cloud(now) || now.steady >= give_up) {
        shell_.stop();
    } else {
        look_again_.set(now.steady + std::chrono::milliseconds{20}, [this, give_up] { look_again(give_up); });
    }
}

cli::printed daemon::plan()
{
    constexpr auto patience = std::chrono::seconds{10};
    only_look_ = true;
    const auto fail = [](const std::string& why) { return cli::printed{"", "vipd: " + why + "\n", cli::exit_failure}; };
    if (const auto opened = open_kernel(); !opened) {
        return fail(opened.error().text);
    }
    shell_.use({kernel_.get(), nullptr, only_look_});
    if (const auto opened = open_cloud(*configuration_); !opened) {
        return fail(opened.error().text);
    }
    wait_for_signal();
    kernel_->start();
    shell_.start();
    // Out of the election: it would take the silence of its peers, to whom it does not listen, for their death.
    shell_.tell(node::set_maintenance{true});
    look_again(steady_now() + patience);
    shell_.run();
    const auto now = read_clocks();
    status::http_request question;
    question.method = "GET";
    question.target = "/v1/plan";
    auto report = cli::plan_report(cli::http_reply{200, whole_body(status_.respond(now, question))});
    if (knows_the_cloud(now)) {
        return report;
    }
    const auto when = is_stopping_ ? std::string{"before it was interrupted"} : "in " + std::to_string(patience.count()) + " s";
    const auto aws = node_.snapshot(now).aws;
    return cli::unfinished_plan(std::move(report), when, aws ? aws->last_error : "", routers(now));
}

// The body of an answer in one piece; nobody else is waiting for a turn of the loop here.
std::string daemon::whole_body(status::http_reply&& reply)
{
    if (auto* text = std::get_if<std::string>(&reply.body)) {
        return std::move(*text);
    }
    std::string body;
    auto& source = *std::get<std::unique_ptr<status::body_source>>(reply.body);
    while (true) {
        const auto chunk = source.next(read_clocks());
        if (const auto* text = std::get_if<std::string>(&chunk)) {
            body.append(*text);
        } else if (std::holds_alternative<status::finished>(chunk)) {
            return body;
        }
    }
}

// --- starting ---

// What is wrong with the file is said as `vipd check` says it.
int refuse_file(const error& reason)
{
    if (reason.kind != error_class::malformed) {
        return refuse(reason.text);
    }
    std::fprintf(stderr, "%s\n", reason.text.c_str());
    return cli::exit_failure;
}

void set_up_process()
{
    std::signal(SIGPIPE, SIG_IGN);
    // Whoever started this process may have had the kernel forget how children end.
    std::signal(SIGCHLD, SIG_DFL);
    raise_open_file_limit();
}

}  // namespace

int run_daemon(const run_options& options)
{
    auto file = load_config_file(options.config_file);
    if (!file) {
        return refuse_file(file.error());
    }
    set_up_process();
    log_writer log(STDERR_FILENO);
    log.configure({{file->configuration->log.format, is_journal(STDERR_FILENO)},
                   file->configuration->log.debug ? log_level::debug : log_level::info});
    for (const auto& warning : file->warnings) {
        log.warning("configuration", {{"finding", warning}});
    }
    daemon d(options, std::move(*file), log);
    if (const auto prepared = d.prepare(); !prepared) {
        log.flush_at_exit();
        return refuse(prepared.error().text);
    }
    const int code = d.run();
    log.flush_at_exit();
    return code;
}

int run_plan(const run_options& options)
{
    auto file = load_config_file(options.config_file);
    if (!file) {
        return refuse_file(file.error());
    }
    set_up_process();
    log_writer log(STDERR_FILENO);
    log.configure({{}, log_level::error});
    daemon d(options, std::move(*file), log);
    const auto printed = d.plan();
    log.flush_at_exit();
    std::fputs(printed.err.c_str(), stderr);
    std::fputs(printed.out.c_str(), stdout);
    return std::fflush(stdout) == 0 ? printed.exit_code : cli::exit_failure;
}

}  // namespace vipd::io
