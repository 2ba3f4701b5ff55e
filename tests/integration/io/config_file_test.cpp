#include "agent/io/config_file.hpp"

#include "tests/integration/io/child_program.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/fsuid.h>
#include <unistd.h>

namespace vipd::io {
namespace {

TEST(config_file, one_that_this_user_may_not_read_is_refused_with_the_remedy)
{
    temporary_folder folder;
    const auto path = folder.file("vipd.toml");
    ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0));
    // Root may read everything, unless it looks at files as somebody else.
    constexpr uid_t nobody = 65534;
    const auto before = ::setfsuid(nobody);
    const auto text = read_config_file(path);
    ::setfsuid(static_cast<uid_t>(before));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, error_class::denied);
    EXPECT_NE(text.error().text.find("chown root:vipd and chmod 0640"), std::string::npos) << text.error().text;
}

TEST(config_file, one_that_is_not_there_is_named)
{
    const auto text = read_config_file("/nowhere/vipd.toml");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, error_class::not_found);
    EXPECT_NE(text.error().text.find("/nowhere/vipd.toml"), std::string::npos);
}

}  // namespace
}  // namespace vipd::io
