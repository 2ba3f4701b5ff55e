#include "agent/vrrp/authentication.hpp"

#include "agent/vrrp/advert.hpp"
#include "tests/unit/vrrp/signed.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <utility>

namespace vipd::vrrp {
namespace {

using namespace std::chrono_literals;

using fault = std::optional<signature_fault>;

const auto sender_a = address("198.51.100.10");
const auto sender_b = address("198.51.100.11");
const std::array senders = {sender_a, sender_b};
const auto message = from_hex("3133c80100644402c0000264");

// What `s` makes of the message at that time.
byte_buffer signature(signer& s, instant now, const ip_address& source = sender_a)
{
    return bytes_of(s.sign(message, source, now));
}

sequence sequence_of(byte_view trailer)
{
    return sequence{load_big_u32(trailer, 4)} << 32U | load_big_u32(trailer, 8);
}

struct pair {
    explicit pair(const hmac_settings& settings, instant now = at(0s)) : sends(settings, now), hears(settings, senders) {}

    fault check(byte_view trailer, instant now, const ip_address& source = sender_a)
    {
        return hears.check(message, trailer, source, now.wall);
    }
    // Signed and heard at once.
    fault pass(instant now) { return check(signature(sends, now), now); }

    signer sends;
    verifier hears;
};

// --- the format ---

TEST(signature, is_the_golden_vector_over_ipv4)
{
    signer s{signed_with({{1, 0}}), at(0s)};
    EXPECT_EQ(to_hex(s.sign(message, sender_a, at(0s))), "0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265");
}

TEST(signature, is_the_golden_vector_over_ipv6)
{
    signer s{signed_with({{1, 0}}), at(0s)};
    const auto v6 = from_hex("3133c8010064a2e9fe800000000000000000000000000100");
    EXPECT_EQ(to_hex(s.sign(v6, address("fe80::10"), at(0s))), "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78");
}

TEST(signature, is_the_same_whatever_the_checksum)
{
    auto other = message;
    other[6] ^= 0xffU;
    signer a{signed_with({{1, 0}}), at(0s)};
    signer b{signed_with({{1, 0}}), at(0s)};
    EXPECT_EQ(bytes_of(a.sign(message, sender_a, at(0s))), bytes_of(b.sign(other, sender_a, at(0s))));
}

TEST(signature, any_bit_that_is_changed_is_noticed)
{
    for (std::size_t bit = 0; bit < 8 * (message.size() + trailer_size); ++bit) {
        if (bit / 8 == 6 || bit / 8 == 7) {
            continue;  // the checksum
        }
        pair p{signed_with({{1, 0}}, hmac_mode::enforce, anti_replay::monotonic)};
        auto all = message;
        append(all, signature(p.sends, at(0s)));
        all[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto view = byte_view{all};
        EXPECT_NE(p.hears.check(view.first(message.size()), view.subspan(message.size()), sender_a, at(0s).wall), fault{})
            << bit;
    }
}

TEST(signature, of_one_sender_is_not_anothers)
{
    pair p{signed_with({{1, 0}})};
    EXPECT_EQ(p.check(signature(p.sends, at(0s)), at(0s), sender_b), signature_fault::mismatch);
}

// --- the modes ---

TEST(verifier, every_mode_judges_signed_and_unsigned_foreign_and_stale)
{
    for (const auto mode : {hmac_mode::receive_only, hmac_mode::permissive, hmac_mode::enforce}) {
        SCOPED_TRACE(to_string(mode));
        pair p{signed_with({{1, 0}}, mode)};
        EXPECT_EQ(p.check({}, at(0s)), mode == hmac_mode::enforce ? fault{signature_fault::missing} : fault{});

        signer wrong_key{signed_with({{1, 77}}), at(0s)};
        EXPECT_EQ(p.check(signature(wrong_key, at(0s)), at(0s)), signature_fault::mismatch);
        signer unknown_key{signed_with({{2, 0}}), at(0s)};
        EXPECT_EQ(p.check(signature(unknown_key, at(0s)), at(0s)), signature_fault::unknown_key);

        const auto good = signature(p.sends, at(0s));
        EXPECT_EQ(p.check(good, at(6s)), signature_fault::window);
        EXPECT_EQ(p.check(good, at(-6s)), signature_fault::window);
        EXPECT_EQ(p.check(good, at(0s)), fault{});
        EXPECT_EQ(p.check(good, at(0s)), signature_fault::replay);
    }
}

TEST(verifier, a_trailer_of_another_kind_is_malformed_before_anything_else)
{
    pair p{signed_with({{1, 0}})};
    for (const std::size_t offset : {0U, 2U, 3U}) {
        auto trailer = signature(p.sends, at(0s));
        trailer[offset] ^= 0x80U;
        trailer[1] = 9;
        EXPECT_EQ(p.check(trailer, at(100s)), signature_fault::malformed) << offset;
    }
}

TEST(verifier, the_window_is_as_wide_as_it_is_said_to_be)
{
    for (const auto apart : {5s, -5s}) {
        pair p{signed_with({{1, 0}})};
        EXPECT_EQ(p.check(signature(p.sends, at(0s)), at(apart)), fault{});
        EXPECT_EQ(p.check(signature(p.sends, at(1s)), at(1s + apart + (apart > 0s ? 1ms : -1ms))), signature_fault::window);
    }
}

TEST(verifier, without_time_only_growth_counts)
{
    pair p{signed_with({{1, 0}}, hmac_mode::enforce, anti_replay::monotonic)};
    const auto old = signature(p.sends, at(0s));
    EXPECT_EQ(p.check(signature(p.sends, at(1s)), at(1000h)), fault{});
    EXPECT_EQ(p.check(old, at(0s)), signature_fault::replay);
    EXPECT_EQ(p.check(signature(p.sends, at(2s)), at(-1000h)), fault{});
}

TEST(verifier, a_forged_signature_moves_no_mark)
{
    pair p{signed_with({{1, 0}})};
    const auto good = signature(p.sends, at(0s));
    auto forged = signature(p.sends, at(4s));
    forged.back() ^= 1U;
    EXPECT_EQ(p.check(forged, at(0s)), signature_fault::mismatch);
    EXPECT_EQ(p.check(good, at(0s)), fault{});
}

TEST(verifier, every_sender_has_a_mark_of_its_own)
{
    pair p{signed_with({{1, 0}})};
    EXPECT_EQ(p.check(signature(p.sends, at(3s)), at(3s)), fault{});
    signer b{signed_with({{1, 0}}), at(0s)};
    EXPECT_EQ(p.check(signature(b, at(0s), sender_b), at(3s), sender_b), fault{});
}

TEST(verifier, what_overtook_another_makes_the_other_old)
{
    pair p{signed_with({{1, 0}})};
    const auto first = signature(p.sends, at(0s));
    const auto second = signature(p.sends, at(0s));
    EXPECT_EQ(p.check(second, at(0s)), fault{});
    EXPECT_EQ(p.check(first, at(0s)), signature_fault::replay);
}

TEST(verifier, serial_numbers_go_on_where_the_seconds_wrap)
{
    EXPECT_TRUE(is_after(0, ~sequence{0}));
    EXPECT_FALSE(is_after(~sequence{0}, 0));
    EXPECT_FALSE(is_after(5, 5));
    // 2106-02-07 06:28:15.5 and the second after it.
    const auto last = instant{time_point{1h}, wall_time{std::chrono::seconds{0xffffffff} + 500ms}};
    pair p{signed_with({{1, 0}}), last};
    EXPECT_EQ(p.pass(last), fault{});
    const instant next{last.steady + 1s, last.wall + 1s};
    EXPECT_EQ(p.pass(next), fault{});
    EXPECT_EQ(sequence_of(signature(p.sends, next)) >> 32U, 0U);
}

// --- keys ---

TEST(keys, any_of_them_verifies_and_the_active_one_signs)
{
    auto settings = signed_with({{7, 0}, {8, 50}});
    pair p{settings};
    EXPECT_EQ(signature(p.sends, at(0s))[1], 7);
    settings.active_key = 8;
    p.sends.change(settings, at(1s));
    EXPECT_EQ(signature(p.sends, at(1s))[1], 8);
    EXPECT_EQ(p.pass(at(1s)), fault{});
}

TEST(keys, a_rotation_loses_no_advert_and_no_mark)
{
    pair p{signed_with({{1, 0}})};
    const auto old = signature(p.sends, at(0s));
    EXPECT_EQ(p.pass(at(0s)), fault{});
    p.hears.change(signed_with({{1, 0}, {2, 50}}), senders);
    EXPECT_EQ(p.check(old, at(1s)), signature_fault::replay) << "the mark has outlived the reload";
    EXPECT_EQ(p.pass(at(1s)), fault{});
    p.sends.change(signed_with({{2, 50}, {1, 0}}), at(2s));
    EXPECT_EQ(p.pass(at(2s)), fault{});
    p.hears.change(signed_with({{2, 50}}), senders);
    EXPECT_EQ(p.pass(at(3s)), fault{});
    EXPECT_EQ(p.check(old, at(3s)), signature_fault::unknown_key);
}

TEST(keys, marks_end_with_the_last_key_that_they_were_made_with)
{
    pair p{signed_with({{1, 0}}, hmac_mode::enforce, anti_replay::monotonic), at(1000h)};
    EXPECT_EQ(p.pass(at(1000h)), fault{});
    // The sender has started anew, with a clock that is right again.
    signer restarted{signed_with({{1, 50}}), at(0s)};
    p.hears.change(signed_with({{1, 50}}, hmac_mode::enforce, anti_replay::monotonic), senders);
    EXPECT_EQ(p.check(signature(restarted, at(0s)), at(0s)), fault{});
}

TEST(keys, peers_that_leave_and_return_have_no_mark)
{
    pair p{signed_with({{1, 0}})};
    const auto first = signature(p.sends, at(0s));
    EXPECT_EQ(p.check(first, at(0s)), fault{});
    p.hears.change(signed_with({{1, 0}}), std::array{sender_b});
    p.hears.change(signed_with({{1, 0}}), senders);
    EXPECT_EQ(p.check(first, at(0s)), fault{});
}

// --- clocks ---

TEST(clocks, the_sequence_grows_within_one_moment)
{
    signer s{signed_with({{1, 0}}), at(0s)};
    auto last = sequence_of(signature(s, at(0s)));
    for (unsigned i = 0; i < 70'000; ++i) {
        const auto next = sequence_of(signature(s, at(0s)));
        ASSERT_TRUE(is_after(next, last));
        last = next;
    }
}

TEST(clocks, a_sender_whose_clock_steps_back_by_less_than_the_window_is_always_heard)
{
    for (const auto step : {1ms, 1000ms, 4900ms}) {
        pair p{signed_with({{1, 0}})};
        EXPECT_EQ(p.pass(at(0s)), fault{});
        for (duration t = 0s; t < 20s; t += 100ms) {
            // Its peer's clock stays; before the step both were right.
            const auto trailer = signature(p.sends, stepped(at(t), -step));
            EXPECT_EQ(p.check(trailer, at(t)), fault{}) << to_seconds(t);
        }
    }
}

TEST(clocks, a_sender_that_was_far_ahead_is_heard_again_as_soon_as_its_clock_is_right)
{
    for (const duration ahead : {duration{6s}, duration{1h}, duration{24h * 3650}}) {
        pair p{signed_with({{1, 0}})};
        EXPECT_EQ(p.pass(at(0s)), fault{});
        EXPECT_EQ(p.check(signature(p.sends, stepped(at(1s), ahead)), at(1s)), signature_fault::window);
        for (duration t = 2s; t < 30s; t += 100ms) {
            EXPECT_EQ(p.pass(at(t)), fault{}) << to_seconds(t);
        }
    }
}

TEST(clocks, a_sender_that_drifted_out_of_the_window_is_heard_again_as_soon_as_its_clock_is_right)
{
    pair p{signed_with({{1, 0}})};
    EXPECT_EQ(p.check(signature(p.sends, stepped(at(0s), 3700ms)), at(0s)), fault{});
    EXPECT_EQ(p.check(signature(p.sends, stepped(at(1s), 5100ms)), at(1s)), signature_fault::window);
    EXPECT_EQ(p.pass(at(1s)), fault{}) << "above what the peer has accepted";
}

TEST(clocks, without_time_a_step_does_not_reach_the_sequence)
{
    pair p{signed_with({{1, 0}}, hmac_mode::enforce, anti_replay::monotonic)};
    EXPECT_EQ(p.pass(at(0s)), fault{});
    EXPECT_EQ(p.pass(stepped(at(1s), 24h * 3650)), fault{});
    EXPECT_EQ(p.pass(stepped(at(2s), -24h * 3650)), fault{});
    // It starts anew after its clock was put right.
    signer restarted{signed_with({{1, 0}}), at(3s)};
    EXPECT_EQ(p.check(signature(restarted, at(3s)), at(3s)), fault{});
}

TEST(clocks, a_peer_that_comes_back_from_the_future_together_with_this_node_is_heard)
{
    for (const duration ahead : {duration{7s}, duration{1h}, duration{24h * 3650}}) {
        pair p{signed_with({{1, 0}})};
        EXPECT_EQ(p.pass(stepped(at(0s), ahead)), fault{});
        EXPECT_EQ(p.pass(at(1s)), fault{}) << "its own sequence has gone back";
        signer restarted{signed_with({{1, 0}}), at(2s)};
        EXPECT_EQ(p.check(signature(restarted, at(7s)), at(7s)), fault{});
    }
}

TEST(clocks, no_step_back_of_either_side_or_both_silences_a_peer_for_longer_than_the_window)
{
    for (duration step = 100ms; step < 15s; step += 100ms) {
        for (const auto& [sender_is_ahead, receiver_is_ahead] : {std::pair{true, true}, {true, false}, {false, true}}) {
            pair p{signed_with({{1, 0}})};
            const auto before = [&](bool is_ahead) { return stepped(at(0s), is_ahead ? step : 0s); };
            p.check(signature(p.sends, before(sender_is_ahead)), before(receiver_is_ahead));
            duration heard_at = 1h;
            for (duration t = 100ms; t < 10s && heard_at == 1h; t += 100ms) {
                heard_at = p.pass(at(t)) ? heard_at : t;
            }
            // The window, the advert at which a mark is still just within it, and the next one.
            EXPECT_LE(heard_at, 5200ms) << to_seconds(step) << sender_is_ahead << receiver_is_ahead;
        }
    }
}

TEST(clocks, a_mark_that_may_still_be_met_counts)
{
    pair p{signed_with({{1, 0}})};
    const auto ahead = signature(p.sends, stepped(at(0s), 4s));
    EXPECT_EQ(p.check(ahead, at(0s)), fault{});
    EXPECT_EQ(p.check(ahead, at(0s)), signature_fault::replay);
    EXPECT_EQ(p.check(ahead, at(4s)), signature_fault::replay);
}

TEST(clocks, a_sender_that_starts_anew_goes_on_from_its_clock)
{
    pair p{signed_with({{1, 0}})};
    for (duration t = 0s; t < 2s; t += 10ms) {
        EXPECT_EQ(p.pass(at(t)), fault{});
    }
    signer restarted{signed_with({{1, 0}}), at(2s)};
    EXPECT_EQ(p.check(signature(restarted, at(2s)), at(2s)), fault{});
}

TEST(clocks, a_sequence_outlives_a_change_of_its_kind)
{
    auto settings = signed_with({{1, 0}});
    signer s{settings, at(0s)};
    auto last = sequence_of(signature(s, at(0s)));
    for (const auto kind : {anti_replay::monotonic, anti_replay::time, anti_replay::monotonic}) {
        settings.against_replay = kind;
        s.change(settings, at(0s));
        const auto next = sequence_of(signature(s, at(0s)));
        EXPECT_TRUE(is_after(next, last));
        last = next;
    }
}

}  // namespace
}  // namespace vipd::vrrp
