#include "agent/node/succession.hpp"

#include "agent/aws/json.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace vipd::node {

namespace {

namespace json = boost::json;

constexpr std::int64_t format_version = 1;
constexpr std::string_view learned_interval_member = "active_adver_interval_nanoseconds";
constexpr std::string_view believed_until_member = "believed_until_nanoseconds";
constexpr std::string_view drain_until_member = "drain_until_nanoseconds";
constexpr std::string_view patient_until_member = "patient_until_nanoseconds";
constexpr std::array notice_kinds = {aws::notice_kind::spot, aws::notice_kind::rebalance, aws::notice_kind::scheduled_event,
                                     aws::notice_kind::auto_scaling};
static_assert(notice_kinds.size() == aws::notice_kind_count);
constexpr std::array roles = {config::hook_event::active, config::hook_event::backup, config::hook_event::fault};

error malformed(std::string_view what)
{
    return {error_class::malformed, "what the last vipd has left " + std::string{what}};
}

const json::value& member(const json::object& object, std::string_view name)
{
    static const json::value none;
    const auto* const found = object.if_contains({name.data(), name.size()});
    return found == nullptr ? none : *found;
}

std::optional<std::int64_t> number(const json::object& object, std::string_view name)
{
    const auto* const found = member(object, name).if_int64();
    return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<vrrp::sequence> sequence_of(const json::object& object, std::string_view name)
{
    boost::system::error_code failed;
    const auto found = member(object, name).to_number<vrrp::sequence>(failed);
    return failed ? std::nullopt : std::optional{found};
}

std::optional<bool> truth(const json::object& object, std::string_view name)
{
    const auto* const found = member(object, name).if_bool();
    return found == nullptr ? std::nullopt : std::optional{*found};
}

// One that is clean, and no longer than that.
std::optional<std::string> short_text(const json::object& object, std::string_view name, std::size_t bytes_max)
{
    const auto* const found = member(object, name).if_string();
    if (found == nullptr || found->size() > bytes_max) {
        return std::nullopt;
    }
    std::string text{found->data(), found->size()};
    return aws::clean_text(text, bytes_max) == text ? std::optional{std::move(text)} : std::nullopt;
}

std::optional<std::vector<std::string>> texts(const json::object& object, std::string_view name)
{
    const auto* const list = member(object, name).if_array();
    if (list == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> all;
    for (const auto& item : *list) {
        const auto* const text = item.if_string();
        if (text == nullptr) {
            return std::nullopt;
        }
        all.emplace_back(text->data(), text->size());
    }
    return all;
}

json::array names_of(const std::vector<std::string>& texts)
{
    return json::array(texts.begin(), texts.end());
}

template <class Text>
json::value text_or_null(const std::optional<Text>& text)
{
    if (!text) {
        return nullptr;
    }
    if constexpr (std::is_same_v<Text, ip_address>) {
        return json::value(text->to_string());
    } else {
        return json::value(text->str());
    }
}

json::object written(const known_interface& known)
{
    json::array tags;
    for (const auto& tag : known.query.tags) {
        tags.emplace_back(json::object{{"key", tag.key}, {"value", tag.value}});
    }
    return {{"id", known.id.str()},
            {"by_id", text_or_null(known.query.id)},
            {"by_address", text_or_null(known.query.address)},
            {"by_tags", std::move(tags)},
            {"vpc", text_or_null(known.query.vpc)}};
}

std::optional<known_interface> read_interface(const json::object& object)
{
    const auto* const tags = member(object, "by_tags").if_array();
    if (tags == nullptr) {
        return std::nullopt;
    }
    const auto text = [&](std::string_view name) { return std::string{aws::json_text(object, name)}; };
    known_interface known;
    known.id = aws::network_interface_id{text("id")};
    if (auto id = text("by_id"); !id.empty()) {
        known.query.id = aws::network_interface_id{std::move(id)};
    }
    if (auto vpc = text("vpc"); !vpc.empty()) {
        known.query.vpc = aws::vpc_id{std::move(vpc)};
    }
    if (const auto address = text("by_address"); !address.empty()) {
        const auto found = ip_address::parse(address);
        if (!found) {
            return std::nullopt;
        }
        known.query.address = *found;
    }
    for (const auto& tag : *tags) {
        const auto* const pair = tag.if_object();
        if (pair == nullptr) {
            return std::nullopt;
        }
        known.query.tags.push_back({std::string{aws::json_text(*pair, "key")}, std::string{aws::json_text(*pair, "value")}});
    }
    return known;
}

// Each object of a list as `read` understands it; nothing at all where an older version has left nothing of the kind. The words
// are those of an error: what they all are, and what one of them is.
template <class Item>
result<std::vector<Item>> read_list(const json::value& value, std::string_view all_name, std::string_view one_name,
                                    std::optional<Item> (*read)(const json::object&))
{
    std::vector<Item> all;
    if (value.is_null()) {
        return all;
    }
    const auto* const list = value.if_array();
    if (list == nullptr) {
        return malformed(fmt::format("has {} that are no list", all_name));
    }
    for (const auto& item : *list) {
        const auto* const object = item.if_object();
        auto one = object == nullptr ? std::nullopt : read(*object);
        if (!one) {
            return malformed(fmt::format("has {} that this version does not understand", one_name));
        }
        all.push_back(std::move(*one));
    }
    return all;
}

// By the clock of this boot. Returns whether it is understood.
bool read_later_time(const json::object& object, std::string_view name, std::optional<time_point>& time)
{
    const auto found = number(object, name);
    if (found) {
        time = time_point{duration{*found}};
    }
    return found || member(object, name).is_null();
}

json::value time_or_null(const std::optional<time_point>& time)
{
    return time ? json::value(time->time_since_epoch().count()) : json::value(nullptr);
}

// What later versions have added is nothing where an older one has left it out. Returns whether it is understood.
bool read_later_additions(const json::object& object, router_succession& r)
{
    if (const auto& role = member(object, "role_told"); !role.is_null()) {
        const auto name = aws::json_text(object, "role_told");
        const auto* const found = std::ranges::find(roles, name, [](config::hook_event e) { return to_string(e); });
        if (found == roles.end()) {
            return false;
        }
        r.role_told = *found;
    }
    if (const auto& numbers = member(object, "numbers"); !numbers.is_null()) {
        if (!numbers.is_object()) {
            return false;
        }
        for (const auto& [name, value] : numbers.get_object()) {
            if (!value.is_int64()) {
                return false;
            }
            r.numbers.emplace(std::string_view{name.data(), name.size()}, value.get_int64());
        }
    }
    auto interfaces = read_list(member(object, "interfaces"), "interfaces", "an interface", read_interface);
    if (!interfaces) {
        return false;
    }
    r.interfaces = std::move(*interfaces);
    if (!member(object, learned_interval_member).is_null()) {
        const auto found = number(object, learned_interval_member);
        if (!found || *found <= 0 || duration{*found} > vrrp::advert_interval_max_v3) {
            return false;
        }
        r.learned_interval = duration{*found};
    }
    return read_later_time(object, believed_until_member, r.believed_until) &&
           read_later_time(object, drain_until_member, r.drain_until) &&
           read_later_time(object, patient_until_member, r.patient_until);
}

result<router_succession> read_router(const json::value& value)
{
    const auto* const object = value.if_object();
    if (object == nullptr) {
        return malformed("has a router that is no object");
    }
    const auto name = aws::json_text(*object, "name");
    const auto vrid = number(*object, "vrid");
    const auto version = number(*object, "version");
    const auto source = ip_address::parse(aws::json_text(*object, "source"));
    const auto epoch = number(*object, "epoch");
    const auto owned = truth(*object, "owned");
    auto well_trackers = texts(*object, "well_trackers");
    auto unwell_trackers = texts(*object, "unwell_trackers");
    const auto due = number(*object, "advert_due_nanoseconds");
    const auto signed_last = sequence_of(*object, "signed_last");
    const bool is_sound = !name.empty() && vrid && *vrid >= 1 && *vrid <= 255 && version && (*version == 2 || *version == 3) &&
                          source && epoch && *epoch >= 0 && owned && well_trackers &&
                          (due || member(*object, "advert_due_nanoseconds").is_null()) &&
                          (unwell_trackers || member(*object, "unwell_trackers").is_null()) &&
                          (signed_last || member(*object, "signed_last").is_null());
    router_succession additions;
    if (!is_sound || !read_later_additions(*object, additions)) {
        return malformed("has a router that this version does not understand");
    }
    return router_succession{.name = std::string{name},
                             .vrid = static_cast<std::uint8_t>(*vrid),
                             .version = static_cast<vrrp::version>(*version),
                             .source = source->is_unspecified() ? std::nullopt : std::optional{*source},
                             .epoch = static_cast<std::uint64_t>(*epoch),
                             .advert_due = due ? std::optional{time_point{duration{*due}}} : std::nullopt,
                             .is_owned = *owned,
                             .well_trackers = std::move(*well_trackers),
                             .unwell_trackers = std::move(unwell_trackers),
                             .signed_last = signed_last,
                             .role_told = additions.role_told,
                             .numbers = std::move(additions.numbers),
                             .interfaces = std::move(additions.interfaces),
                             .learned_interval = additions.learned_interval,
                             .believed_until = additions.believed_until,
                             .drain_until = additions.drain_until,
                             .patient_until = additions.patient_until};
}

json::object written(const router_succession& r)
{
    json::object numbers;
    for (const auto& [name, number] : r.numbers) {
        numbers.emplace(name, number);
    }
    json::array interfaces;
    for (const auto& known : r.interfaces) {
        interfaces.emplace_back(written(known));
    }
    return {{"name", r.name},
            {"vrid", r.vrid},
            {"version", static_cast<int>(r.version)},
            // Older versions want an address here, whatever it is.
            {"source", r.source.value_or(ip_address::v4(0, 0, 0, 0)).to_string()},
            {"epoch", static_cast<std::int64_t>(r.epoch)},
            {"advert_due_nanoseconds", time_or_null(r.advert_due)},
            {"owned", r.is_owned},
            {"well_trackers", names_of(r.well_trackers)},
            {"unwell_trackers", r.unwell_trackers ? json::value(names_of(*r.unwell_trackers)) : json::value(nullptr)},
            {"signed_last", r.signed_last ? json::value(*r.signed_last) : json::value(nullptr)},
            {"role_told", r.role_told ? json::value(std::string{to_string(*r.role_told)}) : json::value(nullptr)},
            {"numbers", std::move(numbers)},
            {"interfaces", std::move(interfaces)},
            {learned_interval_member, r.learned_interval ? json::value(r.learned_interval->count()) : json::value(nullptr)},
            {believed_until_member, time_or_null(r.believed_until)},
            {drain_until_member, time_or_null(r.drain_until)},
            {patient_until_member, time_or_null(r.patient_until)}};
}

std::optional<std::uint8_t> priority_of(const json::object& object, std::string_view name)
{
    const auto found = number(object, name);
    const bool is_sound = found && *found >= 1 && *found < vrrp::priority_owner;
    return is_sound ? std::optional{static_cast<std::uint8_t>(*found)} : std::nullopt;
}

std::optional<priority_succession> read_priority(const json::object& object)
{
    const auto name = aws::json_text(object, "name");
    const auto priority = priority_of(object, "priority");
    const auto configured = priority_of(object, "configured");
    if (name.empty() || !priority || !configured) {
        return std::nullopt;
    }
    return priority_succession{std::string{name}, *priority, *configured};
}

std::optional<address_succession> read_address(const json::object& object)
{
    const auto address = ip_prefix::parse(aws::json_text(object, "address"));
    const auto interface = aws::json_text(object, "interface");
    return address && !interface.empty() ? std::optional{address_succession{*address, std::string{interface}}} : std::nullopt;
}

// None where an older version has left nothing of the kind.
result<std::optional<ec2_path_succession>> read_ec2_path(const json::value& value)
{
    if (value.is_null()) {
        return std::optional<ec2_path_succession>{};
    }
    const auto* const object = value.if_object();
    const auto since = object == nullptr ? std::nullopt : number(*object, "broken_since_nanoseconds");
    auto trouble = object == nullptr ? std::nullopt : short_text(*object, "trouble", trouble_size_max);
    if (!since || *since < 0 || !trouble) {
        return malformed("has a path to EC2 that this version does not understand");
    }
    return std::optional{ec2_path_succession{time_point{duration{*since}}, std::move(*trouble)}};
}

std::optional<aws::notice> read_notice(const json::object& object)
{
    const auto* const kind =
        std::ranges::find(notice_kinds, aws::json_text(object, "kind"), [](aws::notice_kind k) { return aws::to_string(k); });
    auto what = short_text(object, "what", aws::notice_what_size_max);
    const auto at = aws::parse_iso8601(aws::json_text(object, "at"));
    // What a scheduled event has to say is when.
    const bool may_lack_time = kind != notice_kinds.end() && *kind != aws::notice_kind::scheduled_event;
    if (kind == notice_kinds.end() || !what || !(at || (may_lack_time && member(object, "at").is_null()))) {
        return std::nullopt;
    }
    return aws::notice{*kind, std::move(*what), at};
}

bool has_two_of_a_kind(const std::vector<aws::notice>& notices)
{
    const auto is_repeated = [&](const auto& n) { return std::ranges::count(notices, n.kind, &aws::notice::kind) > 1; };
    return notices.size() > aws::notice_kind_count || std::ranges::any_of(notices, is_repeated);
}

}  // namespace

std::string format_succession(const succession& s)
{
    json::array routers;
    for (const auto& r : s.routers) {
        routers.emplace_back(written(r));
    }
    json::array priorities;
    for (const auto& p : s.priorities) {
        priorities.emplace_back(json::object{{"name", p.name}, {"priority", p.priority}, {"configured", p.configured}});
    }
    json::array addresses;
    for (const auto& a : s.addresses) {
        addresses.emplace_back(json::object{{"address", a.address.to_string()}, {"interface", a.interface}});
    }
    json::value path;
    if (s.ec2_path) {
        path = json::object{{"broken_since_nanoseconds", s.ec2_path->broken_since.time_since_epoch().count()},
                            {"trouble", aws::clean_text(s.ec2_path->trouble, trouble_size_max)}};
    }
    json::array notices;
    for (const auto& n : s.notices) {
        notices.emplace_back(json::object{{"kind", std::string{aws::to_string(n.kind)}},
                                          {"what", n.what},
                                          {"at", n.at ? json::value(aws::format_iso8601(*n.at)) : json::value(nullptr)}});
    }
    return json::serialize(json::object{{"format", format_version},
                                        {"maintenance", s.maintenance},
                                        {"routers", std::move(routers)},
                                        {"priorities", std::move(priorities)},
                                        {"addresses", std::move(addresses)},
                                        {"ec2_path", std::move(path)},
                                        {"notices", std::move(notices)}});
}

result<succession> parse_succession(std::string_view text)
{
    if (text.size() > succession_size_max) {
        return malformed("is too long");
    }
    const auto object = aws::parse_json_object(text, "what the last vipd has left");
    if (!object) {
        return object.error();
    }
    const auto maintenance = truth(*object, "maintenance");
    const auto* const routers = member(*object, "routers").if_array();
    if (number(*object, "format") != format_version || !maintenance || routers == nullptr) {
        return malformed("is of a version that this one does not understand");
    }
    auto priorities = read_list(member(*object, "priorities"), "priorities", "a priority", read_priority);
    if (!priorities) {
        return priorities.error();
    }
    auto addresses = read_list(member(*object, "addresses"), "addresses", "an address", read_address);
    if (!addresses) {
        return addresses.error();
    }
    auto path = read_ec2_path(member(*object, "ec2_path"));
    if (!path) {
        return path.error();
    }
    auto notices = read_list(member(*object, "notices"), "notices", "a notice", read_notice);
    if (!notices) {
        return notices.error();
    }
    if (has_two_of_a_kind(*notices)) {
        return malformed("has two notices of one kind");
    }
    succession s{*maintenance, {}, std::move(*priorities), std::move(*addresses), std::move(*path), std::move(*notices)};
    for (const auto& value : *routers) {
        auto router = read_router(value);
        if (!router) {
            return router.error();
        }
        s.routers.push_back(std::move(*router));
    }
    return s;
}

}  // namespace vipd::node
