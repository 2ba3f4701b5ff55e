#include "agent/node/call_ledger.hpp"

#include <algorithm>

namespace vipd::node {

namespace {

// Codes come from the other side; after this many different ones the rest is counted together.
constexpr std::size_t counts_max = 256;

}  // namespace

void call_ledger::enter(aws::ec2_call_id id, call_owner owner, std::string_view action)
{
    open_.emplace(id, entry{owner, std::string(action)});
}

std::optional<closed_call> call_ledger::close(const aws::call_done& done)
{
    const auto found = open_.find(done.id);
    if (found == open_.end()) {
        return std::nullopt;
    }
    auto [owner, action] = std::move(found->second);
    open_.erase(found);
    const auto* e = std::get_if<aws::ec2_error>(&done.reply.value);
    std::pair<std::string, std::string> key{action, e == nullptr ? "ok" : e->code};
    if (counts_.size() >= counts_max && !counts_.contains(key)) {
        key.second = "other";
    }
    ++counts_[key];
    return closed_call{owner, std::move(action)};
}

std::optional<aws::ec2_call_id> call_ledger::withdraw(const takeover_call& owner)
{
    const auto found = std::ranges::find_if(open_, [&](const auto& e) { return e.second.owner == call_owner{owner}; });
    if (found == open_.end()) {
        return std::nullopt;
    }
    const auto id = found->first;
    open_.erase(found);
    return id;
}

const call_owner* call_ledger::owner_of(aws::ec2_call_id id) const
{
    const auto found = open_.find(id);
    return found == open_.end() ? nullptr : &found->second.owner;
}

std::vector<status::ec2_call_count> call_ledger::counts() const
{
    std::vector<status::ec2_call_count> all;
    for (const auto& [key, count] : counts_) {
        all.push_back({key.first, key.second, count});
    }
    return all;
}

}  // namespace vipd::node
