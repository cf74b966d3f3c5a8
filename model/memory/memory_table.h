// The in-memory table: the reference implementation of the interface, with its whole history.
//
// Keeps a snapshot after every successful batch (revision 0 is empty; a batch that changed nothing
// makes one too) and so knows what a streamed read may return. Rows are immutable and shared
// between snapshots. Everything lives in the table's arena and grows with each write, and the
// strings of what is written must live as long: it is a reference, not a store. No scheduling
// points, no choices of its own: where a streamed read may give several answers it asks [choose].
#ifndef MODEL_MEMORY_MEMORY_TABLE_H
#define MODEL_MEMORY_MEMORY_TABLE_H

#include "core/base/digest.h"
#include "model/memory/valid_rows.h"

struct ct_memory_options {
    struct arena *arena; // lives as long as the table
    // ETags are this text and a decimal number from 1 on. Tables that must not be confused need
    // different prefixes, neither of them ending in a digit.
    const char *etag_prefix;
    // Picks among the [count] >= 1 answers a streamed read may give, in the documented order (see
    // ct_memory_valid_rows); NULL: always the first.
    size_t (*choose)(void *context, size_t count);
    void *choose_context;
    // Each key counts its own ETags, which then repeat between keys: writes of different keys
    // commute. Costs time and memory proportional to the keys ever written, so for few of them.
    bool etags_per_key;
    bool keeps_digests;            // of its rows, for whoever asks for digests after each step
    bool enforce_limits;           // refuse what ct_check_batch refuses by the service's rules
    struct ct_table_limits limits; // what it is to do as if it could not do more
};

struct ct_memory_table;

struct ct_memory_table *ct_memory_table_open(const struct ct_memory_options *options);

// The interface of the table. Its streams have no continuation key.
struct ct_table *ct_memory_table_interface(struct ct_memory_table *table);

// The index of the latest snapshot.
size_t ct_memory_revision(const struct ct_memory_table *table);

// The rows of snapshot [revision] (asserted <= the latest).
struct ct_rows ct_memory_rows_at(const struct ct_memory_table *table, size_t revision);

// The rows of the latest snapshot.
struct ct_rows ct_memory_rows(const struct ct_memory_table *table);

// What decides on the table's future answers to calls other than open streams': its rows and the
// next ETags, not its history.
struct digest ct_memory_digest(struct ct_memory_table *table);

// The same for a stream of an in-memory table: where it stands, and what it may still return of the
// revisions since it was opened, whatever their order.
struct digest ct_memory_stream_digest(struct ct_stream *stream);

// What happens to a table from a revision on, seen by somebody who asks for rows of [filter] from
// the key [from] on. The caller's; the first four members are for the caller to set, the rest is 0
// at first.
struct ct_memory_window {
    struct ct_memory_table *table;
    size_t start;                   // revision, asserted <= the latest where it is looked through
    const struct ct_filter *filter; // NULL: all rows
    struct ct_key from;
    size_t digested; // [digest] is that of the revision before this one; 0 after a change of [from]
    struct digest digest;
};

// Of the contents that the window has seen since its start, whatever their order: what decides on
// ct_memory_valid_rows.
struct digest ct_memory_window_digest(struct ct_memory_window *window);

// The least key that the next row of [stream], of such a table, may have: what happens to rows
// before it is nothing to the stream.
struct ct_key ct_memory_stream_from(const struct ct_stream *stream);

// As execute, but a written row gets the ETag of the same-numbered element of [mirrored] instead of
// a number of this table's own. NULL: as execute. For a reference table that follows another one.
struct ct_outcome ct_memory_execute_mirror(struct ct_memory_table *table, struct ct_batch *batch,
                                           const struct ct_op_result *mirrored,
                                           struct ct_op_result *results);

// What a stream with the window's filter may return now if it was opened at the window's start and
// its next row has a key of [from] or above. The list is in [arena].
struct ct_valid_rows ct_memory_valid_rows(const struct ct_memory_window *window,
                                          struct arena *arena);

// Whether [row] (NULL: the end) is among those.
bool ct_memory_is_valid_row(const struct ct_memory_window *window, const struct ct_row *row,
                            struct arena *scratch);

#endif
