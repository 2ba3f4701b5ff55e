#include "agent/takeover/interface_watch.hpp"

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

constexpr duration period_min = 54s;
constexpr duration period_max = 66s;

}  // namespace

void interface_watch::watch(time_point now, const std::set<aws::network_interface_id>& ids)
{
    if (ids == ids_) {
        return;
    }
    ids_ = ids;
    next_read_ = ids_.empty() ? never : now;
}

void interface_watch::handle_timeout(time_point now)
{
    if (under_way_ || next_read_ > now) {
        return;
    }
    next_read_ = now + random_.between(period_min, period_max);
    under_way_ = call_wanted_ = true;
}

std::optional<aws::describe_network_interfaces> interface_watch::poll_output()
{
    if (!call_wanted_) {
        return std::nullopt;
    }
    call_wanted_ = false;
    return aws::describe_network_interfaces{{ids_.begin(), ids_.end()}, {}};
}

std::vector<aws::network_interface> interface_watch::handle(time_point now, const aws::ec2_reply& reply)
{
    under_way_ = false;
    if (const auto* page = std::get_if<aws::network_interfaces_page>(&reply.value)) {
        pause_.reset();
        last_error_.clear();
        return page->interfaces;
    }
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        last_error_ = e->code + ": " + e->message;
    }
    next_read_ = std::min(next_read_, now + pause_.next(random_));
    return {};
}

wakeup interface_watch::next_wakeup() const
{
    return under_way_ ? wakeup{} : wakeup{next_read_, "interface read"};
}

}  // namespace vipd::takeover
