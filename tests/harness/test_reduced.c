// Reduced searches of MigratingTable find what searches of the whole tree find.
#include "core/engine/inside.h"
#include "tests/harness/run.h"
#include "tests/support/searches.h"

#include "core/campaign/campaign.h"
#include "harness/migrating/final_state.h"
#include "harness/migrating/workload.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdlib.h>

// ---- A world with few inputs -------------------------------------------------------------------

// Each application makes one call: an insertion or a deletion of a key of its own or a common one,
// a query, or a stream.
static struct {
    bool migrates;       // one application and the migrator; else three applications
    bool has_rows;       // at first
    bool has_second;     // application beside the migrator
    bool has_common_key; // else each has one of its own
    enum call { INSERTS, REPLACES, DELETES, QUERIES, STREAMS } calls[2];
} inputs;

static const char *const row_keys[] = {"0", "1"};

static void call_of(struct app *app) {
    size_t key_index = inputs.has_common_key ? 0 : app->index % 2;
    struct ct_key key = {THE_PARTITION, row_keys[key_index]};
    struct ct_property property = is_happy(true);
    if (inputs.calls[app->index % 2] == QUERIES) {
        app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
        return;
    }
    if (inputs.calls[app->index % 2] == STREAMS) {
        app_stream(app, NULL);
        return;
    }
    static const enum ct_op_type types[] = {CT_INSERT, CT_INSERT_OR_REPLACE, CT_DELETE};
    enum ct_op_type type = types[inputs.calls[app->index % 2]];
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    ct_batch_add(
        &batch, type,
        ct_row_new(sct_arena(), key, type == CT_DELETE ? CT_ANY_ETAG : NULL, &property, 1));
    app_execute(app, &batch);
}

static void load(struct world *world) {
    struct ct_row *rows[2];
    struct ct_property property = is_happy(false);
    for (int i = 0; i < 2; i++)
        rows[i] = ct_row_new(sct_arena(), (struct ct_key){THE_PARTITION, row_keys[i]}, NULL,
                             &property, 1);
    if (inputs.has_rows)
        tables_load(&world->tables, rows, 2);
}

static void set_up(void *bugs) {
    static const char *const names[] = {"service-0", "service-1", "service-2"};
    const struct tables_options options = {.choose = uniform_choice, .etags_per_key = true};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load(world);
    int services = inputs.migrates ? 1 + inputs.has_second : 3;
    sct_touch_after_waits(&sct_access_none);
    for (int i = 0; i < services; i++)
        app_add(world, names[i], call_of);
    if (inputs.migrates)
        app_add(world, "migrator", app_migrate);
    world_start_direct(world);
}

static void finish(void *context) {
    const struct world *world = context;
    if (inputs.migrates)
        final_state_check(&world->tables);
}

// ---- Searching ---------------------------------------------------------------------------------

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    const struct world *world = sct_context();
    struct digest end = tables_digest(&world->tables);
    if (result->outcome == SCT_VIOLATED)
        end = digest_fold_text((struct digest){1, 0}, result->violation.message);
    else if (result->outcome != SCT_PASSED)
        return;
    ends_add(end);
}

// With a cache if there is an [explorer].
static struct sct_campaign search(enum bug bug, enum sct_reduction reduction,
                                  struct sct_explorer *explorer) {
    struct run run;
    run_open(&run, "small-1-0", bug, "dfs", 1);
    run.program.setup = set_up;
    run.program.finish = finish;
    struct sct_campaign campaign =
        search_whole(&(struct whole_search){.engine = run.engine,
                                            .options = {.program = &run.program,
                                                        .strategy = run.strategy,
                                                        .reduction = reduction,
                                                        .cache_bytes = explorer ? 1 << 24 : 0},
                                            .iterations = SCT_UNLIMITED,
                                            .repeat_every = 1000,
                                            .note_end = note_end},
                     explorer);
    assert_true(campaign.search.is_exhausted);
    run_close(&run);
    return campaign;
}

// The same ends without reduction, with sleep sets, with dpor; how many violations dpor completes.
static uint64_t expect_same_ends(enum bug bug) {
    static struct ends all;
    struct sct_campaign whole = search(bug, SCT_REDUCE_NONE, NULL);
    all = ends;
    uint64_t violations = 0;
    for (int reduction = SCT_REDUCE_SLEEP; reduction <= SCT_REDUCE_DPOR; reduction++) {
        struct sct_campaign reduced = search(bug, (enum sct_reduction)reduction, NULL);
        if (!ends_equal(&ends, &all))
            fail_msg("bug %d, reduction %d: %zu ends, of %zu", (int)bug, reduction, ends.count,
                     all.count);
        assert_true(reduced.search.executions <= whole.search.executions);
        violations = reduced.violations;
    }
    return violations;
}

// Over the state cache sleep sets leave out transitions, but no state and no end.
static void expect_same_states(enum bug bug) {
    static struct ends all;
    struct sct_explorer whole, reduced;
    search(bug, SCT_REDUCE_NONE, &whole);
    all = ends;
    search(bug, SCT_REDUCE_SLEEP, &reduced);
    if (reduced.states_met != whole.states_met || !ends_equal(&ends, &all))
        fail_msg("bug %d: %llu states and %zu ends, with sleep sets %llu and %zu", (int)bug,
                 (unsigned long long)whole.states_met, all.count,
                 (unsigned long long)reduced.states_met, ends.count);
    assert_true(reduced.transitions < whole.transitions);
}

// ---- Tests -------------------------------------------------------------------------------------

static void test_without_migration(void **state) {
    (void)state;
    inputs.migrates = false;
    for (int first = INSERTS; first <= QUERIES; first++)
        for (int second = INSERTS; second <= QUERIES; second++) {
            inputs.calls[0] = (enum call)first;
            inputs.calls[1] = (enum call)second;
            inputs.has_common_key = !inputs.has_common_key;
            assert_int_equal(expect_same_ends(NO_BUG), 0);
        }
}

static void test_with_migration(void **state) {
    (void)state;
    inputs.migrates = true;
    inputs.calls[0] = QUERIES;
    assert_int_equal(expect_same_ends(NO_BUG), 0);
}

static void test_with_bugs(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip(); // 300,000 executions
    static const enum bug bugs[] = {
        BUG_MISSING_ANNOTATION,
        BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED,
        BUG_ENSURE_SWITCHED_IN_LAST_STATE,
        BUG_METADATA_IN_LAST_STATE,
    };
    inputs.migrates = true;
    inputs.calls[0] = REPLACES;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        assert_true(expect_same_ends(bugs[i]) > 0);
}

// Two applications and the migrator, each pair of calls: more than can be searched without a cache.
static void test_states_of_pairs(void **state) {
    (void)state;
    static const enum bug bugs[] = {
        NO_BUG,
        BUG_QUERY_STREAMED_LOCK,
        BUG_INSERT_BEHIND_MIGRATOR,
        BUG_ENSURE_SWITCHED_IN_LAST_STATE,
    };
    size_t bug = 0;
    if (ARENA_POISONS)
        skip(); // without snapshots it takes minutes
    inputs.migrates = inputs.has_second = true;
    for (int first = INSERTS; first <= STREAMS; first++)
        for (int second = first == STREAMS ? INSERTS : first; second < STREAMS; second++) {
            inputs.calls[0] = (enum call)first;
            inputs.calls[1] = (enum call)second;
            inputs.has_rows = second == INSERTS; // else the streams take long
            inputs.has_common_key = false;
            expect_same_states(NO_BUG);
            inputs.has_rows = false;
            inputs.has_common_key = true;
            expect_same_states(bugs[bug++ % (sizeof bugs / sizeof bugs[0])]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_migration),
        cmocka_unit_test(test_with_migration),
        cmocka_unit_test(test_with_bugs),
        cmocka_unit_test(test_states_of_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
