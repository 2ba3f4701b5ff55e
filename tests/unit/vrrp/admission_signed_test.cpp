// Signed adverts as datagrams: lengths, checksums, the order of the ladder, and what is counted.

#include "agent/vrrp/admission.hpp"
#include "tests/unit/vrrp/signed.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace vipd::vrrp {
namespace {

using namespace std::chrono_literals;

struct dialect {
    const char* name;
    version protocol_version;
    ip_address self;
    ip_address peer;
    ip_address listed;
};

const std::vector<dialect> dialects = {
    {"v3", version::v3, address("10.0.1.10"), address("10.0.2.20"), address("192.0.2.100")},
    {"v2", version::v2, address("10.0.1.10"), address("10.0.2.20"), address("192.0.2.100")},
    {"v3 over IPv6", version::v3, address("2001:db8:1::a"), address("2001:db8:2::b"), address("2001:db8::100")},
};

router_rule rule_of(const dialect& d, const std::optional<hmac_settings>& settings)
{
    router_rule rule{d.protocol_version, 51, d.self, {{d.peer, 255}}, {d.listed}, 1s, std::nullopt};
    if (settings) {
        rule.signatures = std::make_shared<verifier>(*settings, std::array{d.peer});
    }
    return rule;
}

byte_buffer advert_of(const dialect& d, const std::optional<hmac_settings>& settings, instant now,
                      checksum_form form = checksum_form::rfc5798)
{
    const std::array list = {d.listed};
    advert_template t({d.protocol_version, 51, 200, 1s, list, nullptr}, d.peer, d.self, form);
    if (!settings) {
        return bytes_of(t.message(200, 1s));
    }
    signer s{*settings, now};
    return bytes_of(t.message(200, 1s, s.sign(t.message(200, 1s), d.peer, now)));
}

// "" when it is admitted.
std::string verdict(admission& a, const dialect& d, byte_view message, instant now = at(0s))
{
    const auto result = a.check({d.peer, d.self, 255, message}, now.wall);
    const auto* const refused = std::get_if<discarded>(&result);
    return refused == nullptr ? "" : std::string(to_string(refused->reason));
}

TEST(admission_signed, a_signed_advert_is_admitted_in_every_dialect_and_mode)
{
    for (const auto& d : dialects) {
        for (const auto mode : {hmac_mode::receive_only, hmac_mode::permissive, hmac_mode::enforce}) {
            for (const auto form : {checksum_form::rfc5798, checksum_form::rfc9568}) {
                SCOPED_TRACE(std::string(d.name) + " " + std::string(to_string(mode)));
                const auto settings = signed_with({{1, 0}}, mode);
                admission a{{rule_of(d, settings)}};
                EXPECT_EQ(verdict(a, d, advert_of(d, settings, at(0s), form)), "");
                EXPECT_EQ(a.counters(0).with_signature, 1U);
                EXPECT_EQ(a.counters(0).without_signature, 0U);
                EXPECT_EQ(a.counters(0).accepted, 1U);
            }
        }
    }
}

TEST(admission_signed, an_unsigned_advert_is_admitted_until_signatures_are_enforced)
{
    for (const auto& d : dialects) {
        SCOPED_TRACE(d.name);
        const auto plain = advert_of(d, std::nullopt, at(0s));
        for (const auto mode : {hmac_mode::receive_only, hmac_mode::permissive}) {
            admission a{{rule_of(d, signed_with({{1, 0}}, mode))}};
            EXPECT_EQ(verdict(a, d, plain), "");
            EXPECT_EQ(a.counters(0).without_signature, 1U);
        }
        admission a{{rule_of(d, signed_with({{1, 0}}))}};
        EXPECT_EQ(verdict(a, d, plain), "auth_missing");
    }
}

TEST(admission_signed, a_router_without_authentication_finds_a_trailer_too_long)
{
    for (const auto& d : dialects) {
        SCOPED_TRACE(d.name);
        admission a{{rule_of(d, std::nullopt)}};
        EXPECT_EQ(verdict(a, d, advert_of(d, signed_with({{1, 0}}), at(0s))), "length");
        EXPECT_EQ(verdict(a, d, advert_of(d, std::nullopt, at(0s))), "");
        EXPECT_EQ(a.counters(0).with_signature + a.counters(0).without_signature, 0U);
    }
}

TEST(admission_signed, a_trailer_is_exactly_as_long_as_it_is)
{
    for (const auto& d : dialects) {
        SCOPED_TRACE(d.name);
        admission a{{rule_of(d, signed_with({{1, 0}}, hmac_mode::receive_only))}};
        auto message = advert_of(d, signed_with({{1, 0}}), at(0s));
        message.push_back(0);
        EXPECT_EQ(verdict(a, d, message), "length");
        message.resize(message.size() - 2);
        EXPECT_EQ(verdict(a, d, message), "length");
    }
}

TEST(admission_signed, the_checksum_of_ipv6_covers_the_trailer_and_that_of_ipv4_does_not)
{
    for (const auto& d : dialects) {
        SCOPED_TRACE(d.name);
        admission a{{rule_of(d, signed_with({{1, 0}}))}};
        auto message = advert_of(d, signed_with({{1, 0}}), at(0s));
        message.back() ^= 1U;
        EXPECT_EQ(verdict(a, d, message), d.self.is_v6() ? "checksum" : "auth_hmac");
    }
}

TEST(admission_signed, the_golden_vectors_are_admitted)
{
    const auto settings = signed_with({{1, 0}});
    const dialect v4{"", version::v3, address("198.51.100.20"), address("198.51.100.10"), address("192.0.2.100")};
    admission a{{rule_of(v4, settings)}};
    EXPECT_EQ(verdict(a, v4, from_hex("3133c80100644402c00002640101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265")), "");
    const dialect v6{"", version::v3, address("fe80::20"), address("fe80::10"), address("fe80::100")};
    admission b{{rule_of(v6, settings)}};
    EXPECT_EQ(verdict(b, v6,
                      from_hex("3133c8010064a2e9fe800000000000000000000000000100"
                               "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78")),
              "");
}

TEST(admission_signed, the_golden_vectors_are_what_is_sent)
{
    const std::array v4 = {address("192.0.2.100")};
    const std::array v6 = {address("fe80::100")};
    signer s{signed_with({{1, 0}}), at(0s)};
    advert_template a({version::v3, 51, 200, 1s, v4, nullptr}, address("198.51.100.10"), address("198.51.100.20"),
                      checksum_form::rfc9568);
    EXPECT_EQ(to_hex(a.message(200, 1s, s.sign(a.message(200, 1s), address("198.51.100.10"), at(0s)))),
              "3133c80100644402c00002640101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265");
    signer t{signed_with({{1, 0}}), at(0s)};
    advert_template b({version::v3, 51, 200, 1s, v6, nullptr}, address("fe80::10"), address("fe80::20"),
                      checksum_form::rfc5798);
    EXPECT_EQ(to_hex(b.message(200, 1s, t.sign(b.message(200, 1s), address("fe80::10"), at(0s)))),
              "3133c8010064a2e9fe800000000000000000000000000100010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78");
}

TEST(admission_signed, an_advert_that_fails_anything_else_moves_no_mark)
{
    const auto& d = dialects[1];  // version 2 discards another interval and another list
    const auto settings = signed_with({{1, 0}});
    admission a{{rule_of(d, settings)}};
    const std::array other = {address("192.0.2.101")};
    for (const bool of_list : {true, false}) {
        const std::array same = {d.listed};
        const auto interval = of_list ? 1s : 2s;
        advert_template t({d.protocol_version, 51, 200, interval, of_list ? other : same, nullptr}, d.peer, d.self,
                          checksum_form::rfc5798);
        signer s{settings, at(3s)};
        const auto message = t.message(200, interval, s.sign(t.message(200, interval), d.peer, at(3s)));
        EXPECT_EQ(verdict(a, d, message, at(0s)), of_list ? "address_list" : "interval_mismatch");
    }
    EXPECT_EQ(verdict(a, d, advert_of(d, settings, at(0s))), "");
}

TEST(admission_signed, every_fault_is_counted_for_its_router)
{
    const auto& d = dialects[0];
    admission a{{rule_of(d, signed_with({{1, 0}}))}};
    const auto good = advert_of(d, signed_with({{1, 0}}), at(0s));
    auto malformed = good;
    malformed[12] = 2;
    EXPECT_EQ(verdict(a, d, malformed), "auth_malformed");
    EXPECT_EQ(verdict(a, d, advert_of(d, std::nullopt, at(0s))), "auth_missing");
    EXPECT_EQ(verdict(a, d, good, at(9s)), "auth_window");
    EXPECT_EQ(verdict(a, d, advert_of(d, signed_with({{2, 0}}), at(0s))), "auth_unknown_key");
    EXPECT_EQ(verdict(a, d, advert_of(d, signed_with({{1, 9}}), at(0s))), "auth_hmac");
    EXPECT_EQ(verdict(a, d, good), "");
    EXPECT_EQ(verdict(a, d, good), "auth_replay");
    for (auto reason = discard_reason::auth_missing; reason <= discard_reason::auth_hmac;
         reason = static_cast<discard_reason>(static_cast<unsigned>(reason) + 1)) {
        EXPECT_EQ(a.counters(0).discarded[static_cast<std::size_t>(reason)], 1U) << to_string(reason);
    }
    EXPECT_EQ(a.counters(0).accepted, 1U);
}

TEST(admission_signed, marks_outlive_the_rules)
{
    const auto& d = dialects[0];
    const auto rule = rule_of(d, signed_with({{1, 0}}));
    const auto message = advert_of(d, signed_with({{1, 0}}), at(0s));
    admission before{{rule}};
    EXPECT_EQ(verdict(before, d, message), "");
    admission after{{rule}};
    EXPECT_EQ(verdict(after, d, message), "auth_replay");
}

}  // namespace
}  // namespace vipd::vrrp
