#include "agent/config/sync_groups.hpp"

#include "agent/config/fields.hpp"
#include "agent/config/text.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace vipd::config {

namespace {

// What a file says of its routers, by their names.
using router_index = std::map<std::string, entry<router>>;

class group_checker {
public:
    group_checker(reading& r, const router_index& routers) : r_(r), routers_(routers) {}

    void check(const entry<sync_group_entry>& e)
    {
        if (!is_sound(r_, e, "sync_group", {"name"})) {
            return;
        }
        if (!names_.insert(e.value.name).second) {
            r_.error(e.where("name"), e.path_to("name"),
                     fmt::format("found {} a second time; give every group a name of its own", in_quotes(e.value.name)));
        }
        const entry<router>* first = nullptr;
        for_each_sound_entry(r_, e, "routers", e.value.routers, [&](const entry<std::string>& member) {
            const auto* const found = find(member, e.value.name);
            if (found == nullptr || is_owner(member, *found)) {
                return;
            }
            if (first == nullptr) {
                first = found;
            }
            check_priority(member, *first, *found);
            check_preemption(member, *first, *found);
        });
    }

private:
    // The router of that name, when it is there and in no group yet.
    const entry<router>* find(const entry<std::string>& member, const std::string& group)
    {
        const auto found = routers_.find(member.value);
        if (found == routers_.end()) {
            r_.error(member.at.offset, member.path,
                     fmt::format("found {}, which is the name of no [[router]]", in_quotes(printable(member.value))));
            return nullptr;
        }
        const auto [other, is_new] = groups_.try_emplace(member.value, group);
        if (!is_new) {
            r_.error(member.at.offset, member.path,
                     fmt::format("found {}, which group {} has already; a router is in one group, once",
                                 in_quotes(member.value), in_quotes(other->second)));
            return nullptr;
        }
        return &found->second;
    }

    // It is Active whenever it runs, whatever the others are.
    bool is_owner(const entry<std::string>& member, const entry<router>& found)
    {
        if (found.value.address_owner) {
            r_.error(member.at.offset, member.path,
                     fmt::format("found {}, which is an address owner: it is Active by itself; set address_owner = false and a "
                                 "priority below 255, or take it out of the group",
                                 in_quotes(member.value)));
        }
        return found.value.address_owner;
    }

    // Were they to differ, one node could win the election of one router and another node that of the next, and the group
    // would stay where it is for ever.
    void check_priority(const entry<std::string>& member, const entry<router>& first, const entry<router>& found)
    {
        if (found.value.priority != first.value.priority) {
            r_.error(member.at.offset, member.path,
                     fmt::format("found {} with priority {}, and {} has {}; routers of a group have one priority, for they win "
                                 "their elections together",
                                 in_quotes(found.value.name), found.value.priority, in_quotes(first.value.name),
                                 first.value.priority));
        }
    }

    void check_preemption(const entry<std::string>& member, const entry<router>& first, const entry<router>& found)
    {
        if (found.value.preempt != first.value.preempt) {
            r_.warning(member.at.offset, member.path,
                       fmt::format("{} has preempt = {}, and {} has {}: the group preempts when all of its routers do",
                                   in_quotes(found.value.name), found.value.preempt, in_quotes(first.value.name),
                                   first.value.preempt));
        }
    }

    reading& r_;
    const router_index& routers_;
    std::set<std::string> names_;
    std::map<std::string, std::string> groups_;  // of a router
};

}  // namespace

void check_sync_groups(reading& r, const entry<configuration>& all)
{
    router_index routers;
    bool all_sound = true;
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) {
        all_sound = all_sound && is_sound(r, e, "router", {"name", "priority", "address_owner", "preempt"});
        routers.emplace(e.value.name, e);
    });
    if (!all_sound) {
        return;  // what is wrong with a router is said where it stands
    }
    group_checker checker{r, routers};
    for_each_entry(all, "sync_group", all.value.sync_groups, [&](const entry<sync_group_entry>& e) { checker.check(e); });
}

}  // namespace vipd::config
