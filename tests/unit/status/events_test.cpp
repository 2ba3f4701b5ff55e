#include "agent/status/events.hpp"

#include "tests/support/fake_node.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;

void add_events(fake_node& node, std::uint64_t first, std::uint64_t last)
{
    for (auto i = first; i <= last; ++i) {
        node.events.push_back(sample_event(i, "event " + std::to_string(i)));
    }
}

std::string chunk_of(body_source& body, duration when)
{
    auto chunk = body.next(at(when));
    const auto* text = std::get_if<std::string>(&chunk);
    return text != nullptr ? *text : std::holds_alternative<finished>(chunk) ? "finished" : "not yet";
}

TEST(events, history_goes_on_after_a_number)
{
    fake_node node;
    add_events(node, 3, 7);
    const auto h = history_after(node, 5);
    EXPECT_EQ(h.events.size(), 2U);
    EXPECT_EQ(h.last, 7U);
    EXPECT_EQ(history_after(node, 7).last, 7U);
    EXPECT_TRUE(history_after(node, 7).events.empty());
    EXPECT_EQ(history_after(node, 0).events.size(), 5U);
}

TEST(events, number_of_an_earlier_process_gives_the_whole_history)
{
    fake_node node;
    add_events(node, 1, 3);
    EXPECT_EQ(history_after(node, 500).events.size(), 3U);
    EXPECT_EQ(history_after(node, 500).last, 3U);
    node.events.clear();
    EXPECT_EQ(history_after(node, 500).last, 0U);
}

TEST(events, stream_begins_with_what_there_is_and_goes_on_with_what_comes)
{
    fake_node node;
    add_events(node, 1, 2);
    event_streams streams(node);
    const auto body = streams.open(1);
    EXPECT_EQ(chunk_of(*body, 0s), "retry: 2000\n\n");
    EXPECT_EQ(
        chunk_of(*body, 0s),
        "id: 2\ndata: {\"number\":2,\"at\":\"2026-11-21T03:11:17.500000Z\",\"router\":\"haproxy\",\"kind\":\"transition\","
        "\"text\":\"event 2\"}\n\n");
    EXPECT_EQ(chunk_of(*body, 1s), "not yet");
    add_events(node, 3, 3);
    EXPECT_EQ(chunk_of(*body, 2s).substr(0, 6), "id: 3\n");
    EXPECT_EQ(chunk_of(*body, 2s), "not yet");
}

TEST(events, stream_gives_a_long_history_in_slices_without_a_gap)
{
    fake_node node;
    add_events(node, 1, 200);
    event_streams streams(node);
    const auto body = streams.open(0);
    std::string text;
    std::size_t chunks = 0;
    for (auto chunk = chunk_of(*body, 0s); chunk != "not yet"; chunk = chunk_of(*body, 0s)) {
        text += chunk;
        ++chunks;
    }
    EXPECT_GE(chunks, 7U);
    std::size_t position = 0;
    for (int i = 1; i <= 200; ++i) {
        position = text.find("id: " + std::to_string(i) + "\n", position);
        ASSERT_NE(position, std::string::npos) << i;
    }
}

TEST(events, quiet_stream_says_every_fifteen_seconds_that_it_is_there)
{
    fake_node node;
    event_streams streams(node);
    const auto body = streams.open(0);
    chunk_of(*body, 0s);
    EXPECT_EQ(chunk_of(*body, 14s), "not yet");
    EXPECT_EQ(chunk_of(*body, 15s), ": still here\n\n");
    EXPECT_EQ(chunk_of(*body, 29s), "not yet");
    EXPECT_EQ(chunk_of(*body, 30s), ": still here\n\n");
}

TEST(events, hostile_text_stays_on_its_line)
{
    fake_node node;
    node.events = {sample_event(1, std::string(hostile) + "\n\ndata: forged\r\n\r\n")};
    event_streams streams(node);
    const auto body = streams.open(0);
    chunk_of(*body, 0s);
    const auto text = chunk_of(*body, 0s);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
    EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(events, streams_are_bounded_and_a_closed_one_makes_room)
{
    fake_node node;
    event_streams streams(node);
    std::vector<std::unique_ptr<body_source>> open;
    for (std::size_t i = 0; i < event_streams_max; ++i) {
        open.push_back(streams.open(0));
        EXPECT_NE(open.back(), nullptr);
    }
    EXPECT_EQ(streams.open(0), nullptr);
    open.pop_back();
    EXPECT_NE(streams.open(0), nullptr);
}

}  // namespace
}  // namespace vipd::status::test
