#include "agent/net/source_filter.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace vipd::net {

namespace {

using program = std::vector<sock_filter>;

constexpr std::uint32_t accept_all_bytes = 0xffffffffU;
constexpr std::size_t bucket_size_max = 8;
constexpr std::size_t short_jump_max = std::numeric_limits<std::uint8_t>::max();

// Where the source address stands in each header (RFC 791, RFC 8200).
constexpr std::uint32_t source_offset(ip_family family)
{
    return family == ip_family::v4 ? 12 : 8;
}

struct key {
    std::uint32_t last = 0;                 // the 32 bits that are searched for
    std::array<std::uint32_t, 3> before{};  // IPv6: the 96 bits in front of them
};

sock_filter instruction(unsigned code, std::uint32_t k, std::size_t jump_true = 0, std::size_t jump_false = 0)
{
    return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(jump_true), static_cast<std::uint8_t>(jump_false), k};
}

sock_filter load_word(ip_family family, std::uint32_t offset)
{
    return instruction(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_NET_OFF) + source_offset(family) + offset);
}

sock_filter give_back(std::uint32_t bytes)
{
    return instruction(BPF_RET | BPF_K, bytes);
}

void append(program& out, const program& more)
{
    out.insert(out.end(), more.begin(), more.end());
}

// The accumulator holds the last word. One comparison each, then accept or drop.
program ipv4_bucket(std::span<const key> keys)
{
    program out;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        // A match jumps over the rest of the comparisons and the drop behind them.
        out.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, keys[i].last, keys.size() - i));
    }
    out.push_back(give_back(0));
    out.push_back(give_back(accept_all_bytes));
    return out;
}

// The same for IPv6: behind a match of the last word the other three are loaded and compared, and the last one is loaded again
// for the next peer, since several may share it.
program ipv6_bucket(std::span<const key> keys)
{
    constexpr std::size_t block_size = 9;
    program out;
    for (const auto& k : keys) {
        out.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, k.last, 0, block_size - 1));
        for (std::uint32_t word = 0; word < 3; ++word) {
            out.push_back(load_word(ip_family::v6, word * 4));
            const std::size_t to_reload = 5 - std::size_t{word} * 2;
            out.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, k.before[word], 0, to_reload));
        }
        out.push_back(give_back(accept_all_bytes));
        out.push_back(load_word(ip_family::v6, 12));
    }
    out.push_back(give_back(0));
    return out;
}

// Jumps in conditional instructions reach 255 instructions; an unconditional one (BPF_JA) reaches everything.
program search(std::span<const key> keys, ip_family family)
{
    // Equal last words have to stay in one bucket: the comparison below cannot tell them apart.
    const auto split = [&]() -> std::size_t {
        if (keys.size() <= bucket_size_max) {
            return 0;
        }
        std::size_t at = keys.size() / 2;
        while (at > 0 && keys[at].last == keys[at - 1].last) {
            --at;
        }
        if (at == 0) {
            at = keys.size() / 2;
            while (at < keys.size() && keys[at].last == keys[at - 1].last) {
                ++at;
            }
        }
        return at == keys.size() ? 0 : at;
    }();
    if (split == 0) {
        return family == ip_family::v4 ? ipv4_bucket(keys) : ipv6_bucket(keys);
    }
    const auto lower = search(keys.first(split), family);
    const auto upper = search(keys.subspan(split), family);
    program out;
    if (lower.size() <= short_jump_max) {
        out.push_back(instruction(BPF_JMP | BPF_JGE | BPF_K, keys[split].last, lower.size(), 0));
    } else {
        out.push_back(instruction(BPF_JMP | BPF_JGE | BPF_K, keys[split].last, 0, 1));
        out.push_back(instruction(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(lower.size())));
    }
    append(out, lower);
    append(out, upper);
    return out;
}

}  // namespace

std::optional<std::vector<sock_filter>> source_filter(std::span<const ip_address> peers, ip_family family)
{
    std::vector<key> keys;
    for (const auto& peer : peers) {
        if (peer.family() == family) {
            const auto bytes = peer.bytes();
            key k;
            k.last = load_big_u32(bytes, bytes.size() - 4);
            for (std::size_t word = 0; family == ip_family::v6 && word < 3; ++word) {
                k.before[word] = load_big_u32(bytes, word * 4);
            }
            keys.push_back(k);
        }
    }
    std::ranges::stable_sort(keys, {}, &key::last);
    // A peer needs at least one instruction, so that a hopeless list is not compiled first.
    if (keys.size() > filter_instructions_max) {
        return std::nullopt;
    }
    program out;
    out.push_back(load_word(family, family == ip_family::v4 ? 0 : 12));
    append(out, search(keys, family));
    if (out.size() > filter_instructions_max) {
        return std::nullopt;
    }
    return out;
}

std::vector<sock_filter> drop_all_filter()
{
    return {give_back(0)};
}

}  // namespace vipd::net
