#include "tests/support/chance.h"
#include "tests/support/programs.h"

#include "core/campaign/campaign.h"

// ---- Programs ----------------------------------------------------------------------------------

static void step_at_random(void *argument) {
    (void)argument;
    for (uint32_t i = sct_choose(30, "steps"); i > 0; i--)
        step("step");
    sct_check(sct_choose(10, "verdict") != 0, "planted", "one in ten");
}

static void two_of_random_length(void *context) {
    (void)context;
    start("a", step_at_random, NULL);
    start("b", step_at_random, NULL);
}

static const struct sct_program program = {.setup = two_of_random_length};

static struct sct_strategy *calibrated(const char *spec) {
    struct sct_strategy *strategy = new_strategy(spec);
    sct_calibrate(engine, &program, "model/test", strategy, 1);
    return strategy;
}

static struct sct_campaign run_campaign(struct sct_strategy *strategy, uint64_t first,
                                        uint64_t iterations) {
    const struct sct_campaign_options options = {
        .program = &program,
        .strategy = strategy,
        .seed = 1,
        .first_iteration = first,
        .iterations = iterations,
        .keep_going = true,
    };
    struct sct_campaign campaign;
    sct_campaign_run(engine, &options, &campaign);
    return campaign;
}

static const char *format(const struct sct_strategy *strategy, char *buffer, size_t size) {
    struct text text = text_in(buffer, size);
    sct_strategy_format(strategy, &text);
    return text.data;
}

// ---- Members -----------------------------------------------------------------------------------

static const char *const specs[] = {"random", "pct:2", "pct:3",   "pct:5",
                                    "pos",    "urw",   "delay:5", "sticky:3"};
enum { MEMBERS = sizeof specs / sizeof specs[0] };

// Member i modulo n serves iteration i, also of a campaign that begins elsewhere.
static void test_portfolio_takes_its_members_in_turn(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("portfolio");
    char buffer[32];
    assert_int_equal(sct_strategy_count(strategy), MEMBERS);
    assert_string_equal(format(strategy, buffer, sizeof buffer), "portfolio");
    for (uint64_t i = 0; i < 3 * MEMBERS; i++) {
        const struct sct_strategy *member = sct_strategy_for(strategy, i);
        assert_ptr_equal(member, sct_strategy_member(strategy, i % MEMBERS));
        assert_string_equal(format(member, buffer, sizeof buffer), specs[i % MEMBERS]);
    }
    assert_ptr_equal(sct_strategy_for(strategy, UINT64_MAX),
                     sct_strategy_member(strategy, UINT64_MAX % MEMBERS));
    sct_strategy_free(strategy);
}

// Each member is calibrated as it is when used alone; with 16 executions of random length under
// seeds of their own hardly two members measure the same.
static void test_portfolio_calibrates_each_member(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("portfolio");
    uint32_t different = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        struct sct_strategy *alone = calibrated(specs[i]);
        const struct sct_calibration *member = &sct_strategy_member(strategy, i)->calibration;
        assert_memory_equal(member, &alone->calibration, sizeof *member);
        assert_true(member->decisions_max > 1);
        for (size_t j = 0; j < i; j++)
            different +=
                memcmp(member, &sct_strategy_member(strategy, j)->calibration, sizeof *member) != 0;
        sct_strategy_free(alone);
    }
    assert_int_equal(different, MEMBERS * (MEMBERS - 1) / 2);
    sct_strategy_free(strategy);
}

// An execution of the portfolio is that of the member alone with the same seed and iteration: 400
// campaigns of one iteration have the same fingerprint, which covers decisions and outcome.
static void test_portfolio_executions_are_those_of_its_members(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("portfolio");
    struct sct_strategy *alone[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++)
        alone[i] = calibrated(specs[i]);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 400; i++) {
        struct sct_campaign ours = run_campaign(strategy, i, 1);
        struct sct_campaign its = run_campaign(alone[i % MEMBERS], i, 1);
        assert_true(ours.fingerprint == its.fingerprint);
        assert_int_equal(ours.decisions, its.decisions);
        assert_int_equal(ours.violations, its.violations);
        sum += its.fingerprint;
        sct_campaign_free(&ours);
        sct_campaign_free(&its);
    }
    struct sct_campaign whole = run_campaign(strategy, 0, 400);
    assert_true(whole.fingerprint == sum);
    sct_campaign_free(&whole);
    for (size_t i = 0; i < MEMBERS; i++)
        sct_strategy_free(alone[i]);
    sct_strategy_free(strategy);
}

// ---- Shares ------------------------------------------------------------------------------------

// The [count] executions from [first] on that member [index] serves.
static uint64_t count_served(size_t index, uint64_t first, uint64_t count) {
    uint64_t served = 0;
    for (uint64_t i = first; i < first + count; i++)
        served += i % MEMBERS == index;
    return served;
}

// What the members did adds up to the campaign, and is what they do alone on the same iterations.
static void test_portfolio_shares_add_up(void **state) {
    (void)state;
    enum { FIRST = 5, RUNS = 803 };
    struct sct_strategy *strategy = calibrated("portfolio");
    struct sct_campaign campaign = run_campaign(strategy, FIRST, RUNS);
    assert_int_equal(campaign.share_count, MEMBERS);
    uint64_t iterations = 0, violations = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct sct_share *share = &campaign.shares[i];
        assert_ptr_equal(share->strategy, sct_strategy_member(strategy, i));
        assert_int_equal(share->iterations_run, count_served(i, FIRST, RUNS));
        struct sct_strategy *alone = calibrated(specs[i]);
        uint64_t expected = 0;
        for (uint64_t j = FIRST; j < FIRST + RUNS; j++)
            if (j % MEMBERS == i)
                expected +=
                    run_with(alone, &program, sct_execution_seed(1, j))->outcome == SCT_VIOLATED;
        assert_int_equal(share->violations, expected);
        sct_strategy_free(alone);
        iterations += share->iterations_run;
        violations += share->violations;
    }
    assert_int_equal(iterations, RUNS);
    assert_int_equal(iterations, campaign.iterations_run);
    assert_int_equal(violations, campaign.violations);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

// A group of violations names the member that found it first.
static void test_portfolio_groups_name_the_member(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("portfolio");
    for (uint64_t first = 0; first < 50; first++) {
        struct sct_campaign campaign = run_campaign(strategy, first, 100);
        assert_non_null(campaign.groups);
        assert_ptr_equal(campaign.groups->strategy,
                         sct_strategy_for(strategy, campaign.groups->iteration));
        sct_campaign_free(&campaign);
    }
    sct_strategy_free(strategy);
}

// A strategy that is not made of others has one share: all there is.
static void test_portfolio_of_one_has_one_share(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("fair:pos");
    struct sct_campaign campaign = run_campaign(strategy, 3, 100);
    assert_int_equal(campaign.share_count, 1);
    assert_ptr_equal(campaign.shares[0].strategy, strategy);
    assert_int_equal(campaign.shares[0].iterations_run, 100);
    assert_int_equal(campaign.shares[0].violations, campaign.violations);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portfolio_takes_its_members_in_turn),
        ENGINE_TEST(test_portfolio_calibrates_each_member),
        ENGINE_TEST(test_portfolio_executions_are_those_of_its_members),
        ENGINE_TEST(test_portfolio_shares_add_up),
        ENGINE_TEST(test_portfolio_groups_name_the_member),
        ENGINE_TEST(test_portfolio_of_one_has_one_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
