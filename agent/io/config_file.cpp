#include "agent/io/config_file.hpp"

#include "agent/cli/check_report.hpp"
#include "agent/config/document.hpp"
#include "agent/config/load.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/hook_program.hpp"
#include "agent/io/system_error.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <unistd.h>

namespace vipd::io {

result<std::string> read_config_file(const std::string& path)
{
    const auto failed = [&] {
        auto problem =
            system_error(errno == EACCES ? error_class::denied : error_class::not_found, "cannot read " + path, errno);
        if (problem.kind == error_class::denied) {
            problem.text +=
                "; the service runs as vipd: chown root:vipd and chmod 0640 the file, and let its folder be entered";
        }
        return problem;
    };
    // Not blocking, so that a pipe without a writer cannot hold the caller.
    const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) {
        return failed();
    }
    std::string text;
    std::array<char, 65536> buffer{};
    while (text.size() <= config::text_size_max) {
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed();
        }
        if (count == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return error{error_class::too_large,
                 "cannot use " + path + ": a configuration has at most " + std::to_string(config::text_size_max) + " bytes"};
}

result<loaded_file> load_config_file(const std::string& path)
{
    const auto text = read_config_file(path);
    if (!text) {
        return text.error();
    }
    auto checked = config::load(*text, path, this_machine());
    if (std::holds_alternative<std::vector<config::finding>>(checked)) {
        auto report = cli::check_report(checked, path).err;
        while (report.ends_with('\n')) {
            report.pop_back();
        }
        return error{error_class::malformed, std::move(report)};
    }
    auto& good = std::get<config::loaded>(checked);
    loaded_file file;
    file.configuration = std::make_shared<const config::configuration>(std::move(good.value));
    for (const auto& warning : good.warnings) {
        file.warnings.push_back(config::to_string(warning, path));
    }
    return file;
}

}  // namespace vipd::io
