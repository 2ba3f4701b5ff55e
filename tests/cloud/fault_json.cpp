// Faults as people write them.

#include "tests/cloud/delay_json.hpp"
#include "tests/cloud/fault.hpp"
#include "tests/cloud/json_reader.hpp"

#include <boost/json.hpp>

#include <array>

namespace vipd::cloud {

namespace {

fault_effect read_fail(json_reader& reader)
{
    effects::fail fail;
    fail.status = static_cast<unsigned>(reader.count("status", fail.status));
    fail.code = reader.text("code", fail.code);
    fail.message = reader.text("message", fail.message);
    fail.applied = reader.boolean("applied", false);
    if (fail.status < 200 || fail.status > 599) {
        reader.fail("status", "has to be an HTTP status, 200 to 599");
    }
    return fail;
}

fault_effect read_certificate(json_reader& reader)
{
    const auto text = reader.required_text("flaw");
    for (const auto flaw : {certificate_flaw::expired, certificate_flaw::not_yet_valid, certificate_flaw::wrong_name,
                            certificate_flaw::untrusted}) {
        if (text == to_string(flaw)) {
            return effects::certificate{flaw};
        }
    }
    reader.fail("flaw", "has to be expired, not_yet_valid, wrong_name or untrusted");
    return effects::certificate{};
}

fault_effect read_hostile(json_reader& reader)
{
    const auto text = reader.required_text("body");
    const auto kind = parse_hostile_kind(text);
    if (!kind) {
        reader.fail("body", "\"" + text + "\" is no kind of hostile body");
    }
    return effects::hostile{kind.value_or(hostile_kind::truncated), reader.count("size", 0)};
}

fault_effect read_trickle(json_reader& reader)
{
    const effects::trickle trickle{reader.number("bytes_per_second", 1)};
    if (!(trickle.bytes_per_second > 0)) {
        reader.fail("bytes_per_second", "has to be more than 0");
    }
    return trickle;
}

fault_effect read_throttle(json_reader&)
{
    return effects::fail{503, "RequestLimitExceeded", "Request limit exceeded.", false};
}

struct kind_reader {
    std::string_view kind;
    fault_effect (*read)(json_reader&);
};

constexpr std::array<kind_reader, 12> kind_readers{{
    {"slow",
     [](json_reader& r) -> fault_effect {
         return effects::slow{read_delay(r, "before"), read_delay(r, "after")};
     }},
    {"fail", read_fail},
    {"throttle", read_throttle},
    {"reset", [](json_reader& r) -> fault_effect { return effects::reset{r.boolean("applied", false)}; }},
    {"hang", [](json_reader& r) -> fault_effect { return effects::hang{r.boolean("applied", false)}; }},
    {"land_late",
     [](json_reader& r) -> fault_effect {
         return effects::land_late{read_delay(r, "by"), r.boolean("hang", false)};
     }},
    {"stale", [](json_reader& r) -> fault_effect { return effects::stale{read_delay(r, "lag")}; }},
    {"trickle", read_trickle},
    {"hostile", read_hostile},
    {"certificate", read_certificate},
    {"linger", [](json_reader& r) -> fault_effect { return effects::linger{read_delay(r, "by")}; }},
    {"stuck", [](json_reader&) -> fault_effect { return effects::stuck{}; }},
}};

}  // namespace

result<fault> parse_fault(const boost::json::value& json)
{
    json_reader reader(json, "fault");
    fault out;
    out.action = reader.text("action", out.action);
    if (out.action.find(':') == std::string::npos) {
        out.action = "ec2:" + out.action;
    }
    out.node = reader.text("node", out.node);
    out.table = reader.text("table", out.table);
    out.interface = reader.text("interface", out.interface);
    out.probability = reader.number("probability", 1.0);
    if (reader.has("count")) {
        out.count = reader.count("count", 1);
    }
    if (out.count == 0 || !(out.probability >= 0 && out.probability <= 1)) {
        reader.fail("", "count has to be 1 or more and probability between 0 and 1");
    }
    const auto kind = reader.required_text("kind");
    const auto* known = std::ranges::find(kind_readers, kind, &kind_reader::kind);
    if (known == kind_readers.end()) {
        reader.fail("kind", "\"" + kind +
                                "\" is no kind of fault; there are slow, fail, throttle, reset, hang, land_late, stale, " +
                                "trickle, hostile, certificate, linger and stuck");
    } else {
        out.effect = known->read(reader);
    }
    reader.finish();
    if (const auto problem = reader.problem()) {
        return *problem;
    }
    return out;
}

boost::json::value to_json(fault_id id, const fault& value)
{
    constexpr std::array<std::string_view, 11> kinds{"slow",    "fail",    "reset",       "hang",   "land_late", "stale",
                                                     "trickle", "hostile", "certificate", "linger", "stuck"};
    boost::json::object out{{"id", id},
                            {"action", value.action},
                            {"node", value.node},
                            {"table", value.table},
                            {"interface", value.interface},
                            {"probability", value.probability},
                            {"kind", kinds.at(value.effect.index())}};
    if (value.count) {
        out["count"] = *value.count;
    }
    return out;
}

}  // namespace vipd::cloud
