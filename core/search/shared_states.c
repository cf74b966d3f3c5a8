#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE, MADV_REMOVE
#include "core/search/shared_states.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum {
    BUCKET_ENTRIES = 3,
    LOAD_PERCENT = 90,
    WISH_PERCENT = 80, // asks to grow
    FIRST_BYTES = 16 * 1024 * 1024,
    GROWTH = 8,
    SPINS = 100,
};

// What an entry's [bound] says besides 1 + the bound left.
static const uint32_t entry_is_free = 0;
static const uint32_t entry_is_claimed = UINT32_MAX;

// One line of the processor's cache.
struct sct_shared_bucket {
    struct digest keys[BUCKET_ENTRIES];
    _Atomic uint32_t bounds[BUCKET_ENTRIES];
    uint32_t unused;
};
_Static_assert(sizeof(struct sct_shared_bucket) == 64, "one cache line");

// What all processes know of the table. All but the count changes while nobody uses it only.
struct sct_shared_head {
    uint64_t bucket_count;
    uint64_t capacity; // the most entries
    uint64_t wish;     // so many entries ask for a larger table; UINT64_MAX: there is none
    unsigned table;    // the one in use
    _Alignas(64) _Atomic uint64_t count;
};

// ---- The table ---------------------------------------------------------------------------------

static uint64_t count_buckets(uint64_t bytes) {
    uint64_t count = bytes / sizeof(struct sct_shared_bucket);
    return count ? count : 1;
}

static uint64_t percent_of(uint64_t bucket_count, uint64_t percent) {
    uint64_t entries = bucket_count * BUCKET_ENTRIES * percent / 100;
    return entries ? entries : 1;
}

// The largest table of all, with the one before it.
static uint64_t last_bytes(uint64_t limit) {
    return limit <= FIRST_BYTES ? limit : limit / GROWTH * (GROWTH - 1);
}

static uint64_t first_bytes(uint64_t limit) {
    uint64_t bytes = limit;
    while (bytes > FIRST_BYTES)
        bytes /= GROWTH;
    return bytes;
}

static uint64_t next_bytes(const struct sct_shared_states *states) {
    uint64_t bytes = states->head->bucket_count * sizeof(struct sct_shared_bucket) * GROWTH;
    return bytes <= states->limit / GROWTH ? bytes : last_bytes(states->limit);
}

uint64_t sct_shared_states_capacity(uint64_t bytes) {
    return percent_of(count_buckets(last_bytes(bytes)), LOAD_PERCENT);
}

static void *map_shared(uint64_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        grow_failed(bytes, "a shared state cache");
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE); // where shared memory has some
#endif
    return memory;
}

// The most that a table needs.
static uint64_t room(const struct sct_shared_states *states) {
    return count_buckets(last_bytes(states->limit)) * sizeof(struct sct_shared_bucket);
}

static void set_size(struct sct_shared_states *states, uint64_t bytes) {
    struct sct_shared_head *head = states->head;
    head->bucket_count = count_buckets(bytes);
    head->capacity = percent_of(head->bucket_count, LOAD_PERCENT);
    bool is_last = head->bucket_count >= count_buckets(last_bytes(states->limit));
    head->wish = is_last ? UINT64_MAX : percent_of(head->bucket_count, WISH_PERCENT);
}

void sct_shared_states_init(struct sct_shared_states *states, uint64_t bytes) {
    *states = (struct sct_shared_states){.limit = bytes};
    states->head = map_shared(sizeof *states->head);
    for (int i = 0; i < 2; i++)
        states->tables[i] = map_shared(room(states));
    set_size(states, first_bytes(bytes));
}

void sct_shared_states_deinit(struct sct_shared_states *states) {
    for (int i = 0; i < 2; i++)
        munmap(states->tables[i], room(states));
    munmap(states->head, sizeof *states->head);
    *states = (struct sct_shared_states){0};
}

// The pages are given back: zeroing them all would make them resident. An emulator may say that it
// did and do nothing, which a byte shows.
static void empty(const struct sct_shared_states *states, unsigned table, uint64_t bucket_count) {
    struct sct_shared_bucket *buckets = states->tables[table];
    volatile unsigned char *byte = (volatile unsigned char *)buckets;
    *byte = 1;
    if (madvise(buckets, room(states), MADV_REMOVE) != 0 || *byte != 0)
        memset(buckets, 0, bucket_count * sizeof *buckets);
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
    uint64_t bucket_count = head->bucket_count, places = bucket_count * BUCKET_ENTRIES;
    ASSERT(sct_shared_states_wants_growth(states));
    set_size(states, next_bytes(states));
    head->table = !old;
    atomic_store(&head->count, 0);
    for (uint64_t place = 0; place < places; place++) {
        const struct sct_shared_bucket *bucket = &states->tables[old][place / BUCKET_ENTRIES];
        uint32_t known = atomic_load(&bucket->bounds[place % BUCKET_ENTRIES]);
        ASSERT(known != entry_is_claimed);
        if (known != entry_is_free)
            sct_shared_states_visit(states, bucket->keys[place % BUCKET_ENTRIES], known - 1);
    }
    empty(states, old, bucket_count);
}

uint64_t sct_shared_states_count(const struct sct_shared_states *states) {
    return atomic_load_explicit(&states->head->count, memory_order_relaxed);
}

double sct_shared_states_bytes_each(const struct sct_shared_states *states) {
    const struct sct_shared_head *head = states->head;
    return (double)(head->bucket_count * sizeof(struct sct_shared_bucket)) / (double)head->capacity;
}

// ---- Visits ------------------------------------------------------------------------------------

// Whether there is room for one more, which then is taken.
static bool take_room(const struct sct_shared_states *states) {
    _Atomic uint64_t *count = &states->head->count;
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < states->head->capacity)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

static void give_room_back(const struct sct_shared_states *states) {
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
        if (atomic_compare_exchange_weak(entry, &known, mine))
            return SCT_VISIT_NEW;
    return SCT_VISIT_KNOWN;
}

// Meets the state at one entry; false if that has another key.
static bool visit_entry(struct sct_shared_states *states, struct digest *place,
                        _Atomic uint32_t *entry, struct digest key, uint32_t mine,
                        enum sct_visit *visit) {
    uint32_t known = atomic_load_explicit(entry, memory_order_acquire);
    if (known == entry_is_free) {
        if (!take_room(states)) {
            *visit = SCT_VISIT_FULL;
            return true;
        }
        if (atomic_compare_exchange_strong(entry, &known, entry_is_claimed)) {
            *place = key;
            atomic_store_explicit(entry, mine, memory_order_release);
            *visit = SCT_VISIT_NEW;
            return true;
        }
        give_room_back(states); // somebody was faster
    }
    known = wait_for_key(entry);
    if (!digest_equal(*place, key))
        return false;
    *visit = meet_again(entry, known, mine);
    return true;
}

__extension__ typedef unsigned __int128 uint128; // gcc and clang, on all 64-bit machines

// In a larger table keys have the same order, so that growing goes through both in one direction.
static uint64_t first_bucket(struct digest key, uint64_t bucket_count) {
    return (uint64_t)((uint128)key.low * bucket_count >> 64);
}

enum sct_visit sct_shared_states_visit(struct sct_shared_states *states, struct digest key,
                                       uint32_t bound) {
    const struct sct_shared_head *head = states->head;
    uint64_t at = first_bucket(key, head->bucket_count);
    enum sct_visit visit;
    for (;; at = at + 1 < head->bucket_count ? at + 1 : 0) {
        struct sct_shared_bucket *bucket = &states->tables[head->table][at];
        for (uint32_t i = 0; i < BUCKET_ENTRIES; i++)
            if (visit_entry(states, &bucket->keys[i], &bucket->bounds[i], key, bound + 1, &visit))
                return visit;
    }
}

bool sct_shared_states_next(const struct sct_shared_states *states, uint64_t *place,
                            struct digest *key, uint32_t *bound) {
    const struct sct_shared_head *head = states->head;
    for (; *place < head->bucket_count * BUCKET_ENTRIES; ++*place) {
        const struct sct_shared_bucket *bucket =
            &states->tables[head->table][*place / BUCKET_ENTRIES];
        uint32_t known = atomic_load(&bucket->bounds[*place % BUCKET_ENTRIES]);
        if (known == entry_is_free)
            continue;
        ASSERT(known != entry_is_claimed);
        *key = bucket->keys[*place % BUCKET_ENTRIES];
        *bound = known - 1;
        ++*place;
        return true;
    }
    return false;
}
