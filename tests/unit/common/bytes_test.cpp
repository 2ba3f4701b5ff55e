#include "common/bytes.hpp"

#include "common/checksum.hpp"
#include "common/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vipd {

namespace {

TEST(bytes, numbers_are_big_endian)
{
    byte_buffer bytes = {0x12, 0x34, 0x56, 0x78, 0x9a};
    EXPECT_EQ(load_big_u16(bytes, 0), 0x1234);
    EXPECT_EQ(load_big_u16(bytes, 3), 0x789a);
    EXPECT_EQ(load_big_u32(bytes, 1), 0x3456789aU);
    store_big_u16(bytes, 1, 0xfedc);
    EXPECT_EQ(bytes, (byte_buffer{0x12, 0xfe, 0xdc, 0x78, 0x9a}));
    append_big_u16(bytes, 0x0102);
    append(bytes, byte_buffer{3, 4});
    EXPECT_EQ(bytes, (byte_buffer{0x12, 0xfe, 0xdc, 0x78, 0x9a, 1, 2, 3, 4}));
}

TEST(bytes, hexadecimal_goes_there_and_back)
{
    EXPECT_EQ(to_hex(byte_buffer{}), "");
    EXPECT_EQ(to_hex(byte_buffer{0x00, 0x0f, 0xf0, 0xff}), "000ff0ff");
    byte_buffer all(256);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<std::uint8_t>(i);
    }
    EXPECT_EQ(from_hex(to_hex(all)), all);
    EXPECT_EQ(from_hex("AbCdEf"), (byte_buffer{0xab, 0xcd, 0xef}));
}

TEST(bytes, what_is_not_hexadecimal_gives_nothing)
{
    for (const auto* text : {"", "0", "000", "0g", "g0", " 00", "00 ", "0x00", "00\n"}) {
        EXPECT_TRUE(from_hex(text).empty()) << text;
    }
}

TEST(bytes, equality_in_constant_time_sees_every_bit_and_every_length)
{
    const byte_buffer secret = {0x73, 0x65, 0x63, 0x72, 0x65, 0x74, 0x00, 0x00};
    EXPECT_TRUE(equal_in_constant_time(secret, secret));
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    for (std::size_t bit = 0; bit < secret.size() * 8; ++bit) {
        auto other = secret;
        other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(equal_in_constant_time(secret, other)) << bit;
    }
    EXPECT_FALSE(equal_in_constant_time(secret, byte_view{secret}.first(7)));
}

// RFC 1071 section 3: the sum of these is ddf2.
TEST(internet_checksum, gives_the_example_of_the_rfc)
{
    internet_checksum sum;
    sum.add(byte_buffer{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
    EXPECT_EQ(sum.finish(), 0x220d);
}

TEST(internet_checksum, of_nothing_is_all_ones_and_of_all_ones_is_zero)
{
    EXPECT_EQ(internet_checksum{}.finish(), 0xffff);
    internet_checksum sum;
    sum.add_u16(0xffff);
    EXPECT_EQ(sum.finish(), 0);
}

TEST(internet_checksum, pads_an_odd_byte_at_the_end)
{
    internet_checksum odd;
    odd.add(byte_buffer{0x12, 0x34, 0x56});
    internet_checksum even;
    even.add(byte_buffer{0x12, 0x34, 0x56, 0x00});
    EXPECT_EQ(odd.finish(), even.finish());
}

TEST(internet_checksum, does_not_care_how_the_bytes_were_added)
{
    const byte_buffer bytes = {0x0a, 0x00, 0x01, 0x0a, 0xc0, 0x00, 0x02, 0x64};
    internet_checksum whole;
    whole.add(bytes);
    internet_checksum numbers;
    numbers.add_u32(0x0a00010a);
    numbers.add_u16(0xc000);
    numbers.add(byte_view{bytes}.last(2));
    EXPECT_EQ(numbers.finish(), whole.finish());
}

TEST(internet_checksum, a_message_with_its_checksum_in_place_sums_to_zero_however_long_it_is)
{
    random_source random{11};
    for (std::size_t size = 8; size < 5000; size += 2 * (1 + random.below(40))) {
        byte_buffer message(size);
        std::ranges::generate(message, [&] { return static_cast<std::uint8_t>(random.chance(0.3) ? 0xff : random.next()); });
        store_big_u16(message, 6, 0);
        internet_checksum sum;
        sum.add(message);
        store_big_u16(message, 6, sum.finish());
        internet_checksum check;
        check.add(message);
        ASSERT_EQ(check.finish(), 0) << size;
    }
}

}  // namespace

}  // namespace vipd
