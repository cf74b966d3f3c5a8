// A chain table in an SQLite file: durable, atomic, for many processes at once.
//
// One file holds many tables. A batch is one transaction, and what was answered as done is on disk
// (in write-ahead logging, with a sync before the answer). ETags are times in the service's form,
// each later than all before in the file, which the same transaction moves on: they are never used
// again, and two files give out the same one only where both write the row in the same tenth of a
// microsecond (whoever copies a row looks whether that happened). An instance has a connection of
// its own: it serves one thread at a time; other threads and processes open further ones.
//
// Outcomes. CT_STATUS_SERVER_ERROR: nothing was done (others wrote for too long, the disk is full,
// the deadline had passed). CT_UNKNOWN: the file failed in the middle of a commit and does not tell
// any more what it holds. A file that is damaged, or is no table's, is CT_INTERNAL_ERROR.
//
// A batch that the real service would refuse is refused with its error (check.h).
#ifndef MODEL_SQLITE_SQLITE_TABLE_H
#define MODEL_SQLITE_SQLITE_TABLE_H

#include "core/base/text.h"
#include "model/table/table.h"

#include <pthread.h>

struct ct_sqlite_table;

struct ct_sqlite_options {
    const char *path; // of the file, which is made if it is not there (its folder is not)
    // Of the table in it, made likewise: 1 to 255 bytes. NULL: none yet (catalog.h); until one is
    // chosen nothing is written or found.
    const char *name;
    // How long a batch waits for others that write, in milliseconds; 0: not at all.
    unsigned busy_ms;
    // Answers come before the disk has it: they survive the end of the process, not of the machine.
    bool is_relaxed;
    // The most operations of a batch, for those who write many rows: more than the service takes
    // (struct ct_table_limits); 0: as many.
    size_t batch_operations;
};

// Opens a table. NULL and a one-line error (what, where, what was expected) if that cannot be: no
// such folder, no right, a file of another kind or of a later version.
struct ct_sqlite_table *ct_sqlite_open(const struct ct_sqlite_options *options,
                                       struct error *error);

// The interface of the table; its ct_close ends the connection.
struct ct_table *ct_sqlite_interface(struct ct_sqlite_table *table);

// Batches from now on have no effect at or after [seconds] of clock_seconds(): the table looks at
// its clock when it holds the lock of the file, in the transaction that it commits. HUGE_VAL: no
// deadline, as at first.
void ct_sqlite_set_deadline(struct ct_sqlite_table *table, double seconds);

// Where threads that write to one file over several connections wait for each other. SQLite lets
// one of them have the file, and the others look again every millisecond, in no order. Here whoever
// has it takes along what others wait with, into one transaction: they share a commit, and a sync.
// Each batch has its own outcome, as if it had been alone, and is answered after the commit; what
// the file refuses then it refuses to all of them.
struct ct_sqlite_turn {
    // How long one waits here before a batch fails with CT_STATUS_SERVER_ERROR; 0: as long as it
    // takes. For other processes it waits after that, as [busy_ms] of the options says.
    unsigned wait_ms;
    struct ct_sqlite_table *writer; // or NULL
    pthread_mutex_t mutex;          // of what follows
    struct sqlite_call *first;      // of those who wait, as their number
    size_t waiting;
    bool is_led;     // somebody has the file
    int log_emptied; // pages that the log had when it last was
};

void ct_sqlite_turn_init(struct ct_sqlite_turn *turn, unsigned wait_ms);

// All that is written in [turn] is from now on written by a connection that this opens: it knows
// what it has read of the file as long as no other process writes. Before anybody waits. NULL and a
// one-line error as of ct_sqlite_open.
bool ct_sqlite_turn_open(struct ct_sqlite_turn *turn, const struct ct_sqlite_options *options,
                         struct error *error);

// After all connections that take turns were closed.
void ct_sqlite_turn_close(struct ct_sqlite_turn *turn);

// Batches take turns by [turn] from now on, which outlives the connection. What they write is
// prepared before. All connections of a turn are of the same file and is_relaxed.
void ct_sqlite_take_turns(struct ct_sqlite_table *table, struct ct_sqlite_turn *turn);

// Returns when no batch of anybody whose deadline had passed before can take effect any more: a
// process that was stopped between its look at the clock and its commit holds the lock. Fails with
// CT_STATUS_SERVER_ERROR if somebody held it for all of [busy_ms].
struct ct_outcome ct_sqlite_fence(struct ct_sqlite_table *table);

#endif
