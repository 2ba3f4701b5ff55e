#include "agent/cli/help.hpp"

#include "agent/config/text.hpp"
#include "common/ensure.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/opensslv.h>

#include <algorithm>
#include <array>
#include <vector>

namespace vipd::cli {

namespace {

constexpr std::array command_table = {
    command_help{"run", "Run the daemon in the foreground",
                 "Examples:\n"
                 "  vipd run --config vipd.toml\n"
                 "      Runs until SIGTERM or SIGINT and then hands over; SIGHUP reads the configuration again.\n"
                 "  vipd check --config vipd.toml && sudo vipd run --config vipd.toml\n"
                 "      It needs CAP_NET_RAW for adverts and CAP_NET_ADMIN for addresses.\n"},
    command_help{"check", "Check a configuration file, offline",
                 "Every error is reported at once, as FILE:LINE:COLUMN: error: ...; the exit code is then 1.\n\n"
                 "Examples:\n"
                 "  vipd check --config vipd.toml\n"
                 "  vipd check --config new.toml && sudo mv new.toml /etc/vipd/vipd.toml && sudo vipd reload\n"
                 "      Changes the configuration of a running daemon safely.\n"
                 "  vipd check --reference\n"
                 "      Prints every key with what it may be and its default, as Markdown.\n"},
    command_help{"plan", "Show what becoming Active would change; changes nothing",
                 "Asks the running daemon, or, with --config, the cloud itself.\n\n"
                 "Examples:\n"
                 "  vipd plan\n"
                 "      What the daemon of this node would change if it became Active at this moment.\n"
                 "  vipd plan --config vipd.toml\n"
                 "      The same for a configuration that is not running yet; reads EC2 once.\n"},
    command_help{
        "doctor", "Ask the node, the metadata service and EC2 whether it would work; changes nothing",
        "A line for each check: ok, warn, FAIL or skipped, what was found, and what to do about it. It takes half a minute at\n"
        "most, and may run beside a daemon. What a takeover would call is asked as a dry run (EC2's DryRun).\n"
        "The exit code is 1 when something has failed.\n\n"
        "Examples:\n"
        "  vipd doctor --config vipd.toml\n"
        "  vipd doctor --json | jq '.sections[].findings[] | select(.verdict == \"fail\")'\n"},
    command_help{"iam-policy", "Print the least-privilege IAM policy that a configuration needs",
                 "It allows this configuration and no more, as far as the file says what that is; notes on standard error say\n"
                 "what is wider than it would have to be.\n\n"
                 "Examples:\n"
                 "  vipd iam-policy --config vipd.toml --account 123456789012 --vpc vpc-0a1b2c3d > policy.json\n"
                 "  aws iam put-role-policy --role-name vipd --policy-name vipd --policy-document file://policy.json\n"},
    command_help{"status", "Show the state of every router and resource",
                 "Examples:\n"
                 "  vipd status --watch\n"
                 "      A table that is drawn again every second, until Ctrl-C.\n"
                 "  vipd status --json | jq '.routers[] | {name, state}'\n"},
    command_help{
        "step-down", "Hand a router over to another node",
        "The node sends priority 0 and keeps forwarding until another one has taken over. It stays a Backup and, with\n"
        "preempt, takes the router back after preempt_delay; `vipd maintenance on` keeps it out.\n\n"
        "Examples:\n"
        "  vipd step-down haproxy\n"
        "  vipd step-down --all\n"},
    command_help{
        "maintenance", "Keep this node out of every election, or let it in again",
        "On, it hands over what it has. It is forgotten when the daemon is started anew, but not by `vipd restart`.\n\n"
        "Examples:\n"
        "  vipd maintenance on && sudo apt-get upgrade && vipd maintenance off\n"},
    command_help{
        "priority", "Set the priority of a router while the daemon runs, or return to the configured one",
        "It takes the place of the configured priority; weights still count on top. The election decides what comes of it:\n"
        "a Backup with preempt takes over from a lower Active after its preempt_delay, and an Active gives way to a higher\n"
        "Backup with preempt. In a sync group it is the priority of every router. It holds until it is set to default, a\n"
        "reload changes the configured priority, or the daemon ends; `vipd restart` keeps it.\n\n"
        "Examples:\n"
        "  vipd priority 50\n"
        "  vipd priority --router haproxy 200\n"
        "  vipd priority default\n"},
    command_help{"reload", "Make the daemon read its configuration again",
                 "The same as SIGHUP: the file is checked first, and refused whole or applied without a transition.\n\n"
                 "Examples:\n"
                 "  vipd reload\n"},
    command_help{
        "restart", "Replace the running daemon by the program that is installed now, without a transition",
        "For an upgrade: the process goes on as this version of vipd, its routers stay Active or Backup, the peers hear\n"
        "no priority 0, and EC2 is only read. This version checks the configuration first, once for you and once for the\n"
        "daemon, as its user; the daemon goes on as it was when that fails. A program that ends at its start all the same\n"
        "is a crash, and the peers take over.\n\n"
        "Examples:\n"
        "  sudo apt-get install --only-upgrade vipd && sudo vipd restart\n"},
    command_help{"version", "Show the version", "Examples:\n  vipd version\n"},
};

}  // namespace

std::span<const command_help> commands()
{
    return command_table;
}

const command_help& help_of(std::string_view name)
{
    const auto found = std::ranges::find(command_table, name, &command_help::name);
    ENSURE(found != command_table.end());
    return *found;
}

std::string unknown_command(std::string_view word)
{
    if (std::ranges::find(command_table, word, &command_help::name) != command_table.end()) {
        return "";
    }
    std::vector<std::string> names;
    for (const auto& c : command_table) {
        names.emplace_back(c.name);
    }
    return fmt::format("'{}' is no command of vipd; there are {}", config::printable(word), fmt::join(names, ", "));
}

std::string_view overview()
{
    return "Keeps a virtual IP on exactly one healthy node in AWS: VRRP elects the node, and the node moves the route itself.";
}

std::string_view overview_examples()
{
    return "Examples:\n"
           "  vipd check --config vipd.toml    is the file right?\n"
           "  vipd doctor --config vipd.toml   would it work here, and in AWS?\n"
           "  vipd run --config vipd.toml      start\n"
           "  vipd status --watch              see who is Active\n\n"
           "`vipd COMMAND --help` says more. Exit codes: 0 done, 1 wrong, refused or out of reach, 2 wrong command line.\n";
}

std::string version_text()
{
#if defined(__clang__)
    const auto compiler = fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    const auto compiler = fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
    return fmt::format("vipd {} ({}, Boost {}.{}, OpenSSL {})", VIPD_VERSION, compiler, BOOST_VERSION / 100000,
                       BOOST_VERSION / 100 % 1000, OPENSSL_VERSION_STR);
}

}  // namespace vipd::cli
