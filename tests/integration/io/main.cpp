#include <gtest/gtest.h>

#include <csignal>

int main(int argc, char** argv)
{
    // As the daemon does: a write to a closed socket is an error and no death.
    std::signal(SIGPIPE, SIG_IGN);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
