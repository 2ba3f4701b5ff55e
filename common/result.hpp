#pragma once

// Errors are values: a class that code can act on and a sentence that a person can act on.

#include "common/ensure.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>

namespace vipd {

enum class error_class : std::uint8_t {
    malformed,     // the text or the bytes are not of the form they should have
    out_of_range,  // well formed, but not one of the allowed values
    unsupported,   // well formed and legal elsewhere; this program does not do it
    not_found,     // what was named does not exist
    denied,        // the other side refused us
    unavailable,   // the other side could not be reached or is in trouble; trying again may help
    timed_out,     // no answer within the time allowed
    too_large,     // more than the bound that was set
    cancelled,     // we stopped it ourselves
};

struct error {
    error_class kind = error_class::malformed;
    std::string text;  // what was found, where, what is allowed, and the remedy; no newline, no secret

    friend bool operator==(const error&, const error&) = default;
};

// boost::system::result calls this from value() on an error: reading a value that is not there is a programmer's error.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location& where)
{
    ensure_failed(e.text.c_str(), where.file_name(), static_cast<int>(where.line()));
}

template <class T>
using result = boost::system::result<T, error>;

}  // namespace vipd
