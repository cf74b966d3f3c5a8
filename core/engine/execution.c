#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "core/engine/execution.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/base/reserve.h"
#include "core/engine/state.h"
#include "core/engine/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_STEPS = 10000,
    DEFAULT_HANG_MS = 2000,
    USUAL_STACKS = 32, // made at the start; more are made when an execution needs them
    DEFAULT_STACK_BYTES = ARENA_POISONS ? 256 * 1024 : 64 * 1024,
    DEFAULT_GUARD_BYTES = 1024 * 1024,
    DEFAULT_ARENA_BYTES = 256 * 1024 * 1024,
};

extern const struct sct_strategy_ops sct_strategy_random_ops; // core/strategy/random.c

struct sct_memory *sct_memory_now;

const struct sct_result *sct_engine_last_result(const struct sct_engine *engine) {
    return &engine->result;
}

const uint32_t *sct_engine_packed(const struct sct_engine *engine) {
    return engine->record->words;
}

bool sct_engine_was_in_tail(const struct sct_engine *engine) {
    return engine->now.is_in_tail;
}

struct sct_decision sct_engine_decision(const struct sct_engine *engine, uint32_t index) {
    ASSERT(index < engine->result.decision_count);
    struct sct_decision decision = sct_unpack(engine->record->words[index]);
    const struct sct_decision_note *note = &engine->notes[index];
    decision.machine = note->machine ? note->machine->name : "harness";
    decision.label = note->label;
    decision.where = note->where;
    return decision;
}

// ---- The end -----------------------------------------------------------------------------------

// What is unfinished although nothing can run, as text; NULL if all is well.
static const struct sct_strand *describe_unfinished(const struct sct_engine *engine,
                                                    struct text *text) {
    const struct sct_strand *first = NULL;
    for (const struct sct_strand *strand = engine->now.strands; strand; strand = strand->next) {
        const struct sct_task *task = strand->task;
        // A server that waits for messages, and has none, has done all there was to do.
        bool is_done = !strand->is_activity && task->is_idle && !task->machine->first;
        if (is_done)
            continue;
        text_add(text, "%s%s (%s) ", first ? "; " : "", task->machine->name, strand->name);
        if (!strand->is_activity && task->is_idle)
            text_add(text, "has a message that it does not take");
        else
            text_add(text, "waits for %s", strand->waits_for ? strand->waits_for : "its turn");
        if (strand->waiting && strand->waiting->explain)
            strand->waiting->explain(strand->waiting->thing, text);
        // The first is blamed: in the order of their creation, which is the same whoever came to
        // wait last.
        first = first ? first : strand;
    }
    return first;
}

static void check_nothing_unfinished(struct sct_engine *engine) {
    ASSERT(engine->result.outcome == SCT_PASSED && !engine->self);
    char buffer[sizeof engine->result.violation.message];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "nothing can run: ");
    const struct sct_strand *strand = describe_unfinished(engine, &text);
    const struct sct_machine *blamed = strand ? strand->task->machine : NULL;
    // By a task that has ended with its promise unkept.
    if (!strand && engine->now.hot) { // nobody waits, but something was promised
        blamed = engine->now.hot->machine;
        text_add(&text, "%s waits for %s", blamed->name, engine->now.hot->what);
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
    ASSERT(!engine->self && strand && strand->coro);
    engine->ended = false;
    do {
        engine->self = strand;
        sct_coro_switch(&engine->home, strand->coro);
        ASSERT(!engine->self);
        if (!engine->ended) // it waits for a snapshot
            strand = engine->seam.calls->take(engine->seam.search, engine);
    } while (!engine->ended);
}

// Runs [body] as an atomic phase on a coroutine of its own, so that a fault in it is a finding.
static void run_phase(struct sct_engine *engine, void (*body)(void *)) {
    struct sct_strand *strand = ARENA_NEW(&engine->arena, struct sct_strand);
    // Not in the list of strands, so that no report of who stands where has the phase in it.
    strand->coro = sct_coro_take(&engine->pool, body, engine);
    engine->now.current = NULL; // nobody's turn: scheduling points in it are none
    run_to_end(engine, strand);
}

// Nobody comes back to its coroutine once the first task is chosen: as in sct_task_exit it is free
// before, and snapshots have one stack less.
static void setup_and_schedule(void *argument) {
    struct sct_engine *engine = argument;
    engine->program->setup(engine->program->context);
    sct_coro_give_back(&engine->pool, engine->self->coro);
    sct_reschedule(engine);
}

static void finish(void *argument) {
    struct sct_engine *engine = argument;
    engine->is_finishing = true;
    engine->program->finish(engine->now.context);
    sct_leave(engine, SCT_PASSED);
}

static void reset_result(struct sct_engine *engine) {
    engine->told_decisions = 0;
    engine->last_self = NULL;
    engine->beginner = NULL;
    engine->is_finishing = false;
    engine->has_ended_itself = false;
    engine->stop.ticks = 0;
    engine->result.violation.kind = NULL;
    engine->result.violation.frame_count = 0;
    engine->executions++;
}

// From here on the death of this process counts as the execution's: whoever outlives it finds that
// in the record. Not before the end of what is kept is marked: what the last execution left would
// pass for this one's.
static void begin_record(struct sct_engine *engine) {
    ASSERT(engine->now.decision_count < engine->record->capacity);
    engine->record->words[engine->now.decision_count] = 0;
    engine->record->is_running = 1;
}

static void reset(struct sct_engine *engine) {
    struct sct_moment *now = &engine->now;
    // All that an execution has made lies in the arena and on stacks: to forget it is two
    // assignments, however much it was.
    arena_reset(&engine->arena, 0);
    sct_coro_pool_reset(&engine->pool);
    *now = (struct sct_moment){
        .birth = engine->executions,
        .point_bound = engine->options.fair_after,
        .decision_bound = sct_record_capacity(engine->options.fair_after),
        .hot_end = &now->hot,
        .strands_end = &now->strands,
        .after_wait = &sct_access_unknown,
        .context = engine->program->context,
    };
    engine->seats[SCT_TASKS_MAX] = (struct sct_seat){.task = NULL};
    begin_record(engine);
    if (sct_memory_now)
        sct_memory_now->begin(sct_memory_now);
}

// From the last snapshot on the path of a search, or from the beginning.
static void run_schedule(struct sct_engine *engine) {
    struct sct_strand *strand = engine->seam.takes_snapshots
                                    ? engine->seam.calls->restore(engine->seam.search, engine)
                                    : NULL;
    if (strand) {
        // The words before it are those of the path and stay; the end was further on.
        begin_record(engine);
        run_to_end(engine, strand);
        return;
    }
    reset(engine);
    run_phase(engine, setup_and_schedule);
}

// Tasks that never end have lengths, too, which strategies are calibrated by.
static void end_living_tasks(struct sct_engine *engine) {
    ASSERT(engine->on_task_end);
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.alive);
         sct_slots_next(&walk, &slot);)
        engine->on_task_end(engine->on_task_end_context, &engine->slots[slot].identity,
                            engine->slots[slot].steps);
}

static void review(void *argument) {
    struct sct_engine *engine = argument;
    struct sct_violation *violation = &engine->result.violation;
    struct text remark = text_in(violation->remark, sizeof violation->remark);
    engine->is_finishing = true;
    engine->program->review(engine->now.context, violation, &remark);
    sct_make_line(violation->remark);
    sct_leave(engine, SCT_PASSED);
}

// The violation stays what it was, whatever the review does.
static void run_review(struct sct_engine *engine) {
    struct sct_violation *violation = &engine->result.violation;
    struct sct_violation found = *violation;
    ASSERT(engine->result.outcome == SCT_VIOLATED);
    run_phase(engine, review);
    // A review may itself fail (it walks what is damaged). That is told beside the violation, not
    // in its place.
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
    // After these nothing of the program can be relied on, its memory least.
    return program->review && engine->result.outcome == SCT_VIOLATED &&
           strcmp(kind, SCT_KIND_CRASH) != 0 && strcmp(kind, SCT_KIND_HANG) != 0 &&
           strcmp(kind, SCT_KIND_STACK_OVERFLOW) != 0 && strcmp(kind, SCT_KIND_OUT_OF_MEMORY) != 0;
}

// Mixed twice: neighbours among seeds and among iterations must share no streams.
uint64_t sct_execution_seed(uint64_t seed, uint64_t iteration) {
    return rng_mix(rng_mix(seed) + iteration);
}

void sct_check_gave_up(void) {
    ASSERT(sct_engine_inside());
    sct_engine_now->now.checks_unknown++;
}

void sct_context_set(void *context) {
    ASSERT(sct_engine_inside());
    sct_engine_now->now.context = context;
}

void *sct_context(void) {
    ASSERT(sct_engine_now);
    return sct_engine_now->now.context;
}

// Once for the same decisions: a final check may have asked for it.
static uint64_t fingerprint(struct sct_engine *engine) {
    struct sct_moment *now = &engine->now;
    // Kinds, numbers of alternatives and answers. Labels are for people: to put one better is no
    // change of what happens.
    if (now->hashed_decisions != now->decision_count || now->decision_count == 0) {
        now->hash = hash_bytes(engine->record->words, sizeof(uint32_t) * now->decision_count);
        now->hashed_decisions = now->decision_count;
    }
    return now->hash;
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
    ASSERT(program->setup && !engine->seam.calls == !engine->seam.search);
    engine->program = program;
    sct_memory_now = program->memory;
    // Before the strategy is asked to begin: what it draws there is a function of the seed too.
    rng_seed(&strategy->rng, seed);
    strategy->diverged = false;
    strategy->ops->begin(strategy);
    run_schedule(engine);
    struct sct_result *result = &engine->result;
    bool has_blocked = engine->now.has_blocked;
    // In this order: quiet, then done (a deadlock explains itself better than what the final check
    // would find of it), then reviewed.
    if (result->outcome == SCT_PASSED && !engine->has_ended_itself && !has_blocked)
        check_nothing_unfinished(engine);
    if (result->outcome == SCT_PASSED && program->finish && !has_blocked)
        run_phase(engine, finish);
    if (may_review(engine, program))
        run_review(engine);
    if (program->leave)
        program->leave(program->context);
    ASSERT(!engine->self && engine->now.decision_count <= engine->decision_capacity);
    if (engine->on_task_end)
        end_living_tasks(engine);
    result->decision_count = engine->now.decision_count;
    result->schedule_count = engine->now.schedule_count;
    result->point_count = engine->now.point_count;
    result->task_count = engine->now.task_count;
    result->operation_count = engine->now.operation_count;
    result->checks_unknown = engine->now.checks_unknown;
    result->fingerprint = fingerprint(engine);
    engine->record->is_running = 0;
    sct_memory_now = NULL;
    return result;
}

// ---- The engine --------------------------------------------------------------------------------

static void on_fail(enum fail_kind kind, const char *where, const char *message) {
    static const char *const names[] = {
        [FAIL_ASSERTION] = SCT_KIND_ASSERTION,
        [FAIL_PROGRAM_ERROR] = SCT_KIND_PROGRAM_ERROR,
        [FAIL_LIMIT] = SCT_KIND_OUT_OF_MEMORY,
    };
    // Memory that the machine lacks is nobody's bug: the process fails, as it would outside.
    if (kind != FAIL_RESOURCE && sct_engine_inside())
        sct_violate(sct_engine_now, names[kind], where, message);
    sct_engine_now->self = NULL; // what follows is the tool's own
    // Else who waits for this process would take its death for the program's.
    sct_engine_now->record->is_running = 0;
    sct_engine_now->outside_handler(kind, where, message);
}

static void apply_defaults(struct sct_engine_options *options) {
    if (options->arena_bytes == 0)
        options->arena_bytes = DEFAULT_ARENA_BYTES;
    if (options->stack_bytes == 0)
        options->stack_bytes = DEFAULT_STACK_BYTES;
    if (options->guard_bytes == 0)
        options->guard_bytes = DEFAULT_GUARD_BYTES;
    if (options->steps_max == 0)
        options->steps_max = DEFAULT_STEPS;
    if (options->fair_after == 0)
        // As much for the strategy as for the fair tail, in which a livelock must last to be told.
        options->fair_after = options->steps_max / 2;
    if (options->fair_after > options->steps_max)
        options->fair_after = options->steps_max;
    if (options->hang_ms == 0)
        options->hang_ms = DEFAULT_HANG_MS;
}

struct sct_engine *sct_engine_open(const struct sct_engine_options *options) {
    ASSERT(!sct_engine_now);
    struct sct_engine *engine = grow_new(1, sizeof *engine, "the engine");
    engine->options = *options;
    apply_defaults(&engine->options);
    ASSERT(engine->options.steps_max <= SCT_STEPS_LIMIT);
    ASSERT(engine->options.fair_after <= engine->options.steps_max);
    arena_init(&engine->arena, engine->options.arena_bytes);
    sct_coro_pool_init(&engine->pool, engine->options.stack_bytes, engine->options.guard_bytes);
    sct_coro_pool_reserve(&engine->pool, USUAL_STACKS);
    engine->tail.ops = &sct_strategy_random_ops;
    engine->point = (struct sct_schedule_point){.enabled = &engine->now.enabled,
                                                .alive = &engine->now.alive,
                                                .fresh = &engine->now.fresh,
                                                .slots = engine->slots};
    // Reserved at its largest, in addresses: recording a decision never allocates, nor asks for
    // room.
    engine->decision_capacity = sct_record_capacity(engine->options.steps_max);
    engine->own_record = engine->record = sct_record_new(engine->options.steps_max, false);
    engine->notes =
        reserve_new(sizeof *engine->notes * engine->decision_capacity, false, "decisions");
    sct_engine_now = engine;
    engine->outside_handler = fail_handler_set(on_fail);
    if (engine->options.catch_signals)
        sct_guard_install(engine);
    return engine;
}

void sct_engine_close(struct sct_engine *engine) {
    ASSERT(engine == sct_engine_now && !engine->self);
    if (engine->options.catch_signals)
        sct_guard_remove();
    fail_handler_set(engine->outside_handler);
    sct_engine_now = NULL;
    // In the order opposite to opening: the handlers go before what they look at.
    sct_record_free(engine->own_record);
    reserve_free(engine->notes, sizeof *engine->notes * engine->decision_capacity);
    sct_coro_pool_deinit(&engine->pool);
    arena_deinit(&engine->arena);
    free(engine);
}

void sct_engine_forked(struct sct_engine *engine) {
    // A record that was given (sct_engine_record_in) may be shared memory, in which parent and
    // child would each write over what the other has.
    if (!engine->own_record) // the other process's
        engine->own_record = engine->record = sct_record_new(engine->options.steps_max, false);
    // A child inherits handlers, but no timers.
    if (engine->options.catch_signals)
        sct_guard_start_timer();
}

uint32_t sct_engine_steps_max(const struct sct_engine *engine) {
    return engine->options.steps_max;
}

void sct_engine_attach(struct sct_engine *engine, const struct sct_seam_use *use) {
    ASSERT(!engine->self);
    engine->seam = use ? *use : (struct sct_seam_use){.search = NULL};
    ASSERT(!engine->seam.takes_snapshots || (!engine->listener && !engine->on_task_end));
}

void sct_engine_watch_tasks(struct sct_engine *engine, sct_task_watcher watcher, void *context) {
    engine->on_task_end = watcher;
    engine->on_task_end_context = context;
}
