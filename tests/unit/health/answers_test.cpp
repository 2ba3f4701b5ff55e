#include "agent/health/answers.hpp"

#include "agent/health/verdict.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace vipd::health {
namespace {

using namespace std::chrono_literals;

const check_id id{1};

TEST(answers, file_holds_a_whole_number_and_0_while_it_is_empty_or_not_there)
{
    const auto says = [](const std::string& text) { return file_answer(id, text); };
    for (const auto& [text, number] : std::map<std::string, std::int64_t>{
             {"", 0}, {" \n", 0}, {"0", 0}, {"1\n", 1}, {"-50\n", -50}, {"+7", 7}, {"  12  ", 12}}) {
        const auto got = says(text);
        EXPECT_EQ(got.outcome, probe_outcome::passed) << text;
        EXPECT_EQ(got.number, number) << text;
    }
    const auto absent = file_answer(id, error{error_class::not_found, "no such file"});
    EXPECT_EQ(absent.outcome, probe_outcome::passed);
    EXPECT_EQ(absent.number, 0);
    for (const auto* text : {"yes", "1 2", "1.5", "--1", "99999999999999999999"}) {
        EXPECT_EQ(says(text).outcome, probe_outcome::failed) << text;
    }
    EXPECT_EQ(says("yes\n").text, "it says \"yes\"; allowed is a whole number, such as 0 or -50");
    EXPECT_EQ(file_answer(id, error{error_class::denied, "reading /x: Permission denied"}).outcome, probe_outcome::failed);
}

TEST(answers, server_is_well_with_the_codes_that_are_allowed)
{
    config::http_check what;
    EXPECT_EQ(http_answer(id, what, 204).outcome, probe_outcome::passed);
    EXPECT_EQ(http_answer(id, what, 399).outcome, probe_outcome::passed);
    EXPECT_EQ(http_answer(id, what, 404).outcome, probe_outcome::failed);
    what.status = {{200, 299}, {503, 503}};
    EXPECT_EQ(http_answer(id, what, 503).outcome, probe_outcome::passed);
    EXPECT_EQ(http_answer(id, what, 301).text, "the answer is 301; well are 200-299, 503");
}

TEST(answers, program_is_well_with_status_0_and_its_first_line_says_why_not)
{
    hooks::process_ended end;
    EXPECT_EQ(program_answer(id, end, "all good\n").outcome, probe_outcome::passed);
    end.code = 2;
    EXPECT_EQ(program_answer(id, end, "backend \x1b[0m is down\nmore\n").text, "exit status 2: backend \\x1b[0m is down");
    EXPECT_EQ(program_answer(id, end, "").text, "exit status 2");
    end.how = hooks::process_end::signalled;
    end.code = 11;
    EXPECT_EQ(program_answer(id, end, "").text, "ended by signal 11");
    end.how = hooks::process_end::not_started;
    end.why = "/check cannot be run";
    EXPECT_EQ(program_answer(id, end, "").text, "it was not started: /check cannot be run");
}

class verdict_test : public testing::Test {
protected:
    void answer(bool well, std::int64_t number = 0)
    {
        c.begin(time_point{1000s});
        c.handle(time_point{1000s},
                 probe_ended{id, well ? probe_outcome::passed : probe_outcome::failed, "why", number, false});
    }
    int contribution(std::int16_t weight)
    {
        t.weight = weight;
        return judge(t, &c, {}).contribution;
    }

    config::tracker t;
    check c{id, {}, time_point{1000s}};
};

TEST_F(verdict_test, weight_is_added_while_well_or_subtracted_while_not_and_unknown_is_not_well)
{
    EXPECT_EQ(contribution(20), 0);
    EXPECT_EQ(contribution(-20), -20);
    EXPECT_FALSE(judge(t, &c, {}).is_well());
    EXPECT_TRUE(judge(t, nullptr, {.is_well = true}).is_well());
    answer(true);
    EXPECT_EQ(contribution(20), 20);
    EXPECT_EQ(contribution(-20), 0);
    answer(false);
    EXPECT_EQ(contribution(20), 0);
    EXPECT_EQ(contribution(-20), -20);
    EXPECT_EQ(judge(t, &c, {.is_well = true}).reason, "why");
}

TEST_F(verdict_test, number_of_a_file_is_multiplied_with_the_weight_and_bounded)
{
    t.what.target = config::file_check{"/run/weight"};
    EXPECT_EQ(contribution(-2), 0);
    answer(true, 30);
    EXPECT_EQ(contribution(-2), -60);
    EXPECT_EQ(contribution(10), 253);
    EXPECT_EQ(contribution(-10), -253);
    EXPECT_TRUE(judge(t, &c, {}).is_well());
    answer(true, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(contribution(253), 253);
    EXPECT_EQ(contribution(-253), -253);
    answer(true, std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(contribution(-253), 253);
}

TEST_F(verdict_test, without_a_weight_a_number_takes_the_router_out)
{
    t.what.target = config::file_check{"/run/maintenance"};
    answer(true, 0);
    EXPECT_TRUE(judge(t, &c, {}).is_well());
    answer(true, 1);
    EXPECT_FALSE(judge(t, &c, {}).is_well());
    EXPECT_EQ(judge(t, &c, {}).reason, "the file says 1");
    EXPECT_EQ(judge(t, &c, {}).contribution, 0);
}

}  // namespace
}  // namespace vipd::health
