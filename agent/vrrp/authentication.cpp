#include "agent/vrrp/authentication.hpp"

#include "common/ensure.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace vipd::vrrp {

namespace {

constexpr std::uint8_t ext_type_hmac_sha256 = 1;
constexpr std::size_t offset_key_id = 1;
constexpr std::size_t offset_reserved = 2;
constexpr std::size_t offset_sequence = 4;
constexpr std::size_t offset_hmac = 12;
constexpr std::size_t checksum_size = 2;

// --- the sequence as time: 32 bits of seconds and 16 of a fraction, the counter below them ---

constexpr unsigned counter_bits = 16;
constexpr std::int64_t ticks_a_second = 65536;

// Rounded down; before 1970 and after 2106 it wraps, as the field does.
sequence sequence_at(wall_time time)
{
    const auto since = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto ticks = seconds.count() * ticks_a_second + (since - seconds).count() * ticks_a_second / 1'000'000'000;
    return static_cast<sequence>(ticks) << counter_bits;
}

// Of at most 300 s.
sequence span_of(duration window)
{
    return sequence_at(wall_time{window});
}

bool is_within(sequence made, sequence now, duration window)
{
    return !is_after(made, now + span_of(window)) && !is_after(now - span_of(window), made);
}

// --- what is signed ---

constexpr std::size_t pseudo_header_size = 20;
constexpr std::array<std::uint8_t, trailer_size - offset_hmac> no_hmac{};
constexpr std::array<std::uint8_t, checksum_size> no_checksum{};

sha256_digest sign_with(const hmac_sha256_key& key, byte_view message, byte_view trailer, const ip_address& source)
{
    ENSURE(message.size() >= header_size && trailer.size() == trailer_size);
    const auto address = source.bytes();
    std::array<std::uint8_t, pseudo_header_size> pseudo_header{};
    pseudo_header[0] = source.is_v4() ? 4 : 6;
    pseudo_header[1] = static_cast<std::uint8_t>(message[0] >> 4U);
    pseudo_header[2] = message[1];
    std::ranges::copy(address, pseudo_header.begin() + 4);
    const std::array<byte_view, 6> pieces = {pseudo_header,
                                             message.first(offset_checksum),
                                             no_checksum,
                                             message.subspan(offset_checksum + checksum_size),
                                             trailer.first(offset_hmac),
                                             no_hmac};
    return key.sign(pieces);
}

const identified_secret& active_key(const hmac_settings& settings)
{
    const auto found = std::ranges::find(settings.keys, settings.active_key, &identified_secret::id);
    ENSURE(found != settings.keys.end());
    return *found;
}

}  // namespace

std::string_view to_string(hmac_mode mode)
{
    switch (mode) {
        case hmac_mode::receive_only:
            return "receive-only";
        case hmac_mode::permissive:
            return "permissive";
        case hmac_mode::enforce:
            return "enforce";
    }
    return "unknown";
}

std::string_view to_string(anti_replay kind)
{
    return kind == anti_replay::time ? "time" : "monotonic";
}

// --- signing ---

signer::signer(const hmac_settings& settings, instant now, std::optional<sequence> last) :
    key_(active_key(settings).secret.bytes()), started_(now), last_(last)
{
    change(settings, now);
}

void signer::change(const hmac_settings& settings, instant now)
{
    if (settings.against_replay != against_replay_) {
        started_ = now;
    }
    key_ = hmac_sha256_key{active_key(settings).secret.bytes()};
    key_id_ = settings.active_key;
    against_replay_ = settings.against_replay;
    window_ = settings.window;
}

sequence signer::next(instant now)
{
    const bool follows_clock = against_replay_ == anti_replay::time;
    const auto present = sequence_at(follows_clock ? now.wall : started_.wall + (now.steady - started_.steady));
    if (!last_ || is_after(present, *last_)) {
        last_ = present;
    } else if (follows_clock && is_after(*last_ + 1, present + span_of(window_))) {
        // An eighth of the window is left for clocks that are a little behind this one.
        last_ = present + span_of(window_ - window_ / 8);
    } else {
        ++*last_;
    }
    return *last_;
}

byte_view signer::sign(byte_view message, const ip_address& source, instant now)
{
    const auto number = next(now);
    trailer_[0] = ext_type_hmac_sha256;
    trailer_[offset_key_id] = key_id_;
    for (std::size_t i = 0; i < sizeof(number); ++i) {
        trailer_.at(offset_sequence + i) = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    }
    const auto hmac = sign_with(key_, message, trailer_, source);
    std::copy_n(hmac.begin(), trailer_size - offset_hmac, trailer_.begin() + offset_hmac);
    return trailer_;
}

// --- verifying ---

verifier::verifier(const hmac_settings& settings, std::span<const ip_address> senders)
{
    change(settings, senders);
}

void verifier::change(const hmac_settings& settings, std::span<const ip_address> senders)
{
    const bool any_stays = std::ranges::any_of(settings.keys, [&](const identified_secret& s) {
        return std::ranges::any_of(keys_, [&](const ready_key& k) { return k.secret == s; });
    });
    std::vector<sender> kept;
    for (const auto& address : senders) {
        const auto old = std::ranges::find(senders_, address, &sender::address);
        kept.push_back({address, any_stays && old != senders_.end() ? old->last : std::nullopt});
    }
    senders_ = std::move(kept);
    keys_.clear();
    for (const auto& secret : settings.keys) {
        keys_.push_back({secret, hmac_sha256_key{secret.secret.bytes()}});
    }
    mode_ = settings.mode;
    against_replay_ = settings.against_replay;
    window_ = settings.window;
}

std::optional<signature_fault> verifier::check(byte_view message, byte_view trailer, const ip_address& source, wall_time now)
{
    if (trailer.empty()) {
        return mode_ == hmac_mode::enforce ? std::optional{signature_fault::missing} : std::nullopt;
    }
    if (trailer[0] != ext_type_hmac_sha256 || load_big_u16(trailer, offset_reserved) != 0) {
        return signature_fault::malformed;
    }
    const auto made =
        sequence{load_big_u32(trailer, offset_sequence)} << 32U | sequence{load_big_u32(trailer, offset_sequence + 4)};
    const auto present = sequence_at(now);
    const bool by_time = against_replay_ == anti_replay::time;
    if (by_time && !is_within(made, present, window_)) {
        return signature_fault::window;
    }
    const auto key = std::ranges::find_if(keys_, [&](const ready_key& k) { return k.secret.id == trailer[offset_key_id]; });
    if (key == keys_.end()) {
        return signature_fault::unknown_key;
    }
    const auto from = std::ranges::find(senders_, source, &sender::address);
    ENSURE(from != senders_.end());
    const bool mark_counts = from->last && !(by_time && is_after(*from->last, present + span_of(window_)));
    if (mark_counts && !is_after(made, *from->last)) {
        return signature_fault::replay;
    }
    const auto expected = sign_with(key->key, message, trailer, source);
    if (CRYPTO_memcmp(expected.data(), trailer.subspan(offset_hmac).data(), trailer_size - offset_hmac) != 0) {
        return signature_fault::mismatch;
    }
    from->last = made;
    return std::nullopt;
}

}  // namespace vipd::vrrp
