#pragma once

// Who waits for which EC2 call, and how the calls that have ended did end.

#include "agent/aws/cloud_session.hpp"
#include "agent/status/snapshot.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::node {

// The routes of one router, by the number that outlives its index.
struct takeover_call {
    std::uint64_t router = 0;
    std::uint64_t ticket = 0;
    friend bool operator==(const takeover_call&, const takeover_call&) = default;
};
// A page of route tables.
struct world_call {
    std::uint64_t ticket = 0;
    friend bool operator==(const world_call&, const world_call&) = default;
};
// The interfaces that routes point to.
struct interface_call {
    friend bool operator==(const interface_call&, const interface_call&) = default;
};
using call_owner = std::variant<takeover_call, world_call, interface_call>;

struct closed_call {
    call_owner owner;
    std::string action;
    friend bool operator==(const closed_call&, const closed_call&) = default;
};

class call_ledger {
public:
    void enter(aws::ec2_call_id id, call_owner owner, std::string_view action);
    // A call that has ended, its outcome counted; nothing when nobody waits for it.
    std::optional<closed_call> close(const aws::call_done& done);
    // The call with this owner, forgotten; for cancelling.
    std::optional<aws::ec2_call_id> withdraw(const takeover_call& owner);

    [[nodiscard]] const call_owner* owner_of(aws::ec2_call_id id) const;
    [[nodiscard]] std::vector<status::ec2_call_count> counts() const;

private:
    struct entry {
        call_owner owner;
        std::string action;
    };
    std::map<aws::ec2_call_id, entry> open_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;  // by action and code
};

}  // namespace vipd::node
