#include "agent/net/source_filter.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace vipd::net {
namespace {

// The instructions that source_filter() uses, as the kernel runs them; a program that leaves its bounds or loads outside of the
// header fails the test.
class interpreter {
public:
    explicit interpreter(std::vector<sock_filter> program) : program_(std::move(program)) {}

    bool accepts(byte_view header)
    {
        std::uint32_t accumulator = 0;
        steps_ = 0;
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            ++steps_;
            const auto& i = program_[pc];
            switch (i.code) {
                case BPF_LD | BPF_W | BPF_ABS: {
                    const std::size_t offset = i.k - static_cast<std::uint32_t>(SKF_NET_OFF);
                    if (offset + 4 > header.size()) {
                        ADD_FAILURE() << "load at " << offset;
                        return false;
                    }
                    accumulator = load_big_u32(header, offset);
                    break;
                }
                case BPF_JMP | BPF_JA:
                    pc += i.k;
                    break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                    pc += accumulator == i.k ? i.jt : i.jf;
                    break;
                case BPF_JMP | BPF_JGE | BPF_K:
                    pc += accumulator >= i.k ? i.jt : i.jf;
                    break;
                case BPF_RET | BPF_K:
                    return i.k != 0;
                default:
                    ADD_FAILURE() << "unknown instruction " << i.code;
                    return false;
            }
        }
        ADD_FAILURE() << "ran off the end";
        return false;
    }

    [[nodiscard]] std::size_t steps() const { return steps_; }

private:
    std::vector<sock_filter> program_;
    std::size_t steps_ = 0;
};

byte_buffer header_from(const ip_address& source)
{
    byte_buffer header(source.is_v4() ? 20 : 40);
    const std::size_t offset = source.is_v4() ? 12 : 8;
    std::ranges::copy(source.bytes(), header.begin() + static_cast<std::ptrdiff_t>(offset));
    return header;
}

ip_address v4(std::uint32_t number)
{
    return ip_address::v4(static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
                          static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number));
}

ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

std::vector<ip_address> random_v4(std::size_t count, random_source& random)
{
    std::set<ip_address> peers;
    while (peers.size() < count) {
        peers.insert(v4(static_cast<std::uint32_t>(random.next())));
    }
    return {peers.begin(), peers.end()};
}

TEST(source_filter, without_peers_everything_is_dropped)
{
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        const auto program = source_filter({}, family);
        ASSERT_TRUE(program);
        EXPECT_FALSE(interpreter(*program).accepts(header_from(family == ip_family::v4 ? v4(0) : address("::"))));
    }
}

TEST(source_filter, lets_exactly_the_peers_through_for_every_count_up_to_a_few_hundred)
{
    random_source random(7);
    for (std::size_t count = 1; count <= 400; ++count) {
        const auto peers = random_v4(count, random);
        const auto program = source_filter(peers, ip_family::v4);
        ASSERT_TRUE(program) << count;
        interpreter kernel(*program);
        for (const auto& peer : peers) {
            ASSERT_TRUE(kernel.accepts(header_from(peer))) << count << " peers, " << peer.to_string();
            const std::uint32_t number = load_big_u32(peer.bytes(), 0);
            for (const auto neighbour : {number - 1, number + 1, number ^ 0x80000000U}) {
                ASSERT_EQ(kernel.accepts(header_from(v4(neighbour))), std::ranges::binary_search(peers, v4(neighbour)));
            }
        }
        ASSERT_EQ(kernel.accepts(header_from(v4(0))), std::ranges::binary_search(peers, v4(0)));
        ASSERT_EQ(kernel.accepts(header_from(v4(0xffffffffU))), std::ranges::binary_search(peers, v4(0xffffffffU)));
    }
}

TEST(source_filter, two_thousand_peers_fit_and_are_found_in_a_few_steps)
{
    random_source random(8);
    const auto peers = random_v4(2000, random);
    const auto program = source_filter(peers, ip_family::v4);
    ASSERT_TRUE(program);
    EXPECT_LE(program->size(), filter_instructions_max);
    interpreter kernel(*program);
    for (const auto& peer : peers) {
        ASSERT_TRUE(kernel.accepts(header_from(peer)));
        ASSERT_LE(kernel.steps(), 30U);
    }
}

TEST(source_filter, too_many_peers_give_no_filter)
{
    random_source random(9);
    EXPECT_FALSE(source_filter(random_v4(4000, random), ip_family::v4));
    EXPECT_FALSE(source_filter(random_v4(5000, random), ip_family::v4));
}

TEST(source_filter, ipv6_peers_are_told_apart_by_every_word)
{
    const std::vector<ip_address> peers = {address("fd00::1"), address("fd00:0:0:1::1"), address("fd00:0:0:1::2"),
                                           address("fd00:0:0:1:0:1::1")};
    const auto program = source_filter(peers, ip_family::v6);
    ASSERT_TRUE(program);
    interpreter kernel(*program);
    for (const auto& peer : peers) {
        EXPECT_TRUE(kernel.accepts(header_from(peer))) << peer.to_string();
    }
    for (const auto* stranger :
         {"fd00::2", "fd00::", "fe00::1", "fd00:0:0:1:0:2::1", "fd00:0:0:2::1", "::1", "fd00:0:0:1::3"}) {
        EXPECT_FALSE(kernel.accepts(header_from(address(stranger)))) << stranger;
    }
}

TEST(source_filter, many_ipv6_peers_with_the_same_last_word_are_all_found)
{
    std::vector<ip_address> peers;
    for (unsigned i = 0; i < 60; ++i) {
        byte_buffer bytes(16);
        bytes[0] = 0xfd;
        bytes[7] = static_cast<std::uint8_t>(i);
        bytes[15] = i % 3 == 0 ? 2 : 1;
        peers.push_back(ip_address::from_bytes(bytes));
    }
    std::ranges::sort(peers);
    const auto program = source_filter(peers, ip_family::v6);
    ASSERT_TRUE(program);
    interpreter kernel(*program);
    for (const auto& peer : peers) {
        EXPECT_TRUE(kernel.accepts(header_from(peer))) << peer.to_string();
    }
    EXPECT_FALSE(kernel.accepts(header_from(address("fd00::3"))));
    EXPECT_FALSE(kernel.accepts(header_from(address("fd00:0:0:ff::1"))));
}

TEST(source_filter, the_other_family_is_not_looked_at)
{
    const std::vector<ip_address> peers = {address("10.0.0.1"), address("fd00::1")};
    EXPECT_TRUE(interpreter(*source_filter(peers, ip_family::v4)).accepts(header_from(address("10.0.0.1"))));
    EXPECT_TRUE(interpreter(*source_filter(peers, ip_family::v6)).accepts(header_from(address("fd00::1"))));
    EXPECT_FALSE(interpreter(*source_filter(peers, ip_family::v4)).accepts(header_from(address("0.0.0.1"))));
}

}  // namespace
}  // namespace vipd::net
