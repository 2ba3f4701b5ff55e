#include "agent/config/hook_checks.hpp"

#include "agent/config/text.hpp"
#include "common/duration_text.hpp"

#include <fmt/format.h>

#include <set>

namespace vipd::config {

namespace {

constexpr std::size_t argument_bytes_max = 4096;

bool read_argument(reading& r, const spot& s, std::string& out)
{
    const auto* const text = std::get_if<std::string>(&s.at.value);
    if (text == nullptr) {
        return refuse(r, s);
    }
    if (text->size() > argument_bytes_max || text->find('\0') != std::string::npos) {
        r.error(s.at.offset, s.path,
                fmt::format("found a text of {} bytes; allowed are {} bytes, and no NUL among them", text->size(),
                            argument_bytes_max));
        return false;
    }
    out = *text;
    return true;
}

}  // namespace

bool find_user(reading& r, const spot& s, const std::string& name, std::optional<account>& out)
{
    auto found = r.find_account(name);
    if (!found) {
        r.error(find(*s.at.as_table(), "user")->offset, s.path + ".user",
                fmt::format("{} {}", in_quotes(name), found.error().text));
        return false;
    }
    out = std::move(*found);
    return true;
}

void check_program(reading& r, std::size_t offset, const std::string& path, const command& c,
                   const std::optional<account>& user)
{
    const auto checked = r.check_program(c.argv.front(), user);
    if (checked) {
        return;
    }
    const auto first = path + "[0]";
    const auto text = fmt::format("{} {}", in_quotes(c.argv.front()), checked.error().text);
    if (checked.error().kind != error_class::not_found) {
        r.error(offset, first, text);
    } else if (c.argv.size() == 1 && c.argv.front().find(' ') != std::string::npos) {
        r.warning(offset, first,
                  text + "; each argument is a text of its own: [\"/usr/bin/systemctl\", \"restart\", \"nginx.service\"]");
    } else {
        r.warning(offset, first, text);
    }
}

bool read_value(reading& r, const spot& s, command& out)
{
    const auto* const elements = s.at.as_list();
    const auto& rule = std::get<list_rule>(s.rule.rule);
    if (elements == nullptr) {
        return refuse(r, s);
    }
    if (elements->size() < rule.low || elements->size() > rule.high) {
        r.error(s.at.offset, s.path,
                fmt::format("found {} entries; allowed are {} to {}", elements->size(), rule.low, rule.high));
        return false;
    }
    bool is_good = true;
    out.argv.resize(elements->size());
    for (std::size_t i = 0; i < elements->size(); ++i) {
        const auto path = fmt::format("{}[{}]", s.path, i);
        is_good = read_argument(r, {s.rule, (*elements)[i], path, true}, out.argv[i]) && is_good;
    }
    if (is_good && !is_absolute_path(out.argv.front())) {
        r.error(elements->front().offset, s.path + "[0]",
                fmt::format("found {}; a program is run without a shell and is not searched for; allowed is an absolute path",
                            in_quotes(out.argv.front())));
        is_good = false;
    }
    return is_good;
}

void check_hooks(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"hooks"}) || !e.value.hooks) {
        return;
    }
    const entry<hooks_section> hooks{*e.value.hooks, *e.key("hooks"), e.path_to("hooks")};
    if (hooks.value.empty()) {
        r.warning(hooks.at.offset, hooks.path, "has no effect: it names no program; add one, such as backup = [\"/path\"]");
        return;
    }
    std::set<std::string_view> seen;
    const auto look_at = [&](std::string_view key, const command& c) {
        if (!c.empty() && seen.insert(c.argv.front()).second) {
            check_program(r, hooks.where(key), hooks.path_to(key), c, hooks.value.runs_as);
        }
    };
    for (const auto event : hook_events) {
        look_at(to_string(event), hooks.value.of(event));
    }
    look_at("notify", hooks.value.notify);
    const bool runs_at_the_end = !hooks.value.of(hook_event::stopping).empty() || !hooks.value.notify.empty();
    if (runs_at_the_end && hooks.value.timeout > hook_stop_max) {
        r.warning(
            hooks.where("timeout"), hooks.path_to("timeout"),
            fmt::format("the end of vipd waits for {} at most, and then ends what still runs", format_duration(hook_stop_max)));
    }
}

}  // namespace vipd::config
