// Each way to move an address when the Active dies, and what people and EC2 do to it.

#include "tests/scenarios/scenario.hpp"
#include "tests/sim/account.hpp"

#include <algorithm>
#include <array>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class moves_stories : public scenario {
protected:
    // What is moved is bound to one subnet.
    static cluster_options two_machines_of_one_zone()
    {
        auto options = machines({150, 100});
        options.machines[1].zone = 0;
        return options;
    }

    [[nodiscard]] const cloud::network_interface& interface_of(std::size_t machine) const
    {
        return *world->cloud()
                    .model()
                    .state()
                    .interfaces.at(cloud::network_interface_id{world->options().interface_id(machine)})
                    .current();
    }
    [[nodiscard]] const cloud::network_interface& floating() const
    {
        return *world->cloud()
                    .model()
                    .state()
                    .interfaces.at(cloud::network_interface_id{cluster_options::floating_id()})
                    .current();
    }
    [[nodiscard]] bool has_floating(std::size_t machine) const
    {
        return floating().attached && floating().attached->instance == instance_of(machine) &&
               floating().attached->status == cloud::attachment_status::attached;
    }
    [[nodiscard]] const cloud::elastic_ip& elastic() const
    {
        return *world->cloud().model().state().elastic_ips.at(cloud::allocation_id{cluster_options::allocation_id()}).current();
    }
    void let_machine_1_take_over()
    {
        inflict(faults::power_off{0});
        until("machine 1 is Active", down_interval(1) + 100ms, [&] { return is_active(1); });
    }
    // A call of the options' latency, and what the loops add.
    [[nodiscard]] duration calls(unsigned in_a_row) const { return in_a_row * (world->options().cloud_latency + 5ms); }
};

TEST_F(moves_stories, a_secondary_address_is_taken_with_one_call)
{
    auto options = two_machines_of_one_zone();
    options.moves_secondary_ip = true;
    begin(options);
    ASSERT_TRUE(interface_of(0).has(options.secondary_ip()));
    EXPECT_TRUE(world->node(0).has_address(ip_prefix::host(options.secondary_ip())));
    let_machine_1_take_over();
    EXPECT_TRUE(world->node(1).has_address(ip_prefix::host(options.secondary_ip()))) << "whoever sends to it finds it there";
    until("it is on the other interface", calls(1), [&] { return interface_of(1).has(options.secondary_ip()); });
    EXPECT_FALSE(interface_of(0).has(options.secondary_ip()));
    until("confirmed", 3s, [&] { return has_confirmed(1); });
}

TEST_F(moves_stories, an_ipv6_address_is_nobodys_for_one_call)
{
    auto options = two_machines_of_one_zone();
    options.family = ip_family::v6;
    options.moves_secondary_ip = true;
    begin(options);
    ASSERT_TRUE(interface_of(0).has(options.secondary_ip()));
    let_machine_1_take_over();
    until("it is taken away there", calls(1), [&] { return !interface_of(0).has(options.secondary_ip()); });
    const auto gap = until("it is here", calls(1), [&] { return interface_of(1).has(options.secondary_ip()); });
    EXPECT_GT(gap, 0s) << "EC2 has no call that does both";
    until("confirmed", 3s, [&] { return has_confirmed(1); });
}

TEST_F(moves_stories, an_elastic_ip_is_taken_with_one_call)
{
    auto options = two_machines_of_one_zone();
    options.moves_elastic_ip = true;
    begin(options);
    ASSERT_EQ(elastic().interface, interface_of(0).id);
    let_machine_1_take_over();
    until("it is mapped to the other interface", calls(1), [&] { return elastic().interface == interface_of(1).id; });
    until("confirmed", 3s, [&] { return has_confirmed(1); });
}

TEST_F(moves_stories, an_interface_is_detached_attached_and_set_up)
{
    auto options = two_machines_of_one_zone();
    options.moves_interface = true;
    begin(options);
    ASSERT_TRUE(has_floating(0));
    EXPECT_EQ(world->node(0).floating_parts(), world->options().floating_parts());
    inflict(faults::kill_process{0}, 1h);
    until("machine 1 is Active", down_interval(1) + 100ms, [&] { return is_active(1); });
    until("it is attached to machine 1", 10s, [&] { return has_floating(1); });
    until("replies leave by it", 2s, [&] { return world->node(1).floating_parts() == world->options().floating_parts(); });
    EXPECT_EQ(world->node(0).floating_parts(), 1U) << "the link took its routes along, and nobody is there to remove the rule";
    until("confirmed", 10s, [&] { return has_confirmed(1); });
}

TEST_F(moves_stories, an_interface_that_does_not_let_go_is_forced_after_a_while)
{
    auto options = two_machines_of_one_zone();
    options.moves_interface = true;
    begin(options);
    cloud::fault stuck;
    stuck.action = "ec2:DetachNetworkInterface";
    stuck.effect = cloud::effects::stuck{};
    stuck.count = 1;
    inflict(faults::cloud_trouble{stuck}, 1h);
    let_machine_1_take_over();
    const auto took = until("it is attached to machine 1", 30s, [&] { return has_floating(1); });
    EXPECT_GE(took, 10s) << "force_after";
    EXPECT_EQ(world->situations().of(situation::interface_forced), 1U);
}

TEST_F(moves_stories, what_is_moved_by_hand_is_taken_back_all_of_it)
{
    auto options = two_machines_of_one_zone();
    options.moves_secondary_ip = options.moves_elastic_ip = options.moves_interface = true;
    begin(options);
    inflict(faults::route_changed{0, options.interface_id(1)});
    ASSERT_TRUE(interface_of(1).has(options.secondary_ip()));
    until("everything is back", 40s, [&] {
        return owns_everything(0) && interface_of(0).has(options.secondary_ip()) && has_floating(0) &&
               elastic().interface == interface_of(0).id && has_confirmed(0);
    });
    EXPECT_TRUE(is_active(0));
}

TEST_F(moves_stories, what_cannot_be_had_holds_up_nothing_else)
{
    auto options = two_machines_of_one_zone();
    options.moves_secondary_ip = options.moves_elastic_ip = true;
    begin(options);
    next_call("AssignPrivateIpAddresses", 1, cloud::effects::fail{}, "*", std::nullopt);
    let_machine_1_take_over();
    until("the others", calls(1), [&] { return owns_everything(1) && elastic().interface == interface_of(1).id; });
    EXPECT_TRUE(interface_of(0).has(options.secondary_ip()));
    EXPECT_FALSE(has_confirmed(1));
}

// --- in the midst of a move ---

TEST_F(moves_stories, an_interface_that_somebody_attaches_between_our_two_steps_is_ours_in_the_end)
{
    auto options = two_machines_of_one_zone();
    options.moves_interface = true;
    begin(options);
    inflict(faults::move_interrupted{true, faults::gap_end::robbed, {}}, 1min);
    let_machine_1_take_over();
    const auto stranger = instance_of(2);
    until("a stranger has it", 5s, [&] { return floating().attached && floating().attached->instance == stranger; });
    EXPECT_EQ(world->situations().of(situation::interface_taken_between), 1U);
    until("it is attached to machine 1", 30s, [&] { return has_floating(1); });
    until("confirmed", 10s, [&] { return has_confirmed(1); });
    EXPECT_EQ(world->node(1).floating_parts(), options.floating_parts());
    EXPECT_TRUE(owns_everything(1)) << "what EC2 says is no business of the election";
    wait(2min);
    EXPECT_TRUE(has_floating(1));
}

TEST_F(moves_stories, when_the_successor_dies_in_the_gap_of_an_ipv6_address_the_third_machine_takes_it)
{
    auto options = machines({200, 150, 100});
    for (auto& m : options.machines) {
        m.zone = 0;
    }
    options.family = ip_family::v6;
    options.moves_secondary_ip = true;
    begin(options);
    ASSERT_TRUE(interface_of(0).has(options.secondary_ip()));
    inflict(faults::move_interrupted{false, faults::gap_end::powered_off, 1h}, 1min);
    inflict(faults::power_off{0});
    until("machine 1 is Active and dies", down_interval(1) + 100ms + calls(1), [&] { return !world->node(1).is_on(); });
    const auto is_nobodys = [&] {
        return std::ranges::none_of(std::array<std::size_t, 4>{0, 1, 2, 3},
                                    [&](std::size_t i) { return interface_of(i).has(options.secondary_ip()); });
    };
    EXPECT_TRUE(is_nobodys());
    until("machine 2 is Active", down_interval(2) + 100ms, [&] { return is_active(2); });
    until("it has the address", calls(2) + 1s, [&] { return interface_of(2).has(options.secondary_ip()); });
    until("confirmed", 3s, [&] { return has_confirmed(2); });
    EXPECT_TRUE(owns_everything(2));
    EXPECT_EQ(world->situations().of(situation::ipv6_gap_interrupted), 1U);
}

TEST_F(moves_stories, an_elastic_ip_that_is_taken_by_hand_again_and_again_is_left_alone_for_a_while_and_comes_back)
{
    auto options = two_machines_of_one_zone();
    options.moves_elastic_ip = true;
    begin(options);
    const auto calls_before = world->mutating_calls();
    const cloud::network_interface_id stranger{options.interface_id(2)};
    const auto is_taken = [&](duration length) {
        for (duration passed{}; passed < length; passed += 2s) {
            world->cloud().model().put_elastic_ip(world->now(), elastic().id, stranger, {});
            wait(2s);
        }
    };
    is_taken(1min);
    EXPECT_TRUE(world->has_duel(0)) << "an alarm is raised";
    EXPECT_LE(world->mutating_calls() - calls_before, 6U);
    is_taken(3min);
    EXPECT_LE(world->mutating_calls() - calls_before, 12U) << "far fewer than the hundred and twenty times that it was taken";
    EXPECT_TRUE(owns_everything(0)) << "the route is no part of it, nor is the election";
    until("it is mapped to machine 0 when nobody takes it any more", 5min,
          [&] { return elastic().interface == interface_of(0).id; });
    until("the duel is over", 90s, [&] { return !world->has_duel(0); });
    EXPECT_TRUE(has_confirmed(0));
}

// --- the shapes of what is moved ---

TEST_F(moves_stories, an_elastic_ip_goes_with_the_secondary_address_that_it_belongs_to)
{
    auto options = two_machines_of_one_zone();
    options.moves_secondary_ip = options.moves_elastic_ip = options.elastic_on_secondary = true;
    begin(options);
    ASSERT_EQ(elastic().interface, interface_of(0).id);
    ASSERT_EQ(elastic().private_address, options.secondary_ip());
    let_machine_1_take_over();
    until("both are at machine 1", calls(1), [&] { return world->what_has_not_moved_to(1).empty(); });
    until("confirmed", 3s, [&] { return has_confirmed(1); });
    // At the right interface, and mapped to its primary address.
    world->cloud().model().put_elastic_ip(world->now(), elastic().id, interface_of(1).id, {});
    ASSERT_NE(elastic().private_address, options.secondary_ip());
    until("it is put right", 15s, [&] { return elastic().private_address == options.secondary_ip(); });
}

TEST_F(moves_stories, an_interface_can_be_found_by_what_ec2_says_of_it)
{
    for (const auto match : {interface_choice::by_tag, interface_choice::by_address}) {
        auto options = two_machines_of_one_zone();
        options.moves_interface = true;
        options.interface_match = match;
        options.addresses_of_interface = floating_addresses::one_of_two;
        options.device_index = 2;
        begin(options);
        ASSERT_TRUE(has_floating(0));
        let_machine_1_take_over();
        until("it is attached to machine 1", 10s, [&] { return has_floating(1); });
        EXPECT_EQ(floating().attached->device_index, 2U);
        until("confirmed", 10s, [&] { return has_confirmed(1); });
        EXPECT_EQ(world->node(1).floating_addresses(), 1U) << "the other one is not listed";
    }
}

TEST_F(moves_stories, another_vpc_with_the_same_addresses_is_nobody_to_fight_with)
{
    auto options = two_machines_of_one_zone();
    options.has_twin_vpc = options.moves_secondary_ip = options.moves_interface = true;
    options.interface_match = interface_choice::by_address;
    begin(options);
    ASSERT_TRUE(has_floating(0));
    ASSERT_TRUE(interface_of(0).has(options.secondary_ip()));
    const auto calls_before = world->mutating_calls();
    wait(2min);
    EXPECT_EQ(world->mutating_calls(), calls_before);
    EXPECT_FALSE(world->has_duel(0));
    let_machine_1_take_over();
    until("both are at machine 1", 10s, [&] { return has_floating(1) && interface_of(1).has(options.secondary_ip()); });
    until("confirmed", 10s, [&] { return has_confirmed(1); });
}

// --- instances that are about to go ---

class notices_stories : public scenario {
protected:
    static cluster_options two_that_ask()
    {
        auto options = machines({150, 100});
        options.notices = true;
        return options;
    }
};

TEST_F(notices_stories, a_spot_interruption_is_a_hand_over)
{
    begin(two_that_ask());
    inflict(faults::notice{0}, 60s);
    // Asked for every 5 s.
    until("machine 1 is Active", 7s, [&] { return is_active(1); });
    EXPECT_FALSE(is_active(0));
    EXPECT_TRUE(world->node(0).has_address(world->options().virtual_address())) << "it still serves what arrives";
    until("the route follows", 100ms, [&] { return owns_everything(1); });
    EXPECT_EQ(world->node(0).snapshot().effective_priority, 1);
    until("it takes it back, once that was called off", 80s, [&] { return is_active(0); });
}

TEST_F(notices_stories, when_all_are_about_to_go_one_serves_until_the_end)
{
    begin(two_that_ask());
    inflict(faults::notice{0});
    inflict(faults::notice{1});
    wait(30s);
    ASSERT_EQ(world->active_count(), 1U);
    const auto serving = *world->sole_active();
    EXPECT_TRUE(owns_everything(serving));
    inflict(faults::power_off{serving});
    until("the other one", 10s, [&] { return owns_everything(1 - serving); });
}

// --- a process in the place of another ---

class restart_stories : public scenario {};

TEST_F(restart_stories, an_upgrade_moves_nothing)
{
    begin(machines({150, 100}));
    const auto transitions = world->transitions();
    inflict(faults::replace_process{0}, 50ms);
    wait(60s);
    EXPECT_TRUE(owns_everything(0));
    EXPECT_EQ(taken_by(0) + taken_by(1), 0U) << "it was only read";
    ASSERT_EQ(world->transitions(), transitions + 1);
    EXPECT_EQ(world->role_changes().back().reason, "resumed");
    EXPECT_EQ(world->situations().of(situation::active_succeeded), 1U);
}

TEST_F(restart_stories, an_upgrade_that_takes_too_long_is_a_crash)
{
    begin(machines({150, 100}));
    inflict(faults::replace_process{0}, 10s);
    const auto took = until("machine 1 takes over", 5s, [&] { return owns_everything(1); });
    EXPECT_LE(took, down_interval(1) + 100ms);
    wait(30s);
    EXPECT_TRUE(owns_everything(0)) << "which comes back as a Backup, and preempts";
    EXPECT_EQ(world->situations().of(situation::active_succeeded), 0U);
}

TEST_F(restart_stories, all_can_be_upgraded_one_after_another)
{
    begin(machines({150, 100, 50}));
    const auto mutations = world->mutating_calls();
    for (const std::size_t machine : {2U, 1U, 0U}) {
        inflict(faults::replace_process{machine}, 100ms);
        wait(5s);
        EXPECT_TRUE(owns_everything(0));
    }
    EXPECT_EQ(world->mutating_calls(), mutations);
}

}  // namespace
}  // namespace vipd::sim
