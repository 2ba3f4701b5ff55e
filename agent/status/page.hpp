#pragma once

// The page at /: what a person needs at three in the morning, most urgent first. Rendered here whole, so that it needs no
// script; the script only fetches it again, when an event comes or every two seconds, and puts the new state in the old one's
// place. So nothing is escaped but in one place.
//
// A node with very many routers shows those that need attention, then the Active ones, up to page_routers_max; /v1/status has
// all.

#include "agent/status/http.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace vipd::status {

inline constexpr std::size_t page_routers_max = 100;
inline constexpr std::size_t page_resources_max = 64;  // of one router
inline constexpr std::size_t page_trackers_max = 64;   // likewise
inline constexpr std::size_t page_findings_max = 20;
inline constexpr std::size_t page_events_max = 40;

// Everything comes from this endpoint, nothing is inline, nothing may frame the page.
inline constexpr std::string_view page_security_policy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::unique_ptr<body_source> page_body(const node_view& view);

// What the page loads: /page.css, /page.js and /page.svg.
std::string_view page_style();
std::string_view page_script();
std::string_view page_icon();

}  // namespace vipd::status
