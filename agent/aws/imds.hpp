#pragma once

// The instance metadata service, version 2 only: a token by PUT, then one GET after another. Version 1 is never tried, whatever
// the answer to the PUT is: a reply that needs no token is the one that a confused proxy can be talked into.
// [EC2 User Guide, "How Instance Metadata Service Version 2 works"]

#include "agent/aws/http_message.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <deque>
#include <optional>
#include <string>

namespace vipd::aws {

using imds_ticket = strong_number<struct imds_ticket_tag>;

struct imds_answer {
    imds_ticket ticket;
    result<std::string> body;  // error_class::not_found for a 404: the item is absent
};

class imds_client {
public:
    explicit imds_client(http_origin origin);

    // "/latest/meta-data/..."; answered by exactly one imds_answer.
    imds_ticket get(std::string path);

    // The next exchange to start, its id unset; none while one is under way.
    std::optional<http_exchange> poll_request(time_point now);
    void handle(time_point now, http_result&& result);
    std::optional<imds_answer> poll_answer();

private:
    struct question {
        imds_ticket ticket;
        std::string path;
        bool token_renewed = false;  // once for each question
    };
    enum class under_way : std::uint8_t { nothing, token, item };

    void handle_token(time_point now, const http_result& result);
    void handle_item(const http_result& result);
    void answer(result<std::string> body);
    [[nodiscard]] http_exchange make_exchange(std::string method, std::string target) const;

    http_origin origin_;
    std::string token_;
    time_point token_expires_{};
    std::deque<question> questions_;
    std::deque<imds_answer> answers_;
    under_way under_way_ = under_way::nothing;
    id_source<imds_ticket> tickets_;
};

}  // namespace vipd::aws
