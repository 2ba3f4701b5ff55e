#pragma once

// Short ways to write what EC2 says.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/ec2_reply.hpp"
#include "agent/takeover/desired.hpp"

#include <string>
#include <utility>
#include <vector>

namespace vipd::test {

inline aws::route_destination destination(const char* cidr = "172.16.1.100/32")
{
    return aws::route_destination::cidr(*ip_prefix::parse(cidr));
}

inline aws::network_interface_id eni(const char* id)
{
    return aws::network_interface_id{id};
}

inline aws::route_table_id rtb(const std::string& id)
{
    return aws::route_table_id{id};
}

inline aws::route route_to(const char* interface, aws::route_state state = aws::route_state::active,
                           const aws::route_destination& d = destination())
{
    return {.destination = d, .interface = eni(interface), .target = interface, .state = state, .propagated = false};
}

inline aws::ec2_reply reply_done()
{
    return {aws::done{}, aws::request_id{"req-ok"}, std::nullopt};
}

inline aws::ec2_reply reply_error(aws::ec2_error_class kind, std::string code = "SomeCode")
{
    return {aws::ec2_error{kind, std::move(code), "some message", aws::request_id{"req-error"}}, {}, std::nullopt};
}

inline aws::ec2_reply reply_page(std::vector<aws::route_table> tables, std::string next_token = {})
{
    return {aws::route_tables_page{std::move(tables), std::move(next_token)}, {}, std::nullopt};
}

inline aws::route_table table(const std::string& id, std::vector<aws::route> routes)
{
    return {rtb(id), aws::vpc_id{"vpc-1"}, "", std::move(routes), false};
}

inline aws::call_done call_done(const aws::ec2_reply& reply, time_point issued, time_point first_byte, time_point finished)
{
    return {aws::ec2_call_id{1}, reply, issued, first_byte, finished};
}

}  // namespace vipd::test
