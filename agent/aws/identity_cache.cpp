#include "agent/aws/identity_cache.hpp"

#include "agent/aws/json.hpp"
#include "agent/aws/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::aws {

namespace {

namespace json = boost::json;

constexpr std::int64_t format_version = 2;
constexpr std::size_t place_size_max = 128;  // a zone, an account
constexpr std::size_t addresses_max = 512;   // of one interface; EC2's largest have 50 of each family
constexpr std::size_t identity_members = 8;  // no others: whoever wrote more meant more than this version knows
constexpr std::size_t interface_members = 6;

bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_id_of(std::string_view text, std::string_view prefix)
{
    return is_plain_id(text) && text.starts_with(prefix) && text.size() > prefix.size();
}

bool is_place(const json::object& object, std::string_view key)
{
    const auto* const value = object.if_contains({key.data(), key.size()});
    const auto text = json_text(object, key);
    return value != nullptr && value->is_string() && clean_text(text, place_size_max) == text;
}

error malformed(std::string_view what)
{
    return {error_class::malformed, fmt::format("the identity cache {}", what)};
}

// The list of an interface's addresses, or of its subnet's prefixes.
template <class Value>
result<std::vector<Value>> read_list(const json::object& object, std::string_view name)
{
    const auto* const value = object.if_contains({name.data(), name.size()});
    const auto* const list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->size() > addresses_max) {
        return malformed(fmt::format("lacks the list of an interface's {}, or has too long a one", name));
    }
    std::vector<Value> all;
    for (const auto& item : *list) {
        const auto* const text = item.if_string();
        const auto one = text == nullptr ? result<Value>{error{}} : Value::parse({text->data(), text->size()});
        if (!one) {
            return malformed(fmt::format("holds one of the {} that is none", name));
        }
        all.push_back(*one);
    }
    return all;
}

template <class Value>
json::array to_list(const std::vector<Value>& values)
{
    json::array list;
    for (const auto& value : values) {
        list.emplace_back(value.to_string());
    }
    return list;
}

result<instance_interface> read_interface(const json::value& value)
{
    const auto* const object = value.if_object();
    if (object == nullptr || object->size() != interface_members) {
        return malformed("holds an interface with other members than its version has");
    }
    const auto mac = json_text(*object, "mac");
    const auto id = json_text(*object, "id");
    const auto vpc = json_text(*object, "vpc");
    const auto subnet = json_text(*object, "subnet");
    if (!is_mac(mac)) {
        return malformed("holds a MAC address that is none");
    }
    if (!is_id_of(id, "eni-") || !is_id_of(vpc, "vpc-") || !is_id_of(subnet, "subnet-")) {
        return malformed("holds an interface whose id, VPC or subnet is none");
    }
    auto prefixes = read_list<ip_prefix>(*object, "subnet_prefixes");
    if (!prefixes) {
        return prefixes.error();
    }
    auto addresses = read_list<ip_address>(*object, "addresses");
    if (!addresses) {
        return addresses.error();
    }
    return instance_interface{.mac = std::string{mac},
                              .id = network_interface_id{std::string{id}},
                              .vpc = vpc_id{std::string{vpc}},
                              .subnet = std::string{subnet},
                              .subnet_prefixes = std::move(*prefixes),
                              .addresses = std::move(*addresses)};
}

result<std::vector<instance_interface>> read_interfaces(const json::object& object)
{
    const auto* const value = object.if_contains("interfaces");
    const auto* const list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->empty() || list->size() > interfaces_max) {
        return malformed(fmt::format("lacks the list of 1 to {} interfaces", interfaces_max));
    }
    std::vector<instance_interface> interfaces;
    for (const auto& item : *list) {
        auto interface = read_interface(item);
        if (!interface) {
            return interface.error();
        }
        // The order of the probe, so that what IMDS confirms is equal.
        if (!interfaces.empty() && interfaces.back().mac >= interface->mac) {
            return malformed("lists its interfaces in another order than that of their MAC addresses, or one of them twice");
        }
        interfaces.push_back(std::move(*interface));
    }
    return interfaces;
}

}  // namespace

std::string parse_boot_id(std::string_view text)
{
    constexpr std::size_t digits = 32;
    std::string id{trim(text)};
    if (id.size() == digits + 4 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-') {
        std::erase(id, '-');
    }
    return id.size() == digits && std::ranges::all_of(id, is_hex_digit) ? id : std::string{};
}

std::string format_identity(const instance_identity& identity, std::string_view boot_id)
{
    json::array interfaces;
    for (const auto& i : identity.interfaces) {
        interfaces.emplace_back(json::object{{"mac", i.mac},
                                             {"id", i.id.str()},
                                             {"vpc", i.vpc.str()},
                                             {"subnet", i.subnet},
                                             {"subnet_prefixes", to_list(i.subnet_prefixes)},
                                             {"addresses", to_list(i.addresses)}});
    }
    const json::object all{{"version", format_version},
                           {"boot_id", json::string_view{boot_id.data(), boot_id.size()}},
                           {"instance", identity.instance.str()},
                           {"region", identity.region},
                           {"availability_zone", identity.availability_zone},
                           {"account", identity.account},
                           {"instance_type", identity.instance_type},
                           {"interfaces", std::move(interfaces)}};
    return json::serialize(all) + "\n";
}

result<instance_identity> parse_identity(std::string_view text, std::string_view boot_id)
{
    if (text.size() > identity_cache_bytes_max) {
        return error{error_class::too_large,
                     fmt::format("the identity cache is larger than {} bytes", identity_cache_bytes_max)};
    }
    const auto object = parse_json_object(text, "the identity cache");
    if (!object) {
        return object.error();
    }
    const auto* const version = object->if_contains("version");
    if (version == nullptr || !version->is_int64() || version->get_int64() != format_version ||
        object->size() != identity_members) {
        return malformed("was written by another version");
    }
    const auto written_in = json_text(*object, "boot_id");
    if (written_in.empty() || parse_boot_id(written_in) != written_in) {
        return malformed("does not say of which boot it is");
    }
    const auto instance = json_text(*object, "instance");
    const auto region = json_text(*object, "region");
    if (!is_id_of(instance, "i-") || !is_plain_id(region)) {
        return malformed("holds an instance or a region that is none");
    }
    if (!is_place(*object, "availability_zone") || !is_place(*object, "account")) {
        return malformed("holds an availability zone or an account that is none");
    }
    if (!is_place(*object, "instance_type")) {
        return malformed("holds an instance type that is none");
    }
    auto interfaces = read_interfaces(*object);
    if (!interfaces) {
        return interfaces.error();
    }
    // Judged last: a file of another boot is no reason to worry, a broken one is.
    if (written_in != boot_id) {
        return error{error_class::out_of_range, "the identity cache is of another boot"};
    }
    return instance_identity{.instance = instance_id{std::string{instance}},
                             .region = std::string{region},
                             .availability_zone = std::string{json_text(*object, "availability_zone")},
                             .account = std::string{json_text(*object, "account")},
                             .interfaces = std::move(*interfaces),
                             .instance_type = std::string{json_text(*object, "instance_type")}};
}

identity_cache::identity_cache(std::string path, std::string_view boot_id, log_sink& log) :
    path_(std::move(path)), boot_id_(parse_boot_id(boot_id)), log_(log)
{}

std::optional<std::string> identity_cache::file_to_read() const
{
    if (path_.empty()) {
        return std::nullopt;
    }
    if (boot_id_.empty()) {
        log_.warning("identity_cache", {{"outcome", "off"},
                                        {"reason",
                                         "neither /proc/sys/kernel/random/boot_id nor VIPD_BOOT_ID says which boot "
                                         "this is"}});
        return std::nullopt;
    }
    return path_;
}

void identity_cache::take(const result<std::string>& content)
{
    if (!content && content.error().kind == error_class::not_found) {
        return;
    }
    auto read = content ? parse_identity(*content, boot_id_) : result<instance_identity>{content.error()};
    if (read) {
        stand_in_ = std::move(*read);
        return;
    }
    const auto problem = read.error();
    const std::array<log_field, 3> fields = {{{"outcome", "ignored"}, {"file", path_}, {"reason", problem.text}}};
    // Every boot begins with a file of the one before, where the file outlives it.
    const bool is_expected = problem.kind == error_class::out_of_range;
    log_.write({is_expected ? log_level::info : log_level::warning, "identity_cache", fields});
}

std::optional<std::string> identity_cache::replace(time_point now, const instance_identity& identity)
{
    stand_in_.reset();
    if (path_.empty() || boot_id_.empty()) {
        return std::nullopt;
    }
    auto text = format_identity(identity, boot_id_);
    // Nothing is written that would not be believed afterwards.
    if (const auto read_back = parse_identity(text, boot_id_); !read_back) {
        not_written(now, read_back.error().text);
        return std::nullopt;
    }
    return text;
}

void identity_cache::written(time_point now, const result<void>& outcome)
{
    if (!outcome) {
        not_written(now, outcome.error().text);
    }
}

void identity_cache::not_written(time_point now, std::string_view reason)
{
    const auto verdict = limiter_.admit(now, "identity_cache", "not_written");
    if (verdict.write) {
        log_.warning(
            "identity_cache",
            {{"outcome", "not_written"}, {"file", path_}, {"reason", reason}, {"like_it_since_last_line", verdict.suppressed}});
    }
}

}  // namespace vipd::aws
