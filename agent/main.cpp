// Subcommands and exit codes. What they do is in agent/io (run, plan, doctor) and agent/cli (all others).

#include "agent/cli/check_report.hpp"
#include "agent/cli/daemon_reports.hpp"
#include "agent/cli/help.hpp"
#include "agent/cli/iam_policy.hpp"
#include "agent/config/config.hpp"
#include "agent/config/load.hpp"
#include "agent/config/reference.hpp"
#include "agent/io/config_file.hpp"
#include "agent/io/daemon.hpp"
#include "agent/io/doctor.hpp"
#include "agent/io/hook_program.hpp"
#include "agent/io/permissions.hpp"
#include "agent/io/unix_http_client.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace vipd;

struct options {
    std::string config_file{cli::default_config_file};
    std::string socket = config::http_section{}.socket;
    bool reference = false;
    bool json = false;
    bool watch = false;
    bool all = false;
    std::string router;
    std::string maintenance;
    std::string priority;
    cli::account_scope scope;
};

int print(const cli::printed& what)
{
    std::fwrite(what.err.data(), 1, what.err.size(), stderr);
    std::fwrite(what.out.data(), 1, what.out.size(), stdout);
    // A full disk or a closed pipe is a failure of the command, too.
    return std::fflush(stdout) == 0 ? what.exit_code : cli::exit_failure;
}

int usage_error(const std::string& text)
{
    return print({"", "vipd: " + text + "\n", cli::exit_usage});
}

int check(const options& o)
{
    if (o.reference) {
        return print({config::reference(), "", cli::exit_success});
    }
    const auto text = io::read_config_file(o.config_file);
    if (!text) {
        return print({"", "vipd: " + text.error().text + "\n", cli::exit_failure});
    }
    auto checked = config::load(*text, o.config_file, io::this_machine());
    if (auto* const good = std::get_if<config::loaded>(&checked)) {
        // It need not be this process, or this machine, that runs them.
        if (const auto may = io::may_switch_users(good->value); !may) {
            good->warnings.push_back({0, 0, "", may.error().text});
        }
    }
    return print(cli::check_report(checked, o.config_file));
}

int iam_policy(const options& o)
{
    if (const auto problem = cli::wrong_scope(o.scope); !problem.empty()) {
        return usage_error(problem);
    }
    const auto text = io::read_config_file(o.config_file);
    if (!text) {
        return print({"", "vipd: " + text.error().text + "\n", cli::exit_failure});
    }
    const auto checked = config::load(*text, o.config_file, io::this_machine());
    const auto* const good = std::get_if<config::loaded>(&checked);
    return print(good == nullptr ? cli::check_report(checked, o.config_file) : cli::iam_policy(good->value, o.scope));
}

int status(const options& o)
{
    const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto report = [&] { return cli::status_report(io::ask_daemon(o.socket, {}), o.json, {is_terminal}); };
    if (!o.watch) {
        return print(report());
    }
    // Until a signal ends it. A daemon that is being restarted is shown as absent and then again as present.
    while (true) {
        auto shown = report();
        if (is_terminal && !o.json) {
            shown.out = "\x1b[H\x1b[2J" + shown.out + shown.err;
            shown.err.clear();
        }
        shown.exit_code = cli::exit_success;
        if (print(shown) != cli::exit_success) {
            return cli::exit_failure;
        }
        std::this_thread::sleep_for(std::chrono::seconds{1});
    }
}

int step_down(const options& o)
{
    if (o.all == !o.router.empty()) {
        return usage_error("step-down takes the name of one router, or --all");
    }
    if (const auto problem = o.all ? std::string() : cli::wrong_router_name(o.router); !problem.empty()) {
        return usage_error(problem);
    }
    return print(cli::change_report(io::ask_daemon(o.socket, cli::step_down_request(o.router))));
}

int priority(const options& o)
{
    if (const auto problem = cli::wrong_priority(o.priority); !problem.empty()) {
        return usage_error(problem);
    }
    if (const auto problem = o.router.empty() ? std::string() : cli::wrong_router_name(o.router); !problem.empty()) {
        return usage_error(problem);
    }
    return print(cli::change_report(io::ask_daemon(o.socket, cli::priority_request(o.router, o.priority))));
}

// What answers once there is a process that has been started after `asked`, or what has answered last.
std::optional<cli::process_seen> wait_for_successor(const std::string& socket, std::chrono::steady_clock::time_point asked)
{
    constexpr std::chrono::seconds patience{10};
    std::optional<cli::process_seen> seen;
    while (std::chrono::steady_clock::now() - asked < patience) {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        seen = cli::find_process(io::ask_daemon(socket, {}));
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - asked;
        if (seen && seen->uptime_seconds < since.count()) {
            return seen;
        }
    }
    return seen;
}

int restart(const options& o)
{
    // By this program, which is the one that will run.
    if (const int wrong = check(o); wrong != cli::exit_success) {
        return wrong;
    }
    const auto status = io::ask_daemon(o.socket, {});
    const auto before = cli::find_process(status);
    if (!before) {
        return print(status
                         ? cli::printed{"", "vipd: the daemon has not started every router yet; try again\n", cli::exit_failure}
                         : cli::change_report(status));
    }
    constexpr int tries = 50;  // hooks are short, mostly
    auto reply = io::ask_daemon(o.socket, cli::restart_request());
    for (int i = 1; i < tries && cli::is_busy(reply); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        reply = io::ask_daemon(o.socket, cli::restart_request());
    }
    const auto asked = std::chrono::steady_clock::now();
    if (!reply || reply->status != 200) {
        return print(cli::change_report(reply));
    }
    return print(cli::restart_report(*before, wait_for_successor(o.socket, asked)));
}

CLI::App* add_command(CLI::App& app, const char* name)
{
    const auto& help = cli::help_of(name);
    auto* const command = app.add_subcommand(std::string(help.name), std::string(help.summary));
    command->footer(std::string(help.examples));
    return command;
}

void add_config(CLI::App* command, options& o)
{
    command->add_option("-c,--config", o.config_file, "The configuration")->type_name("FILE")->capture_default_str();
}

void add_socket(CLI::App* command, options& o)
{
    command->add_option("--socket", o.socket, "The daemon's Unix socket")->type_name("PATH")->capture_default_str();
}

int dispatch(const CLI::App& app, const options& o)
{
    const auto* const command = app.get_subcommands().front();
    const auto& name = command->get_name();
    if (name == "run") {
        return io::run_daemon({o.config_file});
    }
    if (name == "check") {
        return check(o);
    }
    if (name == "iam-policy") {
        return iam_policy(o);
    }
    if (name == "plan") {
        return command->count("--config") > 0 ? io::run_plan({o.config_file})
                                              : print(cli::plan_report(io::ask_daemon(o.socket, {"GET", "/v1/plan", ""})));
    }
    if (name == "doctor") {
        return io::run_doctor({o.config_file, command->count("--socket") > 0 ? o.socket : std::string{}, o.json});
    }
    if (name == "status") {
        return status(o);
    }
    if (name == "step-down") {
        return step_down(o);
    }
    if (name == "maintenance") {
        return print(cli::change_report(io::ask_daemon(o.socket, cli::maintenance_request(o.maintenance == "on"))));
    }
    if (name == "priority") {
        return priority(o);
    }
    if (name == "reload") {
        return print(cli::change_report(io::ask_daemon(o.socket, cli::reload_request())));
    }
    if (name == "restart") {
        return restart(o);
    }
    return print({cli::version_text() + "\n", "", cli::exit_success});
}

}  // namespace

int main(int argc, char** argv)
{
    // Before anything else is wrong with it: the first word that is no option is the command.
    if (argc > 1 && argv[1][0] != '-') {
        if (const auto problem = cli::unknown_command(argv[1]); !problem.empty()) {
            return usage_error(problem);
        }
    }
    options o;
    CLI::App app{std::string(cli::overview()), "vipd"};
    app.footer(std::string(cli::overview_examples()));
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error& e) {
        return std::string("vipd: ") + e.what() + "; `vipd --help` and `vipd COMMAND --help` say what is there\n";
    });
    app.set_version_flag("--version", [] { return cli::version_text(); });

    add_config(add_command(app, "run"), o);
    auto* const check_command = add_command(app, "check");
    add_config(check_command, o);
    check_command->add_flag("--reference", o.reference, "Print every key of the configuration as Markdown");
    auto* const plan_command = add_command(app, "plan");
    plan_command->add_option("-c,--config", o.config_file, "Plan for this configuration, without a daemon")->type_name("FILE");
    add_socket(plan_command, o);
    auto* const doctor_command = add_command(app, "doctor");
    add_config(doctor_command, o);
    doctor_command->add_flag("--json", o.json, "Print the findings as JSON");
    doctor_command->add_option("--socket", o.socket, "The Unix socket of the daemon that may be running")
        ->type_name("PATH")
        ->default_str("as configured");
    auto* const policy_command = add_command(app, "iam-policy");
    add_config(policy_command, o);
    policy_command->add_option("--account", o.scope.account, "The account's twelve digits")->type_name("ID");
    policy_command->add_option("--region", o.scope.region, "The region, where the configuration has none")->type_name("NAME");
    policy_command->add_flag("--with-doctor", o.scope.with_doctor, "Allow what `vipd doctor` reads beyond that, too");
    policy_command->add_option("--vpc", o.scope.vpc, "The nodes' VPC, where tables and interfaces are not named")
        ->type_name("ID");
    auto* const status_command = add_command(app, "status");
    status_command->add_flag("--json", o.json, "Print the daemon's JSON as it is");
    status_command->add_flag("--watch", o.watch, "Again every second, until interrupted");
    add_socket(status_command, o);
    auto* const step_down_command = add_command(app, "step-down");
    step_down_command->add_option("ROUTER", o.router, "The router's name");
    step_down_command->add_flag("--all", o.all, "Every router of this node");
    add_socket(step_down_command, o);
    auto* const maintenance_command = add_command(app, "maintenance");
    maintenance_command->add_option("SWITCH", o.maintenance, "on or off")->required()->check(CLI::IsMember({"on", "off"}));
    add_socket(maintenance_command, o);
    auto* const priority_command = add_command(app, "priority");
    priority_command->add_option("PRIORITY", o.priority, "1 to 254, or default")->required();
    priority_command->add_option("--router", o.router, "The router's name, where there are several")->type_name("NAME");
    add_socket(priority_command, o);
    add_socket(add_command(app, "reload"), o);
    auto* const restart_command = add_command(app, "restart");
    add_config(restart_command, o);
    add_socket(restart_command, o);
    add_command(app, "version");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? cli::exit_success : cli::exit_usage;
    }
    return dispatch(app, o);
}
