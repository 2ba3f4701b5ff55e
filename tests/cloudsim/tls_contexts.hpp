#pragma once

// What the EC2 endpoint shows of itself: the right certificate, and the wrong ones that a fault may ask for.

#include "tests/cloud/fault.hpp"
#include "tests/cloudsim/certificate.hpp"

#include <boost/asio/ssl/context.hpp>

#include <map>
#include <string>
#include <vector>

namespace vipd::cloudsim {

class tls_contexts {
public:
    explicit tls_contexts(const std::vector<std::string>& names);

    [[nodiscard]] std::string authority_pem() const { return to_pem(*authority_.certificate); }
    boost::asio::ssl::context& with(cloud::certificate_flaw flaw) { return contexts_.at(flaw); }

private:
    void add(cloud::certificate_flaw flaw, const identity& issuer, const std::vector<std::string>& names,
             const validity& period);

    identity authority_;
    std::map<cloud::certificate_flaw, boost::asio::ssl::context> contexts_;
};

}  // namespace vipd::cloudsim
