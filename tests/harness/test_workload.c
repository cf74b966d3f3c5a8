// The published inputs: the exact distribution of the published choice, and the order of draws.
#include "tests/harness/run.h"

#include "harness/migrating/workload.h"

// ---- Enumeration -------------------------------------------------------------------------------

// Answers the values of one execution with the bits of a number, the first draw its highest bit.
struct scripted {
    struct sct_strategy base; // first member
    uint32_t bits, width;     // what to answer
    uint32_t asked;
};

static void begin(struct sct_strategy *strategy) {
    ((struct scripted *)strategy)->asked = 0;
}

static unsigned pick_first(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    (void)strategy;
    return sct_alternative_slot(point, 0);
}

static uint32_t next_bit(struct sct_strategy *strategy, uint32_t count) {
    struct scripted *scripted = (struct scripted *)strategy;
    scripted->asked++;
    if (count != 2 || scripted->asked > scripted->width)
        return 0;
    return scripted->bits >> (scripted->width - scripted->asked) & 1;
}

static const struct sct_strategy_ops scripted_ops = {
    .name = "scripted",
    .summary = "answers given bits",
    .size = sizeof(struct scripted),
    .begin = begin,
    .pick = pick_first,
    .choose = next_bit,
};

static struct { size_t count, result; } drawn;

static void draw(void *context) {
    drawn.result = published_choice(context, drawn.count);
}

enum { COUNT_MAX = 7 };

// The weight of each result of published_choice(count) in 2^width equally likely strings of bits.
static void enumerate(size_t count, uint32_t width, unsigned weights[COUNT_MAX]) {
    struct sct_engine *engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 100});
    struct sct_program program = {.setup = draw};
    memset(weights, 0, sizeof(unsigned) * COUNT_MAX);
    for (uint32_t bits = 0; bits < 1u << width; bits++) {
        struct scripted scripted = {.base = {.ops = &scripted_ops}, .bits = bits, .width = width};
        drawn.count = count;
        drawn.result = SIZE_MAX;
        const struct sct_result *result = sct_engine_run(engine, &program, &scripted.base, 0);
        assert_int_equal(result->outcome, SCT_PASSED);
        assert_int_equal(result->decision_count, width); // no more bits and no fewer
        assert_int_equal(scripted.asked, width);
        assert_true(drawn.result < count);
        weights[drawn.result]++;
    }
    sct_engine_close(engine);
}

// All bit strings for all counts from 1 to 7: the distribution is the published one, which is not
// uniform for 3, 5, 6 and 7, and draws exactly ceil(log2 count) bits.
static void test_published_choice(void **state) {
    (void)state;
    static const struct {
        uint32_t width;
        unsigned weights[COUNT_MAX];
    } expected[COUNT_MAX + 1] = {
        {0},                        // unused
        {0, {1}},                   // certain
        {1, {1, 1}},                // 1/2 each
        {2, {2, 1, 1}},             // 1/2 1/4 1/4
        {2, {1, 1, 1, 1}},          // 1/4 each
        {3, {2, 2, 2, 1, 1}},       // 1/4 1/4 1/4 1/8 1/8
        {3, {2, 2, 1, 1, 1, 1}},    // 1/4 1/4, then 1/8
        {3, {2, 1, 1, 1, 1, 1, 1}}, // 1/4, then 1/8
    };
    for (size_t count = 1; count <= COUNT_MAX; count++) {
        unsigned weights[COUNT_MAX];
        enumerate(count, expected[count].width, weights);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(weights[i], expected[count].weights[i]);
    }
}

// ---- The order of draws ------------------------------------------------------------------------

enum { DRAWS_MAX = 64 };

// What one machine drew in an execution, being read from the front.
struct draws {
    const char *labels[DRAWS_MAX];
    uint32_t answers[DRAWS_MAX];
    size_t count, next;
};

static struct draws collect_draws(const struct sct_engine *engine, const char *machine) {
    struct draws draws = {.count = 0};
    uint32_t count = sct_engine_last_result(engine)->decision_count;
    for (uint32_t i = 0; i < count; i++) {
        struct sct_decision decision = sct_engine_decision(engine, i);
        if (decision.kind != SCT_DECISION_VALUE || strcmp(decision.machine, machine) != 0)
            continue;
        assert_int_equal(decision.count, 2); // fair bits only
        assert_true(draws.count < DRAWS_MAX);
        draws.labels[draws.count] = decision.label;
        draws.answers[draws.count++] = decision.answer;
    }
    return draws;
}

static uint32_t read_bit(struct draws *draws, const char *label) {
    assert_true(draws->next < draws->count);
    assert_string_equal(draws->labels[draws->next], label);
    return draws->answers[draws->next++];
}

static uint32_t read_choice(struct draws *draws, uint32_t count, int width) {
    uint32_t value = 0;
    for (int i = 0; i < width; i++)
        value = value << 1 | read_bit(draws, "bit");
    return value < count ? value : value - count;
}

static unsigned types_seen, etag_widths_seen;

static void read_operation(struct draws *draws, uint32_t key_count) {
    uint32_t type = read_choice(draws, 7, 3);
    read_choice(draws, key_count, 3);
    types_seen |= 1u << type;
    // Replace, Merge and Delete have an If-Match: of two, or of three if the row exists.
    int width = 0;
    while (strcmp(draws->labels[draws->next], "bit") == 0) {
        read_bit(draws, "bit");
        width++;
    }
    bool is_conditional = type >= 1 && type <= 3;
    assert_true(is_conditional ? width == 1 || width == 2 : width == 0);
    etag_widths_seen |= 1u << width;
    read_bit(draws, "isHappy");
}

static void read_atomic_call(struct draws *draws) {
    if (read_bit(draws, "query") == 1) {
        read_choice(draws, 3, 2);
        return;
    }
    bool is_double = read_bit(draws, "two operations") == 1;
    read_operation(draws, 6);
    if (is_double)
        read_operation(draws, 5); // the first one's key is taken
}

// A random machine draws fair bits in the published order: stream or calls; of a stream its filter;
// of a call whether it queries; of a query its filter; of a batch its size and for each operation
// type, key, If-Match, isHappy.
static void test_order_of_draws(void **state) {
    (void)state;
    static const char *const machines[] = {"service-0", "service-1"};
    struct run run;
    run_open(&run, "fast16", NO_BUG, "random", 1);
    for (uint64_t i = 0; i < 300; i++) {
        sct_engine_run(run.engine, &run.program, run.strategy, sct_execution_seed(1, i));
        for (size_t m = 0; m < 2; m++) {
            struct draws draws = collect_draws(run.engine, machines[m]);
            if (read_bit(&draws, "stream") == 1) {
                read_choice(&draws, 3, 2);
            } else {
                read_atomic_call(&draws);
                read_atomic_call(&draws);
            }
            assert_int_equal(draws.next, draws.count);
        }
    }
    run_close(&run);
    assert_int_equal(types_seen, 0x7f);
    assert_int_equal(etag_widths_seen, 0x7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_choice),
        cmocka_unit_test(test_order_of_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
