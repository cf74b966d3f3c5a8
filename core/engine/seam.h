// The seam: what a systematic search (core/search) adds to an execution, as a table of functions.
//
// The engine knows no search. It tests a flag of its own before each call, so that where nobody
// searches a call costs that test; the flags say which calls the table must have.
#ifndef CORE_ENGINE_SEAM_H
#define CORE_ENGINE_SEAM_H

#include "core/strategy/access.h"

struct sct_engine;
struct sct_search;
struct sct_strand;

struct sct_seam {
    // Where [is_reducing]. The running step (or setup) touches something beside what was declared;
    // touches everything while a flag is set; stops a machine.
    void (*touch)(struct sct_search *search, const struct sct_access *access);
    void (*touch_while)(struct sct_search *search, const bool *is_unfinished);
    void (*stop)(struct sct_search *search);
    // A scheduling point is reached: the running step ends. The same point, when it is known
    // whether its state was met; leaves the execution if all who could take the next step sleep.
    // The task in [slot] was chosen and begins its step.
    void (*close)(struct sct_search *search);
    void (*point)(struct sct_search *search, struct sct_engine *engine);
    void (*open)(struct sct_search *search, struct sct_engine *engine, unsigned slot);
    // Where [follows_causes]. The running step (or setup) starts the task in [slot]; wakes it,
    // without which it could never go on; enables it, as others might have; or there is no step,
    // and time passes.
    void (*start)(struct sct_search *search, unsigned slot, uint64_t signature);
    void (*wake)(struct sct_search *search, unsigned slot);
    void (*grant)(struct sct_search *search, unsigned slot);
    void (*time_passes)(struct sct_search *search);
    // Where [keeps_digests]. A scheduling point with enabled tasks is reached: the step's end is
    // next, and its state will be looked for. The same point; leaves the execution if that is
    // known.
    void (*meet)(struct sct_search *search, struct sct_engine *engine);
    void (*visit)(struct sct_search *search, struct sct_engine *engine);
    // Where [observes_all]. The task in [slot] was chosen, and is taken to read all that is shared.
    void (*observe)(struct sct_search *search, struct sct_engine *engine, unsigned slot);
    // Where [takes_snapshots]. A decision was asked for: whether it is to be asked for again, since
    // the execution has come back to it. On the engine's own stack: takes the snapshot that was
    // offered, or goes back to the last one (NULL: there is none); who goes on.
    bool (*offer)(struct sct_search *search, struct sct_engine *engine);
    struct sct_strand *(*take)(struct sct_search *search, struct sct_engine *engine);
    struct sct_strand *(*restore)(struct sct_search *search, struct sct_engine *engine);
};

// What the engine has of a search; all zero: there is none, the normal case.
struct sct_seam_use {
    struct sct_search *search;
    const struct sct_seam *calls;
    bool is_reducing;     // it leaves out orders of independent steps
    bool follows_causes;  // and wants to know who made it possible for a task to go on
    bool keeps_digests;   // it compares states
    bool observes_all;    // of tasks that do not say what they read
    bool forgets_nothing; // but sct_forget does nothing: more states, all that was reached the same
    bool takes_snapshots; // it goes back by copying memory
};

// Executions of [engine] from now on are those of a search; NULL: of none. Between executions.
void sct_engine_attach(struct sct_engine *engine, const struct sct_seam_use *use);

#endif
