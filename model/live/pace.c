#include "model/live/pace.h"

#include "core/base/clock.h"

enum { SECOND = 1000000000, LOOK = SECOND / 5, NAP = SECOND / 20 };

static bool is_interrupted(const struct pace *pace) {
    return pace->is_interrupted && *pace->is_interrupted;
}

// Orders that cannot be read stay as they were.
static void look(struct pace *pace, bool at_once) {
    struct ct_env *env = &pace->env->env;
    struct orders orders;
    uint64_t now = clock_nanoseconds();
    if (!at_once && now - pace->looked < LOOK)
        return;
    pace->looked = now;
    struct arena *arena = env->ops->arena_open(env);
    if (orders_read(pace->control, pace->migration, arena, &orders).kind == CT_SUCCEEDED)
        pace->orders = orders;
    env->ops->arena_close(env, arena);
    pace->tell(pace->context);
}

static void nap(struct pace *pace) {
    struct ct_env *env = &pace->env->env;
    env->ops->sleep(env, HERE, NAP);
}

bool pace_wait(struct pace *pace, uint64_t rows) {
    look(pace, false);
    while (!is_interrupted(pace) && (pace->orders.is_paused || clock_nanoseconds() < pace->due)) {
        nap(pace);
        look(pace, false);
    }
    uint64_t now = clock_nanoseconds();
    uint64_t from = pace->due > now ? pace->due : now;
    if (pace->orders.rows_per_second > 0)
        pace->due = from + rows * SECOND / (uint64_t)pace->orders.rows_per_second;
    return !is_interrupted(pace);
}

bool pace_hold(struct pace *pace, enum mt_state state) {
    look(pace, true);
    while (!is_interrupted(pace) &&
           (pace->orders.is_paused || pace->orders.hold_before == (int32_t)state)) {
        nap(pace);
        look(pace, false);
    }
    return !is_interrupted(pace);
}

// ---- The table ---------------------------------------------------------------------------------

static struct paced_table *paced_of(struct ct_table *table) {
    return (struct paced_table *)table;
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct paced_table *paced = paced_of(table);
    if (!pace_wait(paced->pace, batch->count))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct ct_outcome outcome =
        paced->inner->ops->execute(paced->inner, where, batch, arena, results);
    if (outcome.kind == CT_SUCCEEDED) {
        paced->rows += batch->count;
        paced->pace->rows += batch->count;
    }
    return outcome;
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct ct_table *inner = paced_of(table)->inner;
    return inner->ops->query(inner, where, filter, arena, rows);
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    struct ct_table *inner = paced_of(table)->inner;
    return inner->ops->open_stream(inner, where, filter, stream);
}

static struct ct_table_limits limits(struct ct_table *table) {
    return ct_limits(paced_of(table)->inner);
}

static void close_table(struct ct_table *table) {
    (void)table; // whoever made it closes what is within
}

void pace_init(struct paced_table *paced, struct ct_table *inner, struct pace *pace) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = execute,
                                            .query = query,
                                            .open_stream = open_stream,
                                            .close = close_table,
                                            .limits = limits};
    *paced = (struct paced_table){{&ops}, inner, pace, 0};
}
