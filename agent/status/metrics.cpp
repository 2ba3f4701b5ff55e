#include "agent/status/metrics.hpp"

#include "agent/status/router_walk.hpp"
#include "common/ensure.hpp"
#include "common/overloaded.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace vipd::status {

namespace {

// Items without a series cost little, but not nothing.
constexpr std::size_t visits_per_slice = 2000;
constexpr std::size_t releases_per_slice = 256;

prometheus::MetricType library_type(metric_type type)
{
    switch (type) {
        case metric_type::counter:
            return prometheus::MetricType::Counter;
        case metric_type::gauge:
            return prometheus::MetricType::Gauge;
        case metric_type::histogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

void erase_repeated(router& r)
{
    std::set<ip_address> addresses;
    std::erase_if(r.peers, [&](const peer& p) { return !addresses.insert(p.address).second; });
    std::set<std::pair<resource_kind, std::string>> names;
    std::erase_if(r.resources, [&](const resource& x) { return !names.emplace(x.kind, x.label()).second; });
}

}  // namespace

metrics_text::metrics_text(sample what) : sample_(std::move(what)) {}

bool metrics_text::extract_next_item(series_sink& sink, const peer_extractor& extract)
{
    if (router_ == sample_.routers.size()) {
        return false;
    }
    const router& r = sample_.routers[router_];
    if (item_ == r.peers.size()) {
        ++router_;
        item_ = 0;
    } else {
        extract(r, r.peers[item_], sink);
        ++item_;
    }
    return true;
}

bool metrics_text::extract_next_item(series_sink& sink, const resource_extractor& extract)
{
    if (router_ == sample_.routers.size()) {
        // At the end those that are no router's.
        static const router nobody{};
        if (item_ == sample_.of_node.policies.size()) {
            return false;
        }
        extract(nobody, sample_.of_node.policies[item_], sink);
        ++item_;
        return true;
    }
    const router& r = sample_.routers[router_];
    if (item_ == r.resources.size()) {
        ++router_;
        item_ = 0;
    } else {
        extract(r, r.resources[item_], sink);
        ++item_;
    }
    return true;
}

bool metrics_text::extract_next(series_sink& sink)
{
    return std::visit(overloaded{[&](const node_extractor& extract) {
                                     if (item_ == 1) {
                                         return false;
                                     }
                                     extract(sample_, sink);
                                     item_ = 1;
                                     return true;
                                 },
                                 [&](const router_extractor& extract) {
                                     if (router_ == sample_.routers.size()) {
                                         return false;
                                     }
                                     extract(sample_.routers[router_], sink);
                                     ++router_;
                                     return true;
                                 },
                                 [&](const auto& extract) { return extract_next_item(sink, extract); }},
                      metrics_table()[row_].extract);
}

bool metrics_text::append_next(std::string& out)
{
    const auto table = metrics_table();
    std::vector<prometheus::MetricFamily> families;
    const std::string_view begun = header_written_ ? table[row_].name : std::string_view{};
    std::size_t lines = 0;
    std::size_t visits = 0;
    while (row_ < table.size() && lines < metrics_slice_lines && visits < visits_per_slice) {
        const metric& row = table[row_];
        series_sink sink(row);
        bool more = true;
        while (more && lines + sink.lines() < metrics_slice_lines && visits < visits_per_slice) {
            more = extract_next(sink);
            ++visits;
        }
        lines += sink.lines();
        if (sink.lines() > 0) {
            families.push_back({std::string(row.name), std::string(row.help), library_type(row.type), sink.take()});
            header_written_ = true;
        }
        if (!more) {
            ++row_;
            router_ = 0;
            item_ = 0;
            header_written_ = false;
        }
    }
    if (families.empty()) {
        return row_ < table.size();
    }
    std::string text = prometheus::TextSerializer().Serialize(families);
    if (families.front().name == begun) {
        // The serializer opens every family with its HELP and its TYPE line.
        text.erase(0, text.find('\n', text.find('\n') + 1) + 1);
    }
    out += text;
    return row_ < table.size();
}

bool metrics_text::release_some()
{
    const std::size_t count = std::min(releases_per_slice, sample_.routers.size());
    sample_.routers.resize(sample_.routers.size() - count);
    return !sample_.routers.empty();
}

struct metrics_endpoint::shared {
    explicit shared(node_view& v) : view(v) {}

    node_view& view;
    std::optional<wall_time> started;
    std::size_t routers_sampled = 0;
    std::string cached;
    time_point cached_at = never;
};

namespace {

class metrics_body final : public body_source {
public:
    metrics_body(std::shared_ptr<metrics_endpoint::shared> s, std::size_t routers) :
        shared_(std::move(s)), counted_(routers), walk_(shared_->view)
    {
        shared_->routers_sampled += counted_;
    }
    ~metrics_body() override { shared_->routers_sampled -= counted_; }

    body_chunk next(instant now) override
    {
        if (ended_) {
            return text_->release_some() ? body_chunk{not_yet{}} : body_chunk{finished{}};
        }
        if (!text_) {
            if (take_sample(now)) {
                text_.emplace(std::move(sample_));
            }
            return not_yet{};
        }
        std::string out;
        if (!text_->append_next(out)) {
            ended_ = true;
        }
        keep_for_others(out);
        if (out.empty()) {
            return not_yet{};
        }
        return out;
    }

private:
    // One turn's worth; true when the sample is whole.
    bool take_sample(instant now)
    {
        if (!begun_) {
            begun_ = true;
            sample_.at = now;
            sample_.of_node = shared_->view.node_snapshot(now);
            sample_.of_process = shared_->view.process_snapshot(now);
            if (!shared_->started) {
                shared_->started = now.wall - sample_.of_node.uptime;
            }
            sample_.started = *shared_->started;
            sample_.routers.reserve(shared_->view.router_count());
        }
        for (std::size_t weight = 0; weight < sampling_weight_per_slice; weight += router_weight) {
            router r;
            switch (walk_.step(now, r)) {
                case router_walk::found::end:
                    return true;
                case router_walk::found::skipped:
                    break;
                case router_walk::found::router:
                    erase_repeated(r);
                    weight += r.peers.size() + r.resources.size() + r.trackers.size();
                    sample_.routers.push_back(std::move(r));
            }
        }
        return false;
    }

    void keep_for_others(std::string_view slice)
    {
        if (kept_.size() + slice.size() > metrics_cache_size_max) {
            too_large_ = true;
            kept_.clear();
        }
        if (too_large_) {
            return;
        }
        kept_ += slice;
        // An older sample whose reader was slow must not replace a newer one.
        const time_point at = text_->sampled_at();
        if (ended_ && (shared_->cached_at == never || at >= shared_->cached_at)) {
            shared_->cached = std::move(kept_);
            shared_->cached_at = at;
        }
    }

    std::shared_ptr<metrics_endpoint::shared> shared_;
    std::size_t counted_;
    router_walk walk_;
    sample sample_;
    std::optional<metrics_text> text_;
    std::string kept_;
    bool begun_ = false;
    bool too_large_ = false;
    bool ended_ = false;
};

}  // namespace

metrics_endpoint::metrics_endpoint(node_view& view) : shared_(std::make_shared<shared>(view)) {}
metrics_endpoint::~metrics_endpoint() = default;

std::variant<std::string, std::unique_ptr<body_source>, metrics_endpoint::busy> metrics_endpoint::scrape(instant now)
{
    auto& s = *shared_;
    if (s.cached_at != never && now.steady >= s.cached_at && now.steady - s.cached_at <= metrics_cache_age_max) {
        return s.cached;
    }
    const std::size_t routers = s.view.router_count();
    if (s.routers_sampled > 0 && s.routers_sampled + routers > metrics_routers_sampled_max) {
        return busy{};
    }
    return std::make_unique<metrics_body>(shared_, routers);
}

}  // namespace vipd::status
