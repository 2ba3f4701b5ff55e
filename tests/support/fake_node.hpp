#pragma once

// A node made of plain values, and samples of what a real one says.

#include "agent/status/http.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::status::test {

// What a person or a cloud could put where nobody expects it.
inline constexpr std::string_view hostile = "</td><script>alert(\"1\")</script>'&\\\n\x01\xff\xe2\x80\xae}";

instant at(duration since_start);

// Of the node, with all its parts.
resource sample_policy();
hook sample_hook();
node sample_node();
process sample_process();
router sample_router(std::string name);      // Active, two resources here
router sample_backup(std::string name);      // Backup, its Active heard
router sample_in_trouble(std::string name);  // Active, one resource refused
event sample_event(std::uint64_t number, std::string text);

class fake_node final : public node_view {
public:
    [[nodiscard]] status::node node_snapshot(instant) const override { return the_node; }
    [[nodiscard]] status::process process_snapshot(instant) const override { return the_process; }
    [[nodiscard]] std::size_t router_count() const override { return routers.size(); }
    [[nodiscard]] std::optional<std::uint32_t> find_router(std::string_view name) const override;
    [[nodiscard]] status::router router_snapshot(instant, std::uint32_t router) const override;
    [[nodiscard]] std::vector<event> events_after(std::uint64_t number) const override;
    [[nodiscard]] std::uint64_t generation() const override { return the_generation; }
    [[nodiscard]] std::vector<std::string> plan(instant, std::uint32_t router) const override;

    // As a reload does it.
    void erase_router(std::size_t index);
    void insert_router(std::size_t index, router what);

    status::node the_node = sample_node();
    status::process the_process = sample_process();
    std::vector<status::router> routers;
    std::vector<event> events;
    std::uint64_t the_generation = 1;
    mutable std::size_t snapshots = 0;
};

class fake_commands final : public operator_commands {
public:
    result<std::string> step_down(instant, std::string_view router) override
    {
        return note("step_down " + std::string(router));
    }
    result<std::string> set_maintenance(instant, bool on) override { return note(on ? "maintenance on" : "maintenance off"); }
    result<std::string> set_priority(instant, std::string_view router, std::optional<std::uint8_t> priority) override
    {
        return note("priority " + std::string(router) + (priority ? " " + std::to_string(*priority) : " default"));
    }
    result<std::string> reload(instant) override { return note("reload"); }
    result<std::string> restart(instant) override { return note("restart"); }

    result<std::string> answer = std::string("done");
    std::vector<std::string> calls;

private:
    result<std::string> note(std::string what)
    {
        calls.push_back(std::move(what));
        return answer;
    }
};

// The whole body and the chunks it came in. Stops after `calls_max` calls, so that a body that never ends fails its test.
struct drawn {
    std::string text;
    std::vector<std::string> chunks;
    std::size_t calls = 0;
    bool ended = false;
};
drawn draw(body_source& body, instant now, std::size_t calls_max = 1'000'000);
drawn draw(http_reply& reply, instant now);
std::string text_of(http_reply& reply, instant now);

}  // namespace vipd::status::test
