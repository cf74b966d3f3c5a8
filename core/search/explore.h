// Explorer: what a systematic search with a state cache knows of states beside its path. Made by
// core/search/search.h; what is here for others is to ask how far it came.
//
// At each scheduling point with a task that can run it joins the state's digest: who lives, what
// each has observed, whether it is enabled; mailboxes, things of sync.h, and what the program adds.
// If the state was met with at least the present budget the execution ends there (SCT_PRUNED).
// Under a bound the task that ran last and the order of tasks belong to the state, since costs
// depend on them.
#ifndef CORE_SEARCH_EXPLORE_H
#define CORE_SEARCH_EXPLORE_H

#include "core/engine/execution.h"
#include "core/search/shared_states.h"
#include "core/search/sleep.h"
#include "core/search/states.h"

struct sct_explorer {
    struct sct_states states;
    struct sct_shared_states *shared;  // in place of them, if several processes search; else NULL
    struct sct_sleep *sleep;           // of a reduced search with shared states; else NULL
    const struct sct_program *program; // has a digest
    struct sct_path *path;             // of the strategy
    uint32_t bound;                    // of the states in the cache
    struct digest key;                 // of the state that is met
    uint64_t transitions;              // from state to state, known ones included
    uint64_t states_met;               // over all bounds
    bool is_full;                      // a state did not fit: the search cannot go on
};

// For searches of [program], which has a digest, along [path]. [bytes] as in sct_states_init.
void sct_explorer_init(struct sct_explorer *explorer, const struct sct_program *program,
                       struct sct_path *path, uint64_t bytes);

// For a part of a search of several processes, which have the [shared] states in common, reduced by
// [sleep] or not (NULL). They are the caller's.
void sct_explorer_init_shared(struct sct_explorer *explorer, const struct sct_program *program,
                              struct sct_path *path, struct sct_shared_states *shared,
                              struct sct_sleep *sleep);

void sct_explorer_deinit(struct sct_explorer *explorer);

// A scheduling point with enabled tasks is reached: which state it is is found out, and what the
// cache has of it is on its way from memory.
void sct_explorer_meet(struct sct_explorer *explorer, struct sct_engine *engine);

// The same point. Leaves the execution if the state is known.
void sct_explorer_visit(struct sct_explorer *explorer, struct sct_engine *engine);

// The task in [slot], which does not say what it reads, begins a step: it observes all that the
// program's digest adds.
void sct_explorer_observe(const struct sct_explorer *explorer, struct sct_engine *engine,
                          unsigned slot);

// How many states are in the cache, and the bytes of its table for each that it can hold.
uint64_t sct_explorer_count(const struct sct_explorer *explorer);
double sct_explorer_bytes_each(const struct sct_explorer *explorer);

// Takes note of how an execution of the search ended.
void sct_explorer_end(struct sct_explorer *explorer, enum sct_outcome outcome);

#endif
