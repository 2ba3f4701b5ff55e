#include "agent/io/unix_http_client.hpp"

#include "agent/io/file_descriptor.hpp"
#include "agent/io/listening_socket.hpp"
#include "tests/integration/io/child_program.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

namespace vipd::io {
namespace {

// A daemon that takes one client, reads the first byte of the request, says `answer`, and closes: with the rest unread that is
// a reset on the other side.
result<cli::http_reply> ask_one_that_says(const std::string& answer)
{
    temporary_folder folder;
    const auto path = folder.file("vipd.sock");
    auto listener = listen_on(path);
    EXPECT_TRUE(listener);
    std::thread daemon([&] {
        pollfd waiting{listener->get(), POLLIN, 0};
        ::poll(&waiting, 1, 10'000);
        const file_descriptor client{::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC)};
        std::array<char, 1> byte{};
        ::recv(client.get(), byte.data(), byte.size(), 0);
        ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
    auto reply = ask_daemon(path, {});
    daemon.join();
    return reply;
}

TEST(unix_http_client, an_answer_that_is_complete_counts_although_a_reset_follows)
{
    const auto reply = ask_one_that_says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}");
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->status, 503U);
    EXPECT_EQ(reply->body, "{}");
}

TEST(unix_http_client, a_daemon_that_closes_without_an_answer_is_busy)
{
    for (const std::string begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"}) {
        const auto reply = ask_one_that_says(begun);
        ASSERT_FALSE(reply);
        EXPECT_NE(reply.error().text.find("is busy with other HTTP clients; ask again"), std::string::npos)
            << reply.error().text;
    }
}

}  // namespace
}  // namespace vipd::io
