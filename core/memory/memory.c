#include "core/memory/exact.h"
#include "core/memory/model.h"
#include "core/memory/state.h"
#include "core/base/grow.h"

#include <stdlib.h>

enum { PARTIES = 8 }; // room at first

// ---- Edges -------------------------------------------------------------------------------------

struct sct_edge *sct_edge_copy(const struct sct_edge *edge, struct arena *arena) {
    ASSERT(edge && arena);
    struct sct_edge *copy = ARENA_ARRAY(arena, struct sct_edge, 1);
    *copy = *edge;
    copy->known = sct_clock_copy(&edge->known, arena);
    if (edge->extra.length > 0)
        copy->extra = sct_clock_copy(&edge->extra, arena);
    return copy;
}

void sct_edge_join(struct sct_edge *edge, struct arena *arena, const struct sct_edge *other) {
    ASSERT(edge != other);
    sct_clock_join(&edge->known, arena, &other->known);
    if (other->extra.length > 0)
        sct_clock_join(&edge->extra, arena, &other->extra);
    if (edge->fence_time < other->fence_time)
        edge->fence_time = other->fence_time;
    edge->epoch = 0;
}

static void release(struct sct_memory *base, struct sct_edge **edge) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_party *party = sct_party_now(memory);
    ASSERT(!party->has_ended);
    // What several have let go of is one edge: whoever takes it up comes after all of them.
    if (*edge)
        sct_edge_join(*edge, memory->now->arena, &party->view);
    else
        *edge = sct_edge_of(party, memory->now->arena);
    // What comes after was not let go of: it belongs to the next epoch.
    sct_party_advance(party);
}

// Edges only grow, so a thread that takes one up late learns of more: of all who have let go of the
// thing by then, which is what a lock that was held in between means.
static void acquire(struct sct_memory *base, const struct sct_edge *edge) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_edge *view = &sct_party_now(memory)->view;
    ASSERT(edge);
    if (!sct_edge_has(view, edge))
        sct_edge_join(view, memory->now->arena, edge);
}

static bool knows(const struct sct_memory *base, const struct sct_edge *edge) {
    const struct sct_party *party = sct_party_now((const struct sct_memory_state *)base);
    ASSERT(edge);
    return sct_clock_covers(&party->view.known, &edge->known);
}

// Of the store that comes next: those before it are older.
static uint64_t time_now(const struct sct_memory *base) {
    return ((const struct sct_memory_state *)base)->now->store_count + 1;
}

// A step begins.
static void limit(struct sct_memory *base, uint64_t time) {
    struct sct_memory_moment *now = ((struct sct_memory_state *)base)->now;
    ASSERT(time <= now->store_count + 1);
    now->read_from = time;
    now->has_source = false;
    now->source_time = 0;
    now->needs_source = false;
}

static uint64_t source(const struct sct_memory *base) {
    return ((const struct sct_memory_state *)base)->now->source_time;
}

static bool needs_source(const struct sct_memory *base) {
    return ((const struct sct_memory_state *)base)->now->needs_source;
}

// ---- Threads -----------------------------------------------------------------------------------

// Threads of an execution are numbered without gaps, those that have ended included.
static void make_room_for_party(struct sct_memory_moment *now) {
    ASSERT(now->party_count <= now->party_capacity);
    if (now->party_count < now->party_capacity)
        return;
    uint32_t capacity = now->party_capacity ? 2 * now->party_capacity : PARTIES;
    struct sct_party **parties = ARENA_ARRAY(now->arena, struct sct_party *, capacity);
    if (now->party_count > 0)
        memcpy(parties, now->parties, now->party_count * sizeof *parties);
    now->parties = parties;
    now->party_capacity = capacity;
}

static struct sct_party *add_party(struct sct_memory_moment *now, const char *name) {
    make_room_for_party(now);
    struct sct_party *party = ARENA_NEW(now->arena, struct sct_party);
    ASSERT(now->party_count < now->party_capacity);
    party->number = now->party_count;
    party->name = name;
    party->first_epoch = 1; // 0 is what nobody has done: known to all
    now->parties[now->party_count++] = party;
    return party;
}

// One that goes on with the number of [previous], which has ended: with later epochs, as if it were
// the same thread. That is exact where its creator knows all that [previous] has done.
static struct sct_party *succeed(struct sct_memory_moment *now, struct sct_party *previous,
                                 const char *name) {
    struct sct_party *party = ARENA_NEW(now->arena, struct sct_party);
    ASSERT(previous->has_ended);
    party->number = previous->number;
    party->name = name;
    party->first_epoch = sct_party_epoch(previous) + 1;
    party->previous = previous;
    now->parties[party->number] = party;
    return party;
}

// Whether [party] knows all of [other], whose last epoch is empty: it began with its last release.
static bool knows_all(const struct sct_party *party, const struct sct_party *other) {
    ASSERT(other->has_ended && sct_party_epoch(other) > 0);
    return sct_clock_has(&party->view.known, other->number, sct_party_epoch(other) - 1);
}

static void start(struct sct_memory *base, unsigned slot, const char *name) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_memory_moment *now = memory->now;
    struct sct_party *parent = sct_party_now(memory), *last = now->by_slot[slot], *party;
    ASSERT(slot < SCT_TASKS_MAX && parent);
    // Not where memory is exact: there events of one number are of one thread (is_sequenced of
    // exact.c).
    bool is_successor =
        last && last->has_ended && !memory->options.is_exact && knows_all(parent, last);
    party = is_successor ? succeed(now, last, name) : add_party(now, name);
    // All that the creator has done happens before all that the new one does, not the other way
    // round.
    // (C11, 7.26.5.1: the end of the call that creates it synchronises with its beginning.)
    sct_edge_join(&party->view, now->arena, &parent->view);
    sct_clock_set(&party->view.known, now->arena, party->number, party->first_epoch);
    sct_party_advance(parent);
    now->by_slot[slot] = party;
}

// Its number may be given on; its clock stays, for races with what it did.
static void end(struct sct_memory *base) {
    struct sct_party *party = sct_party_now((struct sct_memory_state *)base);
    ASSERT(!party->has_ended);
    party->has_ended = true;
}

static void begin(struct sct_memory *base) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct arena *arena = &sct_engine_now->arena;
    ASSERT(memory->model);
    struct sct_memory_moment *now = memory->now = ARENA_NEW(arena, struct sct_memory_moment);
    now->arena = arena;
    // Shadow cells are not cleared between executions, which would cost as much as there are: one
    // with another stamp counts as empty.
    now->stamp = memory->stamps += 2;
    if (memory->options.is_exact)
        now->events = ARENA_NEW(arena, struct sct_events);
    // Setup and the final check are one thread, which begins in epoch 1: 0 is before everything.
    struct sct_party *setup = now->by_slot[SCT_TASKS_MAX] = add_party(now, "setup");
    sct_clock_set(&setup->view.known, arena, 0, 1);
}

uint32_t sct_memory_thread(void) {
    return sct_party_now(sct_memory_state())->number;
}

const char *sct_memory_thread_name(uint32_t number) {
    const struct sct_memory_moment *now = sct_memory_state()->now;
    // The last one that had the number: earlier ones are told apart by their epochs.
    ASSERT(number < now->party_count && now->parties[number]);
    return now->parties[number]->name;
}

// ---- Fences ------------------------------------------------------------------------------------

// All such fences are in one order, here that of execution: each learns what threads knew at those
// before it, for coherence alone. It does not make that happen before, so it hides no race.
// (C11, 7.17.3, 11; the rules 9 and 10, of a fence and an access, are in the models' bounds.)
static void fence_seq_cst(struct sct_memory_moment *now, struct sct_party *party) {
    ASSERT(!now->events);
    struct sct_edge *view = &party->view;
    sct_clock_join(&view->extra, now->arena, &now->fences);
    sct_clock_join(&now->fences, now->arena, &view->known);
    sct_clock_join(&now->fences, now->arena, &view->extra);
    view->fence_time = ++now->seq_cst_time;
}

static enum sct_memory_model model_now(void) {
    const struct sct_memory_state *memory = sct_memory_state();
    return memory ? memory->options.model : SCT_MEMORY_SC;
}

enum sct_access_mode sct_memory_mode(enum sct_atomic_kind operation) {
    static const enum sct_access_mode modes[] = {SCT_ACCESS_READ, SCT_ACCESS_WRITE,
                                                 SCT_ACCESS_WRITE, SCT_ACCESS_NONE};
    static const enum sct_access_mode weak_modes[] = {SCT_ACCESS_LOAD, SCT_ACCESS_STORE,
                                                      SCT_ACCESS_UPDATE, SCT_ACCESS_NONE};
    ASSERT((size_t)operation < sizeof modes / sizeof modes[0]);
    return model_now() == SCT_MEMORY_C11 ? weak_modes[operation] : modes[operation];
}

// Under c11 the order of what has the order SEQ_CST: fences among themselves and against accesses,
// accesses of one location among themselves; none where the graph alone decides. Under tso that in
// which stores and fences take effect.
struct sct_access sct_memory_place(enum sct_atomic_kind operation, enum sct_order order,
                                   uint64_t low, uint64_t high) {
    enum sct_memory_model model = model_now();
    bool is_exact = sct_memory_now && sct_memory_state()->options.is_exact;
    bool is_seq_cst = order == SCT_SEQ_CST, is_fence = operation == SCT_FENCES;
    ASSERT(low <= high);
    struct sct_access place = {.object = SCT_ACCESS_ORDER, .low = low, .high = high};
    if (is_fence || model == SCT_MEMORY_TSO) {
        place.low = 0;
        place.high = UINT64_MAX;
    }
    if (model == SCT_MEMORY_C11 && is_seq_cst && !is_exact)
        place.mode = operation == SCT_LOADS ? SCT_ACCESS_READ : SCT_ACCESS_WRITE;
    else if (model == SCT_MEMORY_TSO && operation != SCT_LOADS && (is_seq_cst || !is_fence))
        place.mode = SCT_ACCESS_WRITE;
    return place;
}

bool sct_memory_shows_orders(void) {
    return model_now() == SCT_MEMORY_C11;
}

void sct_memory_fence(enum sct_order order) {
    struct sct_memory_state *memory = sct_memory_state();
    if (!memory || sct_memory_is_over())
        return;
    struct sct_memory_moment *now = memory->now;
    struct sct_party *party = sct_party_now(memory);
    // In the order of C11: the acquire half first, so that what it takes up is part of what the
    // release half lets go of.
    if (sct_order_acquires(order) && party->pending)
        sct_edge_join(&party->view, now->arena, party->pending);
    if (order == SCT_SEQ_CST && !now->events)
        fence_seq_cst(now, party);
    if (order == SCT_SEQ_CST && memory->model->drain)
        memory->model->drain(memory, party);
    if (now->events)
        sct_events_add(now->events, now->arena,
                       &(struct sct_event_record){.thread = party->number,
                                                  .epoch = sct_party_epoch(party),
                                                  .order = order,
                                                  .known = party->view.known});
    if (!sct_order_releases(order))
        return;
    party->released = sct_edge_of(party, now->arena); // for relaxed stores after it
    sct_party_advance(party);
}

// ---- Memories ----------------------------------------------------------------------------------

static const struct sct_model *const models[] = {
    [SCT_MEMORY_SC] = &sct_model_sc,
    [SCT_MEMORY_TSO] = &sct_model_tso,
    [SCT_MEMORY_C11] = &sct_model_c11,
};

struct sct_memory *sct_memory_new(const struct sct_memory_options *options) {
    ASSERT((size_t)options->model < sizeof models / sizeof models[0]);
    struct sct_memory_state *memory = grow_new(1, sizeof *memory, "a memory");
    memory->base = (struct sct_memory){
        .begin = begin,
        .start = start,
        .end = end,
        .release = release,
        .acquire = acquire,
        .knows = knows,
        .time = time_now,
        .limit = limit,
        .source = source,
        .needs_source = needs_source,
        .is_bounded = options->history > 0 || options->stale_max > 0,
    };
    memory->options = *options;
    memory->model = models[options->model];
    ASSERT(!options->is_exact || options->model == SCT_MEMORY_C11);
    return &memory->base;
}

void sct_memory_free(struct sct_memory *base) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    ASSERT(!base || sct_memory_now != base); // no execution uses it
    if (!memory)
        return;
    for (uint32_t i = 0; i < memory->region_count; i++)
        sct_region_unmap(&memory->regions[i]);
    free(memory->told);
    free(memory);
}

const char *sct_memory_model_name(enum sct_memory_model model) {
    static const char *const names[] = {
        [SCT_MEMORY_SC] = "sc", [SCT_MEMORY_TSO] = "tso", [SCT_MEMORY_C11] = "c11"};
    ASSERT((size_t)model < sizeof names / sizeof names[0]);
    return names[model];
}
