#include "tests/cloudsim/request_log.hpp"

#include <boost/json.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace vipd::cloudsim {

namespace {

boost::json::value nanoseconds(time_point time)
{
    return time == never ? boost::json::value(nullptr) : boost::json::value(time.time_since_epoch().count());
}

boost::json::object begin_line(std::string_view event, std::string_view service, const request_times& times,
                               const std::string& source)
{
    return {{"event", event},
            {"service", service},
            {"connection", times.connection},
            {"source", source},
            {"accepted_ns", nanoseconds(times.accepted)},
            {"secured_ns", nanoseconds(times.secured)}};
}

}  // namespace

request_log::request_log(const std::string& path)
{
    if (path == "-") {
        descriptor_ = ::dup(STDERR_FILENO);
    } else if (!path.empty()) {
        descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}

request_log::~request_log()
{
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

void request_log::write(const boost::json::object& line)
{
    if (descriptor_ < 0) {
        return;
    }
    const auto text = boost::json::serialize(line) + "\n";
    // One write is one line for every reader; what a full disk does not take is lost, the simulator goes on.
    [[maybe_unused]] const auto written = ::write(descriptor_, text.data(), text.size());
}

void request_log::request(std::string_view service, const request_times& times, const std::string& source,
                          const cloud::exchange_record& record, std::string_view outcome)
{
    auto line = begin_line("request", service, times, source);
    line["first_byte_ns"] = nanoseconds(times.first_byte);
    line["complete_ns"] = nanoseconds(times.complete);
    line["effect_ns"] = nanoseconds(record.effect_at);
    line["replied_ns"] = nanoseconds(times.replied);
    line["action"] = record.action;
    line["node"] = record.node;
    line["table"] = record.table;
    line["destination"] = record.destination;
    line["interface"] = record.interface;
    line["instance"] = record.instance;
    line["address"] = record.address;
    line["allocation"] = record.allocation;
    line["role"] = record.role;
    line["dry_run"] = record.dry_run;
    line["status"] = record.status;
    line["code"] = record.code;
    line["request_id"] = record.request_id;
    line["signature"] = record.signature;
    line["access_key"] = record.access_key_id;
    line["faults"] = boost::json::value_from(record.faults);
    line["outcome"] = outcome;
    write(line);
}

void request_log::change(const cloud::state_change& what)
{
    write({{"event", "change"},
           {"at_ns", nanoseconds(what.at)},
           {"action", what.action},
           {"node", what.node},
           {"table", what.table},
           {"destination", what.destination},
           {"interface", what.interface},
           {"instance", what.instance},
           {"address", what.address},
           {"allocation", what.allocation},
           {"request_id", what.request_id}});
}

void request_log::movement(const cloud::movement& what)
{
    write({{"event", "movement"},
           {"at_ns", nanoseconds(what.at)},
           {"what", to_string(what.what)},
           {"arrived", what.arrived},
           {"interface", what.interface.str()},
           {"mac", what.mac},
           {"instance", what.instance.str()},
           {"node", what.node},
           {"device_index", what.device_index},
           {"address", what.address}});
}

void request_log::connection(std::string_view service, const request_times& times, const std::string& source,
                             std::string_view outcome)
{
    auto line = begin_line("connection", service, times, source);
    line["first_byte_ns"] = nanoseconds(times.first_byte);
    line["outcome"] = outcome;
    write(line);
}

}  // namespace vipd::cloudsim
