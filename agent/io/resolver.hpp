#pragma once

// Names to addresses on the reactor, with c-ares: the C library's resolver blocks and Asio's starts a thread.
//
// Every name is asked for ahead of need and kept, the last 256 that were wanted. Once a name has been resolved its addresses
// are given out at once for ever: past their time to live they are asked for again beside that, and when DNS fails the last
// good ones stay. A connection that fails on an old address finds the new one at its next attempt.

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
    // Everything that could be different in a test.
    struct settings {
        std::string servers;                      // "192.0.2.1:53,[2001:db8::1]:53"; empty: those of /etc/resolv.conf
        std::chrono::milliseconds try_time{500};  // of the first of two tries per server
        // What a server may say about how long an answer is good for is cut to this range.
        duration keep_min = std::chrono::seconds{5};
        duration keep_max = std::chrono::minutes{5};
    };

    // In the order of preference (RFC 6724), at least one.
    using answer = result<std::vector<ip_address>>;

    resolver(boost::asio::io_context& context, log_sink& log, settings s);
    ~resolver();

    // `done` is called once, before this returns when the answer is at hand (a literal, or a name that was resolved before).
    void resolve(const std::string& host, const std::function<void(const answer&)>& done);

    class impl;

private:
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::io
