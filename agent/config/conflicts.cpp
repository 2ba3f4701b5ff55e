#include "agent/config/conflicts.hpp"

#include "agent/config/fields.hpp"
#include "agent/config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace vipd::config {

namespace {

// Remembers who had something first.
template <class Key>
class first_owners {
public:
    struct owner {
        std::string path;
        std::size_t offset = 0;
    };

    // The one who had it before; null when nobody had, and then it is this one's.
    const owner* claim(const Key& what, const std::string& path, std::size_t offset)
    {
        const auto [at, is_new] = owners_.try_emplace(what, owner{path, offset});
        return is_new ? nullptr : &at->second;
    }

private:
    std::map<Key, owner> owners_;
};

using tag_filters = std::vector<aws::tag_filter>;

tag_filters in_order(tag_filters tags)
{
    std::ranges::sort(tags);
    return tags;
}

// As the file has them.
std::string in_braces(const tag_filters& tags)
{
    std::vector<std::string> each;
    for (const auto& tag : tags) {
        each.push_back(printable(tag.key) + " = " + in_quotes(tag.value));
    }
    return fmt::format("tags = {{ {} }}", fmt::join(each, ", "));
}

class conflict_finder {
public:
    explicit conflict_finder(reading& r) : r_(r) {}

    void add(const entry<router>& e)
    {
        if (e.at.as_table() == nullptr) {
            return;
        }
        check_name(e);
        check_admission(e);
        for_each_entry(e, "address", e.value.addresses, [&](const entry<address_entry>& address) { check_address(address); });
        for_each_entry(e, "route", e.value.routes, [&](const entry<route_entry>& route) { check_destination(route); });
        for_each_entry(e, "secondary_ip", e.value.secondary_ips, [&](const entry<secondary_ip_entry>& secondary) {
            check_only_one(secondary, "address", secondary.value.address.to_string());
        });
        for_each_entry(e, "elastic_ip", e.value.elastic_ips, [&](const entry<elastic_ip_entry>& elastic) {
            if (check_only_one(elastic, "allocation", elastic.value.allocation.str())) {
                check_private_address(elastic);
            }
        });
        for_each_entry(e, "eni", e.value.enis, [&](const entry<eni_entry>& eni) {
            check_interface(eni);
            check_device_index(eni);
        });
    }

private:
    template <class Owner>
    [[nodiscard]] std::string name(const Owner& owner) const
    {
        return fmt::format("{} (line {})", owner.path, r_.line_of(owner.offset));
    }

    void check_name(const entry<router>& e)
    {
        if (!is_sound(r_, e, "router", {"name"})) {
            return;
        }
        if (const auto* const other = names_.claim(e.value.name, e.path, e.where("name"))) {
            r_.error(e.where("name"), e.path_to("name"),
                     fmt::format("found {}, which {} has already; names are unique in a file", in_quotes(e.value.name),
                                 name(*other)));
        }
    }

    // Where adverts for a router arrive.
    struct local_end {
        std::optional<ip_address> source;
        std::string interface;
        std::string path;
        std::size_t offset = 0;
    };

    // An advert is told by its destination, which is our source, by its own source, and by its VRID. Where only the interface
    // is given our source is its primary address, which is not known here: it may be any that is on that interface.
    static bool may_be_the_same(const local_end& a, const local_end& b)
    {
        if (a.source && b.source) {
            return *a.source == *b.source;
        }
        return a.interface.empty() || b.interface.empty() || a.interface == b.interface;
    }

    void check_admission(const entry<router>& e)
    {
        if (!is_sound(r_, e, "router", {"vrid", "source", "interface"})) {
            return;
        }
        const local_end own{e.value.source, e.value.interface, e.path, e.at.offset};
        bool is_told = false;
        for_each_sound_entry(r_, e, "peers", e.value.peers, [&](const entry<vrrp::peer_rule>& at) {
            const auto& peer = at.value;
            auto& ends = ends_[{e.value.vrid, peer.address}];
            const auto other = std::ranges::find_if(
                ends, [&](const local_end& end) { return end.offset != own.offset && may_be_the_same(end, own); });
            if (other == ends.end()) {
                ends.push_back(own);
            } else if (!std::exchange(is_told, true)) {
                const bool is_certain = own.source.has_value() == other->source.has_value();
                r_.error(e.where("vrid"), e.path_to("vrid"),
                         fmt::format("found {} with the peer {}, as {} has from {}; their adverts could not be told apart; {}",
                                     e.value.vrid, peer.address.to_string(), name(*other),
                                     is_certain ? "the same address" : "what may be the same address",
                                     is_certain ? "choose another vrid" : "choose another vrid, or give both a source"));
            }
        });
    }

    void check_address(const entry<address_entry>& e)
    {
        if (!is_sound(r_, e, "router.address", {"address", "interface"})) {
            return;
        }
        const auto* const other = addresses_.claim({e.value.interface, e.value.address.address()}, e.path, e.where("address"));
        if (other != nullptr) {
            r_.error(e.where("address"), e.path_to("address"),
                     fmt::format("found {}, which {} has on {} already; remove one of the two", shown(r_, *e.key("address")),
                                 name(*other), e.value.interface));
        }
    }

    // Which tables a selection means is EC2's to say; here only what is the same for certain.
    void check_destination(const entry<route_entry>& e)
    {
        if (!is_sound(r_, e, "router.route", {"destination", "tables", "interface", "interface_id"})) {
            return;
        }
        const auto where = e.where("destination");
        const auto refuse_second = [&](const first_owners<register_key>::owner& other, std::string_view table) {
            r_.error(where, e.path_to("destination"),
                     fmt::format("found {}, which {} moves in {} already; one route cannot follow two routers",
                                 shown(r_, *e.key("destination")), name(other), table));
        };
        for (const auto& id : e.value.tables.ids) {
            const auto* const other = registers_.claim({id.str(), {}, e.value.destination}, e.path, where);
            if (other != nullptr && other->path != e.path) {
                refuse_second(*other, id.str());
                return;
            }
        }
        if (e.value.tables.ids.empty()) {
            // Tags alone mean tables of the same VPC as `vpc = true` does.
            const auto target = e.value.interface_id ? e.value.interface_id->str() : e.value.interface;
            const auto* const other =
                registers_.claim({"vpc of " + target, in_order(e.value.tables.tags), e.value.destination}, e.path, where);
            if (other != nullptr) {
                refuse_second(*other, "the same tables");
            }
        }
    }

    // Which interface has which name, and which address is its primary one, is not known here: only what is the same for
    // certain is.
    void check_private_address(const entry<elastic_ip_entry>& e)
    {
        const auto& address = e.value.private_address;
        const auto& id = e.value.interface_id;
        const bool has_target = id || !e.value.interface.empty();
        if (!is_sound(r_, e, "router.elastic_ip", {"interface", "interface_id", "private_address"}) || !has_target ||
            (address && address->is_v6())) {
            return;
        }
        const auto* const other =
            private_addresses_.claim({e.value.interface, id ? id->str() : std::string(), address}, e.path, e.at.offset);
        if (other != nullptr) {
            const auto target = id ? id->str() : e.value.interface;
            r_.error(e.where("private_address"), e.path_to("private_address"),
                     fmt::format("{}, and {} is mapped to that already: EC2 maps one Elastic IP to a private address, so "
                                 "each would displace the other; give one of the two another private_address or interface, "
                                 "or remove it",
                                 address ? fmt::format("found {} of {}", in_quotes(address->to_string()), target)
                                         : fmt::format("is not given, which means the primary address of {}", target),
                                 name(*other)));
        }
    }

    void check_device_index(const entry<eni_entry>& e)
    {
        if (!is_sound(r_, e, "router.eni", {"device_index"}) || !e.value.device_index) {
            return;
        }
        const auto index = *e.value.device_index;
        if (const auto* const other = device_indexes_.claim(index, e.path, e.at.offset)) {
            r_.error(e.where("device_index"), e.path_to("device_index"),
                     fmt::format("found {}, which {} is attached at: an instance has one interface at a device index; choose "
                                 "another, or remove it for the first that is free",
                                 index, name(*other)));
        }
    }

    // Which interface an address or tags mean is EC2's to say, too.
    void check_interface(const entry<eni_entry>& e)
    {
        const auto& match = e.value.match;
        if (match.id) {
            check_only_one(e, "match", match.id->str());
        } else if (match.address) {
            check_only_one(e, "match", match.address->to_string());
        } else if (!match.tags.empty()) {
            check_only_one(e, "match", {}, in_order(match.tags));
        }
    }

    // What is at one place at a time follows one router. Whether this is it.
    template <class Entry>
    bool check_only_one(const entry<Entry>& e, std::string_view key, const std::string& what, const tag_filters& tags = {})
    {
        if (!is_sound(r_, e, section_name<Entry>(), {key})) {
            return false;
        }
        const auto* const other = movables_.claim({section_name<Entry>(), what, tags}, e.path, e.where(key));
        if (other != nullptr) {
            r_.error(e.where(key), e.path_to(key),
                     fmt::format("found {}, which {} moves already; it cannot follow both",
                                 tags.empty() ? in_quotes(what) : in_braces(tags), name(*other)));
        }
        return other == nullptr;
    }

    using register_key = std::tuple<std::string, tag_filters, aws::route_destination>;
    using movable_key = std::tuple<std::string_view, std::string, tag_filters>;
    // The interface's name and id, of which one is given.
    using private_address_key = std::tuple<std::string, std::string, std::optional<ip_address>>;

    reading& r_;
    first_owners<std::string> names_;
    std::map<std::pair<std::uint8_t, ip_address>, std::vector<local_end>> ends_;
    first_owners<std::pair<std::string, ip_address>> addresses_;
    first_owners<register_key> registers_;
    first_owners<movable_key> movables_;
    first_owners<private_address_key> private_addresses_;
    first_owners<unsigned> device_indexes_;
};

}  // namespace

void check_conflicts(reading& r, const entry<configuration>& all)
{
    conflict_finder finder{r};
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) { finder.add(e); });
}

}  // namespace vipd::config
