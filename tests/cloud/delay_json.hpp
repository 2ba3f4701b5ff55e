#pragma once

#include "tests/cloud/delay.hpp"
#include "tests/cloud/json_reader.hpp"

#include <string_view>

namespace vipd::cloud {

duration from_ms(double milliseconds);

// "by": 20 for a fixed time in milliseconds; {"low": 5, "high": 50} for a uniform one, {"low": 5, "mean": 20} for an
// exponential tail.
delay read_delay(json_reader& reader, std::string_view key);

}  // namespace vipd::cloud
