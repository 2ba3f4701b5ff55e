#include "agent/config/hooks.hpp"

#include <algorithm>

namespace vipd::config {

std::string_view to_string(hook_event event)
{
    switch (event) {
        case hook_event::active:
            return "active";
        case hook_event::owned:
            return "owned";
        case hook_event::backup:
            return "backup";
        case hook_event::fault:
            return "fault";
        case hook_event::stopping:
            return "stopping";
        case hook_event::lower_priority_advert:
            return "lower_priority_advert";
    }
    return "unknown";
}

namespace {

// For a shell, which leaves alone what stands between single quotes.
std::string shell_word(const std::string& argument)
{
    constexpr std::string_view special = " \t\n'\"\\$`!&|;<>()[]{}*?#~";
    if (!argument.empty() && argument.find_first_of(special) == std::string::npos) {
        return argument;
    }
    std::string text = "'";
    for (const char c : argument) {
        text += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    }
    return text + "'";
}

}  // namespace

std::string command::to_string() const
{
    std::string text;
    for (const auto& argument : argv) {
        text += (text.empty() ? "" : " ") + shell_word(argument);
    }
    return text;
}

bool hooks_section::empty() const
{
    return notify.empty() && std::ranges::all_of(commands, [](const command& c) { return c.empty(); });
}

}  // namespace vipd::config
