#pragma once

// Every metric that vipd exports, once: its name, type, help, labels, and where its numbers come from. /metrics is this table
// applied to a sample; alert rules and dashboards are tested against it.
//
// Names follow Prometheus' conventions: prefix vipd_, base units, _total on counters; process_* where Prometheus has a standard
// name. A label never changes with the state of what it describes: a state is a series for each of its values, 0 or 1. What is
// not known has no series, rather than a number that means "unknown".

#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::status {

// What one scrape tells of, taken over a few turns of the loop. Names of routers, and of peers and resources within a router,
// are unique: a scrape with the same series twice would be refused whole.
struct sample {
    instant at;
    // When the process began by the wall clock, as read when it began: a later step of that clock must not look like a restart.
    wall_time started{};
    node of_node;
    process of_process;
    std::vector<router> routers;
};

enum class metric_type : std::uint8_t { counter, gauge, histogram };

struct metric;

// Where extractors put their series, in the order in which they should be read.
class series_sink {
public:
    explicit series_sink(const metric& row) : row_(row) {}

    // `labels` are the values for the row's labels, in the row's order.
    void add(std::initializer_list<std::string_view> labels, double value);
    void add(std::initializer_list<std::string_view> labels, duration value) { add(labels, to_seconds(value)); }
    void add(std::initializer_list<std::string_view> labels, const histogram& value);
    template <class Integer>
    requires std::is_integral_v<Integer>
    void add(std::initializer_list<std::string_view> labels, Integer value) { add(labels, static_cast<double>(value)); }

    // How many lines the series make.
    [[nodiscard]] std::size_t lines() const { return lines_; }
    std::vector<prometheus::ClientMetric> take() { return std::move(series_); }

private:
    prometheus::ClientMetric& append(std::initializer_list<std::string_view> labels);

    const metric& row_;
    std::vector<prometheus::ClientMetric> series_;
    std::size_t lines_ = 0;
};

// What a row is asked for: the node, each router, each peer of each router, or each resource of each router.
using node_extractor = void (*)(const sample&, series_sink&);
using router_extractor = void (*)(const router&, series_sink&);
using peer_extractor = void (*)(const router&, const peer&, series_sink&);
using resource_extractor = void (*)(const router&, const resource&, series_sink&);

class label_names {
public:
    constexpr label_names(std::initializer_list<std::string_view> names)
    {
        for (const auto name : names) {
            names_[count_] = name;  // one too many does not compile: the table is constexpr
            ++count_;
        }
    }
    [[nodiscard]] constexpr std::size_t size() const { return count_; }
    [[nodiscard]] constexpr auto begin() const { return names_.begin(); }
    [[nodiscard]] constexpr auto end() const { return names_.begin() + count_; }

private:
    std::array<std::string_view, 6> names_{};
    std::size_t count_ = 0;
};

struct metric {
    std::string_view name;
    metric_type type = metric_type::gauge;
    label_names labels;
    std::variant<node_extractor, router_extractor, peer_extractor, resource_extractor> extract;
    std::string_view help;  // one line: the serializer does not escape it
};

// In the order in which they are exported.
std::span<const metric> metrics_table();

}  // namespace vipd::status
