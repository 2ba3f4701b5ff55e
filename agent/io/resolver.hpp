#pragma once

// Names to addresses on the reactor, with c-ares: the C library's resolver blocks and Asio's starts a thread.
//
// Every name is asked for ahead of need and kept. Once a name has been resolved its addresses are given out at once for ever:
// past their time to live they are asked for again beside that, and when DNS fails the last good ones stay. A connection that
// fails on an old address finds the new one at its next attempt.

#include "common/ip.hpp"
#include "common/log.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace vipd::io {

class resolver {
public:
    // Two tries of this length per server.
    static constexpr auto try_time = std::chrono::milliseconds{500};

    // In the order of preference (RFC 6724), at least one.
    using answer = result<std::vector<ip_address>>;

    resolver(boost::asio::io_context& context, log_sink& log);
    ~resolver();

    // `done` is called once, before this returns when the answer is at hand (a literal, or a name that was resolved before).
    void resolve(const std::string& host, const std::function<void(const answer&)>& done);

    class impl;

private:
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::io
