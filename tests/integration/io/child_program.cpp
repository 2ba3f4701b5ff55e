#include "tests/integration/io/child_program.hpp"

#include "common/ensure.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <spawn.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {

child_program::child_program(const std::vector<std::string>& arguments)
{
    std::array<int, 2> to_child{};
    std::array<int, 2> from_child{};
    ENSURE(::pipe2(to_child.data(), O_CLOEXEC) == 0 && ::pipe2(from_child.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
    std::vector<char*> pointers;
    for (const auto& argument : arguments) {
        pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    const int failed = ::posix_spawnp(&process_, pointers[0], &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ENSURE(failed == 0);
    ::close(to_child[0]);
    ::close(from_child[1]);
    input_ = to_child[1];
    output_ = from_child[0];
}

child_program::~child_program()
{
    ::close(input_);
    ::close(output_);
    int status = 0;
    ::waitpid(process_, &status, 0);
}

std::string child_program::read_line()
{
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1 && c != '\n') {
        line.push_back(c);
    }
    return line;
}

temporary_folder::temporary_folder()
{
    auto name = (std::filesystem::temp_directory_path() / "vipd-test-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
}

temporary_folder::~temporary_folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace vipd::io
