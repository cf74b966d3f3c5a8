#include "harness/migrating/rich_workload.h"
#include "core/marks.h"
#include "core/strategy.h"
#include "harness/migrating/forbidden.h"
#include "harness/migrating/rich_filter.h"
#include "harness/migrating/workload.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum {
    PARTITIONS_MAX = 2,
    KEYS_MAX = 3,
    CALLS_MAX = 4,
    OPERATIONS_MAX = 3,
    PROPERTIES_MAX = 4,
    FORBIDDEN_RARITY = 32,       // of so many batches one must be refused
    FORBIDDEN_QUERY_RARITY = 16, // and of so many queries
    TYPE_COUNT = 7,              // as enum ct_op_type, and DeleteIfExists
    DELETE_IF_EXISTS = 6,
};

static const char *const partitions[PARTITIONS_MAX] = {"", "p"};
static const char *const row_keys[KEYS_MAX] = {"0", "1", "2"};

struct profile {
    uint32_t partition_count;
    uint32_t key_count;
    uint32_t types;      // set of operation types in use
    enum mt_state focus; // where most calls begin
    bool is_focused;
    bool has_filters;      // queries and streams use filters
    bool has_rich_filters; // of all forms, not isHappy alone
    bool has_wide_rows;    // rows have properties beside isHappy
};

static struct profile profile; // of this execution: drawn anew by each

static bool one_in(uint32_t n, const char *label) {
    return sct_choose(n, label) == n - 1;
}

// ---- The profile -------------------------------------------------------------------------------

// All types, two of them, or a random set that is not empty. Few types meet more often.
static uint32_t draw_types(void) {
    const uint32_t all = (1u << TYPE_COUNT) - 1;
    uint32_t first; // one draw per statement: the order of draws is part of the execution
    switch (sct_choose(3, "subset of operations")) {
    case 0:
        return all;
    case 1:
        first = sct_choose(TYPE_COUNT, "operation in use");
        return 1u << first | 1u << sct_choose(TYPE_COUNT, "operation in use");
    default:
        return 1 + sct_choose(all, "operations in use");
    }
}

// The states in which data is on the move are the richer ones.
static enum mt_state draw_focus(void) {
    static const enum mt_state weighted[] = {
        MT_USE_OLD_HIDE_METADATA,
        MT_PREFER_OLD,
        MT_PREFER_OLD,
        MT_PREFER_NEW,
        MT_PREFER_NEW,
        MT_PREFER_NEW,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_USE_NEW_HIDE_METADATA,
        MT_USE_NEW_HIDE_METADATA,
        MT_USE_NEW_HIDE_METADATA,
    };
    return weighted[sct_choose(sizeof weighted / sizeof weighted[0], "focus state")];
}

// isHappy, and of wide rows any of the others; their number.
static size_t draw_properties(struct ct_property properties[]) {
    size_t count = 0;
    properties[count++] = is_happy(sct_choose(2, "isHappy") == 1);
    if (!profile.has_wide_rows)
        return count;
    uint32_t mood = sct_choose(MOOD_COUNT + 1, MOOD);
    if (mood > 0)
        properties[count++] =
            (struct ct_property){.name = MOOD, .type = CT_STRING, .value.string = moods[mood - 1]};
    if (sct_choose(2, AGE) == 1)
        properties[count++] = (struct ct_property){.name = AGE, .type = CT_INT32, .value.int32 = 7};
    return count;
}

static void load_rows(struct world *world) {
    if (one_in(6, "empty table")) {
        MARK("the table is empty at first");
        return;
    }
    for (uint32_t p = 0; p < profile.partition_count; p++) {
        struct ct_row *rows[KEYS_MAX];
        size_t count = 0;
        for (uint32_t k = 0; k < profile.key_count; k++) {
            if (one_in(4, "row absent"))
                continue;
            struct ct_property properties[PROPERTIES_MAX];
            size_t property_count = draw_properties(properties);
            struct ct_key key = {partitions[p], row_keys[k]};
            rows[count++] = ct_row_new(sct_arena(), key, NULL, properties, property_count);
        }
        if (count > 0)
            tables_load(&world->tables, rows, count);
    }
}

void rich_draw_profile(struct world *world) {
    profile = (struct profile){
        .partition_count = one_in(8, "partitions") ? 2 : 1,
        .key_count = sct_choose(2, "one key") == 0 ? 1 : 2 + sct_choose(KEYS_MAX - 1, "keys"),
    };
    profile.types = draw_types();
    profile.has_filters = !one_in(8, "no filters");
    profile.has_rich_filters = one_in(4, "all filters");
    profile.has_wide_rows = one_in(4, "wide rows");
    profile.is_focused = !one_in(4, "no focus");
    if (profile.is_focused)
        profile.focus = draw_focus();
    load_rows(world);
}

// ---- Calls -------------------------------------------------------------------------------------

struct draft {
    struct app *app;
    const char *partition;
    struct ct_rows dump; // the reference's rows as the call saw them
    uint32_t keys_left;  // set of keys not yet in the batch
    const char *writer;  // the property that names who wrote
};

static const struct ct_filter *draw_filter(void) {
    static const struct filter_keys keys = {partitions, row_keys, PARTITIONS_MAX, KEYS_MAX};
    if (!profile.has_filters)
        return NULL;
    if (profile.has_rich_filters)
        return rich_filter(&keys);
    return ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, sct_choose(2, "filter") == 1);
}

// The [index]-th element of a set of bits.
static uint32_t element(uint32_t set, uint32_t index) {
    while (index-- > 0)
        set &= set - 1;
    return (uint32_t)__builtin_ctz(set);
}

static uint32_t draw_element(uint32_t set, const char *label) {
    return element(set, sct_choose(sct_count_bits(set), label));
}

static const char *draw_if_match(const struct draft *draft, struct ct_key key) {
    const struct ct_row *row = ct_rows_find(draft->dump, key);
    switch (sct_choose(row ? 3 : 2, "if-match")) {
    case 0:
        return CT_ANY_ETAG;
    case 1:
        return row ? row->etag : "wrong";
    default:
        return "wrong";
    }
}

static void draw_operation(struct draft *draft, struct ct_batch *batch) {
    uint32_t type = draw_element(profile.types, "operation");
    uint32_t row = draw_element(draft->keys_left, "key");
    draft->keys_left &= ~(1u << row);
    struct ct_key key = {draft->partition, row_keys[row]};
    const char *if_match = NULL;
    if (type == DELETE_IF_EXISTS)
        if_match = CT_IF_EXISTS_ETAG;
    else if (type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE)
        if_match = draw_if_match(draft, key);
    struct ct_property properties[PROPERTIES_MAX];
    size_t count = draw_properties(properties);
    properties[count++] =
        (struct ct_property){.name = draft->writer, .type = CT_BOOL, .value.boolean = true};
    ct_batch_add(batch, type == DELETE_IF_EXISTS ? CT_DELETE : (enum ct_op_type)type,
                 ct_row_new(sct_arena(), key, if_match, properties, count));
}

static void batch_call(struct draft *draft) {
    uint32_t count_max = profile.key_count < OPERATIONS_MAX ? profile.key_count : OPERATIONS_MAX;
    uint32_t count = 1 + sct_choose(count_max, "operations");
    draft->dump = app_peek_rows(draft->app);
    bool forbidden = one_in(FORBIDDEN_RARITY, "forbidden");
    struct ct_batch batch = ct_batch_new(sct_arena(), forbidden ? FORBIDDEN_BATCH_ROOM : count);
    if (count == OPERATIONS_MAX)
        MARK("a batch is as large as can be");
    for (uint32_t i = 0; i < count; i++)
        draw_operation(draft, &batch);
    if (forbidden)
        forbidden_spoil(&batch);
    app_execute(draft->app, &batch);
}

static void query_call(const struct draft *draft) {
    struct arena *arena = sct_arena();
    const struct ct_filter *partition = ct_filter_in_partition(arena, draft->partition);
    const struct ct_filter *filter = draw_filter();
    if (one_in(FORBIDDEN_QUERY_RARITY, "forbidden"))
        app_query(draft->app, forbidden_filter(draft->partition, filter));
    else
        app_query(draft->app, ct_filter_and(arena, partition, filter));
}

static enum patience draw_patience(void) {
    static const enum patience weighted[] = {HOLD, HOLD_TO_END, HOLD, AWAIT_ARRIVAL};
    return weighted[sct_choose(4, "patience")];
}

// The state in which a call is to begin: most often the focus or the one before it.
static enum mt_state draw_state(enum mt_state earliest) {
    if (!profile.is_focused || one_in(8, "out of focus"))
        return (enum mt_state)(earliest + sct_choose(MT_STATE_COUNT - earliest, "state"));
    enum mt_state state = profile.focus;
    if (state > MT_USE_OLD_HIDE_METADATA && one_in(4, "before the focus"))
        state--;
    return state > earliest ? state : earliest;
}

// Where the call begins: anywhere, or in a drawn state not before *[earliest].
static void await_drawn_state(struct app *app, enum mt_state *earliest) {
    if (one_in(6, "anywhere"))
        return;
    *earliest = draw_state(*earliest);
    app_await_state(app, *earliest, draw_patience());
}

static const char *writer_name(const struct app *app, uint32_t call) {
    static const char *const names[APPS_MAX][CALLS_MAX] = {
        {"service-0_c0", "service-0_c1", "service-0_c2", "service-0_c3"},
        {"service-1_c0", "service-1_c1", "service-1_c2", "service-1_c3"},
        {"service-2_c0", "service-2_c1", "service-2_c2", "service-2_c3"},
    };
    return names[app->index][call];
}

// A slow reader: between two reads it may stay in its state, wait for the next one, or let go.
static void pause(struct app *app) {
    switch (sct_choose(3, "pause")) {
    case 0:
        app_release_state(app);
        return;
    case 1:
        app_await_state(app, app->arrived_state, HOLD_TO_END);
        return;
    default:
        if (app->arrived_state + 1 < MT_STATE_COUNT)
            app_await_state(app, app->arrived_state + 1, HOLD);
    }
}

enum role { ROLE_MIXED, ROLE_WRITER, ROLE_READER, ROLE_COUNT };

static void make_call(struct draft *draft, enum role role) {
    bool writes = role == ROLE_MIXED ? sct_choose(2, "write") == 1 : role == ROLE_WRITER;
    if (writes)
        batch_call(draft);
    else if (sct_choose(2, "stream") == 0)
        query_call(draft);
    else
        app_stream_slowly(draft->app, draw_filter(), pause);
}

void rich_program(struct app *app) {
    enum mt_state earliest = MT_USE_OLD_HIDE_METADATA;
    enum role role = (enum role)sct_choose(ROLE_COUNT, "role");
    uint32_t count = 1 + sct_choose(CALLS_MAX, "calls");
    for (uint32_t i = 0; i < count; i++) {
        struct draft draft = {
            .app = app,
            .partition = partitions[sct_choose(profile.partition_count, "partition")],
            .keys_left = (1u << profile.key_count) - 1,
            .writer = writer_name(app, i),
        };
        await_drawn_state(app, &earliest);
        make_call(&draft, role);
    }
}
