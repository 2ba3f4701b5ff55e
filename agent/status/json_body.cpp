// The long JSON answers, a router (or a batch of events) at a time.

#include "agent/status/json.hpp"
#include "agent/status/router_walk.hpp"

#include <optional>
#include <utility>

namespace vipd::status {

namespace {

// How many routers that were visited before a reload are passed over in one turn.
constexpr unsigned skips_per_slice = 32;
constexpr std::size_t events_per_slice = 64;

// Either a router that was not seen before, or the end, or neither yet.
struct walked {
    std::optional<router> value;
    bool end = false;
};

walked walk_on(router_walk& walk, instant now)
{
    router r;
    for (unsigned i = 0; i < skips_per_slice; ++i) {
        switch (walk.step(now, r)) {
            case router_walk::found::router:
                return {std::move(r), false};
            case router_walk::found::end:
                return {std::nullopt, true};
            case router_walk::found::skipped:
                break;
        }
    }
    return {};
}

class whole_status final : public body_source {
public:
    explicit whole_status(const node_view& view) : view_(view), walk_(view) {}

    body_chunk next(instant now) override
    {
        if (ended_) {
            return finished{};
        }
        std::string out;
        if (!begun_) {
            begun_ = true;
            append_json(out, node_json(view_.node_snapshot(now), view_.process_snapshot(now), now.wall));
            out.pop_back();
            out += ",\"routers\":[";
            return out;
        }
        if (!current_) {
            auto [value, end] = walk_on(walk_, now);
            if (end) {
                ended_ = true;
                return std::string{"]}\n"};
            }
            if (!value) {
                return not_yet{};
            }
            // Each router begins a line, so that the answer can be read and grepped as it is.
            out += first_ ? "\n" : ",\n";
            first_ = false;
            current_.emplace(std::move(*value));
        }
        if (!current_->append_next(out)) {
            current_.reset();
        }
        return out;
    }

private:
    const node_view& view_;
    router_walk walk_;
    std::optional<router_json> current_;
    bool begun_ = false;
    bool first_ = true;
    bool ended_ = false;
};

class one_router final : public body_source {
public:
    explicit one_router(router what) : text_(std::move(what)) {}

    body_chunk next(instant /*now*/) override
    {
        if (ended_) {
            return finished{};
        }
        std::string out;
        if (!text_.append_next(out)) {
            ended_ = true;
            out += '\n';
        }
        return out;
    }

private:
    router_json text_;
    bool ended_ = false;
};

class whole_plan final : public body_source {
public:
    explicit whole_plan(const node_view& view) : view_(view), walk_(view) {}

    body_chunk next(instant now) override
    {
        if (ended_) {
            return finished{};
        }
        if (!begun_) {
            begun_ = true;
            return std::string{"{\"routers\":["};
        }
        const auto [value, end] = walk_on(walk_, now);
        if (end) {
            ended_ = true;
            return std::string{"]}\n"};
        }
        if (!value) {
            return not_yet{};
        }
        std::string out = first_ ? "\n" : ",\n";
        first_ = false;
        append_json(out, plan_json(*value, view_.plan(now, walk_.index())));
        return out;
    }

private:
    const node_view& view_;
    router_walk walk_;
    bool begun_ = false;
    bool first_ = true;
    bool ended_ = false;
};

class event_list final : public body_source {
public:
    event_list(std::vector<event> events, std::uint64_t last) : events_(std::move(events)), last_(last) {}

    body_chunk next(instant /*now*/) override
    {
        if (ended_) {
            return finished{};
        }
        std::string out = position_ == 0 ? "{\"events\":[" : "";
        for (std::size_t i = 0; i < events_per_slice && position_ < events_.size(); ++i, ++position_) {
            out += position_ == 0 ? "\n" : ",\n";
            append_json(out, event_json(events_[position_]));
        }
        if (position_ == events_.size()) {
            ended_ = true;
            out += "],\"last\":" + std::to_string(last_) + "}\n";
        }
        return out;
    }

private:
    std::vector<event> events_;
    std::uint64_t last_;
    std::size_t position_ = 0;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<body_source> status_body(const node_view& view)
{
    return std::make_unique<whole_status>(view);
}

std::unique_ptr<body_source> router_body(router what)
{
    return std::make_unique<one_router>(std::move(what));
}

std::unique_ptr<body_source> plan_body(const node_view& view)
{
    return std::make_unique<whole_plan>(view);
}

std::unique_ptr<body_source> events_body(std::vector<event> events, std::uint64_t last)
{
    return std::make_unique<event_list>(std::move(events), last);
}

}  // namespace vipd::status
