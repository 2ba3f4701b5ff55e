#pragma once

// One JSON line for each request and each change, written at once, so that whoever follows the file sees a change within
// microseconds of its happening. Times are CLOCK_MONOTONIC in nanoseconds, comparable with those of other processes of this
// machine.

#include "common/time.hpp"
#include "tests/cloud/simulated_cloud.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace vipd::cloudsim {

// What became of one request on its connection. A time that never came is `never`, and null in the log.
struct request_times {
    std::uint64_t connection = 0;   // counted from 1
    time_point accepted = never;    // by accept(2)
    time_point secured = never;     // the TLS handshake had ended
    time_point first_byte = never;  // the first decrypted byte of the request was read from the connection
    time_point complete = never;    // the last one
    time_point replied = never;     // the last byte of the answer was handed to the kernel, or the reset done
};

class request_log {
public:
    // "-" is standard error. An empty path keeps no log.
    explicit request_log(const std::string& path);
    ~request_log();
    request_log(const request_log&) = delete;
    request_log& operator=(const request_log&) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

    // `outcome`: "answered", "reset", "hung", "client_gone".
    void request(std::string_view service, const request_times& times, const std::string& source,
                 const cloud::exchange_record& record, std::string_view outcome);
    void change(const cloud::state_change& what);
    // What a hypervisor would have to do.
    void movement(const cloud::movement& what);
    // What happens to a connection beside its requests: "secured", "tls_failed: ...", "reset", "hung", "request_incomplete".
    void connection(std::string_view service, const request_times& times, const std::string& source, std::string_view outcome);

private:
    void write(const boost::json::object& line);

    int descriptor_ = -1;
};

}  // namespace vipd::cloudsim
