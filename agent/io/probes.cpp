#include "agent/io/probes.hpp"

#include "agent/health/answers.hpp"
#include "agent/io/clock.hpp"
#include "agent/io/process_facts.hpp"
#include "agent/io/transport.hpp"
#include "common/duration_text.hpp"
#include "common/overloaded.hpp"

#include <optional>
#include <variant>
#include <vector>

#include <sys/stat.h>

namespace vipd::io {

namespace {

// For the reason of a failure; the rest is read and forgotten.
constexpr std::size_t said_bytes_max = 1000;

// 0: it is not there, or none is named.
std::int64_t change_of(const std::string& file)
{
    struct stat what {};
    return file.empty() || ::stat(file.c_str(), &what) != 0 ? 0 : what.st_mtim.tv_sec * 1'000'000'000 + what.st_mtim.tv_nsec;
}

// Without the port, which no certificate carries.
std::string name_of(const std::string& host_header)
{
    if (host_header.starts_with('[')) {
        return host_header.substr(1, host_header.find(']') - 1);
    }
    return host_header.substr(0, host_header.find(':'));
}

}  // namespace

probes::probes(boost::asio::io_context& context, resolver& names, owner& to) :
    context_(context), names_(names), to_(to), children_(context, *this), processes_(context, *this)
{}

probes::~probes() = default;

void probes::start(health::start_probe&& what)
{
    std::visit(overloaded{
                   [&](const config::process_check& c) { begin(what.id, c); },
                   [&](const config::script_check& c) { begin(what.id, c, what.timeout); },
                   [&](const config::http_check& c) { begin(what.id, c, what.timeout); },
                   [&](const config::tcp_check& c) { begin(what.id, c, what.timeout); },
                   [&](const config::interface_check&) {},  // the kernel tells of it
                   [&](const config::file_check& c) { begin(what.id, c); },
               },
               what.what);
}

void probes::stop(health::check_id id)
{
    processes_.forget(id);
    servers_.erase(id);
    // Forgotten first: the end of one that has not even begun is told at once.
    if (const auto p = programs_.extract(id)) {
        check_of_.erase(p.mapped().process);
        children_.signal({p.mapped().process, hooks::process_signal::kill});
    }
}

void probes::fail(health::check_id id, std::string why)
{
    to_.on_probe_ended({id, health::probe_outcome::failed, std::move(why), 0, false});
}

// --- files and processes ---

void probes::begin(health::check_id id, const config::file_check& what)
{
    to_.on_probe_ended(health::file_answer(id, read_small_file(what.path)));
}

void probes::begin(health::check_id id, const config::process_check& what)
{
    processes_.look(id, what);
}

void probes::on_process_found(health::check_id id)
{
    to_.on_probe_ended({id, health::probe_outcome::passed, "", 0, true});
}

void probes::on_process_missing(health::check_id id, std::string why)
{
    fail(id, std::move(why));
}

void probes::on_process_gone(health::check_id id, std::string why)
{
    to_.on_watch_ended({id, std::move(why)});
}

// --- programs ---

void probes::begin(health::check_id id, const config::script_check& what, duration timeout)
{
    if (programs_.contains(id)) {
        begin_when_it_has_ended(id, what, timeout);
        return;
    }
    auto& p = programs_.emplace(id, context_).first->second;
    p.process = process_ids_.next();
    p.what = what;
    p.timeout = timeout;
    check_of_.emplace(p.process, id);
    p.until.set(steady_now() + timeout, [this, id, timeout] { on_program_over(id, timeout); });
    children_.start({p.process, what.program.argv, {}, what.runs_as});
}

void probes::on_program_over(health::check_id id, duration timeout)
{
    auto& p = programs_.at(id);
    p.is_over = true;
    // Told first: the end of one that has not even begun is told at once.
    to_.on_probe_ended({id, health::probe_outcome::timed_out, "it ran for longer than " + format_duration(timeout), 0, false});
    if (const auto found = programs_.find(id); found != programs_.end()) {
        children_.signal({found->second.process, hooks::process_signal::kill});
    }
}

// The next look may be due as soon as the deadline of the last one has passed: then that program has been killed, and its end
// has not been told yet.
void probes::begin_when_it_has_ended(health::check_id id, const config::script_check& what, duration timeout)
{
    auto& p = programs_.at(id);
    p.begins_again = true;
    p.what = what;
    p.timeout = timeout;
    p.until.set(steady_now() + timeout, [this, id] {
        programs_.at(id).begins_again = false;
        fail(id, "its last run was killed and has not ended: it hangs in the kernel");
    });
}

void probes::abandon_programs()
{
    children_.kill_all();
    for (auto& [id, p] : programs_) {
        if (!p.is_over && children_.has_begun(p.process)) {
            p.is_over = true;
            begin_when_it_has_ended(id, p.what, p.timeout);
        }
    }
}

void probes::on_process_output(hooks::process_output&& what)
{
    const auto check = check_of_.find(what.id);
    if (check == check_of_.end()) {
        return;
    }
    auto& said = programs_.at(check->second).said;
    said.append(what.bytes, 0, said_bytes_max - said.size());
}

void probes::on_process_ended(hooks::process_ended&& what)
{
    const auto check = check_of_.find(what.id);
    if (check == check_of_.end()) {
        return;
    }
    const auto id = check->second;
    check_of_.erase(check);
    auto p = programs_.extract(id);
    p.mapped().until.clear();
    if (p.mapped().begins_again) {
        begin(id, p.mapped().what, p.mapped().timeout);
    } else if (!p.mapped().is_over) {
        to_.on_probe_ended(health::program_answer(id, what, p.mapped().said));
    }
}

// --- servers ---

probes::server& probes::server_of(health::check_id id, const aws::http_origin& origin)
{
    auto& s = servers_[id];
    s.target.origin = origin;
    s.target.opens_at_once = true;
    return s;
}

void probes::begin(health::check_id id, const config::tcp_check& what, duration timeout)
{
    auto& s = server_of(id, {false, what.address.to_string(), what.port});
    s.probe = std::make_unique<server_probe>(id, context_, s.target, std::nullopt, *this);
    s.probe->begin(names_, nullptr, timeout);
}

void probes::begin(health::check_id id, const config::http_check& what, duration timeout)
{
    std::shared_ptr<const tls_context> tls;
    if (what.origin.tls) {
        auto trusted = trust(what);
        if (!trusted) {
            fail(id, trusted.error().text);
            return;
        }
        tls = std::move(*trusted);
    }
    auto& s = server_of(id, what.origin);
    s.target.certified_name = name_of(what.host);
    s.probe = std::make_unique<server_probe>(id, context_, s.target, what, *this);
    s.probe->begin(names_, std::move(tls), timeout);
}

// Read again when the file has changed: certificates are renewed.
result<std::shared_ptr<const tls_context>> probes::trust(const config::http_check& what)
{
    auto& known = trusted_[{what.ca_bundle, what.verify}];
    const auto changed_at = change_of(what.ca_bundle);
    if (known.context == nullptr || known.changed_at_ns != changed_at) {
        auto made = tls_context::create({what.ca_bundle, what.verify, "[[router.track]]"});
        if (!made) {
            return made.error();
        }
        known = {changed_at, std::move(*made)};
    }
    return known.context;
}

void probes::on_server_probe_ended(health::probe_ended&& how)
{
    // Gone before anybody can ask for the next one.
    servers_.at(how.id).probe.reset();
    to_.on_probe_ended(std::move(how));
}

}  // namespace vipd::io
