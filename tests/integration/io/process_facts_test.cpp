#include "agent/io/process_facts.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>

namespace vipd::io {
namespace {

namespace fs = std::filesystem;

struct small_file_test : testing::Test {
    fs::path folder;

    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "vipd-small-file-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { fs::remove_all(folder); }

    [[nodiscard]] std::string file() const { return (folder / "identity.json").string(); }
    [[nodiscard]] std::size_t count() const
    {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
    }
};

TEST_F(small_file_test, a_file_is_replaced_whole_and_readable_to_its_owner_alone)
{
    for (const auto& content : {std::string("first"), std::string(60'000, 'x'), std::string("third")}) {
        ASSERT_TRUE(replace_small_file(file(), content).has_value());
        EXPECT_EQ(read_small_file(file()).value(), content);
        struct stat what {};
        ASSERT_EQ(::stat(file().c_str(), &what), 0);
        EXPECT_EQ(what.st_mode & 0777U, 0600U);
        EXPECT_EQ(count(), 1U);
    }
}

TEST_F(small_file_test, a_reader_of_the_old_file_keeps_the_old_file)
{
    ASSERT_TRUE(replace_small_file(file(), "old").has_value());
    fs::create_hard_link(file(), folder / "reader");
    ASSERT_TRUE(replace_small_file(file(), "new").has_value());
    EXPECT_EQ(read_small_file((folder / "reader").string()).value(), "old");
    EXPECT_EQ(read_small_file(file()).value(), "new");
}

TEST_F(small_file_test, nothing_is_written_through_a_link_that_somebody_left_in_the_way)
{
    const auto victim = (folder / "victim").string();
    ASSERT_TRUE(replace_small_file(victim, "precious").has_value());
    fs::create_symlink(victim, file() + ".new");
    fs::create_symlink(victim, file());
    ASSERT_TRUE(replace_small_file(file(), "identity").has_value());
    EXPECT_EQ(read_small_file(victim).value(), "precious");
    EXPECT_FALSE(fs::is_symlink(file()));
}

TEST_F(small_file_test, a_failure_is_told_with_the_path_and_leaves_nothing_behind)
{
    const auto nowhere = replace_small_file((folder / "absent" / "identity.json").string(), "x");
    ASSERT_FALSE(nowhere.has_value());
    EXPECT_NE(nowhere.error().text.find("absent/identity.json: No such file"), std::string::npos) << nowhere.error().text;
    fs::create_directory(file());
    EXPECT_FALSE(replace_small_file(file(), "x").has_value());
    EXPECT_EQ(count(), 1U);
}

TEST_F(small_file_test, a_write_that_ends_half_way_leaves_the_old_file)
{
    ASSERT_TRUE(replace_small_file(file(), "old").has_value());
    // The limit stands in for a full disk: some bytes go in, the next do not.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto outcome = replace_small_file(file(), std::string(60'000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().kind, error_class::unavailable);
    EXPECT_EQ(read_small_file(file()).value(), "old");
    EXPECT_EQ(count(), 1U);
}

TEST(boot_id, is_the_kernels)
{
    EXPECT_EQ(boot_id(), read_small_file("/proc/sys/kernel/random/boot_id").value());
}

}  // namespace
}  // namespace vipd::io
