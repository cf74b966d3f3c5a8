#include "harness/migrating/rich_workload.h"
#include "core/campaign/marks.h"
#include "core/strategy/strategy.h"
#include "harness/migrating/direct_reader.h"
#include "harness/migrating/forbidden.h"
#include "harness/migrating/rich_profile.h"
#include "harness/migrating/slow_call.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum {
    CALLS_MAX = 6,
    KEPT_MAX = 4,                // ETags that a program remembers
    FORBIDDEN_RARITY = 32,       // of so many batches one must be refused
    FORBIDDEN_QUERY_RARITY = 16, // and of so many queries
    EARLY_RARITY = 8,            // of so many streams one is closed before its end, after fewer
    READS_MAX = 3,               // reads than this
    DIRECT_RARITY = 16,          // of so many programs one reads the old table, one the new one
};

enum role { ROLE_MIXED, ROLE_WRITER, ROLE_READER };

// An ETag that an earlier call of the program returned: by now perhaps another row's past.
struct kept {
    struct ct_key key;
    const char *etag;
};

// A program being drawn and run.
struct script {
    struct app *app;
    enum role role;
    uint32_t types; // set of operation types in use
    bool is_behind; // at the push that machines gather at: still in the focus
    enum mt_state earliest;
    struct kept kept[KEPT_MAX];
    size_t kept_count; // ever; the newest ones are there
};

// A batch being drawn.
struct draft {
    struct script *script;
    const char *partition;
    struct ct_rows dump; // the reference's rows as the call saw them
    uint32_t keys_left;  // set of keys not yet in the batch
    uint32_t awaited;    // set of keys whose change others stand still for; 0: it meets nobody
    const char *writer;  // the property that names who wrote
};

static const struct profile *profile_of(const struct app *app) {
    return app->world->profile;
}

// ---- ETags from earlier results ----------------------------------------------------------------

static void keep(struct script *script, struct ct_key key, const char *etag) {
    script->kept[script->kept_count++ % KEPT_MAX] = (struct kept){key, etag};
}

// A batch that was done has put the ETags that it was given into its rows; in one that was not they
// are still the conditions.
static void keep_results(struct script *script, const struct ct_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const struct ct_row *entity = batch->operations[i].entity;
        if (entity->etag && entity->etag[0] != '*')
            keep(script, entity->key, entity->etag);
    }
}

static void keep_rows(struct script *script, struct ct_rows rows) {
    for (size_t i = 0; i < rows.count; i++)
        keep(script, rows.rows[i]->key, rows.rows[i]->etag);
}

// The one of [key] that stands first in the ring, or NULL.
// Any of the ring will do: it is to be one that was true once.
static const char *kept_etag(const struct script *script, struct ct_key key) {
    for (size_t i = 0; i < KEPT_MAX && i < script->kept_count; i++)
        if (ct_key_equal(script->kept[i].key, key))
            return script->kept[i].etag;
    return NULL;
}

// ---- Slow calls --------------------------------------------------------------------------------

// The next atomic call may stand still half-way: the longest have some more backend calls. Whether
// it may.
static bool draw_slow_call(struct app *app) {
    if (!profile_of(app)->has_slow_calls)
        return false;
    // Before which of its backend calls, 0: none. Most often the second, when what the first has
    // read can be out of date.
    static const size_t weighted[] = {0, 0, 0, 2, 2, 2, 3, 3, 1, 4, 5};
    size_t drawn = weighted[sct_choose(sizeof weighted / sizeof weighted[0], "slow call")];
    if (drawn > 0)
        slow_call_next(app, drawn, (enum slowness)sct_choose(SLOW_CHANGE, "until when"));
    return drawn > 0;
}

// What the next call has read may change before it writes, or reads on, in any profile.
static void draw_overtaking(struct app *app) {
    static const struct {
        size_t window;
        enum slowness slowness;
    } weighted[] = {{1, SLOW_CHANGE}, {1, SLOW_CHANGE}, {1, SLOW_CHANGE}, {1, SLOW_CHANGE},
                    {1, SLOW_MARK},   {1, SLOW_MARK},   {2, SLOW_CHANGE}, {2, SLOW_MARK},
                    {1, SLOW_CHANGE}, {2, SLOW_CHANGE}};
    uint32_t drawn = sct_choose(16, "window");
    if (drawn >= 6)
        slow_call_in_window(app, weighted[drawn - 6].window, weighted[drawn - 6].slowness);
}

// A call or read that is late in its state may wait until machines that are ahead have made calls.
static void draw_late_beginning(struct app *app, const char *partition) {
    static const enum slowness weighted[] = {SLOW_ONE_CALL, SLOW_ALL, SLOW_MARK, SLOW_MARK};
    uint32_t drawn = sct_choose(5, "late");
    if (drawn > 0)
        slow_call_begin_late(app, weighted[drawn - 1], partition);
}

// ---- Batches -----------------------------------------------------------------------------------

// The [index]-th element of a set of bits.
static uint32_t element(uint32_t set, uint32_t index) {
    while (index-- > 0)
        set &= set - 1;
    return (uint32_t)__builtin_ctz(set);
}

static uint32_t draw_element(uint32_t set, const char *label) {
    return element(set, sct_choose(sct_count_bits(set), label));
}

// "*" stands twice: at least two of five conditions hold wherever there is a row.
static const char *draw_if_match(const struct draft *draft, struct ct_key key) {
    const char *etags[5] = {CT_ANY_ETAG, CT_ANY_ETAG};
    uint32_t count = 2;
    const struct ct_row *row = ct_rows_find(draft->dump, key);
    if (row)
        etags[count++] = row->etag;
    const char *kept = kept_etag(draft->script, key);
    if (kept)
        etags[count++] = kept;
    if (!profile_of(draft->script->app)->is_apt)
        etags[count++] = "wrong";
    const char *etag = etags[sct_choose(count, "if-match")];
    if (etag == kept && !(row && ct_string_equal(etag, row->etag)))
        MARK("a condition on an ETag of the past");
    return etag;
}

// Of [types], those that succeed if the row of [key] stays as it is; all, if none does.
// A batch that is refused changes nothing, and meets few of the protocol's races.
static uint32_t apt_types(const struct draft *draft, struct ct_key key, uint32_t types) {
    const uint32_t need_row = 1u << CT_REPLACE | 1u << CT_MERGE | 1u << CT_DELETE;
    uint32_t apt = types & ~(ct_rows_find(draft->dump, key) ? 1u << CT_INSERT : need_row);
    return apt ? apt : types;
}

// Those that change the row of [key], in use or not: that bring it, if it is absent; that remove
// it, two times of three, or rewrite it, which copies and clean-up do, too.
static uint32_t changing_types(const struct draft *draft, struct ct_key key, bool is_together) {
    const uint32_t either = 1u << CT_INSERT_OR_REPLACE | 1u << CT_INSERT_OR_MERGE;
    uint32_t changing = either | 1u << CT_INSERT;
    if (ct_rows_find(draft->dump, key)) {
        const uint32_t rewriting = either | 1u << CT_REPLACE | 1u << CT_MERGE;
        const uint32_t removing = 1u << CT_DELETE | 1u << RICH_DELETE_IF_EXISTS;
        changing = sct_choose(3, "remove") > 0 ? removing : rewriting;
    }
    bool alone = is_together && profile_of(draft->script->app)->has_limits;
    return alone ? changing & ~(1u << RICH_DELETE_IF_EXISTS) : changing;
}

// Tables with limits have no DeleteIfExists in a batch: those that are left, or none.
static uint32_t batch_types(const struct script *script) {
    const uint32_t alone = profile_of(script->app)->has_limits ? 1u << RICH_DELETE_IF_EXISTS : 0;
    return script->types & ~alone;
}

static void draw_operation(struct draft *draft, struct ct_batch *batch, bool is_together) {
    uint32_t awaited = draft->keys_left & draft->awaited;
    uint32_t row = draw_element(awaited ? awaited : draft->keys_left, "key");
    draft->keys_left &= ~(1u << row);
    struct ct_key key = {draft->partition, rich_row_keys[row]};
    uint32_t types = draft->script->types;
    if (is_together)
        types = batch_types(draft->script);
    if (awaited)
        types = changing_types(draft, key, is_together);
    else if (profile_of(draft->script->app)->is_apt)
        types = apt_types(draft, key, types);
    uint32_t type = draw_element(types, "operation");
    const char *if_match = NULL;
    if (type == RICH_DELETE_IF_EXISTS)
        if_match = CT_IF_EXISTS_ETAG;
    else if (type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE)
        if_match = draw_if_match(draft, key);
    struct ct_property properties[RICH_PROPERTIES_MAX];
    const struct profile *profile = profile_of(draft->script->app);
    size_t count = rich_draw_properties(profile, properties);
    properties[count++] = ct_bool(draft->writer, true);
    ct_batch_add(batch, type == RICH_DELETE_IF_EXISTS ? CT_DELETE : (enum ct_op_type)type,
                 ct_row_new(sct_arena(), key, if_match, properties, count));
}

// The keys that [call] names in the partition of [draft].
static uint32_t named_keys(const struct call_record *call, const struct draft *draft) {
    uint32_t keys = 0;
    if (!call || call->kind != CALL_BATCH)
        return 0;
    for (size_t i = 0; i < call->batch.count; i++)
        for (uint32_t k = 0; k < RICH_KEYS_MAX; k++)
            if (ct_key_equal(call->batch.operations[i].entity->key,
                             (struct ct_key){draft->partition, rich_row_keys[k]}))
                keys |= 1u << k;
    return keys;
}

// Of what others do in a call's window most is a read, a batch that is refused, or one of other
// rows: half of the calls that begin meanwhile are batches that change a row that it names. Whether
// this one is.
static bool draw_meeting(struct draft *draft) {
    const struct world *world = draft->script->app->world;
    uint32_t awaited = 0;
    for (size_t i = 0; i < world->app_count; i++)
        if (world->apps[i]->awaits_change)
            awaited |= named_keys(world->apps[i]->client.calls, draft);
    if (!(awaited & draft->keys_left) || sct_choose(2, "meet") == 0)
        return false;
    draft->awaited = awaited;
    return true;
}

static void batch_call(struct draft *draft) {
    struct app *app = draft->script->app;
    const struct profile *profile = profile_of(app);
    uint32_t spread = profile->operations_max - profile->operations_min + 1;
    uint32_t count = profile->operations_min + sct_choose(spread, "operations");
    if (batch_types(draft->script) == 0)
        count = 1;
    draft->dump = app_peek_rows(app);
    bool forbidden = one_in(FORBIDDEN_RARITY, "forbidden");
    struct ct_batch batch = ct_batch_new(sct_arena(), forbidden ? FORBIDDEN_BATCH_ROOM : count);
    if (count == RICH_KEYS_MAX)
        MARK("a batch is as large as can be");
    for (uint32_t i = 0; i < count; i++)
        draw_operation(draft, &batch, count > 1);
    if (forbidden && one_in(4, "ill-formed"))
        forbidden_break(&batch);
    else if (forbidden)
        forbidden_spoil(&batch);
    // One of the two: a call has room for one place at which it stands still.
    if (!draw_slow_call(app))
        draw_overtaking(app);
    app_execute(app, &batch);
    if (!forbidden)
        keep_results(draft->script, &batch);
}

// ---- Reads -------------------------------------------------------------------------------------

static void query_call(const struct draft *draft) {
    struct app *app = draft->script->app;
    struct arena *arena = sct_arena();
    const struct ct_filter *partition = ct_filter_in_partition(arena, draft->partition);
    const struct ct_filter *filter = rich_draw_filter(profile_of(app));
    if (!draw_slow_call(app))
        draw_overtaking(app);
    if (one_in(FORBIDDEN_QUERY_RARITY, "forbidden"))
        app_query(app, forbidden_filter(draft->partition, filter));
    else
        keep_rows(draft->script, app_query(app, ct_filter_and(arena, partition, filter)));
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

// A reader that lives through the states, a read in each.
static void wander(struct app *app) {
    if (app->arrived_state + 1 < MT_STATE_COUNT)
        app_await_state(app, app->arrived_state + 1, HOLD);
}

// A reader that goes on to the end of the focus and stays there until others have left it.
static void lag(struct app *app) {
    enum mt_state focus = profile_of(app)->focus;
    if (app->arrived_state > focus)
        app_release_state(app);
    else if (app->arrived_state < focus)
        app_await_state(app, app->arrived_state + 1, HOLD_TO_END);
    else {
        app_await_state(app, focus, HOLD_TO_END);
        draw_late_beginning(app, rich_partitions[0]);
    }
}

static void draw_slow_stream(struct app *app) {
    static const enum slowness weighted[] = {SLOW_ONE_CALL, SLOW_ALL, SLOW_PUSH, SLOW_PUSH,
                                             SLOW_PUSH,     SLOW_ALL, SLOW_PUSH};
    uint32_t drawn = sct_choose(48, "slow stream");
    if (drawn >= 20)
        slow_call_in_stream(app, 2 + drawn % 4, weighted[(drawn - 20) / 4]);
}

static void stream_call(const struct draft *draft) {
    struct app *app = draft->script->app;
    const struct ct_filter *filter = rich_draw_filter(profile_of(app));
    bool lags = draft->script->is_behind && sct_choose(4, "lag") > 0;
    uint32_t reads = READ_TO_END;
    if (one_in(EARLY_RARITY, "close early"))
        reads = sct_choose(READS_MAX, "reads");
    bool wanders = !lags && one_in(2, "wander");
    draw_slow_stream(app);
    app_stream_slowly(app, filter, lags ? lag : wanders ? wander : pause, reads);
}

// ---- Where calls begin -------------------------------------------------------------------------

// HOLD counts double: then a call runs in exactly the state that was drawn.
static enum patience draw_patience(void) {
    static const enum patience weighted[] = {HOLD, HOLD_TO_END, HOLD, AWAIT_ARRIVAL};
    return weighted[sct_choose(4, "patience")];
}

static enum mt_state draw_state(enum mt_state earliest) {
    return (enum mt_state)(earliest + sct_choose(MT_STATE_COUNT - earliest, "state"));
}

// The focus, or now and then the state before it.
static enum mt_state draw_near(enum mt_state state, uint32_t rarity) {
    if (state > MT_USE_OLD_HIDE_METADATA && one_in(rarity, "before the focus"))
        state--;
    return state;
}

// The call waits until its machine is in [state], not before the calls that came first.
static void begin_in(struct script *script, enum mt_state state, enum patience patience) {
    if (state > script->earliest)
        script->earliest = state;
    app_await_state(script->app, script->earliest, patience);
}

static void begin_at_push(struct script *script, const char *partition) {
    enum mt_state focus = profile_of(script->app)->focus;
    if (script->is_behind) {
        bool is_early = one_in(4, "early");
        // The first state has no windows.
        begin_in(script, draw_near(focus, focus == MT_PREFER_OLD ? 3 : 2),
                 is_early ? HOLD : HOLD_TO_END);
        if (!is_early)
            draw_late_beginning(script->app, partition);
    } else {
        begin_in(script, focus + 1, one_in(4, "hold") ? HOLD : AWAIT_ARRIVAL);
    }
}

// Patience is drawn first: the order of draws is part of every trace.
static void begin_anywhere(struct script *script) {
    enum patience patience = draw_patience();
    begin_in(script, draw_state(script->earliest), patience);
}

static void begin_near(struct script *script, enum mt_state focus) {
    enum patience patience = draw_patience();
    begin_in(script, draw_near(focus, 4), patience);
}

static void await_beginning(struct script *script, const char *partition) {
    const struct profile *profile = profile_of(script->app);
    enum mt_state focus = profile->focus;
    switch (profile->gathering) {
    case GATHER_NOWHERE:
        if (!one_in(6, "anywhere"))
            begin_anywhere(script);
        return;
    case GATHER_ABOUT:
        if (one_in(6, "anywhere"))
            return;
        if (one_in(8, "out of focus"))
            begin_anywhere(script);
        else
            begin_near(script, focus);
        return;
    case GATHER_IN:
        begin_in(script, focus, draw_patience());
        return;
    case GATHER_AT_PUSH:
        begin_at_push(script, partition);
    }
}

// ---- Programs ----------------------------------------------------------------------------------

static const char *writer_name(const struct app *app, uint32_t call) {
    static const char *const names[][CALLS_MAX] = {
        {"service-0_c0", "service-0_c1", "service-0_c2", "service-0_c3", "service-0_c4",
         "service-0_c5"},
        {"service-1_c0", "service-1_c1", "service-1_c2", "service-1_c3", "service-1_c4",
         "service-1_c5"},
        {"service-2_c0", "service-2_c1", "service-2_c2", "service-2_c3", "service-2_c4",
         "service-2_c5"},
    };
    return names[app->index][call];
}

static void make_call(struct script *script, uint32_t number) {
    const struct profile *profile = profile_of(script->app);
    struct draft draft = {
        .script = script,
        .partition = rich_partitions[sct_choose(profile->partition_count, "partition")],
        .keys_left = (1u << profile->key_count) - 1,
        .writer = writer_name(script->app, number),
    };
    await_beginning(script, draft.partition);
    bool writes =
        script->role == ROLE_MIXED ? sct_choose(2, "write") == 1 : script->role == ROLE_WRITER;
    bool meets = draw_meeting(&draft);
    if (meets || writes)
        batch_call(&draft);
    else if (sct_choose(profile->theme == THEME_CHASE ? 4 : 2, "stream") == 0)
        query_call(&draft);
    else
        stream_call(&draft);
}

static enum role draw_role(const struct app *app) {
    static const enum role free[] = {ROLE_MIXED, ROLE_MIXED, ROLE_WRITER, ROLE_READER};
    static const enum role duel[] = {ROLE_WRITER, ROLE_MIXED, ROLE_MIXED};
    switch (profile_of(app)->theme) {
    case THEME_FREE:
        return free[sct_choose(4, "role")];
    case THEME_DUEL:
        return duel[sct_choose(3, "role")];
    case THEME_CHASE:
        if (app->index > 0)
            return ROLE_WRITER;
        return one_in(6, "it writes, too") ? ROLE_MIXED : ROLE_READER;
    }
    return ROLE_MIXED;
}

static bool draw_behind(const struct app *app) {
    const struct profile *profile = profile_of(app);
    if (profile->gathering != GATHER_AT_PUSH)
        return false;
    if (profile->theme == THEME_CHASE)
        return app->index == 0;
    if (app->index < 2 && profile->behind > 0)
        return app->index == profile->behind - 1;
    return sct_choose(2, "behind") == 1;
}

void rich_program(struct app *app) {
    const struct profile *profile = profile_of(app);
    struct script script = {.app = app, .role = draw_role(app)};
    script.is_behind = draw_behind(app);
    script.types = rich_draw_program_types(profile);
    uint32_t spread = profile->calls_max - profile->calls_min + 1;
    uint32_t count = profile->calls_min + sct_choose(spread, "calls");
    uint32_t directly = sct_choose(DIRECT_RARITY, "read directly");
    if (directly == 1)
        direct_read_old(app, rich_draw_filter(profile));
    for (uint32_t i = 0; i < count; i++)
        make_call(&script, i);
    if (directly == 2)
        direct_read_new(app, rich_draw_filter(profile));
}
