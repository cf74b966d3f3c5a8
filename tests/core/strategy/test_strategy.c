#include "core/engine/inside.h"
#include "tests/support/chance.h"
#include "tests/support/programs.h"

#include "core/strategy/strategy.h"

// The alternatives of a point number its enabled slots cyclically from the current one on.
static void test_alternatives_are_cyclic_from_the_current_task(void **state) {
    (void)state;
    struct sct_schedule_point point = {
        .enabled = SLOTS(1 << 2 | 1 << 5 | UINT64_C(1) << 63),
        .count = 3,
        .current = 5,
    };
    assert_int_equal(sct_alternative_slot(&point, 0), 5);
    assert_int_equal(sct_alternative_slot(&point, 1), 63);
    assert_int_equal(sct_alternative_slot(&point, 2), 2);
    point.current = 6; // not enabled
    assert_int_equal(sct_alternative_slot(&point, 0), 63);
    assert_int_equal(sct_alternative_slot(&point, 1), 2);
    assert_int_equal(sct_alternative_slot(&point, 2), 5);
}

// A random one of slots below [limit], every second time with few members.
static struct sct_slots random_slots(struct rng *rng, unsigned limit, bool is_sparse) {
    struct sct_slots set = {.last = 0};
    for (unsigned slot = 0; slot < limit; slot++)
        if (rng_below(rng, is_sparse ? 8 : 2) == 0)
            sct_slots_add(&set, slot);
    return set;
}

// Slots and alternatives translate into each other, in the order that going round from the current
// slot on gives: for 2,000 random sets of one word, of several and of all, and every current slot.
static void test_alternatives_and_slots_are_inverse(void **state) {
    (void)state;
    static const unsigned limits[] = {64, 65, 130, SCT_TASKS_MAX};
    struct rng rng;
    rng_seed(&rng, 1);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned limit = limits[i % 4];
        struct sct_slots enabled = random_slots(&rng, limit, i / 4 % 2);
        struct sct_schedule_point point = {
            .enabled = &enabled,
            .count = sct_slots_count(&enabled),
            .current = i / 8 % limit,
            .gives_way = i % 3 == 0,
        };
        uint32_t alternative = 0;
        for (unsigned j = 0; j < limit; j++) {
            unsigned slot = (point.current + point.gives_way + j) % limit;
            if (!sct_slots_have(&enabled, slot))
                continue;
            assert_int_equal(sct_alternative_slot(&point, alternative), slot);
            assert_int_equal(sct_slot_alternative(&point, slot), alternative++);
        }
        assert_int_equal(alternative, point.count);
    }
}

// Sets agree with arrays of flags: 500 random ones of every size, with what was added twice, taken
// out, and behind the first word.
static void test_slots_are_sets(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    for (unsigned i = 0; i < 500; i++) {
        unsigned limit = 1 + rng_below(&rng, SCT_TASKS_MAX);
        struct sct_slots set = {.last = 0};
        bool flags[SCT_TASKS_MAX] = {false};
        for (unsigned j = 0; j < 2 * limit; j++) {
            unsigned slot = rng_below(&rng, limit);
            flags[slot] = rng_below(&rng, 2) == 0;
            if (flags[slot])
                sct_slots_add(&set, slot);
            else
                sct_slots_remove(&set, slot);
        }
        struct sct_slots_walk walk = sct_slots_walk(&set);
        unsigned found, count = 0, first_free = 0, highest = 0, only = SCT_TASKS_MAX;
        while (first_free < SCT_TASKS_MAX && flags[first_free])
            first_free++;
        for (unsigned slot = 0; slot < SCT_TASKS_MAX; slot++) {
            assert_int_equal(sct_slots_have(&set, slot), flags[slot]);
            if (!flags[slot])
                continue;
            assert_true(sct_slots_next(&walk, &found));
            assert_int_equal(found, slot);
            only = count++ == 0 ? slot : SCT_TASKS_MAX;
            highest = slot;
        }
        assert_false(sct_slots_next(&walk, &found));
        assert_int_equal(sct_slots_count(&set), count);
        assert_int_equal(sct_slots_are_empty(&set), count == 0);
        assert_int_equal(sct_slots_first_free(&set), first_free);
        assert_int_equal(sct_slots_highest(&set), highest);
        if (count > 0)
            assert_int_equal(sct_slots_only(&set), only);
        struct sct_slots other = set;
        assert_true(sct_slots_equal(&set, &other));
        sct_slots_add(&other, SCT_TASKS_MAX - 1);
        assert_int_equal(sct_slots_equal(&set, &other), flags[SCT_TASKS_MAX - 1]);
        sct_slots_clear(&other);
        assert_true(sct_slots_are_empty(&other));
    }
}

// The number of ones is the one that adding them gives.
static void test_count_bits_agrees_with_a_loop(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 2);
    for (int i = 0; i < 1000; i++) {
        uint64_t bits = rng_next(&rng) >> i % 64;
        uint32_t ones = 0;
        for (int j = 0; j < 64; j++)
            ones += (uint32_t)(bits >> j & 1);
        assert_int_equal(sct_count_bits(bits), ones);
    }
    assert_int_equal(sct_count_bits(0), 0);
    assert_int_equal(sct_count_bits(UINT64_MAX), 64);
}

static struct sct_access access_of(enum sct_access_mode mode, uint32_t object, uint64_t low,
                                   uint64_t high) {
    return (struct sct_access){.mode = mode, .object = object, .low = low, .high = high};
}

// Two steps race when they touch a common key of one object and one of them writes; the unknown
// races with everything that touches anything.
static void test_accesses_race_if_their_order_can_matter(void **state) {
    (void)state;
    const struct sct_access write = access_of(SCT_ACCESS_WRITE, 1, 10, 20);
    const struct {
        struct sct_access other;
        bool races;
    } cases[] = {
        {access_of(SCT_ACCESS_WRITE, 1, 20, 30), true},
        {access_of(SCT_ACCESS_READ, 1, 0, 10), true},
        {access_of(SCT_ACCESS_READ, 1, 12, 13), true},
        {access_of(SCT_ACCESS_READ, 1, 0, UINT64_MAX), true},
        {access_of(SCT_ACCESS_WRITE, 1, 21, 30), false},
        {access_of(SCT_ACCESS_WRITE, 1, 0, 9), false},
        {access_of(SCT_ACCESS_WRITE, 2, 10, 20), false},
        {sct_access_none, false},
        {sct_access_unknown, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sct_accesses_race(&write, &cases[i].other), cases[i].races);
        assert_int_equal(sct_accesses_race(&cases[i].other, &write), cases[i].races);
    }
    const struct sct_access read = access_of(SCT_ACCESS_READ, 1, 10, 20);
    assert_false(sct_accesses_race(&read, &read));
    assert_true(sct_accesses_race(&write, &write));
    assert_true(sct_accesses_race(&read, &sct_access_unknown));
    assert_true(sct_accesses_race(&sct_access_unknown, &sct_access_unknown));
    assert_false(sct_accesses_race(&sct_access_none, &sct_access_unknown));
}

// A spec names a strategy and its parameter, or takes the default; formatting gives it back.
static void test_strategy_new_reads_specs(void **state) {
    (void)state;
    const struct {
        const char *spec;
        uint32_t parameter;
        const char *formatted;
    } cases[] = {
        {"random", 0, "random"}, {"pct", 3, "pct:3"},      {"pct:1", 1, "pct:1"},
        {"pct:5", 5, "pct:5"},   {"pct:32", 32, "pct:32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {{0}};
        struct sct_strategy *strategy = sct_strategy_new(cases[i].spec, &error);
        assert_non_null(strategy);
        assert_int_equal(strategy->parameter, cases[i].parameter);
        assert_int_equal(strategy->calibration.decisions_max, 1);
        char buffer[32];
        struct text text = text_in(buffer, sizeof buffer);
        sct_strategy_format(strategy, &text);
        assert_string_equal(text.data, cases[i].formatted);
        sct_strategy_free(strategy);
    }
}

// What names no strategy, or not its parameter, is refused with a line that repeats it.
static void test_strategy_new_refuses_what_it_does_not_know(void **state) {
    (void)state;
    static const char *const specs[] = {
        "",
        "rando",
        "random2",
        "Random",
        "random:",
        "random:1",
        "pct:",
        "pct:0",
        "pct:33",
        "pct:-1",
        "pct:+3",
        "pct: 3",
        "pct:3 ",
        "pct:3x",
        "pct:0x3",
        "pct:3:3",
        "pct:99999999999999999999",
        ":3",
    };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        struct error error = {{0}};
        assert_null(sct_strategy_new(specs[i], &error));
        assert_true(strlen(error.text) > 10);
        assert_null(strchr(error.text, '\n'));
    }
}

// The registry lists every strategy once, completely described.
static void test_strategy_at_lists_the_registry(void **state) {
    (void)state;
    size_t count = 0;
    for (const struct sct_strategy_ops *ops; (ops = sct_strategy_at(count)); count++) {
        assert_true(strlen(ops->name) > 0 && strlen(ops->summary) > 0);
        assert_true(ops->size >= sizeof(struct sct_strategy));
        assert_true(ops->parameter_min <= ops->parameter_default);
        assert_true(ops->parameter_default <= ops->parameter_max);
        assert_true(ops->members || (ops->begin && ops->pick && ops->choose));
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(sct_strategy_at(i)->name, ops->name);
    }
    assert_true(count >= 2);
    assert_null(sct_strategy_at(count + 1));
    assert_null(sct_strategy_at(SIZE_MAX));
}

static uint64_t weak_answers[4];
static uint32_t weak_asked; // in an execution

static void ask_weakly(void *unused) {
    (void)unused;
    for (uint32_t i = 0; i < weak_asked; i++) {
        sct_point("step", HERE, &sct_access_none);
        weak_answers[sct_choose_weak(4, "weak")]++;
    }
}

static void one_asks(void *unused) {
    start("m", ask_weakly, unused);
}

// 0 every second time, else any of the others, or all alike; in the fair tail only 0.
static void test_weak_values_are_often_the_first(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        double first; // probability of 0
    } cases[] = {{"random", 0.5}, {"sticky", 0.5},   {"pos", 0.5},        {"urw", 0.5},
                 {"pct:3", 0.25}, {"delay:2", 0.25}, {"fair:random", 0.5}};
    const struct sct_program program = {.setup = one_asks};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sct_strategy *strategy = new_strategy(cases[i].spec);
        memset(weak_answers, 0, sizeof weak_answers);
        weak_asked = 4000;
        assert_passed(run_with(strategy, &program, 1));
        assert_chance(weak_answers[0], 4000, cases[i].first);
        assert_uniform(weak_answers + 1, 3);
        weak_asked = 9000; // the tail begins at 5,000 points
        memset(weak_answers, 0, sizeof weak_answers);
        assert_passed(run_with(strategy, &program, 1));
        assert_chance(9000 - weak_answers[0], 5000, 1 - cases[i].first);
        sct_strategy_free(strategy);
    }
}

// What steps touch: all keys, or each task its own.
static bool touches_all;

static void touch_keys(void *argument) {
    uintptr_t key = (uintptr_t)argument;
    const struct sct_access own = {.mode = SCT_ACCESS_WRITE, .low = key, .high = key},
                            all = {.mode = SCT_ACCESS_WRITE, .high = UINT64_MAX};
    for (int i = 0; i < 6; i++)
        sct_point("write", "here:1", touches_all ? &all : &own);
}

static void four_write(void *context) {
    (void)context;
    for (uintptr_t i = 0; i < 4; i++)
        start("w", touch_keys, (void *)i);
}

// How many of 30 seeds run otherwise when steps touch all keys.
static int count_different(struct sct_strategy *strategy) {
    const struct sct_program program = {.setup = four_write};
    int count = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        touches_all = false;
        uint64_t fingerprint = run_with(strategy, &program, seed)->fingerprint;
        touches_all = true;
        count += run_with(strategy, &program, seed)->fingerprint != fingerprint;
    }
    return count;
}

// Who says so ignores keys; POS, which says nothing, does not.
static void test_strategies_ignore_keys_as_they_say(void **state) {
    (void)state;
    static const char *const specs[] = {"random", "sticky:4", "pct:3", "urw", "delay:2", "pos"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct sct_strategy *strategy = new_strategy(specs[i]);
        assert_int_equal(strategy->ops->ignores_keys, i < 5);
        if (i < 5)
            assert_int_equal(count_different(strategy), 0);
        else
            assert_true(count_different(strategy) > 0);
        sct_strategy_free(strategy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alternatives_are_cyclic_from_the_current_task),
        cmocka_unit_test(test_alternatives_and_slots_are_inverse),
        cmocka_unit_test(test_slots_are_sets),
        cmocka_unit_test(test_count_bits_agrees_with_a_loop),
        cmocka_unit_test(test_accesses_race_if_their_order_can_matter),
        cmocka_unit_test(test_strategy_new_reads_specs),
        cmocka_unit_test(test_strategy_new_refuses_what_it_does_not_know),
        cmocka_unit_test(test_strategy_at_lists_the_registry),
        ENGINE_TEST(test_weak_values_are_often_the_first),
        ENGINE_TEST(test_strategies_ignore_keys_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
