#include "agent/io/process_watch.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/process_facts.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vipd::io {

namespace {

namespace asio = boost::asio;

// Of one piece of a scan, which is looked at after so many processes: reading a name takes some microseconds.
constexpr std::chrono::microseconds piece_max{500};
constexpr unsigned names_between_looks = 8;

constexpr std::size_t name_bytes_max = 16;

std::string name_of(int folder, const char* process)
{
    std::array<char, 64> path{};
    const std::string_view number{process};
    if (number.size() > 16) {
        return {};
    }
    std::ranges::copy(number, path.begin());
    std::ranges::copy(std::string_view{"/comm"}, path.begin() + static_cast<std::ptrdiff_t>(number.size()));
    const file_descriptor file{::openat(folder, path.data(), O_RDONLY | O_CLOEXEC)};
    std::array<char, name_bytes_max + 1> name{};
    const auto size = file ? ::read(file.get(), name.data(), name.size()) : -1;
    std::string text{name.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

// Whether it is of ours to see who else there is.
bool sees_others()
{
    return ::access("/proc/1/comm", R_OK) == 0;
}

}  // namespace

class process_watch::found_process {
public:
    explicit found_process(asio::io_context& context) : end(context) {}
    asio::posix::stream_descriptor end;  // of its pidfd
};

class process_watch::scan {
public:
    scan() : folder(::opendir("/proc")) {}
    ~scan()
    {
        if (folder != nullptr) {
            ::closedir(folder);
        }
    }
    scan(const scan&) = delete;
    scan& operator=(const scan&) = delete;

    DIR* folder;
    std::multimap<std::string, health::check_id> wanted;  // by name
};

process_watch::process_watch(asio::io_context& context, owner& to) : context_(context), to_(to) {}

process_watch::~process_watch() = default;

void process_watch::look(health::check_id id, const config::process_check& what)
{
    auto& e = entries_[id];
    e.what = what;
    if (!e.found.empty()) {
        to_.on_process_found(id);
        return;
    }
    e.is_asked = true;
    search(id, e);
}

void process_watch::forget(health::check_id id)
{
    entries_.erase(id);
    std::erase(waiting_, id);
}

void process_watch::search(health::check_id id, entry& e)
{
    if (e.what.pid_file.empty()) {
        if (std::ranges::find(waiting_, id) == waiting_.end()) {
            waiting_.push_back(id);
        }
        if (scan_ == nullptr) {
            begin_scan();
        }
        return;
    }
    const auto content = read_small_file(e.what.pid_file);
    if (!content) {
        settle(id, content.error().text);
        return;
    }
    int process = 0;
    const auto [end, failed] = std::from_chars(content->data(), content->data() + content->size(), process);
    if (failed != std::errc{} || process <= 0) {
        settle(id, e.what.pid_file + " holds no number of a process");
        return;
    }
    const bool is_there = watch(id, e, process);
    settle(id, is_there ? "" : "process " + std::to_string(process) + " of " + e.what.pid_file + " is not there");
}

void process_watch::begin_scan()
{
    scan_ = std::make_shared<scan>();
    for (const auto id : std::exchange(waiting_, {})) {
        scan_->wanted.emplace(entries_.at(id).what.process, id);
    }
    asio::post(context_, [this, weak = std::weak_ptr{scan_}] {
        if (!weak.expired()) {
            go_on();
        }
    });
}

void process_watch::go_on()
{
    const auto until = steady_now() + piece_max;
    unsigned names = 0;
    while (const auto* const item = scan_->folder == nullptr ? nullptr : ::readdir(scan_->folder)) {
        int process = 0;
        const std::string_view number{item->d_name};
        const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), process);
        if (failed != std::errc{} || end != number.data() + number.size()) {
            continue;
        }
        const auto name = name_of(::dirfd(scan_->folder), item->d_name);
        const auto [first, last] = scan_->wanted.equal_range(name);
        for (auto wanted = first; wanted != last; ++wanted) {
            const auto known = entries_.find(wanted->second);
            if (known != entries_.end() && known->second.found.size() < processes_max) {
                watch(known->first, known->second, process);
            }
        }
        if (++names % names_between_looks == 0 && steady_now() >= until) {
            asio::post(context_, [this, weak = std::weak_ptr{scan_}] {
                if (!weak.expired()) {
                    go_on();
                }
            });
            return;
        }
    }
    end_scan();
}

void process_watch::end_scan()
{
    const auto ended = std::exchange(scan_, nullptr);
    for (const auto& [name, id] : ended->wanted) {
        const auto why = sees_others() ? "no process has the name " + name
                                       : "no process that vipd may see has the name " + name +
                                             ", and /proc shows it its own only (hidepid, ProtectProc=): let it see all "
                                             "(deploy/systemd/vipd-trackers.conf), or name a pid_file";
        settle(id, why);
    }
    if (!waiting_.empty() && scan_ == nullptr) {
        begin_scan();
    }
}

bool process_watch::watch(health::check_id id, entry& e, int process)
{
    // glibc 2.36 declares its pidfd_open() for C only.
    file_descriptor end{static_cast<int>(::syscall(SYS_pidfd_open, process, 0))};
    pollfd ended{end.get(), POLLIN, 0};
    // One that nobody has collected yet is dead all the same.
    if (!end || ::poll(&ended, 1, 0) != 0) {
        return false;
    }
    auto made = std::make_unique<found_process>(context_);
    boost::system::error_code failed;
    made->end.assign(end.get(), failed);
    if (failed) {
        return false;
    }
    static_cast<void>(end.release());
    made->end.async_wait(asio::posix::descriptor_base::wait_read,
                         [this, id, which = made.get()](const boost::system::error_code& aborted) {
                             if (!aborted) {
                                 on_end(id, which);
                             }
                         });
    e.found.push_back(std::move(made));
    return true;
}

void process_watch::on_end(health::check_id id, const found_process* which)
{
    const auto known = entries_.find(id);
    if (known == entries_.end()) {
        return;
    }
    auto& e = known->second;
    std::erase_if(e.found, [&](const auto& one) { return one.get() == which; });
    if (e.found.empty() && e.was_found) {
        search(id, e);
    }
}

void process_watch::settle(health::check_id id, const std::string& why)
{
    const auto known = entries_.find(id);
    if (known == entries_.end()) {
        return;
    }
    auto& e = known->second;
    const bool is_found = !e.found.empty();
    const bool was_found = std::exchange(e.was_found, is_found);
    const bool was_asked = std::exchange(e.is_asked, false);
    if (was_asked && is_found) {
        to_.on_process_found(id);
    } else if (was_asked) {
        to_.on_process_missing(id, why);
    } else if (was_found && !is_found) {
        to_.on_process_gone(id, "it has ended: " + why);
    }
}

}  // namespace vipd::io
