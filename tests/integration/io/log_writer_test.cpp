#include "agent/io/log_writer.hpp"

#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <array>

#include <fcntl.h>
#include <unistd.h>

namespace vipd::io {
namespace {

struct log_writer_test : reactor_fixture {
    std::array<int, 2> pipe{};

    void SetUp() override { ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0); }
    void TearDown() override
    {
        ::close(pipe[0]);
        ::close(pipe[1]);
    }

    // Everything that has been written so far.
    [[nodiscard]] std::string read_all() const
    {
        ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
        std::string text;
        std::array<char, 65536> buffer{};
        for (auto size = ::read(pipe[0], buffer.data(), buffer.size()); size > 0;
             size = ::read(pipe[0], buffer.data(), buffer.size())) {
            text.append(buffer.data(), static_cast<std::size_t>(size));
        }
        return text;
    }
};

TEST_F(log_writer_test, lines_leave_at_the_end_of_a_turn)
{
    log_writer writer(pipe[1]);
    writer.info("start", {{"version", "1"}});
    EXPECT_EQ(read_all(), "");
    writer.flush();
    EXPECT_TRUE(read_all().ends_with("level=info event=start version=1\n"));
    EXPECT_EQ(::fcntl(pipe[1], F_GETFL) & O_NONBLOCK, 0) << "whoever shares the pipe finds it as it was";
}

TEST_F(log_writer_test, what_is_below_the_level_is_not_written)
{
    log_writer writer(pipe[1]);
    writer.debug("detail", {});
    writer.flush();
    EXPECT_EQ(read_all(), "");
    writer.configure({{}, log_level::debug});
    writer.debug("detail", {});
    writer.flush();
    EXPECT_NE(read_all(), "");
}

TEST_F(log_writer_test, a_reader_that_has_stopped_holds_nobody_up_and_learns_what_it_missed)
{
    log_writer writer(pipe[1]);
    writer.watch(context);
    const std::string text(1000, 'x');
    for (int i = 0; i < 1000; ++i) {
        writer.info("noise", {{"text", text}});
    }
    writer.flush();
    EXPECT_GT(writer.lines_dropped(), 100U);
    EXPECT_LT(writer.lines_dropped(), 1000U);
    std::string read;
    run_until([&] {
        read += read_all();
        return static_cast<std::uint64_t>(std::count(read.begin(), read.end(), '\n')) + writer.lines_dropped() == 1000;
    });
    writer.info("after", {});
    writer.flush();
    EXPECT_NE(read_all().find("event=log_lines_dropped lines=" + std::to_string(writer.lines_dropped())), std::string::npos);
    writer.stop_watching();
}

TEST_F(log_writer_test, a_reader_that_has_gone_is_no_reason_to_stop)
{
    log_writer writer(pipe[1]);
    ::close(pipe[0]);
    writer.info("start", {});
    writer.flush();
    EXPECT_EQ(writer.lines_dropped(), 1U);
    pipe[0] = ::dup(0);
}

TEST_F(log_writer_test, a_file_is_written_to_as_it_is)
{
    temporary_folder folder;
    const int file = ::open(folder.file("log").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    log_writer writer(file);
    writer.info("start", {});
    writer.flush();
    EXPECT_GT(::lseek(file, 0, SEEK_END), 0);
    ::close(file);
}

}  // namespace
}  // namespace vipd::io
