#include "tests/sim/machine.hpp"

#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// What the receive buffer of a raw socket holds, as far as it matters: finite.
constexpr std::size_t received_max = 256;
constexpr duration loop_delay_max = 100us;
constexpr unsigned steps_at_once_max = 1000;
constexpr duration program_length = 300ms;

}  // namespace

machine::machine(settings s, host_clock clock, event_queue& events, cloud_site& site, observer& to) :
    settings_(std::move(s)),
    file_(settings_.configuration),
    clock_(clock),
    events_(events),
    to_(to),
    path_(site, clock_, {settings_.address, settings_.instance}, settings_.seed ^ 0x70617468U, *this),
    random_(settings_.seed),
    service_random_(settings_.seed ^ 0x6865616cU)
{}

// --- power ---

void machine::power_on()
{
    if (on_) {
        return;
    }
    on_ = true;
    ++boots_;
    const auto length = settings_.address.family() == ip_family::v4 ? "/24" : "/64";
    addresses_.insert({ethernet, *ip_prefix::parse(settings_.address.to_string() + length)});
    start_process();
}

void machine::power_off()
{
    left_behind_.reset();
    end_process();
    on_ = false;
    addresses_.clear();
    policies_ = {};
    plugged_up_ = false;
    files_.clear();  // what vipd writes is in /run
    spoke_to_.clear();
}

void machine::start_process()
{
    if (!on_ || process_) {
        return;
    }
    ++process_number_;
    if (!left_behind_ || file_->routers.front().priority != router().priority) {
        runtime_priority_.reset();
    }
    settings_.configuration = file_;
    drain_max_ = std::max(drain_max_, router().drain);
    last_hindered_ = started_at_ = events_.now();
    is_successor_ = left_behind_.has_value();
    const auto at = now();
    // By its text, as it is carried; it is gone with whoever reads it.
    const auto text = std::exchange(left_behind_, std::nullopt);
    std::optional<node::succession> left;
    if (text) {
        left = node::parse_succession(*text).value();
    }
    process_ =
        std::make_unique<node::node>(node::node_options{settings_.configuration,
                                                        {},
                                                        settings_.seed + process_number_,
                                                        fmt::format("{:08x}-0000-4000-8000-{:012x}", boots_, settings_.index),
                                                        std::move(left)},
                                     at, static_cast<log_sink&>(*this));
    process_->start(at);
    push(node::kernel_told{net::link_seen{{loopback, "lo", "", true, true}}});
    push(node::kernel_told{net::link_seen{{ethernet, "ens5", settings_.mac, true, link_}}});
    if (const auto link = plugged_link()) {
        push(node::kernel_told{net::link_seen{*link}});
    }
    for (const auto& [index, prefix] : addresses_) {
        push(node::kernel_told{net::address_seen{{index, prefix, false}}});
    }
    for (auto& event : policies_.dump()) {
        push(node::kernel_told{std::move(event)});
    }
    push(node::kernel_told{net::dump_done{}});
    perform_outputs();
    wake(events_.now());
}

void machine::end_process()
{
    if (paused_) {
        paused_ = false;
        resumed_at_ = events_.now();
    }
    path_.drop_all();
    program_.reset();
    last_hook_.clear();
    interrupted_.reset();
    process_.reset();
    stopped_ = false;
    is_told_to_stop_ = false;
    pause_before_call_.reset();
    received_.clear();
    inputs_.clear();
    cancelled_.clear();
    step_at_ = never;
    ++step_number_;
    last_hindered_ = events_.now();
}

void machine::kill_process()
{
    left_behind_.reset();
    end_process();
}

void machine::replace_process()
{
    // Refused, as a daemon does it, while a hook runs: nobody would hear of its end.
    if (process_ && !paused_ && process_->can_be_succeeded()) {
        left_behind_ = node::format_succession(process_->leave_behind(now()));
        // The role that hooks have heard of is not told again.
        auto told = std::move(last_hook_);
        end_process();
        last_hook_ = std::move(told);
    }
}

void machine::stop_process()
{
    if (process_) {
        is_told_to_stop_ = true;
        tell(node::shut_down{});
    }
}

void machine::pause()
{
    last_hindered_ = events_.now();
    if (process_ && !paused_) {
        paused_ = true;
        paused_at_ = events_.now();
    }
}

void machine::resume()
{
    if (!paused_) {
        return;
    }
    paused_ = false;
    resumed_at_ = last_hindered_ = events_.now();
    // The loop goes on where it stood: among its outputs, or in the reactor, which may run one handler before the next turn.
    if (interrupted_) {
        auto what = std::move(*interrupted_);
        interrupted_.reset();
        perform(std::move(what));
        perform_outputs();
    } else if (!inputs_.empty() && random_.chance(0.5)) {
        take_input();
    }
    wake(events_.now());
}

void machine::set_link(bool up)
{
    link_ = up;
    if (process_) {
        tell(node::kernel_told{net::link_seen{{ethernet, "ens5", settings_.mac, true, up}}});
    }
}

// --- what arrives ---

bool machine::receive(datagram d)
{
    if (!process_ || !link_ || received_.size() >= received_max) {
        return false;
    }
    if (d.kind != datagram_kind::forged && d.message.size() > 5) {
        const auto& m = d.message;
        const auto interval = m[0] >> 4U == 2 ? duration{1s} * m[5] : duration{10ms} * ((m[4] & 0x0fU) << 8U | m[5]);
        const auto adverts = settings_.configuration->routers.front().down_timer_adverts + 1;
        may_wait_until_ = std::max(may_wait_until_, events_.now() + interval * adverts);
    }
    received_.push_back(std::move(d));
    wake(events_.now() + random_.between(0us, loop_delay_max));
    return true;
}

void machine::push(node::input&& what)
{
    inputs_.push_back(std::move(what));
}

void machine::tell(node::input&& what)
{
    if (process_) {
        push(std::move(what));
        wake(events_.now());
    }
}

void machine::reload(std::shared_ptr<const config::configuration> next)
{
    file_ = next;
    tell(node::reload{std::move(next)});
}

void machine::tell_all(std::vector<net::kernel_event>&& events)
{
    for (auto& event : events) {
        tell(node::kernel_told{std::move(event)});
    }
}

bool machine::may_begin(aws::http_exchange_id id)
{
    const bool permitted = process_->permit(now(), id);
    counters_.permits_refused += permitted ? 0 : 1;
    return permitted;
}

void machine::on_answer(const aws::http_exchange& exchange, const cloud::exchange_record& record)
{
    to_.on_answer(*this, exchange, record);
}

void machine::on_http_finished(aws::http_exchange_id id, aws::http_result&& result)
{
    tell(node::http_finished{id, std::move(result)});
}

// --- the loop ---

void machine::take_input()
{
    auto what = std::move(inputs_.front());
    inputs_.pop_front();
    if (const auto* set = std::get_if<node::set_priority>(&what); set != nullptr && !is_owner()) {
        runtime_priority_ = set->priority;
    }
    if (const auto* next = std::get_if<node::reload>(&what)) {
        if (!process_->can_reload(*next->configuration)) {
            handle_refused(node::reload{*next});
            return;
        }
        if (next->configuration->routers.front().priority != router().priority) {
            runtime_priority_.reset();
        }
        settings_.configuration = next->configuration;
        drain_max_ = std::max(drain_max_, router().drain);
        reloading_ = true;
    }
    handle_input(std::move(what));
    reloading_ = false;
}

// One that has slept finds that out with any input: that is no work of the reload.
void machine::handle_refused(node::reload&& what)
{
    const auto at = now();
    const bool is_awake = process_->next_wakeup().at > at.steady;
    const auto before = everything(at);
    process_->handle(at, std::move(what));
    const auto after = everything(at);
    to_.on_refused_reload(*this, before == after || !is_awake ? std::string{} : before + " became " + after);
}

void machine::handle_input(node::input&& what)
{
    const auto at = now();
    const auto* const answer = std::get_if<node::http_finished>(&what);
    if (answer == nullptr || cancelled_.erase(answer->id) == 0) {
        process_->handle(at, std::move(what));
        return;
    }
    const auto before = fingerprint(at);
    process_->handle(at, std::move(what));
    const auto after = fingerprint(at);
    to_.on_late_answer(*this, before == after ? std::string{} : before + " became " + after);
}

void machine::wake(time_point at)
{
    if (!process_ || paused_ || at >= step_at_) {
        return;
    }
    step_at_ = at;
    events_.at(at, [this, number = ++step_number_] {
        if (number == step_number_) {
            step_at_ = never;
            step();
        }
    });
}

void machine::arm()
{
    const auto due = clock_.truth_of(process_->next_wakeup().at);
    if (due == never) {
        return;
    }
    auto at = std::max(events_.now(), due);
    if (late_max_ > duration::zero()) {
        const auto late = random_.between(0ns, late_max_);
        at += late;
        if (late > loop_delay_max) {
            last_hindered_ = std::max(last_hindered_, at);
        }
    }
    wake(at);
}

void machine::step()
{
    if (!process_ || paused_) {
        return;
    }
    steps_at_once_ = events_.now() == last_step_ ? steps_at_once_ + 1 : 0;
    last_step_ = events_.now();
    if (steps_at_once_ > steps_at_once_max) {
        const auto next = process_->next_wakeup();
        to_.on_spinning(*this, fmt::format("\"{}\", due {} ns ago", next.why, (now().steady - next.at).count()));
        return;
    }
    while (true) {
        turn();
        if (!process_ || paused_ || inputs_.empty()) {
            break;
        }
        take_input();
        perform_outputs();
    }
    if (process_ && !paused_) {
        arm();
    }
    if (stopped_) {
        if (!is_told_to_stop_) {
            to_.on_unasked_end(*this);
        }
        kill_process();
    }
    to_.on_turn(*this);
}

void machine::turn()
{
    const auto at = now();
    while (!received_.empty()) {
        const auto d = std::move(received_.front());
        received_.pop_front();
        hear(at, d);
    }
    if (process_->next_wakeup().at <= at.steady) {
        process_->handle_timeout(at);
    }
    perform_outputs();  // also those of a handler that ran when it was resumed
}

void machine::hear(instant at, const datagram& d)
{
    const node::advert_received received{d.from, settings_.address, d.ttl, d.message};
    if (d.kind == datagram_kind::genuine) {
        process_->handle(at, received);
        return;
    }
    const auto accepted_before = adverts_accepted();
    const auto before = fingerprint(at);
    process_->handle(at, received);
    const bool discarded = adverts_accepted() == accepted_before;
    if (!discarded) {
        to_.on_suspicious(*this, false, d.kind == datagram_kind::forged ? "a forged advert was accepted" : "");
        return;
    }
    const auto after = fingerprint(at);
    to_.on_suspicious(*this, true, before == after ? std::string{} : before + " became " + after);
}

std::uint64_t machine::adverts_accepted() const
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < routers(); ++i) {
        sum += snapshot(i).received.accepted;
    }
    return sum;
}

// --- outputs ---

void machine::perform_outputs()
{
    while (process_ && !paused_) {
        auto what = process_->poll_output();
        if (!what) {
            return;
        }
        const auto* http = std::get_if<node::start_http>(&*what);
        if (pause_before_call_ && http != nullptr && http->exchange.mutating) {
            interrupted_ = std::move(what);
            ++counters_.calls_interrupted;
            events_.after(*std::exchange(pause_before_call_, std::nullopt), [this, number = process_number_] {
                if (number == process_number_) {
                    resume();
                }
            });
            pause();
            return;
        }
        perform(std::move(*what));
    }
}

void machine::perform(node::output&& what)
{
    std::visit(
        overloaded{[&](const node::send_advert& o) {
                       if (has_send_room_) {
                           spoke_to_[o.destination] = events_.now();
                       } else {
                           push(node::advert_not_sent{o.router, ENOBUFS});
                       }
                       to_.on_advert(*this, o);
                   },
                   [&](const node::change_kernel& o) { change(o); },
                   [&](node::start_http& o) { path_.start(std::move(o.exchange)); },
                   [&](const node::cancel_http& o) {
                       const auto is_this = [&](const node::input& i) {
                           const auto* const answer = std::get_if<node::http_finished>(&i);
                           return answer != nullptr && answer->id == o.id;
                       };
                       if (!path_.cancel(o.id) && std::ranges::any_of(inputs_, is_this)) {
                           cancelled_.insert(o.id);
                       }
                   },
                   [&](const node::keep_warm& o) { path_.keep_warm(o.connections); },
                   [&](const node::read_file& o) {
                       const auto found = files_.find(o.path);
                       const vipd::error absent{error_class::not_found, "no such file"};
                       push(node::file_was_read{
                           o.id, found == files_.end() ? result<std::string>{absent} : result<std::string>{found->second}});
                   },
                   [&](const node::write_file& o) {
                       files_[o.path] = o.content;
                       push(node::file_was_written{o.id, {}});
                   },
                   [&](const node::start_process& o) { start(o); },
                   [&](const node::signal_process& o) { end_program(o.id, true); }, [&](const node::set_peers&) {},
                   [&](const node::announcement&) {}, [&](const node::ready&) {}, [&](const node::start_probe& o) { look(o); },
                   [&](const node::stop_probes&) {}, [&](const node::stopped&) { stopped_ = true; }},
        what);
    if (!inputs_.empty()) {
        wake(events_.now());
    }
}

void machine::start(const node::start_process& wanted)
{
    const auto told = std::ranges::find_if(wanted.environment, [](const auto& v) { return v.starts_with("VIPD_EVENT="); });
    const auto event = told->substr(told->find('=') + 1);
    ++counters_.programs;
    counters_.programs_at_once += program_ ? 1U : 0U;
    // What belongs to a role is told behind it, and nothing behind the end.
    const bool needs_role = event == "owned" || event == "lower_priority_advert";
    const bool is_active = last_hook_ == "active" || last_hook_ == "owned" || last_hook_ == "lower_priority_advert";
    const bool is_over = last_hook_ == "stopping" && event != "stopping";
    counters_.programs_out_of_order += (needs_role && !is_active) || is_over ? 1U : 0U;
    program_ = wanted.id;
    last_hook_ = event;
    events_.after(program_length, [this, id = wanted.id, number = process_number_] {
        if (number == process_number_) {
            end_program(id, false);
        }
    });
}

// A service that has failed refuses mostly, and says nothing now and then.
void machine::look(const node::start_probe& wanted)
{
    const bool up = service_;
    const bool is_silent = !up && service_random_.chance(0.2);
    const auto wait = is_silent ? wanted.timeout : service_random_.between(100us, 20ms);
    const auto outcome = up          ? health::probe_outcome::passed
                         : is_silent ? health::probe_outcome::timed_out
                                     : health::probe_outcome::failed;
    events_.after(wait, [this, id = wanted.id, outcome, number = process_number_] {
        if (number == process_number_) {
            tell(node::probe_ended{id, outcome, outcome == health::probe_outcome::passed ? "" : "no answer", 0, false});
        }
    });
}

void machine::end_program(hooks::process_id id, bool killed)
{
    if (program_ == id) {
        program_.reset();
        tell(node::process_ended{
            id, killed ? hooks::process_end::signalled : hooks::process_end::exited, killed ? 15 : 0, {}, false});
    }
}

}  // namespace vipd::sim
