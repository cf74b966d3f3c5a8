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
    MEANWHILE_CHANGED, // the row that it names changes, by somebody else
    MEANWHILE_FAULT,   // a backend call fails or is not answered, and so the batch
    MEANWHILE_COUNT,
};

// The counts of all applications of this process, by operation (those of batches), state, sending
// and meanwhile.
extern const struct coverage migrating_situations;

// Whether anything is counted; false at first, for who looks at the counts to set.
extern bool migrating_counts_situations;

// To be called at the end of each batch.
void migrating_count_situations(const struct app *app, const struct call_record *call,
                                struct ct_outcome outcome);

#endif
