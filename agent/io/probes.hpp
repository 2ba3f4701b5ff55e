#pragma once

// The checks of trackers, carried out: connections, programs, processes and files. Each answer is told once; what it means for
// anybody is decided in health/.

#include "agent/health/probe.hpp"
#include "agent/io/child_processes.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/process_watch.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/server_probe.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace vipd::io {

class probes final : public child_processes::owner, public process_watch::owner, public server_probe::owner {
public:
    class owner {
    public:
        virtual void on_probe_ended(health::probe_ended&& how) = 0;
        virtual void on_watch_ended(health::watch_ended&& what) = 0;

    protected:
        ~owner() = default;
    };

    // Programs are children of its own: those of hooks have other numbers, and another limit.
    probes(boost::asio::io_context& context, resolver& names, owner& to);
    ~probes();
    probes(const probes&) = delete;
    probes& operator=(const probes&) = delete;

    void start(health::start_probe&& what);
    void stop(health::check_id id);
    // Programs that run are killed, and nobody hears how they end. Should this process go on after all, their looks begin
    // again.
    void abandon_programs();

private:
    // What is kept of a server between two looks: the address that answered, and a TLS session that makes the next one cheap.
    struct server {
        connection_target target;
        std::unique_ptr<server_probe> probe;
    };
    struct program {
        explicit program(boost::asio::io_context& context) : until(context) {}
        hooks::process_id process;
        deadline until;
        std::string said;
        bool is_over = false;  // it was told or is abandoned, and the process was killed
        // A look waits for the end of the killed process, and begins then.
        bool begins_again = false;
        config::script_check what;
        duration timeout{};
    };
    struct trusted_file {
        std::int64_t changed_at_ns = 0;
        std::shared_ptr<const tls_context> context;
    };

    void begin(health::check_id id, const config::process_check& what);
    void begin(health::check_id id, const config::script_check& what, duration timeout);
    void begin(health::check_id id, const config::http_check& what, duration timeout);
    void begin(health::check_id id, const config::tcp_check& what, duration timeout);
    void begin(health::check_id id, const config::file_check& what);
    server& server_of(health::check_id id, const aws::http_origin& origin);
    result<std::shared_ptr<const tls_context>> trust(const config::http_check& what);
    void on_program_over(health::check_id id, duration timeout);
    void begin_when_it_has_ended(health::check_id id, const config::script_check& what, duration timeout);
    void fail(health::check_id id, std::string why);

    void on_process_output(hooks::process_output&& what) override;
    void on_process_ended(hooks::process_ended&& what) override;
    void on_process_found(health::check_id id) override;
    void on_process_missing(health::check_id id, std::string why) override;
    void on_process_gone(health::check_id id, std::string why) override;
    void on_server_probe_ended(health::probe_ended&& how) override;

    boost::asio::io_context& context_;
    resolver& names_;
    owner& to_;
    child_processes children_;
    process_watch processes_;
    id_source<hooks::process_id> process_ids_;
    std::map<hooks::process_id, health::check_id> check_of_;
    std::map<health::check_id, program> programs_;
    std::map<health::check_id, server> servers_;
    std::map<std::pair<std::string, bool>, trusted_file> trusted_;  // by the file, and whether anything is verified
};

}  // namespace vipd::io
