// An interface that is found by its tags, while people edit those.

#include "tests/unit/node/node_fixture.hpp"

#include <algorithm>
#include <set>

namespace vipd::node {
namespace {

constexpr auto floating = "eni-000000000000000f0";
constexpr auto stranger = "eni-000000000000000f1";
constexpr auto address = "10.1.0.50/32";

class moved_interface : public node_test {
protected:
    moved_interface()
    {
        configuration = changed([](auto& c) {
            c.routers[0].routes.clear();
            c.routers[0].enis.emplace_back().match.tags = {{"Name", "floating"}};
        });
        h.replace(configuration);
        h.intercept = [this](const aws::http_exchange& e) -> std::optional<aws::http_result> {
            if (!e.origin.tls) {
                return imds_answer(e.request.target);
            }
            const auto form = test::parse_form(e.request.body);
            if (form.at("Action") == "DescribeNetworkInterfaces") {
                const bool is_by_tag = std::ranges::any_of(form, [](const auto& pair) { return pair.second == "tag:Name"; });
                return answer(is_by_tag ? tagged : std::set<std::string>{floating});
            }
            return std::nullopt;
        };
    }

    static aws::http_result ok(const std::string& body)
    {
        return {aws::http_response{200, {{"Content-Type", "text/xml"}}, body}, {}, never, {}};
    }

    // This instance has the interface beside its own.
    [[nodiscard]] aws::http_result imds_answer(const std::string& target) const
    {
        const std::string macs = "/latest/meta-data/network/interfaces/macs/";
        const auto own = macs + "0a:00:00:00:00:01/";
        const auto second = macs + "0a:00:00:00:00:f0/";
        const std::map<std::string, std::string> items = {
            {"/latest/api/token", "token"},
            {"/latest/dynamic/instance-identity/document",
             R"({"region":"eu-west-1","availabilityZone":"eu-west-1a","instanceId":"i-1","accountId":"1"})"},
            {macs, is_listed ? "0a:00:00:00:00:01/\n0a:00:00:00:00:f0/" : "0a:00:00:00:00:01/"},
            {own + "interface-id", me},
            {own + "vpc-id", "vpc-00000001"},
            {own + "subnet-id", "subnet-00000001"},
            {own + "local-ipv4s", "10.0.1.10"},
            {second + "interface-id", floating},
            {second + "vpc-id", "vpc-00000001"},
            {second + "subnet-id", "subnet-00000002"},
            {second + "subnet-ipv4-cidr-block", "10.1.0.0/24"},
            {second + "local-ipv4s", "10.1.0.50"},
        };
        const auto found = items.find(target);
        return found == items.end() ? aws::http_result{aws::http_response{404, {}, ""}, {}, never, {}} : ok(found->second);
    }

    [[nodiscard]] aws::http_result answer(const std::set<std::string>& interfaces) const
    {
        std::string set;
        for (const auto& id : interfaces) {
            const auto& instance = id == floating ? has_floating : "i-3";
            set += "<item><networkInterfaceId>" + id + "</networkInterfaceId><vpcId>vpc-00000001</vpcId><attachment>" +
                   "<attachmentId>eni-attach-" + instance + "</attachmentId><instanceId>" + instance +
                   "</instanceId><status>attached</status><deleteOnTermination>false</deleteOnTermination></attachment></item>";
        }
        return ok("<DescribeNetworkInterfacesResponse><networkInterfaceSet>" + set +
                  "</networkInterfaceSet></DescribeNetworkInterfacesResponse>");
    }

    void serve()
    {
        h.start();
        h.kernel(net::link_seen{{7, "eth1", "0a:00:00:00:00:f0", true, true}});
        h.advance(2s);
        ASSERT_EQ(h.state(), state::active);
        ASSERT_TRUE(h.has_local(address)) << h.resource(kind::network_interface).last_error;
        ASSERT_FALSE(h.policies.rules.empty());
    }

    [[nodiscard]] bool is_served() const { return h.has_local(address) && !h.policies.rules.empty(); }

    std::set<std::string> tagged{floating};
    std::string has_floating = "i-1";
    bool is_listed = true;  // by the metadata service
};

TEST_F(moved_interface, that_has_lost_its_tag_serves_on_where_it_is_attached)
{
    serve();
    const auto changes = h.log.count({"event=policy"});
    tagged.clear();
    h.advance(1min);
    EXPECT_TRUE(is_served());
    EXPECT_EQ(h.log.count({"event=policy"}), changes);
    EXPECT_NE(h.resource(kind::network_interface).last_error.find("no interface matches"), std::string::npos);
}

TEST_F(moved_interface, whose_tag_a_second_one_gets_serves_on_until_the_tag_is_the_others_alone)
{
    serve();
    tagged.insert(stranger);
    h.advance(1min);
    EXPECT_TRUE(is_served());
    tagged.erase(floating);
    h.advance(15s);
    EXPECT_FALSE(is_served());
}

TEST_F(moved_interface, serves_on_after_a_restart_while_its_tag_names_two_or_none)
{
    for (const auto& named : {std::set<std::string>{floating, stranger}, std::set<std::string>{}}) {
        tagged = {floating};
        serve();
        tagged = named;
        h.advance(1min);
        ASSERT_TRUE(is_served());
        for (int i = 0; i < 2; ++i) {
            h.succeed(80ms);
            h.start();
            h.kernel(net::link_seen{{7, "eth1", "0a:00:00:00:00:f0", true, true}});
            ASSERT_EQ(h.state(), state::active);
            h.advance(1min);
            EXPECT_TRUE(is_served());
        }
        EXPECT_EQ(h.log.count({"event=policy_remains"}) + h.log.count({"event=address_remains"}), 0U);
        tagged = {stranger};
        h.advance(15s);
        EXPECT_FALSE(is_served()) << "it is the other's alone now";
        h.replace(configuration);
    }
}

TEST_F(moved_interface, serves_on_when_a_reload_finds_it_by_another_word)
{
    const auto by_tag = configuration;
    h.replace(changed([](auto& c) {
        c.routers[0].enis[0].match.tags.clear();
        c.routers[0].enis[0].match.id = aws::network_interface_id{floating};
    }));
    serve();
    tagged.clear();
    h.reload(by_tag);
    EXPECT_TRUE(is_served()) << "nobody has said yet which one has the tag";
    h.advance(1min);
    EXPECT_TRUE(is_served());
}

TEST_F(moved_interface, that_came_before_this_process_is_asked_for_until_the_metadata_service_lists_it)
{
    is_listed = false;
    h.kernel(net::link_seen{{7, "eth1", "0a:00:00:00:00:f0", true, true}});
    h.start();  // of which the dump is a part
    h.advance(5s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_FALSE(h.has_local(address));
    is_listed = true;
    h.advance(10s);
    EXPECT_TRUE(is_served());
}

TEST_F(moved_interface, is_not_detached_while_nobody_can_say_which_one_it_is)
{
    has_floating = "i-2";
    start_as_backup();
    advance_with_peer(15s, 200);
    tagged.insert(stranger);
    advance_with_peer(15s, 200);
    h.advance(1min);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.calls("DetachNetworkInterface"), 0U);
    tagged.erase(stranger);
    h.advance(15s);
    EXPECT_GT(h.calls("DetachNetworkInterface"), 0U);
}

}  // namespace
}  // namespace vipd::node
