#include "agent/takeover/interface_watch.hpp"

#include <algorithm>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

constexpr duration period_min = 54s;
constexpr duration period_max = 66s;
constexpr std::size_t ids_max = 200;  // EC2's limit for the values of a filter
// EC2 makes three pages of that many at most; a cloud that pages for ever is stopped here.
constexpr unsigned pages_max = 20;

}  // namespace

void interface_watch::watch(time_point now, const std::set<aws::network_interface_id>& ids)
{
    if (ids == ids_) {
        return;
    }
    ids_ = ids;
    next_read_ = ids_.empty() ? never : now;
    if (ids_.empty()) {
        last_error_.clear();
    }
}

void interface_watch::handle_timeout(time_point now)
{
    if (under_way_ || next_read_ > now) {
        return;
    }
    if (!budget_.try_take(now)) {
        next_read_ = budget_.available_at(now);
        return;
    }
    next_read_ = now + random_.between(period_min, period_max);
    reading_.assign(ids_.begin(), ids_.end());
    asked_from_ = 0;
    next_token_.clear();
    pages_ = 0;
    under_way_ = call_wanted_ = true;
}

std::optional<aws::describe_network_interfaces> interface_watch::poll_output()
{
    if (!call_wanted_) {
        return std::nullopt;
    }
    call_wanted_ = false;
    const auto rest = reading_.size() - asked_from_;
    const auto from = reading_.begin() + static_cast<std::ptrdiff_t>(asked_from_);
    aws::describe_network_interfaces call;
    call.ids.assign(from, from + static_cast<std::ptrdiff_t>(std::min(rest, ids_max)));
    call.next_token = next_token_;
    return call;
}

void interface_watch::go_on(time_point now, const std::string& next_token)
{
    next_token_ = next_token;
    if (!next_token.empty()) {
        if (++pages_ == pages_max) {
            fail(now, "EC2 sent no end of pages", aws::ec2_error_class::invalid);
            return;
        }
        under_way_ = call_wanted_ = true;
        return;
    }
    pages_ = 0;
    asked_from_ += ids_max;
    if (asked_from_ < reading_.size()) {
        under_way_ = call_wanted_ = true;
        return;
    }
    pauses_.reset();
    last_error_.clear();
}

void interface_watch::fail(time_point now, const std::string& why, aws::ec2_error_class kind)
{
    last_error_ = why;
    next_read_ = std::min(next_read_, now + pauses_.next(now, kind, random_));
}

std::vector<aws::network_interface> interface_watch::handle(time_point now, const aws::ec2_reply& reply)
{
    under_way_ = false;
    if (ids_.empty()) {
        return {};  // nobody wants to know any more
    }
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        fail(now, e->code + ": " + e->message, e->kind);
        return {};
    }
    const auto* page = std::get_if<aws::network_interfaces_page>(&reply.value);
    if (page == nullptr) {
        return {};
    }
    go_on(now, page->next_token);
    return page->interfaces;
}

wakeup interface_watch::next_wakeup() const
{
    return under_way_ ? wakeup{} : wakeup{next_read_, "interface read"};
}

}  // namespace vipd::takeover
