#pragma once

// GET /metrics: the table of metrics_table.hpp applied to a sample, in the Prometheus text format, a slice at a time.
//
// A text in that format goes family by family, each family through all routers, so a scrape first takes a sample of every
// router (a few in each turn of the loop) and then renders it. Because the sample is its own, routers that come or go meanwhile
// change nothing in it: each family begins once, and no series comes twice.
//
// A sample of thousands of routers takes megabytes, so the routers in all samples that are alive together are bounded. A small
// text is kept for a moment, so that a client who asks ten thousand times a second costs copies and not renderings.

#include "agent/status/http.hpp"
#include "agent/status/metrics_table.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace vipd::status {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr duration metrics_cache_age_max = std::chrono::milliseconds{100};
inline constexpr std::size_t metrics_cache_size_max = 64 * 1024;    // bytes
inline constexpr std::size_t metrics_slice_lines = 80;              // a slice ends with the item that reaches it
inline constexpr std::size_t metrics_routers_sampled_max = 20'000;  // in all scrapes under way; one scrape is always let in

// Renders a sample.
class metrics_text {
public:
    explicit metrics_text(sample what);

    // Appends the next slice, which can be empty; false when that was the last.
    bool append_next(std::string& out);
    // After the last slice: gives back a turn's worth of the sample's memory; false when nothing is left.
    bool release_some();
    [[nodiscard]] time_point sampled_at() const { return sample_.at.steady; }

private:
    // Calls the row's extractor for the item under the cursor and moves the cursor on; false behind the last item of the row.
    bool extract_next(series_sink& sink);
    bool extract_next_item(series_sink& sink, const peer_extractor& extract);
    bool extract_next_item(series_sink& sink, const resource_extractor& extract);

    sample sample_;
    std::size_t row_ = 0;
    std::size_t router_ = 0;
    std::size_t item_ = 0;
    bool header_written_ = false;
};

class metrics_endpoint {
public:
    explicit metrics_endpoint(node_view& view);
    ~metrics_endpoint();

    // Too many scrapes of too many routers are under way.
    struct busy {};
    std::variant<std::string, std::unique_ptr<body_source>, busy> scrape(instant now);

    struct shared;  // with the bodies handed out

private:
    std::shared_ptr<shared> shared_;
};

}  // namespace vipd::status
