#include "core/threads/atomic.h"
#include "core/memory/shadow.h"

#include <inttypes.h>

static bool are_used; // for good: of all executions

bool sct_atomics_are_used(void) {
    return are_used;
}

static void become(struct sct_atomic *atomic) {
    if (sct_comparing())
        sct_object_become(&atomic->object, (struct digest){atomic->value, 5});
}

void sct_atomic_init(struct sct_atomic *atomic, const char *name, uint64_t value) {
    are_used = true;
    sct_object_init(&atomic->object, "atomic", name);
    atomic->value = value;
    become(atomic);
}

// Tells what a step did; not of pointers, which are different in every process.
static void tell(const struct sct_atomic *atomic, uint64_t old, uint64_t new) {
    if (!sct_narrating() || old > UINT32_MAX || new > UINT32_MAX)
        return;
    if (old == new)
        sct_note("%s is %" PRIu64, atomic->object.name, old);
    else
        sct_note("%s: %" PRIu64 " becomes %" PRIu64, atomic->object.name, old, new);
}

static void set(struct sct_atomic *atomic, uint64_t value) {
    uint64_t old = atomic->value;
    atomic->value = value;
    become(atomic);
    tell(atomic, old, value);
}

uint64_t sct_atomic_load_at(struct sct_atomic *atomic, const char *where) {
    sct_object_point(&atomic->object, "load", SCT_ACCESS_READ, where);
    tell(atomic, atomic->value, atomic->value);
    sct_object_learn(atomic->value);
    return atomic->value;
}

void sct_atomic_store_at(struct sct_atomic *atomic, uint64_t value, const char *where) {
    sct_object_point(&atomic->object, "store", SCT_ACCESS_WRITE, where);
    set(atomic, value);
}

static const char *const verbs[] = {
    [SCT_ATOMIC_EXCHANGE] = "exchange", [SCT_ATOMIC_ADD] = "fetch-add",
    [SCT_ATOMIC_SUB] = "fetch-sub",     [SCT_ATOMIC_AND] = "fetch-and",
    [SCT_ATOMIC_OR] = "fetch-or",       [SCT_ATOMIC_XOR] = "fetch-xor",
};

static uint64_t changed(enum sct_atomic_change change, uint64_t old, uint64_t value) {
    switch (change) {
    case SCT_ATOMIC_EXCHANGE:
        return value;
    case SCT_ATOMIC_ADD:
        return old + value;
    case SCT_ATOMIC_SUB:
        return old - value;
    case SCT_ATOMIC_AND:
        return old & value;
    case SCT_ATOMIC_OR:
        return old | value;
    case SCT_ATOMIC_XOR:
        return old ^ value;
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown change %d of an atomic", (int)change);
}

uint64_t sct_atomic_change_at(struct sct_atomic *atomic, enum sct_atomic_change change,
                              uint64_t value, const char *where) {
    sct_object_point(&atomic->object, verbs[change], SCT_ACCESS_WRITE, where);
    uint64_t old = atomic->value;
    sct_object_learn(old);
    set(atomic, changed(change, old, value));
    return old;
}

bool sct_atomic_compare_exchange_at(struct sct_atomic *atomic, uint64_t *expected, uint64_t desired,
                                    const char *where) {
    sct_object_point(&atomic->object, "compare-exchange", SCT_ACCESS_WRITE, where);
    sct_object_learn(atomic->value);
    if (atomic->value == *expected) {
        set(atomic, desired);
        return true;
    }
    tell(atomic, atomic->value, atomic->value);
    *expected = atomic->value;
    return false;
}

bool sct_atomic_compare_exchange_weak_at(struct sct_atomic *atomic, uint64_t *expected,
                                         uint64_t desired, const char *where) {
    sct_object_point(&atomic->object, "compare-exchange", SCT_ACCESS_WRITE, where);
    sct_object_learn(atomic->value);
    if (atomic->value == *expected && !sct_choose(2, "fail spuriously")) {
        set(atomic, desired);
        return true;
    }
    tell(atomic, atomic->value, atomic->value);
    *expected = atomic->value;
    return false;
}

void sct_shared_init(struct sct_shared *shared, const char *name) {
    sct_object_init(&shared->object, "variable", name);
    shared->cell = sct_memory_now ? sct_cell_new() : NULL;
}

static void access_shared(struct sct_shared *shared, enum sct_access_kind kind, const char *where) {
    if (shared->cell)
        sct_cell_access(shared->cell, kind, where, shared->object.name);
}

void sct_shared_read_at(struct sct_shared *shared, const char *where) {
    sct_object_point(&shared->object, "read", SCT_ACCESS_READ, where);
    access_shared(shared, SCT_PLAIN_READ, where);
}

void sct_shared_write_at(struct sct_shared *shared, const char *where) {
    sct_object_point(&shared->object, "write", SCT_ACCESS_WRITE, where);
    access_shared(shared, SCT_PLAIN_WRITE, where);
}
