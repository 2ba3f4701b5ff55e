#include "agent/config/node_addresses.hpp"

#include "agent/config/text.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <variant>

namespace vipd::config {

namespace {

class node_address_finder {
public:
    explicit node_address_finder(reading& r) : r_(r) {}

    void collect(const entry<router>& e)
    {
        if (is_sound(r_, e, "router", {"source"}) && e.value.source) {
            owners_.try_emplace(*e.value.source, owner{e.path, e.path_to("source"), e.where("source"), true});
        }
        for_each_sound_entry(r_, e, "peers", e.value.peers, [&](const entry<vrrp::peer_rule>& peer) {
            owners_.try_emplace(peer.value.address, owner{e.path, peer.path, peer.at.offset, false});
        });
    }

    void check(const entry<router>& e) const
    {
        for_each_entry(e, "address", e.value.addresses, [&](const entry<address_entry>& address) {
            if (is_sound(r_, address, "router.address", {"address", "when"})) {
                check_address(e, address);
            }
        });
        for_each_entry(e, "secondary_ip", e.value.secondary_ips, [&](const entry<secondary_ip_entry>& secondary) {
            const auto found = owners_.find(secondary.value.address);
            if (is_sound(r_, secondary, "router.secondary_ip", {"address"}) && found != owners_.end()) {
                refuse(secondary.where("address"), secondary.path_to("address"), *secondary.key("address"), found->second);
            }
        });
        for_each_entry(e, "eni", e.value.enis, [&](const entry<eni_entry>& eni) {
            for_each_sound_entry(r_, eni, "addresses", eni.value.addresses, [&](const entry<ip_address>& address) {
                const auto found = owners_.find(address.value);
                if (found != owners_.end()) {
                    refuse(address.at.offset, address.path, address.at, found->second);
                }
            });
        });
        for_each_entry(e, "route", e.value.routes, [&](const entry<route_entry>& route) {
            const auto* const prefix = std::get_if<ip_prefix>(&route.value.destination.value);
            if (is_sound(r_, route, "router.route", {"destination"}) && prefix != nullptr && prefix->is_host()) {
                const auto found = owners_.find(prefix->address());
                if (found != owners_.end() && !is_owned(e, found->second)) {
                    refuse(route.where("destination"), route.path_to("destination"), *route.key("destination"), found->second);
                }
            }
        });
    }

private:
    struct owner {
        std::string router;  // its path
        std::string path;
        std::size_t offset = 0;
        bool is_source = false;
    };

    // The one case in which an address that is moved is also somebody's own (RFC 9568, section 6.1: priority 255).
    [[nodiscard]] bool is_owned(const entry<router>& e, const owner& o) const
    {
        return o.is_source && o.router == e.path && is_sound(r_, e, "router", {"address_owner"}) && e.value.address_owner;
    }

    void check_address(const entry<router>& e, const entry<address_entry>& address) const
    {
        const auto found = owners_.find(address.value.address.address());
        if (found == owners_.end()) {
            return;
        }
        if (!is_owned(e, found->second)) {
            refuse(address.where("address"), address.path_to("address"), *address.key("address"), found->second);
        } else if (address.value.when != address_lifetime::always) {
            r_.error(
                address.where("when"), address.path_to("when"),
                fmt::format("found \"active\" for {}, which this node owns and its adverts come from: it would be removed when "
                            "the node stops; set when = \"always\"",
                            in_quotes(address.value.address.to_string())));
        }
    }

    void refuse(std::size_t where, std::string path, const node& found, const owner& o) const
    {
        r_.error(where, std::move(path),
                 fmt::format("found {}, which is {} (line {}): {}; choose an address that no node has of its own",
                             shown(r_, found), o.path, r_.line_of(o.offset),
                             o.is_source ? "a Backup would remove the address that its adverts come from"
                                         : "a node that took the address of its peer could not hear it any more"));
    }

    reading& r_;
    std::map<ip_address, owner> owners_;
};

}  // namespace

void check_node_addresses(reading& r, const entry<configuration>& all)
{
    node_address_finder finder{r};
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) { finder.collect(e); });
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) { finder.check(e); });
}

}  // namespace vipd::config
