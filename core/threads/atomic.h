// Sequentially consistent atomics and marked accesses to plain variables, under control.
//
// An atomic is a 64-bit number (a pointer goes in as a uintptr_t). Every operation but init is a
// scheduling point before its effect and reads or writes one object, so strategies know which
// operations race. Weaker orders are not modelled: a program that is right here may still be wrong
// with them. Storage, names and lifetime: see core/threads/object.h.
#ifndef CORE_THREADS_ATOMIC_H
#define CORE_THREADS_ATOMIC_H

#include "core/base/api.h"
#include "core/threads/object.h"

struct sct_cell; // core/memory/shadow.h

// ---- Atomics -----------------------------------------------------------------------------------

struct sct_atomic {
    struct sct_object object;
    uint64_t value; // to be looked at directly only where nobody else runs (finish)
};

SCT_API void sct_atomic_init(struct sct_atomic *atomic, const char *name, uint64_t value);

// Whether this process has initialised any: then what it reports of is sequentially consistent.
bool sct_atomics_are_used(void);

#define sct_atomic_load(atomic) sct_atomic_load_at((atomic), HERE)
#define sct_atomic_store(atomic, value) sct_atomic_store_at((atomic), (value), HERE)

// The following return the old value; sums are modulo 2^64.
#define sct_atomic_exchange(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_EXCHANGE, (value), HERE)
#define sct_atomic_fetch_add(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_ADD, (value), HERE)
#define sct_atomic_fetch_sub(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_SUB, (value), HERE)
#define sct_atomic_fetch_and(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_AND, (value), HERE)
#define sct_atomic_fetch_or(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_OR, (value), HERE)
#define sct_atomic_fetch_xor(atomic, value) \
    sct_atomic_change_at((atomic), SCT_ATOMIC_XOR, (value), HERE)

// If the value is *[expected] it becomes [desired], and the result is true; else *[expected]
// becomes the value.
#define sct_atomic_compare_exchange(atomic, expected, desired) \
    sct_atomic_compare_exchange_at((atomic), (expected), (desired), HERE)

// The same, but may fail although the values are equal: a value choice then.
#define sct_atomic_compare_exchange_weak(atomic, expected, desired) \
    sct_atomic_compare_exchange_weak_at((atomic), (expected), (desired), HERE)

enum sct_atomic_change {
    SCT_ATOMIC_EXCHANGE,
    SCT_ATOMIC_ADD,
    SCT_ATOMIC_SUB,
    SCT_ATOMIC_AND,
    SCT_ATOMIC_OR,
    SCT_ATOMIC_XOR,
};

SCT_API uint64_t sct_atomic_load_at(struct sct_atomic *atomic, const char *where);
SCT_API void sct_atomic_store_at(struct sct_atomic *atomic, uint64_t value, const char *where);
SCT_API uint64_t sct_atomic_change_at(struct sct_atomic *atomic, enum sct_atomic_change change,
                                      uint64_t value, const char *where);
SCT_API bool sct_atomic_compare_exchange_at(struct sct_atomic *atomic, uint64_t *expected,
                                            uint64_t desired, const char *where);
SCT_API bool sct_atomic_compare_exchange_weak_at(struct sct_atomic *atomic, uint64_t *expected,
                                                 uint64_t desired, const char *where);

// ---- Plain variables ---------------------------------------------------------------------------

// Stands for one plain variable, or several that are used together; these are the program's own.
struct sct_shared {
    struct sct_object object;
    struct sct_cell *cell; // who has accessed it; NULL: the program has no memory
};

SCT_API void sct_shared_init(struct sct_shared *shared, const char *name);

// Scheduling point: what the caller does next, up to its next scheduling point, reads (or may
// write) what [shared] stands for. One access each: `x = x + 1` is a read, then a write.
#define sct_shared_read(shared) sct_shared_read_at((shared), HERE)
#define sct_shared_write(shared) sct_shared_write_at((shared), HERE)

SCT_API void sct_shared_read_at(struct sct_shared *shared, const char *where);
SCT_API void sct_shared_write_at(struct sct_shared *shared, const char *where);

#endif
