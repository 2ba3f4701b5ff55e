// A clock beside the wire: hears every advert that arrives in this network namespace and says at the end how evenly they came.
//
//     advert_probe --interval-ms 10 --seconds 60 [--interface eth0] [--source 10.99.0.1]
//
// It prints "listening" when it is, and at the end (or on SIGTERM) one JSON object. Time is the kernel's, taken when the packet
// was received, so that the probe's own wake-ups do not count. The kernel hands packets over in a shared ring, a block at a
// time, because the probe must not disturb what it measures: a thousand routers at 10 ms are a hundred thousand packets a
// second.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::uint8_t vrrp_protocol = 112;
// 4 MiB: a third of a second of the above. The kernel clears it in one go, during which nothing else runs on that processor.
constexpr std::uint32_t block_size = 1U << 18U;
constexpr std::uint32_t block_count = 16;
constexpr std::uint32_t block_timeout_ms = 10;
// TPACKET_ALIGN(sizeof(tpacket3_hdr)), whose macro mixes signs.
constexpr std::size_t link_offset = (sizeof(tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT;
constexpr std::size_t histogram_us = 1'000'000;  // gaps beyond this share the last bin; the longest is kept exactly

std::atomic<bool> asked_to_stop{false};

[[noreturn]] void give_up(std::string_view what)
{
    fmt::print(stderr, "advert_probe: {}: {}\n", what, std::strerror(errno));
    std::exit(1);
}

// --- how evenly ---

// Who speaks for which router: the sender's address and the VRID.
struct speaker {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint8_t vrid = 0;
    friend bool operator==(const speaker&, const speaker&) = default;
};

struct speaker_hash {
    std::size_t operator()(const speaker& s) const
    {
        const auto both = (std::uint64_t{s.source} << 32U) ^ (std::uint64_t{s.destination} << 8U) ^ s.vrid;
        return static_cast<std::size_t>((both * 0x9E3779B97F4A7C15ULL) >> 16U);
    }
};

class spacing {
public:
    void hear(const speaker& who, std::int64_t at_ns, std::uint8_t priority)
    {
        first_ = packets_ == 0 ? at_ns : first_;
        last_ = std::max(last_, at_ns);
        ++packets_;
        if (priority == 0) {
            ++releases_;
        }
        const auto [found, is_new] = heard_.try_emplace(who, at_ns);
        if (is_new) {
            return;
        }
        const auto gap_us = std::max<std::int64_t>(0, (at_ns - found->second) / 1000);
        found->second = at_ns;
        ++gaps_;
        longest_us_ = std::max(longest_us_, gap_us);
        ++bins_[std::min(static_cast<std::size_t>(gap_us), bins_.size() - 1)];
    }

    [[nodiscard]] std::string json(double interval_ms, std::uint64_t lost_by_probe, bool realtime) const
    {
        const double seconds = packets_ == 0 ? 0.0 : static_cast<double>(last_ - first_) / 1e9;
        return fmt::format(
            "{{\"seconds\": {:.3f}, \"speakers\": {}, \"packets\": {}, \"packets_per_second\": {:.1f}, "
            "\"gaps\": {}, \"interval_ms\": {}, \"gap_ms\": {{\"min\": {:.3f}, \"p0_1\": {:.3f}, \"p50\": {:.3f}, "
            "\"p99\": {:.3f}, \"p99_9\": {:.3f}, \"p99_99\": {:.3f}, \"max\": {:.3f}}}, "
            "\"gaps_over_1_1_interval\": {}, \"releases\": {}, \"lost_by_probe\": {}, \"probe_realtime\": {}}}",
            seconds, heard_.size(), packets_, seconds > 0 ? static_cast<double>(packets_) / seconds : 0.0, gaps_, interval_ms,
            quantile_ms(0.0), quantile_ms(0.001), quantile_ms(0.5), quantile_ms(0.99), quantile_ms(0.999), quantile_ms(0.9999),
            static_cast<double>(longest_us_) / 1000.0, count_over(static_cast<std::size_t>(interval_ms * 1100)), releases_,
            lost_by_probe, realtime);
    }

private:
    [[nodiscard]] double quantile_ms(double q) const
    {
        const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(gaps_ == 0 ? 0 : gaps_ - 1));
        std::uint64_t below = 0;
        for (std::size_t us = 0; us < bins_.size(); ++us) {
            below += bins_[us];
            if (below > rank) {
                return static_cast<double>(us) / 1000.0;
            }
        }
        return 0.0;
    }

    [[nodiscard]] std::uint64_t count_over(std::size_t limit_us) const
    {
        std::uint64_t count = 0;
        for (std::size_t us = limit_us + 1; us < bins_.size(); ++us) {
            count += bins_[us];
        }
        return count;
    }

    std::unordered_map<speaker, std::int64_t, speaker_hash> heard_;
    std::vector<std::uint32_t> bins_ = std::vector<std::uint32_t>(histogram_us, 0);
    std::uint64_t packets_ = 0;
    std::uint64_t gaps_ = 0;
    std::uint64_t releases_ = 0;
    std::int64_t longest_us_ = 0;
    std::int64_t first_ = 0;
    std::int64_t last_ = 0;
};

// --- the ring ---

class packet_ring {
public:
    explicit packet_ring(const std::string& interface) : descriptor_(::socket(AF_PACKET, SOCK_DGRAM, 0))
    {
        if (descriptor_ < 0) {
            give_up("packet socket (root is needed)");
        }
        filter();
        const int version = TPACKET_V3;
        tpacket_req3 request{};
        request.tp_block_size = block_size;
        request.tp_block_nr = block_count;
        request.tp_frame_size = 2048;
        request.tp_frame_nr = block_size / request.tp_frame_size * block_count;
        request.tp_retire_blk_tov = block_timeout_ms;
        if (::setsockopt(descriptor_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
            ::setsockopt(descriptor_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) {
            give_up("ring");
        }
        void* const mapped =
            ::mmap(nullptr, std::size_t{block_size} * block_count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
        if (mapped == MAP_FAILED) {
            give_up("mmap");
        }
        memory_ = static_cast<std::uint8_t*>(mapped);
        bind_to(interface);
    }
    packet_ring(const packet_ring&) = delete;
    packet_ring& operator=(const packet_ring&) = delete;
    ~packet_ring()
    {
        ::munmap(memory_, std::size_t{block_size} * block_count);
        ::close(descriptor_);
    }

    // Waits a while for a full block, and gives every packet of it to `visit(header, packet)`.
    template <class Visit>
    void read(Visit&& visit)
    {
        auto* const block = reinterpret_cast<tpacket_block_desc*>(memory_ + std::size_t{next_} * block_size);
        auto& status = block->hdr.bh1.block_status;
        if ((std::atomic_ref(status).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
            pollfd readable{descriptor_, POLLIN, 0};
            ::poll(&readable, 1, 50);
            return;
        }
        const auto* header = reinterpret_cast<const std::uint8_t*>(block) + block->hdr.bh1.offset_to_first_pkt;
        for (std::uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i) {
            const auto& packet = *reinterpret_cast<const tpacket3_hdr*>(header);
            visit(packet, header + packet.tp_net);
            header += packet.tp_next_offset;
        }
        std::atomic_ref(status).store(TP_STATUS_KERNEL, std::memory_order_release);
        next_ = (next_ + 1) % block_count;
    }

    [[nodiscard]] std::uint64_t lost() const
    {
        tpacket_stats_v3 statistics{};
        socklen_t size = sizeof statistics;
        ::getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
        return statistics.tp_drops;
    }

private:
    void filter() const
    {
        // Offsets count from the network header: protocol of IPv4.
        sock_filter program[] = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 9},
                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, vrrp_protocol},
                                 {BPF_RET | BPF_K, 0, 0, 128},
                                 {BPF_RET | BPF_K, 0, 0, 0}};
        const sock_fprog compiled{4, program};
        if (::setsockopt(descriptor_, SOL_SOCKET, SO_ATTACH_FILTER, &compiled, sizeof compiled) != 0) {
            give_up("filter");
        }
    }

    void bind_to(const std::string& interface) const
    {
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_IP);
        if (!interface.empty()) {
            const auto index = ::if_nametoindex(interface.c_str());
            if (index == 0) {
                give_up(interface);
            }
            address.sll_ifindex = static_cast<int>(index);
        }
        if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            give_up("bind");
        }
    }

    int descriptor_;
    std::uint8_t* memory_ = nullptr;
    std::uint32_t next_ = 0;
};

void note(spacing& all, std::uint32_t only_source, const tpacket3_hdr& header, const std::uint8_t* packet)
{
    const auto& link = *reinterpret_cast<const sockaddr_ll*>(reinterpret_cast<const std::uint8_t*>(&header) + link_offset);
    const std::size_t ip_size = static_cast<std::size_t>(packet[0] & 0x0FU) * 4;
    if (link.sll_pkttype == PACKET_OUTGOING || header.tp_snaplen < ip_size + 8) {
        return;
    }
    speaker who;
    std::memcpy(&who.source, packet + 12, 4);
    if (only_source != 0 && who.source != only_source) {
        return;
    }
    std::memcpy(&who.destination, packet + 16, 4);
    who.vrid = packet[ip_size + 1];
    const auto at = std::int64_t{header.tp_sec} * 1'000'000'000 + header.tp_nsec;
    all.hear(who, at, packet[ip_size + 2]);
}

bool schedule(int policy, int priority)
{
    const sched_param wanted{priority};
    return ::sched_setscheduler(0, policy, &wanted) == 0;
}

}  // namespace

int main(int argc, char** argv)
{
    std::string interface;
    std::string source;
    double interval_ms = 1000;
    double seconds = 10;
    int priority = 20;
    CLI::App app{"Hears the adverts that arrive in this network namespace and says how evenly they came"};
    app.add_option("--interface", interface, "one interface; all of them when not given");
    app.add_option("--source", source, "one sender's address; all of them when not given")->check(CLI::ValidIPV4);
    app.add_option("--interval-ms", interval_ms, "how far apart they should be");
    app.add_option("--seconds", seconds, "how long to listen");
    app.add_option("--realtime", priority, "its own SCHED_FIFO priority; 0 for none");
    CLI11_PARSE(app, argc, argv);

    const auto only_source = source.empty() ? 0 : ::inet_addr(source.c_str());
    packet_ring ring(interface);
    spacing all;
    // Only while it listens: the pages of its tables, and the sums at the end, would keep what it measures from the processor.
    const bool realtime = priority > 0 && schedule(SCHED_FIFO, priority);
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, [](int) { asked_to_stop = true; });
    }
    fmt::print("listening\n");
    std::fflush(stdout);

    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
    while (!asked_to_stop && clock::now() < until) {
        ring.read([&](const tpacket3_hdr& header, const std::uint8_t* packet) { note(all, only_source, header, packet); });
    }
    schedule(SCHED_OTHER, 0);
    fmt::print("{}\n", all.json(interval_ms, ring.lost(), realtime));
    return 0;
}
