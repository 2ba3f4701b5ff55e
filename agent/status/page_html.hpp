#pragma once

// The parts of the page as text. Every value that this program did not write itself goes through append_html().

#include "agent/status/attention.hpp"
#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vipd::status {

struct page_summary {
    node of_node;
    instant at;
    std::size_t routers = 0;
    std::size_t active = 0;
    std::size_t backup = 0;
    std::size_t initialize = 0;
    std::optional<router> only;      // when there is one router
    std::vector<finding> findings;   // most urgent first, at most page_findings_max
    std::size_t findings_count = 0;  // with those that are not shown
    std::uint64_t last_event = 0;
};

// From the doctype to the first router.
std::string page_head(const page_summary& s);
std::string page_router(const router& r, bool alone);
// `shown` of `routers`; events oldest first.
std::string page_tail(std::size_t shown, std::size_t routers, const std::vector<event>& events);

}  // namespace vipd::status
