#include "core/memory/state.h"
#include "core/base/grow.h"

#include <stdlib.h>

enum { PARTIES = 8 }; // room at first

// ---- Edges -------------------------------------------------------------------------------------

struct sct_edge *sct_edge_copy(const struct sct_edge *edge, struct arena *arena) {
    struct sct_edge *copy = ARENA_ARRAY(arena, struct sct_edge, 1);
    *copy = (struct sct_edge){
        .known = sct_clock_copy(&edge->known, arena),
        .extra = sct_clock_copy(&edge->extra, arena),
        .fence_time = edge->fence_time,
    };
    return copy;
}

void sct_edge_join(struct sct_edge *edge, struct arena *arena, const struct sct_edge *other) {
    sct_clock_join(&edge->known, arena, &other->known);
    sct_clock_join(&edge->extra, arena, &other->extra);
    if (edge->fence_time < other->fence_time)
        edge->fence_time = other->fence_time;
}

static void release(struct sct_memory *base, struct sct_edge **edge) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_party *party = sct_party_now(memory);
    if (*edge)
        sct_edge_join(*edge, memory->now->arena, &party->view);
    else
        *edge = sct_edge_copy(&party->view, memory->now->arena);
    sct_party_advance(party);
}

static void acquire(struct sct_memory *base, const struct sct_edge *edge) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    sct_edge_join(&sct_party_now(memory)->view, memory->now->arena, edge);
}

// ---- Threads -----------------------------------------------------------------------------------

static void make_room_for_party(struct sct_memory_moment *now) {
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
    party->number = now->party_count;
    party->name = name;
    now->parties[now->party_count++] = party;
    return party;
}

static void start(struct sct_memory *base, unsigned slot, const char *name) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_memory_moment *now = memory->now;
    struct sct_party *parent = sct_party_now(memory), *party = add_party(now, name);
    sct_edge_join(&party->view, now->arena, &parent->view);
    sct_clock_set(&party->view.known, now->arena, party->number, 1);
    sct_party_advance(parent);
    now->by_slot[slot] = party;
}

static void begin(struct sct_memory *base) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct arena *arena = &sct_engine_now->arena;
    struct sct_memory_moment *now = memory->now = ARENA_NEW(arena, struct sct_memory_moment);
    now->arena = arena;
    now->stamp = ++memory->stamps;
    struct sct_party *setup = now->by_slot[SCT_TASKS_MAX] = add_party(now, "setup");
    sct_clock_set(&setup->view.known, arena, 0, 1);
}

uint32_t sct_memory_thread(void) {
    return sct_party_now(sct_memory_state())->number;
}

const char *sct_memory_thread_name(uint32_t number) {
    const struct sct_memory_moment *now = sct_memory_state()->now;
    ASSERT(number < now->party_count);
    return now->parties[number]->name;
}

// ---- Memories ----------------------------------------------------------------------------------

struct sct_memory *sct_memory_new(const struct sct_memory_options *options) {
    struct sct_memory_state *memory = grow_new(1, sizeof *memory, "a memory");
    memory->base = (struct sct_memory){begin, start, release, acquire};
    memory->options = *options;
    return &memory->base;
}

void sct_memory_free(struct sct_memory *base) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
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
    return names[model];
}
