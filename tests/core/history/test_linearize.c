// The checker against an independent one that tries every order: on all small histories of a
// register, and on sampled larger ones. MTCHECK_FULL=1 takes the full sample.
#include "tests/support/test.h"

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/history/linearize.h"

#include <stdlib.h>
#include <string.h>

enum function { READ, WRITE, CAS, FLIP };

enum { MAX_OPERATIONS = 8, KEYS = 3 };

static struct lin_checker *checker;
static struct sct_history history;

static int open_checker(void **state) {
    (void)state;
    checker = lin_open(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = 1 << 26});
    sct_history_init(&history);
    return 0;
}

static int close_checker(void **state) {
    (void)state;
    lin_close(checker);
    sct_history_deinit(&history);
    return 0;
}

// ---- Registers, by key, each at first 0 --------------------------------------------------------

static void init(void *context, uint64_t *state) {
    memset(state, 0, *(uint32_t *)context * sizeof *state);
}

static uint32_t step(void *context, const uint64_t *state, const struct sct_operation *operation,
                     uint32_t way, uint64_t *next) {
    uint32_t words = *(uint32_t *)context;
    uint64_t key = words > 1 ? operation->key : 0;
    memcpy(next, state, words * sizeof *state);
    switch ((enum function)operation->function) {
    case READ:
        return !operation->has_output || operation->output == state[key];
    case WRITE:
        next[key] = operation->input[0];
        return 1;
    case CAS:
        if (state[key] == operation->input[0])
            next[key] = operation->input[1];
        return !operation->has_output || operation->output == (state[key] == operation->input[0]);
    case FLIP: // sets 0 or 1, nobody knows which
        next[key] = way;
        return 2;
    }
    return 0;
}

static uint64_t part(void *context, const struct sct_operation *operation) {
    (void)context;
    return operation->key;
}

static bool observes(void *context, const struct sct_operation *operation) {
    (void)context;
    return operation->function == READ ||
           (operation->function == CAS && operation->has_output && !operation->output);
}

static bool reaches(void *context, const uint64_t *state, const struct sct_operation *goal) {
    bool is_single = *(uint32_t *)context == 1;
    return goal->function != READ || state[is_single ? 0 : goal->key] == goal->output;
}

static bool leads(void *context, const struct sct_operation *operation,
                  const struct sct_operation *goal) {
    (void)context;
    if (operation->key != goal->key)
        return false;
    switch ((enum function)operation->function) {
    case WRITE:
        return operation->input[0] == goal->output;
    case CAS:
        return operation->input[1] == goal->output;
    case FLIP:
        return goal->output <= 1;
    case READ:
        break;
    }
    return false;
}

static bool equal(void *context, const uint64_t *a, const uint64_t *b) {
    return memcmp(a, b, *(uint32_t *)context * sizeof *a) == 0;
}

// A poor hash: the search must not depend on a good one.
static uint64_t hash(void *context, const uint64_t *state) {
    (void)context;
    return state[0] & 1;
}

static uint32_t one_word = 1, word_per_key = KEYS;

static const struct lin_spec plain = {
    .context = &one_word, .state_words = 1, .init = init, .step = step};
static const struct lin_spec observing = {
    .context = &one_word, .state_words = 1, .init = init, .step = step, .observes = observes};
static const struct lin_spec looking_ahead = {.context = &one_word,
                                              .state_words = 1,
                                              .init = init,
                                              .step = step,
                                              .observes = observes,
                                              .reaches = reaches,
                                              .leads = leads};
static enum lin_access access(void *context, const struct sct_operation *operation,
                              uint64_t *value) {
    (void)context;
    *value = operation->function == READ ? operation->output : operation->input[0];
    switch ((enum function)operation->function) {
    case READ:
        return operation->has_output ? LIN_READS : LIN_PASSES;
    case WRITE:
        return LIN_WRITES;
    case CAS:
    case FLIP:
        break;
    }
    return LIN_SEARCHED;
}

static const struct lin_spec accessing = {.context = &one_word,
                                          .state_words = 1,
                                          .init = init,
                                          .step = step,
                                          .observes = observes,
                                          .access = access};
static const struct lin_spec hashing = {.context = &one_word,
                                        .state_words = 1,
                                        .init = init,
                                        .step = step,
                                        .equal = equal,
                                        .hash = hash};
static const struct lin_spec whole = {.context = &word_per_key,
                                      .state_words = KEYS,
                                      .init = init,
                                      .step = step,
                                      .observes = observes};
static const struct lin_spec by_key = {
    .context = &one_word, .state_words = 1, .init = init, .step = step, .part = part};

static const struct lin_spec *const specs[] = {&plain, &observing, &looking_ahead, &accessing,
                                               &hashing};

enum { SPECS = sizeof specs / sizeof specs[0] };

// ---- The other checker -------------------------------------------------------------------------

// Whether the operations not in [done] can follow each other from [value]. Operations called at
// [cut] or later do not count; those that return then need not be there. Knows flips, and one key.
static bool can_follow(const struct sct_history *log, uint32_t cut, uint32_t done, uint64_t value) {
    uint32_t first_return = SCT_NEVER;
    for (uint32_t i = 0; i < log->operation_count; i++)
        if (!(done >> i & 1) && log->operations[i].returned_at < cut &&
            log->operations[i].returned_at < first_return)
            first_return = log->operations[i].returned_at;
    if (first_return == SCT_NEVER)
        return true;
    for (uint32_t i = 0; i < log->operation_count; i++) {
        const struct sct_operation *operation = &log->operations[i];
        bool is_known = operation->has_output && operation->returned_at < cut;
        uint32_t with = done | 1u << i;
        if (done >> i & 1 || operation->called_at > first_return)
            continue;
        bool is_as_expected = value == operation->input[0];
        if (operation->function == WRITE && can_follow(log, cut, with, operation->input[0]))
            return true;
        if (operation->function == READ && (!is_known || operation->output == value) &&
            can_follow(log, cut, with, value))
            return true;
        if (operation->function == CAS && (!is_known || operation->output == is_as_expected) &&
            can_follow(log, cut, with, is_as_expected ? operation->input[1] : value))
            return true;
        if (operation->function == FLIP &&
            (can_follow(log, cut, with, 0) || can_follow(log, cut, with, 1)))
            return true;
    }
    return false;
}

static bool is_linearizable(const struct sct_history *log, uint32_t cut) {
    return can_follow(log, cut, 0, 0);
}

// ---- Comparing them ----------------------------------------------------------------------------

static enum lin_verdict verdict_of(const struct lin_spec *spec) {
    struct lin_result result;
    lin_check(checker, spec, &history, &result);
    return result.verdict;
}

static void print_history(void) {
    static const char *const names[] = {"read", "write", "cas", "flip"};
    for (uint32_t i = 0; i < history.operation_count; i++) {
        const struct sct_operation *operation = &history.operations[i];
        print_message("%u..%d key %d %s %d %d -> %d (%s)\n", operation->called_at,
                      (int)operation->returned_at, (int)operation->key, names[operation->function],
                      (int)operation->input[0], (int)operation->input[1], (int)operation->output,
                      operation->has_output ? "known" : "unknown");
    }
}

static void assert_agrees(const struct lin_spec *spec) {
    enum lin_verdict expected =
        is_linearizable(&history, SCT_NEVER) ? LIN_LINEARIZABLE : LIN_NOT_LINEARIZABLE;
    if (verdict_of(spec) == expected)
        return;
    print_history();
    fail_msg("the verdict is %d, not %d", (int)verdict_of(spec), (int)expected);
}

// Every linearization of the told order is one: each operation fits, none comes after one that was
// called when it had returned, and all that returned before the blocked one are there.
static void assert_order_is_right(const struct lin_result *result) {
    uint32_t blocked_at = history.operations[result->blocked].returned_at;
    uint64_t possible[2] = {0, 0}; // states; a flip makes two
    uint32_t possible_count = 1, seen = 0;
    for (uint32_t i = 0; i < result->order_count; i++) {
        struct sct_operation operation = history.operations[result->order[i]];
        assert_false(seen >> result->order[i] & 1);
        seen |= 1u << result->order[i];
        for (uint32_t j = i + 1; j < result->order_count; j++)
            assert_true(history.operations[result->order[j]].returned_at > operation.called_at);
        if (operation.returned_at >= blocked_at)
            operation.has_output = false;
        uint64_t next[4];
        uint32_t next_count = 0;
        for (uint32_t j = 0; j < possible_count; j++) {
            uint32_t ways = step(&one_word, &possible[j], &operation, 0, &next[next_count]);
            if (ways == 2)
                step(&one_word, &possible[j], &operation, 1, &next[next_count + 1]);
            next_count += ways;
        }
        if (next_count == 0) {
            print_history();
            for (uint32_t j = 0; j < result->order_count; j++)
                print_message("  %u\n", result->order[j]);
            fail_msg("operation %u cannot follow; blocked %u", result->order[i], result->blocked);
        }
        possible_count = next_count > 2 ? 2 : next_count;
        memcpy(possible, next, possible_count * sizeof *possible);
    }
    for (uint32_t i = 0; i < history.operation_count; i++)
        if (history.operations[i].returned_at < blocked_at)
            assert_true(seen >> i & 1);
}

// The history is not linearizable: the place where it stops being so is told exactly.
static void assert_explained(const struct lin_spec *spec) {
    struct lin_result result;
    lin_check(checker, spec, &history, &result);
    assert_int_equal(result.verdict, LIN_NOT_LINEARIZABLE);
    assert_order_is_right(&result);
    lin_explain(checker, spec, &history, &result);
    assert_true(result.is_longest);
    assert_order_is_right(&result);
    uint32_t blocked_at = history.operations[result.blocked].returned_at;
    assert_true(is_linearizable(&history, blocked_at));
    assert_false(is_linearizable(&history, blocked_at + 1));
}

// ---- All small histories -----------------------------------------------------------------------

// What an operation can be.
struct kind {
    enum function function;
    int input[2];
    int output; // UNKNOWN: it returned, but nobody knows what
};

enum { UNKNOWN = -1 };

static const struct kind rich_kinds[] = {
    {READ, {0}, 0},       {READ, {0}, 1},      {READ, {0}, UNKNOWN},
    {WRITE, {0}, 0},      {WRITE, {1}, 0},     {CAS, {0, 1}, true},
    {CAS, {0, 1}, false}, {CAS, {1, 0}, true}, {CAS, {1, 0}, UNKNOWN},
};

static const struct kind simple_kinds[] = {
    {READ, {0}, 0}, {READ, {0}, 1}, {WRITE, {0}, 0}, {WRITE, {1}, 0}};

struct enumeration {
    const struct kind *kinds;
    uint32_t kind_count;
    uint32_t operations;
    uint64_t checked, linearizable;
    uint32_t stride; // checks every so many
    uint64_t seen;
};

static void set_kind(struct sct_operation *operation, const struct kind *kind) {
    operation->function = kind->function;
    operation->input[0] = (uint64_t)kind->input[0];
    operation->input[1] = (uint64_t)kind->input[1];
    operation->has_output = operation->returned_at != SCT_NEVER && kind->output != UNKNOWN;
    operation->output = operation->has_output ? (uint64_t)kind->output : 0;
}

// Checks every choice of kinds for the operations of the history from number [from] on.
static void check_kinds(struct enumeration *all, uint32_t from) {
    if (from < all->operations) {
        for (uint32_t i = 0; i < all->kind_count; i++) {
            // What did not return has no output: of kinds that differ in it one is enough.
            if (history.operations[from].returned_at == SCT_NEVER && i > 0 &&
                all->kinds[i].function == all->kinds[i - 1].function &&
                all->kinds[i].input[0] == all->kinds[i - 1].input[0])
                continue;
            set_kind(&history.operations[from], &all->kinds[i]);
            check_kinds(all, from + 1);
        }
        return;
    }
    if (all->seen++ % all->stride != 0)
        return;
    const struct lin_spec *spec = specs[all->checked++ % SPECS];
    assert_agrees(spec);
    if (is_linearizable(&history, SCT_NEVER))
        all->linearizable++;
    else
        assert_explained(spec);
}

static void undo_event(void) {
    uint32_t event = history.events[--history.event_count];
    if (event & 1)
        history.operations[event / 2].returned_at = SCT_NEVER;
    else
        history.operation_count--;
}

// Continues the history in every way: the next call, or the return of any open operation.
static void check_continuations(struct enumeration *all) {
    if (history.operation_count == all->operations)
        check_kinds(all, 0);
    if (history.operation_count < all->operations) {
        sct_history_call(&history, &(struct sct_operation){.process = history.operation_count});
        check_continuations(all);
        undo_event();
    }
    for (uint32_t i = 0; i < history.operation_count; i++) {
        if (history.operations[i].returned_at != SCT_NEVER)
            continue;
        sct_history_return(&history, i, 0);
        check_continuations(all);
        undo_event();
    }
}

static void check_all(const struct kind *kinds, uint32_t kind_count, uint32_t operations,
                      uint64_t expected_count) {
    struct enumeration all = {
        .kinds = kinds,
        .kind_count = kind_count,
        .operations = operations,
        .stride = ARENA_POISONS && operations >= 4 ? 13 : 1,
    };
    sct_history_clear(&history);
    check_continuations(&all);
    assert_true(all.linearizable > 0);
    if (operations > 1)
        assert_true(all.linearizable < all.checked);
    if (expected_count > 0)
        assert_int_equal(all.seen, expected_count);
}

// Registers of two values: every history of up to 4 reads, writes and compare-and-sets, with
// unknown outputs and operations that never return.
static void test_linearize_all_histories_of_4_operations(void **state) {
    (void)state;
    for (uint32_t operations = 1; operations <= 4; operations++)
        check_all(rich_kinds, sizeof rich_kinds / sizeof rich_kinds[0], operations, 0);
}

// Every history of 5 reads and writes, in all 2,431 orders of calls and returns, with and without
// returns missing. Operations that returned are of 4 kinds, others of 3: the sum over the number of
// missing returns of orders * choices is 945 * 4^5 + 945 * 4^4 * 3 + 420 * 4^3 * 3^2 +
// 105 * 4^2 * 3^3 + 15 * 4 * 3^4 + 3^5 = 1,985,823.
static void test_linearize_all_histories_of_5_operations(void **state) {
    (void)state;
    check_all(simple_kinds, 4, 5, 1985823);
}

// ---- Sampled histories -------------------------------------------------------------------------

static void draw_kind(struct rng *rng, struct sct_operation *operation, uint32_t values) {
    operation->function = rng_below(rng, 8) == 0 ? FLIP : rng_below(rng, 3);
    operation->input[0] = rng_below(rng, values);
    operation->input[1] = rng_below(rng, values);
}

static void draw_history(struct rng *rng, uint32_t operations, uint32_t keys, uint32_t values) {
    uint32_t open[MAX_OPERATIONS], open_count = 0;
    sct_history_clear(&history);
    while (history.operation_count < operations || open_count > 0) {
        bool calls = history.operation_count < operations;
        if (calls && open_count < MAX_OPERATIONS && (open_count == 0 || rng_below(rng, 2) == 0)) {
            struct sct_operation call = {.key = rng_below(rng, keys)};
            draw_kind(rng, &call, values);
            open[open_count++] = sct_history_call(&history, &call);
            continue;
        }
        uint32_t which = rng_below(rng, open_count);
        uint32_t index = open[which], fate = rng_below(rng, 8);
        bool is_cas = history.operations[index].function == CAS;
        open[which] = open[--open_count];
        if (fate == 0)
            sct_history_return_unknown(&history, index);
        else if (fate > 1) // else it never returns
            sct_history_return(&history, index, rng_below(rng, is_cas ? 2 : values));
    }
}

static bool wants_full_sample(void) {
    const char *full = getenv("MTCHECK_FULL");
    return full && *full && *full != '0';
}

static uint32_t sample_size(uint32_t full) {
    return wants_full_sample() ? full : ARENA_POISONS ? full / 50 : full / 10;
}

// A million histories of 7 operations on a register of three values.
static void test_linearize_sampled_histories_of_7_operations(void **state) {
    (void)state;
    struct rng rng;
    uint32_t linearizable = 0, samples = sample_size(1000000);
    rng_seed(&rng, 7);
    for (uint32_t i = 0; i < samples; i++) {
        draw_history(&rng, 7, 1, 3);
        assert_agrees(specs[i % SPECS]);
        if (is_linearizable(&history, SCT_NEVER))
            linearizable++;
        else
            assert_explained(specs[i % SPECS]);
    }
    assert_in_range(linearizable, samples / 10, samples - samples / 10);
}

// Keys are independent: checking them one by one gives what checking them together does.
static void test_linearize_parts_agree_with_the_whole(void **state) {
    (void)state;
    struct rng rng;
    uint32_t linearizable = 0, samples = sample_size(100000);
    rng_seed(&rng, 11);
    for (uint32_t i = 0; i < samples; i++) {
        draw_history(&rng, 12, KEYS, 2);
        enum lin_verdict verdict = verdict_of(&whole);
        assert_int_not_equal(verdict, LIN_UNKNOWN);
        assert_int_equal(verdict, verdict_of(&by_key));
        linearizable += verdict == LIN_LINEARIZABLE;
    }
    assert_in_range(linearizable, samples / 100, samples - samples / 100);
}

// ---- Single histories --------------------------------------------------------------------------

static uint32_t call(enum function function, uint64_t first, uint64_t second) {
    struct sct_operation operation = {.function = function, .input = {first, second}};
    return sct_history_call(&history, &operation);
}

static void done(enum function function, uint64_t input, uint64_t output) {
    sct_history_return(&history, call(function, input, 0), output);
}

// A write that never returned may be seen late, and once seen it stays.
static void test_linearize_pending_write(void **state) {
    (void)state;
    sct_history_clear(&history);
    call(WRITE, 1, 0);
    done(READ, 0, 0);
    done(READ, 0, 1);
    assert_int_equal(verdict_of(&looking_ahead), LIN_LINEARIZABLE);
    done(READ, 0, 0);
    assert_int_equal(verdict_of(&looking_ahead), LIN_NOT_LINEARIZABLE);
}

// Two equal writes that never returned can be seen twice, not three times.
static void test_linearize_equal_pending_writes(void **state) {
    (void)state;
    sct_history_clear(&history);
    call(WRITE, 1, 0);
    call(WRITE, 1, 0);
    for (int i = 0; i < 2; i++) {
        done(READ, 0, 1);
        done(WRITE, 0, 0);
    }
    assert_int_equal(verdict_of(&observing), LIN_LINEARIZABLE);
    done(READ, 0, 1);
    assert_int_equal(verdict_of(&observing), LIN_NOT_LINEARIZABLE);
}

// A compare-and-set that returned something unknown took effect before its return, or failed.
static void test_linearize_unknown_output(void **state) {
    (void)state;
    sct_history_clear(&history);
    sct_history_return_unknown(&history, call(CAS, 0, 1));
    done(READ, 0, 1);
    assert_int_equal(verdict_of(&plain), LIN_LINEARIZABLE);
    sct_history_clear(&history);
    sct_history_return_unknown(&history, call(CAS, 0, 1));
    done(READ, 0, 0);
    assert_int_equal(verdict_of(&plain), LIN_NOT_LINEARIZABLE);
}

// A step with two results: either may be read afterwards, but not one after the other.
static void test_linearize_nondeterministic_step(void **state) {
    (void)state;
    for (uint64_t result = 0; result <= 1; result++) {
        sct_history_clear(&history);
        done(FLIP, 0, 0);
        done(READ, 0, result);
        assert_int_equal(verdict_of(&looking_ahead), LIN_LINEARIZABLE);
        done(READ, 0, 1 - result);
        assert_int_equal(verdict_of(&looking_ahead), LIN_NOT_LINEARIZABLE);
    }
}

// No operations, or none that returned: linearizable.
static void test_linearize_empty_history(void **state) {
    (void)state;
    sct_history_clear(&history);
    assert_int_equal(verdict_of(&plain), LIN_LINEARIZABLE);
    assert_int_equal(verdict_of(&by_key), LIN_LINEARIZABLE);
    call(WRITE, 1, 0);
    assert_int_equal(verdict_of(&plain), LIN_LINEARIZABLE);
}

// One call that stays open while 1,000 others come and go: sets of more than 64 operations.
static void test_linearize_wide_window(void **state) {
    (void)state;
    sct_history_clear(&history);
    uint32_t long_call = call(WRITE, 1000, 0);
    for (uint64_t i = 0; i < 500; i++) {
        done(WRITE, i, 0);
        done(READ, 0, i == 250 ? 1000 : i);
    }
    sct_history_return(&history, long_call, 0);
    for (int i = 0; i < SPECS; i++)
        assert_int_equal(verdict_of(specs[i]), LIN_LINEARIZABLE);
    done(READ, 0, 1000);
    for (int i = 0; i < SPECS; i++)
        assert_int_equal(verdict_of(specs[i]), LIN_NOT_LINEARIZABLE);
}

// 100,000 operations, three at a time, cost a few steps each.
static void test_linearize_long_history(void **state) {
    (void)state;
    sct_history_clear(&history);
    for (uint64_t i = 0; i < 100000 / 3; i++) {
        uint32_t a = call(WRITE, i, 0), b = call(READ, 0, 0), c = call(CAS, i, i + 1);
        sct_history_return(&history, a, 0);
        sct_history_return(&history, b, i + 1);
        sct_history_return(&history, c, true);
    }
    struct lin_result result;
    lin_check(checker, &looking_ahead, &history, &result);
    assert_int_equal(result.verdict, LIN_LINEARIZABLE);
    assert_true(result.steps < 1000000);
}

// ---- Limits ------------------------------------------------------------------------------------

// Writes at the same time, then two reads of which the second reads what cannot be: all orders and
// subsets would have to be tried.
static void make_hard_history(uint32_t writes) {
    uint32_t first = 0;
    sct_history_clear(&history);
    for (uint32_t i = 0; i < writes; i++)
        call(WRITE, i + 1, 0);
    for (uint32_t i = 0; i < writes; i++)
        sct_history_return(&history, first + i, 0);
    done(READ, 0, 0);
}

static void assert_unknown(const struct lin_limits *limits, enum lin_limit limit) {
    struct lin_checker *limited = lin_open(limits);
    struct lin_result result;
    lin_check(limited, &plain, &history, &result);
    assert_int_equal(result.verdict, LIN_UNKNOWN);
    assert_int_equal(result.limit, limit);
    if (limit == LIN_STEPS)
        assert_true(result.steps <= limits->steps_max);
    lin_close(limited);
}

static void test_linearize_limits_make_unknown(void **state) {
    (void)state;
    make_hard_history(40);
    assert_unknown(&(struct lin_limits){.steps_max = 10000, .memory_bytes = 1 << 24}, LIN_STEPS);
    assert_unknown(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = 1 << 16}, LIN_MEMORY);
    assert_unknown(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = 1 << 8}, LIN_MEMORY);
    assert_unknown(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = 0}, LIN_MEMORY);
    assert_unknown(&(struct lin_limits){.steps_max = 0, .memory_bytes = 1 << 16}, LIN_STEPS);
}

// Whatever the memory, the verdict is right or unknown, and nothing is written beyond it.
static void test_linearize_every_memory_size(void **state) {
    (void)state;
    make_hard_history(4);
    bool was_enough = false;
    for (size_t bytes = 0; bytes < 8192; bytes += 8) {
        struct lin_checker *limited =
            lin_open(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = bytes});
        struct lin_result result;
        lin_check(limited, &plain, &history, &result);
        if (result.verdict == LIN_NOT_LINEARIZABLE) {
            was_enough = true;
            lin_explain(limited, &plain, &history, &result);
            assert_order_is_right(&result);
        } else {
            assert_int_equal(result.verdict, LIN_UNKNOWN);
            assert_false(was_enough);
        }
        lin_close(limited);
    }
    assert_true(was_enough);
}

static uint32_t give_up(void *context, const uint64_t *now, const struct sct_operation *operation,
                        uint32_t way, uint64_t *next) {
    uint32_t ways = step(context, now, operation, way, next);
    return operation->input[0] == 2 ? LIN_GAVE_UP : ways;
}

// A specification that has no memory left makes the verdict unknown, unless another part fails.
static void test_linearize_specification_gives_up(void **state) {
    (void)state;
    struct lin_spec spec = by_key;
    struct lin_result result;
    spec.step = give_up;
    sct_history_clear(&history);
    done(WRITE, 1, 0);
    done(WRITE, 2, 0);
    lin_check(checker, &spec, &history, &result);
    assert_int_equal(result.verdict, LIN_UNKNOWN);
    assert_int_equal(result.limit, LIN_SPECIFICATION);
    struct sct_operation other = {.function = READ, .key = 1};
    sct_history_return(&history, sct_history_call(&history, &other), 5);
    lin_check(checker, &spec, &history, &result);
    assert_int_equal(result.verdict, LIN_NOT_LINEARIZABLE);
    assert_int_equal(result.blocked, 2);
    assert_int_equal(result.part_size, 1);
}

// The same question twice: the same answer, to the step.
static void test_linearize_is_deterministic(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    for (int i = 0; i < 1000; i++) {
        struct lin_result first, second;
        draw_history(&rng, 7, 1, 3);
        lin_check(checker, &looking_ahead, &history, &first);
        lin_check(checker, &looking_ahead, &history, &second);
        assert_memory_equal(&first, &second, sizeof first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linearize_all_histories_of_4_operations),
        cmocka_unit_test(test_linearize_all_histories_of_5_operations),
        cmocka_unit_test(test_linearize_sampled_histories_of_7_operations),
        cmocka_unit_test(test_linearize_parts_agree_with_the_whole),
        cmocka_unit_test(test_linearize_pending_write),
        cmocka_unit_test(test_linearize_equal_pending_writes),
        cmocka_unit_test(test_linearize_unknown_output),
        cmocka_unit_test(test_linearize_nondeterministic_step),
        cmocka_unit_test(test_linearize_empty_history),
        cmocka_unit_test(test_linearize_wide_window),
        cmocka_unit_test(test_linearize_long_history),
        cmocka_unit_test(test_linearize_limits_make_unknown),
        cmocka_unit_test(test_linearize_every_memory_size),
        cmocka_unit_test(test_linearize_specification_gives_up),
        cmocka_unit_test(test_linearize_is_deterministic),
    };
    return cmocka_run_group_tests(tests, open_checker, close_checker);
}
