// What the takeover tells of its calls and of those who take its registers away.

#include "agent/takeover/takeover.hpp"

namespace vipd::takeover {

void takeover::log_call(time_point now, const register_key* key, const aws::call_done& done, const aws::ec2_call& call)
{
    const auto* e = std::get_if<aws::ec2_error>(&done.reply.value);
    const auto action = aws::action_name(call);
    const auto table = key == nullptr ? std::string{} : key->second.str();
    const auto destination = key == nullptr ? std::string{} : key->first.to_string();
    log_limiter::verdict verdict{true, 0};
    if (e != nullptr) {
        // The same code for another reason is another story.
        verdict = failures_told_.admit(now, action, table + ' ' + destination + ' ' + e->code + ' ' + e->message);
        if (!verdict.write) {
            return;
        }
    }
    const bool person_needed =
        e != nullptr && (e->kind == aws::ec2_error_class::denied || e->kind == aws::ec2_error_class::invalid);
    const auto level = e == nullptr ? log_level::info : (person_needed ? log_level::error : log_level::warning);
    const auto& request = e == nullptr ? done.reply.request : e->request;
    journal_.record(level, "ec2_call", router_,
                    {{"epoch", epoch_},
                     {"action", action},
                     {"table", table},
                     {"destination", destination},
                     {"outcome", e == nullptr ? "ok" : to_string(e->kind)},
                     {"code", e == nullptr ? std::string{} : e->code},
                     {"message", e == nullptr ? std::string{} : e->message},
                     {"request_id", request.str()},
                     {"first_byte_after_due_ms", done.first_byte == never ? -1.0 : to_milliseconds(done.first_byte - due_)},
                     {"took_ms", done.finished - done.issued},
                     {"like_it_since_last_line", verdict.suppressed}});
}

// Whether it arrived nobody knows, and nobody here needs to: who wants the route now reads it.
void takeover::log_cancelled(const pending& call) const
{
    const auto* key = std::get_if<register_key>(&call.of);
    journal_.record(log_level::info, "ec2_call", router_,
                    {{"epoch", epoch_},
                     {"action", aws::action_name(call.call)},
                     {"table", key == nullptr ? std::string{} : key->second.str()},
                     {"destination", key == nullptr ? std::string{} : key->first.to_string()},
                     {"outcome", "cancelled"}});
}

void takeover::log_duel(time_point now, const register_key& key, const route_register& value, duel_news news)
{
    if (news == duel_news::none) {
        return;
    }
    if (news == duel_news::over) {
        journal_.record(
            log_level::info, "duel", router_,
            {{"epoch", epoch_}, {"table", key.second.str()}, {"destination", key.first.to_string()}, {"state", "over"}});
        return;
    }
    const auto& seen = value.seen();
    journal_.record(log_level::error, "duel", router_,
                    {{"epoch", epoch_},
                     {"table", key.second.str()},
                     {"destination", key.first.to_string()},
                     {"state", news == duel_news::held ? "held" : "fought"},
                     {"taken_by", describe_owner(seen ? &*seen : nullptr)},
                     {"times_within_a_minute", value.breaker().losses()},
                     {"this_node_is", to_string(rival_.at(now))},
                     {"next_try_ms", news == duel_news::held ? value.next_wakeup().at - now : duration::zero()},
                     {"remedy", duel_remedy}});
}

}  // namespace vipd::takeover
