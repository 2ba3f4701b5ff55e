#pragma once

// An account in which much can be moved: zone a with two subnets, zone b, another VPC, both families, an interface and two
// Elastic IPs that are nobody's.

#include "tests/unit/cloud/cloud_fixture.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

inline constexpr const char* node_c = "i-0aaaaaaaaaaaaaaa3";         // in zone b
inline constexpr const char* node_d = "i-0aaaaaaaaaaaaaaa4";         // in the other VPC, which no internet gateway belongs to
inline constexpr const char* interface_d = "eni-0aaaaaaaaaaaaaaa4";  // of node d
inline constexpr const char* floating = "eni-0aaaaaaaaaaaaaaa9";     // zone a, 10.0.1.50
inline constexpr const char* other_floating = "eni-0aaaaaaaaaaaaaaa8";      // zone a, 10.0.1.51
inline constexpr const char* floating_in_b = "eni-0aaaaaaaaaaaaaaa7";       // zone b
inline constexpr const char* managed = "eni-0aaaaaaaaaaaaaaa6";             // by another service
inline constexpr const char* elastic = "eipalloc-0aaaaaaaaaaaaaaa1";        // 203.0.113.10
inline constexpr const char* other_elastic = "eipalloc-0aaaaaaaaaaaaaaa2";  // 203.0.113.11

std::string_view moves_topology();

class moves_test : public cloud_test {
protected:
    moves_test() : cloud_test(moves_topology()) {}

    // "200", or the error's status and code.
    std::string attach(const char* interface, const char* instance, int device_index = 1);
    std::string detach(const char* interface, bool force = false);
    std::string assign(const char* interface, const std::string& address, bool reassign = false);
    std::string unassign(const char* interface, const std::string& address);
    std::string associate(const char* allocation, const char* interface, const std::string& private_address = {});

    // The model's own view.
    const network_interface& interface(const char* id);
    const elastic_ip& elastic_ip_of(const char* id);
    std::string attachment_of(const char* id);       // empty: none
    std::string holder(const std::string& address);  // the interface; empty: nobody

    // What DescribeNetworkInterfaces says.
    pugi::xml_node described(const char* id);
    // "left eni-... i-... " and so on, of what has moved since the last call.
    std::vector<std::string> movements();

    static parameters filter(const std::string& name, const std::string& value)
    {
        return {{"Filter.1.Name", name}, {"Filter.1.Value.1", value}};
    }
    std::vector<std::string> texts(const std::string& action, const parameters& values, const char* path);

private:
    pugi::xml_document last_;
};

}  // namespace vipd::cloud
