#include "tests/cloudsim/certificate.hpp"

#include "common/ensure.hpp"
#include "common/ip.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>

namespace vipd::cloudsim {

namespace {

constexpr long seconds_per_day = 24L * 3600L;

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    ENSURE(extension != nullptr);
    ENSURE(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

void set_random_serial(X509* certificate)
{
    std::uint64_t serial = 0;
    ENSURE(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    ENSURE(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U) == 1);
}

identity begin_certificate(const std::string& common_name, const validity& period)
{
    identity made{key_handle{EVP_EC_gen("P-256")}, certificate_handle{X509_new()}};
    X509* certificate = made.certificate.get();
    ENSURE(made.key != nullptr && certificate != nullptr);
    ENSURE(X509_set_version(certificate, 2) == 1);
    set_random_serial(certificate);
    ENSURE(X509_gmtime_adj(X509_getm_notBefore(certificate), period.from_days * seconds_per_day) != nullptr);
    ENSURE(X509_gmtime_adj(X509_getm_notAfter(certificate), period.to_days * seconds_per_day) != nullptr);
    X509_NAME* name = X509_get_subject_name(certificate);
    ENSURE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                      -1, -1, 0) == 1);
    ENSURE(X509_set_pubkey(certificate, made.key.get()) == 1);
    return made;
}

void sign_by(const identity& issuer, X509* certificate)
{
    ENSURE(X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get())) == 1);
    ENSURE(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0);
}

std::string alternative_names(const std::vector<std::string>& names)
{
    std::string out;
    for (const auto& name : names) {
        out += (out.empty() ? "" : ",") + std::string(ip_address::parse(name) ? "IP:" : "DNS:") + name;
    }
    return out;
}

}  // namespace

identity make_authority(const std::string& common_name)
{
    auto made = begin_certificate(common_name, {-1, 365});
    X509* certificate = made.certificate.get();
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    sign_by(made, certificate);
    return made;
}

identity issue_server(const identity& authority, const std::vector<std::string>& names, const validity& period)
{
    // A common name holds 64 characters; it is for people, clients look at the alternative names.
    auto made = begin_certificate(names.front().substr(0, 64), period);
    X509* certificate = made.certificate.get();
    X509* issuer = authority.certificate.get();
    add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
    add_extension(certificate, issuer, NID_subject_alt_name, alternative_names(names));
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    sign_by(authority, certificate);
    return made;
}

std::string to_pem(const X509& certificate)
{
    BIO* memory = BIO_new(BIO_s_mem());
    ENSURE(memory != nullptr && PEM_write_bio_X509(memory, &certificate) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(memory);
    return out;
}

}  // namespace vipd::cloudsim
