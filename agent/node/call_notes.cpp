#include "agent/node/call_notes.hpp"

#include "agent/aws/ec2_error.hpp"

namespace vipd::node {

void call_notes::read_ended(time_point now, std::string_view action, const aws::call_done& done)
{
    const auto* e = std::get_if<aws::ec2_error>(&done.reply.value);
    const auto took = done.finished - done.issued;
    auto& fails = fails_.try_emplace(std::string{action}, false).first->second;
    if (e == nullptr) {
        if (std::exchange(fails, false)) {
            journal_.record(log_level::info, "ec2_read", {}, {{"action", action}, {"state", "answers again"}});
        }
        journal_.log().debug(
            "ec2_call", {{"action", action}, {"outcome", "ok"}, {"request_id", done.reply.request.str()}, {"took_ms", took}});
        return;
    }
    const auto verdict = limiter_.admit(now, action, e->code + ' ' + e->message);
    if (!verdict.write) {
        return;
    }
    fails = true;
    journal_.record(log_level::warning, "ec2_call", {},
                    {{"action", action},
                     {"outcome", to_string(e->kind)},
                     {"code", e->code},
                     {"message", e->message},
                     {"request_id", e->request.str()},
                     {"took_ms", took},
                     {"like_it_since_last_line", verdict.suppressed}});
}

}  // namespace vipd::node
