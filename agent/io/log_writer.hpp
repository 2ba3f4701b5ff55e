#pragma once

// Log lines to standard error, without ever waiting for who reads them. Lines are collected and written at the end of a turn;
// when the reader is slow they queue up to a bound, and what does not fit is counted and told once there is room again.

#include "agent/io/file_descriptor.hpp"
#include "agent/io/log_line.hpp"
#include "common/log.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace vipd::io {

class log_writer final : public log_sink {
public:
    static constexpr std::size_t pending_bytes_max = 256U << 10U;

    struct options {
        log_line_style style;
        log_level least = log_level::info;
    };

    // `output` stays the caller's. Standard error is opened once more where that gives a description of its own, so that it can
    // be made non-blocking without doing so to the shell that started us.
    explicit log_writer(int output);
    ~log_writer() override;

    void configure(const options& o) { options_ = o; }
    // Writes on by itself when the reader has caught up.
    void watch(boost::asio::io_context& context);
    // Before the context ends.
    void stop_watching();

    void write(const log_record& record) override;
    // What the other side takes at this moment.
    void flush();
    // The last lines before the end of the process: waits for the reader, a second at most.
    void flush_at_exit();

    [[nodiscard]] std::uint64_t lines_dropped() const { return dropped_total_; }

private:
    enum class kind : std::uint8_t {
        socket,  // written to with MSG_DONTWAIT
        own,     // non-blocking, opened by us
        shared,  // not ours to change: asked for room before each small write
        file,    // a disk
    };
    class watcher;

    void append(const log_record& record);
    std::size_t write_some(const char* bytes, std::size_t size);

    options options_;
    int output_;
    file_descriptor reopened_;
    kind kind_ = kind::shared;
    std::string pending_;
    std::uint64_t dropped_ = 0;  // since it was last told
    std::uint64_t dropped_total_ = 0;
    std::unique_ptr<watcher> watcher_;
};

}  // namespace vipd::io
