#pragma once

// EC2's and STS's way to say no: a code, a sentence, and an HTTP status that follows from the code (their API references,
// "Error codes" and "Common error types").

#include "common/ensure.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace vipd::cloud {

struct api_error {
    // Constructors, because an aggregate could be made from a string alone and so would be ambiguous in
    // api_result<std::string>.
    api_error() = default;
    api_error(std::string c, std::string m) : code(std::move(c)), message(std::move(m)) {}

    std::string code;
    std::string message;
};

[[noreturn]] inline void throw_exception_from_error(const api_error& e, const boost::source_location& where)
{
    ensure_failed(e.message.c_str(), where.file_name(), static_cast<int>(where.line()));
}

template <class T>
using api_result = boost::system::result<T, api_error>;

unsigned http_status(std::string_view code);

}  // namespace vipd::cloud
