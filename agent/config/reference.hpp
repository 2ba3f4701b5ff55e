#pragma once

#include <string>

namespace vipd::config {

// Every key as Markdown: one table for each section, one line for each key. What `vipd check --reference` prints.
std::string reference();

}  // namespace vipd::config
