// What the processes of production do, and what is asked of them in the end.
#ifndef HARNESS_PRODUCTION_PROGRAMS_H
#define HARNESS_PRODUCTION_PROGRAMS_H

#include "harness/production/calls.h"
#include "model/config/config.h"

enum { PROGRAM_CALLS = 3 }; // at most, of an application

struct app_plan {
    enum mt_state wanted[PROGRAM_CALLS]; // a call waits until its process has come so far
    uint64_t pause;                      // and then for so long
    uint32_t calls, made;
    uint32_t keys;
    void (*make)(struct application *application); // one call
};

struct migrator_plan {
    uint64_t delay;
    size_t copy_rows;
    size_t copiers; // at once; 0: one, without a task of its own
    bool undoes;    // goes to PREFER_OLD and back again, if it is the first
};

// All that tasks of [world] share, and the check of its end reads, in contents.
struct digest programs_digest(const struct production *world);

// An application that makes the calls of [plan], and a migrator.
struct process *programs_add_application(struct production *world, const char *name, uint32_t rate,
                                         struct app_plan *plan);
struct process *programs_add_migrator(struct production *world, const char *name, uint32_t rate,
                                      struct migrator_plan *plan);

// The row "config" of a migration that is in [state].
void programs_write_config(struct production *world, enum mt_state state);

// The migration has ended, an order of the calls explains their answers, and nothing is left in the
// tables that must not be.
void programs_check_end(struct production *world);

#endif
