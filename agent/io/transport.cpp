#include "agent/io/transport.hpp"

#include "agent/io/system_error.hpp"
#include "common/ensure.hpp"
#include "common/ip.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include <dirent.h>
#include <sys/socket.h>

namespace vipd::io {

namespace {

// The oldest entry of OpenSSL's queue in words; the queue is empty afterwards.
std::string library_problem()
{
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) {
        return "unknown TLS error";
    }
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "TLS error " + std::to_string(code);
}

// A directory of certificates by hash ("a94d09e5.0"): looked up one by one when needed, where a bundle is parsed whole and
// costs megabytes.
bool is_hashed_directory(const char* path)
{
    const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir(path), &::closedir};
    if (!directory) {
        return false;
    }
    while (const auto* entry = ::readdir(directory.get())) {
        const std::string_view name{entry->d_name};
        const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
        if (name.size() == 10 && name[8] == '.' && name[9] == '0' && std::ranges::all_of(name.substr(0, 8), is_hex)) {
            return true;
        }
    }
    return false;
}

const char* environment_or(const char* variable, const char* otherwise)
{
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

result<void> trust_system(ssl_ctx_st* context, std::string_view section)
{
    const char* directory = environment_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    const char* file = environment_or(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    // SSL_CERT_FILE names what is wanted; otherwise the directory is preferred for its size.
    const bool file_is_asked_for = std::getenv(X509_get_default_cert_file_env()) != nullptr;
    if (!file_is_asked_for && is_hashed_directory(directory) && SSL_CTX_load_verify_dir(context, directory) == 1) {
        return {};
    }
    if (SSL_CTX_load_verify_file(context, file) == 1) {
        return {};
    }
    ERR_clear_error();
    return error{error_class::not_found, std::string{"no CA certificates in "} + directory + " or " + file +
                                             "; install the package ca-certificates, or name a bundle with ca_bundle in " +
                                             std::string{section}};
}

result<void> trust_bundle(ssl_ctx_st* context, const std::string& file)
{
    if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) {
        return {};
    }
    return error{error_class::not_found, "ca_bundle '" + file + "' holds no CA certificates that can be read: " +
                                             library_problem() + "; allowed is a PEM file of certificates"};
}

// Where OpenSSL's callback finds the place for a fresh session.
int session_slot_index()
{
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int keep_session(SSL* stream, SSL_SESSION* session)
{
    auto* slot = static_cast<kept_session*>(SSL_get_ex_data(stream, session_slot_index()));
    if (slot == nullptr) {
        return 0;
    }
    slot->keep(std::unique_ptr<ssl_session_st, ssl_deleter>{session}, SSL_get_SSL_CTX(stream));
    return 1;  // the reference is ours
}

}  // namespace

void ssl_deleter::operator()(ssl_ctx_st* context) const
{
    SSL_CTX_free(context);
}
void ssl_deleter::operator()(ssl_st* stream) const
{
    SSL_free(stream);
}
void ssl_deleter::operator()(ssl_session_st* session) const
{
    SSL_SESSION_free(session);
}

result<std::unique_ptr<tls_context>> tls_context::create(const tls_trust& trust)
{
    std::unique_ptr<tls_context> made{new tls_context(SSL_CTX_new(TLS_client_method()), trust.section)};
    auto* context = made->native();
    if (context == nullptr) {
        return error{error_class::unavailable, "setting up TLS: " + library_problem()};
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Buffers are held only while a record is under way: idle connections cost little.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    if (!trust.verify) {
        return made;
    }
    if (const auto trusted =
            trust.ca_bundle.empty() ? trust_system(context, trust.section) : trust_bundle(context, trust.ca_bundle);
        !trusted) {
        return trusted.error();
    }
    return made;
}

void kept_session::keep(std::unique_ptr<ssl_session_st, ssl_deleter> session, ssl_ctx_st* made_under)
{
    session_ = std::move(session);
    // A reference, so that no later context can have this one's address.
    SSL_CTX_up_ref(made_under);
    made_under_.reset(made_under);
}

ssl_session_st* kept_session::usable_under(const tls_context& context) const
{
    return made_under_.get() == context.native() ? session_.get() : nullptr;
}

transport::transport(file_descriptor socket) : socket_(std::move(socket)) {}

transport::transport(file_descriptor socket, const tls_context& context, const std::string& host, kept_session& session) :
    socket_(std::move(socket)), tls_(SSL_new(context.native())), host_(host), section_(context.section())
{
    ENSURE(tls_ != nullptr && SSL_set_fd(tls_.get(), socket_.get()) == 1);
    SSL_set_ex_data(tls_.get(), session_slot_index(), &session);
    if (ip_address::parse(host)) {
        ENSURE(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host.c_str()) == 1);
    } else {
        SSL_set_hostflags(tls_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        // SSL_set_tlsext_host_name() is a macro around this with a cast that our warnings do not allow.
        std::string server_name{host};
        if (SSL_set1_host(tls_.get(), host.c_str()) != 1 ||
            SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, server_name.data()) != 1) {
            ERR_clear_error();
            problem_ = "'" + host + "' is no host name that TLS could verify";
        }
    }
    if (auto* resumed = session.usable_under(context)) {
        SSL_set_session(tls_.get(), resumed);
    }
    SSL_set_connect_state(tls_.get());
}

transport::~transport()
{
    if (tls_ && socket_) {
        // Our half of the goodbye, as far as the kernel takes it at once.
        ERR_clear_error();
        SSL_shutdown(tls_.get());
        ERR_clear_error();
    }
}

transport::outcome transport::handshake()
{
    if (!problem_.empty()) {
        return {status::failed, 0};
    }
    if (!tls_) {
        return {status::done, 0};
    }
    ERR_clear_error();
    const int returned = SSL_do_handshake(tls_.get());
    if (returned == 1) {
        return {status::done, 0};
    }
    const auto judged = judge(returned);
    if (judged.what == status::end) {
        return fail(host_ + " closed the connection in the TLS handshake");
    }
    return judged;
}

transport::outcome transport::read(std::span<std::uint8_t> into)
{
    if (tls_) {
        ERR_clear_error();
        std::size_t count = 0;
        const int returned = SSL_read_ex(tls_.get(), into.data(), into.size(), &count);
        return returned == 1 ? outcome{status::done, count} : judge(returned);
    }
    while (true) {
        const auto count = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
        if (count > 0) {
            return {status::done, static_cast<std::size_t>(count)};
        }
        if (count == 0) {
            return {status::end, 0};
        }
        if (errno == EAGAIN) {
            return {status::want_read, 0};
        }
        if (errno != EINTR) {
            return fail_with_errno("reading", errno);
        }
    }
}

transport::outcome transport::write(std::string_view bytes)
{
    if (tls_) {
        ERR_clear_error();
        std::size_t count = 0;
        const int returned = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &count);
        return returned == 1 ? outcome{status::done, count} : judge(returned);
    }
    while (true) {
        const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            plain_bytes_ += static_cast<std::uint64_t>(count);
            return {status::done, static_cast<std::size_t>(count)};
        }
        if (errno == EAGAIN) {
            return {status::want_write, 0};
        }
        if (errno != EINTR) {
            return fail_with_errno("writing", errno);
        }
    }
}

transport::outcome transport::judge(int returned)
{
    const int system_error_number = errno;
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return {status::want_read, 0};
        case SSL_ERROR_WANT_WRITE:
            return {status::want_write, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {status::end, 0};
        case SSL_ERROR_SYSCALL:
            return system_error_number == 0 ? fail(host_ + " closed the connection")
                                            : fail_with_errno("TLS", system_error_number);
        default:
            break;
    }
    const long verified = SSL_get_verify_result(tls_.get());
    if (verified != X509_V_OK && SSL_get_verify_mode(tls_.get()) != SSL_VERIFY_NONE) {
        ERR_clear_error();
        return fail("certificate of " + host_ + ": " + X509_verify_cert_error_string(verified) +
                    "; if this is your own CA, name its bundle with ca_bundle in " + std::string{section_});
    }
    return fail("TLS with " + host_ + ": " + library_problem());
}

transport::outcome transport::fail(std::string problem)
{
    problem_ = std::move(problem);
    if (tls_) {
        // After an error OpenSSL wants no goodbye.
        SSL_set_quiet_shutdown(tls_.get(), 1);
    }
    return {status::failed, 0};
}

transport::outcome transport::fail_with_errno(const char* doing, int error_number)
{
    return fail(system_error(error_class::unavailable, doing, error_number).text);
}

std::uint64_t transport::bytes_handed_over() const
{
    return tls_ ? BIO_number_written(SSL_get_wbio(tls_.get())) : plain_bytes_;
}

void transport::reset()
{
    if (tls_) {
        SSL_set_quiet_shutdown(tls_.get(), 1);
    }
    const linger at_once{1, 0};
    static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    // Closing it is not enough while a hook is on its way from fork() to execve(), for that long it has the socket as well.
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    static_cast<void>(::connect(socket_.get(), &nobody, sizeof(nobody)));
    socket_.close();
}

}  // namespace vipd::io
