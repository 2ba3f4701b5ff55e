#pragma once

// The JSON of GET /v1/status (agent/status/README.md) as a table for people:
//
//     vipd 0.1.0, up 1d 0h, ready
//     AWS: eu-west-1, i-0123456789abcdef0, credentials for 5h 42m
//
//     ROUTER   VRID  STATE   FOR    PRIORITY  ACTIVE           WHY
//     haproxy  51    Active  1h 0m  150       10.0.1.10 (150)  no advert for 722 ms
//       route    172.16.1.100/32 in rtb-0a1b2c  here  eni-0a1b2c3d  read 4s ago
//       address  172.16.1.100/32 on lo          here
//
// Names that are absent are shown as dashes, so that a command line of another version than the daemon's stays of use.

#include <boost/json/value.hpp>

#include <string>

namespace vipd::cli {

struct table_style {
    bool has_colours = false;  // ANSI, for terminals
};

std::string status_table(const boost::json::value& status, table_style style);

// "850ms", "4s", "3m 20s", "5h 42m", "12d 3h": two units at most.
std::string short_duration(double seconds);

}  // namespace vipd::cli
