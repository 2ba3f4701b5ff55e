#include "agent/aws/identity_probe.hpp"

#include "agent/aws/json.hpp"
#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace vipd::aws {

namespace {

constexpr std::string_view document_path = "/latest/dynamic/instance-identity/document";
constexpr std::string_view interfaces_path = "/latest/meta-data/network/interfaces/macs/";

enum class field : std::uint8_t { interface_id, vpc, subnet, subnet_prefixes, addresses };
struct field_name {
    field which;
    std::string_view name;
    std::string_view id_prefix;        // of the id that it is; empty: a list, which may be absent
    ip_family family = ip_family::v4;  // of the list

    [[nodiscard]] constexpr bool is_mandatory() const { return !id_prefix.empty(); }
};
constexpr std::array<field_name, 7> fields = {{{field::interface_id, "interface-id", "eni"},
                                               {field::vpc, "vpc-id", "vpc"},
                                               {field::subnet, "subnet-id", "subnet"},
                                               {field::subnet_prefixes, "subnet-ipv4-cidr-block", {}},
                                               {field::subnet_prefixes, "subnet-ipv6-cidr-blocks", {}, ip_family::v6},
                                               {field::addresses, "local-ipv4s", {}},
                                               {field::addresses, "ipv6s", {}, ip_family::v6}}};

// After a refresh; each counts from the pass before. An interface is attached before the metadata service lists it: mostly by
// seconds, and nobody promises by how many.
constexpr std::array<std::chrono::seconds, 12> refresh_pauses = [] {
    std::array<std::chrono::seconds, 12> pauses{};
    pauses.fill(std::chrono::seconds{60});
    constexpr std::array<int, 6> first = {1, 1, 2, 4, 10, 30};
    for (std::size_t i = 0; i < first.size(); ++i) {
        pauses[i] = std::chrono::seconds{first[i]};
    }
    return pauses;
}();
constexpr std::chrono::seconds pass_spacing{1};

template <class F>
void for_each_line(std::string_view text, F f)
{
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trim(text.substr(0, end));
        if (!line.empty()) {
            f(line);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

// Of each line that is one.
template <class Value>
void append_parsed(std::string_view text, std::vector<Value>& out)
{
    for_each_line(text, [&](std::string_view line) {
        if (const auto value = Value::parse(line)) {
            out.push_back(*value);
        }
    });
}

}  // namespace

result<instance_identity> parse_identity_document(std::string_view body)
{
    const auto object = parse_json_object(body, "the instance identity document");
    if (!object) {
        return object.error();
    }
    const auto region = json_text(*object, "region");
    const auto instance = json_text(*object, "instanceId");
    if (!is_plain_id(region) || !is_plain_id(instance)) {
        return error{error_class::malformed, "the instance identity document lacks region or instanceId"};
    }
    instance_identity identity;
    identity.region = region;
    identity.instance = instance_id{std::string{instance}};
    identity.availability_zone = clean_text(json_text(*object, "availabilityZone"), 128);
    identity.account = clean_text(json_text(*object, "accountId"), 128);
    const auto type = json_text(*object, "instanceType");
    identity.instance_type = is_plain_id(type) ? std::string{type} : std::string{};
    return identity;
}

std::vector<std::string> parse_mac_list(std::string_view body)
{
    std::vector<std::string> macs;
    for_each_line(body, [&](std::string_view line) {
        auto mac = to_lower(line.ends_with('/') ? line.substr(0, line.size() - 1) : line);
        if (is_mac(mac) && macs.size() < interfaces_max) {
            macs.push_back(std::move(mac));
        }
    });
    // In an order of its own, so that one identity equals the next.
    std::ranges::sort(macs);
    macs.erase(std::unique(macs.begin(), macs.end()), macs.end());
    return macs;
}

identity_probe::identity_probe(std::uint64_t seed) :
    random_(seed), backoff_({.base = std::chrono::milliseconds{250}, .cap = std::chrono::seconds{5}})
{}

void identity_probe::start(time_point now)
{
    next_pass_ = now;
}

void identity_probe::refresh(time_point now)
{
    refreshes_left_ = refresh_pauses.size();
    if (state_ == state::idle) {
        next_pass_ = std::min(next_pass_, std::max(now, last_pass_ ? *last_pass_ + pass_spacing : now));
    }
}

std::optional<std::string> identity_probe::poll_path(time_point now)
{
    if (awaiting_ || (state_ == state::idle && next_pass_ > now)) {
        return std::nullopt;
    }
    awaiting_ = true;
    switch (state_) {
        case state::idle:
            next_pass_ = never;
            state_ = state::asking_document;
            found_ = {};
            missed_lists_.clear();
            in_doubt_ = false;
            [[fallthrough]];
        case state::asking_document:
            return std::string{document_path};
        case state::asking_interfaces:
            return std::string{interfaces_path};
        case state::asking_field:
            return fmt::format("{}{}/{}", interfaces_path, found_.interfaces[position_].mac, fields[field_].name);
    }
    return std::nullopt;
}

void identity_probe::handle(time_point now, result<std::string>&& body)
{
    ENSURE(awaiting_);
    awaiting_ = false;
    if (!body && !(state_ == state::asking_field && body.error().kind == error_class::not_found)) {
        fail(now, body.error().text);
        return;
    }
    const auto text = body ? std::move(*body) : std::string{};
    switch (state_) {
        case state::asking_document:
            take_document(now, text);
            break;
        case state::asking_interfaces:
            take_interfaces(now, text);
            break;
        case state::asking_field:
            take_field(now, text);
            break;
        case state::idle:
            break;
    }
}

void identity_probe::take_document(time_point now, const std::string& body)
{
    auto identity = parse_identity_document(body);
    if (!identity) {
        fail(now, identity.error().text);
        return;
    }
    found_ = std::move(*identity);
    state_ = state::asking_interfaces;
}

void identity_probe::take_interfaces(time_point now, const std::string& body)
{
    for (auto& mac : parse_mac_list(body)) {
        found_.interfaces.push_back(
            {.mac = std::move(mac), .id = {}, .vpc = {}, .subnet = {}, .subnet_prefixes = {}, .addresses = {}});
    }
    if (found_.interfaces.empty()) {
        fail(now, "IMDS lists no network interface");
        return;
    }
    state_ = state::asking_field;
    position_ = 0;
    field_ = 0;
}

// An interface has the IPv4 addresses' first one and its subnet's IPv4 range for as long as it exists: an answer without them
// is wrong. Those of IPv6 may be taken from it, which is believed when the next pass says so too. A node that is Active would
// otherwise take away from itself what it serves.
template <class Value>
void identity_probe::take_list(const std::string& body, std::vector<Value> instance_interface::*list)
{
    const auto& asked = fields[field_];
    auto& interface = found_.interfaces[position_];
    auto& values = interface.*list;
    const auto count = values.size();
    append_parsed<Value>(body, values);
    const auto* const before = known(interface.mac);
    if (values.size() > count || before == nullptr || before->id != interface.id) {
        return;
    }
    const std::pair name{interface.mac, field_};
    if (asked.family == ip_family::v6 && missed_lists_before_.contains(name)) {
        return;
    }
    std::ranges::copy_if(before->*list, std::back_inserter(values), [&](const Value& v) { return v.family() == asked.family; });
    if (values.size() > count) {
        missed_lists_.insert(name);
        in_doubt_ = true;
    }
}

// An empty body stands for an absent item: an interface without addresses of a family has no list of them.
void identity_probe::take_field(time_point now, const std::string& body)
{
    auto& interface = found_.interfaces[position_];
    const auto& asked = fields[field_];
    const auto id =
        asked.is_mandatory() && is_resource_id(trim(body), asked.id_prefix) ? std::string{trim(body)} : std::string{};
    switch (asked.which) {
        case field::interface_id:
            interface.id = network_interface_id{id};
            break;
        case field::vpc:
            interface.vpc = vpc_id{id};
            break;
        case field::subnet:
            interface.subnet = id;
            break;
        case field::subnet_prefixes:
            take_list(body, &instance_interface::subnet_prefixes);
            break;
        case field::addresses:
            take_list(body, &instance_interface::addresses);
            break;
    }
    if (asked.is_mandatory() && id.empty()) {
        // It is coming or going, or IMDS is wrong this once. Without these nothing can be routed to it, so one that is new
        // waits for a later pass.
        in_doubt_ = true;
        field_ = 0;
        if (const auto* const before = known(interface.mac)) {
            interface = *before;
            ++position_;
        } else {
            found_.interfaces.erase(found_.interfaces.begin() + static_cast<std::ptrdiff_t>(position_));
        }
    } else if (++field_ == fields.size()) {
        in_doubt_ = in_doubt_ || interface.addresses.empty();  // each has one: IMDS lags behind
        field_ = 0;
        ++position_;
    }
    if (found_.interfaces.empty()) {
        fail(now, "IMDS knows no id of any network interface");
    } else if (position_ == found_.interfaces.size()) {
        finish(now);
    }
}

// None when it is another instance's: an image of a running machine has woken up elsewhere.
const instance_interface* identity_probe::known(const std::string& mac) const
{
    if (!identity_ || identity_->instance != found_.instance) {
        return nullptr;
    }
    const auto found = std::ranges::find(identity_->interfaces, mac, &instance_interface::mac);
    return found == identity_->interfaces.end() ? nullptr : &*found;
}

void identity_probe::keep_unlisted()
{
    const auto unlisted_before = std::exchange(unlisted_, {});
    if (!identity_) {
        return;
    }
    const auto is_in = [](const auto& list, const std::string& mac) { return std::ranges::find(list, mac) != list.end(); };
    std::vector<std::string> listed;
    std::ranges::transform(found_.interfaces, std::back_inserter(listed), &instance_interface::mac);
    for (const auto& interface : identity_->interfaces) {
        if (known(interface.mac) != nullptr && !is_in(listed, interface.mac) && !is_in(unlisted_before, interface.mac)) {
            unlisted_.push_back(interface.mac);
            found_.interfaces.push_back(interface);
            in_doubt_ = true;
        }
    }
    std::ranges::sort(found_.interfaces, {}, &instance_interface::mac);
}

void identity_probe::finish(time_point now)
{
    keep_unlisted();
    missed_lists_before_ = std::exchange(missed_lists_, {});
    if (in_doubt_) {
        refreshes_left_ = was_in_doubt_ ? std::max<std::size_t>(refreshes_left_, 1) : refresh_pauses.size();
    }
    was_in_doubt_ = in_doubt_;
    state_ = state::idle;
    problem_.clear();
    backoff_.reset();
    last_pass_ = now;
    if (identity_ != found_) {
        identity_ = std::move(found_);
        changed_ = true;
    }
    if (refreshes_left_ > 0) {
        next_pass_ = now + refresh_pauses[refresh_pauses.size() - refreshes_left_];
        --refreshes_left_;
    }
}

void identity_probe::fail(time_point now, std::string_view problem)
{
    state_ = state::idle;
    problem_ = clean_text(problem, 300);
    last_pass_ = now;
    next_pass_ = now + backoff_.next(random_);
}

wakeup identity_probe::next_wakeup() const
{
    return state_ == state::idle ? wakeup{next_pass_, "instance identity"} : wakeup{};
}

bool identity_probe::take_changed()
{
    return std::exchange(changed_, false);
}

}  // namespace vipd::aws
