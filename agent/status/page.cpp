#include "agent/status/page.hpp"

#include "agent/status/attention.hpp"
#include "agent/status/page_html.hpp"
#include "agent/status/router_walk.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace vipd::status {

namespace {

struct ranked {
    std::size_t place = 0;  // in the configuration
    router value;
};

class page final : public body_source {
public:
    explicit page(const node_view& view) : view_(view), walk_(view) {}

    body_chunk next(instant now) override
    {
        switch (stage_) {
            case stage::sample:
                if (!sampled(now)) {
                    return not_yet{};
                }
                choose();
                read_events();
                stage_ = shown_.empty() ? stage::tail : stage::routers;
                return page_head(summary_);
            case stage::routers: {
                std::string out = page_router(shown_[position_].value, summary_.routers == 1);
                ++position_;
                if (position_ == shown_.size()) {
                    stage_ = stage::tail;
                }
                return out;
            }
            case stage::tail:
                stage_ = stage::end;
                return page_tail(shown_.size(), summary_.routers, events_);
            case stage::end:
                break;
        }
        return finished{};
    }

private:
    enum class stage : std::uint8_t { sample, routers, tail, end };

    // Attention first, then Active, then the rest; a bounded number of each is kept.
    std::vector<ranked>& bucket_of(const router& r, bool attention)
    {
        return buckets_[attention ? 0U : r.state == vrrp::state::active ? 1U : 2U];
    }

    void add_findings(std::vector<finding> more)
    {
        summary_.findings_count += more.size();
        std::move(more.begin(), more.end(), std::back_inserter(summary_.findings));
        std::stable_sort(summary_.findings.begin(), summary_.findings.end(),
                         [](const finding& a, const finding& b) { return a.level > b.level; });
        if (summary_.findings.size() > page_findings_max) {
            summary_.findings.resize(page_findings_max);
        }
    }

    void add(router r)
    {
        summary_.active += r.state == vrrp::state::active ? 1U : 0U;
        summary_.backup += r.state == vrrp::state::backup ? 1U : 0U;
        summary_.initialize += r.state == vrrp::state::initialize ? 1U : 0U;
        auto of_router = findings(r);
        auto& bucket = bucket_of(r, !of_router.empty());
        if (!of_router.empty()) {
            add_findings(std::move(of_router));
        }
        if (bucket.size() < page_routers_max) {
            bucket.push_back({summary_.routers, std::move(r)});
        }
        ++summary_.routers;
    }

    // One turn's worth; true when every router has been seen.
    bool sampled(instant now)
    {
        if (!begun_) {
            begun_ = true;
            summary_.at = now;
            summary_.of_node = view_.node_snapshot(now);
            add_findings(findings(summary_.of_node, view_.process_snapshot(now), now.wall));
        }
        for (std::size_t weight = 0; weight < sampling_weight_per_slice; weight += router_weight) {
            router r;
            switch (walk_.step(now, r)) {
                case router_walk::found::end:
                    return true;
                case router_walk::found::skipped:
                    break;
                case router_walk::found::router:
                    weight += r.peers.size() + r.resources.size();
                    add(std::move(r));
            }
        }
        return false;
    }

    void choose()
    {
        for (auto& bucket : buckets_) {
            const std::size_t room = page_routers_max - shown_.size();
            const auto end = bucket.begin() + static_cast<std::ptrdiff_t>(std::min(room, bucket.size()));
            std::move(bucket.begin(), end, std::back_inserter(shown_));
            bucket.clear();
        }
        if (shown_.size() == summary_.routers) {
            // All fit: in the configuration's order, where each is found again when its state changes.
            std::sort(shown_.begin(), shown_.end(), [](const ranked& a, const ranked& b) { return a.place < b.place; });
        }
        if (summary_.routers == 1) {
            summary_.only = shown_.front().value;
        }
    }

    void read_events()
    {
        events_ = view_.events_after(0);
        if (!events_.empty()) {
            summary_.last_event = events_.back().number;
        }
        if (events_.size() > page_events_max) {
            events_.erase(events_.begin(), events_.end() - static_cast<std::ptrdiff_t>(page_events_max));
        }
    }

    const node_view& view_;
    router_walk walk_;
    stage stage_ = stage::sample;
    bool begun_ = false;
    page_summary summary_;
    std::array<std::vector<ranked>, 3> buckets_;
    std::vector<ranked> shown_;
    std::size_t position_ = 0;
    std::vector<event> events_;
};

}  // namespace

std::unique_ptr<body_source> page_body(const node_view& view)
{
    return std::make_unique<page>(view);
}

}  // namespace vipd::status
