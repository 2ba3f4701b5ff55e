#pragma once

// What EC2 was asked and has answered. A question is known by its form on the wire: whoever asks the same shares the answer.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ec2_reply.hpp"
#include "agent/takeover/cloud_query.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vipd::doctor {

struct asked_question {
    aws::ec2_call call;
    std::optional<aws::ec2_reply> reply;  // none yet
    std::optional<duration> round_trip;   // from the first byte to the end of the answer
    unsigned attempts = 0;
};

class answer_book {
public:
    // Null when it was not asked.
    [[nodiscard]] const asked_question* find(const aws::ec2_call& call) const;
    asked_question& entry(const aws::ec2_call& call);
    [[nodiscard]] const std::map<std::string, asked_question>& all() const { return questions_; }

    // The value that EC2 has answered with. The error says why there is none, and "out of time" is one.
    template <class Value>
    [[nodiscard]] result<Value> get(const aws::ec2_call& call) const
    {
        const auto reply = reply_of(call);
        if (!reply) {
            return reply.error();
        }
        const auto* const value = std::get_if<Value>(&(*reply)->value);
        return value == nullptr ? result<Value>{error_of(**reply)} : result<Value>{*value};
    }

    // All pages of a read.
    [[nodiscard]] result<std::vector<aws::route_table>> tables(const takeover::table_query& query) const;
    [[nodiscard]] result<std::vector<aws::network_interface>> interfaces(const takeover::interface_query& query) const;
    [[nodiscard]] result<aws::network_interface> interface(const aws::network_interface_id& id) const;
    [[nodiscard]] result<std::vector<aws::network_interface>> interfaces_with(const ip_address& address,
                                                                              const aws::vpc_id& vpc) const;
    // The page of the read that has not been asked for yet; none when it is complete or has failed.
    [[nodiscard]] std::optional<aws::ec2_call> next_page(const takeover::cloud_query& query) const;

private:
    [[nodiscard]] result<const aws::ec2_reply*> reply_of(const aws::ec2_call& call) const;
    static error error_of(const aws::ec2_reply& reply);

    std::map<std::string, asked_question> questions_;
};

takeover::interface_query by_id(const aws::network_interface_id& id);
takeover::interface_query by_address(const ip_address& address, const aws::vpc_id& vpc);

// "EC2 answered UnauthorizedOperation: ..."
std::string to_sentence(const aws::ec2_error& e);

}  // namespace vipd::doctor
