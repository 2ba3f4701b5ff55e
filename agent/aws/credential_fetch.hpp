#pragma once

// One attempt to get credentials from their source: a conversation of at most two questions, each answered by the shell or
// IMDS.

#include "agent/aws/credential_plan.hpp"
#include "agent/aws/http_message.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>
#include <variant>

namespace vipd::aws {

struct ask_imds {
    std::string path;
};
struct ask_file {
    std::string path;
};
// An exchange whose id is unset.
using credential_question = std::variant<ask_imds, ask_file, http_exchange>;
// The text for the first two, in which error_class::not_found means that there is none.
using credential_answer = std::variant<result<std::string>, http_result>;

class credential_fetch {
public:
    using step = std::variant<credential_question, result<credentials>>;

    // `sts` is where a web identity token is exchanged; only such a plan needs it.
    credential_fetch(credential_plan plan, std::optional<http_origin> sts);

    step begin();
    // The answer to the question before; the fetch is over once it has given a result.
    step handle(credential_answer&& answer);

private:
    step handle_file(const from_profile& plan, result<std::string>&& content);
    step handle_role(result<std::string>&& body);

    credential_plan plan_;
    std::optional<http_origin> sts_;
    bool second_question_ = false;
    std::string first_answer_;
};

}  // namespace vipd::aws
