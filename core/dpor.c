#include "core/dpor.h"
#include "core/internal.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX // more than an enumerator holds

enum { TOUCHES_MAX = 8, FIRST_PROCESSES = 32 };

// What a step touches, or several steps in place of each other.
struct footprint {
    struct sct_access accesses[TOUCHES_MAX];
    uint32_t count;
    bool is_unknown;  // anything
    bool has_stopped; // a machine: even steps that touch nothing may be lost
};

// A step of the present execution. References to other steps are their numbers plus one; 0: none.
struct step {
    struct footprint print;
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

// A scheduling decision on the path; at the index of its frame.
struct node {
    uint64_t enabled, backtrack;
    unsigned current;
    unsigned slot;               // that it takes now
    uint32_t first, count;       // who sleeps here, in the stack of sleepers
    struct footprint slot_print; // of its step, over all values tried so far
};

struct sleeper {
    unsigned slot;
    struct footprint print;
};

struct sct_reducer {
    enum sct_reduction reduction;
    struct sct_path *path;
    struct step *steps;
    uint32_t step_count, step_capacity;
    struct node *nodes;
    uint32_t node_capacity;
    struct sleeper *sleepers; // of all nodes on the path, one after the other
    uint32_t sleeper_capacity;
    struct sleeper asleep[SCT_TASKS_MAX]; // at the present point
    uint32_t asleep_count;
    uint32_t *clocks; // per step: for each process its last step that happened before, plus one
    uint32_t *race_clock;
    uint32_t *races;      // steps that race with the one looked at
    uint32_t *firsts;     // per process: its first step in a sequence, or NONE
    uint64_t *signatures; // of the processes: tasks, the same in all executions
    uint32_t process_count, process_capacity, process_guess;
    // Of the running execution.
    uint32_t running;   // the step, or NONE
    uint32_t last_node; // the frame of the last decision, or NONE
    uint32_t known;     // frames of the path that it began with
    uint32_t processes[SCT_TASKS_MAX], last_steps[SCT_TASKS_MAX];
    uint32_t wakers[SCT_TASKS_MAX], granters[SCT_TASKS_MAX];
    bool is_barrier_next, has_stopped;
    const bool *is_unfinished; // see sct_touch_while
};

// ---- Footprints --------------------------------------------------------------------------------

static bool is_same(const struct sct_access *a, const struct sct_access *b) {
    return a->mode == b->mode && a->object == b->object && a->low == b->low && a->high == b->high;
}

static void add_access(struct footprint *print, const struct sct_access *access) {
    if (access->mode == SCT_ACCESS_NONE || print->is_unknown)
        return;
    for (uint32_t i = 0; i < print->count; i++)
        if (is_same(&print->accesses[i], access))
            return;
    if (access->mode == SCT_ACCESS_UNKNOWN || print->count == TOUCHES_MAX)
        print->is_unknown = true;
    else
        print->accesses[print->count++] = *access;
}

static void add_print(struct footprint *print, const struct footprint *other) {
    print->is_unknown = print->is_unknown || other->is_unknown;
    print->has_stopped = print->has_stopped || other->has_stopped;
    for (uint32_t i = 0; i < other->count; i++)
        add_access(print, &other->accesses[i]);
}

static bool depend(const struct footprint *a, const struct footprint *b) {
    if (a->has_stopped || b->has_stopped)
        return true;
    if (a->is_unknown)
        return b->is_unknown || b->count > 0;
    if (b->is_unknown)
        return a->count > 0;
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (sct_accesses_race(&a->accesses[i], &b->accesses[k]))
                return true;
    return false;
}

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

static struct node *node_at(struct sct_reducer *reducer, uint32_t index) {
    while (index >= reducer->node_capacity) {
        reducer->node_capacity = twice(reducer->node_capacity);
        reducer->nodes = grow(reducer->nodes, reducer->node_capacity, sizeof *reducer->nodes);
    }
    return &reducer->nodes[index];
}

static void push_sleeper(struct sct_reducer *reducer, struct node *node,
                         const struct sleeper *sleeper) {
    uint32_t index = node->first + node->count++;
    if (index >= reducer->sleeper_capacity) {
        reducer->sleeper_capacity = twice(reducer->sleeper_capacity);
        reducer->sleepers =
            grow(reducer->sleepers, reducer->sleeper_capacity, sizeof *reducer->sleepers);
    }
    reducer->sleepers[index] = *sleeper;
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

void sct_reducer_touch(struct sct_reducer *reducer, const struct sct_access *access) {
    if (reducer->running != NONE)
        add_access(&reducer->steps[reducer->running].print, access);
}

void sct_reducer_touch_while(struct sct_reducer *reducer, const bool *is_unfinished) {
    reducer->is_unfinished = is_unfinished;
}

// NONE + 1 is 0.
void sct_reducer_task(struct sct_reducer *reducer, unsigned slot, uint64_t signature) {
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
    if (reducer->running != NONE)
        reducer->steps[reducer->running].print.has_stopped = true;
}

// ---- Steps -------------------------------------------------------------------------------------

static void add_unfinished(const struct sct_reducer *reducer, struct step *step) {
    if (reducer->is_unfinished && *reducer->is_unfinished)
        add_access(&step->print, &sct_access_unknown);
}

// The running step is over: those who slept and depend on it wake up.
static void close_step(struct sct_reducer *reducer) {
    if (reducer->running == NONE)
        return;
    struct step *step = &reducer->steps[reducer->running];
    reducer->running = NONE;
    add_unfinished(reducer, step);
    step->end_position = reducer->path->position;
    if (step->node != NONE)
        add_print(&reducer->nodes[step->node].slot_print, &step->print);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reducer->asleep_count; i++)
        if (!depend(&reducer->asleep[i].print, &step->print))
            reducer->asleep[kept++] = reducer->asleep[i];
    reducer->asleep_count = reducer->is_barrier_next ? 0 : kept;
}

static void open_step(struct sct_reducer *reducer, const struct sct_engine *engine, unsigned slot,
                      uint32_t node) {
    make_room_for_step(reducer);
    struct step *step = &reducer->steps[reducer->step_count];
    *step = (struct step){
        .enabled = engine->enabled,
        .node = node,
        .process = reducer->processes[slot],
        .previous = reducer->last_steps[slot],
        .waker = reducer->wakers[slot],
        .granter = reducer->granters[slot],
        .slot = (uint8_t)slot,
        .is_barrier = reducer->is_barrier_next,
    };
    add_access(&step->print, engine->accesses[slot]);
    add_unfinished(reducer, step);
    reducer->is_barrier_next = false;
    reducer->wakers[slot] = reducer->granters[slot] = 0;
    reducer->running = reducer->step_count++;
    reducer->last_steps[slot] = reducer->step_count;
}

static uint64_t sleeping(const struct sleeper *sleepers, uint32_t count) {
    uint64_t slots = 0;
    for (uint32_t i = 0; i < count; i++)
        slots |= UINT64_C(1) << sleepers[i].slot;
    return slots;
}

static struct sct_schedule_point point_of(const struct node *node) {
    return (struct sct_schedule_point){
        .enabled = node->enabled, .count = sct_count_bits(node->enabled), .current = node->current};
}

// The first of [slots], in the order of the node's alternatives.
static uint32_t first_of(const struct node *node, uint64_t slots) {
    const struct sct_schedule_point point = point_of(node);
    uint32_t alternative = 0;
    while (!(slots >> sct_alternative_slot(&point, alternative) & 1))
        alternative++;
    return alternative;
}

static void add_node(struct sct_reducer *reducer, const struct sct_engine *engine, uint64_t awake) {
    uint32_t index = reducer->path->position;
    struct node *node = node_at(reducer, index);
    const struct node *last =
        reducer->last_node == NONE ? NULL : &reducer->nodes[reducer->last_node];
    *node = (struct node){.enabled = engine->enabled,
                          .current = engine->last_slot,
                          .first = last ? last->first + last->count : 0};
    for (uint32_t i = 0; i < reducer->asleep_count; i++)
        push_sleeper(reducer, node, &reducer->asleep[i]);
    const struct sct_schedule_point point = point_of(node);
    reducer->path->first_answer = first_of(node, awake);
    node->slot = sct_alternative_slot(&point, reducer->path->first_answer);
    node->backtrack =
        reducer->reduction == SCT_REDUCE_SLEEP ? engine->enabled : UINT64_C(1) << node->slot;
}

// On the part of the path that is known the node says who sleeps.
static unsigned decide(struct sct_reducer *reducer, struct sct_engine *engine, uint64_t awake) {
    struct sct_path *path = reducer->path;
    if (sct_path_is_new(path))
        add_node(reducer, engine, awake);
    const struct node *node = &reducer->nodes[path->position];
    if (node->enabled != engine->enabled)
        sct_leave(engine, SCT_DIVERGED);
    reducer->last_node = path->position;
    reducer->asleep_count = node->count;
    if (node->count > 0)
        memcpy(reducer->asleep, &reducer->sleepers[node->first],
               node->count * sizeof *reducer->asleep);
    return node->slot;
}

void sct_reducer_point(struct sct_engine *engine) {
    struct sct_reducer *reducer = engine->reducer;
    close_step(reducer);
    uint64_t enabled = engine->enabled;
    bool is_decision = enabled & (enabled - 1);
    bool is_known = is_decision && !sct_path_is_new(reducer->path);
    uint64_t awake = enabled & ~sleeping(reducer->asleep, reducer->asleep_count);
    if (awake == 0 && !is_known)
        sct_leave(engine, SCT_PRUNED);
    uint32_t node = is_decision ? reducer->path->position : NONE;
    unsigned slot =
        is_decision ? decide(reducer, engine, awake) : (unsigned)__builtin_ctzll(enabled);
    open_step(reducer, engine, slot, node);
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
    struct node *node = &reducer->nodes[frame];
    uint64_t slots = initials(reducer, earlier, index, step, clock) & node->enabled;
    if (slots == 0)
        node->backtrack |= node->enabled;
    else if (!(slots & node->backtrack))
        node->backtrack |= slots & -slots;
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
        if (is_in(reducer, i, race_clock) || !depend(&reducer->steps[i].print, &step->print))
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
            add_access(&step.print, engine->accesses[slot]);
        if (step.print.count > 0) // parked tasks cannot come earlier: they must be woken
            analyse(reducer, reducer->step_count, &step, clock_of(reducer, reducer->step_count));
    }
}

static void expand_all(struct sct_reducer *reducer) {
    const struct sct_path *path = reducer->path;
    for (uint32_t i = 0; i < path->depth; i++)
        if (path->frames[i].kind == SCT_FRAME_SCHEDULE)
            reducer->nodes[i].backtrack = reducer->nodes[i].enabled;
}

void sct_reducer_end(struct sct_reducer *reducer, const struct sct_engine *engine) {
    enum sct_outcome outcome = engine->result.outcome;
    close_step(reducer);
    if (reducer->reduction != SCT_REDUCE_DPOR || outcome == SCT_DIVERGED)
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

// ---- The search --------------------------------------------------------------------------------

// What the decision took until now is searched: it sleeps, and the next that is asked for is taken.
static bool on_turn(void *context, uint32_t index, struct sct_path_frame *frame) {
    struct sct_reducer *reducer = context;
    struct node *node = &reducer->nodes[index];
    struct sleeper sleeper = {node->slot, node->slot_print};
    push_sleeper(reducer, node, &sleeper);
    uint64_t left = node->backtrack & ~sleeping(&reducer->sleepers[node->first], node->count);
    if (left == 0)
        return false;
    const struct sct_schedule_point point = point_of(node);
    frame->answer = (uint16_t)first_of(node, left);
    node->slot = sct_alternative_slot(&point, frame->answer);
    node->slot_print = (struct footprint){.count = 0};
    return true;
}

struct sct_reducer *sct_reducer_new(enum sct_reduction reduction, struct sct_path *path) {
    ASSERT(reduction != SCT_REDUCE_NONE);
    ASSERT(path->depth == 0 && path->bound_kind == SCT_BOUND_NONE && !path->on_pop);
    struct sct_reducer *reducer = calloc(1, sizeof *reducer);
    if (!reducer)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: the reduction");
    reducer->reduction = reduction;
    reducer->path = path;
    reducer->running = NONE;
    widen(reducer);
    make_room_for_step(reducer);
    path->on_turn = on_turn;
    path->context = reducer;
    return reducer;
}

void sct_reducer_free(struct sct_reducer *reducer) {
    if (!reducer)
        return;
    reducer->path->on_turn = NULL;
    free(reducer->steps);
    free(reducer->nodes);
    free(reducer->sleepers);
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
    reducer->step_count = reducer->asleep_count = 0;
    reducer->running = reducer->last_node = NONE;
    reducer->known = reducer->path->depth;
    reducer->is_barrier_next = reducer->has_stopped = false;
    reducer->is_unfinished = NULL;
}
