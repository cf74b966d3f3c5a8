// Executions: runs a program once under a strategy, to a verdict.
//
// An execution sets the program up, lets the strategy choose until nothing can run, and checks the
// end. It is a function of the program and of the answers to its decisions alone. The engine owns
// what executions use again and again: one arena, the stacks, the record of decisions. After the
// first executions it asks the heap for nothing.
//
// A fault of the system under test (failed assertion, signal, overflow of a stack, endless loop
// without scheduling points) ends the execution with a violation; the engine goes on.
//
// Stability: provisional: options and results may change with 0.3, for one's own loop only.
#ifndef CORE_ENGINE_EXECUTION_H
#define CORE_ENGINE_EXECUTION_H

#include "core/base/api.h"
#include "core/engine/machine.h"
#include "core/engine/program.h"
#include "core/engine/result.h"
#include "core/strategy/strategy.h"

#include <signal.h>

// The seed of execution [iteration] of a campaign with [seed].
SCT_API uint64_t sct_execution_seed(uint64_t seed, uint64_t iteration);

// The fingerprint of the decisions so far, inside an execution: for what an execution should decide
// without a choice of its own, such as whether a costly check is made. The same in a replay.
uint64_t sct_fingerprint_so_far(void);

// The largest steps_max.
enum { SCT_STEPS_LIMIT = 100000000 };

struct sct_engine_options {
    size_t arena_bytes; // reserved for one execution; 0: 256 MiB of addresses
    size_t stack_bytes; // per coroutine; 0: 64 KiB, or 256 KiB under AddressSanitizer
    // Of addresses below each stack that nobody can touch. A frame larger than both (of a large
    // array, or alloca) may step over them into another stack. 0: 1 MiB
    size_t guard_bytes;
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
SCT_API struct sct_engine *sct_engine_open(const struct sct_engine_options *options);

SCT_API void sct_engine_close(struct sct_engine *engine);

// To be called in a process that was forked with the engine open, before it runs anything: the
// timer of hangs is not inherited, and what the engine records in shared memory (core/engine/
// record.h) is the other process's.
void sct_engine_forked(struct sct_engine *engine);

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
SCT_API const struct sct_result *sct_engine_run(struct sct_engine *engine,
                                                const struct sct_program *program,
                                                struct sct_strategy *strategy, uint64_t seed);

// The result of the last run.
const struct sct_result *sct_engine_last_result(const struct sct_engine *engine);

// The engine's, as given or by default.
uint32_t sct_engine_steps_max(const struct sct_engine *engine);

// The index-th decision of the last run (asserted to exist); strings as in the result.
struct sct_decision sct_engine_decision(const struct sct_engine *engine, uint32_t index);

// The decisions of the last run as words that are equal where kind, count and answer are; as many
// as the result counts.
const uint32_t *sct_engine_packed(const struct sct_engine *engine);

// Whether the last run came to its fair tail (core/engine/monitor.h).
bool sct_engine_was_in_tail(const struct sct_engine *engine);

// From now on, while *[wish] is not 0, or from [at] on (seconds of core/base/clock.h's clock), who
// runs executions is to stop. NULL and 0: never. One that does not come to its end by itself is
// left at a scheduling point (SCT_STOPPED): after a while of some tenths of a second of its own,
// so that what is short is always whole. Of an engine with catch_signals, whose timer looks.
void sct_engine_stop(struct sct_engine *engine, const volatile sig_atomic_t *wish, double at);

// Whether it is time to.
bool sct_engine_should_stop(const struct sct_engine *engine);

// Grows with every execution, scheduling point and decision of this process. Another thread may
// look.
uint64_t sct_engine_progress(void);

// In the handler of a signal that has interrupted code of an execution: ends it as sct_violation
// does. [context] is the handler's third argument.
SCT_NORETURN void sct_violation_by_signal(const char *kind, const char *message,
                                          const void *context);

// Whether code of an execution is running now. For what must not happen then (exit).
bool sct_engine_inside(void);

#endif
