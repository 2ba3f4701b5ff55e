#include "tests/sim/situations.hpp"

namespace vipd::sim {

std::string_view to_string(situation s)
{
    constexpr std::array<std::string_view, situation_count> names = {
        "demoted with a mutating call under way",
        "demoted with some tables moved and others not",
        "a call landed after its sender was demoted",
        "an Active stepped back after a stall",
        "takeover while throttled",
        "takeover with credentials that are refused",
        "takeover without the permission for a table",
        "outcome of a call unknown while Active",
        "two Actives healed, better priority heard first",
        "two Actives healed, lower priority heard first",
        "two Actives healed, higher address heard first",
        "two Actives healed, lower address heard first",
        "priority 0 and another advert in one batch",
        "reload during a takeover",
        "a stale read contradicted a fresh write",
        "Active while nobody reaches the cloud",
        "stood still between a decision and its call",
        "a permit was refused",
        "crash loop",
        "a route changed by hand was repaired",
        "a removed local address was put back",
        "a removed rule or route was put back",
        "a corrupted or forged advert was discarded",
        "a process started while IMDS was down",
        "a duel over a route was noticed",
        "the keys of adverts were rotated",
        "a copy of a signed advert was sent",
        "a broken path to EC2 changed a priority",
        "EC2 stopped the Active's instance",
        "an answer came after its call was cancelled",
        "Active without another socket",
        "an interface that was stuck detaching was forced",
        "a process went on as the Active in the place of another",
        "what an Active tracks failed",
        "EC2 announced that it takes an Active away",
        "a router of a sync group waited for the other",
        "a router that was no longer Active took its group along",
        "another interface had the device index",
        "the instance had no room for the interface",
        "an interface was taken between detach and attach",
        "an address came back from a stranger's interface",
        "a reassignment that landed late was confirmed",
        "a taker was stopped in the gap of an IPv6 address",
        "an Elastic IP came back that was held by hand",
        "a reload of the Active was refused",
        "the kernel refused an advert of the Active",
        "a priority that an operator set moved the role",
        "the address owner came and was Active at once",
        "a startup_delay outlasted the down interval",
        "a security group forgot whom it had let in",
    };
    return names.at(static_cast<std::size_t>(s));
}

}  // namespace vipd::sim
