#include "tests/support/chance.h"
#include "tests/support/programs.h"

// ---- Priorities --------------------------------------------------------------------------------

enum { TASKS = 6 };

// A scheduling point made by hand. Task i is about to write object objects[i].
struct scene {
    struct sct_strategy *strategy;
    struct sct_access accesses[TASKS];
    struct sct_slot slots[TASKS];
    struct sct_slots alive, none;
    struct sct_schedule_point point;
};

static struct sct_access write_of(uint32_t object) {
    return (struct sct_access){.mode = SCT_ACCESS_WRITE, .object = object, .high = UINT64_MAX};
}

static void open_scene(struct scene *scene, const uint32_t *objects) {
    *scene = (struct scene){.strategy = new_strategy("pos")};
    for (int i = 0; i < TASKS; i++) {
        scene->accesses[i] = write_of(objects[i]);
        scene->slots[i].access = &scene->accesses[i];
    }
    scene->alive.words[0] = (1U << TASKS) - 1;
    scene->point.alive = &scene->alive;
    scene->point.slots = scene->slots;
}

static void begin_scene(struct scene *scene, uint64_t seed) {
    rng_seed(&scene->strategy->rng, seed);
    scene->strategy->ops->begin(scene->strategy);
    scene->point.fresh = &scene->alive;
    scene->point.ordinal = 0;
}

// Which of [enabled] is picked. Nobody takes a step.
static unsigned ask(struct scene *scene, uint64_t enabled) {
    scene->point.enabled = SLOTS(enabled);
    scene->point.count = sct_count_bits(enabled);
    scene->point.ordinal++;
    unsigned slot = scene->strategy->ops->pick(scene->strategy, &scene->point);
    scene->point.fresh = &scene->none;
    return slot;
}

static unsigned ask_and_step(struct scene *scene, uint64_t enabled) {
    unsigned slot = ask(scene, enabled);
    scene->slots[slot].steps++;
    return slot;
}

// Bit by bit, which of each two of tasks 0 to 3 comes first.
static unsigned order_of_four(struct scene *scene) {
    unsigned order = 0;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = i + 1; j < 4; j++)
            order = order << 1 | (ask(scene, 1U << i | 1U << j) == i);
    return order;
}

// Steps keep their priorities as long as nothing that races with them runs: the order of four that
// write objects of their own outlasts ten steps of two others.
static void test_pos_keeps_priorities_of_steps_that_do_not_race(void **state) {
    (void)state;
    static const uint32_t objects[TASKS] = {0, 1, 2, 3, 9, 9};
    struct scene scene;
    open_scene(&scene, objects);
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin_scene(&scene, seed);
        unsigned order = order_of_four(&scene);
        for (int i = 0; i < 10; i++) {
            assert_in_range(ask_and_step(&scene, 1U << 4 | 1U << 5), 4, 5);
            assert_int_equal(order_of_four(&scene), order);
        }
    }
    sct_strategy_free(scene.strategy);
}

// Four tasks, two write object 1 and two object 2. Once the highest M of four priorities has run,
// its pair has two new ones, A and B, and the other keeps C and D, both uniform below M. The other
// pair is next with P(max(C,D) > max(A,B)) = E[M^2] * integral 2s s^2 = 4/6 * 1/2 = 1/3. (If the
// racing step were not drawn anew: E[M] * integral 2s s s = 2/5; if all were: 1/2.) 20,000 times:
// 6,667 +- 5 * 67, where 2/5 is 8,000.
static void test_pos_draws_anew_for_racing_steps(void **state) {
    (void)state;
    enum { RUNS = 20000 };
    static const uint32_t objects[TASKS] = {1, 1, 2, 2};
    struct scene scene;
    open_scene(&scene, objects);
    uint64_t changes = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        begin_scene(&scene, seed);
        unsigned first = ask_and_step(&scene, 15);
        changes += ask(&scene, 15) / 2 != first / 2;
    }
    sct_strategy_free(scene.strategy);
    assert_chance(changes, RUNS, 1 / 3.0);
}

// The next step of a task has a priority of its own: the winner of two that do not race wins again
// with probability 1 - E[the lower of two] = 2/3, 13,333 +- 5 * 67 of 20,000.
static void test_pos_draws_for_the_next_step(void **state) {
    (void)state;
    enum { RUNS = 20000 };
    static const uint32_t objects[TASKS] = {1, 2};
    struct scene scene;
    open_scene(&scene, objects);
    uint64_t again = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        begin_scene(&scene, seed);
        unsigned first = ask_and_step(&scene, 3);
        again += ask(&scene, 3) == first;
    }
    sct_strategy_free(scene.strategy);
    assert_chance(again, RUNS, 2 / 3.0);
}

// A step that touches nothing races with none, now or later: it runs first, and leaves the order of
// the others as it is.
static void test_pos_runs_steps_that_touch_nothing_first(void **state) {
    (void)state;
    static const uint32_t objects[TASKS] = {0, 1, 2, 3};
    struct scene scene;
    open_scene(&scene, objects);
    scene.slots[4].access = &sct_access_none;
    scene.slots[5].access = &sct_access_unknown;
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin_scene(&scene, seed);
        unsigned order = order_of_four(&scene);
        for (int i = 0; i < 5; i++)
            assert_int_equal(ask_and_step(&scene, 63), 4);
        assert_int_equal(order_of_four(&scene), order);
    }
    sct_strategy_free(scene.strategy);
}

// ---- The advantage over a random walk ----------------------------------------------------------

static int unrelated; // steps of the long task before the racing one
static const struct sct_access *unrelated_access;
static char first_writer; // of the racing pair
static const struct sct_access shared_write = {SCT_ACCESS_WRITE, 1, 0, 0};
static const struct sct_access own_write = {SCT_ACCESS_WRITE, 2, 0, 0};

static void write_shared(void *argument) {
    sct_point("write", "here:1", &shared_write);
    first_writer = first_writer ? first_writer : *(const char *)argument;
}

static void write_shared_late(void *argument) {
    for (int i = 0; i < unrelated; i++)
        sct_point("unrelated", "here:1", unrelated_access);
    write_shared(argument);
}

static bool long_one_is_created_first;

static void long_and_short(void *context) {
    (void)context;
    first_writer = 0;
    if (long_one_is_created_first)
        start("long", write_shared_late, "l");
    start("short", write_shared, "s");
    if (!long_one_is_created_first)
        start("long", write_shared_late, "l");
}

enum { RUNS = 20000 };

// In how many of RUNS executions the long task writes first.
static uint64_t count_long_first(const char *spec) {
    const struct sct_program program = {.setup = long_and_short};
    struct sct_strategy *strategy = new_strategy(spec);
    uint64_t count = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        assert_passed(run_with(strategy, &program, seed));
        count += first_writer == 'l';
    }
    sct_strategy_free(strategy);
    return count;
}

// The random walk must take the long task n+2 times before the short one twice: 2^-(n+2) (1 + (n+2)
// / 2).
static double chance_of_random(int n) {
    return pow(2, -(n + 2)) * (1 + (n + 2) / 2.0);
}

// Two tasks write the same object, one of them after n steps that touch nothing. Every race of the
// two (of their starts, which are unknown steps, and of the writes) is a fair coin, so each comes
// first in half of the executions, whatever n: 10,000 +- 5 * 71 of 20,000. For a random walk it is
// 0.6 % with n = 8, 117 +- 5 * 11, and less than 10^-7 with n = 30.
static void test_pos_is_even_whatever_the_number_of_local_steps(void **state) {
    (void)state;
    unrelated_access = &sct_access_none;
    static const int lengths[] = {0, 1, 8, 30};
    for (int i = 0; i < 8; i++) {
        unrelated = lengths[i / 2];
        long_one_is_created_first = i % 2;
        assert_chance(count_long_first("pos"), RUNS, 1 / 2.0);
    }
    unrelated = 8;
    assert_chance(count_long_first("random"), RUNS, chance_of_random(8));
}

// The same with steps on an object of the long task's own, which might race with what comes later.
// Let S(j) be the chance that the long task does its j steps left before the write of a short task
// that has not started: an even race with that start each time, S(j) = S(j-1)/2 + T(j)/2, S(0) = 1.
// Once it has started, its write keeps one priority against j fresh ones: T(j) = 1/(j+1). With the
// race of the starts it is S(n+1)/2 + T(n+1)/4.
static double chance_of_pos(int n) {
    double s = 1;
    for (int j = 1; j <= n + 1; j++)
        s = s / 2 + 0.5 / (j + 1);
    return s / 2 + 0.25 / (n + 2);
}

// That is 9.1 % for n = 8 and 2.5 % for n = 30, 502 +- 5 * 22 of 20,000, whichever task is created
// first; the random walk has 0.6 %, and less than 10^-7, which is nothing in 20,000.
static void test_pos_is_polynomial_in_the_number_of_unrelated_steps(void **state) {
    (void)state;
    unrelated_access = &own_write;
    static const int lengths[] = {1, 8, 30};
    for (int i = 0; i < 6; i++) {
        unrelated = lengths[i / 2];
        long_one_is_created_first = i % 2;
        assert_chance(count_long_first("pos"), RUNS, chance_of_pos(unrelated));
    }
    assert_int_equal(count_long_first("random"), 0);
}

// ---- Completeness ------------------------------------------------------------------------------

static const struct sct_access write_z = {SCT_ACCESS_WRITE, 3, 0, 0};
static const struct sct_access read_z = {SCT_ACCESS_READ, 3, 0, 0};
static const struct sct_access read_x = {SCT_ACCESS_READ, 1, 0, 0};
static bool z, x, saw_half;

static void write_both(void *argument) {
    (void)argument;
    sct_point("write z", "here:1", &write_z);
    z = true;
    sct_point("write x", "here:1", &shared_write);
    x = true;
}

static void read_both(void *argument) {
    (void)argument;
    sct_point("read z", "here:1", &read_z);
    bool saw_z = z;
    sct_point("elsewhere", "here:1", &own_write);
    sct_point("read x", "here:1", &read_x);
    saw_half = saw_z && !x;
}

static bool writer_is_first;

static void half_written(void *context) {
    (void)context;
    z = x = saw_half = false;
    if (writer_is_first)
        start("writer", write_both, NULL);
    start("reader", read_both, NULL);
    if (!writer_is_first)
        start("writer", write_both, NULL);
}

// That two steps do not race does not make their order immaterial: what follows one may race with
// the other. All C(7,3) = 35 interleavings of two tasks of three and four steps occur, and among
// them those in which the reader sees half of what is written. The rarest has a probability of
// about 1/2^6/3, so 20,000 runs miss one of them with less than 35 e^-100.
static void test_pos_reaches_all_interleavings(void **state) {
    (void)state;
    const struct sct_program program = {.setup = half_written};
    for (int order = 0; order < 2; order++) {
        writer_is_first = order;
        struct sct_strategy *strategy = new_strategy("pos");
        uint64_t seen[35], count = 0, halves = 0;
        for (uint64_t seed = 0; seed < RUNS; seed++) {
            uint64_t fingerprint = run_with(strategy, &program, seed)->fingerprint;
            uint64_t i = 0;
            while (i < count && seen[i] != fingerprint)
                i++;
            assert_true(i < 35);
            seen[i] = fingerprint;
            count += i == count;
            halves += saw_half;
        }
        sct_strategy_free(strategy);
        assert_int_equal(count, 35);
        assert_true(halves > 0);
    }
}

// ---- Independence of executions ----------------------------------------------------------------

static struct sct_strand *sleeper;

static void wake_sleeper(void *argument) {
    (void)argument;
    step("before");
    if (sleeper)
        sct_wake(sleeper);
    sleeper = NULL;
    step("after");
}

static void start_two_and_sleep(void *argument) {
    (void)argument;
    sct_task_start(sct_machine_self(), "child", wake_sleeper, NULL);
    sct_task_start(sct_machine_self(), "child", wake_sleeper, NULL);
    sleeper = sct_self();
    sct_park("its children");
    step("woken");
}

static void sleeping_parent(void *context) {
    (void)context;
    start("parent", start_two_and_sleep, NULL);
}

// An execution does not depend on those before it, also where a task waits at the first decision
// since its start: a strategy used 500 times does the same as a new one.
static void test_pos_executions_are_independent(void **state) {
    (void)state;
    const struct sct_program program = {.setup = sleeping_parent};
    struct sct_strategy *used = new_strategy("pos");
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint64_t fingerprint = run_with(used, &program, seed)->fingerprint;
        struct sct_strategy *unused = new_strategy("pos");
        assert_true(run_with(unused, &program, seed)->fingerprint == fingerprint);
        sct_strategy_free(unused);
    }
    sct_strategy_free(used);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pos_keeps_priorities_of_steps_that_do_not_race),
        cmocka_unit_test(test_pos_draws_anew_for_racing_steps),
        cmocka_unit_test(test_pos_draws_for_the_next_step),
        cmocka_unit_test(test_pos_runs_steps_that_touch_nothing_first),
        ENGINE_TEST(test_pos_is_even_whatever_the_number_of_local_steps),
        ENGINE_TEST(test_pos_is_polynomial_in_the_number_of_unrelated_steps),
        ENGINE_TEST(test_pos_reaches_all_interleavings),
        ENGINE_TEST(test_pos_executions_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
