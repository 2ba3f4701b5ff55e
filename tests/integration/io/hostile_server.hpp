#pragma once

#include "tests/integration/io/child_program.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <string>

namespace vipd::io {

// The server of hostile_server.py, which lives as long as this object.
class hostile_server {
public:
    hostile_server();

    // One for all tests that leave nothing behind in it.
    static hostile_server& get();

    [[nodiscard]] std::string ca() const { return file("ca.pem"); }
    // A file that it has written: the certificates of ca.pem, and others.
    [[nodiscard]] std::string file(const char* name) const { return folder_.file(name); }
    // What it says of itself further on. Nothing else happens in this process meanwhile.
    std::string read_line() { return program_.read_line(); }
    [[nodiscard]] std::uint16_t port(const char* name) const { return static_cast<std::uint16_t>(ports_.at(name).as_int64()); }

private:
    temporary_folder folder_;
    child_program program_;
    boost::json::object ports_;
};

}  // namespace vipd::io
