#include "agent/status/events.hpp"

#include "agent/status/json.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace vipd::status {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t pending_per_slice = 32;
constexpr duration look_again = 250ms;
// Below the idle time-out of the proxies and load balancers in use (60 s and less), so that none cuts a quiet stream.
constexpr duration keep_alive = 15s;

class event_stream final : public body_source {
public:
    event_stream(const node_view& view, std::uint64_t after, std::shared_ptr<std::size_t> open) :
        view_(view), last_(after), open_(std::move(open))
    {
        ++*open_;
    }
    ~event_stream() override { --*open_; }

    body_chunk next(instant now) override
    {
        if (!begun_) {
            begun_ = true;
            spoke_at_ = now.steady;
            auto [events, last] = history_after(view_, last_);
            pending_ = std::move(events);
            last_ = last;
            // How long a browser waits before it connects again.
            return std::string{"retry: 2000\n\n"};
        }
        if (position_ == pending_.size()) {
            pending_ = view_.events_after(last_);
            position_ = 0;
            if (!pending_.empty()) {
                last_ = pending_.back().number;
            }
        }
        std::string out;
        for (std::size_t i = 0; i < pending_per_slice && position_ < pending_.size(); ++i, ++position_) {
            const event& e = pending_[position_];
            out += "id: " + std::to_string(e.number) + "\ndata: ";
            append_json(out, event_json(e));  // on one line: JSON escapes line ends
            out += "\n\n";
        }
        if (out.empty()) {
            if (now.steady - spoke_at_ < keep_alive) {
                return not_yet{look_again};
            }
            out = ": still here\n\n";
        }
        spoke_at_ = now.steady;
        return out;
    }

private:
    const node_view& view_;
    std::uint64_t last_;
    std::shared_ptr<std::size_t> open_;
    std::vector<event> pending_;
    std::size_t position_ = 0;
    time_point spoke_at_{};
    bool begun_ = false;
};

}  // namespace

history history_after(const node_view& view, std::uint64_t number)
{
    auto events = view.events_after(number);
    if (!events.empty()) {
        const auto last = events.back().number;
        return {std::move(events), last};
    }
    if (number > 0) {
        events = view.events_after(0);
        const auto newest = events.empty() ? 0 : events.back().number;
        if (newest < number) {
            return {std::move(events), newest};
        }
    }
    return {{}, number};
}

std::unique_ptr<body_source> event_streams::open(std::uint64_t after)
{
    if (*open_ >= event_streams_max) {
        return nullptr;
    }
    return std::make_unique<event_stream>(view_, after, open_);
}

}  // namespace vipd::status
