// The state of the engine, shared by the files of core/ only.
#ifndef CORE_ENGINE_STATE_H
#define CORE_ENGINE_STATE_H

#include "core/base/digest.h"
#include "core/coro/coro.h"
#include "core/coro/backtrace.h"
#include "core/engine/listener.h"

struct sct_strand {
    struct sct_coro *coro;
    struct sct_task *task;      // whose turn it uses
    struct sct_strand *resumer; // activity: who gets control when it waits or ends
    void (*function)(void *);
    void *argument;
    const char *name;
    const char *waits_for;           // while parked
    struct sct_strand *next_waiting; // in a queue of sync.c
    struct sct_waiting *waiting;     // its place in a queue of object.c, or NULL
    struct sct_strand *next, **link; // all living strands
    struct sct_mutex *held;          // the mutexes that it holds, of sync.c
    bool is_activity;
    bool is_stopped; // its machine was: it never runs again
};

struct sct_task {
    struct sct_machine *machine;
    struct sct_strand *strand; // where it continues when chosen: its own or one of its activities
    struct sct_strand own;
    const char *label, *where; // its pending step
    unsigned slot;
    bool is_idle; // waits in sct_receive with may_idle
};

struct sct_monitor;

enum { SCT_TASK_NAMES_MAX = 8 };

struct sct_machine {
    const char *name;
    uint32_t index;
    // How many tasks of each name were started, for their identities.
    struct {
        const char *name;
        uint64_t hash;
        uint32_t count;
    } names[SCT_TASK_NAMES_MAX];
    struct sct_machine *next;          // all machines
    struct sct_message *first, **last; // mailbox
    struct sct_task *receiver;         // waits in sct_receive
    uint32_t receives;                 // for these kinds
};

// A decision as one word: kind, count, answer.
static inline uint32_t sct_pack(enum sct_decision_kind kind, uint32_t count, uint32_t answer) {
    return (uint32_t)kind << 31 | count << 16 | answer;
}
_Static_assert(SCT_CHOICES_MAX < 1 << 15, "a count has 15 bits in a packed decision");

struct sct_decision_note {
    const struct sct_machine *machine;
    const char *label, *where;
};

struct sct_engine {
    // What an execution changes, from [enabled] to [strands_end]: see snapshot.c.
    uint64_t enabled;
    uint64_t fresh;
    uint64_t alive;           // slots in use
    struct sct_task *current; // NULL in setup and finish, which are atomic
    uint32_t decision_count, schedule_count, point_count;
    // Where the fair tail begins; in it, where the execution is cut off.
    uint32_t decision_bound, point_bound;
    unsigned last_slot;
    struct sct_monitor *hot, **hot_end; // in the order of becoming hot
    uint32_t task_count;
    uint32_t operation_count;
    uint32_t machine_count;
    uint32_t object_count;              // of object.c
    uint32_t tail_point, tail_decision; // the counts when the fair tail began
    bool is_in_tail;
    bool wakes_spuriously;                     // conditions of lock.c
    struct digest sync;                        // of the things of sync.h that are not at rest
    struct digest started;                     // of all tasks so far: who comes next has which name
    struct sct_machine *machines;              // all
    struct sct_strand *strands, **strands_end; // in order of creation

    // What else every scheduling point uses; by slot, parts of it are in a snapshot too.
    struct sct_strand *self; // NULL: the engine's own stack runs
    sct_listener listener;   // NULL: nobody listens
    struct sct_strategy *strategy;
    struct sct_task *tasks[SCT_TASKS_MAX];
    const struct sct_access *accesses[SCT_TASKS_MAX];
    uint32_t steps[SCT_TASKS_MAX];
    struct sct_task_identity identities[SCT_TASKS_MAX];
    uint32_t *packed; // the decisions, for fingerprint and replay
    struct sct_decision_note *notes;

    uint32_t steps_before_tail[SCT_TASKS_MAX];
    struct sct_strategy tail; // who is asked in it
    uint64_t seed;            // of this execution
    uint32_t decision_capacity;
    // For a search with a state cache only: what each task has observed, and what setup has; how
    // many things of sync.h each has made; the digests of those that are not at rest; all machines.
    struct sct_reducer *reducer;   // of a search that is reduced (core/search/dpor.h); else NULL
    struct sct_explorer *explorer; // NULL: there is none, and none of these is kept
    struct digest observed[SCT_TASKS_MAX + 1];
    uint32_t made[SCT_TASKS_MAX + 1];
    struct sct_snapshots *snapshots;     // NULL: none are taken
    const char *question;                // the label of the value being chosen
    const struct sct_access *after_wait; // see sct_touch_after_waits

    sct_task_watcher on_task_end; // calibration only
    void *on_task_end_context;
    struct arena arena;
    struct sct_coro_pool pool;
    struct sct_coro home;  // the engine's own stack
    bool is_finishing;     // the final check runs: no more tasks
    bool ended;            // the verdict stands; nothing more is scheduled
    bool has_ended_itself; // by sct_end: nothing is unfinished
    struct sct_result result;
    void *listener_context;
    uint32_t told_decisions; // so many decisions the listener knows of
    sct_narrator narrator;   // of the listener that sct_engine_narrate installs
    void *narrator_context;
    struct sct_strand *last_self; // who was running when the execution ended
    struct sct_engine_options options;
    uint64_t executions; // for the watchdog: progress even where no point is met
};

// The engine, or NULL.
extern struct sct_engine *sct_engine_now;

// Gives the turn away: picks the next task and continues it. Returns when the running strand is
// continued; never, if the running task is over.
void sct_reschedule(struct sct_engine *engine);

// Ends the execution with [outcome]: leaves the running coroutine for ever.
_Noreturn void sct_leave(struct sct_engine *engine, enum sct_outcome outcome);

// Records a violation blamed on the running machine, and leaves.
_Noreturn void sct_violate(struct sct_engine *engine, const char *kind, const char *where,
                           const char *message);

// As [sct_violate], where a signal interrupted the running code.
_Noreturn void sct_violate_at(struct sct_engine *engine, const char *kind, const char *where,
                              const char *message, struct sct_frame frame);

// Records a violation without leaving.
void sct_blame(struct sct_engine *engine, const char *kind, const char *machine, const char *where,
               const char *message);

// The name of the machine whose code runs; "harness" in setup and finish.
const char *sct_running_name(const struct sct_engine *engine);

// monitor.c: what [machine] has promised is promised no more.
void sct_cool_monitors(struct sct_engine *engine, const struct sct_machine *machine);

// monitor.c: at the step bound, records a violation if a monitor was hot all through the fair tail;
// whether there was one.
bool sct_blame_livelock(struct sct_engine *engine);

// listener.c: tells the listener, who exists. An event of the running machine unless it says whose.
void sct_tell(struct sct_engine *engine, struct sct_event event);

// The running task goes on after a scheduling point, decided or not.
void sct_tell_turn(struct sct_engine *engine);

// The last recorded decision was a value.
void sct_tell_value(struct sct_engine *engine);

// sync.c: frees the mutexes that the stopped [strand] holds.
void sct_strand_free_mutexes(struct sct_strand *strand);

// object.c: nothing can run. Timed waits, if there are any, may time out from now on; whether there
// are.
bool sct_time_passes(struct sct_engine *engine);

// Ends the running task, which is on its own coroutine.
_Noreturn void sct_task_exit(void);

// Makes [strand] a living coroutine that will run [function].
void sct_strand_init(struct sct_engine *engine, struct sct_strand *strand, struct sct_task *task,
                     const char *name, void (*function)(void *), void *argument);

// Where the digest of the running code is: a task's, or that of setup and finish.
static inline unsigned sct_running_slot(const struct sct_engine *engine) {
    return engine->current ? engine->current->slot : SCT_TASKS_MAX;
}

static inline bool sct_keeps_digests(const struct sct_engine *engine) {
    return __builtin_expect(engine->explorer != NULL, 0);
}

// explore.c: a scheduling point with enabled tasks is reached. Leaves the execution if the state is
// known.
void sct_explorer_visit(struct sct_engine *engine);

// snapshot.c: a decision was asked for. Takes a snapshot where the path has further alternatives;
// whether the decision is to be asked for again, since the execution has come back to it.
bool sct_snapshots_offer(struct sct_engine *engine);

// snapshot.c: on the engine's own stack, takes the snapshot that was offered; who goes on.
struct sct_strand *sct_snapshots_take(struct sct_engine *engine);

// snapshot.c: goes back to the last snapshot on the path; who goes on, or NULL if there is none.
struct sct_strand *sct_snapshots_restore(struct sct_engine *engine);

// Objects of what the engine itself shares between steps; keys tell them apart.
#define SCT_ACCESS_SYNC (UINT32_MAX - 1)      // things of sync.h
#define SCT_ACCESS_MAILBOXES (UINT32_MAX - 2) // by machine
#define SCT_ACCESS_WAITS (UINT32_MAX - 3)     // who waits in a sct_park, or for an answer
#define SCT_ACCESS_NUMBERS (UINT32_MAX - 4)   // what is numbered or listed in order of creation
#define SCT_ACCESS_MONITORS (UINT32_MAX - 5)  // by machine; of several, any may be blamed

static inline bool sct_is_reducing(const struct sct_engine *engine) {
    return __builtin_expect(engine->reducer != NULL, 0);
}

// dpor.c: a scheduling point is reached (or the end): the running step ends.
void sct_reducer_close(struct sct_reducer *reducer);

// dpor.c: the same point, when it is known whether its state was met. Leaves the execution if all
// who could take the next step sleep.
void sct_reducer_point(struct sct_engine *engine);

// dpor.c: the task in [slot] was chosen and begins its step.
void sct_reducer_open(struct sct_engine *engine, unsigned slot);

// dpor.c: what it knows of who sleeps.
struct sct_sleep *sct_reducer_sleep(struct sct_reducer *reducer);

// dpor.c: the running step touches [access] too.
void sct_reducer_touch(struct sct_reducer *reducer, const struct sct_access *access);
void sct_reducer_touch_while(struct sct_reducer *reducer, const bool *is_unfinished);

// dpor.c: the running step (or setup) starts the task in [slot]; wakes it, without which it could
// never go on; enables it, as others might have; stops a machine; or there is none, and time
// passes.
void sct_reducer_task(struct sct_reducer *reducer, unsigned slot, uint64_t signature);
void sct_reducer_wake(struct sct_reducer *reducer, unsigned slot);
void sct_reducer_grant(struct sct_reducer *reducer, unsigned slot);
void sct_reducer_stop(struct sct_reducer *reducer);
void sct_reducer_time_passes(struct sct_reducer *reducer);

// The running step may change the key [key] of [object].
static inline void sct_step_touches(struct sct_engine *engine, uint32_t object, uint64_t key) {
    if (sct_is_reducing(engine))
        sct_reducer_touch(engine->reducer,
                          &(struct sct_access){
                              .mode = SCT_ACCESS_WRITE, .object = object, .low = key, .high = key});
}

// machine.c: as the public ones, for queues that name themselves.
void sct_park_quietly(const char *waits_for);
void sct_wake_quietly(struct sct_strand *strand);

// guard.c: installs and removes the handlers of faults and hangs.
void sct_guard_install(struct sct_engine *engine);
void sct_guard_remove(void);

// The timer of hangs, which a forked process does not inherit.
void sct_guard_start_timer(void);

#endif
