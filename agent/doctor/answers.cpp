#include "agent/doctor/answers.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace vipd::doctor {

namespace {

// A read of more pages than this is not waited for.
constexpr unsigned pages_max = 50;

const std::string& token_of(const aws::route_tables_page& page)
{
    return page.next_token;
}

const std::string& token_of(const aws::network_interfaces_page& page)
{
    return page.next_token;
}

auto&& items_of(aws::route_tables_page& page)
{
    return page.tables;
}

auto&& items_of(aws::network_interfaces_page& page)
{
    return page.interfaces;
}

constexpr unsigned page_size = 100;

template <class Page, class Item>
result<std::vector<Item>> all_pages(const answer_book& answers, const takeover::cloud_query& query)
{
    std::vector<Item> all;
    std::string token;
    for (unsigned i = 0; i < pages_max; ++i) {
        auto page = answers.get<Page>(takeover::describe_call(query, token, page_size));
        if (!page) {
            return page.error();
        }
        std::ranges::move(items_of(*page), std::back_inserter(all));
        token = token_of(*page);
        if (token.empty()) {
            return all;
        }
    }
    return error{error_class::too_large, fmt::format("there are more than {} pages of them", pages_max)};
}

}  // namespace

const asked_question* answer_book::find(const aws::ec2_call& call) const
{
    const auto found = questions_.find(aws::encode_form(call));
    return found == questions_.end() ? nullptr : &found->second;
}

asked_question& answer_book::entry(const aws::ec2_call& call)
{
    return questions_.try_emplace(aws::encode_form(call), asked_question{.call = call, .reply = {}, .round_trip = {}})
        .first->second;
}

result<const aws::ec2_reply*> answer_book::reply_of(const aws::ec2_call& call) const
{
    const auto* const asked = find(call);
    if (asked == nullptr) {
        return error{error_class::unavailable, fmt::format("{} was not asked: what it needs is not known", action_name(call))};
    }
    if (!asked->reply) {
        return error{error_class::timed_out, fmt::format("no answer to {} in time", action_name(call))};
    }
    return &*asked->reply;
}

error answer_book::error_of(const aws::ec2_reply& reply)
{
    const auto* const e = std::get_if<aws::ec2_error>(&reply.value);
    if (e == nullptr) {
        return {error_class::malformed, "EC2 answered something else"};
    }
    return {e->kind == aws::ec2_error_class::denied ? error_class::denied : error_class::unavailable, to_sentence(*e)};
}

result<std::vector<aws::route_table>> answer_book::tables(const takeover::table_query& query) const
{
    return all_pages<aws::route_tables_page, aws::route_table>(*this, query);
}

result<std::vector<aws::network_interface>> answer_book::interfaces(const takeover::interface_query& query) const
{
    return all_pages<aws::network_interfaces_page, aws::network_interface>(*this, query);
}

result<aws::network_interface> answer_book::interface(const aws::network_interface_id& id) const
{
    auto found = interfaces(by_id(id));
    if (!found) {
        return found.error();
    }
    if (found->empty()) {
        return error{error_class::not_found, fmt::format("EC2 knows no interface {}", id.str())};
    }
    return std::move(found->front());
}

result<std::vector<aws::network_interface>> answer_book::interfaces_with(const ip_address& address,
                                                                         const aws::vpc_id& vpc) const
{
    return interfaces(by_address(address, vpc));
}

std::optional<aws::ec2_call> answer_book::next_page(const takeover::cloud_query& query) const
{
    std::string token;
    for (unsigned i = 0; i < pages_max; ++i) {
        auto call = takeover::describe_call(query, token, page_size);
        const auto* const asked = find(call);
        if (asked == nullptr) {
            return call;
        }
        if (!asked->reply) {
            return std::nullopt;
        }
        if (const auto* const tables = std::get_if<aws::route_tables_page>(&asked->reply->value)) {
            token = tables->next_token;
        } else if (const auto* const found = std::get_if<aws::network_interfaces_page>(&asked->reply->value)) {
            token = found->next_token;
        } else {
            return std::nullopt;
        }
        if (token.empty()) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

takeover::interface_query by_id(const aws::network_interface_id& id)
{
    takeover::interface_query query;
    query.id = id;
    return query;
}

takeover::interface_query by_address(const ip_address& address, const aws::vpc_id& vpc)
{
    takeover::interface_query query;
    query.address = address;
    if (!vpc.empty()) {
        query.vpc = vpc;
    }
    return query;
}

std::string to_sentence(const aws::ec2_error& e)
{
    if (e.kind == aws::ec2_error_class::not_sent) {
        // Why is said once, of the endpoint.
        return fmt::format("EC2 was not reached ({})", e.code);
    }
    return fmt::format("EC2 answered {}: {}", e.code, e.message);
}

}  // namespace vipd::doctor
