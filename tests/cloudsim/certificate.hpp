#pragma once

// A certificate authority of cloudsim's own, made at the start and forgotten at the end, and the server certificates it issues:
// the good one, and those that a client has to refuse.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vipd::cloudsim {

struct key_deleter {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct certificate_deleter {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
using key_handle = std::unique_ptr<EVP_PKEY, key_deleter>;
using certificate_handle = std::unique_ptr<X509, certificate_deleter>;

// EC P-256.
struct identity {
    key_handle key;
    certificate_handle certificate;
};

// Days from now; both may be negative.
struct validity {
    int from_days = -1;
    int to_days = 30;
};

identity make_authority(const std::string& common_name);

// `names` are DNS names and IP addresses; each becomes a subject alternative name of its kind.
identity issue_server(const identity& authority, const std::vector<std::string>& names, const validity& period);

std::string to_pem(const X509& certificate);

}  // namespace vipd::cloudsim
