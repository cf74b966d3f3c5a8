// Every table (subjects.def) against the in-memory table: random batches, queries and streams, and
// every outcome compared. Tables choose their own ETags; those of a row correspond if they were
// read together.
//
// MTCHECK_FULL=1 makes 100,000 steps of each of three seeds; without it 1,500 of one.
// MTCHECK_SUBJECTS is a pattern of the names of the tables ("*endpoint*"); without it all.
#include "tests/conformance/subjects.h"

#include "tests/support/test.h"
#include "tests/support/values.h"

#include "core/base/rng.h"
#include "core/base/text.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdlib.h>
#include <string.h>

static const struct subject subjects[] = {
#define SUBJECT(name, open, argument, close) {name, open, argument, close},
#include "tests/conformance/subjects.def"
#undef SUBJECT
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

enum {
    STEPS_USUAL = 1500,
    STEPS_FULL = 100000,
    STEPS_A_TABLE = 500, // then a new one: the in-memory table keeps all of its history
    OPERATIONS_MAX = 6,
};

// Keys, names and values are constants: tables may keep them. Few, so that they meet; some must be
// quoted somewhere, and one is before another by UTF-16 units but not by bytes.
static const char *const partitions[] = {"", "p", "p'q", "\xc3\xa9"};
static const char *const row_keys[] = {"", "a", "b ", "c'", "\xf0\x9f\x90\xa2", "\xef\xbf\xbd"};
static const char *const names[] = {"a", "b", "isHappy"};

static struct arena arena;        // of a step
static struct arena tables_arena; // of two tables, which may keep what is in it to their end
static struct ct_table *table, *reference;
static struct rng rng;
static const char *failure; // the first difference

static const char *pick(const char *const *of, uint32_t count) {
    return of[rng_below(&rng, count)];
}

static struct ct_key pick_key(const char *partition) {
    return (struct ct_key){partition, pick(row_keys, 6)};
}

// ---- Values ------------------------------------------------------------------------------------

static size_t pick_properties(struct ct_property *properties) {
    size_t count = 0;
    for (int i = 0; i < 3; i++)
        if (rng_below(&rng, 2))
            properties[count++] = random_value(&rng, names[i]);
    return count;
}

// ---- Comparing ---------------------------------------------------------------------------------

static bool same_but_etag(const struct ct_row *a, const struct ct_row *b) {
    bool is_same = ct_key_equal(a->key, b->key) && a->property_count == b->property_count;
    for (size_t i = 0; is_same && i < a->property_count; i++)
        is_same = subject_same(&a->properties[i], &b->properties[i]);
    return is_same;
}

static void expect(bool condition, const char *what) {
    if (!condition && !failure)
        failure = what;
}

static void expect_same_outcome(struct ct_outcome found, struct ct_outcome expected) {
    expect(found.kind == expected.kind, "outcome");
    if (found.kind == expected.kind && found.kind == CT_STORAGE_ERROR) {
        expect(found.status == expected.status, "status");
        expect(found.op_index == expected.op_index, "index of the operation");
    }
}

static struct ct_rows query(struct ct_table *of, const struct ct_filter *filter) {
    struct ct_rows rows = {NULL, 0};
    struct ct_outcome outcome = ct_query(of, filter, &arena, &rows);
    expect(outcome.kind == CT_SUCCEEDED, "query");
    return rows;
}

static void expect_same_rows(struct ct_rows found, struct ct_rows expected) {
    expect(found.count == expected.count, "number of rows");
    for (size_t i = 0; !failure && i < found.count; i++)
        expect(same_but_etag(found.rows[i], expected.rows[i]), "row");
}

// ---- Steps -------------------------------------------------------------------------------------

// The If-Match of an operation on [key], for both tables: any, that of now, or that of nobody.
static void pick_condition(struct ct_key key, const char **ours, const char **theirs) {
    uint32_t form = rng_below(&rng, 4);
    *ours = *theirs = form == 0 ? "W/\"nobody's\"" : CT_ANY_ETAG;
    if (form < 2)
        return;
    const struct ct_filter *point = ct_filter_point(&arena, key);
    struct ct_rows found = query(table, point), expected = query(reference, point);
    if (found.count == 1 && expected.count == 1) {
        *ours = found.rows[0]->etag;
        *theirs = expected.rows[0]->etag;
    }
}

static void add_operation(struct ct_batch *ours, struct ct_batch *theirs, const char *partition) {
    struct ct_property properties[3];
    struct ct_key key = pick_key(partition);
    for (size_t i = 0; i < ours->count; i++)
        if (ct_key_equal(ours->operations[i].entity->key, key))
            return; // a key twice is refused as ill-formed by some
    enum ct_op_type type = (enum ct_op_type)rng_below(&rng, 6);
    bool is_conditional = type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
    const char *our_match = NULL, *their_match = NULL;
    if (is_conditional)
        pick_condition(key, &our_match, &their_match);
    size_t count = type == CT_DELETE ? 0 : pick_properties(properties);
    if (type == CT_DELETE && rng_below(&rng, 4) == 0)
        our_match = their_match = CT_IF_EXISTS_ETAG;
    ct_batch_add(ours, type, ct_row_new(&arena, key, our_match, properties, count));
    ct_batch_add(theirs, type, ct_row_new(&arena, key, their_match, properties, count));
}

// What the table cannot do is asked for otherwise.
static void respect_limits(struct ct_batch *ours, struct ct_batch *theirs) {
    if (!ct_limits(table).no_delete_if_exists)
        return;
    for (size_t i = 0; ours->count > 1 && i < ours->count; i++)
        if (ct_is_delete_if_exists(&ours->operations[i])) {
            ours->operations[i].entity->etag = CT_ANY_ETAG;
            theirs->operations[i].entity->etag = CT_ANY_ETAG;
        }
}

static void step_batch(void) {
    struct ct_batch ours = ct_batch_new(&arena, OPERATIONS_MAX);
    struct ct_batch theirs = ct_batch_new(&arena, OPERATIONS_MAX);
    struct ct_op_result our_results[OPERATIONS_MAX], their_results[OPERATIONS_MAX];
    const char *partition = pick(partitions, 4);
    uint32_t count = 1 + rng_below(&rng, OPERATIONS_MAX);
    for (uint32_t i = 0; i < count; i++)
        add_operation(&ours, &theirs, partition);
    respect_limits(&ours, &theirs);
    struct ct_outcome expected = ct_execute(reference, &theirs, &arena, their_results);
    struct ct_outcome found = ct_execute(table, &ours, &arena, our_results);
    expect_same_outcome(found, expected);
    for (size_t i = 0; !failure && found.kind == CT_SUCCEEDED && i < ours.count; i++) {
        expect(our_results[i].status == their_results[i].status, "status of a result");
        expect(!our_results[i].etag == !their_results[i].etag, "ETag of a result");
    }
}

// Of a key, so that some rows match.
static const struct ct_filter *pick_key_condition(void) {
    static const char *const values[] = {"", "a", "b ", "x", "\xc3\xa9", "\xef\xbf\xbd"};
    enum ct_compare compare = (enum ct_compare)rng_below(&rng, 6);
    return ct_filter_compare_string(&arena, CT_ROW_KEY, compare, pick(values, 6));
}

// The last two names are those of the protocol's own properties, which no application sees.
static const struct ct_filter *pick_condition_on_rows(void) {
    static const char *const of[] = {
        CT_ROW_KEY,        CT_PARTITION_KEY,         "a", "b", "isHappy",
        "_mtable_deleted", "_mtable_partition_state"};
    const struct ct_filter *filter = random_filter(&rng, &arena, of, 7, 3, true);
    if (rng_below(&rng, 2))
        filter = ct_filter_and(&arena, pick_key_condition(), filter);
    return filter;
}

static void step_query(void) {
    const struct ct_filter *filter = ct_filter_in_partition(&arena, pick(partitions, 4));
    if (rng_below(&rng, 4))
        filter = ct_filter_and(&arena, filter, pick_condition_on_rows());
    struct ct_rows expected = query(reference, filter), found = query(table, filter);
    expect_same_rows(found, expected);
}

static void step_stream(void) {
    const struct ct_filter *filter = NULL;
    if (rng_below(&rng, 3) == 0)
        filter = pick_condition_on_rows();
    else if (rng_below(&rng, 2))
        filter = ct_filter_from(&arena, pick_key(pick(partitions, 4)));
    struct ct_stream *ours, *theirs;
    expect(ct_open_stream(table, filter, &ours).kind == CT_SUCCEEDED, "opening of a stream");
    if (failure)
        return;
    expect(ct_open_stream(reference, filter, &theirs).kind == CT_SUCCEEDED, "the reference");
    const struct ct_row *found, *expected;
    do {
        found = expected = NULL;
        expect(ct_stream_read(ours, &found).kind == CT_SUCCEEDED, "read of a stream");
        ct_stream_read(theirs, &expected);
        expect(!found == !expected, "end of a stream");
        if (found && expected)
            expect(same_but_etag(found, expected), "row of a stream");
    } while (found && !failure);
    ct_stream_close(ours);
    ct_stream_close(theirs);
}

static void open_tables(const struct subject *subject) {
    table = subject->open(&tables_arena, subject->argument);
    reference = ct_memory_table_interface(ct_memory_table_open(&(struct ct_memory_options){
        .arena = &tables_arena, .etag_prefix = "reference-", .limits = ct_limits(table)}));
}

// Whether the tables agree in all [steps] steps; prints where they do not.
static bool run(const struct subject *subject, uint64_t seed, uint32_t steps) {
    failure = NULL;
    rng_seed(&rng, seed);
    for (uint32_t step = 0; step < steps && !failure;) {
        arena_reset(&tables_arena, 0);
        open_tables(subject);
        for (uint32_t i = 0; i < STEPS_A_TABLE && step < steps && !failure; i++, step++) {
            arena_reset(&arena, 0);
            uint32_t form = rng_below(&rng, 8);
            form < 5 ? step_batch() : form < 7 ? step_query() : step_stream();
            if (failure)
                print_error("%s, seed %d, step %d: %s differs\n", subject->name, (int)seed,
                            (int)step, failure);
        }
        subject->close(table);
    }
    return !failure;
}

static void test_subject(void **state) {
    const struct subject *subject = *state;
    const char *full = getenv("MTCHECK_FULL");
    bool is_full = full && strcmp(full, "1") == 0;
    arena_init(&arena, 1 << 26);
    arena_init(&tables_arena, 1 << 28);
    for (uint64_t seed = 1; seed <= (is_full ? 3 : 1); seed++)
        assert_true(run(subject, seed, is_full ? STEPS_FULL : STEPS_USUAL));
    arena_deinit(&arena);
    arena_deinit(&tables_arena);
}

int main(void) {
    struct CMUnitTest tests[SUBJECTS];
    for (size_t i = 0; i < SUBJECTS; i++)
        tests[i] = (struct CMUnitTest){subjects[i].name, test_subject, NULL, NULL,
                                       (void *)(uintptr_t)&subjects[i]};
    cmocka_set_test_filter(getenv("MTCHECK_SUBJECTS"));
    return _cmocka_run_group_tests("differential", tests, SUBJECTS, NULL, NULL);
}
