#include "agent/io/process_watch.hpp"

#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using testing::HasSubstr;

std::string name_of(pid_t process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

// A process that sleeps under a name of its own, until it is told otherwise.
class sleeper {
public:
    explicit sleeper(const std::string& program) : process(::fork())
    {
        if (process == 0) {
            std::string name = program;
            std::string time = "1000";
            const std::array<char*, 3> arguments = {name.data(), time.data(), nullptr};
            ::execv(name.c_str(), arguments.data());
            ::_exit(127);
        }
        // It has the name of the program from execve() on, which has no end that this process could wait for.
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (name_of(process) != std::filesystem::path{program}.filename() && std::chrono::steady_clock::now() < give_up) {
            std::this_thread::yield();
        }
    }
    ~sleeper() { end(); }
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

    void kill() const { ::kill(process, SIGKILL); }
    void collect()
    {
        if (process > 0) {
            ::waitpid(process, nullptr, 0);
            process = -1;
        }
    }
    void end()
    {
        if (process > 0) {
            kill();
            collect();
        }
    }

    pid_t process;
};

struct process_watch_test : reactor_fixture, process_watch::owner {
    process_watch_test() : name("vw" + std::to_string(::getpid()))
    {
        std::filesystem::copy_file("/bin/sleep", program());
        std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
    }

    void on_process_found(health::check_id which) override { found[which]++; }
    void on_process_missing(health::check_id which, std::string why) override { missing[which] = std::move(why); }
    void on_process_gone(health::check_id which, std::string why) override { gone[which] = std::move(why); }

    [[nodiscard]] std::string program() const { return folder.file(name); }
    [[nodiscard]] config::process_check by_name() const { return {name, ""}; }

    void look_and_find(health::check_id which, const config::process_check& what)
    {
        const auto before = found[which];
        watch.look(which, what);
        run_until([&] { return found[which] != before; });
    }

    temporary_folder folder;
    std::string name;
    std::map<health::check_id, int> found;
    std::map<health::check_id, std::string> missing;
    std::map<health::check_id, std::string> gone;
    process_watch watch{context, *this};
    const health::check_id id{1};
    const health::check_id other{2};
};

TEST_F(process_watch_test, process_that_is_not_there_is_missing_and_one_that_appears_is_found)
{
    watch.look(id, by_name());
    run_until([&] { return missing.contains(id); });
    EXPECT_EQ(missing[id], "no process has the name " + name);
    sleeper one{program()};
    look_and_find(id, by_name());
    watch.look(id, by_name());
    EXPECT_EQ(found[id], 2) << "without a scan";
    EXPECT_TRUE(gone.empty());
}

TEST_F(process_watch_test, death_is_told_without_being_asked_for_even_before_anybody_has_collected_it)
{
    sleeper one{program()};
    look_and_find(id, by_name());
    one.kill();
    run_until([&] { return gone.contains(id); });
    EXPECT_EQ(gone[id], "it has ended: no process has the name " + name);
    watch.look(id, by_name());
    run_until([&] { return missing.contains(id); });
}

TEST_F(process_watch_test, as_long_as_one_of_the_name_is_there_nothing_has_happened)
{
    sleeper one{program()};
    sleeper two{program()};
    look_and_find(id, by_name());
    look_and_find(other, by_name());
    one.end();
    watch.look(other, by_name());
    EXPECT_TRUE(gone.empty());
    two.end();
    run_until([&] { return gone.contains(id) && gone.contains(other); });
}

TEST_F(process_watch_test, successor_that_came_after_it_was_found_is_found_when_it_ends)
{
    sleeper one{program()};
    look_and_find(id, by_name());
    sleeper two{program()};
    look_and_find(other, by_name());
    process_watch second{context, *this};
    one.end();
    const health::check_id probe{3};
    // A scan that began later has ended: the one for `id` has as well.
    for (int i = 0; i < 3; ++i) {
        found.erase(probe);
        second.look(probe, by_name());
        run_until([&] { return found.contains(probe); });
        second.forget(probe);
    }
    EXPECT_FALSE(gone.contains(id));
    two.end();
    run_until([&] { return gone.contains(id); });
}

TEST_F(process_watch_test, process_is_known_by_the_number_in_a_file)
{
    const auto file = folder.file("pid");
    const config::process_check what{"", file};
    watch.look(id, what);
    EXPECT_THAT(missing[id], HasSubstr("No such file"));
    std::ofstream(file) << "nonsense\n";
    watch.look(id, what);
    EXPECT_EQ(missing[id], file + " holds no number of a process");
    sleeper one{program()};
    std::ofstream(file) << one.process << "\n";
    watch.look(id, what);
    EXPECT_EQ(found[id], 1);
    // A successor with another number.
    sleeper two{program()};
    std::ofstream(file) << two.process << "\n";
    one.end();
    two.kill();
    run_until([&] { return gone.contains(id); });
    EXPECT_THAT(gone[id], HasSubstr("process " + std::to_string(two.process) + " of " + file + " is not there"));
}

TEST_F(process_watch_test, what_is_forgotten_is_told_of_no_more)
{
    sleeper one{program()};
    look_and_find(id, by_name());
    look_and_find(other, by_name());
    watch.forget(id);
    one.end();
    run_until([&] { return gone.contains(other); });
    EXPECT_FALSE(gone.contains(id));
    watch.look(id, by_name());
    watch.forget(id);
    watch.look(other, by_name());
    run_until([&] { return missing.contains(other); });
    EXPECT_FALSE(missing.contains(id));
}

}  // namespace
}  // namespace vipd::io
