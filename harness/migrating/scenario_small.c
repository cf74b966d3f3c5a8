// small-1: two services with one call each, while the whole migration runs, small enough to be
// searched to its end: one partition, two keys, every backend call with its annotation one step,
// ETags counted per key so that independent writes commute.
//
// A call is one operation (7 types, 2 keys, for three of the types If-Match any, wrong or current,
// isHappy or not) or an atomic query (all rows, isHappy, not isHappy). The old table holds no row,
// one, or both at first: a choice, or fixed in small-1-0, small-1-1 and small-1-2. There are no
// faults. In the end the checks of the default test hold.
#include "harness/migrating/final_state.h"
#include "harness/migrating/workload.h"
#include "harness/scenario.h"
#include "harness/table/retell.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { KEYS = 2, SERVICES = 2, ANY_ROWS = KEYS + 1 };

static const char *const row_keys[KEYS] = {"0", "1"};
static const char *const service_names[SERVICES] = {"service-0", "service-1"};

// ---- Calls -------------------------------------------------------------------------------------

static const char *choose_if_match(struct app *app, struct ct_key key) {
    static const char wrong[] = "wrong";
    uint32_t choice = sct_choose(3, "If-Match");
    if (choice < 2)
        return choice == 0 ? CT_ANY_ETAG : wrong;
    struct ct_rows rows = client_peek_rows(&app->client, HERE);
    const struct ct_row *row = ct_rows_find(rows, key);
    return row ? row->etag : wrong;
}

static void call_operation(struct app *app) {
    enum { DELETE_IF_EXISTS = CT_INSERT_OR_MERGE + 1, TYPES };
    uint32_t type = sct_choose(TYPES, "operation");
    struct ct_key key = {THE_PARTITION, row_keys[sct_choose(KEYS, "key")]};
    struct ct_property properties[] = {
        is_happy(sct_choose(2, "isHappy") == 1),
        {.name = app->name, .type = CT_BOOL, .value.boolean = true},
    };
    const char *if_match = NULL;
    if (type == DELETE_IF_EXISTS)
        if_match = CT_IF_EXISTS_ETAG;
    else if (type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE)
        if_match = choose_if_match(app, key);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    ct_batch_add(&batch, type == DELETE_IF_EXISTS ? CT_DELETE : (enum ct_op_type)type,
                 ct_row_new(sct_arena(), key, if_match, properties, 2));
    app_execute(app, &batch);
}

static void call_query(struct app *app) {
    struct arena *arena = sct_arena();
    uint32_t choice = sct_choose(3, "filter");
    const struct ct_filter *filter = ct_filter_in_partition(arena, THE_PARTITION);
    if (choice > 0)
        filter = ct_filter_and(arena, filter,
                               ct_filter_compare_bool(arena, IS_HAPPY, CT_EQ, choice == 1));
    app_query(app, filter);
}

static void one_call(struct app *app) {
    if (sct_choose(2, "query") == 0)
        call_operation(app);
    else
        call_query(app);
}

// ---- The world ---------------------------------------------------------------------------------

static void load(struct world *world, uint32_t count) {
    struct ct_row *rows[KEYS];
    for (uint32_t i = 0; i < count; i++) {
        struct ct_property property = is_happy(i == 0);
        rows[i] = ct_row_new(sct_arena(), (struct ct_key){THE_PARTITION, row_keys[i]}, NULL,
                             &property, 1);
    }
    if (count > 0)
        tables_load(&world->tables, rows, count);
}

static void set_up(void *bugs, uint32_t row_count) {
    struct tables_options options = {.choose = uniform_choice, .etags_per_key = true};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load(world, row_count < ANY_ROWS ? row_count : sct_choose(ANY_ROWS, "rows"));
    for (int i = 0; i < SERVICES; i++)
        app_add(world, service_names[i], one_call);
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
}

static void finish(void *bugs) {
    (void)bugs;
    final_state_check(&world_present()->tables);
}

static void add_digest(void *bugs, struct digest *state) {
    (void)bugs;
    digest_add(state, world_digest(world_present()));
}

#define SMALL(symbol, test, rows, text)                                         \
    static void setup_##symbol(void *bugs) {                                    \
        set_up(bugs, rows);                                                     \
    }                                                                           \
    extern const struct scenario scenario_##symbol;                             \
    const struct scenario scenario_##symbol = {                                 \
        .model = "migrating-table",                                             \
        .name = test,                                                           \
        .summary = "for dfs: two services with one call each, two keys, " text, \
        .setup = setup_##symbol,                                                \
        .finish = finish,                                                       \
        .digest = add_digest,                                                   \
        .is_copyable = true,                                                    \
        .coverage = &migrating_coverage,                                        \
        .retell = table_retell,                                                 \
    };

SMALL(small_1, "small-1", ANY_ROWS, "none, one or both present")
SMALL(small_1_0, "small-1-0", 0, "none present")
SMALL(small_1_1, "small-1-1", 1, "one present")
SMALL(small_1_2, "small-1-2", 2, "both present")
