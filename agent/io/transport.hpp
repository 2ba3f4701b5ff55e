#pragma once

// A connected, non-blocking TCP socket with or without TLS on it, as two verbs that never wait. TLS is OpenSSL directly on the
// descriptor: a record is encrypted and handed to the kernel inside write(), so that the first byte of a request leaves in the
// call that decided to send it, and what the kernel has taken is known to the byte.

#include "agent/io/file_descriptor.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace vipd::io {

struct ssl_deleter {
    void operator()(ssl_ctx_st* context) const;
    void operator()(ssl_st* stream) const;
    void operator()(ssl_session_st* session) const;
};

struct tls_trust {
    std::string ca_bundle = {};          // a file of certificates to trust and nothing else; empty: what the system trusts
    bool verify = true;                  // the peer and its name; false for checks of trackers only, where it is asked for
    std::string_view section = "[aws]";  // of the configuration, where ca_bundle stands: for remedies
};

// What every connection shares: TLS 1.2 and later, the peer and its name are verified, no renegotiation.
class tls_context {
public:
    static result<std::unique_ptr<tls_context>> create(const tls_trust& trust);

    [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }
    [[nodiscard]] std::string_view section() const { return section_; }

private:
    tls_context(ssl_ctx_st* context, std::string_view section) : context_(context), section_(section) {}
    std::unique_ptr<ssl_ctx_st, ssl_deleter> context_;
    std::string_view section_;
};

// The last session that a server offered, so that the next handshake is short. A resumed session is not verified again, so it
// is worth nothing to a context with other CA certificates than the one under which it was made.
class kept_session {
public:
    void keep(std::unique_ptr<ssl_session_st, ssl_deleter> session, ssl_ctx_st* made_under);
    void forget() { session_.reset(); }
    // Null when there is none that was verified under `context`.
    [[nodiscard]] ssl_session_st* usable_under(const tls_context& context) const;

private:
    std::unique_ptr<ssl_session_st, ssl_deleter> session_;
    std::unique_ptr<ssl_ctx_st, ssl_deleter> made_under_;
};

class transport {
public:
    enum class status : std::uint8_t {
        done,        // `bytes` were read or written (at least one), or the handshake is over
        want_read,   // call again when the socket is readable
        want_write,  // call again when it is writable
        end,         // the other side has closed, in the way the protocol wants it
        failed,      // see problem(); the connection is of no more use
    };
    struct outcome {
        status what = status::failed;
        std::size_t bytes = 0;
    };

    // Plain.
    explicit transport(file_descriptor socket);
    // TLS to `host`, a name or an IP literal, which the certificate has to carry. `session` is resumed when it may be, receives
    // the ones that the server offers for later, and outlives the transport.
    transport(file_descriptor socket, const tls_context& context, const std::string& host, kept_session& session);
    ~transport();
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    outcome handshake();
    outcome read(std::span<std::uint8_t> into);
    outcome write(std::string_view bytes);

    // Bytes that the kernel has taken from us since the start, in TLS records or as they are.
    [[nodiscard]] std::uint64_t bytes_handed_over() const;
    // "certificate of ec2.eu-west-1.amazonaws.com: unable to get local issuer certificate"
    [[nodiscard]] const std::string& problem() const { return problem_; }

    [[nodiscard]] int native_handle() const { return socket_.get(); }

    // Close with a reset, so that nothing that the kernel still holds is delivered.
    void reset();

private:
    outcome judge(int returned);
    outcome fail(std::string problem);
    outcome fail_with_errno(const char* doing, int error_number);

    file_descriptor socket_;
    std::unique_ptr<ssl_st, ssl_deleter> tls_;
    std::string host_;
    std::string_view section_;  // of the configuration that a remedy names
    std::string problem_;
    std::uint64_t plain_bytes_ = 0;
};

}  // namespace vipd::io
