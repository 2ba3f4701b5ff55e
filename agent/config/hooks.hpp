#pragma once

// [router.hooks] as plain values: which program is run when, as whom, and for how long it may run.

#include "common/time.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::config {

// The names are keys of [router.hooks], and what programs are told.
enum class hook_event : std::uint8_t {
    active,                 // it became Active, and everything that follows the role has been asked for
    owned,                  // all of that is here
    backup,                 // it became Backup, also at the start
    fault,                  // it cannot take part, or is kept out
    stopping,               // vipd ends, or a reload has dropped the router
    lower_priority_advert,  // as Active it heard an advert of a lower priority
};
inline constexpr std::array hook_events = {hook_event::active, hook_event::owned,    hook_event::backup,
                                           hook_event::fault,  hook_event::stopping, hook_event::lower_priority_advert};
std::string_view to_string(hook_event event);

// A program and its arguments; there is no shell.
struct command {
    std::vector<std::string> argv;

    [[nodiscard]] bool empty() const { return argv.empty(); }
    // As a person would type it.
    [[nodiscard]] std::string to_string() const;
    friend auto operator<=>(const command&, const command&) = default;
};

// A user of this machine, as the system knew it when the file was read.
struct account {
    std::string name;
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    std::vector<std::uint32_t> groups;  // all, `group` among them
    friend auto operator<=>(const account&, const account&) = default;
};

// How long the end of vipd waits for its programs: a service manager does not wait for ever either (TimeoutStopSec of the
// packaged unit is 75 s).
inline constexpr duration hook_stop_max = std::chrono::seconds{60};

struct hooks_section {
    std::array<command, hook_events.size()> commands;  // by event
    command notify;                                    // called as keepalived calls its notify scripts
    std::string user;                                  // empty: vipd's own
    duration timeout = std::chrono::seconds{30};       // of one run
    std::optional<account> runs_as;                    // what `user` is the name of

    [[nodiscard]] const command& of(hook_event event) const { return commands[static_cast<std::size_t>(event)]; }
    [[nodiscard]] bool empty() const;
    friend bool operator==(const hooks_section&, const hooks_section&) = default;
};

}  // namespace vipd::config
