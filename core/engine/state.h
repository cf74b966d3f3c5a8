// The state of the engine, shared by the files of core/ only.
#ifndef CORE_ENGINE_STATE_H
#define CORE_ENGINE_STATE_H

#include "core/base/digest.h"
#include "core/coro/coro.h"
#include "core/coro/backtrace.h"
#include "core/engine/inside.h"
#include "core/engine/listener.h"
#include "core/engine/record.h"
#include "core/engine/seam.h"
#include "core/engine/wait.h"

// What each decision looks at stands first, here and in struct sct_task and struct sct_coro, so
// that a switch touches few cache lines.
struct sct_strand {
    struct sct_coro *coro;
    struct sct_task *task;       // whose turn it uses
    const char *waits_for;       // while parked
    struct sct_edge *edge;       // from those who have woken it
    struct sct_waiting *waiting; // where it awaits a step, or NULL
    bool is_activity;
    bool is_stopped;            // its machine was: it never runs again
    struct sct_strand *resumer; // activity: who gets control when it waits or ends
    struct sct_mutex *held;     // the mutexes that it holds, of sync.c
    void (*function)(void *);
    void *argument;
    const char *name;
    struct sct_strand *next, **link; // all living strands
};

struct sct_task {
    struct sct_machine *machine;
    unsigned slot;
    bool is_idle;    // waits in sct_receive with may_idle
    bool is_unbegun; // it begins when the running step ends (begins_quietly of struct sct_program)
    struct sct_strand own;
};

struct sct_monitor;

enum { SCT_TASK_NAMES_MAX = 8 };

// How many tasks of a name a machine has started, for their identities.
struct sct_task_name {
    const char *name;
    uint64_t hash;
    uint32_t count;
    struct sct_task_name *next;
};

struct sct_machine {
    const char *name;
    uint32_t index;
    struct sct_task_name *task_names;  // at most SCT_TASK_NAMES_MAX
    struct sct_machine *next;          // all machines
    struct sct_message *first, **last; // mailbox
    struct sct_message **passed;       // in it: all before that are of kinds [skipped]
    struct sct_task *receiver;         // waits in sct_receive
    uint32_t receives;                 // for these kinds
    uint32_t skipped;                  // or of fewer, or none
};

// A decision as one word: kind, count, answer.
static inline uint32_t sct_pack(enum sct_decision_kind kind, uint32_t count, uint32_t answer) {
    return (uint32_t)kind << 31 | count << 16 | answer;
}
_Static_assert(SCT_CHOICES_MAX < 1 << 15, "a count has 15 bits in a packed decision");

static inline struct sct_decision sct_unpack(uint32_t packed) {
    return (struct sct_decision){
        .kind = packed >> 31 ? SCT_DECISION_VALUE : SCT_DECISION_SCHEDULE,
        .count = packed >> 16 & SCT_CHOICES_MAX,
        .answer = packed & 0xffff,
    };
}

struct sct_decision_note {
    const struct sct_machine *machine;
    const char *label, *where;
};

// All that an execution changes in the engine itself, but for what it has of each slot. A snapshot
// copies it as a whole; an execution begins with all zero and what begin_moment sets.
struct sct_moment {
    struct sct_slots enabled;
    struct sct_slots fresh;
    struct sct_slots alive;   // slots in use
    struct sct_task *current; // NULL in setup and finish, which are atomic
    uint32_t decision_count, schedule_count, point_count;
    // Where the fair tail begins; in it, where the execution is cut off. (Of points 0 while a task
    // is to begin: then each point is looked at.)
    uint32_t decision_bound, point_bound;
    unsigned last_slot;
    struct sct_monitor *hot, **hot_end; // in the order of becoming hot
    uint32_t task_count;
    uint32_t operation_count;
    uint32_t machine_count;
    uint32_t kin;           // of the tasks that are started
    uint32_t object_count;  // of core/threads/object.h
    uint32_t unbegun_count; // of tasks that begin when the running step ends
    uint64_t birth; // the number of the execution that began it; others go on from its snapshots
    uint32_t tail_point, tail_decision; // the counts when the fair tail began
    uint32_t checks_unknown;
    // The fingerprint of the first so many decisions, if it was asked for.
    uint32_t hashed_decisions;
    uint64_t hash;
    bool is_in_tail;
    // Of the tail: nothing has changed in it, with these tasks enabled; and whether the running
    // step, said to write, has changed nothing.
    bool is_still, has_changed_nothing;
    struct sct_slots still_enabled;
    bool has_blocked;             // a task, by sct_block
    bool gives_way;               // the task in [last_slot], at the point that is being decided
    bool prefers_writers;         // rwlocks of core/threads/rwlock.h, perhaps
    bool wakes_spuriously;        // conditions of core/threads/lock.h
    struct digest sync;           // of the things of sync.h that are not at rest, and of promises
    struct digest started;        // of all tasks so far: who comes next has which name
    struct sct_machine *machines; // all
    struct sct_strand *strands, **strands_end; // in order of creation
    const struct sct_access *after_wait;       // see sct_touch_after_waits
    void *context;                             // of the program's functions
};

// What the engine has of a slot beside what strategies see (struct sct_slot); one more is that of
// setup and finish.
struct sct_seat {
    struct sct_task *task;
    struct sct_strand *strand;  // where it continues when chosen: its own or one of its activities
    struct digest observed;     // where states are compared: by its task
    uint32_t made;              // things of sync.h, by its task
    uint32_t steps_before_tail; // of its task
    uint32_t kin;               // see sct_kin; 0: none
    bool is_writing;            // in the still tail: by the step it is about to take
};

struct sct_engine {
    struct sct_moment now;
    struct sct_strand *self; // NULL: the engine's own stack runs
    sct_listener listener;   // NULL: nobody listens
    struct sct_strategy *strategy;
    struct sct_seam_use seam;        // to a systematic search
    struct sct_schedule_point point; // what a strategy is asked; its sets are those of [now]
    struct sct_slot slots[SCT_TASKS_MAX];
    struct sct_seat seats[SCT_TASKS_MAX + 1];
    struct sct_record *record, *own_record; // of the decisions; NULL: it is another's
    struct sct_decision_note *notes;

    // Who begins within the running step, or NULL, and how much had been made and drawn before.
    const struct sct_task *beginner;
    uint64_t made_before;
    struct sct_strategy tail; // who is asked in the fair tail
    uint64_t seed;            // of this execution
    uint32_t decision_capacity;
    const char *question;         // the label of the value being chosen
    sct_task_watcher on_task_end; // calibration only
    void *on_task_end_context;
    struct arena arena;
    struct sct_coro_pool pool;
    struct sct_coro home;              // the engine's own stack
    const struct sct_program *program; // that runs
    fail_handler outside_handler;      // of what fails where no execution runs
    bool is_finishing;                 // the final check runs: no more tasks
    bool ended;                        // the verdict stands; nothing more is scheduled
    bool has_ended_itself;             // by sct_end: nothing is unfinished
    struct sct_result result;
    void *listener_context;
    uint32_t told_decisions; // so many decisions the listener knows of
    sct_narrator narrator;   // of the listener that sct_engine_narrate installs
    void *narrator_context;
    struct sct_strand *last_self; // who was running when the execution ended
    struct sct_engine_options options;
    struct {
        const volatile sig_atomic_t *wish; // NULL: nobody's
        double at;                         // 0: never
        volatile unsigned ticks;           // of the timer that the execution went on since
    } stop;
    uint64_t executions;      // for the watchdog: progress even where no point is met
    uint64_t passed_messages; // by all who received something behind them
};

static inline void sct_mailbox_clear(struct sct_machine *machine) {
    machine->first = NULL;
    machine->last = machine->passed = &machine->first;
    machine->skipped = 0;
}

// The engine, or NULL.
extern struct sct_engine *sct_engine_now;

// For what is called inside an execution only.
static inline struct sct_engine *sct_engine_running(void) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(engine && engine->self);
    return engine;
}

// decide.c: as sct_point.
void sct_point_in(struct sct_engine *engine, const char *label, const char *where,
                  const struct sct_access *access);

// decide.c: gives the turn away: picks the next task and continues it. Returns when the running
// strand is continued; never, if the running task is over.
void sct_reschedule(struct sct_engine *engine);

// verdict.c: ends the execution with [outcome]: leaves the running coroutine for ever.
SCT_NORETURN void sct_leave(struct sct_engine *engine, enum sct_outcome outcome)
    __attribute__((cold));

// Records a violation blamed on the running machine, and leaves.
SCT_NORETURN void sct_violate(struct sct_engine *engine, const char *kind, const char *where,
                              const char *message) __attribute__((cold));

// As [sct_violate], where a signal interrupted the running code.
SCT_NORETURN void sct_violate_at(struct sct_engine *engine, const char *kind, const char *where,
                                 const char *message, struct sct_frame frame);

// Records a violation without leaving.
void sct_blame(struct sct_engine *engine, const char *kind, const char *machine, const char *where,
               const char *message);

// Makes one line of [text], whatever the system under test put into it.
void sct_make_line(char *text);

// The name of the machine whose code runs; "harness" in setup and finish.
const char *sct_running_name(const struct sct_engine *engine);

// monitor.c: what [machine] has promised is promised no more.
void sct_cool_monitors(struct sct_engine *engine, const struct sct_machine *machine);

// monitor.c: at the step bound, records a violation if a monitor was hot, or everything still, all
// through the fair tail; whether so.
bool sct_blame_livelock(struct sct_engine *engine);

// listener.c: tells the listener, who exists. An event of the running machine unless it says whose.
void sct_tell(struct sct_engine *engine, struct sct_event event);

// Whether anybody is told what the running code does: a listener, a search, who keeps edges.
static inline bool sct_is_watched(const struct sct_engine *engine) {
    uintptr_t any =
        (uintptr_t)engine->listener | (uintptr_t)engine->seam.search | (uintptr_t)sct_memory_now;
    return __builtin_expect(any != 0, 0);
}

// The running task goes on after a scheduling point, decided or not.
void sct_tell_turn(struct sct_engine *engine);

// The last recorded decision was a value.
void sct_tell_value(struct sct_engine *engine);

// sync.c: frees the mutexes that the stopped [strand] holds.
void sct_strand_free_mutexes(struct sct_strand *strand);

// queue.c: nothing can run. Timed waits, if there are any, may time out from now on; else one of
// those that end when nothing else can run may. Whether there are any.
bool sct_time_passes(struct sct_engine *engine);

// queue.c: the ends of a place in a queue, and whether its task can go on now.
void sct_queue_append(struct sct_queue *queue, struct sct_waiting *waiting);
void sct_queue_take_out(struct sct_waiting *waiting);
void sct_waiting_enable(struct sct_engine *engine, const struct sct_waiting *waiting);

// strand.c: makes [strand], uninitialised, a living coroutine of [task] that will run [function].
void sct_strand_begin(struct sct_engine *engine, struct sct_strand *strand, struct sct_task *task,
                      const char *name, void (*function)(void *), void *argument);

// strand.c: takes the strands of [machine] out of the list of the living, into one of their own.
struct sct_strand *sct_strands_stop(struct sct_engine *engine, const struct sct_machine *machine);

// strand.c: the task's slot is free again.
void sct_task_end(struct sct_engine *engine, const struct sct_task *task);

// decide.c: [task], which was just made, begins when the running step ends.
void sct_begin_quietly(struct sct_engine *engine, struct sct_task *task);

// strand.c: ends the running task, which is on its own coroutine.
SCT_NORETURN void sct_task_exit(void);

// strand.c: as the public ones, for queues that name themselves.
void sct_park_quietly(struct sct_engine *engine, const char *waits_for);
void sct_wake_quietly(struct sct_engine *engine, struct sct_strand *strand);

// Where the digest of the running code is: a task's, or that of setup and finish.
static inline unsigned sct_running_slot(const struct sct_engine *engine) {
    return engine->now.current ? engine->now.current->slot : SCT_TASKS_MAX;
}

static inline struct digest *sct_running_digest(struct sct_engine *engine) {
    return &engine->seats[sct_running_slot(engine)].observed;
}

static inline bool sct_keeps_digests(const struct sct_engine *engine) {
    return __builtin_expect(engine->seam.keeps_digests, 0);
}

// Objects of what the engine itself shares between steps; keys tell them apart.
#define SCT_ACCESS_SYNC (UINT32_MAX - 1)      // things of sync.h
#define SCT_ACCESS_MAILBOXES (UINT32_MAX - 2) // by machine
#define SCT_ACCESS_WAITS (UINT32_MAX - 3)     // who waits in a sct_park, or for an answer
#define SCT_ACCESS_NUMBERS (UINT32_MAX - 4)   // what is numbered or listed in order of creation
#define SCT_ACCESS_MONITORS (UINT32_MAX - 5)  // by machine; of several, any may be blamed
#define SCT_ACCESS_ORDER (UINT32_MAX - 6)     // what atomics share beside their locations

static inline bool sct_is_reducing(const struct sct_engine *engine) {
    return __builtin_expect(engine->seam.is_reducing, 0);
}

static inline void sct_step_touch(struct sct_engine *engine, const struct sct_access *access) {
    if (sct_is_reducing(engine))
        engine->seam.calls->touch(engine->seam.search, access);
}

// The running step may change the key [key] of [object].
static inline void sct_step_touches(struct sct_engine *engine, uint32_t object, uint64_t key) {
    if (sct_is_reducing(engine))
        sct_step_touch(engine,
                       &(struct sct_access){
                           .mode = SCT_ACCESS_WRITE, .object = object, .low = key, .high = key});
}

// observe.c: a name for the thing that the running code makes, the same across executions: by who
// made it, and how many were made before. Where states are compared or steps reduced.
struct digest sct_identify(struct sct_engine *engine);

// observe.c: a thing that tasks share was [before] and is [after] now; where states are compared.
void sct_note_change(struct sct_engine *engine, struct digest before, struct digest after);

// observe.c: where states are compared, the running code comes to the place [text].
void sct_observe_place(struct sct_engine *engine, const char *text);

static inline void sct_observe_text(struct sct_engine *engine, const char *text) {
    if (sct_keeps_digests(engine))
        sct_observe_place(engine, text);
}

// The task can go on; a search that follows causes hears which step made that possible.
static inline void sct_enable(struct sct_engine *engine, const struct sct_task *task) {
    if (__builtin_expect(engine->seam.follows_causes, 0) &&
        !sct_slots_have(&engine->now.enabled, task->slot))
        engine->seam.calls->wake(engine->seam.search, task->slot);
    sct_slots_add_again(&engine->now.enabled, task->slot); // it was one when its task began
}

// guard.c: whether the execution that runs is to be left at its next point.
bool sct_is_stopped(const struct sct_engine *engine);

// guard.c: installs and removes the handlers of faults and hangs.
void sct_guard_install(struct sct_engine *engine);
void sct_guard_remove(void);

// exits.c: a process that is forked inside an execution, however, does not go on with it.
void sct_exits_watch(void);

// exits.c: _exit, inside an execution too.
SCT_NORETURN void sct_exit_now(int status);

// The timer of hangs, which a forked process does not inherit.
void sct_guard_start_timer(void);

#endif
