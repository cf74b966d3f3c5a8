// What an application under chaos calls, and how it records it.
//
// A line of the history is NANOSECONDS and an event of the format of harness/history/record.h, or
// NANOSECONDS PROCESS drop: the call that the process has open did nothing. A call that concerns
// several keys (a query of a partition, a batch) is a call for each of them, of as many processes:
// that all is of one instant is not judged. A process whose call stays open, since its outcome is
// unknown, has another number from then on.
#ifndef TESTS_CHAOS_CALLS_H
#define TESTS_CHAOS_CALLS_H

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "model/table/table.h"

#include <stdbool.h>

enum { CALLS_PARTITIONS = 3, CALLS_KEYS = 4 };

struct caller {
    struct ct_table *table; // of the calls that follow
    struct arena arena;
    struct rng rng;
    int history;
    unsigned process[CALLS_KEYS];
    unsigned next_process;
    unsigned calls;
};

// Histories go to the file [history]; processes are numbered from [process] on. False: it cannot
// be opened.
bool caller_init(struct caller *caller, const char *history, unsigned process, unsigned seed);

// A call at random.
void caller_make_call(struct caller *caller);

// Reads every key of the workload.
void caller_read_all(struct caller *caller);

// Fills a table with rows that no caller changes, and looks whether they are all there and the only
// ones of their partitions. Whether that is so.
bool caller_load(struct caller *caller, unsigned rows);
bool caller_finds_load(struct caller *caller, unsigned rows);

#endif
