#include "model/config/guard.h"

#include "model/table/batch.h"

static uint64_t present(const struct mt_lease *lease) {
    return lease->env->ops->now(lease->env);
}

bool mt_lease_holds(struct mt_lease *lease) {
    return present(lease) < atomic_load(&lease->end);
}

static struct ct_outcome too_late(void) {
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// Bounds the requests that follow; 0: it is too late for any.
static uint64_t bound(struct mt_guard *guard) {
    struct mt_lease *lease = guard->lease;
    uint64_t now = present(lease), deadline = now + lease->request;
    uint64_t end = atomic_load(&lease->end);
    // No request outlives the lease.
    if (!bug_on(lease->bugs, BUG_REQUEST_OUTLIVES_LEASE) && end < deadline)
        deadline = end;
    // Not sent at all: the table would refuse it, and the answer would cost a round trip.
    if (now >= deadline)
        return 0;
    guard->inner.set_deadline(guard->inner.table, deadline);
    return deadline;
}

// An answer was read: it counts if the lease still held when it was given.
// A write needs none of this: the table looks at the deadline when it does it, so what was done was
// done within the lease, whenever its answer comes.
static struct ct_outcome believe(struct mt_guard *guard, struct ct_outcome outcome) {
    // The process may have stood still since before the table was read.
    bool is_late =
        !bug_on(guard->lease->bugs, BUG_LATE_ANSWER_BELIEVED) && !mt_lease_holds(guard->lease);
    return outcome.kind == CT_SUCCEEDED && is_late ? too_late() : outcome;
}

// In a loop, since the clock decides and not the sleep.
static void wait_until(struct mt_lease *lease, uint64_t time) {
    struct ct_env *env = lease->env;
    for (uint64_t now = present(lease); now < time; now = present(lease))
        env->ops->sleep(env, HERE, time - now);
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct mt_guard *guard = (struct mt_guard *)table;
    struct ct_table *inner = guard->inner.table;
    uint64_t deadline = bound(guard);
    if (deadline == 0)
        return too_late();
    struct ct_outcome outcome = inner->ops->execute(inner, where, batch, arena, results);
    if (outcome.kind == CT_UNKNOWN && bug_on(guard->lease->bugs, BUG_UNKNOWN_IS_RETRIED))
        outcome = inner->ops->execute(inner, where, batch, arena, results);
    // It may be under way until then: who waits for this call must wait for that, too.
    if (outcome.kind == CT_UNKNOWN && !bug_on(guard->lease->bugs, BUG_UNKNOWN_ENDS_SUBSCRIPTION))
        wait_until(guard->lease, deadline);
    return outcome;
}

static void execute_all(struct ct_table *table, const char *where, struct ct_write *writes,
                        size_t count, struct arena *arena) {
    struct mt_guard *guard = (struct mt_guard *)table;
    uint64_t deadline = bound(guard);
    bool is_unknown = false;
    // The group is bounded once, by one deadline for all: one wait is enough whichever of them is
    // unknown.
    for (size_t i = 0; deadline == 0 && i < count; i++)
        writes[i].outcome = too_late();
    if (deadline == 0)
        return;
    ct_execute_all_at(guard->inner.table, where, writes, count, arena);
    for (size_t i = 0; i < count; i++)
        is_unknown = is_unknown || writes[i].outcome.kind == CT_UNKNOWN;
    if (is_unknown) // as above
        wait_until(guard->lease, deadline);
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct mt_guard *guard = (struct mt_guard *)table;
    struct ct_table *inner = guard->inner.table;
    if (bound(guard) == 0)
        return too_late();
    return believe(guard, inner->ops->query(inner, where, filter, arena, rows));
}

// ---- Streams -----------------------------------------------------------------------------------

struct guarded_stream {
    struct ct_stream stream; // first member
    struct mt_guard *guard;
    struct ct_stream *inner;
    struct arena *arena; // it is there
    // A row, or the end, whose answer came too late: the next read's, if there can be one.
    bool has_kept;
    const struct ct_row *kept;
    bool is_lost; // several rows were not believed: nothing more can be read
};

static struct ct_outcome read_stream(struct ct_stream *base, const char *where,
                                     const struct ct_row **row) {
    struct guarded_stream *stream = (struct guarded_stream *)base;
    const struct ct_row *given = stream->kept;
    struct ct_outcome outcome = ct_success();
    if (stream->is_lost || bound(stream->guard) == 0)
        return too_late();
    // A row that came too late was read of the inner stream, which has moved past it. If the lease
    // holds now, then it was renewed, by a row that nobody has deleted: the process was never
    // counted out, and what was read is as good as any.
    if (!stream->has_kept)
        outcome = stream->inner->ops->read(stream->inner, where, &given);
    bool has_answer = outcome.kind == CT_SUCCEEDED;
    outcome = believe(stream->guard, outcome);
    stream->has_kept = has_answer && outcome.kind != CT_SUCCEEDED;
    stream->kept = given;
    if (outcome.kind == CT_SUCCEEDED)
        *row = given;
    return outcome;
}

static struct ct_outcome read_some(struct ct_stream *base, const char *where, size_t most,
                                   struct arena *arena, const struct ct_row **rows, size_t *count) {
    struct guarded_stream *stream = (struct guarded_stream *)base;
    if (stream->is_lost || stream->has_kept || bound(stream->guard) == 0)
        return too_late();
    struct ct_outcome outcome =
        stream->inner->ops->read_some(stream->inner, where, most, arena, rows, count);
    outcome = believe(stream->guard, outcome);
    // The rows are in the caller's arena, which may be emptied before the next read, so they cannot
    // be kept as a single row is; and the inner stream has moved past them.
    stream->is_lost = outcome.kind != CT_SUCCEEDED;
    return outcome;
}

static void close_stream(struct ct_stream *base, const char *where) {
    struct guarded_stream *stream = (struct guarded_stream *)base;
    struct ct_env *env = stream->guard->lease->env;
    struct arena *arena = stream->arena; // of [stream] itself
    stream->inner->ops->close(stream->inner, where);
    env->ops->arena_close(env, arena);
}

#define STREAM_OPS .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {STREAM_OPS};
    static const struct ct_stream_ops ops_of_some = {STREAM_OPS, .read_some = read_some};
    struct mt_guard *guard = (struct mt_guard *)table;
    struct ct_table *inner = guard->inner.table;
    struct ct_env *env = guard->lease->env;
    if (bound(guard) == 0)
        return too_late();
    struct arena *arena = env->ops->arena_open(env);
    struct guarded_stream *opened = ARENA_NEW(arena, struct guarded_stream);
    *opened = (struct guarded_stream){.stream = {&ops}, .guard = guard, .arena = arena};
    struct ct_outcome outcome = inner->ops->open_stream(inner, where, filter, &opened->inner);
    // A stream that was opened too late may begin at an instant when the process was counted out.
    if (outcome.kind == CT_SUCCEEDED && believe(guard, outcome).kind != CT_SUCCEEDED) {
        opened->inner->ops->close(opened->inner, where);
        outcome = too_late();
    }
    if (outcome.kind != CT_SUCCEEDED) {
        env->ops->arena_close(env, arena);
        return outcome;
    }
    if (ct_stream_gives_some(opened->inner))
        opened->stream.ops = &ops_of_some;
    *stream = &opened->stream;
    return outcome;
}

// ---- The table ---------------------------------------------------------------------------------

static struct ct_table_limits limits(struct ct_table *table) {
    return ct_limits(((struct mt_guard *)table)->inner.table);
}

static void close_table(struct ct_table *table) {
    ct_close(((struct mt_guard *)table)->inner.table);
}

#define TABLE_OPS                                                                                \
    .version = CT_TABLE_VERSION, .execute = execute, .query = query, .open_stream = open_stream, \
    .close = close_table, .limits = limits

void mt_guard_init(struct mt_guard *guard, const struct mt_bounded *inner, struct mt_lease *lease) {
    static const struct ct_table_ops ops = {TABLE_OPS};
    // Two tables of functions, for a caller asks by the member whether a group gains anything.
    static const struct ct_table_ops ops_of_groups = {TABLE_OPS, .execute_all = execute_all};
    bool takes_groups = ct_takes_groups(inner->table);
    *guard = (struct mt_guard){
        .table = {takes_groups ? &ops_of_groups : &ops}, .inner = *inner, .lease = lease};
}
