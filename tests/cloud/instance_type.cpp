#include "tests/cloud/instance_type.hpp"

#include <array>

namespace vipd::cloud {

std::map<instance_type_name, instance_type> documented_instance_types()
{
    struct row {
        const char* name;
        unsigned interfaces, ipv4, ipv6, cards;
    };
    constexpr std::array<row, 8> rows{{{"c5n.large", 3, 10, 10, 1},
                                       {"m5.large", 3, 10, 10, 1},
                                       {"m6i.large", 3, 10, 10, 1},
                                       {"p4d.24xlarge", 60, 50, 50, 4},
                                       {"t3.large", 3, 12, 12, 1},
                                       {"t3.medium", 3, 6, 6, 1},
                                       {"t3.micro", 2, 2, 2, 1},
                                       {"t3.small", 3, 4, 4, 1}}};
    std::map<instance_type_name, instance_type> types;
    for (const auto& [name, interfaces, ipv4, ipv6, cards] : rows) {
        const instance_type_name id{name};
        types[id] = {id, interfaces, ipv4, ipv6, cards};
    }
    return types;
}

}  // namespace vipd::cloud
