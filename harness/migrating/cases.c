// The four published cases, each written to reach one bug that the random workload missed, and two
// of our own in their manner.
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/subject/subject.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { PUBLISHED_CALL_LIMIT = 100 };

static void start_world(void *bugs, void (*create)(struct world *world)) {
    struct tables_options options = {
        .calls_max = PUBLISHED_CALL_LIMIT,
        .choose = published_choice,
    };
    struct world *world = world_new(&transport_published, &delivery_published, &options, bugs);
    world_start_published(world, create);
}

// ---- Actions -----------------------------------------------------------------------------------

static void execute_one(struct app *app, enum ct_op_type type, const char *row,
                        const char *if_match, size_t property_count) {
    struct ct_property property = is_happy(false);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_key key = {THE_PARTITION, row};
    ct_batch_add(&batch, type, ct_row_new(sct_arena(), key, if_match, &property, property_count));
    app_execute(app, &batch);
}

static void query_partition(struct app *app) {
    app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
}

static void add_hook(struct app *app, enum mt_state state, bool is_after,
                     void (*action)(struct app *app)) {
    struct hook *hook = ARENA_NEW(sct_arena(), struct hook);
    hook->state = state;
    hook->is_after = is_after;
    hook->action = action;
    hook_register(hook, app);
}

static void start_migrator(struct world *world) {
    app_start_published(app_add(world, "migrator", app_migrate));
}

// ---- Case 1: QueryStreamedFilterShadowing ------------------------------------------------------

static void make_0_unhappy_and_stream(struct app *app) {
    execute_one(app, CT_INSERT_OR_MERGE, "0", NULL, 1);
    app_stream(app, ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, true));
}

// Before the push of PREFER_NEW ends for this machine: the row changes in the new table, and its
// old version, which still matches the filter, must not come back.
static void case_1_program(struct app *app) {
    add_hook(app, MT_PREFER_NEW, false, make_0_unhappy_and_stream);
}

static void case_1_create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", case_1_program));
    start_migrator(world);
}

static void case_1_setup(void *bugs) {
    start_world(bugs, case_1_create);
}

// ---- Case 9: MigrateSkipPreferOld --------------------------------------------------------------

static void insert_5(struct app *app) {
    execute_one(app, CT_INSERT, "5", NULL, 1);
}

static void case_9_updater(struct app *app) {
    add_hook(app, MT_PREFER_NEW, false, insert_5);
}

// Without PREFER_OLD a machine that is still in the first state reads the old table alone, while
// the other one inserts into the new one.
static void case_9_create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", case_9_updater));
    app_start_published(app_add(world, "service-1", query_partition));
    start_migrator(world);
}

static void case_9_setup(void *bugs) {
    start_world(bugs, case_9_create);
}

// ---- Case 10: MigrateSkipUseNewWithTombstones --------------------------------------------------

static void delete_0(struct app *app) {
    execute_one(app, CT_DELETE, "0", CT_ANY_ETAG, 0);
}

// A physical delete in the last state, while the querier, still in PREFER_NEW, finds the old row
// with nothing that shadows it.
static void case_10_deleter(struct app *app) {
    add_hook(app, MT_USE_NEW_HIDE_METADATA, false, delete_0);
}

static void case_10_querier(struct app *app) {
    add_hook(app, MT_PREFER_NEW, true, query_partition);
}

static void case_10_create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", case_10_deleter));
    app_start_published(app_add(world, "service-1", case_10_querier));
    start_migrator(world);
}

static void case_10_setup(void *bugs) {
    start_world(bugs, case_10_create);
}

// ---- Case 11: InsertBehindMigrator -------------------------------------------------------------

static void insert_0(struct app *app) {
    execute_one(app, CT_INSERT, "0", NULL, 1);
}

// The insert goes to the old table when the scan has passed, if the copy pass runs in PREFER_OLD:
// after that the new table lacks the row.
static void case_11_program(struct app *app) {
    add_hook(app, MT_PREFER_OLD, true, insert_0);
    add_hook(app, MT_USE_NEW_WITH_TOMBSTONES, false, query_partition);
}

static void case_11_create(struct world *world) {
    app_start_published(app_add(world, "service-0", case_11_program));
    start_migrator(world);
}

static void case_11_setup(void *bugs) {
    start_world(bugs, case_11_create);
}

// ---- Case 13: DeleteIfExistsNotLinearizable ----------------------------------------------------

// Ours: the published workload reaches this bug in less than one of five million executions.

static void delete_5_and_replace_2(struct app *app) {
    struct ct_property property = is_happy(false);
    struct ct_batch batch = ct_batch_new(sct_arena(), 2);
    struct ct_key five = {THE_PARTITION, "5"}, two = {THE_PARTITION, "2"};
    ct_batch_add(&batch, CT_DELETE, ct_row_new(sct_arena(), five, CT_IF_EXISTS_ETAG, NULL, 0));
    ct_batch_add(&batch, CT_INSERT_OR_REPLACE, ct_row_new(sct_arena(), two, NULL, &property, 1));
    app_execute(app, &batch);
    query_partition(app);
}

static void insert_5_and_query(struct app *app) {
    insert_5(app);
    query_partition(app);
}

// The DeleteIfExists finds nothing and is left out; the row is inserted before the batch takes
// effect, and no instant explains both answers.
static void case_13_deleter(struct app *app) {
    add_hook(app, MT_USE_NEW_HIDE_METADATA, false, delete_5_and_replace_2);
}

static void case_13_inserter(struct app *app) {
    add_hook(app, MT_USE_NEW_HIDE_METADATA, false, insert_5_and_query);
}

static void case_13_create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", case_13_deleter));
    app_start_published(app_add(world, "service-1", case_13_inserter));
    start_migrator(world);
}

static void case_13_setup(void *bugs) {
    start_world(bugs, case_13_create);
}

// ---- Case 18: QueryStreamedKeepOldStream -------------------------------------------------------

static void delete_4(struct app *app) {
    execute_one(app, CT_DELETE, "4", CT_ANY_ETAG, 0);
}

// The write copies row 4: from then on its version in the old table is stale. The filter makes one
// read pass over several rows, under the lock for which the change to the last state waits.
static void write_4_and_stream(struct app *app) {
    struct ct_property property = is_happy(true);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_key key = {THE_PARTITION, "4"};
    ct_batch_add(&batch, CT_INSERT_OR_MERGE, ct_row_new(sct_arena(), key, NULL, &property, 1));
    app_execute(app, &batch);
    app_stream(app, ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, true));
}

static void case_18_deleter(struct app *app) {
    add_hook(app, MT_USE_NEW_HIDE_METADATA, false, delete_4);
}

static void case_18_streamer(struct app *app) {
    add_hook(app, MT_PREFER_NEW, true, write_4_and_stream);
}

static void case_18_create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", case_18_deleter));
    app_start_published(app_add(world, "service-1", case_18_streamer));
    start_migrator(world);
}

static void case_18_setup(void *bugs) {
    start_world(bugs, case_18_create);
}

// ---- Registration ------------------------------------------------------------------------------

#define CASE(number, origin, text)                           \
    extern const struct subject_test scenario_case_##number; \
    const struct subject_test scenario_case_##number = {     \
        .name = "case-" #number,                             \
        .summary = origin " case: " text,                    \
        .program = {.setup = case_##number##_setup},         \
        .view = &migrating_view,                             \
    }

CASE(1, "published", "a write in PREFER_NEW, then a stream whose filter the old row still matches");
CASE(9, "published", "an insert in PREFER_NEW while another machine queries from the start");
CASE(10, "published", "a delete in the last state while another machine queries in PREFER_NEW");
CASE(11, "published", "an empty partition, an insert in PREFER_OLD, a query after the copy pass");
CASE(13, "our", "a DeleteIfExists and an insert of the same row, both in the last state");
CASE(18, "our", "a stream from PREFER_NEW on and a delete in the last state");
