#pragma once

// At most one line per period for each (event, key), with a count of those kept back: a peer that sends bad packets must not
// fill a disk, nor hold up the loop that writes the lines.
//
// Keys come from the network, so the table is bounded and nobody can use the bound against the others: when it is full of
// entries whose period still runs, further keys of an event share one entry of that event. What is known stays known.
//
//   const auto verdict = limiter.admit(now, "advert_discarded", peer);
//   if (verdict.write) { log the line, with verdict.suppressed when it is not 0 }
//
//   now and then: limiter.collect(now, summaries), so that a count whose key never comes again is told as well

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd {

class log_limiter {
public:
    struct limits {
        duration period = std::chrono::seconds{10};
        std::size_t entries_max = 1024;
    };

    // Longer keys are cut; those that begin alike then count as one.
    static constexpr std::size_t key_size_max = 128;

    // The key of the entry that an event's keys share when the table is full.
    static constexpr std::string_view shared_key = "(others)";

    struct verdict {
        bool write = false;
        std::uint64_t suppressed = 0;  // lines of this (event, key) kept back since the last one that was written
    };

    struct summary {
        std::string event;
        std::string key;
        std::uint64_t suppressed = 0;  // 1 or more
    };

    log_limiter() = default;
    explicit log_limiter(const limits& l) : limits_(l) {}

    // `event` is a word of the program, not of the network. `now` does not go back.
    verdict admit(time_point now, std::string_view event, std::string_view key);

    // Forgets what has been quiet for a period, and tells the counts that went with it.
    void collect(time_point now, std::vector<summary>& out);

    // When collect() has something to do.
    [[nodiscard]] wakeup next_wakeup() const;

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        std::string event;
        std::string key;
        time_point written_at;
        std::uint64_t suppressed = 0;
    };
    using entries = std::list<entry>;
    using name = std::pair<std::string_view, std::string_view>;  // event, key; views of the entry's own strings

    verdict admit_known(time_point now, entries::iterator at);
    verdict admit_new(time_point now, std::string_view event, std::string_view key);
    void erase(entries::iterator at);
    [[nodiscard]] bool is_over(time_point now, const entry& e) const { return now - e.written_at >= limits_.period; }

    limits limits_{};
    entries entries_;  // by written_at, the oldest first
    std::map<name, entries::iterator> by_name_;
};

}  // namespace vipd
