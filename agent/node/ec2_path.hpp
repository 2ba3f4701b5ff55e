#pragma once

// Whether this node's path to EC2 works: network, TLS, credentials, and an API that answers. What `api_weight` makes of it is
// the router's matter; nothing else follows from it.
//
// Only reads count. Backup and Active make the same ones at the same pace, so a change of role changes nothing about the
// evidence, and a node does not lose the role for what it can find out only while it has it.
//   - A success says that the path works.
//   - No answer, an answer of 5xx, and credentials that are missing or refused say that it does not. So does a session that
//     has not become ready for reads.
//   - Throttling and refusals of a permission say nothing: EC2 was reached, and the other node would be told the same.
//
// One direction or the other takes at least 3 in succession over some time: 10 s to count as broken, which is longer than a
// connection or a region takes to hiccup, 30 s to count as working again, which is a path that holds. Nodes that lose EC2
// together notice that within 30 s of one another (one reads a period later, and its calls time out). While it counts as
// broken reads are asked for every 10 s, where the period is longer: a first success would be the only one for up to an hour.

#include "agent/aws/ec2_reply.hpp"
#include "agent/node/succession.hpp"
#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <optional>
#include <string>

namespace vipd::node {

class ec2_path {
public:
    // Before the first read: it counts as broken, as in the process before this one, until it has shown that it works.
    void succeed(time_point now, const ec2_path_succession& predecessor);
    // Nothing while it works.
    [[nodiscard]] std::optional<ec2_path_succession> leave_behind() const;
    // Returns whether the verdict has changed.
    bool read_ended(time_point now, const aws::ec2_reply& reply);
    // Whether a read could be made at all: a node that does not know who it is, or has no credentials, has nothing to ask. Told
    // in every turn. Returns whether the verdict has changed; `trouble` is what it is put down to.
    bool session_is(time_point now, bool ready, const std::string& trouble);
    [[nodiscard]] wakeup next_wakeup() const;
    // How often is to be read, where `period` is configured.
    [[nodiscard]] duration pace_of_reads(duration period) const;

    // Until there is evidence to the contrary it does.
    [[nodiscard]] bool works() const { return works_; }
    // What is wrong with it, as the last failure said; empty while it works.
    [[nodiscard]] std::string trouble() const { return works_ ? std::string{} : last_failure_; }
    [[nodiscard]] status::ec2_path_state snapshot(time_point now) const;

private:
    bool works_ = true;
    time_point since_ = never;  // of the verdict; never before the first change
    // Those in succession that contradict the verdict.
    unsigned contradictions_ = 0;
    time_point first_contradiction_{};
    std::string last_failure_;
    time_point not_ready_since_ = never;
};

}  // namespace vipd::node
