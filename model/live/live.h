// Live migration between tables in SQLite files, or at accounts of a table service, for whoever
// operates it: one function for each command of `mtable`.
//
// A migration has a name and lives in a control file: its state, the migrator that holds it, the
// application processes that take part, and the operator's orders. Every function may be called in
// any process at any time, and again after a failure; kill -9 of any of them loses nothing.
//
// What is said goes to options.out, a line each, or one JSON object; what went wrong to the error,
// one line that says what to do next.
#ifndef MODEL_LIVE_LIVE_H
#define MODEL_LIVE_LIVE_H

#include "core/base/text.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

struct bug_set;

enum live_status {
    LIVE_DONE = 0,
    LIVE_NEGATIVE = 1,      // it was answered, and the answer is no: tables differ, it is not over
    LIVE_USAGE = 2,         // an option says something else than expected
    LIVE_FAILED = 3,        // a file or table failed
    LIVE_INTERRUPTED = 130, // everything is as after a kill; go on with `migrate`
};

struct live_options {
    const char *control; // the control file, or account (accounts.h)
    const char *name;    // of the migration
    FILE *out;
    bool is_json;

    // live_init: the tables, each FILE#TABLE or ACCOUNT#TABLE; how long a process may be silent
    // before the others go on without it.
    const char *old_name, *new_name;
    uint32_t lease_ms; // 0: 10 s

    // live_verify
    bool is_still;       // nobody has written since PREFER_NEW: rows must be equal in both tables
    const char *against; // after the end: a copy of the old table, FILE#TABLE; NULL: none

    // live_migrate
    bool is_dry_run;          // only tells what would not go, and how long it would take
    uint32_t rows_per_second; // 0: as fast as it goes; live_throttle changes it
    const char *hold_before;  // a state: waits for `resume` before it is pushed; NULL: for none
    uint32_t batch_rows;      // so many rows are copied at once, up to 10,000; 0: 1,000
    uint32_t jobs;            // so many copy at once, up to 64; 0: 2
    const volatile sig_atomic_t *is_interrupted; // ends as soon as it is set; NULL: never
    struct bug_set *bugs;                        // injected bugs, or NULL
};

// Makes the control row, in the first state, with the absolute paths of the files, and tables that
// are not there. LIVE_NEGATIVE: there is one of that name.
int live_init(const struct live_options *options, struct error *error);

// State, holder, progress, and each client process with the version it has acknowledged: who holds
// up a push.
int live_print_status(const struct live_options *options, struct error *error);

// Migrates to the end, from wherever it stands, with progress. Waits while another migrator is
// alive. LIVE_NEGATIVE: there are rows that cannot be moved, ten of which it names; nothing was
// begun.
int live_migrate(const struct live_options *options, struct error *error);

// Orders for the running migrator, and the next ones: it stands still; it goes on, past the state
// it was to hold before, too; at most [rows_per_second] (0: no limit) from now on.
int live_pause(const struct live_options *options, struct error *error);
int live_resume(const struct live_options *options, struct error *error);
int live_throttle(const struct live_options *options, struct error *error);

// Compares the two tables, row by row, with what the state of the migration promises, and reports
// the first keys that differ. From PREFER_NEW to USE_NEW_WITH_TOMBSTONES a row may differ from the
// old table's, or be in the new one alone, or deleted, because an application has written it: such
// rows are counted, and are differences if [is_still]. LIVE_NEGATIVE: there are differences.
int live_verify(const struct live_options *options, struct error *error);

// After the end: verifies, and removes the control rows. Client processes that have been silent for
// a lease are counted out, which takes so long. LIVE_NEGATIVE: it is not over, client processes are
// left, or the tables are not as they should be.
int live_finish(const struct live_options *options, struct error *error);

// Back to the first state, as if the migration had not begun; possible until PREFER_NEW was pushed
// (LIVE_NEGATIVE afterwards: finish it, and migrate the other way as a migration of its own).
// [is_dry_run]: only tells whether it is.
int live_abort(const struct live_options *options, struct error *error);

#endif
