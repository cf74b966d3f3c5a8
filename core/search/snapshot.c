#include "core/search/snapshot.h"
#include "core/base/reserve.h"
#include "core/engine/state.h"

#include <stddef.h>
#include <string.h>

enum { ALIGNMENT = 64 };

// Followed by the arena, the pool's order, the engine's slots, who sleeps, and the stacks.
struct sct_snapshot {
    struct sct_snapshot *previous;
    struct sct_strand *strand; // who had asked
    uint32_t frame;            // of the path: the decision
    unsigned slot_count;
    size_t arena_used;
    size_t taken_count, touched_count; // of coroutines
    size_t outside_bytes;
    struct sct_moment moment;
    struct sct_seat setup;
    // What follows is aligned as the arena is, which is copied faster then.
    _Alignas(ALIGNMENT) char data[];
};

bool sct_snapshots_work(void) {
    return sct_coro_can_be_copied();
}

void sct_snapshots_init(struct sct_snapshots *snapshots, struct sct_path *path,
                        const struct sct_snapshot_parts *parts, size_t bytes) {
    ASSERT(sct_snapshots_work());
    *snapshots = (struct sct_snapshots){
        .path = path,
        .parts = *parts,
        .memory = reserve_new(bytes, false, "snapshots"),
        .size = bytes,
    };
}

void sct_snapshots_deinit(struct sct_snapshots *snapshots) {
    ASSERT(snapshots->memory);
    reserve_free(snapshots->memory, snapshots->size);
    *snapshots = (struct sct_snapshots){0};
}

void sct_snapshots_forget(struct sct_snapshots *snapshots) {
    ASSERT(snapshots->used <= snapshots->size);
    snapshots->last = NULL;
    snapshots->used = 0;
}

// ---- Copying -----------------------------------------------------------------------------------

// Goes along a snapshot's data; one of both directions.
struct copier {
    char *at;
    bool is_restoring;
};

static inline void copy(struct copier *copier, void *data, size_t bytes) {
    if (copier->is_restoring)
        memcpy(data, copier->at, bytes);
    else
        memcpy(copier->at, data, bytes);
    copier->at += bytes;
}

// Who sleeps, of a search that is reduced: as much as there is of it.
static inline void copy_sleep(struct copier *copier, struct sct_sleep *sleep) {
    struct sct_sleep_moment *now = &sleep->now;
    // The counts first: in both directions they say how much of the rest there is.
    copy(copier, now, offsetof(struct sct_sleep_moment, print.accesses));
    ASSERT(now->print.count <= SCT_TOUCHES_MAX && now->asleep_count <= SCT_REDUCED_TASKS_MAX);
    copy(copier, now->print.accesses, now->print.count * sizeof *now->print.accesses);
    copy(copier, sleep->asleep, sleep->now.asleep_count * sizeof *sleep->asleep);
}

static size_t dpor_bytes(unsigned slot_count) {
    return offsetof(struct sct_dpor_moment, slots) + slot_count * sizeof(struct sct_dpor_slot);
}

static inline void copy_dpor(struct copier *copier, struct sct_dpor *dpor, unsigned slot_count) {
    ASSERT(slot_count <= SCT_REDUCED_TASKS_MAX);
    copy(copier, sct_dpor_moment(dpor), dpor_bytes(slot_count));
}

static inline void copy_slots(struct copier *copier, struct sct_engine *engine,
                              unsigned slot_count) {
    ASSERT(slot_count <= SCT_TASKS_MAX);
    copy(copier, engine->slots, slot_count * sizeof *engine->slots);
    copy(copier, engine->seats, slot_count * sizeof *engine->seats);
}

static size_t sleep_bytes(const struct sct_sleep *sleep) {
    return sleep ? sizeof sleep->now + sleep->now.asleep_count * sizeof *sleep->asleep : 0;
}

static size_t slots_bytes(const struct sct_engine *engine, unsigned slot_count) {
    return slot_count * (sizeof *engine->slots + sizeof *engine->seats);
}

// The slots that have ever been asked about: those of living tasks, and of the one that ran last.
static unsigned count_slots(const struct sct_engine *engine) {
    ASSERT(engine->now.last_slot < SCT_TASKS_MAX);
    unsigned last = sct_slots_highest(&engine->now.alive);
    return (last > engine->now.last_slot ? last : engine->now.last_slot) + 1;
}

// The live part of a stack.
static size_t stack_bytes(const struct sct_coro *coro) {
    return (size_t)(coro->stack_low + coro->stack_bytes - (const char *)coro->stack_pointer);
}

// A task that ends decides who is next while its coroutine is free already: the first of the free.
static bool is_free(const struct sct_coro_pool *pool, const struct sct_coro *coro) {
    return pool->taken_count < pool->made_count && pool->order[pool->taken_count] == coro;
}

static size_t stacks_bytes(const struct sct_engine *engine, const struct sct_coro *running) {
    const struct sct_coro_pool *pool = &engine->pool;
    size_t bytes = is_free(pool, running) ? sizeof *running + stack_bytes(running) : 0;
    for (size_t i = 0; i < pool->taken_count; i++)
        bytes += sizeof(struct sct_coro) + stack_bytes(pool->order[i]);
    if (!engine->program->has_clear_stacks)
        return bytes;
    for (size_t i = 0; i < pool->taken_count; i++)
        bytes += sizeof bytes + sct_coro_left(pool->order[i]);
    return is_free(pool, running) ? bytes + sizeof bytes + sct_coro_left(running) : bytes;
}

// The stack pointer says how much there is, in both directions.
static inline void copy_stack(struct copier *copier, struct sct_coro *coro) {
    copy(copier, coro, sizeof *coro);
    ASSERT(stack_bytes(coro) <= coro->stack_bytes);
    copy(copier, coro->stack_pointer, stack_bytes(coro));
}

// Of a program whose tasks begin with zeros on their stacks: what earlier calls have left below the
// stack pointer as well, since that is what the next ones find.
__attribute__((noinline)) static void copy_left(struct copier *copier, struct sct_coro *coro) {
    size_t bytes = copier->is_restoring ? 0 : sct_coro_left(coro);
    copy(copier, &bytes, sizeof bytes);
    copy(copier, (char *)coro->stack_pointer - bytes, bytes);
    if (copier->is_restoring)
        sct_coro_clear_below(coro, (char *)coro->stack_pointer - bytes);
}

static inline void copy_stacks(struct copier *copier, struct sct_engine *engine,
                               struct sct_coro *running) {
    struct sct_coro_pool *pool = &engine->pool;
    bool has_left = engine->program->has_clear_stacks;
    for (size_t i = 0; i < pool->taken_count; i++) {
        copy_stack(copier, pool->order[i]);
        if (has_left)
            copy_left(copier, pool->order[i]);
    }
    if (is_free(pool, running))
        copy_stack(copier, running);
    if (is_free(pool, running) && has_left)
        copy_left(copier, running);
}

// ---- Outside -----------------------------------------------------------------------------------

static void add_range(void *to, void *memory, size_t bytes) {
    (void)memory;
    *(size_t *)to += sizeof memory + sizeof bytes + bytes;
}

static void keep_range(void *to, void *memory, size_t bytes) {
    struct copier *copier = to;
    ASSERT(!copier->is_restoring);
    copy(copier, &memory, sizeof memory);
    copy(copier, &bytes, sizeof bytes);
    copy(copier, memory, bytes);
}

// Which ranges there are is not asked again: it may have changed.
__attribute__((noinline)) static void put_ranges_back(struct copier *copier, size_t all) {
    const char *end = copier->at + all;
    while (copier->at < end) {
        void *memory = NULL;
        size_t bytes = 0;
        copy(copier, &memory, sizeof memory);
        copy(copier, &bytes, sizeof bytes);
        copy(copier, memory, bytes);
    }
    ASSERT(copier->at == end);
}

static void copy_outside(struct copier *copier, const struct sct_outside *outside, size_t bytes) {
    if (copier->is_restoring) {
        put_ranges_back(copier, bytes);
        outside->returned();
    } else {
        outside->visit(keep_range, copier);
    }
}

// Coroutines first taken since the snapshot, or made since, are free, after all others, in the
// order of being made. Seldom: there are soon as many as any execution takes.
static void add_younger(struct sct_coro_pool *pool, size_t touched_count) {
    ASSERT(touched_count <= pool->touched_count && pool->touched_count <= pool->made_count);
    if (touched_count == pool->touched_count)
        return;
    struct sct_coro *coro = pool->made_list;
    for (size_t i = pool->made_count; i > touched_count; i--, coro = coro->next_made)
        pool->order[i - 1] = coro;
}

// ---- Taking ------------------------------------------------------------------------------------

bool sct_snapshots_offer(struct sct_snapshots *snapshots, struct sct_engine *engine) {
    const struct sct_path *path = snapshots->path;
    // Worth it only where the search will come back: at a new decision with an alternative left.
    // (By dpor those alternatives are often asked for later: then where the path comes by again.)
    // The engine's stack is in no snapshot, so the copying is done there (run_to_end).
    ASSERT(path->position > 0 && path->position <= path->depth);
    uint32_t frame = path->position - 1;
    bool is_taken = snapshots->last && snapshots->last->frame >= frame;
    if ((!sct_path_is_new(path) && !snapshots->parts.dpor) || is_taken ||
        !sct_path_is_open(path, frame) || engine->is_finishing || engine->strategy->diverged)
        return false;
    snapshots->offering = engine->self;
    engine->self = NULL; // what goes wrong now is not the system's
    sct_coro_switch(snapshots->offering->coro, &engine->home);
    return true;
}

static size_t bytes_needed(const struct sct_snapshots *snapshots, const struct sct_engine *engine) {
    size_t bytes = sizeof(struct sct_snapshot) + slots_bytes(engine, count_slots(engine)) +
                   sleep_bytes(snapshots->parts.sleep) +
                   (snapshots->parts.dpor ? dpor_bytes(count_slots(engine)) : 0) +
                   engine->pool.touched_count * sizeof(struct sct_coro *) +
                   stacks_bytes(engine, snapshots->offering->coro) + engine->arena.used;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

// The arena comes first: what else is copied is found in it. A function for each direction, which
// asks for it nowhere.
__attribute__((always_inline)) static inline void copy_all(struct copier *copier,
                                                           struct sct_snapshots *snapshots,
                                                           struct sct_engine *engine,
                                                           const struct sct_snapshot *snapshot) {
    ASSERT(snapshot->arena_used <= engine->arena.size);
    copy(copier, engine->arena.base, snapshot->arena_used);
    copy(copier, engine->pool.order, snapshot->touched_count * sizeof *engine->pool.order);
    copy_slots(copier, engine, snapshot->slot_count);
    const struct sct_snapshot_parts *parts = &snapshots->parts;
    if (parts->sleep)
        copy_sleep(copier, parts->sleep);
    if (parts->dpor)
        copy_dpor(copier, parts->dpor, snapshot->slot_count);
    copy_stacks(copier, engine, snapshot->strand->coro);
    if (parts->outside)
        copy_outside(copier, parts->outside, snapshot->outside_bytes);
}

struct sct_strand *sct_snapshots_take(struct sct_snapshots *snapshots, struct sct_engine *engine) {
    struct sct_path *path = snapshots->path;
    struct sct_strand *strand = snapshots->offering;
    ASSERT(strand && !engine->self);
    const struct sct_outside *outside = snapshots->parts.outside;
    size_t outside_bytes = 0, bytes = bytes_needed(snapshots, engine);
    path->position--; // the decision is asked for once more
    if (outside && !outside->visit(add_range, &outside_bytes))
        return strand;
    bytes += (outside_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > snapshots->size - snapshots->used)
        return strand; // without one: the prefix is run again from the snapshot before
    struct sct_snapshot *snapshot = (struct sct_snapshot *)(snapshots->memory + snapshots->used);
    *snapshot = (struct sct_snapshot){
        .previous = snapshots->last,
        .strand = strand,
        .frame = path->position,
        .outside_bytes = outside_bytes,
        .slot_count = count_slots(engine),
        .arena_used = engine->arena.used,
        .taken_count = engine->pool.taken_count,
        .touched_count = engine->pool.touched_count,
        .moment = engine->now,
        .setup = engine->seats[SCT_TASKS_MAX],
    };
    struct copier copier = {snapshot->data, false};
    copy_all(&copier, snapshots, engine, snapshot);
    ASSERT(copier.at <= (char *)snapshot + bytes);
    ASSERT(snapshots->used + bytes <= snapshots->size);
    snapshots->last = snapshot;
    snapshots->used += bytes;
    return strand;
}

// ---- Going back --------------------------------------------------------------------------------

static void drop_last(struct sct_snapshots *snapshots) {
    ASSERT(snapshots->last);
    ASSERT((char *)snapshots->last < snapshots->memory + snapshots->used);
    snapshots->used = (size_t)((char *)snapshots->last - snapshots->memory);
    snapshots->last = snapshots->last->previous;
}

// The last snapshot of a decision that is still on the path, or NULL.
static const struct sct_snapshot *find_last(struct sct_snapshots *snapshots) {
    // A stack like the path: what lies behind the turn that the path has taken is gone with it.
    while (snapshots->last && snapshots->last->frame >= snapshots->path->depth)
        drop_last(snapshots);
    ASSERT(snapshots->last || snapshots->used == 0);
    return snapshots->last;
}

// Coroutines first taken since the snapshot have their places in the pool's order behind those that
// it has: nothing that is copied back overwrites them.
static void restore(struct sct_snapshots *snapshots, struct sct_engine *engine,
                    const struct sct_snapshot *snapshot) {
    ASSERT(snapshot->touched_count <= engine->pool.touched_count);
    ASSERT(snapshot->taken_count <= snapshot->touched_count);
    engine->now = snapshot->moment;
    engine->seats[SCT_TASKS_MAX] = snapshot->setup;
    engine->arena.used = snapshot->arena_used;
    engine->pool.taken_count = snapshot->taken_count;
    add_younger(&engine->pool, snapshot->touched_count);
    copy_all(&(struct copier){(char *)snapshot->data, true}, snapshots, engine, snapshot);
}

struct sct_strand *sct_snapshots_restore(struct sct_snapshots *snapshots,
                                         struct sct_engine *engine) {
    struct sct_path *path = snapshots->path;
    const struct sct_snapshot *snapshot = find_last(snapshots);
    if (!snapshot)
        return NULL;
    ASSERT(snapshot->frame < path->depth);
    restore(snapshots, engine, snapshot);
    path->position = snapshot->frame;
    snapshots->restored++;
    struct sct_strand *strand = snapshot->strand;
    // The room is worth more to the next decision below.
    if (snapshot->frame == path->depth - 1 && !sct_path_has_turn(path))
        drop_last(snapshots); // nobody will come back
    return strand;
}
