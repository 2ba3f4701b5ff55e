#pragma once

#include "agent/io/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <utility>

namespace vipd::io {

// One deadline that can be moved. A timer of Asio may still call for a time that was set before, or when it has been destroyed:
// its completion was queued already. So the time that is remembered here decides, and not the call.
class deadline {
public:
    explicit deadline(boost::asio::io_context& context) : timer_(context), at_(std::make_shared<time_point>(never)) {}
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;
    ~deadline() { *at_ = never; }

    // `due` is called once, unless the deadline is moved, cleared or destroyed before.
    template <class F>
    void set(time_point at, F due)
    {
        *at_ = at;
        timer_.expires_at(to_steady_clock(at));
        timer_.async_wait([at, remembered = at_, due = std::move(due)](const boost::system::error_code& failed) {
            if (!failed && *remembered == at) {
                *remembered = never;
                due();
            }
        });
    }

    void clear()
    {
        *at_ = never;
        timer_.cancel();
    }

    [[nodiscard]] bool is_set() const { return *at_ != never; }
    [[nodiscard]] time_point at() const { return *at_; }

private:
    boost::asio::steady_timer timer_;
    std::shared_ptr<time_point> at_;
};

}  // namespace vipd::io
