#pragma once

// What holds of every reply of the responder, whatever was asked.

#include "agent/status/http.hpp"
#include "tests/support/fake_node.hpp"

#include <cstddef>
#include <cstdint>

namespace vipd::status::test {

// Asks, draws the body and ENSUREs that the reply is bounded and well formed. `change` is what happens to the routers while the
// body is drawn. `asked_size`: bytes that the asker had a say in; the reply may repeat them.
void check_reply(fake_node& node, const http_request& request, std::uint8_t change, std::size_t asked_size);

}  // namespace vipd::status::test
