// Snapshots: a systematic search goes back to a decision by copying memory, in place of running the
// same prefix again.
//
// At a decision of the path that has further alternatives the engine copies what an execution can
// change: the used part of the arena, the live parts of the stacks, its own fields. To take another
// alternative it copies them back to the same addresses, so that every pointer holds. What an
// execution changes elsewhere (statics, the heap) is copied if the program tells of it: only those
// whose is_copyable is set are searched in this way. Of a program whose tasks begin with clear
// stacks what calls have left below the stack pointers is copied as well.
//
// Snapshots lie on a stack of a fixed size, as their decisions do on the path. One that finds no
// room is not taken: the search then goes back to the last one before it and runs the rest again,
// as it does everywhere without snapshots. Both ways have the same executions in the same order;
// only what is counted per step, such as coverage, is not counted again in a prefix.
#ifndef CORE_SEARCH_SNAPSHOT_H
#define CORE_SEARCH_SNAPSHOT_H

#include "core/engine/execution.h"
#include "core/search/dpor.h"

struct sct_snapshot;

// What is in a snapshot beside the execution itself; each may be NULL.
struct sct_snapshot_parts {
    struct sct_sleep *sleep;           // of a search that is reduced
    struct sct_dpor *dpor;             // the same
    const struct sct_outside *outside; // of the program
};

struct sct_snapshots {
    struct sct_path *path; // of the strategy
    struct sct_snapshot_parts parts;
    char *memory;
    size_t size, used;
    struct sct_snapshot *last;
    struct sct_strand *offering; // who waits for the snapshot of the decision it has asked for
    uint64_t restored;           // how many executions went on from one
};

// The bytes that are usually enough for a search without going back any other way.
enum { SCT_SNAPSHOT_BYTES = 256 * 1024 * 1024 };

// Whether this build can take snapshots: not under AddressSanitizer or ThreadSanitizer, nor with
// ucontext.
bool sct_snapshots_work(void);

// No snapshots, with room for [bytes] bytes of them, for a search along [path] with [parts].
// FAIL_RESOURCE if that much cannot be reserved.
void sct_snapshots_init(struct sct_snapshots *snapshots, struct sct_path *path,
                        const struct sct_snapshot_parts *parts, size_t bytes);

void sct_snapshots_deinit(struct sct_snapshots *snapshots);

// Nothing is there to go back to.
void sct_snapshots_forget(struct sct_snapshots *snapshots);

// A decision was asked for. Takes a snapshot where the path has further alternatives; whether the
// decision is to be asked for again, since the execution has come back to it.
bool sct_snapshots_offer(struct sct_snapshots *snapshots, struct sct_engine *engine);

// On the engine's own stack, takes the snapshot that was offered; who goes on.
struct sct_strand *sct_snapshots_take(struct sct_snapshots *snapshots, struct sct_engine *engine);

// Goes back to the last snapshot on the path; who goes on, or NULL if there is none.
struct sct_strand *sct_snapshots_restore(struct sct_snapshots *snapshots,
                                         struct sct_engine *engine);

#endif
