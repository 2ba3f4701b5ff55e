#pragma once

// The addresses of [[router.address]] on this node, reconciled against what the kernel tells. They are the first thing that
// becoming Active changes and the last thing that leaving does: while they drain, traffic that still arrives is served.
//
// An address is ours because the configuration names it, whoever added it: one that a killed predecessor left behind is removed
// when this node starts as Backup. It stays when something else on this node needs it: a router that a reload has moved it to
// or from, or adverts that are sent from it. Whoever needs it last removes it.

#include "agent/config/config.hpp"
#include "agent/net/link.hpp"
#include "agent/net/link_table.hpp"
#include "agent/status/journal.hpp"
#include "agent/status/snapshot.hpp"
#include "common/backoff.hpp"
#include "common/log_limiter.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::takeover {

class local_addresses;

// What an address is needed for on this node beside the router that has no use for it any more.
class address_needs {
public:
    [[nodiscard]] virtual bool is_needed_elsewhere(const config::address_entry& address,
                                                   const local_addresses& asking) const = 0;

protected:
    ~address_needs() = default;
};

class local_addresses {
public:
    local_addresses(std::string router, std::uint64_t seed, status::journal& journal, const address_needs& needs) :
        router_(std::move(router)), random_(seed), journal_(journal), needs_(needs)
    {}

    // Addresses that are no longer configured are removed when they were there only while Active. Nothing is done before the
    // next call: in a reload all routers have to say first what they want.
    void want(const std::vector<config::address_entry>& entries);
    // Until this is called nothing is added or removed: what was there at the start may serve traffic.
    void start(time_point now, const net::link_table& kernel);
    void become_active(time_point now, const net::link_table& kernel);
    // Removal begins at `until`; end_drain() brings it forward.
    void leave_active(time_point until);
    void end_drain(time_point now);
    void kernel_changed(time_point now, const net::link_table& kernel);
    void answered(time_point now, const net::kernel_answer& answer, const net::link_table& kernel);
    void handle_timeout(time_point now, const net::link_table& kernel);

    // The request ids come from the caller so that they are unique on the node.
    struct change {
        std::size_t entry = 0;
        net::kernel_change what;
    };
    std::optional<change> poll_output();
    void issued(std::size_t entry, net::kernel_request_id id);

    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] bool concerns(const ip_prefix& address) const;
    // Whether this router wants the address on this node, or is changing that at this moment.
    [[nodiscard]] bool cares_for(const config::address_entry& address) const;
    // Calls visit(address_entry) for all, those that are no longer configured among them.
    template <class Visit>
    void for_each(Visit&& visit) const
    {
        for (const auto& e : entries_) {
            visit(e.entry);
        }
    }
    // Nothing is left to add or remove.
    [[nodiscard]] bool settled(const net::link_table& kernel) const;
    [[nodiscard]] bool draining() const { return drain_until_ != never; }
    void snapshot(const net::link_table& kernel, std::vector<status::resource>& out) const;

private:
    struct entry_state {
        config::address_entry entry;
        bool retired = false;  // dropped from the configuration; removed when it can be
        net::kernel_request_id in_flight{};
        bool waiting_for_id = false;
        bool was_here = false;
        time_point retry_at = time_point::min();
        backoff pause{{std::chrono::milliseconds{10}, std::chrono::seconds{1}}};
        std::uint64_t changes = 0;
        std::uint64_t repairs = 0;
        std::uint64_t failures = 0;
        std::string last_error;
    };

    [[nodiscard]] bool wanted_here(const entry_state& e) const;
    [[nodiscard]] bool stays_for_others(const entry_state& e) const;
    void reconcile(time_point now, const net::link_table& kernel);

    std::string router_;
    random_source random_;
    status::journal& journal_;
    const address_needs& needs_;
    std::vector<entry_state> entries_;
    bool started_ = false;
    bool active_ = false;
    time_point drain_until_ = never;
    std::vector<change> outputs_;
    // What goes wrong the same way again and again is told once a minute: the history is for transitions.
    log_limiter repeated_{{std::chrono::minutes{1}, 256}};
};

}  // namespace vipd::takeover
