#include "model/live/pace.h"

#include "core/base/clock.h"
#include "model/table/batch.h"

enum { SECOND = 1000000000, LOOK = SECOND / 5, NAP = SECOND / 20 };

static bool is_interrupted(const struct pace *pace) {
    return pace->is_interrupted && *pace->is_interrupted;
}

// Orders that cannot be read stay as they were.
// A request to the control table, so not for each batch: orders are followed within a fifth of a
// second.
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

// The time that a batch takes of the rate passes after it: the first one never waits.
static bool wait_for_turn(struct pace *pace, uint64_t rows) {
    look(pace, false);
    while (!is_interrupted(pace) && (pace->orders.is_paused || clock_nanoseconds() < pace->due)) {
        nap(pace);
        look(pace, false);
    }
    uint64_t now = clock_nanoseconds();
    // Time that was not used is not saved up: after a pause the rate is what it was before.
    uint64_t from = pace->due > now ? pace->due : now;
    if (pace->orders.rows_per_second > 0)
        pace->due = from + rows * SECOND / (uint64_t)pace->orders.rows_per_second;
    return !is_interrupted(pace);
}

// Whoever waits holds the mutex, so that all copiers together keep the pace and stand still
// together.
bool pace_wait(struct pace *pace, uint64_t rows) {
    pthread_mutex_lock(&pace->mutex);
    bool may_go = wait_for_turn(pace, rows);
    pthread_mutex_unlock(&pace->mutex);
    return may_go;
}

bool pace_hold(struct pace *pace, enum mt_state state) {
    pthread_mutex_lock(&pace->mutex);
    // At once, for a state that is pushed cannot be taken back: an order that came just now still
    // counts.
    look(pace, true);
    while (!is_interrupted(pace) &&
           (pace->orders.is_paused || pace->orders.hold_before == (int32_t)state)) {
        nap(pace);
        look(pace, false);
    }
    pthread_mutex_unlock(&pace->mutex);
    return !is_interrupted(pace);
}

// ---- The table ---------------------------------------------------------------------------------

static struct paced_table *paced_of(struct ct_table *table) {
    return (struct paced_table *)table;
}

// What may have been done is not counted: the numbers are for people, and for whether anything goes
// on (persist in migrate.c).
static void count_rows(struct paced_table *paced, const struct ct_batch *batch,
                       struct ct_outcome outcome) {
    if (outcome.kind != CT_SUCCEEDED)
        return;
    *paced->rows += batch->count;
    paced->pace->rows += batch->count;
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct paced_table *paced = paced_of(table);
    if (!pace_wait(paced->pace, batch->count))
        // Interrupted before it was sent: the migrator ends its pass as after any failure.
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct ct_outcome outcome =
        paced->inner->ops->execute(paced->inner, where, batch, arena, results);
    count_rows(paced, batch, outcome);
    return outcome;
}

static void execute_all(struct ct_table *table, const char *where, struct ct_write *writes,
                        size_t count, struct arena *arena) {
    struct paced_table *paced = paced_of(table);
    uint64_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += writes[i].batch.count;
    // One turn for the group, which is sent together.
    bool may_go = pace_wait(paced->pace, rows);
    for (size_t i = 0; !may_go && i < count; i++)
        writes[i].outcome = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    if (!may_go)
        return;
    ct_execute_all_at(paced->inner, where, writes, count, arena);
    for (size_t i = 0; i < count; i++)
        count_rows(paced, &writes[i].batch, writes[i].outcome);
}

// Reads are not counted: what burdens applications is writing.
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

#define TABLE_OPS                                                                                \
    .version = CT_TABLE_VERSION, .execute = execute, .query = query, .open_stream = open_stream, \
    .close = close_table, .limits = limits

void pace_init(struct paced_table *paced, struct ct_table *inner, struct pace *pace,
               _Atomic uint64_t *rows) {
    // That a table takes groups is told by whether it has the function, so there are two.
    static const struct ct_table_ops ops = {TABLE_OPS};
    static const struct ct_table_ops ops_of_groups = {TABLE_OPS, .execute_all = execute_all};
    *paced =
        (struct paced_table){{ct_takes_groups(inner) ? &ops_of_groups : &ops}, inner, pace, rows};
}
