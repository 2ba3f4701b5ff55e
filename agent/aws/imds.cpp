#include "agent/aws/imds.hpp"

#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace vipd::aws {

namespace {

constexpr std::string_view token_path = "/latest/api/token";
constexpr std::string_view ttl_header = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr std::chrono::seconds token_life{21600};  // the longest that IMDS grants
constexpr std::chrono::seconds token_margin{60};   // renewed this long before its end
constexpr std::size_t token_bytes_max = 1024;      // today's have 56
constexpr std::size_t answer_bytes_max = 64U << 10U;

// The life that IMDS granted, when the answer repeats it.
std::chrono::seconds granted_life(const http_response& response)
{
    const auto text = trim(find_header(response.headers, ttl_header).value_or(""));
    unsigned seconds = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem != std::errc{} || end != text.data() + text.size() || seconds > 21600) {
        return token_life;
    }
    return std::chrono::seconds{seconds};
}

}  // namespace

imds_client::imds_client(http_origin origin) : origin_(std::move(origin)) {}

imds_ticket imds_client::get(std::string path)
{
    const auto ticket = tickets_.next();
    questions_.push_back({ticket, std::move(path), false});
    return ticket;
}

http_exchange imds_client::make_exchange(std::string method, std::string target) const
{
    http_exchange exchange;
    exchange.origin = origin_;
    exchange.request.method = std::move(method);
    exchange.request.target = std::move(target);
    exchange.request.headers = {{"Host", host_header(origin_)}};
    exchange.time_max = std::chrono::seconds{1};
    exchange.connect_time_max = std::chrono::milliseconds{250};
    exchange.body_size_max = answer_bytes_max;
    return exchange;
}

std::optional<http_exchange> imds_client::poll_request(time_point now)
{
    if (under_way_ != under_way::nothing || questions_.empty()) {
        return std::nullopt;
    }
    if (token_.empty() || now >= token_expires_) {
        under_way_ = under_way::token;
        auto exchange = make_exchange("PUT", std::string{token_path});
        exchange.request.headers.push_back({std::string{ttl_header}, fmt::format("{}", token_life.count())});
        return exchange;
    }
    under_way_ = under_way::item;
    auto exchange = make_exchange("GET", questions_.front().path);
    exchange.request.headers.push_back({"X-aws-ec2-metadata-token", token_});
    return exchange;
}

void imds_client::handle(time_point now, http_result&& result)
{
    ENSURE(under_way_ != under_way::nothing);
    const bool was_token = std::exchange(under_way_, under_way::nothing) == under_way::token;
    if (was_token) {
        handle_token(now, result);
    } else {
        handle_item(result);
    }
}

void imds_client::handle_token(time_point now, const http_result& result)
{
    const auto where = to_string(origin_);
    if (const auto* failure = std::get_if<http_failure>(&result.outcome)) {
        // A token that never arrives while IMDS is up is the mark of the hop limit.
        answer(error{failure->cause.kind, fmt::format("IMDS at {} gave no token: {}; is this an EC2 instance, is its metadata "
                                                      "service on, and its hop limit at least 2 in a container?",
                                                      where, clean_text(failure->cause.text, 200))});
        return;
    }
    const auto& response = std::get<http_response>(result.outcome);
    if (response.status != 200) {
        const auto kind = response.status == 403 || response.status == 401 ? error_class::denied : error_class::unavailable;
        const auto* remedy = response.status == 403 ? "; switch the instance's metadata service on (HttpEndpoint=enabled)" : "";
        answer(error{kind, fmt::format("IMDS at {} refused a token with status {}{}", where, response.status, remedy)});
        return;
    }
    const auto token = trim(response.body);
    if (!is_header_value(token) || token.size() > token_bytes_max) {
        answer(error{error_class::malformed, fmt::format("what answers at {} is not IMDS: its token is no token", where)});
        return;
    }
    token_ = token;
    token_expires_ = now + std::max(granted_life(response) - token_margin, std::chrono::seconds{1});
}

void imds_client::handle_item(const http_result& result)
{
    auto& asked = questions_.front();
    const auto where = to_string(origin_) + asked.path;
    if (const auto* failure = std::get_if<http_failure>(&result.outcome)) {
        answer(error{failure->cause.kind, fmt::format("{}: {}", where, clean_text(failure->cause.text, 200))});
        return;
    }
    const auto& response = std::get<http_response>(result.outcome);
    if (response.status == 200) {
        answer(response.body);
        return;
    }
    if (response.status == 401) {
        // The token is unknown: it expired, or the instance was moved to another host.
        token_.clear();
        if (!std::exchange(asked.token_renewed, true)) {
            return;
        }
    }
    auto kind = error_class::unavailable;
    if (response.status == 404) {
        kind = error_class::not_found;
    } else if (response.status == 401 || response.status == 403) {
        kind = error_class::denied;
    }
    answer(error{kind, fmt::format("{} answered with status {}", where, response.status)});
}

void imds_client::answer(result<std::string> body)
{
    answers_.push_back({questions_.front().ticket, std::move(body)});
    questions_.pop_front();
}

std::optional<imds_answer> imds_client::poll_answer()
{
    if (answers_.empty()) {
        return std::nullopt;
    }
    auto next = std::move(answers_.front());
    answers_.pop_front();
    return next;
}

}  // namespace vipd::aws
