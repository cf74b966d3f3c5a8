#include "core/search/sleep.h"
#include "core/base/grow.h"
#include "core/base/rng.h"
#include "core/search/shared_states.h"
#include "core/engine/state.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// ---- Memory ------------------------------------------------------------------------------------

static const char memory_name[] = "sleep sets";

struct sct_sleep_node *sct_sleep_node(struct sct_sleep *sleep, uint32_t index) {
    GROW(sleep->nodes, index + 1, sleep->node_capacity, memory_name);
    ASSERT(index < sleep->node_capacity);
    return &sleep->nodes[index];
}

// A footprint has room for many accesses and most have few: what is behind the last is not copied.
static void copy_print(struct sct_footprint *to, const struct sct_footprint *from) {
    ASSERT(to != from && from->count <= SCT_TOUCHES_MAX);
    memcpy(to, from,
           offsetof(struct sct_footprint, accesses) + from->count * sizeof *from->accesses);
}

static void copy_sleeper(struct sct_sleeper *to, const struct sct_sleeper *from) {
    ASSERT(to != from && from->print.count <= SCT_TOUCHES_MAX);
    memcpy(to, from,
           offsetof(struct sct_sleeper, print.accesses) +
               from->print.count * sizeof *from->print.accesses);
}

struct sct_sleeper *sct_sleep_sleepers(struct sct_sleep *sleep, const struct sct_sleep_node *node,
                                       uint32_t count) {
    GROW(sleep->sleepers, node->first + node->count + count, sleep->sleeper_capacity, memory_name);
    return sleep->sleepers + node->first;
}

// ---- Who sleeps --------------------------------------------------------------------------------

static inline uint64_t bit(unsigned slot) {
    return UINT64_C(1) << slot;
}

// All of them: in a reduced search no task has a slot behind the first word.
static inline uint64_t enabled_now(const struct sct_engine *engine) {
    ASSERT(engine->now.enabled.last == 0);
    return engine->now.enabled.words[0];
}

// Of those who sleep, not half.
static uint64_t slots_of(const struct sct_sleeper *sleepers, uint32_t count) {
    uint64_t slots = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!sleepers[i].is_half_awake)
            slots |= bit(sleepers[i].slot);
    return slots;
}

// The sleeper of [slot], or NULL.
static struct sct_sleeper *find(struct sct_sleeper *sleepers, uint32_t count, unsigned slot) {
    for (uint32_t i = 0; i < count; i++)
        if (sleepers[i].slot == slot)
            return &sleepers[i];
    return NULL;
}

// Only [slots] sleep on.
static void keep(struct sct_sleep *sleep, uint64_t slots) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sleep->now.asleep_count; i++)
        if (slots >> sleep->asleep[i].slot & 1) {
            if (kept < i)
                copy_sleeper(&sleep->asleep[kept], &sleep->asleep[i]);
            kept++;
        }
    ASSERT(kept <= sleep->now.asleep_count);
    sleep->now.asleep_count = kept;
}

// ---- Steps -------------------------------------------------------------------------------------

void sct_sleep_begin(struct sct_sleep *sleep) {
    ASSERT(sleep->path);
    sleep->now = (struct sct_sleep_moment){.node = SCT_NO_FRAME, .last_node = SCT_NO_FRAME};
    sleep->wanted = UINT64_MAX;
    sleep->has_diverged = false;
}

void sct_sleep_touch(struct sct_sleep *sleep, const struct sct_access *access) {
    if (sleep->now.is_running)
        sct_footprint_add(&sleep->now.print, access);
}

// The step of [node] was not free: all are to be tried.
static void widen(struct sct_sleep_node *node) {
    if (node->free_steps > 0)
        node->todo = node->enabled;
}

bool sct_sleep_is_alone(const struct sct_sleep_node *node) {
    return node->free_steps > 0 && node->todo != node->enabled;
}

// Who is stopped had steps of its own to come, anywhere: whatever is ordered before this step and
// whatever after it can tell the difference.
// And it might have been so before its free steps.
void sct_sleep_stop(struct sct_sleep *sleep) {
    sleep->now.print.has_stopped = true;
    for (uint32_t i = 0; sleep->now.last_node != SCT_NO_FRAME && i <= sleep->now.last_node; i++) {
        struct sct_sleep_node *node = &sleep->nodes[i];
        if (sleep->path->frames[i].kind != SCT_FRAME_SCHEDULE)
            continue;
        sleep->has_late_stop |= node->is_given && sct_sleep_is_alone(node);
        widen(node);
    }
}

// A flag that is up while what several steps do belongs together: asked when the step begins and
// when it ends, because either end may lie within.
static void add_unfinished(struct sct_sleep_moment *now) {
    if (now->is_unfinished && *now->is_unfinished)
        sct_footprint_add(&now->print, &sct_access_unknown);
}

// After the running step, perhaps half.
static bool sleeps_on(const struct sct_sleep *sleep, struct sct_sleeper *sleeper) {
    const struct sct_footprint *step = &sleep->now.print;
    enum sct_dependence dependence = sct_footprint_after(&sleeper->print, step);
    if (dependence == SCT_READS_IT)
        sleeper->is_half_awake = true;
    return dependence != SCT_DEPENDENT;
}

void sct_sleep_break(struct sct_sleep *sleep) {
    ASSERT(sleep->now.node == SCT_NO_FRAME || sleep->now.node < sleep->node_capacity);
    if (sleep->now.node != SCT_NO_FRAME)
        widen(&sleep->nodes[sleep->now.node]);
}

// The running step is over, which [node] has taken.
static void add_to_node(struct sct_sleep *sleep, struct sct_sleep_node *node) {
    // The step may be taken again with other values: it sleeps with what any of them has touched.
    struct sct_footprint *print = &node->slot_print;
    uint32_t count = print->count;
    ASSERT(sleep->path->position > 0);
    bool was_unknown = print->is_unknown;
    sct_footprint_join(print, &sleep->now.print);
    if (!sct_footprint_is_empty(&sleep->now.print))
        widen(node);
    node->end = sleep->path->position;
    // Run before with the same values, perhaps by another process, it has touched the same: keys
    // that are addresses, say, are not the same everywhere.
    bool was_run = !sct_path_is_new(sleep->path);
    if (was_run && (print->count != count || print->is_unknown != was_unknown))
        sleep->has_diverged = true;
}

// Whether the running step has left nothing by which its task could be told from its twins: it has
// drawn nothing, and named at most what is numbered in order, by which nobody is told from another.
static bool is_without_trace(const struct sct_sleep *sleep) {
    const struct sct_footprint *print = &sleep->now.print;
    if (print->is_unknown || print->has_stopped || sleep->path->position != sleep->now.begin)
        return false;
    for (uint32_t i = 0; i < print->count; i++)
        if (print->accesses[i].object != SCT_ACCESS_NUMBERS)
            return false;
    return true;
}

void sct_sleep_close(struct sct_sleep *sleep) {
    struct sct_sleep_moment *now = &sleep->now;
    if (!now->is_running)
        return;
    now->is_running = false;
    add_unfinished(now);
    if (sleep->merges_twins && !is_without_trace(sleep))
        now->moved |= bit(now->slot);
    if (now->node != SCT_NO_FRAME)
        add_to_node(sleep, &sleep->nodes[now->node]);
    uint64_t slots = 0;
    for (uint32_t i = 0; i < now->asleep_count; i++)
        if (sleeps_on(sleep, &sleep->asleep[i]))
            slots |= bit(sleep->asleep[i].slot);
    ASSERT(now->asleep_count <= SCT_REDUCED_TASKS_MAX);
    keep(sleep, slots);
}

static unsigned slot_of(const struct sct_sleep_node *node, uint32_t alternative) {
    return sct_word_alternative_slot(node->enabled, node->current + node->gives_way, alternative);
}

// The first of [slots], in the order of the node's alternatives.
static uint32_t first_of(const struct sct_sleep_node *node, uint64_t slots) {
    uint32_t alternative = 0;
    ASSERT(slots & node->enabled); // or it would not end
    while (!(slots >> slot_of(node, alternative) & 1))
        alternative++;
    return alternative;
}

static void take(struct sct_sleep *sleep, struct sct_sleep_node *node, uint32_t alternative) {
    ASSERT(alternative < sct_count_bits(node->enabled));
    node->slot = slot_of(node, alternative);
    sct_footprint_clear(&node->slot_print);
    node->cuts = sleep->path->cuts; // to see later whether there was one below
    ASSERT(node->enabled & bit(node->slot));
}

// Of those who are [awake], the ones whose next step declares nothing.
static uint64_t find_free(const struct sct_engine *engine, uint64_t awake) {
    uint64_t free = 0;
    for (uint64_t left = awake; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        if (engine->slots[slot].access->mode == SCT_ACCESS_NONE)
            free |= bit(slot);
    }
    return free;
}

// Of those who are [awake], the ones whose next step has, or may have, the least to wait for: a
// load that comes after the stores that it may read needs no second try, and who is half awake may
// find that nothing is new.
static uint64_t find_eager(const struct sct_sleep *sleep, const struct sct_engine *engine,
                           uint64_t awake) {
    uint64_t loads = 0, updates = 0, half_awake = 0;
    for (uint64_t left = awake; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        enum sct_access_mode mode = engine->slots[slot].access->mode;
        loads |= mode == SCT_ACCESS_LOAD ? bit(slot) : 0;
        updates |= mode == SCT_ACCESS_UPDATE ? bit(slot) : 0;
    }
    for (uint32_t i = 0; i < sleep->now.asleep_count; i++)
        half_awake |= bit(sleep->asleep[i].slot); // those who sleep wholly are not awake
    uint64_t best = awake & ~half_awake ? awake & ~half_awake : awake;
    best = best & ~loads ? best & ~loads : best;
    return best & ~updates ? best & ~updates : best;
}

// Of those who are [awake], the ones with kin who have not begun.
static uint64_t find_unbegun(const struct sct_engine *engine, uint64_t awake) {
    uint64_t unbegun = 0;
    for (uint64_t left = awake; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        if (engine->seats[slot].kin > 0 && engine->slots[slot].steps == 0)
            unbegun |= bit(slot);
    }
    return unbegun;
}

// Who is as the task in [slot] is, now: of its kin, with as many steps, none of which has left a
// trace.
static uint64_t find_twins(const struct sct_sleep *sleep, const struct sct_engine *engine,
                           unsigned slot) {
    uint64_t twins = 0;
    uint32_t kin = engine->seats[slot].kin;
    if (kin == 0 || sleep->now.moved & bit(slot))
        return 0;
    for (uint64_t left = enabled_now(engine) & ~sleep->now.moved; left; left &= left - 1) {
        unsigned other = (unsigned)__builtin_ctzll(left);
        if (engine->seats[other].kin == kin &&
            engine->slots[other].steps == engine->slots[slot].steps)
            twins |= bit(other);
    }
    return twins & ~bit(slot);
}

static void add_node(struct sct_sleep *sleep, const struct sct_engine *engine, uint64_t awake,
                     uint64_t todo) {
    struct sct_path *path = sleep->path;
    struct sct_sleep_node *node = sct_sleep_node(sleep, path->position);
    const struct sct_sleep_node *last =
        sleep->now.last_node == SCT_NO_FRAME ? NULL : &sleep->nodes[sleep->now.last_node];
    ASSERT(awake && !(awake & ~enabled_now(engine)));
    // Nodes lie on the path like a stack, and so do their sleepers: those of this one begin where
    // those of the last end, and what had been behind them belonged to a branch that is left.
    node->enabled = enabled_now(engine);
    node->todo = todo;
    node->tried = 0;
    node->is_given = false;
    node->end = UINT32_MAX;
    node->current = engine->now.last_slot;
    node->gives_way = engine->now.gives_way;
    node->free_steps = 0;
    node->twins = 0;
    node->first = last ? last->first + last->count : 0;
    node->count = 0;
    // Stores from now on are newer than what a task that goes to sleep here could have read.
    node->time = sct_memory_now ? sct_memory_now->time(sct_memory_now) : 0;
    uint64_t eager = sleep->takes_loads_last ? find_eager(sleep, engine, awake) : awake;
    uint64_t unbegun = sleep->merges_twins ? find_unbegun(engine, awake) : 0;
    struct sct_sleeper *sleepers = sct_sleep_sleepers(sleep, node, sleep->now.asleep_count);
    for (uint32_t i = 0; i < sleep->now.asleep_count; i++)
        copy_sleeper(&sleepers[node->count++], &sleep->asleep[i]);
    sleep->now.asleep_count = 0; // they are the node's
    // A step that touches nothing commutes with all others: it goes first, alone, and nobody else
    // is tried here (a persistent set of one). Not for ever: a task that spins on free steps would
    // keep all others from running, which is why they are counted.
    uint32_t free_steps = last ? last->free_steps : 0;
    uint64_t free =
        sleep->takes_free_steps && free_steps < SCT_FREE_STEPS_MAX ? find_free(engine, awake) : 0;
    path->first_answer = first_of(node, free ? free : unbegun ? unbegun : eager);
    if (free) {
        node->free_steps = free_steps + 1;
        node->todo = bit(slot_of(node, path->first_answer));
    }
    take(sleep, node, path->first_answer);
}

void sct_sleep_point(struct sct_sleep *sleep, struct sct_engine *engine) {
    if (sleep->has_diverged)
        sct_leave(engine, SCT_DIVERGED);
    if (!sct_path_is_new(sleep->path))
        return; // the node says who sleeps, and somebody was awake
    uint64_t todo = enabled_now(engine) & sleep->wanted;
    sleep->wanted = UINT64_MAX;
    uint64_t awake = todo & ~slots_of(sleep->asleep, sleep->now.asleep_count);
    if (awake == 0)
        sct_leave(engine, SCT_PRUNED);
    // A decision is asked for only where two can run: elsewhere there is no frame and no node.
    if (sct_slots_only(&engine->now.enabled) == SCT_TASKS_MAX)
        add_node(sleep, engine, awake, todo);
}

// ---- States that several processes have in common -----------------------------------------------

static uint32_t mark_of(const struct sct_engine *engine, unsigned slot) {
    ASSERT(slot < SCT_REDUCED_TASKS_MAX);
    // By what a task is, not by its slot, which it may have from another order of creation.
    return UINT32_C(1) << rng_mix(engine->slots[slot].identity.signature) % SCT_STATE_MARKS;
}

uint32_t sct_sleep_marks(const struct sct_sleep *sleep, const struct sct_engine *engine) {
    uint32_t marks = 0;
    ASSERT(sct_path_is_new(sleep->path));
    for (uint32_t i = 0; i < sleep->now.asleep_count; i++)
        marks |= mark_of(engine, sleep->asleep[i].slot);
    return marks;
}

void sct_sleep_restrict(struct sct_sleep *sleep, const struct sct_engine *engine, uint32_t marks) {
    uint64_t slots = 0;
    ASSERT(marks >> SCT_STATE_MARKS == 0);
    for (uint64_t left = engine->now.enabled.words[0]; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        if (mark_of(engine, slot) & marks)
            slots |= bit(slot);
    }
    // Who sleeps and is not to be tried here was tried by the one who met the state before, whose
    // sleepers are not these: below, it is to be tried again.
    keep(sleep, slots);
    sleep->wanted = slots;
}

// The decision was answered: its frame is the one before the path's position.
static void enter_node(struct sct_sleep *sleep, struct sct_engine *engine) {
    ASSERT(sleep->path->position > 0 && sleep->path->position <= sleep->path->depth);
    sleep->now.node = sleep->now.last_node = sleep->path->position - 1;
    const struct sct_sleep_node *node = &sleep->nodes[sleep->now.node];
    // The same prefix has led to another point: the program is not deterministic.
    if (node->enabled != enabled_now(engine))
        sct_leave(engine, SCT_DIVERGED);
    ASSERT(node->count <= SCT_REDUCED_TASKS_MAX);
    sleep->now.asleep_count = node->count;
    for (uint32_t i = 0; i < node->count; i++)
        copy_sleeper(&sleep->asleep[i], &sleep->sleepers[node->first + i]);
}

// Who was half awake is awake now, to read what is newer.
static void limit_reads(struct sct_sleep *sleep, unsigned slot) {
    struct sct_sleep_moment *now = &sleep->now;
    const struct sct_sleeper *sleeper = find(sleep->asleep, now->asleep_count, slot);
    sct_memory_now->limit(sct_memory_now, sleeper ? sleeper->since : 0);
    if (sleeper)
        keep(sleep, ~bit(slot));
}

void sct_sleep_open(struct sct_sleep *sleep, struct sct_engine *engine, unsigned slot) {
    struct sct_sleep_moment *now = &sleep->now;
    ASSERT(slot < SCT_REDUCED_TASKS_MAX);
    now->node = SCT_NO_FRAME;
    if (engine->slots[slot].steps == 0)
        now->moved &= ~bit(slot); // that of whoever had the slot
    if (sct_slots_only(&engine->now.enabled) == SCT_TASKS_MAX) {
        enter_node(sleep, engine);
        if (sleep->merges_twins)
            sleep->nodes[now->node].twins = find_twins(sleep, engine, slot);
    }
    if (sct_memory_now)
        limit_reads(sleep, slot);
    sct_footprint_clear(&now->print);
    sct_footprint_add(&now->print, engine->slots[slot].access);
    add_unfinished(now);
    ASSERT(!now->is_running);
    now->is_running = true;
    now->slot = slot;
    now->begin = sleep->path->position;
}

// ---- The search --------------------------------------------------------------------------------

static uint64_t left_of(const struct sct_sleep *sleep, const struct sct_sleep_node *node) {
    return node->todo & ~node->tried & ~slots_of(&sleep->sleepers[node->first], node->count);
}

static bool has_turn(const void *context, uint32_t index) {
    const struct sct_sleep *sleep = context;
    const struct sct_sleep_node *node = &sleep->nodes[index];
    ASSERT(index < sleep->path->depth);
    return !node->is_given && left_of(sleep, node) & ~(bit(node->slot) | node->twins);
}

// [slot], which [node] took or a twin of which it took, and which may have been half awake there.
static void put_to_sleep(struct sct_sleep *sleep, struct sct_sleep_node *node, unsigned slot) {
    struct sct_sleeper *sleepers = sct_sleep_sleepers(sleep, node, 1);
    struct sct_sleeper *sleeper = find(sleepers, node->count, slot);
    if (!sleeper)
        sleeper = &sleepers[node->count++];
    // With all that its step has touched, whatever values it drew: who sleeps is woken by any of
    // it.
    sleeper->slot = slot;
    sleeper->is_half_awake = false;
    sleeper->since = node->time;
    copy_print(&sleeper->print, &node->slot_print);
}

// What the decision took until now is searched: it sleeps, unless something was left incomplete,
// and the next to be tried is taken.
static bool on_turn(void *context, uint32_t index, struct sct_path_frame *frame) {
    struct sct_sleep *sleep = context;
    struct sct_sleep_node *node = &sleep->nodes[index];
    ASSERT(index < sleep->path->depth && node->slot < SCT_REDUCED_TASKS_MAX);
    if (node->is_given)
        return false;
    node->tried |= bit(node->slot);
    // Only what was searched to its end may be left out later (the theorem's condition, sleep.h).
    uint64_t done = node->cuts == sleep->path->cuts ? bit(node->slot) | node->twins : 0;
    for (; done; done &= done - 1)
        put_to_sleep(sleep, node, (unsigned)__builtin_ctzll(done));
    ASSERT(!(node->tried & ~node->enabled));
    uint64_t left = left_of(sleep, node);
    if (left == 0)
        return false;
    frame->answer = (uint16_t)first_of(node, left);
    take(sleep, node, frame->answer);
    return true;
}

void sct_sleep_init(struct sct_sleep *sleep, struct sct_path *path) {
    ASSERT(path->depth == 0 && path->bound_kind == SCT_BOUND_NONE);
    *sleep = (struct sct_sleep){.path = path};
    sct_sleep_begin(sleep);
    path->on_turn = on_turn;
    path->has_turn = has_turn;
    path->turn_context = sleep;
}

void sct_sleep_deinit(struct sct_sleep *sleep) {
    ASSERT(sleep->path->turn_context == sleep);
    sleep->path->on_turn = NULL;
    free(sleep->nodes);
    free(sleep->sleepers);
}
