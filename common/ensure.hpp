#pragma once

// ENSURE states what the programmer knows. It is on in release builds: a daemon whose own state is broken must not go on as
// Active. It is never used on what a peer, a cloud or an operator sent.

namespace vipd {

// Writes the condition and its place to standard error and aborts.
[[noreturn]] void ensure_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace vipd

#define ENSURE(condition) ((condition) ? static_cast<void>(0) : ::vipd::ensure_failed(#condition, __FILE__, __LINE__))
