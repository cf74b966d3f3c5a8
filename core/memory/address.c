// Which location is at an address: of an atomic in a program's own memory.
#include "core/memory/location.h"
#include "core/memory/model.h"

enum { BUCKETS = 64 }; // room at first

// By words of eight bytes: variables of different sizes that overlap are in one bucket.
static struct sct_location **bucket_of(const struct sct_location_table *table, uintptr_t address) {
    // Multiplicative hashing (Knuth, The Art of Computer Programming, 6.4): into the product's bits
    // from 32 on all lower ones of the word's number have gone.
    uint64_t hash = (uint64_t)(address >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->buckets[hash >> 32 & (table->bucket_count - 1)];
}

// The old buckets stay in the arena, which is emptied when the execution ends: twice the largest at
// most.
static void grow(struct arena *arena, struct sct_location_table *table) {
    struct sct_location_table old = *table;
    table->bucket_count = old.bucket_count ? 2 * old.bucket_count : BUCKETS;
    size_t bytes = table->bucket_count * sizeof *table->buckets;
    table->buckets = arena_zalloc(arena, bytes);
    for (uint32_t i = 0; i < old.bucket_count; i++)
        for (struct sct_location *location = old.buckets[i], *next; location; location = next) {
            next = location->next;
            struct sct_location **bucket = bucket_of(table, location->address);
            location->next = *bucket;
            *bucket = location;
        }
}

static bool overlaps(const struct sct_location *location, uintptr_t address, size_t bytes) {
    ASSERT(location->bytes > 0);
    return location->address < address + bytes && address < location->address + location->bytes;
}

static inline struct sct_location *find(const struct sct_location_table *table, uintptr_t address,
                                        uint32_t bytes) {
    if (table->bucket_count == 0)
        return NULL;
    struct sct_location *location = *bucket_of(table, address);
    while (location && (location->address != address || location->bytes != bytes))
        location = location->next;
    return location;
}

// Whether another one overlaps with that range. (All that can are in one bucket: a location lies
// within a word of 8 bytes.)
static bool is_shared(const struct sct_location_table *table, uintptr_t address, size_t bytes) {
    const struct sct_location *other = *bucket_of(table, address);
    while (other && !overlaps(other, address, bytes))
        other = other->next;
    return other;
}

__attribute__((noinline)) static struct sct_location *
add(struct sct_memory_moment *now, uintptr_t address, uint32_t bytes, uint64_t value) {
    struct sct_location_table *table = &now->table;
    if (table->count++ >= table->bucket_count)
        grow(now->arena, table);
    table->is_mixed |= is_shared(table, address, bytes);
    struct sct_location *location = sct_location_new(bytes, value),
                        **bucket = bucket_of(table, address);
    location->address = address;
    location->stores[0]->time = 0; // it has been there, whoever comes first
    location->next = *bucket;
    *bucket = location;
    return location;
}

// Whether another that overlaps with [location] was used after it.
__attribute__((noinline)) static bool is_overtaken(struct sct_location_table *table,
                                                   const struct sct_location *location) {
    const struct sct_location *other = *bucket_of(table, location->address);
    for (; other; other = other->next)
        if (other != location && other->last_use > location->last_use &&
            overlaps(other, location->address, location->bytes))
            return true;
    return false;
}

struct sct_location *sct_location_at(uintptr_t address, uint32_t bytes, uint64_t value) {
    struct sct_memory_state *memory = sct_memory_state();
    struct sct_memory_moment *now = memory->now;
    struct sct_location_table *table = &now->table;
    ASSERT((address & (bytes - 1)) == 0); // sizes are powers of two
    struct sct_location *location = find(table, address, bytes);
    if (!location)
        location = add(now, address, bytes, value);
    bool was_overtaken = table->is_mixed && is_overtaken(table, location);
    table->overlaps += was_overtaken;
    if (was_overtaken || sct_location_newest(location) != (value & sct_location_mask(bytes)))
        sct_location_reset(location, value);
    location->last_use = ++table->uses;
    return location;
}

static void remove_from(struct sct_location_table *table, struct sct_location **link,
                        uintptr_t address, size_t bytes) {
    while (*link)
        if (overlaps(*link, address, bytes)) {
            *link = (*link)->next;
            table->count--;
        } else {
            link = &(*link)->next;
        }
}

void sct_location_forget(uintptr_t address, size_t bytes) {
    struct sct_memory_state *memory = sct_memory_state();
    if (!memory || memory->now->table.count == 0)
        return;
    struct sct_location_table *table = &memory->now->table;
    ASSERT(address + bytes >= address);
    // Of a large range each bucket is looked at once, not each word of the range.
    if (bytes / 8 >= table->bucket_count) {
        for (uint32_t i = 0; i < table->bucket_count; i++)
            remove_from(table, &table->buckets[i], address, bytes);
        return;
    }
    for (uintptr_t word = address & ~(uintptr_t)7; word < address + bytes; word += 8)
        remove_from(table, bucket_of(table, word), address, bytes);
}

uint32_t sct_location_overlaps(void) {
    ASSERT(sct_memory_state());
    return sct_memory_state()->now->table.overlaps;
}
