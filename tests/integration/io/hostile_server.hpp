#pragma once

#include "tests/integration/io/child_program.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <string>

namespace vipd::io {

// The server of hostile_server.py, started once for all tests.
class hostile_server {
public:
    static hostile_server& get()
    {
        static hostile_server server;
        return server;
    }

    [[nodiscard]] std::string ca() const { return folder_.file("ca.pem"); }
    // What it says of itself further on. Nothing else happens in this process meanwhile.
    std::string read_line() { return program_.read_line(); }
    [[nodiscard]] std::uint16_t port(const char* name) const { return static_cast<std::uint16_t>(ports_.at(name).as_int64()); }

private:
    hostile_server() :
        program_({"python3", TEST_FOLDER "/hostile_server.py", folder_.path()}),
        ports_(boost::json::parse(program_.read_line()).as_object())
    {}

    temporary_folder folder_;
    child_program program_;
    boost::json::object ports_;
};

}  // namespace vipd::io
