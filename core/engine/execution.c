#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "core/engine/execution.h"
#include "core/base/hash.h"
#include "core/engine/state.h"
#include "core/engine/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    DEFAULT_STEPS = 10000,
    DEFAULT_HANG_MS = 2000,
    USUAL_STACKS = 32, // made at the start; more are made when an execution needs them
    DEFAULT_STACK_BYTES = ARENA_POISONS ? 256 * 1024 : 64 * 1024,
    DEFAULT_ARENA_BYTES = 256 * 1024 * 1024,
};

extern const struct sct_strategy_ops sct_strategy_random_ops; // core/strategy/random.c

struct sct_engine *sct_engine_now;

bool sct_engine_inside(void) {
    return sct_engine_now && sct_engine_now->self;
}

// ---- Verdicts ----------------------------------------------------------------------------------

const char *sct_running_name(const struct sct_engine *engine) {
    return engine->current ? engine->current->machine->name : "harness";
}

// One line, whatever the system under test put into it.
static void make_line(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

void sct_blame(struct sct_engine *engine, const char *kind, const char *machine, const char *where,
               const char *message) {
    struct sct_violation *violation = &engine->result.violation;
    violation->kind = kind;
    violation->where = where;
    violation->frame_count = 0;
    snprintf(violation->machine, sizeof violation->machine, "%s", machine);
    snprintf(violation->message, sizeof violation->message, "%s",
             *message ? message : "(no message)");
    violation->remark[0] = '\0';
    make_line(violation->message);
}

void sct_leave(struct sct_engine *engine, enum sct_outcome outcome) {
    static struct sct_coro abandoned; // nobody comes back to it
    struct sct_coro *from = engine->self ? engine->self->coro : &abandoned;
    if (!engine->last_self) // what comes after the end is not the system's
        engine->last_self = engine->self;
    engine->self = NULL; // from here on a fault is the tool's own
    ASSERT(!engine->ended);
    engine->ended = true;
    engine->result.outcome = outcome;
    sct_coro_switch(from, &engine->home);
    abort(); // an execution that has ended was continued
}

void sct_violate_at(struct sct_engine *engine, const char *kind, const char *where,
                    const char *message, struct sct_frame frame) {
    sct_blame(engine, kind, sct_running_name(engine), where, message);
    struct sct_violation *violation = &engine->result.violation;
    const struct sct_coro *coro = engine->self ? engine->self->coro : NULL;
    if (coro)
        violation->frame_count =
            sct_backtrace(frame, coro->stack_low, coro->stack_low + coro->stack_bytes,
                          violation->frames, SCT_FRAMES_MAX);
    sct_leave(engine, SCT_VIOLATED);
}

void sct_violate(struct sct_engine *engine, const char *kind, const char *where,
                 const char *message) {
    sct_violate_at(engine, kind, where, message, sct_frame_here());
}

// ---- Decisions ---------------------------------------------------------------------------------

// From here on a random walk answers, so that nobody is starved for ever. Its generator is seeded
// from the execution's seed alone: the tail is a function of where it begins.
static void begin_tail(struct sct_engine *engine) {
    engine->is_in_tail = true;
    engine->tail_point = engine->point_count;
    engine->tail_decision = engine->decision_count;
    engine->point_bound = engine->options.steps_max;
    engine->decision_bound = engine->decision_capacity;
    memcpy(engine->steps_before_tail, engine->steps, sizeof engine->steps);
    if (engine->strategy->ops->is_asked_in_tail || engine->strategy->path)
        return; // a systematic search leaves nothing to chance
    rng_seed(&engine->tail.rng, rng_mix(~engine->seed));
    engine->strategy = &engine->tail;
}

static bool is_at_bound(const struct sct_engine *engine) {
    return engine->point_count > engine->point_bound ||
           engine->decision_count == engine->decision_bound;
}

// The fair tail begins, or the execution is cut off.
__attribute__((noinline, cold)) static void pass_bound(struct sct_engine *engine) {
    if (!engine->is_in_tail)
        begin_tail(engine);
    if (!is_at_bound(engine))
        return;
    // Systematic searches have no fair tail: what does not end there may have been starved.
    bool is_fair = !engine->strategy->path;
    sct_leave(engine, is_fair && sct_blame_livelock(engine) ? SCT_VIOLATED : SCT_STEP_LIMIT);
}

static inline void check_room(struct sct_engine *engine) {
    if (__builtin_expect(engine->decision_count == engine->decision_bound, 0))
        pass_bound(engine);
}

static inline void record(struct sct_engine *engine, uint32_t packed,
                          const struct sct_machine *machine, const char *label, const char *where) {
    uint32_t index = engine->decision_count;
    engine->packed[index] = packed;
    engine->notes[index] = (struct sct_decision_note){machine, label, where};
    engine->decision_count = index + 1;
}

// Asks the strategy which of several enabled tasks runs. With [sct_choose], the one place where
// nondeterminism enters an execution and where it is recorded.
static unsigned decide_task(struct sct_engine *engine) {
    check_room(engine);
    struct sct_schedule_point point = {
        .enabled = engine->enabled,
        .count = sct_count_bits(engine->enabled),
        .alive = engine->alive,
        .fresh = engine->fresh,
        .current = engine->last_slot,
        .ordinal = ++engine->schedule_count,
        .accesses = engine->accesses,
        .steps = engine->steps,
        .identities = engine->identities,
    };
    engine->fresh = 0;
    unsigned slot = engine->strategy->ops->pick(engine->strategy, &point);
    if (__builtin_expect(engine->snapshots != NULL, 0) && sct_snapshots_offer(engine))
        slot = engine->strategy->ops->pick(engine->strategy, &point);
    if (__builtin_expect(engine->strategy->diverged, 0))
        sct_leave(engine, SCT_DIVERGED);
    ASSERT(slot < SCT_TASKS_MAX && (engine->enabled >> slot & 1));
    const struct sct_task *task = engine->tasks[slot];
    uint32_t packed =
        sct_pack(SCT_DECISION_SCHEDULE, point.count, sct_slot_alternative(&point, slot));
    record(engine, packed, task->machine, task->label, task->where);
    return slot;
}

uint32_t sct_choose(uint32_t count, const char *label) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(count >= 1 && count <= SCT_CHOICES_MAX);
    if (count == 1)
        return 0;
    check_room(engine);
    engine->question = label;
    uint32_t answer = engine->strategy->ops->choose(engine->strategy, count);
    if (__builtin_expect(engine->snapshots != NULL, 0) && sct_snapshots_offer(engine))
        answer = engine->strategy->ops->choose(engine->strategy, count);
    if (__builtin_expect(engine->strategy->diverged, 0))
        sct_leave(engine, SCT_DIVERGED);
    ASSERT(answer < count);
    const struct sct_machine *machine = engine->current ? engine->current->machine : NULL;
    record(engine, sct_pack(SCT_DECISION_VALUE, count, answer), machine, label, NULL);
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell_value(engine);
    if (sct_keeps_digests(engine)) {
        struct digest *digest = &engine->observed[sct_running_slot(engine)];
        *digest = digest_fold(*digest, answer);
    }
    return answer;
}

const struct sct_result *sct_engine_last_result(const struct sct_engine *engine) {
    return &engine->result;
}

struct sct_decision sct_engine_decision(const struct sct_engine *engine, uint32_t index) {
    ASSERT(index < engine->result.decision_count);
    uint32_t packed = engine->packed[index];
    const struct sct_decision_note *note = &engine->notes[index];
    return (struct sct_decision){
        .kind = packed >> 31 ? SCT_DECISION_VALUE : SCT_DECISION_SCHEDULE,
        .count = packed >> 16 & SCT_CHOICES_MAX,
        .answer = packed & 0xffff,
        .machine = note->machine ? note->machine->name : "harness",
        .label = note->label,
        .where = note->where,
    };
}

// ---- Scheduling --------------------------------------------------------------------------------

// Continues [next], which is not the running task.
static inline void go_on(struct sct_engine *engine, struct sct_task *next) {
    struct sct_strand *from = engine->self;
    if (engine->current)
        engine->current->strand = from;
    engine->current = next;
    engine->last_slot = next->slot;
    engine->self = next->strand;
    sct_coro_switch(from->coro, engine->self->coro);
}

// The turn is told on the stack of the task that goes on. (A new task begins in task_main.)
__attribute__((noinline)) static void go_on_and_tell(struct sct_engine *engine,
                                                     struct sct_task *next) {
    if (next != engine->current)
        go_on(engine, next);
    sct_tell_turn(engine);
}

void sct_reschedule(struct sct_engine *engine) {
    if (__builtin_expect(++engine->point_count > engine->point_bound, 0))
        pass_bound(engine);
    if (__builtin_expect(engine->enabled == 0, 0) && !sct_time_passes(engine))
        sct_leave(engine, SCT_PASSED); // quiescent; the engine looks at what is left
    if (sct_is_reducing(engine))
        sct_reducer_close(engine->reducer);
    if (sct_keeps_digests(engine))
        sct_explorer_visit(engine);
    if (sct_is_reducing(engine))
        sct_reducer_point(engine);
    uint64_t enabled = engine->enabled;
    unsigned slot =
        enabled & (enabled - 1) ? decide_task(engine) : (unsigned)__builtin_ctzll(enabled);
    if (sct_is_reducing(engine))
        sct_reducer_open(engine, slot);
    engine->steps[slot]++;
    struct sct_task *next = engine->tasks[slot];
    if (__builtin_expect(engine->listener != NULL, 0))
        go_on_and_tell(engine, next);
    else if (next != engine->current)
        go_on(engine, next);
}

// What is unfinished although nothing can run, as text; NULL if all is well.
static const struct sct_strand *describe_unfinished(const struct sct_engine *engine,
                                                    struct text *text) {
    const struct sct_strand *first = NULL;
    for (const struct sct_strand *strand = engine->strands; strand; strand = strand->next) {
        const struct sct_task *task = strand->task;
        bool is_done = !strand->is_activity && task->is_idle && !task->machine->first;
        if (is_done)
            continue;
        text_add(text, "%s%s (%s) ", first ? "; " : "", task->machine->name, strand->name);
        if (!strand->is_activity && task->is_idle)
            text_add(text, "has a message that it does not take");
        else
            text_add(text, "waits for %s", strand->waits_for ? strand->waits_for : "its turn");
        first = first ? first : strand;
    }
    return first;
}

static void check_nothing_unfinished(struct sct_engine *engine) {
    char buffer[sizeof engine->result.violation.message];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "nothing can run: ");
    const struct sct_strand *strand = describe_unfinished(engine, &text);
    const struct sct_machine *blamed = strand ? strand->task->machine : NULL;
    if (!strand && engine->hot) { // nobody waits, but something was promised
        blamed = engine->hot->machine;
        text_add(&text, "%s waits for %s", blamed->name, engine->hot->what);
    }
    if (!blamed)
        return;
    engine->result.outcome = SCT_VIOLATED;
    sct_blame(engine, SCT_KIND_DEADLOCK, blamed->name, NULL, buffer);
}

// ---- Running -----------------------------------------------------------------------------------

// Continues [strand] until the verdict stands: SCT_PASSED if nothing went wrong until everything
// was quiet. Snapshots are taken here, on the stack that is in none of them.
static void run_to_end(struct sct_engine *engine, struct sct_strand *strand) {
    engine->ended = false;
    do {
        engine->self = strand;
        sct_coro_switch(&engine->home, strand->coro);
        ASSERT(!engine->self);
    } while (!engine->ended && (strand = sct_snapshots_take(engine)));
}

// Runs [body] as an atomic phase on a coroutine of its own, so that a fault in it is a finding.
static void run_phase(struct sct_engine *engine, void (*body)(void *)) {
    struct sct_strand *strand = ARENA_NEW(&engine->arena, struct sct_strand);
    strand->coro = sct_coro_take(&engine->pool, body, engine);
    engine->current = NULL;
    run_to_end(engine, strand);
}

static const struct sct_program *running_program;

static void setup_and_schedule(void *argument) {
    struct sct_engine *engine = argument;
    running_program->setup(running_program->context);
    sct_reschedule(engine);
}

static void finish(void *argument) {
    ((struct sct_engine *)argument)->is_finishing = true;
    running_program->finish(running_program->context);
    sct_leave(argument, SCT_PASSED);
}

// Room for the decisions of so many points. Values are decisions without a scheduling point: they
// get as much again.
static uint32_t decisions_for(uint32_t points) {
    return points * 2 + 64;
}

static void reset_result(struct sct_engine *engine) {
    engine->told_decisions = 0;
    engine->last_self = NULL;
    engine->is_finishing = false;
    engine->has_ended_itself = false;
    engine->result.violation.kind = NULL;
    engine->result.checks_unknown = 0;
    engine->result.violation.frame_count = 0;
    engine->executions++;
}

static void reset(struct sct_engine *engine) {
    arena_reset(&engine->arena, 0);
    sct_coro_pool_reset(&engine->pool);
    engine->enabled = engine->fresh = engine->alive = 0;
    engine->decision_count = engine->schedule_count = engine->point_count = 0;
    engine->task_count = engine->machine_count = engine->object_count = 0;
    engine->operation_count = 0;
    engine->wakes_spuriously = false;
    engine->last_slot = 0;
    engine->after_wait = &sct_access_unknown;
    engine->is_in_tail = false;
    engine->point_bound = engine->options.fair_after;
    engine->decision_bound = decisions_for(engine->options.fair_after);
    engine->hot = NULL;
    engine->hot_end = &engine->hot;
    engine->machines = NULL;
    engine->sync = engine->started = engine->observed[SCT_TASKS_MAX] = (struct digest){0, 0};
    engine->made[SCT_TASKS_MAX] = 0;
    engine->strands = NULL;
    engine->strands_end = &engine->strands;
}

// From the last snapshot on the path of a search, or from the beginning.
static void run_schedule(struct sct_engine *engine) {
    struct sct_strand *strand = engine->snapshots ? sct_snapshots_restore(engine) : NULL;
    if (strand) {
        run_to_end(engine, strand);
        return;
    }
    reset(engine);
    run_phase(engine, setup_and_schedule);
}

static void end_living_tasks(struct sct_engine *engine) {
    for (uint64_t left = engine->alive; left; left &= left - 1) {
        int slot = __builtin_ctzll(left);
        engine->on_task_end(engine->on_task_end_context, &engine->identities[slot],
                            engine->steps[slot]);
    }
}

static void review(void *argument) {
    struct sct_engine *engine = argument;
    struct sct_violation *violation = &engine->result.violation;
    struct text remark = text_in(violation->remark, sizeof violation->remark);
    engine->is_finishing = true;
    running_program->review(running_program->context, violation, &remark);
    make_line(violation->remark);
    sct_leave(engine, SCT_PASSED);
}

// The violation stays what it was, whatever the review does.
static void run_review(struct sct_engine *engine) {
    struct sct_violation *violation = &engine->result.violation;
    struct sct_violation found = *violation;
    run_phase(engine, review);
    bool has_failed = engine->result.outcome != SCT_PASSED;
    if (has_failed)
        snprintf(found.remark, sizeof found.remark, "the review failed: %.480s",
                 violation->message);
    engine->result.outcome = SCT_VIOLATED;
    if (has_failed)
        *violation = found;
}

static bool may_review(const struct sct_engine *engine, const struct sct_program *program) {
    const char *kind = engine->result.violation.kind;
    return program->review && engine->result.outcome == SCT_VIOLATED &&
           strcmp(kind, SCT_KIND_CRASH) != 0 && strcmp(kind, SCT_KIND_HANG) != 0 &&
           strcmp(kind, SCT_KIND_STACK_OVERFLOW) != 0 && strcmp(kind, SCT_KIND_OUT_OF_MEMORY) != 0;
}

void sct_check_gave_up(void) {
    ASSERT(sct_engine_inside());
    sct_engine_now->result.checks_unknown++;
}

static uint64_t fingerprint(const struct sct_engine *engine) {
    return hash_bytes(engine->packed, sizeof(uint32_t) * engine->decision_count);
}

uint64_t sct_fingerprint_so_far(void) {
    ASSERT(sct_engine_inside());
    return fingerprint(sct_engine_now);
}

const struct sct_result *sct_engine_run(struct sct_engine *engine,
                                        const struct sct_program *program,
                                        struct sct_strategy *strategy, uint64_t seed) {
    ASSERT(engine == sct_engine_now && !engine->self);
    reset_result(engine);
    engine->strategy = strategy;
    engine->seed = seed;
    running_program = program;
    rng_seed(&strategy->rng, seed);
    strategy->diverged = false;
    strategy->ops->begin(strategy);
    run_schedule(engine);
    struct sct_result *result = &engine->result;
    if (result->outcome == SCT_PASSED && !engine->has_ended_itself)
        check_nothing_unfinished(engine);
    if (result->outcome == SCT_PASSED && program->finish)
        run_phase(engine, finish);
    if (may_review(engine, program))
        run_review(engine);
    if (engine->on_task_end)
        end_living_tasks(engine);
    result->decision_count = engine->decision_count;
    result->schedule_count = engine->schedule_count;
    result->point_count = engine->point_count;
    result->task_count = engine->task_count;
    result->operation_count = engine->operation_count;
    result->fingerprint = fingerprint(engine);
    return result;
}

// ---- The engine --------------------------------------------------------------------------------

static fail_handler outside_handler;

static void on_fail(enum fail_kind kind, const char *where, const char *message) {
    static const char *const names[] = {
        [FAIL_ASSERTION] = SCT_KIND_ASSERTION,
        [FAIL_PROGRAM_ERROR] = SCT_KIND_PROGRAM_ERROR,
        [FAIL_LIMIT] = SCT_KIND_OUT_OF_MEMORY,
    };
    if (kind != FAIL_RESOURCE && sct_engine_inside())
        sct_violate(sct_engine_now, names[kind], where, message);
    outside_handler(kind, where, message);
}

static void *reserve(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: cannot reserve %zu bytes for decisions",
                bytes);
    return memory;
}

static void apply_defaults(struct sct_engine_options *options) {
    if (options->arena_bytes == 0)
        options->arena_bytes = DEFAULT_ARENA_BYTES;
    if (options->stack_bytes == 0)
        options->stack_bytes = DEFAULT_STACK_BYTES;
    if (options->steps_max == 0)
        options->steps_max = DEFAULT_STEPS;
    if (options->fair_after == 0)
        options->fair_after = options->steps_max / 2;
    if (options->fair_after > options->steps_max)
        options->fair_after = options->steps_max;
    if (options->hang_ms == 0)
        options->hang_ms = DEFAULT_HANG_MS;
}

struct sct_engine *sct_engine_open(const struct sct_engine_options *options) {
    ASSERT(!sct_engine_now);
    struct sct_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: the engine");
    engine->options = *options;
    apply_defaults(&engine->options);
    ASSERT(engine->options.steps_max <= SCT_STEPS_LIMIT);
    arena_init(&engine->arena, engine->options.arena_bytes);
    sct_coro_pool_init(&engine->pool, engine->options.stack_bytes);
    sct_coro_pool_reserve(&engine->pool, USUAL_STACKS);
    engine->tail.ops = &sct_strategy_random_ops;
    engine->decision_capacity = decisions_for(engine->options.steps_max);
    engine->packed = reserve(sizeof *engine->packed * engine->decision_capacity);
    engine->notes = reserve(sizeof *engine->notes * engine->decision_capacity);
    sct_engine_now = engine;
    outside_handler = fail_handler_set(on_fail);
    if (engine->options.catch_signals)
        sct_guard_install(engine);
    return engine;
}

void sct_engine_close(struct sct_engine *engine) {
    ASSERT(engine == sct_engine_now && !engine->self);
    if (engine->options.catch_signals)
        sct_guard_remove();
    fail_handler_set(outside_handler);
    sct_engine_now = NULL;
    munmap(engine->packed, sizeof *engine->packed * engine->decision_capacity);
    munmap(engine->notes, sizeof *engine->notes * engine->decision_capacity);
    sct_coro_pool_deinit(&engine->pool);
    arena_deinit(&engine->arena);
    free(engine);
}

void sct_engine_watch_tasks(struct sct_engine *engine, sct_task_watcher watcher, void *context) {
    engine->on_task_end = watcher;
    engine->on_task_end_context = context;
}
