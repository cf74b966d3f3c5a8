// C11 as RC11 has it, without load buffering. What a thread may read is bounded by what it knows:
// coherence (CoRR, CoWR, CoRW, CoWW) and the rules of SEQ_CST of C++11, 29.3, paragraphs 3 to 7,
// with the order of execution as their total order. So every execution is one of RC11; where
// SEQ_CST and weaker accesses to one location mix, RC11 has a few that no such order shows.
#include "core/memory/model.h"

// What fences of SEQ_CST have shown it bounds what is read, as what happens before does.
static bool knows(const struct sct_edge *view, uint32_t thread, uint32_t epoch) {
    return sct_clock_has(&view->known, thread, epoch) || sct_clock_has(&view->extra, thread, epoch);
}

// Somebody has read [store], and that happened before.
static bool is_read(const struct sct_edge *view, const struct sct_clock *fences,
                    const struct sct_store *store) {
    ASSERT(store->reader_count == 0 || store->reads);
    for (uint32_t i = 0; i < store->reader_count; i++) {
        uint32_t epoch = store->reads[i];
        if (epoch > 0 && (knows(view, i, epoch) || (fences && sct_clock_has(fences, i, epoch))))
            return true;
    }
    return false;
}

// [fences]: of an access of order SEQ_CST; else NULL.
static bool is_known(const struct sct_edge *view, const struct sct_clock *fences,
                     const struct sct_store *store) {
    if (knows(view, store->thread, store->epoch))
        return true;
    // 29.3, 3 and 4: an access of SEQ_CST, or one behind such a fence, does not read what is older
    // than the last store of SEQ_CST before it.
    if (store->seq_cst_time > 0 && (fences || store->seq_cst_time <= view->fence_time))
        return true;
    // 5 to 7: the same where the store came before a fence and this access is of SEQ_CST.
    if (fences && sct_clock_has(fences, store->thread, store->epoch))
        return true;
    return is_read(view, fences, store);
}

static uint32_t lowest(const struct sct_memory_state *memory, const struct sct_party *party,
                       const struct sct_location *location, enum sct_order order) {
    const struct sct_clock *fences = order == SCT_SEQ_CST ? &memory->now->fences : NULL;
    // Coherence: not before a store that is known of, nor before one that somebody is known to have
    // read (CoWR, CoRR). The first store is known to all.
    ASSERT(location->count > 0);
    uint32_t index = location->count - 1;
    while (index > 0 && !is_known(&party->view, fences, location->stores[index]))
        index--;
    return index;
}

static void make_room_for_reader(struct arena *arena, struct sct_store *store, uint32_t thread) {
    // Threads come to a store one by one, and most stores are read by few: a block at a time.
    enum { BLOCK = 8 };
    uint32_t count = (thread + BLOCK) / BLOCK * BLOCK;
    ASSERT(count > thread && count >= store->reader_count);
    uint32_t *reads = ARENA_ARRAY(arena, uint32_t, count);
    // A block at a time, as it mostly is one: a call of memset costs more.
    for (uint32_t i = 0; i < count; i += BLOCK)
        memset(reads + i, 0, BLOCK * sizeof *reads);
    if (store->reader_count > 0)
        memcpy(reads, store->reads, store->reader_count * sizeof *reads);
    store->reads = reads;
    store->reader_count = count;
}

// What is read once is enough to know: a later read of the same thread knows no less.
static void on_load(struct sct_memory_state *memory, struct sct_party *party,
                    const struct sct_location *location, uint32_t index) {
    ASSERT(index < location->count);
    struct sct_store *store = location->stores[index];
    if (party->number >= store->reader_count)
        make_room_for_reader(memory->now->arena, store, party->number);
    if (store->reads[party->number] == 0) // who knows of a later one knows of the first
        store->reads[party->number] = sct_party_epoch(party);
}

const struct sct_model sct_model_c11 = {
    .lowest = lowest, .reorders_stores = true, .on_load = on_load};
