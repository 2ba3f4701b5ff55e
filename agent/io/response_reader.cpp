#include "agent/io/response_reader.hpp"

#include "agent/io/last_chunk.hpp"
#include "common/ensure.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>

namespace vipd::io {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// "100 Continue" and its like come before the answer proper; more than this many are a trick.
constexpr unsigned interim_answers_max = 8;

error to_error(const boost::system::error_code& failed, const response_reader::limits& l)
{
    if (failed == http::error::header_limit) {
        return {error_class::too_large, "the head of the answer is larger than " + std::to_string(l.head_bytes_max) + " bytes"};
    }
    if (failed == http::error::body_limit) {
        return {error_class::too_large, "the body of the answer is larger than " + std::to_string(l.body_bytes_max) + " bytes"};
    }
    if (failed == http::error::partial_message || failed == http::error::end_of_stream) {
        return {error_class::malformed, "the connection was closed in the middle of the answer"};
    }
    return {error_class::malformed, "the answer is not HTTP: " + failed.message()};
}

}  // namespace

class response_reader::impl {
public:
    explicit impl(const limits& l) : limits_(l) { renew(); }

    progress put(byte_view bytes)
    {
        has_begun_ |= !bytes.empty();
        buffer_.commit(
            boost::asio::buffer_copy(buffer_.prepare(bytes.size()), boost::asio::buffer(bytes.data(), bytes.size())));
        while (true) {
            if (awaits_last_chunk(*parser_, buffer_.size())) {
                return progress::need_more;
            }
            boost::system::error_code failed;
            buffer_.consume(parser_->put(buffer_.data(), failed));
            if (failed && failed != http::error::need_more) {
                if (failed == http::error::body_limit) {
                    status_of_too_large_ = parser_->get().result_int();
                }
                return fail(to_error(failed, limits_));
            }
            if (parser_->is_done()) {
                if (parser_->get().result_int() >= 200) {
                    return progress::done;
                }
                if (parser_->get().result_int() == 101 || ++interim_answers_ > interim_answers_max) {
                    return fail(
                        {error_class::malformed, "the answer is preceded by too many interim ones, or switches protocols"});
                }
                renew();
                continue;
            }
            // Bodies are taken as they come; what is left is an unfinished head, chunk head or trailer.
            if (buffer_.size() > limits_.head_bytes_max) {
                return fail(to_error(http::error::header_limit, limits_));
            }
            return progress::need_more;
        }
    }

    progress end()
    {
        boost::system::error_code failed = http::error::end_of_stream;
        if (parser_->got_some()) {
            failed = {};
            parser_->put_eof(failed);
        }
        if (failed || !parser_->is_done() || parser_->get().result_int() < 200) {
            return fail(to_error(failed ? failed : http::error::partial_message, limits_));
        }
        return progress::done;
    }

    aws::http_response take()
    {
        ENSURE(parser_->is_done());
        const bool reusable = connection_is_reusable();
        auto message = parser_->release();
        aws::http_response response;
        response.status = message.result_int();
        for (const auto& field : message) {
            const auto name = field.name_string();
            const auto value = field.value();
            response.headers.push_back({{name.begin(), name.end()}, {value.begin(), value.end()}});
        }
        response.body = std::move(message.body());
        reusable_ = reusable;
        return response;
    }

    [[nodiscard]] bool connection_is_reusable() const
    {
        return reusable_.value_or(parser_->is_done() && !parser_->need_eof() && parser_->keep_alive() && buffer_.size() == 0);
    }
    [[nodiscard]] const error& problem() const { return problem_; }
    [[nodiscard]] std::optional<unsigned> status_of_too_large() const { return status_of_too_large_; }
    [[nodiscard]] bool has_begun() const { return has_begun_; }

private:
    void renew()
    {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes_max));
        parser_->body_limit(limits_.body_bytes_max);
    }

    progress fail(error e)
    {
        problem_ = std::move(e);
        return progress::failed;
    }

    limits limits_;
    beast::flat_buffer buffer_;
    std::optional<http::response_parser<http::string_body>> parser_;
    std::optional<bool> reusable_;
    unsigned interim_answers_ = 0;
    bool has_begun_ = false;
    error problem_;
    std::optional<unsigned> status_of_too_large_;
};

response_reader::response_reader(const limits& l) : impl_(std::make_unique<impl>(l)) {}
response_reader::~response_reader() = default;

response_reader::progress response_reader::put(byte_view bytes)
{
    return impl_->put(bytes);
}
response_reader::progress response_reader::end()
{
    return impl_->end();
}
aws::http_response response_reader::take()
{
    return impl_->take();
}
bool response_reader::connection_is_reusable() const
{
    return impl_->connection_is_reusable();
}
const error& response_reader::problem() const
{
    return impl_->problem();
}
std::optional<unsigned> response_reader::status_of_too_large() const
{
    return impl_->status_of_too_large();
}
bool response_reader::has_begun() const
{
    return impl_->has_begun();
}

}  // namespace vipd::io
