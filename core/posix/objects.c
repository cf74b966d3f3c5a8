#define _GNU_SOURCE // pthread_spinlock_t
#include "core/posix/objects.h"
#include "core/engine/machine.h"
#include "core/posix/frames.h"
#include "core/posix/moment.h"
#include "core/posix/mutex.h"
#include "core/posix/places.h"
#include "core/posix/twins.h"
#include "core/posix/world.h"
#include "core/threads/rwlock.h"

#include <string.h>

// Open addressing, at most half full; a record that is NULL belongs to an object that is no more.
struct entry {
    uintptr_t address; // 0: free
    enum posix_kind kind;
    void *record;
};

static struct {
    struct entry *entries;
    size_t capacity, count;
} table;

enum { FIRST_CAPACITY = 64 };

_Static_assert((FIRST_CAPACITY & (FIRST_CAPACITY - 1)) == 0, "a table is cut by a mask");

static struct entry *slot_of(struct entry *entries, size_t capacity, uintptr_t address,
                             enum posix_kind kind) {
    // By kind, too: a mutex and an annotation may be at one address. Fibonacci hashing (Knuth,
    // TAOCP 3, 6.4): the high bits of the product depend on all of the address.
    uint64_t hash = (address + (uintptr_t)kind) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 32) & (capacity - 1);
    while (entries[at].address && (entries[at].address != address || entries[at].kind != kind))
        at = (at + 1) & (capacity - 1);
    return &entries[at];
}

static void reserve(size_t capacity) {
    ASSERT(2 * table.count <= capacity);
    ASSERT((capacity & (capacity - 1)) == 0); // the hash is cut by a mask
    // The old one is left in the arena, which frees nothing before the execution ends: as each is
    // twice the one before, all old ones together are smaller than the new one.
    struct entry *entries = arena_zalloc(sct_arena(), capacity * sizeof *entries);
    for (size_t i = 0; i < table.capacity; i++)
        if (table.entries[i].address)
            *slot_of(entries, capacity, table.entries[i].address, table.entries[i].kind) =
                table.entries[i];
    table.entries = entries;
    table.capacity = capacity;
}

void posix_objects_begin(void) {
    // In the execution's arena, like the records: what the program has in its memory then is zero,
    // or what its initialisers say, and the records are made when they are first used.
    ASSERT(posix_world.in_tool > 0);
    table.capacity = table.count = 0;
    reserve(FIRST_CAPACITY);
}

// The entries are of the arena.
void posix_objects_tell(posix_tell *tell, void *to) {
    tell(to, &table, sizeof table);
}

static const char *const kinds[POSIX_KINDS] = {
    [POSIX_MUTEX] = "mutex",           [POSIX_CONDITION] = "condition",
    [POSIX_RWLOCK] = "rwlock",         [POSIX_SEMAPHORE] = "semaphore",
    [POSIX_BARRIER] = "barrier",       [POSIX_ONCE] = "once",
    [POSIX_SPIN] = "spinlock",         [POSIX_FUTEX] = "futex",
    [POSIX_ANNOTATION] = "annotation",
};

// In the first bytes of an object that was destroyed. No static initialiser begins so, thus a
// program that assigns one to it later (PTHREAD_MUTEX_INITIALIZER, without a call) makes a new
// object.
#define ENDED UINT32_C(0x5bad5bad)

_Static_assert(sizeof(pthread_spinlock_t) >= sizeof(uint32_t),
               "the smallest object has room for it");

void posix_object_end(void *address) {
    ASSERT(posix_controls());
    posix_twins_access(address, 1, true, NULL);
    const uint32_t word = ENDED;
    memcpy(address, &word, sizeof word);
}

static bool has_ended(const void *address) {
    uint32_t word;
    memcpy(&word, address, sizeof word);
    return word == ENDED;
}

void *posix_object_find(const void *address, enum posix_kind kind) {
    ASSERT(table.capacity > 0); // an execution has begun
    // To wake at an address where nobody waits any more is what libraries may do when whoever
    // waited has returned; and an order is told of any address.
    bool is_named = kind == POSIX_FUTEX || kind == POSIX_ANNOTATION;
    if (posix_may_be_stack(address) && !is_named)
        posix_frames_check_object(address, kinds[kind]);
    void *record = slot_of(table.entries, table.capacity, (uintptr_t)address, kind)->record;
    const struct sct_object *object = record;
    // Destroyed, and the bytes say so no more: it is another one, not known yet.
    if (__builtin_expect(object && !object->name, 0) && !has_ended(address))
        return NULL;
    return record;
}

void *posix_object_new(const void *address, enum posix_kind kind, size_t bytes) {
    ASSERT(address && table.count < table.capacity);
    posix_twins_access(address, 1, true, NULL);
    if (2 * table.count >= table.capacity)
        reserve(2 * table.capacity);
    struct entry *entry = slot_of(table.entries, table.capacity, (uintptr_t)address, kind);
    ASSERT(!entry->address || entry->address == (uintptr_t)address);
    table.count += entry->address == 0;
    *entry = (struct entry){(uintptr_t)address, kind, arena_zalloc(sct_arena(), bytes)};
    return entry->record;
}

// All entries are looked at, as objects lie anywhere in the block: there are few, and blocks are
// freed seldom beside what else is done.
void posix_objects_forget(uintptr_t address, size_t bytes) {
    ASSERT(posix_controls());
    for (size_t i = 0; i < table.capacity; i++)
        // The entry stays: a free place would cut off those that were put behind it.
        if (table.entries[i].address - address < bytes)
            table.entries[i].record = NULL;
}

void posix_objects_visit(void (*visit)(void *context, enum posix_kind kind, const void *record,
                                       const void *address),
                         void *context) {
    for (size_t i = 0; i < table.capacity; i++)
        if (table.entries[i].address && table.entries[i].record)
            visit(context, table.entries[i].kind, table.entries[i].record,
                  (const void *)table.entries[i].address);
}

struct held {
    const char **names;
    uint32_t count, max;
};

// A record is what its kind says it is. Of the kinds that nobody holds [*object] is not used.
static bool is_mine(enum posix_kind kind, const void *record, const struct sct_object **object) {
    ASSERT(record && kind < POSIX_KINDS);
    const struct sct_lock *lock =
        kind == POSIX_MUTEX ? &((const struct posix_mutex *)record)->lock : record;
    const struct sct_rwlock *rwlock = record;
    *object = kind == POSIX_RWLOCK ? &rwlock->object : &lock->object;
    if (kind == POSIX_RWLOCK)
        return rwlock->object.name && (rwlock->writer == sct_self() || sct_rwlock_reads(rwlock));
    return (kind == POSIX_MUTEX || kind == POSIX_SPIN) && lock->holder == sct_self();
}

static void visit_held(void *context, enum posix_kind kind, const void *record,
                       const void *address) {
    struct held *held = context;
    const struct sct_object *object;
    (void)address;
    ASSERT(held->count <= held->max);
    if (held->count < held->max && is_mine(kind, record, &object))
        held->names[held->count++] = object->name;
}

uint32_t posix_locks_held(const char **names, uint32_t max) {
    struct held held = {names, 0, max};
    posix_objects_visit(visit_held, &held);
    return held.count;
}

// Whether another thread has the lock, or writes.
static bool is_of_another(const struct entry *entry) {
    const struct sct_lock *lock = entry->kind == POSIX_MUTEX
                                      ? &((const struct posix_mutex *)entry->record)->lock
                                      : entry->record;
    const struct sct_rwlock *rwlock = entry->record;
    const struct sct_strand *holder = entry->kind == POSIX_RWLOCK ? rwlock->writer : lock->holder;
    return holder && holder != sct_self();
}

const char *posix_lock_held_in(uintptr_t address, size_t bytes) {
    ASSERT(address + bytes >= address);
    for (size_t i = 0; i < table.capacity; i++) {
        const struct entry *entry = &table.entries[i];
        bool is_lock =
            entry->kind == POSIX_MUTEX || entry->kind == POSIX_SPIN || entry->kind == POSIX_RWLOCK;
        if (entry->address - address < bytes && entry->record && is_lock && is_of_another(entry))
            return ((const struct sct_object *)entry->record)->name;
    }
    return NULL;
}

const char *posix_object_title(const void *address, enum posix_kind kind) {
    ASSERT(kind < POSIX_KINDS && kinds[kind]);
    const char *variable = posix_variable(address);
    // By the order of first use in this execution, which is the same in a replay; addresses are not
    // the same in every build.
    return variable ? variable : posix_numbered(kinds[kind], ++posix_world.names_made[kind]);
}
