// Executions: runs a program once under a strategy, to a verdict.
//
// An execution sets the program up, lets the strategy choose until nothing can run, and checks the
// end. It is a function of the program and of the answers to its decisions alone. The engine owns
// what executions use again and again: one arena, the stacks, the record of decisions. After the
// first executions it asks the heap for nothing.
//
// A fault of the system under test (failed assertion, signal, overflow of a stack, endless loop
// without scheduling points) ends the execution with a violation; the engine goes on.
#ifndef CORE_ENGINE_EXECUTION_H
#define CORE_ENGINE_EXECUTION_H

#include "core/strategy/strategy.h"

enum { SCT_FRAMES_MAX = 24 };

struct sct_violation {
    const char *kind;   // a constant string
    char machine[48];   // who is blamed
    char message[1024]; // one line; without addresses, line numbers or times
    // Not part of a trace:
    const char *where;                  // place in the source of a failed assertion, or NULL
    char remark[512];                   // of the program's review, one line, or empty
    const void *frames[SCT_FRAMES_MAX]; // the calls in which it happened, innermost first
    uint32_t frame_count;               // 0: unknown, or nobody was running
};

struct sct_program {
    // Creates machines and tasks. Runs before anything is scheduled, as one atomic step.
    void (*setup)(void *context);
    // Checks the end, once nothing can run and nothing is left unfinished; atomic. May be NULL.
    void (*finish)(void *context);
    void *context;
    // Adds to [remark] what a second opinion says of a violation; atomic, in an execution that has
    // ended, where machines may be suspended anywhere. Not after a crash, hang or the like, which
    // may have left anything behind. A fault of its own becomes the remark. May be NULL.
    void (*review)(void *context, const struct sct_violation *violation, struct text *remark);
    // Adds to *[state] what tasks share, so that states can be compared: everything outside of
    // tasks, mailboxes and the things of sync.h that a task or the final check may still read, in
    // contents, never addresses. A program that has it observes what it reads (see sct_observe).
    // NULL: the program's states cannot be compared.
    void (*digest)(void *context, struct digest *state);
    // All that an execution changes lies in the arena and on stacks of coroutines; statics are set
    // before the first choice and the same each time. A systematic search may then go back by
    // copying memory (core/search/snapshot.h).
    bool is_copyable;
};

// The program that is being run, of setup, finish and review: a check of this execution reached a
// limit of its own and has no verdict. Counted; the execution goes on.
void sct_check_gave_up(void);

// The fingerprint of the decisions so far, inside an execution: for what an execution should decide
// without a choice of its own, such as whether a costly check is made. The same in a replay.
uint64_t sct_fingerprint_so_far(void);

enum sct_outcome {
    SCT_PASSED,
    SCT_VIOLATED,
    SCT_STEP_LIMIT, // cut off after options.steps_max scheduling points, or when the room for
                    // decisions (more than twice as many) was full: no verdict
    SCT_PRUNED,     // ended in a state that was met before: no verdict, and none is missing
    SCT_DIVERGED,   // a replay met a decision that differs from the recorded one
};

enum sct_decision_kind { SCT_DECISION_SCHEDULE, SCT_DECISION_VALUE };

struct sct_decision {
    enum sct_decision_kind kind;
    uint32_t count;      // alternatives, at least 2
    uint32_t answer;     // the alternative taken, 0 .. count-1
    const char *machine; // schedule: who was chosen; value: who asked
    const char *label;   // what the chosen step does, or what was asked
    const char *where;   // its place in the source, or NULL
};

struct sct_result {
    enum sct_outcome outcome;
    struct sct_violation violation; // SCT_VIOLATED only
    uint32_t decision_count;
    uint32_t schedule_count;  // decisions that were about scheduling
    uint32_t point_count;     // scheduling points, forced ones included
    uint32_t task_count;      // tasks started
    uint32_t checks_unknown;  // that reached a limit: see sct_check_gave_up
    uint32_t operation_count; // operations of the application (sct_count_operation)
    uint64_t fingerprint;     // hash of kinds, counts and answers of the decisions
};

// The largest steps_max.
enum { SCT_STEPS_LIMIT = 100000000 };

struct sct_engine_options {
    size_t arena_bytes; // reserved for one execution; 0: 256 MiB of addresses
    size_t stack_bytes; // per coroutine; 0: 64 KiB, or 256 KiB under AddressSanitizer
    uint32_t steps_max; // scheduling points per execution; 0: 10,000
    // After so many points scheduling is fair, and so are values: a random walk takes the
    // strategy's place (core/engine/monitor.h). 0: half of steps_max. Executions that end before
    // are the same whatever it is.
    uint32_t fair_after;
    uint32_t livelock_points; // a fair tail shorter than this gives no verdict; 0: any does
    uint32_t hang_ms;         // CPU time without a scheduling point that counts as a hang; 0: 2,000
    bool catch_signals;       // turn faults and hangs into violations (installs signal handlers)
};

struct sct_engine;

// There is at most one engine at a time (asserted).
struct sct_engine *sct_engine_open(const struct sct_engine_options *options);

void sct_engine_close(struct sct_engine *engine);

// Who hears the story of executions, line by line; NULL: nobody, the normal case. For the story as
// data see listener.h.
typedef void (*sct_narrator)(void *context, uint32_t decision, const char *machine,
                             const char *line);
void sct_engine_narrate(struct sct_engine *engine, sct_narrator narrator, void *context);

// Who is told of every task at its end (or the execution's), and how many steps it took; NULL:
// nobody, the normal case.
typedef void (*sct_task_watcher)(void *context, const struct sct_task_identity *identity,
                                 uint32_t steps);
void sct_engine_watch_tasks(struct sct_engine *engine, sct_task_watcher watcher, void *context);

// Runs [program] once; [seed] seeds the strategy's generator. The result and what it points to are
// valid until the next run.
const struct sct_result *sct_engine_run(struct sct_engine *engine,
                                        const struct sct_program *program,
                                        struct sct_strategy *strategy, uint64_t seed);

// The result of the last run.
const struct sct_result *sct_engine_last_result(const struct sct_engine *engine);

// The index-th decision of the last run (asserted to exist); strings as in the result.
struct sct_decision sct_engine_decision(const struct sct_engine *engine, uint32_t index);

// Whether code of an execution is running now. For what must not happen then (exit).
bool sct_engine_inside(void);

#endif
