#include "agent/cli/check_report.hpp"

#include <fmt/format.h>

namespace vipd::cli {

namespace {

std::string counted(std::size_t count, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string line(std::string_view file, std::string_view severity, const config::finding& f)
{
    auto marked = f;
    marked.key = f.key.empty() ? std::string(severity) : fmt::format("{}: {}", severity, f.key);
    return config::to_string(marked, file) + "\n";
}

}  // namespace

printed check_report(std::string_view text, std::string_view file)
{
    return check_report(config::load(text, file), file);
}

printed check_report(const std::variant<config::loaded, std::vector<config::finding>>& checked, std::string_view file)
{
    printed result;
    if (const auto* const errors = std::get_if<std::vector<config::finding>>(&checked)) {
        for (const auto& f : *errors) {
            result.err += line(file, "error", f);
        }
        result.err += fmt::format("{}: {}\n", file, counted(errors->size(), "error", "errors"));
        result.exit_code = exit_failure;
        return result;
    }
    const auto& good = std::get<config::loaded>(checked);
    for (const auto& f : good.warnings) {
        result.err += line(file, "warning", f);
    }
    std::size_t routes = 0;
    std::size_t addresses = 0;
    std::size_t elastic_ips = 0;
    std::size_t interfaces = 0;
    for (const auto& router : good.value.routers) {
        routes += router.routes.size();
        addresses += router.addresses_on_node().size();
        elastic_ips += router.elastic_ips.size();
        interfaces += router.enis.size();
    }
    std::string others;
    if (elastic_ips > 0) {
        others += ", " + counted(elastic_ips, "Elastic IP", "Elastic IPs");
    }
    if (interfaces > 0) {
        others += ", " + counted(interfaces, "network interface", "network interfaces");
    }
    const auto warnings = good.warnings.empty() ? std::string() : ", " + counted(good.warnings.size(), "warning", "warnings");
    result.out = fmt::format("{}: {}, {}, {}{}: ok{}\n", file, counted(good.value.routers.size(), "router", "routers"),
                             counted(routes, "route", "routes"), counted(addresses, "address", "addresses"), others, warnings);
    return result;
}

}  // namespace vipd::cli
