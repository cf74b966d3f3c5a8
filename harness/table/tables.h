// The tables: two backend tables and the reference table, and the annotation protocol around them.
//
// Every annotatable call to a backend is followed by one annotation of its caller before any other
// table call is served. At a reported linearization point the reference table executes the caller's
// operation too; its outcome is what the caller must get. Serving a request takes no time: how
// requests get here, and what may happen in between, is the transport's business (transport.h).
//
// Or, for systems that use a table and are none themselves, there is one plain table: nothing is
// annotated, nothing mirrored.
#ifndef HARNESS_TABLE_TABLES_H
#define HARNESS_TABLE_TABLES_H

#include "core/engine/machine.h"
#include "model/table/env.h"
#include "model/memory/memory_table.h"

enum table_id { TABLE_OLD, TABLE_NEW, TABLE_COUNT };

// The object of accesses to the reference; those to a backend table have its table_id.
enum { TABLE_REFERENCE = TABLE_COUNT, TABLE_OBJECTS };

// What a caller's running atomic call should do, and what the reference made of it.
struct call_record {
    const struct sct_strand *owner; // the coroutine that makes the call
    struct call_record *next;       // of the same client
    enum { CALL_BATCH, CALL_QUERY } kind;
    struct ct_batch batch;          // a copy with the original If-Match values
    const struct ct_filter *filter; // CALL_QUERY
    bool is_linearized;
    bool has_begun; // a query or batch of it was served
    // The reference's revision when the first one was, and before the linearization point.
    size_t first_revision, last_revision;
    struct logged_call *logged;          // NULL: calls are not logged
    const struct ct_op_result *reported; // the results given with the annotation, if any
    struct ct_outcome outcome;           // the reference's
    struct ct_op_result *results;        // CALL_BATCH that succeeded, one per operation
    struct ct_rows rows;                 // CALL_QUERY
};

enum request_kind {
    REQUEST_EXECUTE, // the annotatable calls
    REQUEST_QUERY,
    REQUEST_OPEN_STREAM, // those that are not annotated
    REQUEST_READ_STREAM,
    REQUEST_PEEK_ROWS,     // the reference's rows
    REQUEST_PEEK_REVISION, // the reference's revision
    REQUEST_PEEK_VALID,    // whether a streamed read is valid
    REQUEST_ANNOTATE,
};

struct request {
    enum request_kind kind;
    enum table_id table;
    const char *label, *where;
    const struct sct_machine *caller;
    struct call_record *call; // the caller's; NULL: it may report no linearization point
    union {
        struct {
            struct ct_batch *batch;
            struct ct_op_result *results;
        } execute;
        struct {
            const struct ct_filter *filter;
            struct ct_rows *rows;
        } query;
        struct {
            const struct ct_filter *filter;
            struct ct_stream **stream;
        } open;
        struct {
            struct ct_stream *stream;
            const struct ct_row **row;
        } read;
        struct {
            struct ct_rows *rows;
            size_t *revision;
        } peek;
        struct {
            const struct ct_memory_window *window; // of the reference
            const struct ct_row *row;              // NULL: the end
            bool *is_valid;
        } valid;
        const struct ct_annotation *annotation;
    } as;
    struct ct_outcome outcome; // of the table calls
};

static inline bool request_is_annotatable(const struct request *request) {
    return request->kind == REQUEST_EXECUTE || request->kind == REQUEST_QUERY;
}

static inline bool request_is_backend_call(const struct request *request) {
    return request->kind <= REQUEST_READ_STREAM;
}

struct client_stream;

// What became of a batch that was sent to a backend table.
enum fate { FATE_DONE, FATE_DONE_UNANSWERED, FATE_NOT_DONE_UNANSWERED };

struct tables_options {
    bool etags_per_key;            // see struct ct_memory_options
    struct ct_table_limits limits; // likewise, of the backends
    uint32_t calls_max; // annotatable calls per execution before it counts as endless; 0: no limit
    size_t (*choose)(void *context, size_t count); // which valid row a backend stream returns
    // What annotations say is not checked: neither they themselves nor outcomes against them.
    bool ignores_annotations;
    bool is_plain; // TABLE_OLD is the one table; the others stay empty
    // Told of each batch of [caller] that took effect, in the same step: of a plain table's own,
    // else of the reference's at a linearization point. May be NULL.
    void (*wrote)(void *context, const struct sct_machine *caller);
    void *wrote_context;
    // Told of each batch to a backend that took effect or is not answered, before its annotation.
    // May be NULL.
    void (*executed)(void *context, const struct request *request, enum fate fate);
    void *executed_context;
};

// Of the last annotatable call, until its annotation.
struct lost_answer {
    bool is_lost;
    bool was_done; // and has changed the table
    enum table_id table;
};

struct tables {
    struct ct_memory_table *backend[TABLE_COUNT];
    struct ct_memory_table *reference;
    bool awaits_annotation;
    struct lost_answer lost;
    struct client_stream *streams; // the open ones, the newest first
    uint32_t streams_opened;       // so far; only for those who look, no answer depends on it
    uint32_t watchers;             // of all that becomes of the reference from some point on
    uint32_t calls;                // annotatable ones so far
    uint32_t objects;              // ids given out for struct sct_access; the first are the tables'
    struct tables_options options;
};

// Empty tables in the execution's arena.
void tables_init(struct tables *tables, const struct tables_options *options);

// The table that applications see: the plain one, or the reference.
const struct ct_memory_table *tables_visible(const struct tables *tables);

// Puts [rows] (sorted or not) into the old table and, with the same ETags, into the reference if
// there is one.
void tables_load(struct tables *tables, struct ct_row *const *rows, size_t count);

// Executes [request]. A table call must not come while an annotation is awaited (asserted; the
// transport holds it back). Violations end the execution.
void tables_serve(struct tables *tables, struct request *request);

// In place of [tables_serve] of a backend call: fails it with a server error. It is not executed,
// and no annotation is awaited.
void tables_fail(struct request *request);

// In place of [tables_serve] of a batch: nobody learns its outcome. If [is_done], it is executed
// all the same. An annotation follows, which then says what was so if it was done: what it cannot
// know, the ETags of the rows, the reference takes from the table.
void tables_lose(struct tables *tables, struct request *request, bool is_done);

// Of what [request] has answered, and of what was told to the call that was linearized.
struct digest request_digest(const struct request *request);
struct digest call_digest(const struct call_record *call);

// Of the tables and their open streams: contents, not history.
struct digest tables_digest(const struct tables *tables);
void tables_add(const struct tables *tables, struct digest_words *words);

// The integer a key maps to in struct sct_access: monotone in key order.
uint64_t tables_access_key(struct ct_key key);

// What a table call or a look at the reference may touch, for the scheduling point before it: of a
// table the range of the keys that it names, where somebody looks at keys.
struct sct_access request_access(const struct request *request);

#endif
