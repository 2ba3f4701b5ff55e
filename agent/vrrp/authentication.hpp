#pragma once

// Signed adverts: the trailer of draft-cassen-vrrp-auth-hmac-00, which keepalived calls auth_hmac.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +---------------+---------------+-------------------------------+
//  |  Ext Type = 1 |    Key ID     |        Reserved = 0           |
//  +---------------+---------------+-------------------------------+
//  |                       UTC time, seconds                       |
//  +-------------------------------+-------------------------------+
//  |  fraction of a second, 1/65536|            counter            |
//  +-------------------------------+-------------------------------+
//  |     the leftmost 16 bytes of HMAC-SHA256                      |
//  +---------------------------------------------------------------+
//
// It follows the VRRP message. Over IPv4 the VRRP checksum does not know of it; over IPv6 the kernel's does. What is signed is
// the sender's address, the message without its checksum, and the trailer without its end; not the destination, so that one
// signature serves every peer.
//
// Seconds, fraction and counter are the sequence, which makes a recorded advert worthless: a receiver accepts only what is
// above the last one of that sender (RFC 1982), and with anti_replay "time" only what was signed within the window around its
// own time. A clock may be wrong and be put right on either side; what then happens is said at signer and verifier.

#include "agent/vrrp/hmac_secret.hpp"
#include "agent/vrrp/types.hpp"
#include "common/bytes.hpp"
#include "common/ip.hpp"
#include "common/sha256.hpp"
#include "common/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vipd::vrrp {

inline constexpr std::size_t trailer_size = 28;

// How far it is rolled out: each step can be taken node by node while the cluster runs.
enum class hmac_mode : std::uint8_t {
    receive_only,  // signs nothing, verifies what is signed
    permissive,    // signs, verifies what is signed
    enforce,       // signs, accepts nothing that is not signed
};
std::string_view to_string(hmac_mode mode);

enum class anti_replay : std::uint8_t {
    time,       // needs clocks that agree
    monotonic,  // growth only
};
std::string_view to_string(anti_replay kind);

struct identified_secret {
    std::uint8_t id = 1;  // 1..255
    hmac_secret secret;
    friend bool operator==(const identified_secret&, const identified_secret&) = default;
};

// The configuration has made sure that the ids differ and that the active one is among them.
struct hmac_settings {
    hmac_mode mode = hmac_mode::enforce;
    anti_replay against_replay = anti_replay::time;
    duration window = std::chrono::seconds{5};
    std::uint8_t active_key = 1;          // signs
    std::vector<identified_secret> keys;  // verify
    friend bool operator==(const hmac_settings&, const hmac_settings&) = default;
};

// Seconds, fraction and counter as one number.
using sequence = std::uint64_t;

// When a was made after b (RFC 1982).
constexpr bool is_after(sequence a, sequence b)
{
    return static_cast<std::int64_t>(a - b) > 0;
}

// One sender's signatures.
//
// The sequence follows the wall clock and always grows. With "monotonic" it is looked at once: from then on the time that has
// passed since counts, so that no step of the clock reaches it. With "time" a clock that steps back leaves the sequence to
// grow where it is until the clock has caught up. When it steps back by more than the window, no peer whose clock is right can
// have accepted the last ones, nor would it accept the next; the sequence then goes on near the far end of the window, above
// whatever those peers have accepted.
class signer {
public:
    // `last`: of a signer of the same sender before this one, whose sequence goes on.
    signer(const hmac_settings& settings, instant now, std::optional<sequence> last = {});
    // The sequence goes on.
    void change(const hmac_settings& settings, instant now);

    // For a message whose checksum may be any. Valid until the next call.
    byte_view sign(byte_view message, const ip_address& source, instant now);
    [[nodiscard]] std::optional<sequence> last() const { return last_; }

private:
    [[nodiscard]] sequence next(instant now);

    hmac_sha256_key key_;
    std::uint8_t key_id_ = 0;
    anti_replay against_replay_ = anti_replay::time;
    duration window_{};
    instant started_;
    std::optional<sequence> last_;
    std::array<std::uint8_t, trailer_size> trailer_{};
};

enum class signature_fault : std::uint8_t {
    missing,
    malformed,    // another Ext Type, or Reserved is not 0
    window,       // made too long ago, or too far in the future
    unknown_key,  // no key of this id
    replay,       // not above the last one of this sender
    mismatch,     // the HMAC is another
};

// What is remembered of the senders, and judges what they sign. Whatever is cheap is looked at before the HMAC is computed, and
// nothing is remembered of a signature that was not right.
//
// With "time" a mark that is beyond the window lies in the future of a clock that has been put back since: this node's, and
// perhaps the sender's as well. It protects against nothing that the window does not, and is passed over.
class verifier {
public:
    // Who may send is the caller's to judge; no more is remembered than these.
    verifier(const hmac_settings& settings, std::span<const ip_address> senders);
    // What was remembered is kept, unless none of the keys stay: what was recorded before is then worthless by itself.
    void change(const hmac_settings& settings, std::span<const ip_address> senders);

    // `trailer` is empty, or as long as one. A mark is moved when it is right.
    std::optional<signature_fault> check(byte_view message, byte_view trailer, const ip_address& source, wall_time now);

private:
    struct ready_key {
        identified_secret secret;
        hmac_sha256_key key;
    };
    struct sender {
        ip_address address;
        std::optional<sequence> last;
    };

    hmac_mode mode_ = hmac_mode::enforce;
    anti_replay against_replay_ = anti_replay::time;
    duration window_{};
    std::vector<ready_key> keys_;
    std::vector<sender> senders_;
};

}  // namespace vipd::vrrp
