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
    const std::array<ec2_call, 7> calls = {describe_route_tables{},
                                           replace_route{table, destination, eni},
                                           create_route{table, destination, eni},
                                           describe_network_interfaces{},
                                           disable_source_dest_check{eni},
                                           replace_route{table, destination, eni, true},
                                           create_route{table, destination, eni, true}};
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
    } else {
        ENSURE(std::holds_alternative<describe_network_interfaces>(call));
    }
    return 0;
}
