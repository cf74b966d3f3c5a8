// Plans: an execution in terms that survive small changes of it, and the strategy that follows one.
//
// A trace lists answers by position: leave one out and all that follow mean something else. A plan
// says who asked for a value and what for, and after which step of which task the turn went to whom
// although the default was another. The default is the first alternative: the running task goes on,
// or else the next one that can. What a plan does not fit is answered by default, so every plan can
// be followed; what then really happened is recorded as a plan again.
//
// Following allocates only where an execution is larger than all before it.
#ifndef CORE_TRACE_PLAN_H
#define CORE_TRACE_PLAN_H

#include "core/engine/execution.h"

// A value: the n-th that [asker] was given for [question] is the n-th entry of a plan with both.
struct sct_plan_value {
    uint64_t asker;    // the signature of the task, 0: setup or final check
    uint64_t question; // a hash of the label
    uint32_t count, answer;
    // Where it was met: for orientation, not followed.
    uint32_t step;     // so many steps the asker had taken
    uint32_t decision; // index in the execution
};

// After the [step]-th step of [task], [target] runs, although by default another task would.
struct sct_plan_switch {
    uint64_t task, target; // signatures
    uint32_t step;         // 0: nothing has run yet
    bool is_preemption;    // the task could have gone on
    // Where it was met: for orientation, not followed.
    const char *label; // what the task would have done next, or waited for
    uint32_t decision; // index in the execution
};

struct sct_plan {
    struct sct_plan_value *values;
    struct sct_plan_switch *switches;
    uint32_t value_count, value_capacity;
    uint32_t switch_count, switch_capacity;
};

void sct_plan_copy(struct sct_plan *to, const struct sct_plan *from);
void sct_plan_free(struct sct_plan *plan);

// Takes [count] entries from [first] on out of the plan.
void sct_plan_drop_values(struct sct_plan *plan, uint32_t first, uint32_t count);
void sct_plan_drop_switches(struct sct_plan *plan, uint32_t first, uint32_t count);

// Leaves out [count] values of one asker from the [first] one on, which says whose; fewer if there
// are not so many.
void sct_plan_drop_values_of_asker(struct sct_plan *plan, uint32_t first, uint32_t count);

// Sets the answers of at most [count] values from the [first] one on to the default; whether that
// changes any.
bool sct_plan_zero_values(struct sct_plan *plan, uint32_t first, uint32_t count);

// At the [ordinal]-th scheduling decision, from 1 on, the alternative [answer].
struct sct_plan_place {
    uint32_t ordinal, answer;
};

#define SCT_NO_ENTRY UINT32_MAX

// Entries of a plan by what is asked for: open addressing, at most half full.
struct sct_plan_slot {
    uint64_t key[2];
    uint32_t entry; // or SCT_NO_ENTRY
    bool is_used;
};

struct sct_plan_index {
    struct sct_plan_slot *slots;
    uint32_t slot_count, capacity; // slot_count is a power of two
};

struct sct_plan_met; // core/trace/plan.c

// The strategy; pass &follower.base to sct_engine_run. Zero-initialise it, then sct_follower_init.
struct sct_follower {
    struct sct_strategy base;
    // Where answers come from. [leader] answers everything if it is not NULL. Else values come from
    // [plan], and so do switches unless there is a [scheduler], or [places] (in order).
    const struct sct_plan *plan;
    struct sct_strategy *leader, *scheduler;
    const struct sct_plan_place *places;
    uint32_t place_count;
    // What happened in the last execution.
    struct sct_plan seen;
    uint32_t preemption_count;
    uint32_t *counts; // alternatives of each scheduling decision
    uint32_t decision_count, count_capacity;
    // Inner.
    uint32_t *taken_at;   // by value of [plan]: the asker's step, or SCT_NOT_TAKEN
    uint32_t *next_alike; // by value: the next one of the same asker and question, SCT_NO_ENTRY
    uint32_t taken_capacity, alike_capacity;
    struct sct_plan_index switches; // by task and step: the first one
    struct sct_plan_index values;   // by asker and question: the first that is not taken
    struct sct_plan_met *met;       // to realign
    uint32_t met_capacity;
    uint32_t next_place;
    uint64_t looks; // at slots of the indices, in the last execution: what following costs
};

#define SCT_NOT_TAKEN UINT32_MAX

void sct_follower_init(struct sct_follower *follower);

// After an execution of a changed plan: moves the switches of [plan], a copy of what was followed,
// by as many steps as the values before them were met earlier or later than their plan says.
// Whether that changed any.
bool sct_follower_realign(struct sct_follower *follower, struct sct_plan *plan);

void sct_follower_free(struct sct_follower *follower);

// Runs [program] under [strategy], seeded with [seed], and makes *[plan] what happened.
const struct sct_result *sct_plan_record(struct sct_engine *engine,
                                         const struct sct_program *program,
                                         struct sct_strategy *strategy, uint64_t seed,
                                         struct sct_plan *plan);

#endif
