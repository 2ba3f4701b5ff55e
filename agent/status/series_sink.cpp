#include "agent/status/metrics_table.hpp"
#include "agent/status/text.hpp"
#include "common/ensure.hpp"

#include <limits>

namespace vipd::status {

prometheus::ClientMetric& series_sink::append(std::initializer_list<std::string_view> labels)
{
    ENSURE(labels.size() == row_.labels.size());
    auto& series = series_.emplace_back();
    series.label.reserve(labels.size());
    auto name = row_.labels.begin();
    for (const auto value : labels) {
        series.label.push_back({std::string(*name), valid_utf8(value)});
        ++name;
    }
    return series;
}

void series_sink::add(std::initializer_list<std::string_view> labels, double value)
{
    ENSURE(row_.type != metric_type::histogram);
    auto& series = append(labels);
    if (row_.type == metric_type::counter) {
        series.counter.value = value;
    } else {
        series.gauge.value = value;
    }
    ++lines_;
}

void series_sink::add(std::initializer_list<std::string_view> labels, const histogram& value)
{
    ENSURE(row_.type == metric_type::histogram);
    auto& out = append(labels).histogram;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < value.buckets.size(); ++i) {
        cumulative += value.buckets[i];
        const bool last = i == takeover_bucket_seconds.size();
        out.bucket.push_back({cumulative, last ? std::numeric_limits<double>::infinity() : takeover_bucket_seconds[i]});
    }
    out.sample_count = cumulative;
    out.sample_sum = value.sum_seconds;
    lines_ += value.buckets.size() + 2;
}

}  // namespace vipd::status
