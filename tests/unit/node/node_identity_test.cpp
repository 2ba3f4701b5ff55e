// A node that is started while IMDS is down, with and without what an earlier one has learnt in this boot.

#include "tests/unit/node/node_fixture.hpp"

namespace vipd::node {
namespace {

// The region and the route's target come from the identity alone.
std::shared_ptr<config::configuration> by_identity()
{
    auto c = node_harness::one_router();
    c->aws.region.clear();
    auto& route = c->routers[0].routes[0];
    route.tables = {.ids = {}, .whole_vpc = true, .tags = {}};
    route.interface_id.reset();
    return c;
}

aws::http_result imds_answer(const aws::http_request& request)
{
    const std::string macs = "/latest/meta-data/network/interfaces/macs/";
    const std::map<std::string, std::string> items = {
        {"/latest/api/token", "token"},
        {"/latest/dynamic/instance-identity/document",
         R"({"region":"eu-west-1","availabilityZone":"eu-west-1a","instanceId":"i-1","accountId":"1"})"},
        {macs, "0a:00:00:00:00:01/\n"},
        {macs + "0a:00:00:00:00:01/interface-id", me},
        {macs + "0a:00:00:00:00:01/vpc-id", "vpc-00000001"},
        {macs + "0a:00:00:00:00:01/subnet-id", "subnet-00000001"},
        {macs + "0a:00:00:00:00:01/local-ipv4s", "10.0.1.10"},
    };
    const auto found = items.find(request.target);
    return {found == items.end() ? aws::http_response{404, {}, ""} : aws::http_response{200, {}, found->second}, {}, never, {}};
}

class node_identity : public testing::Test {
protected:
    static void connect_imds(node_harness& h, bool& is_up)
    {
        h.intercept = [&is_up](const aws::http_exchange& exchange) -> std::optional<aws::http_result> {
            if (exchange.origin.tls) {
                return std::nullopt;
            }
            return is_up ? imds_answer(exchange.request) : node_harness::failure(false, "connection refused");
        };
    }

    // What a node leaves behind that ran in this boot while IMDS was up.
    std::map<std::string, std::string> files_of_a_predecessor()
    {
        bool is_up = true;
        node_harness first{by_identity()};
        connect_imds(first, is_up);
        first.start();
        first.advance(1s);
        EXPECT_EQ(first.files.count(cache), 1U);
        return first.files;
    }

    static constexpr auto cache = "/run/vipd/identity.json";
    bool imds_is_up = false;
    node_harness h{by_identity()};
};

TEST_F(node_identity, a_node_restarted_while_imds_is_down_becomes_active_and_moves_its_route)
{
    h.files = files_of_a_predecessor();
    connect_imds(h, imds_is_up);
    h.start();
    h.advance(361ms + 100ms);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    h.advance(10min);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.resource(kind::route).state, status::resource_state::here);
    EXPECT_EQ(h.log.count({"event=identity", "source=cache"}), 1U);
    EXPECT_EQ(h.node->snapshot(h.now).aws->identity_from, aws::identity_source::cache);
}

TEST_F(node_identity, when_imds_returns_and_agrees_no_call_is_made_for_it)
{
    h.files = files_of_a_predecessor();
    connect_imds(h, imds_is_up);
    h.start();
    h.advance(20s);
    const auto before = h.calls("ReplaceRoute") + h.calls("CreateRoute");
    imds_is_up = true;
    h.advance(20s);
    EXPECT_EQ(h.node->snapshot(h.now).aws->identity_from, aws::identity_source::imds);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.calls("ReplaceRoute") + h.calls("CreateRoute"), before);
    EXPECT_EQ(h.router().epoch, 1U);
}

TEST_F(node_identity, without_a_cache_it_elects_and_says_what_its_route_waits_for)
{
    connect_imds(h, imds_is_up);
    h.start();
    h.advance(10s);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.cloud.targets["rtb-1"], other);
    EXPECT_NE(h.resource(kind::route).last_error.find("instance metadata service"), std::string::npos);
    imds_is_up = true;
    h.advance(10s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
}

TEST_F(node_identity, a_file_of_another_boot_moves_nothing)
{
    h.files = files_of_a_predecessor();
    auto& text = h.files[cache];
    const auto at = text.find("0f1e2d3c");
    ASSERT_NE(at, std::string::npos);
    text[at] = 'f';
    connect_imds(h, imds_is_up);
    h.start();
    h.advance(10s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], other);
    EXPECT_EQ(h.log.count({"info event=identity_cache outcome=ignored", "another boot"}), 1U);
}

}  // namespace
}  // namespace vipd::node
