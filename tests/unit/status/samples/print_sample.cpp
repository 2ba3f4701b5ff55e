// Prints what the status endpoint answers for sample routers: for promtool, and for looking at the page.
//
//     print_sample PATH [ROUTERS]        one of the sample routers each time, in turn; 3 when not told

#include "tests/support/fake_node.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

int main(int count, char** arguments)
{
    using namespace vipd::status;
    using namespace vipd::status::test;
    if (count < 2) {
        std::cerr << "usage: print_sample PATH [ROUTERS]\n";
        return 2;
    }
    const int routers = count > 2 ? std::atoi(arguments[2]) : 3;
    fake_node node;
    for (int i = 0; i < routers; ++i) {
        const std::string name = i == 0 ? "haproxy" : "router-" + std::to_string(i);
        node.routers.push_back(i % 3 == 0 ? sample_router(name) : i % 3 == 1 ? sample_backup(name) : sample_in_trouble(name));
    }
    node.the_node.router_count = node.routers.size();
    node.events = {sample_event(1, "Initialize -> Backup: started"), sample_event(2, "Backup -> Active: no advert for 722 ms"),
                   sample_event(3, "ReplaceRoute 172.16.1.100/32 in rtb-0a1b2c3d4e5f60718: ok after 180 ms")};
    fake_commands commands;
    responder endpoint(node, commands);
    http_request request;
    request.method = "GET";
    request.target = arguments[1];
    auto reply = endpoint.respond(at({}), request);
    std::cout << text_of(reply, at({}));
    return reply.status == 200 ? 0 : 1;
}
