// What the files of core/jobs/crew.h have in common: the first process's own state, what it
// shares with the workers, and what they send each other.
#ifndef CORE_JOBS_CREW_INTERNAL_H
#define CORE_JOBS_CREW_INTERNAL_H

#include "core/engine/record.h"
#include "core/jobs/crew.h"
#include "core/jobs/frontier.h"
#include "core/jobs/jobs.h"
#include "core/jobs/process.h"
#include "core/search/parts.h"

#include <stdatomic.h>

// ---- Shared memory -----------------------------------------------------------------------------

// What a worker tells of itself now and then, and is told. Lines of the processor's cache.
struct sct_crew_line {
    _Alignas(64) _Atomic uint64_t executions; // since the worker began
    _Atomic uint64_t violations;
    _Atomic double left;      // of its piece
    _Atomic bool is_recalled; // its piece does not count any more
};

struct sct_crew_control {
    _Alignas(64) _Atomic bool pauses; // everybody stops at the next execution
    volatile sig_atomic_t leaves;     // also within a long one, which is run again or never
    _Atomic uint64_t wanted;          // pieces asked for
    _Atomic uint64_t promised;        // of those, who gives them is found
    struct sct_crew_line lines[SCT_WORKERS_MAX];
};

// ---- Messages ----------------------------------------------------------------------------------

//   to a worker    a piece: executions at the most, part
//   from a worker  MESSAGE_GIFT: whether a machine was stopped as in struct sct_crew_report, how
//                  many guards there are, the guards, a part. MESSAGE_REPORT, after which it waits
//                  for a piece: a report.
// A part is a path and a block of what is known of its nodes.
enum sct_crew_message { MESSAGE_GIFT = 1, MESSAGE_REPORT };

// Why a worker has left its piece.
struct sct_crew_report {
    bool is_done;     // nothing is left
    bool has_ended;   // a violation ends the search
    bool is_full;     // a state did not fit
    bool is_broken;   // an execution did not repeat
    bool meets_bound; // with the present bound something was left out
    bool has_stop;    // a machine was stopped below all guards of the piece
    double share;     // of the tree, before the leaf where the path stands
};

// ---- The first process -------------------------------------------------------------------------

struct sct_crew {
    const struct sct_crew_jobs *jobs;
    struct sct_range_options range; // of the jobs, with the offset of what is added
    struct sct_engine *engine;
    struct sct_path *path; // the strategy's; here for its bound only
    struct sct_sum sum;
    struct sct_frontier frontier;
    struct sct_crew_control *control;
    struct sct_worker workers[SCT_WORKERS_MAX];
    struct sct_record *records[SCT_WORKERS_MAX]; // what each decides; shared with it
    struct sct_piece *pieces[SCT_WORKERS_MAX];   // what each works on; NULL: it waits for one
    unsigned worker_count;
    uint64_t received; // pieces that were given
    uint64_t violations_resumed;
    bool is_ordered;        // what comes of pieces is added from left to right
    bool is_over;           // nobody is to work any more
    bool is_settled;        // so it is for good: nothing is left to go on with
    struct sct_bytes bytes; // of the message or the record in hand
    double checkpoint_due;  // in seconds of the sum
};

// crew_worker.c: the life of worker [index] of the crew [context]. Takes pieces from [channel]
// until that is closed.
SCT_NORETURN void sct_crew_work(void *context, unsigned index, int channel);

// crew_file.c: writes the present moment, for which nobody works; reads one.
bool sct_crew_save(struct sct_crew *crew, struct error *error);
bool sct_crew_load(struct sct_crew *crew, struct error *error);

// Of a reduced search what is known of paths, of which this process has none; else NULL.
struct sct_sleep *sct_crew_sleep(const struct sct_crew *crew);

// Adds a block of ranges to the sum.
void sct_crew_add_ranges(struct sct_crew *crew, const struct sct_bytes *ranges);

#endif
