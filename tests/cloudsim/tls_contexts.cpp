#include "tests/cloudsim/tls_contexts.hpp"

#include "common/ensure.hpp"

namespace vipd::cloudsim {

tls_contexts::tls_contexts(const std::vector<std::string>& names) : authority_(make_authority("cloudsim authority"))
{
    using cloud::certificate_flaw;
    add(certificate_flaw::none, authority_, names, {});
    add(certificate_flaw::expired, authority_, names, {-10, -1});
    add(certificate_flaw::not_yet_valid, authority_, names, {1, 10});
    add(certificate_flaw::wrong_name, authority_, {"elsewhere.example"}, {});
    add(certificate_flaw::untrusted, make_authority("nobody's authority"), names, {});
}

void tls_contexts::add(cloud::certificate_flaw flaw, const identity& issuer, const std::vector<std::string>& names,
                       const validity& period)
{
    const auto made = issue_server(issuer, names, period);
    auto& context = contexts_.try_emplace(flaw, boost::asio::ssl::context::tls_server).first->second;
    ENSURE(SSL_CTX_use_certificate(context.native_handle(), made.certificate.get()) == 1);
    ENSURE(SSL_CTX_use_PrivateKey(context.native_handle(), made.key.get()) == 1);
}

}  // namespace vipd::cloudsim
