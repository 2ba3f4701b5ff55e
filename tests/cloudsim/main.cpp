// cloudsim: EC2, STS and IMDSv2 of one region, to run vipd (or AWS's own tools) against. tests/cloudsim/README.md tells how.

#include "tests/cloud/simulated_cloud.hpp"
#include "tests/cloudsim/request_log.hpp"
#include "tests/cloudsim/server.hpp"
#include "tests/cloudsim/tls_contexts.hpp"

#include <boost/json.hpp>
#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace vipd::cloudsim {

namespace {

struct options {
    std::string topology_file;
    std::vector<std::string> ec2;
    std::vector<std::string> sts;
    std::vector<std::string> imds;
    std::vector<std::string> control;
    std::string log_file;
    std::string ca_file;
    std::vector<std::string> names;
    double latency_ms = 0;
    std::uint64_t seed = 1;
    bool example = false;
};

[[noreturn]] void give_up(const std::string& why)
{
    std::fprintf(stderr, "cloudsim: %s\n", why.c_str());
    std::exit(1);
}

std::string read_text(const std::string& path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        give_up("cannot read '" + path + "'");
    }
    return text.str();
}

cloud::topology load_topology(const options& chosen)
{
    const std::string text =
        chosen.topology_file.empty() ? std::string(cloud::example_topology()) : read_text(chosen.topology_file);
    // Since ever, so that whoever looks at the past right after the start sees it there.
    auto parsed = cloud::parse_topology(text, time_point{});
    if (!parsed) {
        give_up((chosen.topology_file.empty() ? "the example" : chosen.topology_file) + ": " + parsed.error().text);
    }
    return std::move(*parsed);
}

std::vector<listen_address> parse_all(service_kind service, const std::vector<std::string>& texts)
{
    std::vector<listen_address> out;
    for (const auto& text : texts) {
        const auto parsed = listen_address::parse(service, text);
        if (!parsed) {
            give_up(parsed.error().text);
        }
        out.push_back(*parsed);
    }
    return out;
}

// What the certificate is for: what was asked for, what is listened on, and the names by which EC2 and STS are known in the
// region.
std::vector<std::string> certificate_names(const options& chosen, const std::vector<listen_address>& ec2,
                                           const std::vector<listen_address>& sts, const std::string& region)
{
    auto names = chosen.names;
    names.push_back("ec2." + region + ".amazonaws.com");
    names.push_back("sts." + region + ".amazonaws.com");
    names.emplace_back("localhost");
    for (const auto* addresses : {&ec2, &sts}) {
        for (const auto& where : *addresses) {
            names.push_back(where.address.to_string());
        }
    }
    return names;
}

boost::json::array listen_all(server& server, const std::vector<listen_address>& addresses)
{
    boost::json::array bound;
    for (const auto& where : addresses) {
        const auto text = server.listen(where);
        if (!text) {
            give_up(text.error().text);
        }
        bound.emplace_back(*text);
    }
    return bound;
}

int run(const options& chosen)
{
    auto topology = load_topology(chosen);
    const auto region = topology.state.region;
    const auto ec2 = parse_all(service_kind::ec2, chosen.ec2);
    const auto sts = parse_all(service_kind::sts, chosen.sts);
    const auto imds = parse_all(service_kind::imds, chosen.imds);
    const auto control = parse_all(service_kind::control, chosen.control);

    tls_contexts tls(certificate_names(chosen, ec2, sts, region));
    if (!chosen.ca_file.empty()) {
        std::ofstream file(chosen.ca_file);
        file << tls.authority_pem() << std::flush;
        if (!file) {
            give_up("cannot write '" + chosen.ca_file + "'");
        }
    }

    request_log log(chosen.log_file);
    if (!chosen.log_file.empty() && !log.is_open()) {
        give_up("cannot write '" + chosen.log_file + "'");
    }
    cloud::simulated_cloud cloud(std::move(topology), chosen.seed);
    cloud.set_latency(cloud::delay::fixed(
        std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(chosen.latency_ms))));
    server server(cloud, log, tls);
    const boost::json::object ready{{"ready", true},
                                    {"region", region},
                                    {"ec2", listen_all(server, ec2)},
                                    {"sts", listen_all(server, sts)},
                                    {"imds", listen_all(server, imds)},
                                    {"control", listen_all(server, control)}};
    std::printf("%s\n", boost::json::serialize(ready).c_str());
    std::fflush(stdout);
    server.run();
    return 0;
}

}  // namespace

}  // namespace vipd::cloudsim

int main(int argc, char** argv)
{
    vipd::cloudsim::options chosen;
    CLI::App app{"EC2, STS and IMDSv2 of one region, to run vipd and AWS's own tools against"};
    app.add_option("--topology", chosen.topology_file, "what the account holds (JSON); the example when not given");
    app.add_option("--ec2", chosen.ec2, "ADDR:PORT for EC2 over HTTPS; port 0 for any; may be repeated");
    app.add_option("--sts", chosen.sts, "ADDR:PORT for STS over HTTPS; port 0 for any; may be repeated");
    app.add_option("--imds", chosen.imds, "ADDR:PORT[=INSTANCE] for IMDSv2 over HTTP; may be repeated");
    app.add_option("--control", chosen.control, "unix:PATH or ADDR:PORT for the hand of whoever runs the simulation");
    app.add_option("--log", chosen.log_file, "one JSON line for each request and change; - for standard error");
    app.add_option("--ca-out", chosen.ca_file, "where to write the authority's certificate");
    app.add_option("--name", chosen.names, "one more name or address in the server's certificate; may be repeated");
    app.add_option("--latency-ms", chosen.latency_ms, "what every EC2 call takes")->check(CLI::Range(0.0, 600'000.0));
    app.add_option("--seed", chosen.seed, "of everything that is drawn");
    app.add_flag("--example", chosen.example, "print a topology of three nodes in two zones and exit");
    CLI11_PARSE(app, argc, argv);
    if (chosen.example) {
        std::fputs(std::string(vipd::cloud::example_topology()).c_str(), stdout);
        return 0;
    }
    return vipd::cloudsim::run(chosen);
}
