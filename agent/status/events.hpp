#pragma once

// History as clients ask for it: what came after a number, once or as a stream of server-sent events (WHATWG HTML,
// section 9.2).

#include "agent/status/http.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace vipd::status {

struct history {
    std::vector<event> events;
    std::uint64_t last = 0;  // what to ask for next time
};

// Numbers start again with the process. A client that asks for what came after a number that is not reached yet has read
// another process's history, and is given all of this one's.
history history_after(const node_view& view, std::uint64_t number);

class event_streams {
public:
    explicit event_streams(const node_view& view) : view_(view), open_(std::make_shared<std::size_t>(0)) {}

    // Nothing when event_streams_max are open.
    std::unique_ptr<body_source> open(std::uint64_t after);

private:
    const node_view& view_;
    std::shared_ptr<std::size_t> open_;
};

}  // namespace vipd::status
