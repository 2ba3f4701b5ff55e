#pragma once

// A helper program that lives as long as this object: it ends when its standard input is closed.

#include <string>
#include <vector>

#include <sys/types.h>

namespace vipd::io {

class child_program {
public:
    explicit child_program(const std::vector<std::string>& arguments);
    ~child_program();
    child_program(const child_program&) = delete;
    child_program& operator=(const child_program&) = delete;

    // Waits for one line on its standard output; empty when it ends before.
    std::string read_line();

private:
    pid_t process_ = -1;
    int input_ = -1;
    int output_ = -1;
};

// A folder for the files of one test, removed at the end.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace vipd::io
