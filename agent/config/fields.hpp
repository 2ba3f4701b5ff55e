#pragma once

// Which key fills which member. visit_fields(visit, section) calls visit(name of the key, member) for every key of the section
// that is not refused; the reader writes the members, the reference shows what they are from the start.

#include "agent/config/config.hpp"

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace vipd::config {

enum class auth_kind : std::uint8_t { password, hmac };

// An entry of keys in [router.auth]
struct auth_key_section {
    std::uint8_t id = 1;
    std::string file;
};

// The URL of a check, in two parts.
struct http_location {
    aws::http_origin origin;
    std::string target;
};

// [[router.track]], of any kind
struct track_section {
    track_kind kind = track_kind::process;
    std::string name;
    std::optional<std::int16_t> weight;
    duration interval = std::chrono::seconds{1};
    std::optional<duration> timeout;
    unsigned rise = 1;
    unsigned fall = 1;
    std::string process;
    std::string pid_file;
    command program;
    std::string user;
    http_location url;
    std::vector<status_range> status = {{}};
    std::string host;
    std::string ca_bundle;
    bool verify = true;
    std::optional<tcp_listener> address;
    std::string interface;
    std::string path;
};

// [router.auth], of either kind
struct auth_section {
    auth_kind kind = auth_kind::password;
    std::string password;
    vrrp::hmac_mode mode = vrrp::hmac_mode::enforce;
    vrrp::anti_replay anti_replay = vrrp::anti_replay::time;
    std::optional<duration> window;
    std::optional<std::uint8_t> active_key;
    std::vector<vrrp::identified_secret> keys;
};

template <class Visit>
void visit_fields(Visit&& visit, aws_section& s)
{
    visit("region", s.region);
    visit("endpoint", s.endpoint);
    visit("imds_endpoint", s.imds_endpoint);
    visit("ca_bundle", s.ca_bundle);
    visit("profile", s.profile);
    visit("use_fips_endpoint", s.use_fips_endpoint);
    visit("use_dualstack_endpoint", s.use_dualstack_endpoint);
    visit("connections", s.connections);
    visit("reconcile_period", s.reconcile_period);
    visit("identity_cache", s.identity_cache);
}

template <class Visit>
void visit_fields(Visit&& visit, http_section& s)
{
    visit("listen", s.listen);
    visit("socket", s.socket);
}

template <class Visit>
void visit_fields(Visit&& visit, log_section& s)
{
    visit("format", s.format);
    visit("level", s.debug);
}

template <class Visit>
void visit_fields(Visit&& visit, vrrp::peer_rule& s)
{
    visit("address", s.address);
    visit("min_ttl", s.min_ttl);
}

template <class Visit>
void visit_fields(Visit&& visit, auth_section& s)
{
    visit("kind", s.kind);
    visit("password", s.password);
    visit("mode", s.mode);
    visit("anti_replay", s.anti_replay);
    visit("window", s.window);
    visit("active_key", s.active_key);
    visit("keys", s.keys);
}

template <class Visit>
void visit_fields(Visit&& visit, auth_key_section& s)
{
    visit("id", s.id);
    visit("file", s.file);
}

template <class Visit>
void visit_fields(Visit&& visit, address_entry& s)
{
    visit("address", s.address);
    visit("interface", s.interface);
    visit("when", s.when);
    visit("label", s.label);
    visit("scope", s.scope);
    visit("nodad", s.nodad);
    visit("deprecated", s.deprecated);
}

template <class Visit>
void visit_fields(Visit&& visit, policy_rule_entry& s)
{
    visit("priority", s.priority);
    visit("from", s.from);
    visit("to", s.to);
    visit("iif", s.iif);
    visit("oif", s.oif);
    visit("fwmark", s.fwmark);
    visit("fwmask", s.fwmask);
    visit("family", s.family);
}

template <class Visit>
void visit_fields(Visit&& visit, policy_route_entry& s)
{
    visit("to", s.to);
    visit("via", s.via);
    visit("interface", s.interface);
    visit("source", s.source);
    visit("metric", s.metric);
    visit("mtu", s.mtu);
    visit("onlink", s.onlink);
    visit("scope", s.scope);
    visit("kind", s.kind);
    visit("family", s.family);
}

template <class Visit>
void visit_fields(Visit&& visit, policy_entry& s)
{
    visit("table", s.table);
    visit("rules", s.rules);
    visit("routes", s.routes);
}

template <class Visit>
void visit_fields(Visit&& visit, announce_section& s)
{
    visit("count", s.count);
    visit("repeats", s.repeats);
    visit("repeat_delay", s.repeat_delay);
}

template <class Visit>
void visit_fields(Visit&& visit, hooks_section& s)
{
    for (const auto event : hook_events) {
        visit(to_string(event), s.commands[static_cast<std::size_t>(event)]);
    }
    visit("notify", s.notify);
    visit("user", s.user);
    visit("timeout", s.timeout);
}

template <class Visit>
void visit_fields(Visit&& visit, track_section& s)
{
    visit("kind", s.kind);
    visit("name", s.name);
    visit("weight", s.weight);
    visit("interval", s.interval);
    visit("timeout", s.timeout);
    visit("rise", s.rise);
    visit("fall", s.fall);
    visit("process", s.process);
    visit("pid_file", s.pid_file);
    visit("command", s.program);
    visit("user", s.user);
    visit("url", s.url);
    visit("status", s.status);
    visit("host", s.host);
    visit("ca_bundle", s.ca_bundle);
    visit("verify", s.verify);
    visit("address", s.address);
    visit("interface", s.interface);
    visit("path", s.path);
}

template <class Visit>
void visit_fields(Visit&& visit, table_selection& s)
{
    visit("ids", s.ids);
    visit("vpc", s.whole_vpc);
    visit("tags", s.tags);
}

template <class Visit>
void visit_fields(Visit&& visit, route_entry& s)
{
    visit("destination", s.destination);
    visit("tables", s.tables);
    visit("interface", s.interface);
    visit("interface_id", s.interface_id);
    visit("source_dest_check", s.disable_source_dest_check);
}

template <class Visit>
void visit_fields(Visit&& visit, secondary_ip_entry& s)
{
    visit("address", s.address);
    visit("interface", s.interface);
    visit("interface_id", s.interface_id);
}

template <class Visit>
void visit_fields(Visit&& visit, elastic_ip_entry& s)
{
    visit("allocation", s.allocation);
    visit("interface", s.interface);
    visit("interface_id", s.interface_id);
    visit("private_address", s.private_address);
}

template <class Visit>
void visit_fields(Visit&& visit, interface_match& s)
{
    visit("id", s.id);
    visit("address", s.address);
    visit("tags", s.tags);
}

template <class Visit>
void visit_fields(Visit&& visit, eni_entry& s)
{
    visit("match", s.match);
    visit("device_index", s.device_index);
    visit("force_after", s.force_after);
    visit("configure", s.configure);
    visit("addresses", s.addresses);
    visit("table", s.table);
    visit("rule_priority", s.rule_priority);
}

template <class Visit>
void visit_fields(Visit&& visit, router& s)
{
    visit("name", s.name);
    visit("vrid", s.vrid);
    visit("version", s.version);
    visit("priority", s.priority);
    visit("address_owner", s.address_owner);
    visit("source", s.source);
    visit("interface", s.interface);
    visit("peers", s.peers);
    visit("advert_interval", s.advert_interval);
    visit("down_timer_adverts", s.down_timer_adverts);
    visit("preempt", s.preempt);
    visit("preempt_delay", s.preempt_delay);
    visit("startup_delay", s.startup_delay);
    visit("api_weight", s.api_weight);
    visit("checksum", s.checksum);
    visit("auth", s.auth);
    visit("advertised_addresses", s.advertised_addresses);
    visit("drain", s.drain);
    visit("address", s.addresses);
    visit("route", s.routes);
    visit("secondary_ip", s.secondary_ips);
    visit("elastic_ip", s.elastic_ips);
    visit("eni", s.enis);
    visit("policy", s.policies);
    visit("announce", s.announce);
    visit("track", s.trackers);
    visit("hooks", s.hooks);
}

template <class Visit>
void visit_fields(Visit&& visit, notices_section& s)
{
    visit("spot", s.spot);
    visit("rebalance", s.rebalance);
    visit("scheduled_events", s.scheduled_events);
    visit("auto_scaling", s.auto_scaling);
    visit("lead", s.lead);
}

template <class Visit>
void visit_fields(Visit&& visit, sync_group_entry& s)
{
    visit("name", s.name);
    visit("routers", s.routers);
}

template <class Visit>
void visit_fields(Visit&& visit, configuration& s)
{
    visit("realtime", s.realtime);
    visit("aws", s.aws);
    visit("http", s.http);
    visit("log", s.log);
    visit("notices", s.notices);
    visit("policy", s.policies);
    visit("router", s.routers);
    visit("sync_group", s.sync_groups);
}

// The section of the key table that describes a struct.
template <class Section>
constexpr std::string_view section_name()
{
    if constexpr (std::is_same_v<Section, aws_section>) {
        return "aws";
    } else if constexpr (std::is_same_v<Section, http_section>) {
        return "http";
    } else if constexpr (std::is_same_v<Section, log_section>) {
        return "log";
    } else if constexpr (std::is_same_v<Section, notices_section>) {
        return "notices";
    } else if constexpr (std::is_same_v<Section, sync_group_entry>) {
        return "sync_group";
    } else if constexpr (std::is_same_v<Section, vrrp::peer_rule>) {
        return "router.peers";
    } else if constexpr (std::is_same_v<Section, auth_section>) {
        return "router.auth";
    } else if constexpr (std::is_same_v<Section, auth_key_section>) {
        return "router.auth.keys";
    } else if constexpr (std::is_same_v<Section, address_entry>) {
        return "router.address";
    } else if constexpr (std::is_same_v<Section, table_selection>) {
        return "router.route.tables";
    } else if constexpr (std::is_same_v<Section, route_entry>) {
        return "router.route";
    } else if constexpr (std::is_same_v<Section, secondary_ip_entry>) {
        return "router.secondary_ip";
    } else if constexpr (std::is_same_v<Section, elastic_ip_entry>) {
        return "router.elastic_ip";
    } else if constexpr (std::is_same_v<Section, eni_entry>) {
        return "router.eni";
    } else if constexpr (std::is_same_v<Section, interface_match>) {
        return "router.eni.match";
    } else if constexpr (std::is_same_v<Section, policy_entry>) {
        return "policy";
    } else if constexpr (std::is_same_v<Section, policy_rule_entry>) {
        return "policy.rules";
    } else if constexpr (std::is_same_v<Section, policy_route_entry>) {
        return "policy.routes";
    } else if constexpr (std::is_same_v<Section, announce_section>) {
        return "router.announce";
    } else if constexpr (std::is_same_v<Section, hooks_section>) {
        return "router.hooks";
    } else if constexpr (std::is_same_v<Section, track_section>) {
        return "router.track";
    } else if constexpr (std::is_same_v<Section, router>) {
        return "router";
    } else {
        static_assert(std::is_same_v<Section, configuration>);
        return "";
    }
}

}  // namespace vipd::config
