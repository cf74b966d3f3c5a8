// Situations: what became of an application's operation, and over which tables.
//
// The draws of the default test (rich_profile.h, rich_workload.h) are to bring about every
// combination of an operation, the state that it runs in, how it is sent, and what happens
// meanwhile, often enough that a rule of the protocol which matters in one of them only is broken
// within some thousand executions. This counts them; tests/harness/test_coverage.c says how often
// each is to come at least.
#ifndef HARNESS_MIGRATING_SITUATIONS_H
#define HARNESS_MIGRATING_SITUATIONS_H

#include "harness/migrating/app.h"

// How an operation is sent.
enum sending {
    SENT_ALONE,
    SENT_TOGETHER,      // with others in a batch
    SENT_ALONE_LIMITED, // over tables that can do what a service can (struct ct_table_limits)
    SENT_TOGETHER_LIMITED,
    SENDING_COUNT,
};

// What happens between the first backend call of its batch and the linearization point.
enum meanwhile {
    MEANWHILE_NOTHING,
    MEANWHILE_CREATED, // the row that it names, by somebody else
    MEANWHILE_REWRITTEN,
    MEANWHILE_REMOVED,
    MEANWHILE_FAULT, // a backend call fails or is not answered, and so the batch
    MEANWHILE_COUNT,
};

// The counts of all applications of this process, by operation (those of batches), state, sending
// and meanwhile.
extern const struct coverage migrating_situations;

// What others do to what a call reads and writes, between its first backend call and its
// linearization point.
enum passing {
    PASSING_MARKED, // its partition becomes POPULATED
    PASSING_SWITCHED_BY_CLIENT,
    PASSING_SWITCHED_BY_MIGRATOR,
    PASSING_WRITTEN_OLD, // a row that it names (a query: any of its partition), in the old table
    PASSING_WRITTEN_NEW, // likewise, in the new one
    PASSING_COPIED_BY_CLIENT,
    PASSING_COPIED_BY_MIGRATOR,
    PASSING_CLEANED,
    PASSING_COUNT,
};

// By call (operations of batches, and queries), state, passing and tables (enum standing_tables).
extern const struct coverage migrating_passings;

// What the other living applications believe when a call begins.
enum others {
    OTHERS_SAME,
    OTHERS_BEHIND, // one is in an earlier state
    OTHERS_AHEAD,  // one is in a later state
    OTHERS_COUNT,
};

// By call, state, what the old table says of the partition when the call begins, and enum others.
extern const struct coverage migrating_standings;

// Batches whose answer was lost.
enum lost_write {
    LOST_MARK, // none -> POPULATED
    LOST_SWITCH_FROM_NONE,
    LOST_SWITCH_FROM_POPULATED,
    LOST_COPY,
    LOST_OWN_OLD, // an application's operations
    LOST_OWN_NEW,
    LOST_CLEAN,  // a row of the new table rewritten or removed by the clean-up
    LOST_REMOVE, // a row of the old one
    LOST_COUNT,
};

// By enum lost_write, who sent it (client, migrator), whether it was done, and whether somebody
// else wrote one of its rows before its sender went on.
extern const struct coverage migrating_losses;

// Whether anything is counted; false at first, for who looks at the counts to set.
extern bool migrating_counts_situations;

// To be told when an application's atomic call begins: world.begins.
void migrating_begin_situations(struct app *app);

// To be told of what befalls batches: tables_options.executed, of a world.
void migrating_notice_batch(void *world, const struct request *request, enum fate fate);

// To be called at the end of each batch.
void migrating_count_situations(const struct app *app, const struct call_record *call,
                                struct ct_outcome outcome);

#endif
