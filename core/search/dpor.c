#include "core/search/dpor.h"
#include "core/engine/state.h"
#include "core/search/sleep.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX // more than an enumerator holds

enum { FIRST_PROCESSES = 32 };

// A step of the present execution. References to other steps are their numbers plus one; 0: none.
struct step {
    struct sct_footprint print;
    uint64_t enabled;      // before it
    uint32_t node;         // the frame of the decision that it began with, or NONE
    uint32_t process;      // whose it is
    uint32_t previous;     // of the same process
    uint32_t waker;        // without which it could not be: who started or woke its task
    uint32_t granter;      // who enabled it last; perhaps it was enabled before, too
    uint32_t end_position; // of the path
    uint8_t slot;
    bool is_barrier; // everything before it happens before it
};

struct sct_reducer {
    struct sct_sleep sleep;
    enum sct_reduction reduction;
    // Of dpor alone, as all below.
    struct step *steps;
    uint32_t step_count, step_capacity;
    uint32_t *clocks; // per step: for each process its last step that happened before, plus one
    uint32_t *race_clock;
    uint32_t *races;      // steps that race with the one looked at
    uint32_t *firsts;     // per process: its first step in a sequence, or NONE
    uint64_t *signatures; // of the processes: tasks, the same in all executions
    uint32_t process_count, process_capacity, process_guess;
    // Of the running execution.
    uint32_t running; // the step, or NONE
    uint32_t known;   // frames of the path that it began with
    uint32_t processes[SCT_TASKS_MAX], last_steps[SCT_TASKS_MAX];
    uint32_t wakers[SCT_TASKS_MAX], granters[SCT_TASKS_MAX];
    bool is_barrier_next, has_stopped;
};

// ---- Memory ------------------------------------------------------------------------------------

static void *grow(void *array, size_t count, size_t size) {
    void *grown = realloc(array, count * size);
    if (!grown)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: %zu records for the reduction", count);
    return grown;
}

static uint32_t twice(uint32_t capacity) {
    return capacity ? 2 * capacity : 256;
}

static void make_room_for_step(struct sct_reducer *reducer) {
    if (reducer->step_count < reducer->step_capacity)
        return;
    uint32_t capacity = twice(reducer->step_capacity);
    reducer->steps = grow(reducer->steps, capacity, sizeof *reducer->steps);
    reducer->races = grow(reducer->races, capacity, sizeof *reducer->races);
    reducer->clocks = grow(reducer->clocks, (size_t)capacity * reducer->process_capacity,
                           sizeof *reducer->clocks);
    reducer->step_capacity = capacity;
}

// More columns for the clocks; those of known steps keep their contents.
static void widen(struct sct_reducer *reducer) {
    uint32_t old = reducer->process_capacity, new = old ? 2 * old : FIRST_PROCESSES;
    uint32_t *clocks = calloc((size_t)reducer->step_capacity * new + 1, sizeof *clocks);
    if (!clocks)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: clocks of %u tasks", new);
    for (size_t i = 0; old > 0 && i < reducer->step_capacity; i++)
        memcpy(clocks + i * new, reducer->clocks + i * old, old * sizeof *clocks);
    free(reducer->clocks);
    reducer->clocks = clocks;
    reducer->signatures = grow(reducer->signatures, new, sizeof *reducer->signatures);
    reducer->race_clock = grow(reducer->race_clock, new, sizeof *reducer->race_clock);
    reducer->firsts = grow(reducer->firsts, new, sizeof *reducer->firsts);
    reducer->process_capacity = new;
}

// Executions start their tasks in similar orders: mostly the guess is right.
static uint32_t find_process(struct sct_reducer *reducer, uint64_t signature) {
    for (uint32_t i = 0; i < reducer->process_count; i++) {
        uint32_t process = (reducer->process_guess + i) % reducer->process_count;
        if (reducer->signatures[process] == signature) {
            reducer->process_guess = process + 1;
            return process;
        }
    }
    if (reducer->process_count == reducer->process_capacity)
        widen(reducer);
    reducer->signatures[reducer->process_count] = signature;
    return reducer->process_count++;
}

// ---- What the engine tells ---------------------------------------------------------------------

static bool has_races(const struct sct_reducer *reducer) {
    return reducer->reduction == SCT_REDUCE_DPOR;
}

void sct_reducer_touch(struct sct_reducer *reducer, const struct sct_access *access) {
    sct_sleep_touch(&reducer->sleep, access);
}

void sct_reducer_touch_while(struct sct_reducer *reducer, const bool *is_unfinished) {
    reducer->sleep.now.is_unfinished = is_unfinished;
}

// NONE + 1 is 0.
void sct_reducer_task(struct sct_reducer *reducer, unsigned slot, uint64_t signature) {
    if (!has_races(reducer))
        return;
    reducer->processes[slot] = find_process(reducer, signature);
    reducer->last_steps[slot] = reducer->granters[slot] = 0;
    reducer->wakers[slot] = reducer->running + 1;
}

void sct_reducer_wake(struct sct_reducer *reducer, unsigned slot) {
    reducer->wakers[slot] = reducer->running + 1;
}

void sct_reducer_grant(struct sct_reducer *reducer, unsigned slot) {
    reducer->granters[slot] = reducer->running + 1;
}

void sct_reducer_time_passes(struct sct_reducer *reducer) {
    reducer->is_barrier_next = true;
}

void sct_reducer_stop(struct sct_reducer *reducer) {
    reducer->has_stopped = true;
    reducer->sleep.now.print.has_stopped = true;
}

// ---- Steps -------------------------------------------------------------------------------------

void sct_reducer_close(struct sct_reducer *reducer) {
    sct_sleep_close(&reducer->sleep);
    if (reducer->running == NONE)
        return;
    struct step *step = &reducer->steps[reducer->running];
    step->print = reducer->sleep.now.print;
    step->end_position = reducer->sleep.path->position;
    reducer->running = NONE;
}

void sct_reducer_point(struct sct_engine *engine) {
    struct sct_reducer *reducer = engine->reducer;
    struct sct_path *path = reducer->sleep.path;
    sct_sleep_point(&reducer->sleep, engine);
    if (!has_races(reducer) || !sct_path_is_new(path) || sct_count_bits(engine->enabled) < 2)
        return;
    struct sct_sleep_node *node = &reducer->sleep.nodes[path->position];
    node->todo = UINT64_C(1) << node->slot; // until a race asks for more
}

static void add_step(struct sct_reducer *reducer, const struct sct_engine *engine, unsigned slot) {
    make_room_for_step(reducer);
    reducer->steps[reducer->step_count] = (struct step){
        .enabled = engine->enabled,
        .node = reducer->sleep.now.node,
        .process = reducer->processes[slot],
        .previous = reducer->last_steps[slot],
        .waker = reducer->wakers[slot],
        .granter = reducer->granters[slot],
        .slot = (uint8_t)slot,
        .is_barrier = reducer->is_barrier_next,
    };
    reducer->is_barrier_next = false;
    reducer->wakers[slot] = reducer->granters[slot] = 0;
    reducer->running = reducer->step_count++;
    reducer->last_steps[slot] = reducer->step_count;
}

void sct_reducer_open(struct sct_engine *engine, unsigned slot) {
    struct sct_reducer *reducer = engine->reducer;
    sct_sleep_open(&reducer->sleep, engine, slot);
    if (has_races(reducer))
        add_step(reducer, engine, slot);
}

// ---- Races -------------------------------------------------------------------------------------

static uint32_t *clock_of(const struct sct_reducer *reducer, uint32_t step) {
    return reducer->clocks + (size_t)step * reducer->process_capacity;
}

static void join(const struct sct_reducer *reducer, uint32_t *clock, uint32_t step) {
    const uint32_t *other = clock_of(reducer, step);
    for (uint32_t i = 0; i < reducer->process_count; i++)
        if (clock[i] < other[i])
            clock[i] = other[i];
}

static bool is_in(const struct sct_reducer *reducer, uint32_t step, const uint32_t *clock) {
    return clock[reducer->steps[step].process] > step;
}

// Whether [step] could have come before [earlier]: if its task was not yet there, woken or granted
// its turn, by something that does not itself need the earlier one, it might have been.
static bool is_reversible(const struct sct_reducer *reducer, uint32_t earlier,
                          const struct step *step) {
    uint32_t after = earlier + 1;
    if (step->previous > after || step->waker > after)
        return true;
    if (step->granter > after && !is_in(reducer, earlier, clock_of(reducer, step->granter - 1)))
        return true;
    return reducer->steps[earlier].enabled >> step->slot & 1;
}

static bool has_predecessor(const struct sct_reducer *reducer, const uint32_t *clock) {
    for (uint32_t i = 0; i < reducer->process_count; i++)
        if (clock[i] > reducer->firsts[i])
            return true;
    return false;
}

// The slots of the initials of v: of the steps after [earlier] that do not happen after it, and
// [step] (at [index], with [clock]), those before which no other has to come.
static uint64_t initials(struct sct_reducer *reducer, uint32_t earlier, uint32_t index,
                         const struct step *step, const uint32_t *clock) {
    uint64_t slots = 0;
    for (uint32_t i = 0; i < reducer->process_count; i++)
        reducer->firsts[i] = NONE;
    for (uint32_t i = earlier + 1; i < index; i++) {
        const struct step *between = &reducer->steps[i];
        const uint32_t *its_clock = clock_of(reducer, i);
        if (is_in(reducer, earlier, its_clock))
            continue;
        if (!has_predecessor(reducer, its_clock))
            slots |= UINT64_C(1) << between->slot;
        if (reducer->firsts[between->process] == NONE)
            reducer->firsts[between->process] = i;
    }
    if (!has_predecessor(reducer, clock))
        slots |= UINT64_C(1) << step->slot;
    return slots;
}

// Asks for an execution in which [step] comes before [earlier], unless one is asked for already.
static void add_backtrack(struct sct_reducer *reducer, uint32_t earlier, uint32_t index,
                          const struct step *step, const uint32_t *clock) {
    uint32_t frame = reducer->steps[earlier].node;
    if (frame == NONE)
        return; // nobody else could run
    struct sct_sleep_node *node = &reducer->sleep.nodes[frame];
    uint64_t slots = initials(reducer, earlier, index, step, clock) & node->enabled;
    if (slots == 0)
        node->todo |= node->enabled;
    else if (!(slots & node->todo))
        node->todo |= slots & -slots;
}

// Finds the clock of [step], which is taken at [index] or would be, and the races that it is in:
// with the last steps that it depends on, where they can be reversed.
static void analyse(struct sct_reducer *reducer, uint32_t index, const struct step *step,
                    uint32_t *clock) {
    uint32_t *race_clock = reducer->race_clock, race_count = 0;
    size_t bytes = reducer->process_count * sizeof *clock;
    memset(clock, 0, reducer->process_capacity * sizeof *clock);
    if (step->previous > 0)
        join(reducer, clock, step->previous - 1);
    if (step->waker > 0)
        join(reducer, clock, step->waker - 1);
    for (uint32_t i = 0; step->is_barrier && i < index; i++)
        clock[reducer->steps[i].process] = i + 1;
    memcpy(race_clock, clock, bytes);
    if (step->granter > 0)
        join(reducer, clock, step->granter - 1);
    for (uint32_t i = index; i-- > 0;) {
        if (is_in(reducer, i, race_clock) ||
            !sct_footprints_depend(&reducer->steps[i].print, &step->print))
            continue;
        join(reducer, clock, i);
        if (!is_reversible(reducer, i, step))
            continue;
        join(reducer, race_clock, i);
        reducer->races[race_count++] = i;
    }
    for (uint32_t i = 0; i < race_count; i++)
        add_backtrack(reducer, reducer->races[i], index, step, clock);
    clock[step->process] = index + 1;
}

// Tasks that wait for a lock or the like at the end: had they come earlier, they might have it.
static void analyse_waiting(struct sct_reducer *reducer, const struct sct_engine *engine) {
    make_room_for_step(reducer);
    for (uint64_t left = engine->alive & ~engine->enabled; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        struct step step = {
            .process = reducer->processes[slot],
            .previous = reducer->last_steps[slot],
            .waker = reducer->wakers[slot],
            .granter = reducer->granters[slot],
            .slot = (uint8_t)slot,
        };
        if (engine->tasks[slot]->own.waiting)
            sct_footprint_add(&step.print, engine->accesses[slot]);
        if (step.print.count > 0) // parked tasks cannot come earlier: they must be woken
            analyse(reducer, reducer->step_count, &step, clock_of(reducer, reducer->step_count));
    }
}

static void expand_all(struct sct_reducer *reducer) {
    const struct sct_path *path = reducer->sleep.path;
    for (uint32_t i = 0; i < path->depth; i++)
        if (path->frames[i].kind == SCT_FRAME_SCHEDULE)
            reducer->sleep.nodes[i].todo = reducer->sleep.nodes[i].enabled;
}

void sct_reducer_end(struct sct_reducer *reducer, const struct sct_engine *engine) {
    enum sct_outcome outcome = engine->result.outcome;
    sct_reducer_close(reducer);
    if (!has_races(reducer) || outcome == SCT_DIVERGED)
        return;
    for (uint32_t i = 0; i < reducer->step_count; i++)
        if (reducer->steps[i].end_position >= reducer->known)
            analyse(reducer, i, &reducer->steps[i], clock_of(reducer, i));
    if (outcome != SCT_PRUNED && engine->enabled != 0)
        expand_all(reducer);
    else
        analyse_waiting(reducer, engine);
    if (reducer->has_stopped)
        expand_all(reducer);
}

// ---- Reducers ----------------------------------------------------------------------------------

struct sct_sleep *sct_reducer_sleep(struct sct_reducer *reducer) {
    return &reducer->sleep;
}

bool sct_reducer_keeps_states(const struct sct_reducer *reducer) {
    return !has_races(reducer);
}

struct sct_reducer *sct_reducer_new(enum sct_reduction reduction, struct sct_path *path) {
    ASSERT(reduction != SCT_REDUCE_NONE);
    ASSERT(reduction == SCT_REDUCE_SLEEP || !path->on_pop); // no cache
    struct sct_reducer *reducer = calloc(1, sizeof *reducer);
    if (!reducer)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: the reduction");
    reducer->reduction = reduction;
    reducer->running = NONE;
    sct_sleep_init(&reducer->sleep, path);
    if (has_races(reducer)) {
        widen(reducer);
        make_room_for_step(reducer);
    }
    return reducer;
}

void sct_reducer_free(struct sct_reducer *reducer) {
    if (!reducer)
        return;
    sct_sleep_deinit(&reducer->sleep);
    free(reducer->steps);
    free(reducer->clocks);
    free(reducer->race_clock);
    free(reducer->races);
    free(reducer->firsts);
    free(reducer->signatures);
    free(reducer);
}

void sct_engine_reduce(struct sct_engine *engine, struct sct_reducer *reducer) {
    ASSERT(!engine->self);
    engine->reducer = reducer;
    if (!reducer)
        return;
    sct_sleep_begin(&reducer->sleep);
    reducer->step_count = 0;
    reducer->running = NONE;
    reducer->known = reducer->sleep.path->depth;
    reducer->is_barrier_next = reducer->has_stopped = false;
}
