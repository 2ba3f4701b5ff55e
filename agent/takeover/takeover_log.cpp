// What the takeover tells of its calls and of those who take its registers away.

#include "agent/takeover/takeover.hpp"

namespace vipd::takeover {

namespace {

// Fields that are not there for every kind of thing. What they show has to outlive the list.
class field_list {
public:
    field_list(std::uint64_t epoch, const resource_name& name) : fields_{{"epoch", epoch}}
    {
        if (name.table.empty()) {
            add_text("resource", name.thing);
        } else {
            add_text("table", name.table);
            add_text("destination", name.thing);
        }
    }
    template <class Value>
    void add(std::string_view key, const Value& value)
    {
        fields_.emplace_back(key, value);
    }
    void add_text(std::string_view key, std::string_view text)
    {
        if (!text.empty()) {
            fields_.emplace_back(key, text);
        }
    }
    [[nodiscard]] std::span<const log_field> fields() const { return fields_; }

private:
    std::vector<log_field> fields_;
};

}  // namespace

void takeover::log_call(time_point now, const std::string& interface, const resource_name& name, const aws::call_done& done,
                        const aws::ec2_call& call)
{
    const auto* e = std::get_if<aws::ec2_error>(&done.reply.value);
    const auto action = aws::action_name(call);
    log_limiter::verdict verdict{true, 0};
    if (e != nullptr) {
        // The same code for another reason is another story.
        verdict = failures_told_.admit(now, action, name.table + ' ' + name.thing + ' ' + e->code + ' ' + e->message);
        if (!verdict.write) {
            return;
        }
    }
    const bool person_needed =
        e != nullptr && (e->kind == aws::ec2_error_class::denied || e->kind == aws::ec2_error_class::invalid);
    const auto level = e == nullptr ? log_level::info : (person_needed ? log_level::error : log_level::warning);
    const auto& request = e == nullptr ? done.reply.request : e->request;
    field_list list{epoch_, name};
    list.add("action", action);
    list.add_text("interface", interface);
    list.add("outcome", e == nullptr ? "ok" : to_string(e->kind));
    list.add("code", e == nullptr ? std::string_view{} : std::string_view{e->code});
    list.add("message", e == nullptr ? std::string_view{} : std::string_view{e->message});
    list.add("request_id", std::string_view{request.str()});
    list.add("first_byte_after_due_ms", done.first_byte == never ? -1.0 : to_milliseconds(done.first_byte - due_));
    list.add("took_ms", done.finished - done.issued);
    list.add("like_it_since_last_line", verdict.suppressed);
    journal_.record(level, "ec2_call", router_, list.fields());
}

// Whether it arrived nobody knows, and nobody here needs to: who wants the resource now reads it.
void takeover::log_cancelled(const pending& call) const
{
    const auto* name = std::get_if<resource_name>(&call.of);
    const auto* interface = std::get_if<aws::network_interface_id>(&call.of);
    const resource_name none;
    field_list list{epoch_, name == nullptr ? none : *name};
    list.add("action", aws::action_name(call.call));
    list.add_text("interface", interface == nullptr ? std::string_view{} : std::string_view{interface->str()});
    list.add("outcome", "cancelled");
    journal_.record(log_level::info, "ec2_call", router_, list.fields());
}

void takeover::log_repair(const tracked_register& tracked)
{
    const auto name = name_of(tracked.value.what());
    const auto wanted = target_of(tracked.value.what());
    field_list list{epoch_, name};
    list.add("found", std::string_view{tracked.value.seen()->owner});
    list.add("wanted", std::string_view{wanted});
    journal_.record(log_level::warning, "repair", router_, list.fields());
}

void takeover::log_duel(time_point now, const cloud_register& value, duel_news news)
{
    if (news == duel_news::none) {
        return;
    }
    const auto name = name_of(value.what());
    field_list list{epoch_, name};
    if (news == duel_news::over) {
        list.add("state", "over");
        journal_.record(log_level::info, "duel", router_, list.fields());
        return;
    }
    list.add("state", news == duel_news::held ? "held" : "fought");
    list.add("taken_by", std::string_view{value.seen() ? std::string_view{value.seen()->owner} : "none"});
    list.add("times_within_a_minute", value.breaker().losses());
    list.add("this_node_is", to_string(rival_.at(now)));
    list.add("next_try_ms", news == duel_news::held ? value.next_wakeup().at - now : duration::zero());
    list.add("remedy", duel_remedy);
    journal_.record(log_level::error, "duel", router_, list.fields());
}

}  // namespace vipd::takeover
