#include "agent/io/request_reader.hpp"

#include "agent/io/last_chunk.hpp"
#include "common/ensure.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string_view>

namespace vipd::io {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using message = http::request<http::string_body>;

template <class Name>
std::string field(const message& m, const Name& name)
{
    const auto value = m[name];
    return {value.begin(), value.end()};
}

status::http_request to_request(message&& m, bool from_unix_socket)
{
    status::http_request request;
    const auto method = m.method_string();
    request.method.assign(method.begin(), method.end());
    request.target.assign(m.target().begin(), m.target().end());
    request.host = field(m, http::field::host);
    request.accept = field(m, http::field::accept);
    request.last_event_id = field(m, std::string_view{"Last-Event-ID"});
    request.body = std::move(m.body());
    request.from_unix_socket = from_unix_socket;
    return request;
}

unsigned status_of(const error_code& failed)
{
    if (failed == http::error::header_limit) {
        return 431;
    }
    return failed == http::error::body_limit ? 413 : 400;
}

}  // namespace

class request_reader::impl {
public:
    impl(std::uint32_t head_bytes_max, bool from_unix_socket) :
        head_bytes_max_(head_bytes_max), from_unix_socket_(from_unix_socket)
    {}

    progress put(byte_view bytes)
    {
        buffer_.commit(
            boost::asio::buffer_copy(buffer_.prepare(bytes.size()), boost::asio::buffer(bytes.data(), bytes.size())));
        while (buffer_.size() > 0) {
            if (!parser_) {
                begin();
            }
            if (awaits_last_chunk(*parser_, buffer_.size())) {
                return progress::need_more;
            }
            error_code failed;
            const bool in_head = !parser_->is_header_done();
            const std::size_t used = parser_->put(buffer_.data(), failed);
            buffer_.consume(used);
            head_bytes_ += in_head ? used : 0;
            const bool wants_more = failed == http::error::need_more;
            // Beast counts the parts of a head one by one, and bounds neither the head of a chunk nor the trailer.
            if ((!failed || wants_more) &&
                (head_bytes_ > head_bytes_max_ || (wants_more && kept_of_head() > head_bytes_max_))) {
                failed = http::error::header_limit;
            }
            if (failed && failed != http::error::need_more) {
                problem_ = {status_of(failed), failed.message()};
                return progress::failed;
            }
            if (wants_more) {
                return progress::need_more;
            }
            if (parser_->is_done()) {
                return progress::done;
            }
        }
        return progress::need_more;
    }

    received take()
    {
        ENSURE(parser_ && parser_->is_done());
        auto m = parser_->release();
        parser_.reset();
        received taken;
        taken.version = m.version();
        taken.keep_alive = m.keep_alive();
        taken.request = to_request(std::move(m), from_unix_socket_);
        return taken;
    }

    [[nodiscard]] const refusal& problem() const { return problem_; }
    [[nodiscard]] bool is_idle() const { return !parser_ && buffer_.size() == 0; }
    [[nodiscard]] std::size_t bytes_kept() const { return buffer_.size(); }

private:
    void begin()
    {
        parser_.emplace();
        parser_->header_limit(head_bytes_max_);
        parser_->body_limit(status::request_body_size_max);
        head_bytes_ = 0;
    }

    // The head so far, or that of a chunk.
    [[nodiscard]] std::size_t kept_of_head() const { return buffer_.size() + (parser_->is_header_done() ? 0 : head_bytes_); }

    std::uint32_t head_bytes_max_;
    bool from_unix_socket_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;  // while a request is being read
    std::size_t head_bytes_ = 0;                                     // that the parser has taken
    refusal problem_;
};

request_reader::request_reader(std::uint32_t head_bytes_max, bool from_unix_socket) :
    impl_(std::make_unique<impl>(head_bytes_max, from_unix_socket))
{}
request_reader::~request_reader() = default;

request_reader::progress request_reader::put(byte_view bytes)
{
    return impl_->put(bytes);
}
request_reader::received request_reader::take()
{
    return impl_->take();
}
const request_reader::refusal& request_reader::problem() const
{
    return impl_->problem();
}
bool request_reader::is_idle() const
{
    return impl_->is_idle();
}
std::size_t request_reader::bytes_kept() const
{
    return impl_->bytes_kept();
}

}  // namespace vipd::io
