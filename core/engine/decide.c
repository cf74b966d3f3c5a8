#include "core/engine/state.h"

#include <stdatomic.h>

// ---- Decisions ---------------------------------------------------------------------------------

// What changes nothing: to look, and to give way.
static bool is_look(const struct sct_access *access) {
    return access->mode == SCT_ACCESS_NONE || sct_access_is_read(access);
}

// In the tail, after a step of the present task, which is about to take another: whether it has
// changed something. A step that touches nothing may be one of a long calculation, unless it gives
// way.
__attribute__((noinline, cold)) static void look_for_change(struct sct_engine *engine) {
    // Once something has changed it is over for good: a livelock is what stays the same all through
    // the tail.
    engine->now.is_still = sct_slots_equal(&engine->now.enabled, &engine->now.still_enabled);
    if (!engine->now.is_still || !engine->now.current)
        return; // somebody waits, has ended, or goes on
    unsigned slot = sct_running_slot(engine);
    struct sct_seat *seat = &engine->seats[slot];
    const struct sct_access *next = engine->slots[slot].access;
    engine->now.is_still = !seat->is_writing || engine->now.has_changed_nothing;
    seat->is_writing = !is_look(next) || (next->mode == SCT_ACCESS_NONE && !engine->now.gives_way);
    engine->now.has_changed_nothing = false;
}

// From here on a random walk answers, so that nobody is starved for ever. Its generator is seeded
// from the execution's seed alone: the tail is a function of where it begins.
static void begin_tail(struct sct_engine *engine, bool is_inside_step) {
    ASSERT(!engine->now.is_in_tail);
    // What the running task said of a step that has begun may be gone; it may write.
    unsigned running =
        is_inside_step && engine->now.current ? sct_running_slot(engine) : SCT_TASKS_MAX;
    engine->now.is_in_tail = true;
    engine->now.tail_point = engine->now.point_count;
    engine->now.tail_decision = engine->now.decision_count;
    engine->now.point_bound = 0; // each point is looked at: see pass_bound
    engine->now.decision_bound = engine->decision_capacity;
    engine->now.is_still = true;
    engine->now.has_changed_nothing = false;
    engine->now.still_enabled = engine->now.enabled;
    unsigned slot; // what begins later has a new seat
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.alive);
         sct_slots_next(&walk, &slot);) {
        engine->seats[slot].steps_before_tail = engine->slots[slot].steps;
        engine->seats[slot].is_writing = sct_slots_have(&engine->now.enabled, slot) &&
                                         (slot == running || !is_look(engine->slots[slot].access));
    }
    if (engine->strategy->ops->is_asked_in_tail || engine->strategy->path)
        return; // a systematic search leaves nothing to chance
    rng_seed(&engine->tail.rng, rng_mix(~engine->seed));
    engine->strategy = &engine->tail;
}

static bool is_at_bound(const struct sct_engine *engine) {
    return engine->now.point_count > engine->options.steps_max ||
           engine->now.decision_count == engine->now.decision_bound;
}

// The fair tail begins, or goes on, or the execution is cut off.
__attribute__((noinline, cold)) static void pass_bound(struct sct_engine *engine,
                                                       bool is_inside_step) {
    // First where the tail begins; then at every point, as point_bound is 0 from there on.
    if (!engine->now.is_in_tail)
        begin_tail(engine, is_inside_step);
    // A tail of no length (fair_after at steps_max) ends where it begins, so this is asked in
    // either case.
    if (!is_at_bound(engine))
        return;
    // Systematic searches have no fair tail: what does not end there may have been starved.
    bool is_fair = !engine->strategy->path;
    sct_leave(engine, is_fair && sct_blame_livelock(engine) ? SCT_VIOLATED : SCT_STEP_LIMIT);
}

// The record has room for twice as many decisions as points: values are drawn without one.
static inline bool has_room(const struct sct_engine *engine) {
    return __builtin_expect(engine->now.decision_count != engine->now.decision_bound, 1);
}

static inline void check_room(struct sct_engine *engine, bool is_inside_step) {
    if (!has_room(engine))
        pass_bound(engine, is_inside_step);
}

// Nobody hears of decisions, and none is searched for: the execution is a sample among many. Its
// decisions are mostly uniform draws, which [sct_choose] and [sct_reschedule] make on a short way
// of their own. That calls nothing, and so has no registers to keep. What it does is what the
// general way does where all that it has tested holds.
static inline bool is_unheard(const struct sct_engine *engine) {
    return __builtin_expect(!engine->listener && !engine->seam.search, 1);
}

__attribute__((always_inline)) static inline void record(struct sct_engine *engine, uint32_t packed,
                                                         const struct sct_machine *machine,
                                                         const char *label, const char *where) {
    uint32_t index = engine->now.decision_count;
    // The end first, for whoever reads after this process: killed in between, it leaves a list that
    // is shorter by one, not one that goes on with an earlier execution's.
    uint32_t *words = engine->record->words;
    words[index + 1] = 0;
    atomic_signal_fence(memory_order_seq_cst);
    words[index] = packed;
    engine->notes[index] = (struct sct_decision_note){machine, label, where};
    engine->now.decision_count = index + 1;
}

// Whether a snapshot was taken before the answer that is there now, or the execution has come back
// to one: then it is to be asked for again.
static inline bool was_offered(struct sct_engine *engine) {
    return __builtin_expect(engine->seam.takes_snapshots, 0) &&
           engine->seam.calls->offer(engine->seam.search, engine);
}

// What strategies are told of the decision that is due. What they are told by address is always in
// the same place.
static inline void fill_point(struct sct_engine *engine, bool is_wide) {
    struct sct_schedule_point *point = &engine->point;
    point->count = is_wide ? sct_slots_count(&engine->now.enabled)
                           : sct_count_bits(engine->now.enabled.words[0]);
    point->current = engine->now.last_slot;
    point->gives_way = engine->now.gives_way;
    point->ordinal = engine->now.schedule_count;
}

// Asks the strategy which of several enabled tasks runs: its slot. [is_wide]: slots behind the
// first word may be in use.
static inline unsigned ask_task(struct sct_engine *engine, bool is_wide) {
    struct sct_strategy *strategy = engine->strategy;
    fill_point(engine, is_wide);
    unsigned slot = strategy->ops->pick(strategy, &engine->point);
    if (__builtin_expect(strategy->diverged, 0))
        sct_leave(engine, SCT_DIVERGED);
    // Not before: who has diverged has answered anything.
    ASSERT(slot < SCT_TASKS_MAX); // and enabled, which is asserted where its number is found
    return slot;
}

// The task in [slot] runs, that alternative of so many.
static inline void record_task(struct sct_engine *engine, unsigned slot, uint32_t alternative,
                               uint32_t count) {
    record(engine, sct_pack(SCT_DECISION_SCHEDULE, count, alternative),
           engine->seats[slot].task->machine, engine->slots[slot].label, engine->slots[slot].where);
}

// Decides which of several enabled tasks runs. With [sct_choose], the one place where
// nondeterminism enters an execution and where it is recorded. Of constants the compiler makes a
// function without the tests that they answer.
__attribute__((always_inline)) static inline unsigned decide_task(struct sct_engine *engine,
                                                                  bool is_searched, bool is_wide) {
    check_room(engine, false);
    // Counted before a snapshot may be taken below, which so has it: whoever comes back to that
    // decides this one, and does not count it again.
    engine->now.schedule_count++;
    unsigned slot = ask_task(engine, is_wide);
    if (is_searched && was_offered(engine))
        slot = ask_task(engine, is_wide); // the execution has come back from other decisions
    // The strategy has been shown who is new. Where no slot behind the first word was ever used
    // that word is all of them.
    if (is_wide)
        sct_slots_clear(&engine->now.fresh);
    else
        engine->now.fresh.words[0] = 0;
    const struct sct_schedule_point *point = &engine->point;
    record_task(engine, slot, sct_slot_alternative(point, slot), point->count);
    return slot;
}

// The fair tail has no weak memory.
static inline uint32_t ask_value(struct sct_engine *engine, uint32_t count, bool is_weak) {
    bool is_in_walk = engine->strategy == &engine->tail;
    return is_weak && is_in_walk ? 0 : sct_ask_value(engine->strategy, count, is_weak);
}

__attribute__((always_inline)) static inline void
record_value(struct sct_engine *engine, uint32_t answer, uint32_t count, const char *label) {
    const struct sct_machine *machine = engine->now.current ? engine->now.current->machine : NULL;
    record(engine, sct_pack(SCT_DECISION_VALUE, count, answer), machine, label, NULL);
}

// Of a constant, as above.
__attribute__((always_inline)) static inline uint32_t choose(uint32_t count, const char *label,
                                                             bool is_weak) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(count >= 1 && count <= SCT_CHOICES_MAX);
    if (count == 1)
        return 0;
    check_room(engine, true);
    engine->question = label;
    uint32_t answer = ask_value(engine, count, is_weak);
    if (was_offered(engine))
        answer = ask_value(engine, count, is_weak);
    if (__builtin_expect(engine->strategy->diverged, 0))
        sct_leave(engine, SCT_DIVERGED);
    ASSERT(answer < count);
    record_value(engine, answer, count, label);
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell_value(engine);
    // A task that was answered otherwise is in another state, though it may do the same for a
    // while.
    if (sct_keeps_digests(engine)) {
        struct digest *digest = &engine->seats[sct_running_slot(engine)].observed;
        *digest = digest_fold(*digest, answer);
    }
    return answer;
}

__attribute__((noinline)) static uint32_t choose_in_general(uint32_t count, const char *label) {
    return choose(count, label, false);
}

uint32_t sct_choose(uint32_t count, const char *label) {
    struct sct_engine *engine = sct_engine_now;
    struct sct_strategy *strategy = engine->strategy;
    uint32_t answer;
    if (count == 1) // no decision: a trace has only what could have been otherwise
        return 0;
    if (count == 0 || count > SCT_CHOICES_MAX || !is_unheard(engine) || !has_room(engine) ||
        strategy->ops->choose != sct_choose_uniform ||
        !rng_below_at_once(&strategy->rng, count, &answer))
        return choose_in_general(count, label);
    record_value(engine, answer, count, label);
    return answer;
}

uint32_t sct_choose_weak(uint32_t count, const char *label) {
    return choose(count, label, true);
}

void sct_bar(uint64_t alternatives) {
    struct sct_path *path = sct_engine_running()->strategy->path;
    if (path)
        path->barred = alternatives;
}

// ---- Scheduling --------------------------------------------------------------------------------

// Where the running task goes on when it is chosen again: one of its activities may be running.
static inline void keep_place(struct sct_engine *engine) {
    if (engine->now.current)
        engine->seats[engine->now.current->slot].strand = engine->self;
}

// Continues the task in [slot], which is not the running one.
static inline void go_on(struct sct_engine *engine, unsigned slot) {
    struct sct_strand *from = engine->self, *to = engine->seats[slot].strand;
    keep_place(engine);
    engine->now.current = to->task;
    engine->now.last_slot = slot;
    engine->self = to;
    sct_coro_switch(from->coro, to->coro);
}

// The turn is told on the stack of the task that goes on. (A new task begins in task_main.)
__attribute__((noinline)) static void go_on_and_tell(struct sct_engine *engine, unsigned slot) {
    if (engine->seats[slot].task != engine->now.current)
        go_on(engine, slot);
    sct_tell_turn(engine);
}

// A step ends, in a search.
__attribute__((noinline)) static void end_searched_step(struct sct_engine *engine) {
    if (sct_keeps_digests(engine))
        engine->seam.calls->meet(engine->seam.search, engine);
    if (sct_is_reducing(engine))
        engine->seam.calls->close(engine->seam.search);
    if (sct_keeps_digests(engine))
        engine->seam.calls->visit(engine->seam.search, engine);
    if (sct_is_reducing(engine))
        engine->seam.calls->point(engine->seam.search, engine);
}

// The task in [slot] begins one.
__attribute__((noinline)) static void begin_searched_step(struct sct_engine *engine,
                                                          unsigned slot) {
    if (sct_is_reducing(engine))
        engine->seam.calls->open(engine->seam.search, engine, slot);
    if (__builtin_expect(engine->seam.observes_all, 0))
        engine->seam.calls->observe(engine->seam.search, engine, slot);
}

// With a single one there is nothing to decide, and nothing is recorded.
static inline unsigned take_only(struct sct_engine *engine, unsigned slot) {
    if (__builtin_expect(engine->strategy->ops->forced != NULL, 0))
        engine->strategy->ops->forced(engine->strategy, engine->slots, slot);
    return slot;
}

static void wait_for_anyone(struct sct_engine *engine) {
    if (__builtin_expect(sct_slots_are_empty(&engine->now.enabled), 0) && !sct_time_passes(engine))
        sct_leave(engine, SCT_PASSED); // quiescent; the engine looks at what is left
}

// Whose turn it is, however many there are, and if there is nobody yet.
__attribute__((noinline, cold)) static unsigned find_next(struct sct_engine *engine) {
    wait_for_anyone(engine);
    unsigned slot = sct_slots_only(&engine->now.enabled);
    return slot == SCT_TASKS_MAX ? decide_task(engine, true, true) : take_only(engine, slot);
}

// The same, mostly without it: no slot behind the first word was ever used, and somebody can run.
__attribute__((always_inline)) static inline unsigned next_slot(struct sct_engine *engine,
                                                                bool is_searched) {
    uint64_t enabled = engine->now.enabled.words[0];
    if (sct_slots_are_wide(&engine->now.alive))
        return find_next(engine);
    if (enabled & (enabled - 1))
        return decide_task(engine, is_searched, false);
    if (__builtin_expect(enabled == 0, 0))
        return find_next(engine);
    return take_only(engine, (unsigned)__builtin_ctzll(enabled));
}

// The step of the task in [slot] begins. [is_heard]: there may be a listener.
static inline void begin_step(struct sct_engine *engine, unsigned slot, bool is_heard) {
    engine->slots[slot].steps++;
    if (is_heard && __builtin_expect(engine->listener != NULL, 0))
        go_on_and_tell(engine, slot);
    else if (engine->seats[slot].task != engine->now.current)
        go_on(engine, slot);
}

__attribute__((noinline)) static void reschedule_searched(struct sct_engine *engine) {
    wait_for_anyone(engine);
    // After time has passed: who may give up now is part of the state that is visited.
    end_searched_step(engine);
    unsigned slot = next_slot(engine, true);
    engine->now.gives_way = false;
    begin_searched_step(engine, slot);
    begin_step(engine, slot, true);
}

// ---- Tasks that begin quietly ------------------------------------------------------------------

void sct_begin_quietly(struct sct_engine *engine, struct sct_task *task) {
    ASSERT(sct_slots_have(&engine->now.fresh, task->slot));
    task->is_unbegun = true;
    engine->now.unbegun_count++;
    engine->now.point_bound = 0;
}

// All that a beginner must not add to.
static uint64_t made_so_far(const struct sct_engine *engine) {
    const struct sct_moment *now = &engine->now;
    // None of them gets smaller, so that their sum tells whether any has grown.
    return (uint64_t)now->decision_count + now->task_count + now->machine_count + now->object_count;
}

static struct sct_task *find_unbegun(const struct sct_engine *engine) {
    unsigned slot;
    struct sct_task *found = NULL;
    // In the order of slots: what a beginner does nobody can tell, so any order is as good, and
    // this one is always the same.
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.fresh);
         !found && sct_slots_next(&walk, &slot);)
        if (engine->seats[slot].task->is_unbegun)
            found = engine->seats[slot].task;
    ASSERT(found);
    return found;
}

static void check_beginner(struct sct_engine *engine) {
    const struct sct_task *beginner = engine->beginner;
    engine->beginner = NULL;
    REQUIRE(sct_slots_have(&engine->now.alive, beginner->slot) &&
                made_so_far(engine) == engine->made_before,
            "a task of a program with begins_quietly draws, makes or starts something, or ends, "
            "before its first scheduling point");
}

// Whether a task has begun now, at a point that is none yet: the step goes on in it. It is not the
// one that ran last, so that strategies see what they would if it had begun before.
static bool let_begin(struct sct_engine *engine) {
    if (engine->beginner)
        check_beginner(engine);
    if (engine->now.unbegun_count == 0) {
        engine->now.point_bound = engine->now.is_in_tail ? 0 : engine->options.fair_after;
        return false;
    }
    struct sct_task *task = find_unbegun(engine);
    struct sct_strand *from = engine->self;
    task->is_unbegun = false;
    engine->now.unbegun_count--;
    // The new task will come to a point of its own, with which this one is counted.
    engine->now.point_count--;
    engine->beginner = task;
    engine->made_before = made_so_far(engine);
    keep_place(engine);
    engine->now.current = task;
    engine->self = &task->own;
    sct_coro_switch(from->coro, task->own.coro);
    return true;
}

// A point that is looked at: tasks begin there, and the fair tail, and nothing more does.
__attribute__((noinline, cold)) static bool look_at_point(struct sct_engine *engine) {
    if (sct_is_stopped(engine))
        sct_leave(engine, SCT_STOPPED);
    if (engine->program->begins_quietly && let_begin(engine))
        return true;
    if (engine->now.point_count <= engine->now.point_bound)
        return false;
    if (engine->now.is_still)
        look_for_change(engine);
    pass_bound(engine, false);
    return false;
}

// ------------------------------------------------------------------------------------------------

__attribute__((noinline)) static void reschedule_in_general(struct sct_engine *engine) {
    if (__builtin_expect(++engine->now.point_count > engine->now.point_bound, 0) &&
        look_at_point(engine))
        return; // the running task was chosen again
    if (__builtin_expect(engine->seam.search != NULL, 0)) {
        reschedule_searched(engine);
        return;
    }
    unsigned slot = next_slot(engine, false);
    engine->now.gives_way = false;
    begin_step(engine, slot, true);
}

// The short way to who runs next, where several are [enabled], all in the first word: one uniform
// draw. False if that does not do, and nothing has changed.
static inline bool draw_task(struct sct_engine *engine, uint64_t enabled, unsigned *slot) {
    uint32_t alternative, count = sct_count_bits(enabled);
    if (!has_room(engine) || !rng_below_at_once(&engine->strategy->rng, count, &alternative))
        return false;
    unsigned first = engine->now.last_slot + engine->now.gives_way;
    *slot = sct_word_alternative_slot(enabled, first, alternative);
    engine->now.schedule_count++;
    engine->now.fresh.words[0] = 0;
    record_task(engine, *slot, alternative, count);
    return true;
}

// The same, however many are enabled, if the short way leads anywhere.
static inline bool take_next(struct sct_engine *engine, unsigned *slot) {
    uint64_t enabled = engine->now.enabled.words[0];
    if (!engine->strategy->ops->picks_uniformly || !is_unheard(engine) ||
        engine->now.point_count >= engine->now.point_bound ||
        sct_slots_are_wide(&engine->now.alive))
        return false;
    if (enabled & (enabled - 1))
        return draw_task(engine, enabled, slot);
    if (enabled == 0)
        return false;
    *slot = (unsigned)__builtin_ctzll(enabled);
    return true;
}

void sct_reschedule(struct sct_engine *engine) {
    unsigned slot;
    if (!take_next(engine, &slot)) {
        reschedule_in_general(engine);
        return;
    }
    engine->now.point_count++;
    engine->now.gives_way = false;
    begin_step(engine, slot, false);
}

void sct_point_in(struct sct_engine *engine, const char *label, const char *where,
                  const struct sct_access *access) {
    struct sct_task *task = engine->now.current;
    if (!task)
        return; // setup and finish are atomic
    sct_observe_text(engine, label);
    struct sct_slot *slot = &engine->slots[task->slot];
    slot->access = access;
    slot->label = label;
    slot->where = where;
    sct_reschedule(engine);
}

void sct_point(const char *label, const char *where, const struct sct_access *access) {
    sct_point_in(sct_engine_running(), label, where, access);
}

void sct_yield(const char *where) {
    struct sct_engine *engine = sct_engine_running();
    // In setup and finish, which are atomic, nobody does; nor who has only begun, and did not run
    // last.
    if (engine->now.current && engine->now.current->slot == engine->now.last_slot)
        engine->now.gives_way = true;
    sct_point_in(engine, "yield", where, &sct_access_none);
}
