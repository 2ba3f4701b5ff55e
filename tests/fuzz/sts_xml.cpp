// Answers of STS to both of its calls: credentials that can be put into headers, or one line that says why not.

#include "agent/aws/sts.hpp"
#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

void check(const vipd::result<vipd::aws::credentials>& read)
{
    using vipd::aws::is_header_value;
    if (read) {
        ENSURE(is_header_value(read->access_key_id) && is_header_value(read->secret_access_key));
        ENSURE(is_header_value(read->session_token) && read->expiration.has_value());
    } else {
        const auto& text = read.error().text;
        ENSURE(text == vipd::aws::clean_text(text, text.size()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace vipd::aws;
    const std::string body{reinterpret_cast<const char*>(data), size};
    // One refusal of three, by the size: they are read alike, and each costs as much as all the rest.
    constexpr std::array refusals = {400U, 403U, 503U};
    for (const unsigned status : {200U, refusals[size % refusals.size()]}) {
        http_result result;
        result.outcome = http_response{status, {}, body};
        check(read_web_identity_answer(result));
        check(read_assume_role_answer({.profile = "p", .role_arn = "arn:aws:iam::1:role/r"}, result));
    }
    return 0;
}
