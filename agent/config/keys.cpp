#include "agent/config/keys.hpp"

#include "agent/aws/endpoint.hpp"
#include "agent/config/text.hpp"
#include "agent/config/track.hpp"
#include "common/duration_text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::config {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 2> log_formats = {"logfmt", "json"};
constexpr std::array<std::string_view, 2> log_levels = {"info", "debug"};
constexpr std::array<std::string_view, 2> checksum_forms = {"rfc5798", "rfc9568"};
constexpr std::array<std::string_view, 2> auth_kinds = {"password", "hmac"};
constexpr std::array<std::string_view, 3> auth_modes = {"receive-only", "permissive", "enforce"};
constexpr std::array<std::string_view, 2> auth_anti_replays = {"time", "monotonic"};
constexpr std::array<std::string_view, 2> address_lifetimes = {"active", "always"};
constexpr std::array<std::string_view, 3> scopes = {"global", "link", "host"};
constexpr std::array<std::string_view, 4> route_kinds = {"unicast", "blackhole", "unreachable", "prohibit"};
// In the order of track_kind.
constexpr std::array<std::string_view, 6> track_kinds = {"process", "script", "http", "tcp", "interface", "file"};
constexpr std::array<std::string_view, 2> families = {"ipv4", "ipv6"};
constexpr std::int64_t u32_max = 0xffff'ffff;
constexpr std::array<std::string_view, 2> source_dest_checks = {"warn", "disable"};

bool is_interface_id(std::string_view text)
{
    return is_aws_id(text, "eni-");
}

bool is_allocation_id(std::string_view text)
{
    return is_aws_id(text, "eipalloc-");
}

// Whether it is of the interface that it begins with is looked at where that is known (policies.cpp).
bool is_label(std::string_view text)
{
    return is_interface_name(text.substr(0, text.find(':'))) && has_no_control_character(text) &&
           text.find_first_of(" \t") == std::string_view::npos;
}

bool is_https_url(std::string_view text)
{
    return aws::parse_origin(text, false).has_value();
}

// IMDS is served in plain HTTP only.
bool is_http_url(std::string_view text)
{
    return text.starts_with("http://") && aws::parse_origin(text, true).has_value();
}

constexpr text_rule file_path{"an absolute path", 4096, is_absolute_path};
constexpr text_rule interface_name{"the name of a network interface (1 to 15 bytes, as in `ip link`)", 0, is_interface_name};
constexpr text_rule prefix_text{"an IPv4 or IPv6 prefix without bits behind its length"};
constexpr text_rule unicast_text{"an IPv4 or IPv6 unicast address without a zone"};
// Absolute, because nothing searches for it.
constexpr list_rule command_list{1, 64, "a text: the absolute path of a program, then its arguments, without a shell"};
constexpr text_rule interface_id_text{"the id of a network interface (\"eni-\" and 8 to 17 digits)", 0, is_interface_id};

const std::array key_table = {
    key{"", "realtime", boolean_rule{},
        "Ask for SCHED_FIFO and locked memory, so that a loaded node still sends its adverts on time."},
    key{"", "aws", table_rule{"[aws]"}, "How to reach EC2; all of it is optional on an instance."},
    key{"", "http", table_rule{"[http]"}, "Where status and metrics are served."},
    key{"", "log", table_rule{"[log]"}, "How log lines are written to standard error."},
    key{"", "notices", table_rule{"[notices]"}, "Which announcements of EC2 about this instance make it hand over."},
    key{"", "router", tables_rule{"[[router]]", 4096}, "One virtual router: one election and what follows its Active node.",
        presence::required},
    key{"", "policy", tables_rule{"[[policy]]", 255},
        "Rules and routes that this node has from the start of vipd on; they stay when it ends."},
    key{"", "sync_group", tables_rule{"[[sync_group]]", 1024}, "Routers that are Active together, or none of them is."},
    key{"", "wake", refused_rule{"serve a page that wakes sleeping servers"}, ""},
    key{"", "wake_page", refused_rule{"serve a page that wakes sleeping servers"}, ""},
    key{"", "track", refused_rule{"watch services for every router; [[router.track]] does for one"}, ""},
    key{"", "hooks", refused_rule{"run programs for every router; [router.hooks] does for one"}, ""},

    key{"aws", "region", text_rule{"the name of a region, such as \"eu-west-1\"", 0, is_region},
        "The region whose EC2 API is called.", presence::optional, false, "AWS_REGION, the profile, or IMDS"},
    key{"aws", "endpoint", text_rule{"an https:// URL without a path", 0, is_https_url},
        "Call this EC2 endpoint and not the region's.", presence::optional, false,
        "AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL, or the region's"},
    key{"aws", "imds_endpoint", text_rule{"an http:// URL without a path", 0, is_http_url},
        "Where the instance metadata service answers.", presence::optional, false,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT, or http://169.254.169.254"},
    key{"aws", "ca_bundle", file_path, "Trust the certificates in this PEM file, and not the system's.", presence::optional,
        false, "AWS_CA_BUNDLE, or the system's"},
    key{"aws", "profile", text_rule{"the name of a profile, 1 to 128 bytes", 128, has_no_control_character},
        "The profile of the shared AWS files to take credentials from: its keys, or the role that it assumes.",
        presence::optional, false, "AWS_PROFILE, or default"},
    key{"aws", "use_fips_endpoint", boolean_rule{}, "Call the region's FIPS endpoint."},
    key{"aws", "use_dualstack_endpoint", boolean_rule{}, "Call the region's dual-stack endpoint, which has IPv6 addresses."},
    key{"aws", "connections", integer_rule{2, 256}, "How many EC2 calls may be under way at once."},
    key{"aws", "reconcile_period", duration_rule{1s, 1h},
        "How often a node reads back what the cloud says about its resources; 10 s at most while its path to EC2 is broken."},
    key{"aws", "identity_cache", text_rule{"an absolute path, or \"\" for no file", 4096, is_absolute_path, true},
        "Where this instance's ids are kept for a restart while the instance metadata service is down; good for one boot."},

    key{"http", "listen", list_rule{0, 8, "\"ADDRESS:PORT\" or \"[IPV6]:PORT\""},
        "Where status and metrics can be read over TCP; changes are never accepted there. Host names are not checked: a web "
        "page "
        "that a browser on this machine has open can read them on a loopback address, too (DNS rebinding)."},
    key{"http", "socket", text_rule{"an absolute path of at most 107 bytes", 107, is_absolute_path},
        "The Unix socket that the vipd command line talks to."},

    key{"log", "format", word_rule{log_formats}, "The form of a log line."},
    key{"log", "level", word_rule{log_levels}, "The least severe kind of line that is written."},

    key{"notices", "spot", boolean_rule{}, "A Spot interruption: two minutes before it, mostly."},
    key{"notices", "rebalance", boolean_rule{}, "A rebalance recommendation: a Spot interruption has become more likely."},
    key{"notices", "scheduled_events", boolean_rule{}, "A scheduled event: a reboot, a stop, a retirement, maintenance."},
    key{"notices", "auto_scaling", boolean_rule{}, "Auto Scaling is about to terminate, stop or stand down this instance."},
    key{"notices", "lead", duration_rule{0s, 24h}, "How long before a scheduled event it counts."},

    key{"sync_group", "name", text_rule{"1 to 64 of the characters A-Z a-z 0-9 . _ -", 0, is_router_name},
        "What this group is called in status and logs; unique among the groups.", presence::required},
    key{"sync_group", "routers", list_rule{2, 64, "the name of a [[router]]"},
        "They have one priority; no router is in two groups, and none is an address owner.", presence::required},

    key{"router", "name", text_rule{"1 to 64 of the characters A-Z a-z 0-9 . _ -", 0, is_router_name},
        "What this router is called in status, metrics, logs and commands; unique in the file.", presence::required},
    key{"router", "vrid", integer_rule{1, 255}, "The virtual router's id, the same on every node of the cluster.",
        presence::required},
    key{"router", "version", integer_rule{2, 3}, "The VRRP version: 3 (RFC 9568), or 2 (RFC 3768, IPv4 only)."},
    key{"router", "priority", integer_rule{1, 255}, "The highest priority becomes Active; 255 needs `address_owner`."},
    key{"router", "address_owner", boolean_rule{}, "This node owns the address: Active at once when it starts, priority 255."},
    key{"router", "source", unicast_text, "The address that adverts come from; it has to be in the peers' lists.",
        presence::optional, false, "the primary address of `interface`"},
    key{"router", "interface", interface_name,
        "The interface whose primary address is the source, and the default target of routes.", presence::optional, false,
        "none; `source` is needed then"},
    key{"router", "peers", list_rule{1, 255, "an IP address or { address = \"...\", min_ttl = N }"},
        "The other nodes of the cluster.", presence::required},
    key{"router", "advert_interval", duration_rule{10ms, 255s},
        "The time between adverts: 10ms to 40.95s in steps of 10ms, or 1s to 255s in whole seconds for version 2."},
    key{"router", "down_timer_adverts", integer_rule{1, 100},
        "How many adverts may be missing before a Backup takes over; the same on every node."},
    key{"router", "preempt", boolean_rule{}, "Take over from an Active node of lower priority."},
    key{"router", "preempt_delay", duration_rule{0s, 1000s}, "How long to wait before preempting."},
    key{"router", "startup_delay", duration_rule{0s, 1000s},
        "After the start, how much longer than one down interval to listen before becoming Active; an Active that is heard and "
        "is not to be preempted ends the wait."},
    key{"router", "api_weight", integer_rule{-253, 253},
        "What the state of this node's path to EC2 does to its priority: a negative weight lowers it while the path is broken, "
        "a positive one raises it while the path works, 0 leaves it alone."},
    key{"router", "checksum", word_rule{checksum_forms},
        "The checksum of version 3 over IPv4 that is sent: keepalived's (rfc5798) or the newer one; both are accepted."},
    key{"router", "auth", table_rule{"[router.auth]"}, "Authentication of adverts."},
    key{"router", "advertised_addresses", list_rule{1, 255, "an IP address"}, "The addresses that adverts list.",
        presence::optional, false,
        "those of [[router.address]], then those of [[router.secondary_ip]], then the host routes of [[router.route]]"},
    key{"router", "drain", duration_rule{0s, 60s},
        "How long local addresses stay after Active was lost, or after a hand-over once another Active was heard."},
    key{"router", "address", tables_rule{"[[router.address]]", 255}, "An address that this node has while it is Active."},
    key{"router", "route", tables_rule{"[[router.route]]", 255}, "A route of the VPC that leads to the Active node."},
    key{"router", "secondary_ip", tables_rule{"[[router.secondary_ip]]", 255},
        "A secondary private address that the Active node's interface has."},
    key{"router", "elastic_ip", tables_rule{"[[router.elastic_ip]]", 255},
        "An Elastic IP that leads to the Active node's interface."},
    key{"router", "eni", tables_rule{"[[router.eni]]", 15}, "A network interface that is attached to the Active node."},
    key{"router", "policy", tables_rule{"[[router.policy]]", 255}, "Rules and routes that this node has while it is Active."},
    key{"router", "announce", table_rule{"[router.announce]"},
        "Tell the neighbours of the interface when an address has come: gratuitous ARP and unsolicited neighbour "
        "advertisements. For networks that are not a VPC, which takes no notice of them."},
    key{"router", "track", tables_rule{"[[router.track]]", 255},
        "Something that has to be well for this node to be a good Active: a process, a server, a file, a script's verdict."},
    key{"router", "hooks", table_rule{"[router.hooks]"},
        "Programs that are run when the router's role changes: one at a time, in order, each with a deadline."},
    key{"router", "sync_group", refused_rule{"change the role of several routers together"}, ""},

    key{"router.peers", "address", unicast_text, "The peer's source address.", presence::required},
    key{"router.peers", "min_ttl", integer_rule{1, 255}, "The lowest TTL or hop limit that its adverts may arrive with."},

    key{"router.auth", "kind", word_rule{auth_kinds},
        "hmac: every advert is signed, as with keepalived's auth_hmac. password: the simple text of VRRPv2, readable by "
        "whoever "
        "sees an advert.",
        presence::required},
    key{"router.auth", "password", text_rule{"1 to 8 bytes", 8, has_no_control_character},
        "The password, the same on every node; required with kind = \"password\".", presence::optional, true},
    key{"router.auth", "mode", word_rule{auth_modes},
        "receive-only signs nothing and verifies what is signed, permissive signs as well, enforce accepts nothing unsigned."},
    key{"router.auth", "anti_replay", word_rule{auth_anti_replays},
        "What keeps recorded adverts from being accepted again: time (clocks have to agree) or monotonic (only growth "
        "counts)."},
    key{"router.auth", "window", duration_rule{1s, 300s}, "With anti_replay = \"time\": how far clocks may be apart.",
        presence::optional, false, "three advert intervals, 5s at least"},
    key{"router.auth", "active_key", integer_rule{1, 255}, "The id of the key that signs; all keys verify.", presence::optional,
        false, "the key, when there is one only"},
    key{"router.auth", "keys", list_rule{1, 16, "{ id = N, file = \"...\" }"}, "The keys; required with kind = \"hmac\"."},

    key{"router.auth.keys", "id", integer_rule{1, 255}, "What the key is called in adverts, the same on every node.",
        presence::required},
    key{"router.auth.keys", "file", file_path,
        "The file with the key, 32 to 64 bytes or their hex digits; of root or vipd's user, and for its owner alone (mode "
        "0400).",
        presence::required},

    key{"router.address", "address", text_rule{"an IPv4 or IPv6 address, with or without a prefix length"},
        "The address, with its prefix length if that is not /32 or /128.", presence::required},
    key{"router.address", "interface", interface_name, "The interface that gets it."},
    key{"router.address", "when", word_rule{address_lifetimes}, "While this node is Active, or always."},
    key{"router.address", "label",
        text_rule{"the interface's name, or that and a colon and more, 15 bytes at most", 15, is_label},
        "IPv4: what old tools call the address, such as \"eth0:vip\"."},
    key{"router.address", "scope", word_rule{scopes}, "How far the address is valid, as in `ip address`."},
    key{"router.address", "nodad", boolean_rule{},
        "IPv6: no duplicate address detection, which would keep the address unusable for a second after a takeover."},
    key{"router.address", "deprecated", boolean_rule{},
        "IPv6: preferred lifetime 0, so that the address is answered on and never chosen for what this node begins.",
        presence::optional, false, "true for a /128, false for an address with its subnet"},

    key{"router.announce", "count", integer_rule{1, 32}, "How many frames a burst has for each address."},
    key{"router.announce", "repeats", integer_rule{0, 10}, "How many bursts follow the first one, which goes out at once."},
    key{"router.announce", "repeat_delay", duration_rule{100ms, 60s}, "The time between two bursts."},

    key{"router.hooks", "active", command_list,
        "It has become Active, and everything that follows the role has been asked for."},
    key{"router.hooks", "owned", command_list,
        "Everything that follows the role is here and was confirmed; once each time it becomes Active."},
    key{"router.hooks", "backup", command_list, "It has become Backup, also when it starts."},
    key{"router.hooks", "fault", command_list,
        "It cannot take part (no link, no source address), or is kept out by maintenance."},
    key{"router.hooks", "stopping", command_list,
        "vipd ends, after it has handed over, or a reload has dropped the router; the end waits for it, 60s at most."},
    key{"router.hooks", "lower_priority_advert", command_list,
        "While Active it heard an advert of a lower priority; at most once in 10s."},
    key{"router.hooks", "notify", command_list,
        "For all of these but owned, behind the program of the event, called as keepalived calls a notify script: with "
        "INSTANCE, the router's name, MASTER, BACKUP, FAULT, STOP or MASTER_RX_LOWER_PRI, and the priority."},
    key{"router.hooks", "user", text_rule{"the name of a user of this machine, 1 to 64 bytes", 64, has_no_control_character},
        "Who the programs are run as, with all groups of that user; needs CAP_SETUID, CAP_SETGID and CAP_KILL.",
        presence::optional, false, "vipd's own user"},
    key{"router.hooks", "timeout", duration_rule{1s, 600s},
        "How long one run may take before the program and its process group are ended: SIGTERM, and SIGKILL 2s later."},

    key{"router.track", "kind", word_rule{track_kinds}, "What is looked at; the other keys but name and weight follow from it.",
        presence::required},
    key{"router.track", "name", text_rule{"1 to 64 of the characters A-Z a-z 0-9 . _ -", 0, is_router_name},
        "What the tracker is called in status, metrics and logs; unique in its router.", presence::required},
    key{"router.track", "weight", integer_rule{-track_weight_max, track_weight_max},
        "What is added to the priority while it is well (positive) or taken from it while it is not (negative); of a file what "
        "the number in it is multiplied with.",
        presence::optional, false, "none: a failing tracker takes the router out"},
    key{"router.track", "interval", duration_rule{100ms, 1h},
        "The time from the beginning of one look to the beginning of the next; not for an interface, which the kernel tells "
        "of."},
    key{"router.track", "timeout", duration_rule{10ms, 1h},
        "script, http, tcp: how long one look may take; one that takes longer has failed.", presence::optional, false,
        "interval, 10s at most"},
    key{"router.track", "rise", integer_rule{1, 100},
        "How many looks in a row have to succeed before it is well again; the first of all counts at once."},
    key{"router.track", "fall", integer_rule{1, 100}, "How many looks in a row have to fail before it is failing."},
    key{"router.track", "process",
        text_rule{"the name of a process as `ps -o comm=` shows it, 1 to 15 bytes", 15, is_process_name},
        "process: the name of the program that has to run.", presence::optional, false, "`name`"},
    key{"router.track", "pid_file", file_path, "process: the file with the number of the process, in place of its name."},
    key{"router.track", "command", command_list, "script: the program; it is well while that ends with status 0."},
    key{"router.track", "user", text_rule{"the name of a user of this machine, 1 to 64 bytes", 64, has_no_control_character},
        "script: who the program is run as, with all groups of that user; needs CAP_SETUID, CAP_SETGID and CAP_KILL.",
        presence::optional, false, "vipd's own user"},
    key{"router.track", "url", text_rule{"an http:// or https:// URL without a user or fragment", 2048},
        "http: what is asked for, with GET."},
    key{"router.track", "status", list_rule{1, 32, "a code from 100 to 599, or a range of them such as \"200-299\""},
        "http: the answers that are well.", presence::optional, false, "`[\"200-399\"]`"},
    key{"router.track", "host", text_rule{"the name of a host, with or without a port, 1 to 255 bytes", 255, is_host_header},
        "http: the Host header, and the name that the certificate has to carry.", presence::optional, false,
        "the host of `url`"},
    key{"router.track", "ca_bundle", file_path, "http: trust the certificates in this PEM file, and not the system's.",
        presence::optional, false, "the system's"},
    key{"router.track", "verify", boolean_rule{}, "http: verify the server's certificate and name."},
    key{"router.track", "address", text_rule{"\"ADDRESS:PORT\" or \"[IPV6]:PORT\""}, "tcp: where somebody has to accept."},
    key{"router.track", "interface", interface_name, "interface: the interface that has to be up and running."},
    key{"router.track", "path", file_path,
        "file: the file with a whole number; 0 while it is empty or not there. It has to be on a local file system."},

    key{"router.route", "destination", text_rule{"an IPv4 or IPv6 prefix, or the id of a prefix list (\"pl-...\")"},
        "Where the route leads.", presence::required},
    key{"router.route", "tables", table_rule{"tables = { ... } in [[router.route]]"}, "Which route tables have it.",
        presence::required},
    key{"router.route", "interface", interface_name, "The local interface that the route points at.", presence::optional, false,
        "the router's `interface`"},
    key{"router.route", "interface_id", interface_id_text, "The interface that the route points at, by its id.",
        presence::optional, false, "the one behind `interface`"},
    key{"router.route", "source_dest_check", word_rule{source_dest_checks},
        "What to do when EC2's source/destination check is on for the target: say so, or switch it off."},

    key{"router.route.tables", "ids", list_rule{1, 200, "the id of a route table (\"rtb-\" and 8 to 17 digits)"},
        "These tables."},
    key{"router.route.tables", "vpc", boolean_rule{}, "true: every table of the target interface's VPC."},
    key{"router.route.tables", "tags", table_rule{"tags = { KEY = \"VALUE\" }"},
        "Every table of that VPC whose tags match; * and ? stand for any characters and any one."},

    key{"router.secondary_ip", "address", unicast_text,
        "The address, of the interface's subnet; as [[router.address]] it is on this node while it is Active.",
        presence::required},
    key{"router.secondary_ip", "interface", interface_name, "The local interface that gets it.", presence::optional, false,
        "the router's `interface`"},
    key{"router.secondary_ip", "interface_id", interface_id_text, "The interface that gets it, by its id.", presence::optional,
        false, "the one behind `interface`"},

    key{"router.elastic_ip", "allocation",
        text_rule{"the allocation id of an Elastic IP (\"eipalloc-\" and 8 to 17 digits)", 0, is_allocation_id},
        "The Elastic IP.", presence::required},
    key{"router.elastic_ip", "interface", interface_name, "The local interface that it leads to.", presence::optional, false,
        "the router's `interface`"},
    key{"router.elastic_ip", "interface_id", interface_id_text, "The interface that it leads to, by its id.",
        presence::optional, false, "the one behind `interface`"},
    key{"router.elastic_ip", "private_address", text_rule{"an IPv4 unicast address"},
        "The private address of that interface that it stands for.", presence::optional, false, "the interface's primary one"},

    key{"router.eni", "match", table_rule{"match = { id = \"eni-...\" }, { address = \"...\" } or { tags = { ... } }"},
        "Which interface it is: one, whatever has it at the moment.", presence::required},
    key{"router.eni", "device_index", integer_rule{1, 15}, "The device index that it is attached at, one for each interface.",
        presence::optional, false, "the first that is free"},
    key{"router.eni", "force_after", duration_rule{1s, 600s},
        "How long a detach may take before it is forced: for an instance that no longer answers."},
    key{"router.eni", "configure", boolean_rule{},
        "While Active, set it up, give it the addresses that EC2 gave it, and route what is sent from them through it."},
    key{"router.eni", "addresses", list_rule{1, 50, "an IPv4 or IPv6 unicast address without a zone"},
        "The addresses that the node has on it.", presence::optional, false, "all that EC2 gave it"},
    key{"router.eni", "table", integer_rule{1, u32_max},
        "The routing table for what is sent from its addresses, one for each interface; no policy has it.", presence::optional,
        false, "112000 and the index of the link"},
    key{"router.eni", "rule_priority", integer_rule{1, 32765}, "The priority of the rules that lead to that table."},

    key{"router.eni.match", "id", interface_id_text, "The interface, by its id."},
    key{"router.eni.match", "address", unicast_text, "The interface that has this private address."},
    key{"router.eni.match", "tags", table_rule{"tags = { KEY = \"VALUE\" }"},
        "The interface of this node's VPC whose tags match; * and ? stand for any characters and any one."},

    key{"policy", "table", integer_rule{1, u32_max}, "The routing table that the rules lead to and that the routes are in.",
        presence::required},
    key{"policy", "rules", list_rule{1, 512, "{ priority = N, from = \"...\" }"}, "Which packets look into the table."},
    key{"policy", "routes", list_rule{1, 512, "{ to = \"...\", via = \"...\", interface = \"...\" }"}, "What the table has."},

    key{"policy.rules", "priority", integer_rule{1, u32_max},
        "Where among all rules it stands, the lowest first; required, so that a rule that was removed returns to its place.",
        presence::required},
    key{"policy.rules", "from", prefix_text, "The source address of the packets."},
    key{"policy.rules", "to", prefix_text, "The destination address of the packets."},
    key{"policy.rules", "iif", interface_name,
        "The interface that the packets have come in by; \"lo\" for those of this node."},
    key{"policy.rules", "oif", interface_name, "The interface that the sockets of this node are bound to."},
    key{"policy.rules", "fwmark", integer_rule{1, u32_max}, "The mark that the packets have from the firewall."},
    key{"policy.rules", "fwmask", integer_rule{1, u32_max}, "The bits of the mark that are looked at.", presence::optional,
        false, "all of them"},
    key{"policy.rules", "family", word_rule{families}, "Needed where neither from nor to says it.", presence::optional, false,
        "what from and to say"},

    key{"policy.routes", "to", text_rule{"an IPv4 or IPv6 prefix, or \"default\""}, "Where the route leads.",
        presence::required},
    key{"policy.routes", "via", unicast_text, "The gateway."},
    key{"policy.routes", "interface", interface_name, "The interface; the route waits for it to be there and up.",
        presence::optional, false, "required for kind = \"unicast\""},
    key{"policy.routes", "source", unicast_text, "The address that this node speaks from on the route."},
    key{"policy.routes", "metric", integer_rule{0, u32_max}, "The lowest of several routes to one destination is used.",
        presence::optional, false, "0, and 1024 with IPv6, as the kernel has it"},
    key{"policy.routes", "mtu", integer_rule{68, 65535}, "The largest packet.", presence::optional, false, "the interface's"},
    key{"policy.routes", "onlink", boolean_rule{}, "The gateway is on the link, even if no address of the interface says so."},
    key{"policy.routes", "scope", word_rule{scopes}, "IPv4: how far the destination is.", presence::optional, false,
        "\"global\" with via, \"link\" without"},
    key{"policy.routes", "kind", word_rule{route_kinds},
        "unicast leads on; the others end here: without a word, or with an ICMP message."},
    key{"policy.routes", "family", word_rule{families}, "Needed where to is \"default\" and neither via nor source is given.",
        presence::optional, false, "what to, via and source say"},
};

struct section_header {
    std::string_view section;
    std::string_view header;
};

constexpr std::array section_headers = {
    section_header{"", "the top of the file"},
    section_header{"aws", "[aws]"},
    section_header{"http", "[http]"},
    section_header{"log", "[log]"},
    section_header{"notices", "[notices]"},
    section_header{"sync_group", "[[sync_group]]"},
    section_header{"router", "[[router]]"},
    section_header{"router.peers", "an entry of peers"},
    section_header{"router.auth", "[router.auth]"},
    section_header{"router.auth.keys", "an entry of keys in [router.auth]"},
    section_header{"router.address", "[[router.address]]"},
    section_header{"router.route", "[[router.route]]"},
    section_header{"router.announce", "[router.announce]"},
    section_header{"router.hooks", "[router.hooks]"},
    section_header{"router.track", "[[router.track]]"},
    section_header{"router.route.tables", "tables of [[router.route]]"},
    section_header{"router.secondary_ip", "[[router.secondary_ip]]"},
    section_header{"router.elastic_ip", "[[router.elastic_ip]]"},
    section_header{"router.eni", "[[router.eni]]"},
    section_header{"router.eni.match", "match of [[router.eni]]"},
    section_header{"policy", "[[policy]] and [[router.policy]]"},
    section_header{"policy.rules", "an entry of rules in a policy"},
    section_header{"policy.routes", "an entry of routes in a policy"},
};

}  // namespace

std::span<const key> keys()
{
    return key_table;
}

std::span<const key> keys_of(std::string_view section)
{
    const auto is_other = [&](const key& k) { return k.section != section; };
    const auto first = std::find_if_not(key_table.begin(), key_table.end(), is_other);
    return {first, std::find_if(first, key_table.end(), is_other)};
}

const key* find_key(std::string_view section, std::string_view name)
{
    const auto candidates = keys_of(section);
    const auto found = std::ranges::find(candidates, name, &key::name);
    return found == candidates.end() ? nullptr : &*found;
}

std::string_view header_of(std::string_view section)
{
    const auto* const found = std::ranges::find(section_headers, section, &section_header::section);
    return found == section_headers.end() ? section : found->header;
}

std::string allowed_text(const key& k)
{
    return std::visit(overloaded{
                          [](const boolean_rule&) { return std::string("true or false"); },
                          [](const integer_rule& r) { return fmt::format("a whole number from {} to {}", r.low, r.high); },
                          [](const duration_rule& r) {
                              return fmt::format("a duration from {} to {}", format_duration(r.low), format_duration(r.high));
                          },
                          [](const word_rule& r) {
                              std::vector<std::string> words;
                              for (const auto word : r.words) {
                                  words.push_back(in_quotes(word));
                              }
                              return join_with_or(words);
                          },
                          [](const text_rule& r) { return std::string(r.form); },
                          [](const list_rule& r) { return fmt::format("a list of {} to {}, each {}", r.low, r.high, r.of); },
                          [](const table_rule& r) { return fmt::format("a table: {}", r.header); },
                          [](const tables_rule& r) { return fmt::format("up to {} of {}", r.high, r.header); },
                          [](const refused_rule&) { return std::string("nothing"); },
                      },
                      k.rule);
}

}  // namespace vipd::config
