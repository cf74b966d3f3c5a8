// The chain-table interface: what an Azure-style table offers, and what MigratingTable offers
// again.
//
// A table maps primary keys to rows of named properties. Writes are batches inside one partition;
// reads are atomic queries of one partition or streamed queries of everything. Implementations: the
// in-memory table, a MigratingTable over two tables, a proxy of the test harness, or a client of a
// real server.
//
// Memory. Whatever a call gives back lives in the arena that the caller passes with it, and so may
// what the table needs meanwhile: a caller that resets it between calls runs for ever in constant
// memory. Rows handed out are immutable. A table keeps what its own state needs by its own means.
//
// Strings are UTF-8 and NUL-terminated; those of properties may have further NULs in them. A null
// key is NULL, never "": the empty string is a legal key.
#ifndef MODEL_TABLE_TABLE_H
#define MODEL_TABLE_TABLE_H

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- Values ------------------------------------------------------------------------------------

struct ct_key {
    const char *partition;
    const char *row;
};

enum ct_type {
    CT_BOOL,
    CT_STRING,
    CT_INT32,
    CT_INT64,
    CT_DOUBLE,
    CT_DATETIME,
    CT_GUID,
    CT_BINARY,
};

enum { CT_TYPES = CT_BINARY + 1, CT_GUID_BYTES = 16 };

// value.h makes and compares them.
struct ct_property {
    const char *name;
    enum ct_type type;
    uint32_t size; // of [string] without the NUL at its end, or of [bytes]; else 0
    union {
        bool boolean;
        int32_t int32;
        int64_t int64;
        double real;                // CT_DOUBLE
        int64_t ticks;              // CT_DATETIME: units of 100 ns since 1970, UTC
        const char *string;         // CT_STRING
        const unsigned char *bytes; // CT_BINARY; CT_GUID: CT_GUID_BYTES, as its text has them
    } value;
};

// A row, and the entity of an operation. Properties are in ordinal order of their names, distinct.
struct ct_row {
    struct ct_key key;
    const char *etag;     // chosen by the table at every write; in an operation: If-Match, or NULL
    int64_t timestamp;    // chosen by the table, in ticks; the in-memory table's never differs
    struct digest digest; // of one that nobody changes any more, if it is known; else zeros
    size_t property_count;
    struct ct_property properties[];
};

// Rows in key order: by partition key, then row key, each by the UTF-16 code units of its text (the
// order of the real service).
struct ct_rows {
    const struct ct_row *const *rows;
    size_t count;
};

// If-Match values with a meaning of their own. "**" is for a Delete only: delete if it exists.
#define CT_ANY_ETAG "*"
#define CT_IF_EXISTS_ETAG "**"

// ---- Outcomes ----------------------------------------------------------------------------------

enum ct_status {
    CT_STATUS_NONE = 0,
    CT_STATUS_OK = 200,
    CT_STATUS_CREATED = 201,
    CT_STATUS_NO_CONTENT = 204,
    CT_STATUS_BAD_REQUEST = 400,
    CT_STATUS_NOT_FOUND = 404,
    CT_STATUS_CONFLICT = 409,
    CT_STATUS_PRECONDITION_FAILED = 412,
    CT_STATUS_TOO_LARGE = 413,
    CT_STATUS_SERVER_ERROR = 500, // nothing was done; the call may be made again
};

// Why a call is refused, by the service's names (errors.def).
enum ct_error {
    CT_ERROR_NONE,
#define ERROR(symbol, name, status, message) CT_ERROR_##symbol,
#include "model/table/errors.def"
#undef ERROR
};

enum ct_outcome_kind {
    CT_SUCCEEDED,
    CT_STORAGE_ERROR,  // a specified refusal: [status], and for a batch [op_index]
    CT_INTERNAL_ERROR, // a backend answered what the protocol holds impossible; no status
    CT_PROGRAM_ERROR,  // the caller broke the contract; nothing was done; [message] says how
    // A batch was sent and no answer came: all of it was done, or nothing. Which of the two is
    // decided by the time that the caller is told so: a table that sends requests to a server waits
    // until the request's deadline has passed, after which it can have no effect any more. No
    // entity was changed. [message] says what happened. Not the outcome of a read: that has changed
    // nothing, so it is CT_STATUS_SERVER_ERROR.
    CT_UNKNOWN,
};

struct ct_outcome {
    enum ct_outcome_kind kind;
    enum ct_status status; // CT_STORAGE_ERROR only, as the next two
    enum ct_error error;   // CT_ERROR_NONE: none but what the status says (ct_error_of, error.h)
    size_t op_index;       // of a batch: the first operation that failed
    // A constant, or a text in the call's arena. May be NULL for CT_SUCCEEDED and CT_STORAGE_ERROR.
    const char *message;
};

static inline struct ct_outcome ct_success(void) {
    return (struct ct_outcome){.kind = CT_SUCCEEDED};
}

static inline struct ct_outcome ct_storage_error(enum ct_status status, size_t op_index) {
    return (struct ct_outcome){.kind = CT_STORAGE_ERROR, .status = status, .op_index = op_index};
}

static inline struct ct_outcome ct_internal_error(const char *message) {
    return (struct ct_outcome){.kind = CT_INTERNAL_ERROR, .message = message};
}

static inline struct ct_outcome ct_program_error(const char *message) {
    return (struct ct_outcome){.kind = CT_PROGRAM_ERROR, .message = message};
}

static inline struct ct_outcome ct_unknown(const char *message) {
    return (struct ct_outcome){.kind = CT_UNKNOWN, .message = message};
}

// Whether [outcome] is the storage error [status] (at whatever operation).
static inline bool ct_failed_with(struct ct_outcome outcome, enum ct_status status) {
    return outcome.kind == CT_STORAGE_ERROR && outcome.status == status;
}

// ---- Batches -----------------------------------------------------------------------------------

enum ct_op_type {
    CT_INSERT,
    CT_REPLACE,
    CT_MERGE,
    CT_DELETE, // with If-Match "**": DeleteIfExists
    CT_INSERT_OR_REPLACE,
    CT_INSERT_OR_MERGE,
};

struct ct_operation {
    enum ct_op_type type;
    // The caller's entity: key, If-Match in [etag], properties. On success of the batch every
    // operation but a Delete overwrites the entity's ETag with the new one.
    struct ct_row *entity;
};

// Operations of one partition, executed in order, all or nothing. See batch.h for building one.
struct ct_batch {
    struct ct_operation *operations;
    size_t count;
    size_t capacity;
};

struct ct_op_result {
    enum ct_status status;
    const char *etag;      // NULL after a Delete
    struct ct_row *entity; // the operation's entity, with its ETag as the batch left it
};

// A batch among others that are executed together (execute_all), and what came of it: as execute
// returns it. [results] has room for those of all its operations.
struct ct_write {
    struct ct_batch batch;
    struct ct_op_result *results;
    struct ct_outcome outcome;
};

// ---- Tables ------------------------------------------------------------------------------------

struct ct_filter; // filter.h; a NULL filter matches every row
struct ct_table;
struct ct_stream;

// What [version] of a table of functions may say. A member that is added later says since which
// version it is there; nobody looks at it in an older one.
enum { CT_TABLE_VERSION = 3, CT_STREAM_VERSION = 2 };

// What a table can do. Those who ask for more get the error that is named.
struct ct_table_limits {
    // The most rows that a query gives, as of one instant; 0: as many as there are. Above it is
    // CT_ERROR_NOT_ONE_INSTANT, never a part of them or a sum of several instants.
    size_t query_rows;
    // A DeleteIfExists among other operations of a batch is CT_ERROR_CANNOT_ASSERT_ABSENCE.
    bool no_delete_if_exists;
    // The most operations of a batch, if it takes more than the service does (check.h); 0: as the
    // service. Of such a batch keys are not compared: what names one twice is refused, or not, as
    // by two batches.
    size_t batch_operations;
};

// [where] is always the caller's place in the source (HERE), for narration only.
struct ct_table_ops {
    uint32_t version; // CT_TABLE_VERSION
    // Executes [batch]; fills [results] (batch->count of them) on success and only then. A batch
    // that is empty, spans partitions or lacks a key or a needed If-Match is CT_PROGRAM_ERROR. The
    // ETags of the results are in [arena].
    struct ct_outcome (*execute)(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results);
    // All rows that match [filter], as of one instant. The filter must target one partition
    // syntactically (ct_filter_partition), anything else is CT_PROGRAM_ERROR. List and rows are in
    // [arena], or live longer.
    struct ct_outcome (*query)(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows);
    // Opens a stream over all rows that match [filter], in key order; each row may reflect any
    // instant between this call and the return of the read that gives it, independently per row.
    // [filter] must live as long as the stream, which has memory of its own.
    struct ct_outcome (*open_stream)(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream);
    // Gives back what the table holds of its surroundings (not its contents); the last call. Its
    // streams have been closed.
    void (*close)(struct ct_table *table);
    // What the table can do, always the same. NULL: what the service can, without limits of its
    // answers. Since version 2.
    struct ct_table_limits (*limits)(struct ct_table *table);
    // Executes [count] batches, each as by [execute], with an outcome of its own: in any order, one
    // by one or at one instant. When it returns none is under way, but for those that are unknown.
    // NULL: there is nothing to be gained by it (ct_execute_all, batch.h). Since version 3.
    void (*execute_all)(struct ct_table *table, const char *where, struct ct_write *writes,
                        size_t count, struct arena *arena);
};

struct ct_stream_ops {
    uint32_t version; // CT_STREAM_VERSION
    // The next row, or NULL at the end (and for ever after). The row lives until the next read of
    // the stream, or its close. At most one call at a time.
    struct ct_outcome (*read)(struct ct_stream *stream, const char *where,
                              const struct ct_row **row);
    // A key from which the query could be started again without loss: above the last row returned,
    // at most the next row's. It lives as long as a row. False: the next read returns the end. May
    // be NULL in a backend.
    bool (*continuation_key)(struct ct_stream *stream, const char *where, struct ct_key *key);
    // Ends the stream; its further use is a program error, and a second close is, too: the stream's
    // memory may be gone.
    void (*close)(struct ct_stream *stream, const char *where);
    // As so many reads, but what they give is in [arena]: to [rows] the next ones, at most [most],
    // which is not 0; none is the end. After a failure the stream gives nothing more. NULL: rows
    // come one by one. Since version 2.
    struct ct_outcome (*read_some)(struct ct_stream *stream, const char *where, size_t most,
                                   struct arena *arena, const struct ct_row **rows, size_t *count);
};

struct ct_table {
    const struct ct_table_ops *ops;
};

struct ct_stream {
    const struct ct_stream_ops *ops;
};

// The calls, each passing on its place in the source.
#define ct_execute(table, batch, arena, results) \
    ((table)->ops->execute((table), HERE, (batch), (arena), (results)))
#define ct_query(table, filter, arena, rows) \
    ((table)->ops->query((table), HERE, (filter), (arena), (rows)))
#define ct_open_stream(table, filter, stream) \
    ((table)->ops->open_stream((table), HERE, (filter), (stream)))
#define ct_stream_read(stream, row) ((stream)->ops->read((stream), HERE, (row)))
#define ct_stream_read_some(stream, most, arena, rows, count) \
    ((stream)->ops->read_some((stream), HERE, (most), (arena), (rows), (count)))
#define ct_stream_continuation_key(stream, key) \
    ((stream)->ops->continuation_key((stream), HERE, (key)))
#define ct_stream_close(stream) ((stream)->ops->close((stream), HERE))
#define ct_close(table) ((table)->ops->close(table))

static inline bool ct_stream_gives_some(const struct ct_stream *stream) {
    return stream->ops->version >= 2 && stream->ops->read_some;
}

static inline struct ct_table_limits ct_limits(struct ct_table *table) {
    bool is_told = table->ops->version >= 2 && table->ops->limits;
    return is_told ? table->ops->limits(table) : (struct ct_table_limits){0};
}

#endif
