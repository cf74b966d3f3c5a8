// Tests that are small enough to be searched to their end: two keys, in one partition but in
// small-10, two services with one call each, while the whole migration runs; every backend call
// with its annotation one step, ETags counted per key so that independent writes commute. The old
// table holds no row, one, or both at first: a choice, or fixed in small-1-0, small-3-1 and the
// like. There are no faults but in small-4 and small-8. In the end the checks of the default test
// hold.
//
// small-1: a call is one operation (7 types, 2 keys, for three of the types If-Match any, wrong or
// current, isHappy or not) or an atomic query (all rows, isHappy, not isHappy).
//
// small-2: one service reads a stream (all rows, isHappy, not isHappy), the other makes one of
// those writes.
//
// small-3: a call is a batch of two operations, one on each key, one of a dozen such batches: those
// that delete if exists, next to what can be refused, and some without.
//
// small-4: there is one service, with a call as in small-1 or a stream, and the migrator's process
// dies once, at any scheduling point, and is started again.
//
// small-5: one service makes an atomic query with one of the stranger filters (row keys, the
// tombstone mark, an "or", one that must be refused), the other one of those writes.
//
// small-6: likewise, with filters whose conditions on keys the new table is sent: a point, and keys
// in an "or", an "and" and a "not" with what must not be sent.
//
// small-7: over tables with limits one service deletes if exists, or writes both keys in a batch
// that begins with the greater one, the other makes one of those writes.
//
// small-8: there is one service, with one of those writes; the answer to one of the batches that it
// sends is lost, which was done or was not.
//
// small-9: there are three services; a call is one of four writes of the first key, or a query.
//
// small-10: the keys are in two partitions; one service reads a stream of both or makes one of
// those writes, the other makes one of those writes.
#include "core/engine/inside.h"
#include "harness/migrating/faults.h"
#include "harness/migrating/final_state.h"
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/subject/subject.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { KEYS = 2, ANY_ROWS = KEYS + 1 };

static const char *const row_keys[KEYS] = {"0", "1"};
static const char *const partitions[KEYS] = {THE_PARTITION, "1"}; // of small-10

// ---- Calls -------------------------------------------------------------------------------------

enum { DELETE_IF_EXISTS = CT_INSERT_OR_MERGE + 1, TYPES };

struct small_operation {
    uint32_t type;
    struct ct_key key;
    const char *if_match; // of those that have one; NULL
    bool happy;
};

static void add_operation(struct ct_batch *batch, const struct app *app,
                          struct small_operation operation) {
    struct ct_property properties[] = {
        is_happy(operation.happy),
        ct_bool(app->name, true),
    };
    bool is_if_exists = operation.type == DELETE_IF_EXISTS;
    const char *if_match = is_if_exists ? CT_IF_EXISTS_ETAG : operation.if_match;
    ct_batch_add(batch, is_if_exists ? CT_DELETE : (enum ct_op_type)operation.type,
                 ct_row_new(sct_arena(), operation.key, if_match, properties, 2));
}

static bool has_if_match(uint32_t type) {
    return type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
}

// The peek is a request, so it is made only where its answer is needed: a search pays for each
// scheduling point.
static const char *choose_if_match(struct app *app, struct ct_key key) {
    static const char wrong[] = "wrong";
    uint32_t choice = sct_choose(3, "If-Match");
    if (choice < 2)
        return choice == 0 ? CT_ANY_ETAG : wrong;
    struct ct_rows rows = client_peek_rows(&app->client, HERE);
    const struct ct_row *row = ct_rows_find(rows, key);
    return row ? row->etag : wrong;
}

static void operate(struct app *app, uint32_t type, struct ct_key key) {
    bool happy = sct_choose(2, "isHappy") == 1;
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    const char *if_match = has_if_match(type) ? choose_if_match(app, key) : NULL;
    add_operation(&batch, app, (struct small_operation){type, key, if_match, happy});
    app_execute(app, &batch);
}

static void call_operation(struct app *app) {
    uint32_t type = sct_choose(TYPES, "operation");
    operate(app, type, (struct ct_key){THE_PARTITION, row_keys[sct_choose(KEYS, "key")]});
}

static void call_in_partition(struct app *app) {
    uint32_t type = sct_choose(TYPES, "operation");
    operate(app, type, (struct ct_key){partitions[sct_choose(KEYS, "partition")], row_keys[0]});
}

// NULL: none.
static const struct ct_filter *choose_filter(void) {
    uint32_t choice = sct_choose(3, "filter");
    return choice > 0 ? ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, choice == 1) : NULL;
}

static void call_query(struct app *app) {
    const struct ct_filter *rows = choose_filter();
    const struct ct_filter *filter = ct_filter_in_partition(sct_arena(), THE_PARTITION);
    app_query(app, rows ? ct_filter_and(sct_arena(), filter, rows) : filter);
}

static void one_stream(struct app *app) {
    app_stream(app, choose_filter());
}

static void one_call(struct app *app) {
    if (sct_choose(2, "query") == 0)
        call_operation(app);
    else
        call_query(app);
}

static void any_call(struct app *app) {
    if (sct_choose(2, "stream") == 0)
        one_call(app);
    else
        one_stream(app);
}

// Drawn before the call, not in the midst of it, where states are not compared.
static void unanswered_write(struct app *app) {
    enum { BATCHES = 4 }; // most that one write sends
    app->client.faults.lost_answer_at = 1 + sct_choose(BATCHES, "batch that is not answered");
    bool is_done = sct_choose(2, "done, but not answered") == 1;
    app->client.faults.loss = is_done ? LOSS_OF_DONE : LOSS_OF_NOT_DONE;
    call_operation(app);
}

static void strange_query(struct app *app) {
    struct arena *arena = sct_arena();
    const struct ct_filter *in_partition = ct_filter_in_partition(arena, THE_PARTITION);
    const struct ct_filter *is_happy_row = ct_filter_compare_bool(arena, IS_HAPPY, CT_EQ, true);
    const struct ct_filter *at_last = ct_filter_compare_string(arena, CT_ROW_KEY, CT_GE, "1");
    const struct ct_filter *const rests[] = {
        ct_filter_compare_string(arena, CT_ROW_KEY, CT_EQ, "0"),
        at_last,
        ct_filter_compare_bool(arena, "_mtable_deleted", CT_EQ, false),
        ct_filter_compare_bool(arena, "_mtable_deleted", CT_NE, true),
        ct_filter_or(arena, is_happy_row, at_last),
    };
    const uint32_t count = sizeof rests / sizeof rests[0];
    uint32_t choice = sct_choose(count + 1, "filter");
    app_query(app, choice < count ? ct_filter_and(arena, in_partition, rests[choice])
                                  : ct_filter_or(arena, in_partition, is_happy_row));
}

static void keyed_query(struct app *app) {
    struct arena *arena = sct_arena();
    const struct ct_filter *at_0 = ct_filter_compare_string(arena, CT_ROW_KEY, CT_EQ, "0");
    const struct ct_filter *is_happy_row = ct_filter_compare_bool(arena, IS_HAPPY, CT_EQ, true);
    const struct ct_filter *both = ct_filter_and(arena, at_0, is_happy_row);
    const struct ct_filter *is_live =
        ct_filter_compare_bool(arena, "_mtable_deleted", CT_EQ, false);
    const struct ct_filter *const rests[] = {
        at_0,
        both,
        ct_filter_or(arena, at_0, is_happy_row),
        ct_filter_not(arena, both),
        ct_filter_not(arena, is_live),
    };
    const struct ct_filter *rest = rests[sct_choose(sizeof rests / sizeof rests[0], "filter")];
    app_query(app, ct_filter_and(arena, ct_filter_in_partition(arena, THE_PARTITION), rest));
}

static void limited_call(struct app *app) {
    struct ct_batch batch = ct_batch_new(sct_arena(), KEYS);
    if (sct_choose(2, "batch") == 0) {
        struct ct_key key = {THE_PARTITION, row_keys[sct_choose(KEYS, "key")]};
        add_operation(&batch, app, (struct small_operation){DELETE_IF_EXISTS, key, NULL, false});
    } else {
        struct ct_key first = {THE_PARTITION, row_keys[0]}, second = {THE_PARTITION, row_keys[1]};
        add_operation(&batch, app, (struct small_operation){CT_INSERT, second, NULL, false});
        add_operation(&batch, app, (struct small_operation){CT_INSERT_OR_MERGE, first, NULL, true});
    }
    app_execute(app, &batch);
}

// By key.
static const uint32_t batches[][KEYS] = {
    {DELETE_IF_EXISTS, CT_INSERT},
    {DELETE_IF_EXISTS, CT_REPLACE},
    {DELETE_IF_EXISTS, CT_MERGE},
    {DELETE_IF_EXISTS, CT_INSERT_OR_REPLACE},
    {DELETE_IF_EXISTS, CT_DELETE},
    {DELETE_IF_EXISTS, DELETE_IF_EXISTS},
    {CT_INSERT, CT_INSERT},
    {CT_INSERT, DELETE_IF_EXISTS},
    {CT_INSERT_OR_MERGE, DELETE_IF_EXISTS},
    {CT_DELETE, CT_INSERT},
    {CT_REPLACE, CT_MERGE},
    {CT_INSERT_OR_REPLACE, CT_INSERT_OR_MERGE},
};

static void one_batch(struct app *app) {
    const uint32_t *types = batches[sct_choose(sizeof batches / sizeof batches[0], "batch")];
    struct ct_batch batch = ct_batch_new(sct_arena(), KEYS);
    for (int i = 0; i < KEYS; i++) {
        struct small_operation operation = {
            .type = types[i],
            .key = {THE_PARTITION, row_keys[i]},
            // Other conditions are those of small-1.
            .if_match = has_if_match(types[i]) ? CT_ANY_ETAG : NULL,
            .happy = i == 0,
        };
        add_operation(&batch, app, operation);
    }
    app_execute(app, &batch);
}

static void crowded_call(struct app *app) {
    static const uint32_t types[] = {CT_INSERT, CT_REPLACE, CT_DELETE, DELETE_IF_EXISTS};
    const uint32_t count = sizeof types / sizeof types[0];
    uint32_t choice = sct_choose(count + 1, "call");
    if (choice == count) {
        app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
        return;
    }
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_key key = {THE_PARTITION, row_keys[0]};
    const char *if_match = has_if_match(types[choice]) ? CT_ANY_ETAG : NULL;
    add_operation(&batch, app, (struct small_operation){types[choice], key, if_match, true});
    app_execute(app, &batch);
}

static void stream_or_call_in_partition(struct app *app) {
    if (sct_choose(2, "stream") == 0)
        call_in_partition(app);
    else
        one_stream(app);
}

// ---- The world ---------------------------------------------------------------------------------

static void load(struct world *world, uint32_t count, bool has_partitions) {
    struct ct_row *rows[KEYS];
    for (uint32_t i = 0; i < count; i++) {
        struct ct_property property = is_happy(i == 0);
        struct ct_key key = has_partitions ? (struct ct_key){partitions[i], row_keys[0]}
                                           : (struct ct_key){THE_PARTITION, row_keys[i]};
        rows[i] = ct_row_new(sct_arena(), key, NULL, &property, 1);
    }
    // A batch is of one partition.
    uint32_t batch_rows = has_partitions ? 1 : count;
    for (uint32_t i = 0; i < count; i += batch_rows)
        tables_load(&world->tables, rows + i, batch_rows);
}

// Beside any call of a single service the migrator dies.
static void set_up(void *bugs, uint32_t row_count, void (*first)(struct app *app),
                   void (*second)(struct app *app)) {
    struct tables_options options = {.choose = uniform_choice, .etags_per_key = true};
    if (first == limited_call)
        options.limits = (struct ct_table_limits){.query_rows = 1000, .no_delete_if_exists = true};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    // A search makes every order anyway.
    world->has_slow_calls = false;
    sct_touch_after_waits(&sct_access_none);
    load(world, row_count < ANY_ROWS ? row_count : sct_choose(ANY_ROWS, "rows"),
         first == stream_or_call_in_partition);
    app_add(world, "service-0", first);
    if (second)
        app_add(world, "service-1", second);
    if (first == crowded_call)
        app_add(world, "service-2", first);
    struct app *migrator = app_add(world, "migrator", app_migrate);
    world_start_direct(world);
    if (first == any_call)
        faults_kill(migrator);
}

static void finish(void *context) {
    const struct world *world = context;
    final_state_check(&world->tables);
    final_state_check_released(world);
}

static void add_digest(void *world, struct digest *state) {
    digest_add(state, world_digest(world));
}

#define SMALL(symbol, test, rows, first, second, reducible, text) \
    static void setup_##symbol(void *bugs) {                      \
        set_up(bugs, rows, first, second);                        \
    }                                                             \
    extern const struct subject_test scenario_##symbol;           \
    const struct subject_test scenario_##symbol = {               \
        .name = test,                                             \
        .summary = "for dfs: " text,                              \
        .program = {.setup = setup_##symbol,                      \
                    .finish = finish,                             \
                    .digest = add_digest,                         \
                    .tasks_observe = true,                        \
                    .is_copyable = true},                         \
        .is_reducible = reducible,                                \
        .view = &migrating_view,                                  \
    };

// With every number of rows at first.
#define SMALL_EACH(symbol, test, first, second, reducible, text)                                 \
    SMALL(symbol, test, ANY_ROWS, first, second, reducible,                                      \
          text ", none, one or both of two rows present")                                        \
    SMALL(symbol##_0, test "-0", 0, first, second, reducible, text ", none of two rows present") \
    SMALL(symbol##_1, test "-1", 1, first, second, reducible, text ", one of two rows present")  \
    SMALL(symbol##_2, test "-2", 2, first, second, reducible, text ", both rows present")

SMALL_EACH(small_1, "small-1", one_call, one_call, true, "two services with one call each")
SMALL_EACH(small_2, "small-2", one_stream, call_operation, true, "a stream and a write")
SMALL_EACH(small_3, "small-3", one_batch, one_batch, true,
           "two services with one batch of two operations each")
SMALL_EACH(small_4, "small-4", any_call, NULL, true, "one call or stream, and the migrator dies")
SMALL_EACH(small_5, "small-5", strange_query, call_operation, true,
           "a query with a strange filter and a write")
SMALL_EACH(small_6, "small-6", keyed_query, call_operation, true,
           "a query with conditions on keys and a write")
SMALL_EACH(small_7, "small-7", limited_call, call_operation, true,
           "tables with limits, a delete or a batch and a write")
SMALL_EACH(small_8, "small-8", unanswered_write, NULL, true,
           "a write of which a batch is not answered")
SMALL_EACH(small_9, "small-9", crowded_call, crowded_call, true,
           "three services with a write of one key or a query each")
SMALL_EACH(small_10, "small-10", stream_or_call_in_partition, call_in_partition, true,
           "a stream of two partitions or a write, and a write")
