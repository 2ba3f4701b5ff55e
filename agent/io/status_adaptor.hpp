#pragma once

// Between the HTTP endpoint's pure responder and what it may see and ask for: the node, the loop's own figures, the operator's
// commands.

#include "agent/io/http_handler.hpp"
#include "agent/io/http_server.hpp"
#include "agent/io/log_writer.hpp"
#include "agent/io/realtime.hpp"
#include "agent/io/shell.hpp"
#include "agent/node/node.hpp"
#include "agent/status/http.hpp"

#include <functional>
#include <string>

namespace vipd::io {

class status_adaptor final : public status::node_view, public status::operator_commands, public http_handler {
public:
    // What the daemon does when it is asked for, or why not: reads the configuration again and applies it, or makes room for
    // another process.
    using command = std::function<result<std::string>()>;

    // `socket`: the path of the Unix socket, for those who have to be told.
    status_adaptor(node::node& node, shell& loop, log_writer& log, std::string socket, command reload, command restart) :
        node_(node),
        loop_(loop),
        log_(log),
        reload_(std::move(reload)),
        restart_(std::move(restart)),
        responder_(*this, *this, std::move(socket))
    {}

    void use(const http_server& server) { server_ = &server; }
    void set_realtime(bool wanted, const realtime_state& got);
    // The guard has taken the priority away.
    void lost_realtime()
    {
        realtime_.scheduling = false;
        realtime_lost_ = true;
    }

    status::http_reply respond(instant now, const status::http_request& request) override;

    // A file that could not be read or was wrong never came to the node, which counts the other refusals.
    void note_refused_file() { ++refused_files_; }

    [[nodiscard]] status::node node_snapshot(instant now) const override;
    [[nodiscard]] status::process process_snapshot(instant now) const override;
    [[nodiscard]] std::size_t router_count() const override { return node_.router_count(); }
    [[nodiscard]] std::optional<std::uint32_t> find_router(std::string_view name) const override
    {
        return node_.find_router(name);
    }
    [[nodiscard]] status::router router_snapshot(instant now, std::uint32_t router) const override
    {
        return node_.router_snapshot(now, router);
    }
    [[nodiscard]] std::vector<status::event> events_after(std::uint64_t number) const override
    {
        return node_.events_after(number);
    }
    [[nodiscard]] std::uint64_t generation() const override { return node_.generation(); }
    [[nodiscard]] std::vector<std::string> plan(instant now, std::uint32_t router) const override
    {
        return node_.plan(now, router);
    }

    result<std::string> step_down(instant now, std::string_view router) override;
    result<std::string> set_maintenance(instant now, bool on) override;
    result<std::string> set_priority(instant now, std::string_view router, std::optional<std::uint8_t> priority) override;
    result<std::string> reload(instant now) override;
    result<std::string> restart(instant now) override;

private:
    node::node& node_;
    shell& loop_;
    log_writer& log_;
    command reload_;
    command restart_;
    const http_server* server_ = nullptr;
    std::uint64_t refused_files_ = 0;
    bool realtime_wanted_ = false;
    realtime_state realtime_;
    bool realtime_lost_ = false;
    status::responder responder_;
};

}  // namespace vipd::io
