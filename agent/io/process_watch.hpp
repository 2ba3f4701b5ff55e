#pragma once

// Whether a process of a name, or of a number in a file, is there.
//
// A process that was found costs nothing: the kernel tells of its end by its pidfd, in the moment in which it happens. /proc is
// read through only while one is missing, and in pieces between which the loop has its turns, since a thousand processes take
// some milliseconds. One scan serves all that are looked for.
//
// When the last process of a name ends, /proc is read through once more before that is told: a server that replaces itself, as
// many do to reload, has its successor there by then.

#include "agent/config/track.hpp"
#include "agent/health/probe.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vipd::io {

class process_watch {
public:
    struct owner {
        // The answers to look().
        virtual void on_process_found(health::check_id id) = 0;
        virtual void on_process_missing(health::check_id id, std::string why) = 0;
        // After it was found, without being asked.
        virtual void on_process_gone(health::check_id id, std::string why) = 0;

    protected:
        ~owner() = default;
    };

    // Of one name: as long as one of them is there, the others do not matter.
    static constexpr std::size_t processes_max = 16;

    process_watch(boost::asio::io_context& context, owner& to);
    ~process_watch();
    process_watch(const process_watch&) = delete;
    process_watch& operator=(const process_watch&) = delete;

    void look(health::check_id id, const config::process_check& what);
    void forget(health::check_id id);

private:
    class found_process;
    class scan;
    struct entry {
        config::process_check what;
        std::vector<std::unique_ptr<found_process>> found;
        bool is_asked = false;  // look() waits for an answer
        bool was_found = false;
    };

    void search(health::check_id id, entry& e);
    void begin_scan();
    void go_on();
    void end_scan();
    bool watch(health::check_id id, entry& e, int process);
    void on_end(health::check_id id, const found_process* which);
    // After a search.
    void settle(health::check_id id, const std::string& why);

    boost::asio::io_context& context_;
    owner& to_;
    std::map<health::check_id, entry> entries_;
    std::vector<health::check_id> waiting_;  // for the next scan
    std::shared_ptr<scan> scan_;
};

}  // namespace vipd::io
