// Source sets (Abdulla, Aronis, Jonsson, Sagonas: Source Sets, JACM 2017), with the races of a
// whole execution looked at when it has ended: a step's footprint is complete only then.
#include "core/search/dpor.h"
#include "core/base/grow.h"
#include "core/engine/state.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX // more than an enumerator holds

enum { FIRST_PROCESSES = 32 };

// A step of the present execution. References to other steps are their numbers plus one; 0: none.
struct step {
    uint64_t enabled;      // before it
    uint32_t node;         // the frame of the decision that it began with, or NONE
    uint32_t process;      // whose it is
    uint32_t previous;     // of the same process
    uint32_t waker;        // without which it could not be: who started or woke its task
    uint32_t granter;      // who enabled it last; perhaps it was enabled before, too
    uint32_t end_position; // of the path
    uint32_t source;       // whose store it has read
    bool needs_source;     // or it had not stored
    uint64_t time;         // of the memory, when it began
    uint8_t slot;
    bool is_barrier; // everything before it happens before it
    struct sct_footprint print;
};

struct sct_dpor {
    struct sct_sleep *sleep;
    struct sct_memory *memory; // of the program; NULL: none
    struct step *steps;
    uint32_t step_capacity;
    uint32_t *clocks; // per step: for each process its last step that happened before, plus one
    uint32_t *race_clock, *unread_clock;
    uint32_t *races;      // steps that race with the one looked at
    uint32_t *firsts;     // per process: its first step in a sequence, or NONE
    uint64_t *signatures; // of the processes: tasks, the same in all executions
    uint32_t process_count, process_capacity, process_guess;
    uint32_t known; // frames of the path that the running execution began with
    struct sct_dpor_moment now;
};

// ---- Memory ------------------------------------------------------------------------------------

static const char memory_name[] = "the reduction";

static void make_room_for_step(struct sct_dpor *dpor) {
    if (dpor->now.step_count < dpor->step_capacity)
        return;
    GROW(dpor->steps, dpor->now.step_count + 1, dpor->step_capacity, memory_name);
    uint32_t capacity = dpor->step_capacity;
    // One clock of all processes for each step: the two grow in both directions, widen() the other.
    dpor->races = grow_to(dpor->races, capacity, sizeof *dpor->races, memory_name);
    dpor->clocks = grow_to(dpor->clocks, (size_t)capacity * dpor->process_capacity,
                           sizeof *dpor->clocks, memory_name);
}

// More columns for the clocks; those of known steps keep their contents.
static void widen(struct sct_dpor *dpor) {
    uint32_t old = dpor->process_capacity, new = old ? 2 * old : FIRST_PROCESSES;
    ASSERT(dpor->process_count == old);
    uint32_t *clocks = grow_new((size_t)dpor->step_capacity * new, sizeof *clocks, memory_name);
    for (size_t i = 0; old > 0 && i < dpor->step_capacity; i++)
        memcpy(clocks + i * new, dpor->clocks + i * old, old * sizeof *clocks);
    free(dpor->clocks);
    dpor->clocks = clocks;
    dpor->signatures = grow_to(dpor->signatures, new, sizeof *dpor->signatures, memory_name);
    dpor->race_clock = grow_to(dpor->race_clock, new, sizeof *dpor->race_clock, memory_name);
    dpor->unread_clock = grow_to(dpor->unread_clock, new, sizeof *dpor->unread_clock, memory_name);
    dpor->firsts = grow_to(dpor->firsts, new, sizeof *dpor->firsts, memory_name);
    dpor->process_capacity = new;
}

void sct_dpor_break(struct sct_dpor *dpor) {
    uint32_t frame = dpor->sleep->now.node;
    if (frame != SCT_NO_FRAME)
        dpor->sleep->nodes[frame].todo = dpor->sleep->nodes[frame].enabled;
}

// Executions start their tasks in similar orders: mostly the guess is right.
static uint32_t find_process(struct sct_dpor *dpor, uint64_t signature) {
    for (uint32_t i = 0; i < dpor->process_count; i++) {
        uint32_t process = (dpor->process_guess + i) % dpor->process_count;
        if (dpor->signatures[process] == signature) {
            dpor->process_guess = process + 1;
            return process;
        }
    }
    if (dpor->process_count == dpor->process_capacity)
        widen(dpor);
    ASSERT(dpor->process_count < dpor->process_capacity);
    dpor->signatures[dpor->process_count] = signature;
    return dpor->process_count++;
}

// ---- What the engine tells ---------------------------------------------------------------------

// NONE + 1 is 0.
void sct_dpor_start(struct sct_dpor *dpor, unsigned slot, uint64_t signature) {
    ASSERT(slot < SCT_REDUCED_TASKS_MAX);
    dpor->now.slots[slot].process = find_process(dpor, signature);
    dpor->now.slots[slot].last_step = dpor->now.slots[slot].granter = 0;
    dpor->now.slots[slot].waker = dpor->now.running + 1;
}

// To be woken and to be granted differ: who is woken was parked and could not have come before,
// who is granted might have been enabled already, so that its step can still come earlier.
void sct_dpor_wake(struct sct_dpor *dpor, unsigned slot) {
    ASSERT(slot < SCT_REDUCED_TASKS_MAX);
    dpor->now.slots[slot].waker = dpor->now.running + 1;
}

void sct_dpor_grant(struct sct_dpor *dpor, unsigned slot) {
    ASSERT(slot < SCT_REDUCED_TASKS_MAX);
    dpor->now.slots[slot].granter = dpor->now.running + 1;
}

// Time passes only where nothing can run, which every step before has brought about.
void sct_dpor_time_passes(struct sct_dpor *dpor) {
    dpor->now.is_barrier_next = true;
}

void sct_dpor_stop(struct sct_dpor *dpor) {
    dpor->now.has_stopped = true;
}

// ---- Steps -------------------------------------------------------------------------------------

// Whose the store of [time] is: the last step that had begun when it was made. Plus one; 0: none.
static uint32_t find_source(const struct sct_dpor *dpor, uint64_t time) {
    uint32_t low = 0, high = dpor->now.step_count;
    while (low < high) { // steps[low - 1].time <= time < steps[high].time
        uint32_t middle = low + (high - low) / 2;
        if (dpor->steps[middle].time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Of arrivals in one execution only that of the last one depends on the others: whoever came late,
// and is not the last, could change places with any of those before it.
static void forget_lateness(struct sct_footprint *print) {
    for (uint32_t i = 0; i < print->count; i++)
        if (print->accesses[i].mode == SCT_ACCESS_ARRIVE_LATE)
            print->accesses[i].mode = SCT_ACCESS_ARRIVE;
}

void sct_dpor_close(struct sct_dpor *dpor) {
    if (dpor->now.running == NONE)
        return;
    ASSERT(dpor->now.running < dpor->now.step_count);
    struct step *step = &dpor->steps[dpor->now.running];
    step->print = dpor->sleep->now.print;
    forget_lateness(&step->print);
    if (dpor->memory) {
        step->source = find_source(dpor, dpor->memory->source(dpor->memory));
        step->needs_source = dpor->memory->needs_source(dpor->memory);
    }
    step->end_position = dpor->sleep->path->position;
    ASSERT(step->node == NONE || step->node < step->end_position);
    dpor->now.running = NONE;
}

void sct_dpor_point(struct sct_dpor *dpor, const struct sct_engine *engine) {
    const struct sct_path *path = dpor->sleep->path;
    if (!sct_path_is_new(path) || sct_slots_count(&engine->now.enabled) < 2)
        return;
    struct sct_sleep_node *node = &dpor->sleep->nodes[path->position];
    ASSERT(node->enabled >> node->slot & 1);
    node->todo = UINT64_C(1) << node->slot; // until a race asks for more
}

void sct_dpor_open(struct sct_dpor *dpor, const struct sct_engine *engine, unsigned slot) {
    ASSERT(dpor->now.running == NONE && slot < SCT_REDUCED_TASKS_MAX);
    ASSERT(dpor->now.slots[slot].process < dpor->process_count);
    make_room_for_step(dpor);
    dpor->steps[dpor->now.step_count] = (struct step){
        .enabled = engine->now.enabled.words[0],
        .node = dpor->sleep->now.node,
        .process = dpor->now.slots[slot].process,
        .previous = dpor->now.slots[slot].last_step,
        .waker = dpor->now.slots[slot].waker,
        .granter = dpor->now.slots[slot].granter,
        .slot = (uint8_t)slot,
        .is_barrier = dpor->now.is_barrier_next,
        .time = dpor->memory ? dpor->memory->time(dpor->memory) : 0,
    };
    dpor->now.is_barrier_next = false;
    dpor->now.slots[slot].waker = dpor->now.slots[slot].granter = 0;
    dpor->now.running = dpor->now.step_count++;
    dpor->now.slots[slot].last_step = dpor->now.step_count;
}

// ---- Races -------------------------------------------------------------------------------------

static uint32_t *clock_of(const struct sct_dpor *dpor, uint32_t step) {
    return dpor->clocks + (size_t)step * dpor->process_capacity;
}

static void join(const struct sct_dpor *dpor, uint32_t *clock, uint32_t step) {
    const uint32_t *other = clock_of(dpor, step);
    for (uint32_t i = 0; i < dpor->process_count; i++)
        if (clock[i] < other[i])
            clock[i] = other[i];
}

static bool is_in(const struct sct_dpor *dpor, uint32_t step, const uint32_t *clock) {
    return clock[dpor->steps[step].process] > step;
}

// Whether [step] could have come before [earlier]: if its task was not yet there, woken or granted
// its turn, by something that does not itself need the earlier one, it might have been.
static bool is_reversible(const struct sct_dpor *dpor, uint32_t earlier, const struct step *step) {
    uint32_t after = earlier + 1;
    if (step->previous > after || step->waker > after)
        return true;
    if (step->granter > after && !is_in(dpor, earlier, clock_of(dpor, step->granter - 1)))
        return true;
    return dpor->steps[earlier].enabled >> step->slot & 1;
}

// Whether a step with that [clock] comes after one of the sequence so far: of each process only the
// first has to be asked, the others come after it.
static bool has_predecessor(const struct sct_dpor *dpor, const uint32_t *clock) {
    for (uint32_t i = 0; i < dpor->process_count; i++)
        if (clock[i] > dpor->firsts[i])
            return true;
    return false;
}

// Whether step [i] is part of v below.
static bool comes_along(const struct sct_dpor *dpor, uint32_t earlier, uint32_t i,
                        const uint32_t *clock) {
    if (is_in(dpor, earlier, clock_of(dpor, i)))
        return false;
    return !dpor->memory || is_in(dpor, i, clock);
}

// The slots of the initials of v: of the steps after [earlier] that do not happen after it, and
// [step] (at [index], with [clock]), those before which no other has to come. With a memory, of
// those steps only the ones that happen before [step]: the others may read something else.
static uint64_t initials(struct sct_dpor *dpor, uint32_t earlier, uint32_t index,
                         const struct step *step, const uint32_t *clock) {
    uint64_t slots = 0;
    ASSERT(earlier < index && index <= dpor->now.step_count);
    for (uint32_t i = 0; i < dpor->process_count; i++)
        dpor->firsts[i] = NONE;
    for (uint32_t i = earlier + 1; i < index; i++) {
        const struct step *between = &dpor->steps[i];
        const uint32_t *its_clock = clock_of(dpor, i);
        if (!comes_along(dpor, earlier, i, clock))
            continue;
        if (!has_predecessor(dpor, its_clock))
            slots |= UINT64_C(1) << between->slot;
        if (dpor->firsts[between->process] == NONE)
            dpor->firsts[between->process] = i;
    }
    if (!has_predecessor(dpor, clock))
        slots |= UINT64_C(1) << step->slot;
    return slots;
}

// Asks for an execution in which [step] comes before [earlier], unless one is asked for already.
static void add_backtrack(struct sct_dpor *dpor, uint32_t earlier, uint32_t index,
                          const struct step *step, const uint32_t *clock) {
    uint32_t frame = dpor->steps[earlier].node;
    if (frame == NONE)
        return; // nobody else could run
    struct sct_sleep_node *node = &dpor->sleep->nodes[frame];
    // Any one initial is enough (that is the source set). One that is asked for already will do, so
    // is one that was tried and sleeps. If none of them could run there, all others are asked for.
    uint64_t slots = initials(dpor, earlier, index, step, clock) & node->enabled;
    if (slots == 0)
        node->todo |= node->enabled;
    else if (!(slots & node->todo))
        node->todo |= slots & -slots;
}

// Whether [step] has read something that comes after [earlier], which then cannot read of it; had
// it read something else, that would be another race. What [earlier] has stored itself it may have
// read only because that came first: two read-modify-writes that both want the same store. Not a
// compare-exchange which expects a value that nobody else has stored: before [earlier] it fails.
static bool comes_from(const struct sct_dpor *dpor, uint32_t earlier, const struct step *step) {
    if (step->source == earlier + 1)
        return step->needs_source;
    return step->source > 0 && is_in(dpor, earlier, clock_of(dpor, step->source - 1));
}

// Finds the clock of [step], which is taken at [index] or would be, and the races that it is in:
// with the last steps that it depends on, where they can be reversed.
static void analyse(struct sct_dpor *dpor, uint32_t index, const struct step *step,
                    uint32_t *clock) {
    uint32_t *race_clock = dpor->race_clock, race_count = 0;
    size_t bytes = dpor->process_count * sizeof *clock;
    memset(clock, 0, dpor->process_capacity * sizeof *clock);
    if (step->previous > 0)
        join(dpor, clock, step->previous - 1);
    if (step->waker > 0)
        join(dpor, clock, step->waker - 1);
    for (uint32_t i = 0; step->is_barrier && i < index; i++)
        clock[dpor->steps[i].process] = i + 1;
    // What grants the step its turn comes before it, but the order of the two may be a race of its
    // own: the clock that races are judged by does without the granter.
    memcpy(race_clock, clock, bytes);
    if (step->granter > 0)
        join(dpor, clock, step->granter - 1);
    // From the last step back: one that happens before a racing step races no more.
    for (uint32_t i = index; i-- > 0;) {
        enum sct_dependence dependence =
            is_in(dpor, i, race_clock) ? SCT_INDEPENDENT
                                       : sct_footprint_after(&dpor->steps[i].print, &step->print);
        if (dependence == SCT_READS_IT && comes_from(dpor, i, step))
            continue;
        if (dependence == SCT_DEPENDENT)
            join(dpor, clock, i);
        if (dependence == SCT_INDEPENDENT || !is_reversible(dpor, i, step))
            continue;
        if (dependence == SCT_DEPENDENT)
            join(dpor, race_clock, i);
        dpor->races[race_count++] = i;
    }
    ASSERT(race_count <= index);
    memcpy(dpor->unread_clock, clock, bytes);
    if (step->source > 0)
        join(dpor, clock, step->source - 1);
    for (uint32_t i = 0; i < race_count; i++) {
        bool is_source = dpor->races[i] + 1 == step->source;
        add_backtrack(dpor, dpor->races[i], index, step, is_source ? dpor->unread_clock : clock);
    }
    clock[step->process] = index + 1;
}

// Tasks that wait for a lock or the like at the end: had they come earlier, they might have it.
static void analyse_waiting(struct sct_dpor *dpor, const struct sct_engine *engine) {
    make_room_for_step(dpor);
    uint64_t waiting = engine->now.alive.words[0] & ~engine->now.enabled.words[0];
    for (uint64_t left = waiting; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        struct step step = {
            .process = dpor->now.slots[slot].process,
            .previous = dpor->now.slots[slot].last_step,
            .waker = dpor->now.slots[slot].waker,
            .granter = dpor->now.slots[slot].granter,
            .slot = (uint8_t)slot,
        };
        if (engine->seats[slot].task->own.waiting)
            sct_footprint_add(&step.print, engine->slots[slot].access);
        if (step.print.count > 0) // parked tasks cannot come earlier: they must be woken
            analyse(dpor, dpor->now.step_count, &step, clock_of(dpor, dpor->now.step_count));
    }
}

static void expand_all(struct sct_dpor *dpor) {
    const struct sct_path *path = dpor->sleep->path;
    for (uint32_t i = 0; i < path->depth; i++)
        if (path->frames[i].kind == SCT_FRAME_SCHEDULE)
            dpor->sleep->nodes[i].todo = dpor->sleep->nodes[i].enabled;
}

// Whether a task could have gone on; not the one that has ended the program (sct_end).
static bool has_more_to_do(const struct sct_dpor *dpor, const struct sct_engine *engine) {
    uint64_t enabled = engine->now.enabled.words[0]; // SCT_REDUCED_TASKS_MAX
    if (engine->result.outcome == SCT_PASSED && dpor->now.step_count > 0)
        enabled &= ~(UINT64_C(1) << dpor->steps[dpor->now.step_count - 1].slot);
    return enabled != 0;
}

void sct_dpor_end(struct sct_dpor *dpor, const struct sct_engine *engine) {
    enum sct_outcome outcome = engine->result.outcome;
    if (outcome == SCT_DIVERGED)
        return;
    ASSERT(dpor->now.running == NONE);
    // The steps of the prefix that this execution shares with the one before were looked at then;
    // their clocks are still there.
    for (uint32_t i = 0; i < dpor->now.step_count; i++)
        if (dpor->steps[i].end_position >= dpor->known)
            analyse(dpor, i, &dpor->steps[i], clock_of(dpor, i));
    // An execution that was ended with tasks to run (violated, cut off) hides the races of what
    // they would have done: nothing may be left out on its path. So may not where a machine was
    // stopped.
    if (outcome != SCT_PRUNED && has_more_to_do(dpor, engine))
        expand_all(dpor);
    else
        analyse_waiting(dpor, engine);
    if (dpor->now.has_stopped)
        expand_all(dpor);
}

// ---- Life --------------------------------------------------------------------------------------

struct sct_dpor *sct_dpor_new(struct sct_sleep *sleep, struct sct_memory *memory) {
    ASSERT(!sleep->path->on_pop); // no cache
    ASSERT(sleep->path->on_turn); // it takes turns, and is told here which
    struct sct_dpor *dpor = grow_new(1, sizeof *dpor, memory_name);
    dpor->sleep = sleep;
    dpor->memory = memory;
    dpor->now.running = NONE;
    widen(dpor);
    make_room_for_step(dpor);
    return dpor;
}

void sct_dpor_free(struct sct_dpor *dpor) {
    if (!dpor)
        return;
    free(dpor->steps);
    free(dpor->clocks);
    free(dpor->race_clock);
    free(dpor->unread_clock);
    free(dpor->races);
    free(dpor->firsts);
    free(dpor->signatures);
    free(dpor);
}

struct sct_dpor_moment *sct_dpor_moment(struct sct_dpor *dpor) {
    return &dpor->now;
}

void sct_dpor_begin(struct sct_dpor *dpor) {
    ASSERT(dpor->sleep->now.node == SCT_NO_FRAME); // the sleep sets have begun
    dpor->now.step_count = 0;
    dpor->now.running = NONE;
    dpor->known = dpor->sleep->path->depth; // what was there before it: looked at already
    dpor->now.is_barrier_next = dpor->now.has_stopped = false;
}
