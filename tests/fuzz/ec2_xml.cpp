// Answers of EC2. The first byte chooses the call, the second the status; the rest is the body. Whatever comes: no crash,
// bounded texts, and a mutating call never counts as done on an answer that is not the one of its action.

#include "agent/aws/ec2_reply.hpp"
#include "common/ensure.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace vipd;
using namespace vipd::aws;

void check_text(const std::string& text, std::size_t bytes_max)
{
    ENSURE(text.size() <= bytes_max);
    for (const char c : text) {
        ENSURE(static_cast<unsigned char>(c) >= 0x20);
    }
}

void check_interfaces(const network_interfaces_page& page)
{
    for (const auto& interface : page.interfaces) {
        ENSURE(!interface.id.empty());
        check_text(interface.name, 256);
        check_text(interface.availability_zone, 128);
        ENSURE(!interface.attachment || !interface.attachment->id.empty());
    }
}

void check_tables(const route_tables_page& page)
{
    for (const auto& table : page.tables) {
        ENSURE(!table.id.empty());
        check_text(table.name, 256);
        for (const auto& route : table.routes) {
            check_text(route.target, 256);
            ENSURE(route.destination.to_string().size() <= 128);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) {
        return 0;
    }
    const auto destination = route_destination::prefix_list("pl-1");
    const route_table_id table{"rtb-1"};
    const network_interface_id eni{"eni-1"};
    const auto address = ip_address::v4(10, 0, 0, 1);
    // The first seven are what the corpus was collected with.
    const std::array<ec2_call, 19> calls = {describe_route_tables{},
                                            replace_route{table, destination, eni},
                                            create_route{table, destination, eni},
                                            describe_network_interfaces{},
                                            disable_source_dest_check{eni},
                                            replace_route{table, destination, eni, true},
                                            create_route{table, destination, eni, true},
                                            describe_addresses{},
                                            attach_network_interface{eni, instance_id{"i-1"}},
                                            detach_network_interface{attachment_id{"eni-attach-1"}},
                                            keep_on_termination{eni, attachment_id{"eni-attach-1"}},
                                            assign_private_ip_address{eni, address},
                                            assign_ipv6_address{eni, address},
                                            unassign_ipv6_address{eni, address},
                                            associate_address{allocation_id{"eipalloc-1"}, eni, {}},
                                            describe_vpcs{},
                                            describe_subnets{},
                                            describe_security_groups{},
                                            describe_instance_types{}};
    constexpr std::array<unsigned, 8> statuses = {200, 400, 401, 403, 412, 500, 503, 302};
    const auto& call = calls[data[0] % calls.size()];
    const auto status = statuses[data[1] % statuses.size()];
    const std::string body{reinterpret_cast<const char*>(data) + 2, size - 2};

    http_result result;
    result.outcome = http_response{status, {{"Content-Type", "text/xml"}, {"Date", body.substr(0, 29)}}, body};
    const auto reply = decode_reply(call, result);
    if (const auto* e = std::get_if<ec2_error>(&reply.value)) {
        check_text(e->message, 300);
        check_text(e->code, 128);
    } else if (const auto* page = std::get_if<route_tables_page>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_route_tables>(call));
        check_tables(*page);
    } else if (std::holds_alternative<done>(reply.value)) {
        ENSURE(status == 200 && body.find(action_name(call)) != std::string::npos);
    } else if (const auto* interfaces = std::get_if<network_interfaces_page>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_network_interfaces>(call));
        check_interfaces(*interfaces);
    } else if (const auto* found = std::get_if<vpcs>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_vpcs>(call));
        for (const auto& vpc : found->all) {
            ENSURE(!vpc.id.empty() && !vpc.cidrs.empty());
        }
    } else if (const auto* in_vpc = std::get_if<subnets>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_subnets>(call));
        for (const auto& subnet : in_vpc->all) {
            ENSURE(!subnet.id.empty() && !subnet.cidrs.empty());
            check_text(subnet.availability_zone, 64);
        }
    } else if (const auto* groups = std::get_if<security_groups>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_security_groups>(call));
        for (const auto& group : groups->all) {
            ENSURE(!group.id.empty());
            for (const auto& rule : group.inbound) {
                check_text(rule.protocol, 16);
            }
        }
    } else if (const auto* types = std::get_if<instance_types>(&reply.value)) {
        ENSURE(std::holds_alternative<describe_instance_types>(call));
        for (const auto& type : types->all) {
            check_text(type.type, 64);
            ENSURE(type.interfaces_max > 0);
        }
    } else {
        ENSURE(std::holds_alternative<describe_addresses>(call));
        for (const auto& elastic : std::get<elastic_addresses>(reply.value).all) {
            ENSURE(!elastic.allocation.empty());
            check_text(elastic.public_ip, 128);
            check_text(elastic.name, 256);
        }
    }
    return 0;
}
