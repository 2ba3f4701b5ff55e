// Filters of what can be moved, and of what it is moved to: interfaces, instances, Elastic IPs.

#include "tests/cloud/filter_fields.hpp"

namespace vipd::cloud {

namespace {

using values = filter_values;

template <class F>
auto of_attachment(F value_of)
{
    return [value_of](const network_interface& i, const replica&) {
        return i.attached ? values{std::string(value_of(*i.attached))} : values{};
    };
}

// Of the Elastic IPs that an interface's addresses have.
template <class F>
auto of_associations(F value_of)
{
    return [value_of](const network_interface& i, const replica& from) {
        values found;
        for (const auto& address : i.addresses) {
            if (const auto* elastic = from.associated_with(i.id, address)) {
                found.push_back(value_of(*elastic));
            }
        }
        return found;
    };
}

void add_attachment_fields(field_table<network_interface>& fields)
{
    fields["attachment.attachment-id"] = of_attachment([](const attachment& a) { return a.id; });
    fields["attachment.delete-on-termination"] =
        of_attachment([](const attachment& a) { return yes_or_no(a.delete_on_termination); });
    fields["attachment.device-index"] = of_attachment([](const attachment& a) { return std::to_string(a.device_index); });
    fields["attachment.instance-id"] = of_attachment([](const attachment& a) { return a.instance.str(); });
    fields["attachment.status"] = of_attachment([](const attachment& a) { return to_string(a.status); });
}

void add_address_fields(field_table<network_interface>& fields)
{
    using interface = network_interface;
    const auto addresses = [](const interface& i, const replica&) { return texts_of(i.addresses); };
    fields["private-ip-address"] = addresses;
    fields["addresses.private-ip-address"] = addresses;
    fields["ipv6-addresses.ipv6-address"] = [](const interface& i, const replica&) { return texts_of(i.addresses6); };
    fields["addresses.association.public-ip"] =
        of_associations([](const elastic_ip& e) { return e.public_address.to_string(); });
    fields["association.public-ip"] = fields["addresses.association.public-ip"];
    fields["association.allocation-id"] = of_associations([](const elastic_ip& e) { return e.id.str(); });
    fields["association.association-id"] = of_associations([](const elastic_ip& e) { return e.association; });
}

const field_table<network_interface>& interface_fields()
{
    using interface = network_interface;
    static const field_table<interface> fields = [] {
        field_table<interface> table{
            {"availability-zone", [](const interface& i, const replica& from) { return values{zone_of(i.subnet, from)}; }},
            {"description", [](const interface& i, const replica&) { return values{i.description}; }},
            {"group-id",
             [](const interface& i, const replica&) {
                 return collect(i.groups, [](const security_group_id& id) { return id.str(); });
             }},
            {"mac-address", [](const interface& i, const replica&) { return values{i.mac}; }},
            {"network-interface-id", [](const interface& i, const replica&) { return values{i.id.str()}; }},
            {"owner-id", [](const interface&, const replica& from) { return values{from.state.account}; }},
            {"source-dest-check", [](const interface& i, const replica&) { return values{yes_or_no(i.source_dest_check)}; }},
            {"status", [](const interface& i, const replica&) { return values{std::string(i.status())}; }},
            {"subnet-id", [](const interface& i, const replica&) { return values{i.subnet.str()}; }},
            {"vpc-id", [](const interface& i, const replica& from) { return values{from.state.vpc_of(i).str()}; }},
        };
        add_attachment_fields(table);
        add_address_fields(table);
        return table;
    }();
    return fields;
}

// Of all interfaces of an instance.
template <class F>
auto of_interfaces(F values_of)
{
    return [values_of](const instance& i, const replica& from) {
        values found;
        for (const auto* interface : from.interfaces_of(i.id)) {
            for (auto& value : values_of(*interface)) {
                found.push_back(std::move(value));
            }
        }
        return found;
    };
}

const field_table<instance>& instance_fields()
{
    static const field_table<instance> fields{
        {"availability-zone", [](const instance& i, const replica& from) { return values{zone_of(i.subnet, from)}; }},
        {"instance-id", [](const instance& i, const replica&) { return values{i.id.str()}; }},
        // EC2 has no word for what is not spot.
        {"instance-lifecycle", [](const instance& i, const replica&) { return i.spot ? values{"spot"} : values{}; }},
        {"instance-state-code",
         [](const instance& i, const replica&) { return values{std::to_string(static_cast<int>(i.state))}; }},
        {"instance-state-name", [](const instance& i, const replica&) { return values{std::string(to_string(i.state))}; }},
        {"instance-type", [](const instance& i, const replica&) { return values{i.type.str()}; }},
        {"network-interface.addresses.private-ip-address",
         of_interfaces([](const network_interface& n) { return texts_of(n.addresses); })},
        {"network-interface.network-interface-id",
         of_interfaces([](const network_interface& n) { return values{n.id.str()}; })},
        {"private-ip-address", of_interfaces([](const network_interface& n) {
             const bool primary = n.attached->device_index == 0 && !n.addresses.empty();
             return primary ? values{n.addresses.front().to_string()} : values{};
         })},
        {"subnet-id", [](const instance& i, const replica&) { return values{i.subnet.str()}; }},
        {"vpc-id",
         [](const instance& i, const replica& from) {
             const auto* where = from.state.find_subnet(i.subnet);
             return where == nullptr ? values{} : values{where->vpc.str()};
         }},
    };
    return fields;
}

const field_table<elastic_ip>& elastic_ip_fields()
{
    const auto if_associated = [](auto value_of) {
        return [value_of](const elastic_ip& e, const replica&) { return e.is_associated() ? values{value_of(e)} : values{}; };
    };
    static const field_table<elastic_ip> fields{
        {"allocation-id", [](const elastic_ip& e, const replica&) { return values{e.id.str()}; }},
        {"association-id", if_associated([](const elastic_ip& e) { return e.association; })},
        {"instance-id",
         [](const elastic_ip& e, const replica& from) {
             const auto* interface = from.interface(e.interface);
             return interface != nullptr && interface->attached ? values{interface->attached->instance.str()} : values{};
         }},
        {"network-border-group", [](const elastic_ip&, const replica& from) { return values{from.state.region}; }},
        {"network-interface-id", if_associated([](const elastic_ip& e) { return e.interface.str(); })},
        {"private-ip-address", if_associated([](const elastic_ip& e) { return e.private_address.to_string(); })},
        {"public-ip", [](const elastic_ip& e, const replica&) { return values{e.public_address.to_string()}; }},
    };
    return fields;
}

}  // namespace

api_result<bool> matches(const std::vector<filter>& filters, const network_interface& interface, const replica& from)
{
    return match_all(filters, interface_fields(), interface, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const instance& machine, const replica& from)
{
    return match_all(filters, instance_fields(), machine, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const elastic_ip& address, const replica& from)
{
    return match_all(filters, elastic_ip_fields(), address, from);
}

}  // namespace vipd::cloud
