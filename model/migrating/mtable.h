// Inside MigratingTable: the instance, its parts, and the small change of every backend call.
//
// The rules that all parts keep. Every execute and query of a backend is followed by exactly one
// note before the next one, also when an expected refusal was the answer. A backend's program or
// internal error is passed up as it is, a refusal that the protocol does not expect becomes an
// internal error, both without a note. A server error (the call was not executed) ends what was
// being done, without a note and without a further backend call: it is never tried again here, so
// nothing loops on one that persists.
//
// After an unknown outcome nobody guesses. The note says what is so if the call was done, and then
// the tables are read. Of a step of the protocol's own (a mark, a switch, a copy, a clean-up) they
// tell: what it leads to is there, and the call goes on, or it is not, and the call ends with a
// server error. Of the application's own writes they tell at most that nothing was done (a row
// still has an ETag that the batch would have ended); else the call's outcome is unknown, too.
//
// Memory. Each call works on a copy of the instance whose arena is the call's: what it makes on its
// way goes there. A stream has arenas of its own, and so has the migrator.
#ifndef MODEL_MIGRATING_MTABLE_H
#define MODEL_MIGRATING_MTABLE_H

#include "model/migrating/entity.h"
#include "model/migrating/migrating.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

struct mt_table {
    struct ct_table interface; // first member
    struct ct_table *old_table, *new_table;
    struct mt_config *config;
    struct ct_env *env;
    struct arena *arena; // of the instance; in a call's copy, that of the call
    size_t copy_rows;
    const struct mt_copier *copiers;
    size_t copier_count;
    struct bug_set *bugs; // may be NULL
};

// The copy of [table] that a call works on.
struct mt_table mt_with_arena(const struct mt_table *table, struct arena *arena);

// ---- The parts ---------------------------------------------------------------------------------

// partition.c. Success, or why the call must end. All note their calls.

// Makes the partition POPULATED unless it has a state already.
struct ct_outcome mt_mark_populated(struct mt_table *table, const char *partition);

// Back to a partition without a state: its meta row and its assertion row go, in one batch. When
// all clients are in the first state. A read and a write, again when an answer is lost.
struct ct_outcome mt_unmark(struct mt_table *table, const char *partition);

// Makes the partition SWITCHED, whatever it was.
struct ct_outcome mt_ensure_switched(struct mt_table *table, const char *partition);

// The same for [count] >= 1 different ones, which are taken for unmarked before anybody looks.
struct ct_outcome mt_ensure_all_switched(struct mt_table *table, const char *const *partitions,
                                         size_t count);

// The state of the partition as the old table has it now.
struct ct_outcome mt_read_state(struct mt_table *table, const char *partition,
                                enum mt_partition_state *state);

// The row of [backend] with that key as it is now, or NULL.
struct ct_outcome mt_read_row(struct mt_table *table, struct ct_table *backend, struct ct_key key,
                              const struct ct_row **row);

// Why [row] of the old table cannot be moved, in words, or NULL.
const char *mt_why_immovable(struct arena *arena, const struct ct_row *row);

// Copies a [row] of the old table to the new one unless that has a row there. A row that cannot be
// moved is CT_STATUS_BAD_REQUEST, and the message names it.
struct ct_outcome mt_try_copy(struct mt_table *table, const struct ct_row *row);

// The same for [count] >= 1 rows in key order: those of a partition by one batch if the new table
// has none of them, else by one of those that it lacks. [rows] may be in another order afterwards.
struct ct_outcome mt_try_copy_rows(struct mt_table *table, const struct ct_row **rows,
                                   size_t count);

// The filters for the rows that a batch names: for these alone, and for all from the least to the
// greatest one.
struct mt_named_rows {
    const struct ct_filter *rows, *range;
};

struct mt_named_rows mt_named_rows(struct mt_table *table, const struct ct_batch *batch);

// Those rows of [backend], perhaps with others between them. The note of the call is the caller's.
struct ct_outcome mt_query_named(struct mt_table *table, struct ct_table *backend,
                                 const struct mt_named_rows *named, struct ct_rows *rows);

// Copies the rows that [batch] names.
struct ct_outcome mt_ensure_rows_migrated(struct mt_table *table, const struct ct_batch *batch,
                                          const struct mt_named_rows *named);

// copying.c: copies every row of the old table.
struct ct_outcome mt_copy_pass(struct mt_table *table);

// What one of the two backends cannot do.
struct ct_table_limits mt_limits(struct ct_table *interface);

// batch.c, query.c, stream.c: the operations of the virtual table.
struct ct_outcome mt_execute(struct ct_table *interface, const char *where, struct ct_batch *batch,
                             struct arena *arena, struct ct_op_result *results);
struct ct_outcome mt_query(struct ct_table *interface, const char *where,
                           const struct ct_filter *filter, struct arena *arena,
                           struct ct_rows *rows);
struct ct_outcome mt_open_stream(struct ct_table *interface, const char *where,
                                 const struct ct_filter *filter, struct ct_stream **stream);

// ---- What is observed (see struct ct_env_ops) --------------------------------------------------

// The one place where the protocol's text speaks of a tester. It says nothing about testing: a call
// that forgets states a fact of the protocol, that from here on only so much of what was seen can
// matter, which a reader may rely on, too. Where nobody compares states it costs a test of a
// pointer.

static inline struct digest mt_observed(struct mt_table *table) {
    return table->env->ops->observed ? table->env->ops->observed(table->env)
                                     : (struct digest){0, 0};
}

static inline bool mt_is_observing(const struct mt_table *table) {
    return table->env->ops->forget;
}

// The running task has learnt what [digest] stands for.
static inline void mt_observe(struct mt_table *table, struct digest digest) {
    if (mt_is_observing(table))
        table->env->ops->forget(table->env, digest_fold_digest(mt_observed(table), digest),
                                "observed", 0);
}

static inline void mt_forget(struct mt_table *table, struct digest mark, const char *place,
                             uint64_t value) {
    if (mt_is_observing(table))
        table->env->ops->forget(table->env, mark, place, value);
}

// ---- Backend calls and notes -------------------------------------------------------------------

// Registers a call with the configuration service, or ends that.
static inline struct ct_outcome
mt_subscribe(struct mt_table *table, struct mt_subscription *subscription, enum mt_state *state) {
    return table->config->ops->subscribe(table->config, subscription, state);
}

static inline void mt_unsubscribe(struct mt_table *table, struct mt_subscription *subscription) {
    table->config->ops->unsubscribe(table->config, subscription);
}

// Forgets what the call has made above [mark].
static inline void mt_reset(struct mt_table *table, size_t mark) {
    table->env->ops->arena_reset(table->env, table->arena, mark);
}

// Whether so much was made above [mark] as may be kept for batches.
static inline bool mt_has_much(const struct mt_table *table, size_t mark) {
    enum { MUCH_BYTES = 4 << 20 };
    return arena_mark(table->arena) - mark >= MUCH_BYTES;
}

static inline bool mt_is_server_error(struct ct_outcome outcome) {
    return ct_failed_with(outcome, CT_STATUS_SERVER_ERROR);
}

// As a call's outcome: the fault of no operation, so the index is 0.
static inline struct ct_outcome mt_server_error(void) {
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// What a call ends with after a backend's [outcome] that it has no rule for. Reads are never
// unknown.
static inline struct ct_outcome mt_unexpected(struct ct_outcome outcome, const char *message) {
    if (mt_is_server_error(outcome))
        return mt_server_error();
    bool is_impossible = outcome.kind == CT_STORAGE_ERROR || outcome.kind == CT_UNKNOWN;
    return is_impossible ? ct_internal_error(message) : outcome;
}

// Of a step whose outcome was unknown, when the tables have been read: goes on or ends the call.
static inline struct ct_outcome mt_decided(bool was_done) {
    return was_done ? ct_success() : mt_server_error();
}

// A batch of one operation on [backend]; its new ETag, or NULL, goes to [etag].
static inline struct ct_outcome mt_write_at(struct mt_table *table, struct ct_table *backend,
                                            const char *where, struct ct_operation operation,
                                            const char **etag) {
    struct ct_batch batch = {.operations = &operation, .count = 0, .capacity = 1};
    struct ct_op_result result = {.etag = NULL};
    ct_batch_add(&batch, operation.type, operation.entity);
    struct ct_outcome outcome =
        backend->ops->execute(backend, where, &batch, table->arena, &result);
    *etag = result.etag;
    return outcome;
}

// A batch of [count] operations, to be added, and room for its results.
static inline struct ct_write mt_new_write(struct arena *arena, size_t count) {
    return (struct ct_write){.batch = ct_batch_new(arena, count),
                             .results = ARENA_ARRAY(arena, struct ct_op_result, count)};
}

// How many of [count] >= 1 rows in key order are in the partition of the first.
static inline size_t mt_run_length(const struct ct_row *const *rows, size_t count) {
    size_t length = 1;
    while (length < count && ct_string_equal(rows[length]->key.partition, rows[0]->key.partition))
        length++;
    return length;
}

// Executes [writes] on [backend]; where it gains by it, together. [note] is called for each that
// was executed, at its time.
void mt_execute_all(struct mt_table *table, struct ct_table *backend, struct ct_write *writes,
                    size_t count,
                    void (*note)(struct mt_table *table, const struct ct_write *write));

#define mt_write(table, backend, op_type, op_entity, etag) \
    mt_write_at((table), (backend), HERE, (struct ct_operation){(op_type), (op_entity)}, (etag))

static inline void mt_note_at(struct mt_table *table, const char *where,
                              struct ct_annotation annotation) {
    table->env->ops->annotate(table->env, where, &annotation);
}

// The backend call just made was not the linearization point ...
#define mt_note(table) mt_note_at((table), HERE, (struct ct_annotation){.etag = NULL})

// ... but changed the visible ETag of a row. [new_etag] is NULL if it is not known whether.
#define mt_note_etag(table, changed_key, new_etag) \
    mt_note_at(                                    \
        (table), HERE,                             \
        (struct ct_annotation){.etag_changed = true, .key = (changed_key), .etag = (new_etag)})

// ... of all rows of a batch; their ETags are NULL if it is not known whether.
#define mt_note_etags(table, results, count) \
    mt_note_at((table), HERE,                \
               (struct ct_annotation){.changed = (results), .changed_count = (count)})

// It was the linearization point of a query, or of a batch that is refused ...
#define mt_note_lp(table) \
    mt_note_at((table), HERE, (struct ct_annotation){.linearization_point = true})

// ... or of a batch that succeeds with these results.
#define mt_note_lp_results(table, op_results, op_count)            \
    mt_note_at((table), HERE,                                      \
               (struct ct_annotation){.linearization_point = true, \
                                      .results = (op_results),     \
                                      .result_count = (op_count)})

#endif
