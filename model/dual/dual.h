// Dual write: the pattern in common use for moving live data, as a small model of its own.
//
// Applications write every change to the source and to the destination, a copier brings over what
// was there before, and one day everybody reads the destination. What makes that right are rules
// that are easily left out; each is an option here (bugs of the model dual-write). With all of them
// no update is lost, no deleted row returns and no read goes back in time, at the price of a pause:
// between two tables without common transactions the place where writes are ordered cannot move
// while there are writers.
//
// Modes follow each other by a configuration service (config.h, whose states they are by number);
// two neighbours may be in use at once:
//   SOURCE       reads and writes the source
//   BOTH         writes the source, then the destination; reads the source. The copier runs
//   COMPARE      the same, but a read takes the newer of both rows
//   FROZEN       the same, but writes are refused
//   DESTINATION  reads and writes the destination
// A row carries a number that each write at the source raises, so that anybody can tell which of
// two versions is the newer. A deleted row leaves one, too, that says so.
#ifndef MODEL_DUAL_DUAL_H
#define MODEL_DUAL_DUAL_H

#include "bugs/bugs.h"
#include "model/config/config.h"
#include "model/table/env.h"

enum dual_mode { DUAL_SOURCE, DUAL_BOTH, DUAL_COMPARE, DUAL_FROZEN, DUAL_DESTINATION };

struct dual {
    struct ct_table *source, *destination;
    struct mt_config *config;
    struct ct_env *env;
    struct bug_set *bugs; // injected bugs, or NULL
};

// What a row holds; absent ones number 0.
struct dual_version {
    int32_t number;
    bool is_deleted;
    int32_t value;
    const char *etag; // NULL: there is no row
};

enum dual_result {
    DUAL_DONE,
    DUAL_REFUSED, // nothing was done: the mode is FROZEN, or a table refused its first request
    DUAL_UNKNOWN, // of a write: the source may have it
};

// Every call makes requests in [arena], which holds the results. [key] is a row of one partition.
enum dual_result dual_get(struct dual *dual, struct arena *arena, const char *key,
                          struct dual_version *version);
enum dual_result dual_put(struct dual *dual, struct arena *arena, const char *key, int32_t value);
enum dual_result dual_delete(struct dual *dual, struct arena *arena, const char *key);

// Goes through all modes with the pass of the copier; DUAL_REFUSED: a request was refused, call
// it again.
enum dual_result dual_migrate(struct dual *dual, struct arena *arena);

#endif
