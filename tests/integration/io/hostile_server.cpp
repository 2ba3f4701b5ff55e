#include "tests/integration/io/hostile_server.hpp"

namespace vipd::io {

hostile_server::hostile_server() :
    program_({"python3", TEST_FOLDER "/hostile_server.py", folder_.path()}),
    ports_(boost::json::parse(program_.read_line()).as_object())
{}

hostile_server& hostile_server::get()
{
    static hostile_server server;
    return server;
}

}  // namespace vipd::io
