#pragma once

// One attempt to get credentials from the source at the head of a chain: a conversation of at most two questions, each answered
// by the shell or IMDS.

#include "agent/aws/credential_plan.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/aws/sts.hpp"
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

// What an answer, or the beginning, leads to.
using credential_step = std::variant<credential_question, result<credentials>>;

class source_fetch {
public:
    using step = credential_step;

    // `sts` is where a web identity token is exchanged; only that source needs it.
    source_fetch(first_source source, std::optional<sts_place> sts);

    step begin();
    // The answer to the question before; the fetch is over once it has given a result.
    step handle(credential_answer&& answer);

private:
    step handle_file(const from_profile& source, result<std::string>&& content);
    step handle_role(result<std::string>&& body);

    first_source source_;
    std::optional<sts_place> sts_;
    bool second_question_ = false;
    std::string first_answer_;
};

}  // namespace vipd::aws
