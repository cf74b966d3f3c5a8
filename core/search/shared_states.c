#define _POSIX_C_SOURCE 200809L // sched_yield
#include "core/search/shared_states.h"
#include "core/base/assert.h"
#include "core/base/reserve.h"
#include "core/search/bucket.h"

#include <sched.h>

enum {
    LOAD_PERCENT = 90,
    WISH_PERCENT = 80, // asks to grow
    FIRST_BYTES = 16 * 1024 * 1024,
    GROWTH = 8,
    SPINS = 100,
};

// What an entry's word says besides 1 + the bound left, or the marks.
static const uint32_t entry_is_free = 0;
static const uint32_t entry_is_claimed = UINT32_MAX;

// What all processes know of the table. All but the count changes while nobody uses it only.
struct sct_shared_head {
    uint64_t bucket_count;
    uint64_t capacity; // the most entries
    uint64_t wish;     // so many entries ask for a larger table; UINT64_MAX: there is none
    unsigned table;    // the one in use
    _Alignas(64) _Atomic uint64_t count;
};

// ---- The table ---------------------------------------------------------------------------------

// The largest table of all, with the one before it.
static uint64_t last_bytes(uint64_t limit) {
    // While entries move both tables are in use: 1/8 and 7/8 of the limit at the last growth.
    return limit <= FIRST_BYTES ? limit : limit / GROWTH * (GROWTH - 1);
}

static uint64_t first_bytes(uint64_t limit) {
    uint64_t bytes = limit;
    while (bytes > FIRST_BYTES)
        bytes /= GROWTH;
    return bytes;
}

static uint64_t next_bytes(const struct sct_shared_states *states) {
    uint64_t bytes = states->head->bucket_count * sizeof(struct sct_bucket) * GROWTH;
    return bytes <= states->limit / GROWTH ? bytes : last_bytes(states->limit);
}

uint64_t sct_shared_states_capacity(uint64_t bytes) {
    return sct_bucket_percent(sct_bucket_count(last_bytes(bytes)), LOAD_PERCENT);
}

// The most that a table needs.
static uint64_t room(const struct sct_shared_states *states) {
    return sct_bucket_count(last_bytes(states->limit)) * sizeof(struct sct_bucket);
}

static void set_size(struct sct_shared_states *states, uint64_t bytes) {
    struct sct_shared_head *head = states->head;
    ASSERT(bytes <= last_bytes(states->limit));
    head->bucket_count = sct_bucket_count(bytes);
    head->capacity = sct_bucket_percent(head->bucket_count, LOAD_PERCENT);
    bool is_last = head->bucket_count >= sct_bucket_count(last_bytes(states->limit));
    // Between wish and load a tenth of the table is free for what the others enter until all have
    // stopped between two executions.
    head->wish = is_last ? UINT64_MAX : sct_bucket_percent(head->bucket_count, WISH_PERCENT);
}

void sct_shared_states_init(struct sct_shared_states *states, uint64_t bytes) {
    ASSERT(bytes > 0);
    *states = (struct sct_shared_states){.limit = bytes};
    states->head = sct_bucket_map(sizeof *states->head, true);
    // Two, each with addresses for the largest: processes that were forked before a growth find the
    // new table where it was reserved, in the place of the one before the old.
    for (int i = 0; i < 2; i++)
        states->tables[i] = sct_bucket_map(room(states), true);
    set_size(states, first_bytes(bytes));
}

void sct_shared_states_deinit(struct sct_shared_states *states) {
    ASSERT(states->head);
    for (int i = 0; i < 2; i++)
        reserve_free(states->tables[i], room(states));
    reserve_free(states->head, sizeof *states->head);
    *states = (struct sct_shared_states){0};
}

static void empty(const struct sct_shared_states *states, unsigned table, uint64_t bucket_count) {
    ASSERT(table < 2 && bucket_count * sizeof(struct sct_bucket) <= room(states));
    sct_bucket_clear(states->tables[table], bucket_count * sizeof(struct sct_bucket), room(states),
                     true);
}

void sct_shared_states_clear(struct sct_shared_states *states) {
    if (sct_shared_states_count(states) > 0)
        empty(states, states->head->table, states->head->bucket_count);
    atomic_store(&states->head->count, 0);
}

bool sct_shared_states_wants_growth(const struct sct_shared_states *states) {
    return sct_shared_states_count(states) >= states->head->wish;
}

void sct_shared_states_grow(struct sct_shared_states *states) {
    struct sct_shared_head *head = states->head;
    unsigned old = head->table;
    uint64_t bucket_count = head->bucket_count, places = bucket_count * SCT_BUCKET_ENTRIES;
    ASSERT(sct_shared_states_wants_growth(states));
    // The size first: entries are entered again by its number of buckets.
    set_size(states, next_bytes(states));
    head->table = !old;
    atomic_store(&head->count, 0);
    for (uint64_t place = 0; place < places; place++) {
        uint32_t known = atomic_load(sct_bucket_word(states->tables[old], place));
        ASSERT(known != entry_is_claimed);
        if (known != entry_is_free)
            sct_shared_states_visit(states, *sct_bucket_key(states->tables[old], place), known - 1);
    }
    ASSERT(sct_shared_states_count(states) <= head->capacity);
    empty(states, old, bucket_count);
}

uint64_t sct_shared_states_count(const struct sct_shared_states *states) {
    return atomic_load_explicit(&states->head->count, memory_order_relaxed);
}

double sct_shared_states_bytes_each(const struct sct_shared_states *states) {
    const struct sct_shared_head *head = states->head;
    return (double)(head->bucket_count * sizeof(struct sct_bucket)) / (double)head->capacity;
}

// ---- Visits ------------------------------------------------------------------------------------

// Whether there is room for one more, which then is taken.
// Counted first and given back where there was none: so no two of them take the last place.
static bool take_room(const struct sct_shared_states *states) {
    _Atomic uint64_t *count = &states->head->count;
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < states->head->capacity)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

static void give_room_back(const struct sct_shared_states *states) {
    ASSERT(sct_shared_states_count(states) > 0);
    atomic_fetch_sub_explicit(&states->head->count, 1, memory_order_relaxed);
}

// The state of an entry that is not free, as soon as its key is there.
static uint32_t wait_for_key(const _Atomic uint32_t *entry) {
    uint32_t known;
    for (int i = 0; (known = atomic_load_explicit(entry, memory_order_acquire)) == entry_is_claimed;
         i++)
        if (i % SPINS == SPINS - 1)
            sched_yield();
    return known;
}

// The key is there: it is met again unless it is there with less left of the bound.
static enum sct_visit meet_again(_Atomic uint32_t *entry, uint32_t known, uint32_t mine) {
    while (known < mine)
        // Whoever raises the word searches the state again; a rival with less left finds it raised.
        // The loop ends, as words only grow.
        if (atomic_compare_exchange_weak(entry, &known, mine))
            return SCT_VISIT_NEW;
    return SCT_VISIT_KNOWN;
}

// The key is there: who is left to be tried is what was left before and sleeps now, too.
static uint32_t leave_marks(_Atomic uint32_t *entry, uint32_t known, uint32_t asleep) {
    ASSERT(known != entry_is_free && known != entry_is_claimed);
    // In one step: of two who come at a time each is told what the other one does not try.
    while ((known - 1) & ~asleep)
        if (atomic_compare_exchange_weak(entry, &known, ((known - 1) & asleep) + 1))
            break;
    return known - 1;
}

// A state on its way along the entries where it may be.
struct visitor {
    struct digest key;
    uint32_t word;  // what its entry is to say: 1 + the bound left, or those who sleep
    uint32_t *left; // of a reduced search; else NULL
    enum sct_visit visit;
};

// Meets the state at entry [index] of [bucket]; false if that has another key.
static bool visit_entry(const struct sct_shared_states *states, struct sct_bucket *bucket,
                        uint32_t index, struct visitor *visitor) {
    _Atomic uint32_t *entry = &bucket->words[index];
    uint32_t known = atomic_load_explicit(entry, memory_order_acquire);
    if (known == entry_is_free) {
        if (!take_room(states)) {
            visitor->visit = SCT_VISIT_FULL;
            return true;
        }
        // The key is 16 bytes and cannot be put there in one store: the word says claimed until it
        // is, and the release below shows the key to whoever then reads the word.
        if (atomic_compare_exchange_strong(entry, &known, entry_is_claimed)) {
            bucket->keys[index] = visitor->key;
            atomic_store_explicit(entry, visitor->word, memory_order_release);
            visitor->visit = SCT_VISIT_NEW;
            return true;
        }
        give_room_back(states); // somebody was faster
    }
    known = wait_for_key(entry);
    if (!digest_equal(bucket->keys[index], visitor->key))
        return false;
    if (visitor->left) {
        *visitor->left = leave_marks(entry, known, visitor->word - 1);
        visitor->visit = SCT_VISIT_KNOWN;
    } else
        visitor->visit = meet_again(entry, known, visitor->word);
    return true;
}

void sct_shared_states_prefetch(const struct sct_shared_states *states, struct digest key) {
    const struct sct_shared_head *head = states->head;
    __builtin_prefetch(&states->tables[head->table][sct_bucket_first(key, head->bucket_count)]);
}

static enum sct_visit visit(struct sct_shared_states *states, struct visitor visitor) {
    const struct sct_shared_head *head = states->head;
    ASSERT(visitor.word != entry_is_free && visitor.word != entry_is_claimed);
    uint64_t at = sct_bucket_first(visitor.key, head->bucket_count);
    // An entry never leaves its place, so that nobody needs to look behind a free one.
    for (;; at = sct_bucket_next(at, head->bucket_count)) {
        struct sct_bucket *bucket = &states->tables[head->table][at];
        for (uint32_t i = 0; i < SCT_BUCKET_ENTRIES; i++)
            if (visit_entry(states, bucket, i, &visitor))
                return visitor.visit;
    }
}

enum sct_visit sct_shared_states_visit(struct sct_shared_states *states, struct digest key,
                                       uint32_t bound) {
    return visit(states, (struct visitor){.key = key, .word = bound + 1});
}

enum sct_visit sct_shared_states_visit_asleep(struct sct_shared_states *states, struct digest key,
                                              uint32_t asleep, uint32_t *left) {
    ASSERT(asleep >> SCT_STATE_MARKS == 0);
    *left = (UINT32_C(1) << SCT_STATE_MARKS) - 1;
    return visit(states, (struct visitor){.key = key, .word = asleep + 1, .left = left});
}

bool sct_shared_states_next(const struct sct_shared_states *states, uint64_t *place,
                            struct digest *key, uint32_t *bound) {
    const struct sct_shared_head *head = states->head;
    ASSERT(*place <= head->bucket_count * SCT_BUCKET_ENTRIES);
    for (; *place < head->bucket_count * SCT_BUCKET_ENTRIES; ++*place) {
        struct sct_bucket *buckets = states->tables[head->table];
        uint32_t known = atomic_load(sct_bucket_word(buckets, *place));
        if (known == entry_is_free)
            continue;
        ASSERT(known != entry_is_claimed);
        *key = *sct_bucket_key(buckets, *place);
        *bound = known - 1;
        ++*place;
        return true;
    }
    return false;
}
