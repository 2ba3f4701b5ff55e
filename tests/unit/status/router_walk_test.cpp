#include "agent/status/router_walk.hpp"

#include "tests/support/fake_node.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vipd::status::test {
namespace {

// Names in the order of the visits; `before_step` may change the node.
template <class F>
std::vector<std::string> visited(fake_node& node, F before_step)
{
    router_walk walk(node);
    std::vector<std::string> names;
    for (unsigned i = 0; i < 1000; ++i) {
        before_step(i);
        router r;
        const auto found = walk.step(at({}), r);
        if (found == router_walk::found::end) {
            return names;
        }
        if (found == router_walk::found::router) {
            EXPECT_EQ(node.routers[walk.index()].name, r.name);
            names.push_back(r.name);
        }
    }
    ADD_FAILURE() << "the walk does not end";
    return names;
}

using names = std::vector<std::string>;

TEST(router_walk, visits_each_router_in_the_configuration_s_order)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_router("b"), sample_router("c")};
    EXPECT_EQ(visited(node, [](unsigned) {}), (names{"a", "b", "c"}));
}

TEST(router_walk, of_no_router_is_at_its_end)
{
    fake_node node;
    EXPECT_EQ(visited(node, [](unsigned) {}), names{});
}

TEST(router_walk, misses_none_when_an_earlier_one_goes)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_router("b"), sample_router("c"), sample_router("d")};
    EXPECT_EQ(visited(node, [&](unsigned i) { i == 2 ? node.erase_router(0) : void(); }), (names{"a", "b", "c", "d"}));
}

TEST(router_walk, repeats_none_when_one_is_put_before_it)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_router("b"), sample_router("c")};
    EXPECT_EQ(visited(node, [&](unsigned i) { i == 2 ? node.insert_router(0, sample_router("new")) : void(); }),
              (names{"a", "b", "new", "c"}));
}

TEST(router_walk, ends_when_all_routers_go)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_router("b")};
    EXPECT_EQ(visited(node,
                      [&](unsigned i) {
                          if (i == 1) {
                              node.erase_router(0);
                              node.erase_router(0);
                          }
                      }),
              names{"a"});
}

// Every change at every step: none twice, and those that stay throughout once.
TEST(router_walk, keeps_its_promise_whatever_changes_when)
{
    for (unsigned when = 0; when < 6; ++when) {
        for (std::size_t gone = 0; gone < 4; ++gone) {
            for (std::size_t place = 0; place < 4; ++place) {
                fake_node node;
                node.routers = {sample_router("a"), sample_router("b"), sample_router("c"), sample_router("d")};
                const std::string gone_name = node.routers[gone].name;
                auto seen = visited(node, [&](unsigned i) {
                    if (i == when) {
                        node.erase_router(gone);
                        node.insert_router(place, sample_router("new"));
                    }
                });
                for (const std::string name : {"a", "b", "c", "d", "new"}) {
                    const auto count = std::count(seen.begin(), seen.end(), name);
                    EXPECT_LE(count, 1) << name;
                    if (name != gone_name && (name != "new" || when < 5)) {
                        EXPECT_EQ(count, 1) << name << " when " << when << " gone " << gone << " place " << place;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace vipd::status::test
