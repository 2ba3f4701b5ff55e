#include "agent/io/key_file.hpp"

#include "tests/integration/io/child_program.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace vipd::io {
namespace {

constexpr auto hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

class key_file : public testing::Test {
protected:
    std::string write(const std::string& content, mode_t mode = 0400)
    {
        const auto path = folder.file("key");
        ::unlink(path.c_str());
        std::ofstream(path) << content;
        ::chmod(path.c_str(), mode);
        return path;
    }

    static std::string refusal(const std::string& path)
    {
        const auto secret = read_key_file(path);
        return secret ? "" : secret.error().text;
    }

    temporary_folder folder;
};

TEST_F(key_file, one_that_is_for_its_owner_alone_is_read)
{
    for (const mode_t mode : {0400U, 0600U}) {
        const auto secret = read_key_file(write(hex, mode));
        ASSERT_TRUE(secret) << secret.error().text;
        EXPECT_EQ(secret->bytes().size(), 32U);
        EXPECT_EQ(secret->bytes()[31], 31);
    }
    const auto raw = read_key_file(write(std::string(63, '\xee') + "\n"));
    ASSERT_TRUE(raw);
    EXPECT_EQ(raw->bytes().size(), 64U);
}

TEST_F(key_file, one_that_others_can_get_at_is_refused)
{
    for (const mode_t mode : {0440U, 0640U, 0404U, 0420U, 0402U, 0410U, 0401U}) {
        const auto said = refusal(write(hex, mode));
        EXPECT_NE(said.find("for its owner alone; chmod 0400 it"), std::string::npos) << std::oct << mode << said;
    }
}

TEST_F(key_file, one_of_another_user_is_refused)
{
    const auto path = write(hex);
    constexpr uid_t stranger = 65533;
    if (::chown(path.c_str(), stranger, static_cast<gid_t>(-1)) != 0) {
        GTEST_SKIP() << "only root gives files away";
    }
    EXPECT_NE(refusal(path).find("belongs to user 65533; allowed are root and the user that vipd runs as"), std::string::npos);
}

TEST_F(key_file, what_is_no_key_is_refused_and_not_repeated)
{
    EXPECT_NE(refusal(write("")).find("openssl rand -hex 32"), std::string::npos);
    EXPECT_NE(refusal(write("geheim\n")).find("openssl rand -hex 32"), std::string::npos);
    EXPECT_EQ(refusal(write("geheim\n")).find("geheim"), std::string::npos);
    EXPECT_NE(refusal(write(std::string(1 << 20, 'x'))).find("longer than any key"), std::string::npos);
    EXPECT_NE(refusal(write(std::string(144, ' '))).find("no key"), std::string::npos);
}

TEST_F(key_file, what_is_no_file_is_refused_at_once)
{
    EXPECT_NE(refusal(folder.file("nowhere")).find("cannot be read"), std::string::npos);
    EXPECT_NE(refusal(folder.file(".")).find("no regular file"), std::string::npos);
    const auto pipe = folder.file("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0400), 0);
    EXPECT_NE(refusal(pipe).find("no regular file"), std::string::npos);
}

}  // namespace
}  // namespace vipd::io
