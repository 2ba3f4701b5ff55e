#pragma once

// A reactor that runs until something has happened, with a limit that only a hang reaches.

#include "common/log.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vipd::io {

struct remembering_log final : log_sink {
    std::vector<std::string> lines;
    void write(const log_record& record) override { lines.push_back(format_log_line(record)); }
};

struct reactor_fixture : testing::Test {
    boost::asio::io_context context{1};
    remembering_log log;

    template <class Predicate>
    void run_until(Predicate&& reached)
    {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (!reached()) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "hangs";
            context.restart();
            context.run_one_until(give_up);
        }
    }
};

}  // namespace vipd::io
