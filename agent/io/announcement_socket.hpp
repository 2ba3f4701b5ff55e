#pragma once

// Sends what tells neighbours of an address: ARP as frames (packet(7)), neighbour advertisements as ICMPv6 messages. Hears
// nothing. Its sockets are opened by the first announcement of their family, so that a node without any has none.

#include "agent/io/file_descriptor.hpp"
#include "agent/takeover/announcer.hpp"
#include "common/result.hpp"

namespace vipd::io {

class announcement_socket {
public:
    result<void> send(const takeover::announcement& what);

private:
    result<void> send_frame(const takeover::announcement& what);
    result<void> send_message(const takeover::announcement& what);

    file_descriptor packets_;
    file_descriptor messages_;
};

}  // namespace vipd::io
