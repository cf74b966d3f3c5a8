// Atomics with the orders of C11, fences, and marked accesses to plain variables, under control.
//
// An atomic is a 64-bit number (a pointer goes in as a uintptr_t). Every operation but init, and a
// fence of order SEQ_CST, is a scheduling point before its effect and reads or writes one object,
// so strategies know which operations race. What the orders mean is up to the program's memory
// (core/memory/memory.h): without one every operation is sequentially consistent, whatever its
// order, and a program that is right so may still be wrong with them. With a memory an operation
// may consume one value choice. Storage, names and lifetime: see core/threads/object.h.
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point. What a memory shows
// grows.
#ifndef CORE_THREADS_ATOMIC_H
#define CORE_THREADS_ATOMIC_H

#include "core/base/api.h"
#include "core/memory/location.h"
#include "core/memory/shadow.h"
#include "core/threads/object.h"

// ---- Atomics -----------------------------------------------------------------------------------

struct sct_atomic {
    struct sct_object object;
    uint64_t value; // the newest; to be looked at directly only where nobody else runs (finish)
    struct sct_location *location; // NULL: the program has no memory
};

SCT_API void sct_atomic_init(struct sct_atomic *atomic, const char *name, uint64_t value);

// Whether this process has run an operation of an order weaker than SEQ_CST of which its memory
// does not show all that C11 allows.
bool sct_orders_are_unshown(void);

#define sct_atomic_load(atomic) sct_atomic_load_explicit((atomic), SCT_SEQ_CST)
#define sct_atomic_store(atomic, value) sct_atomic_store_explicit((atomic), (value), SCT_SEQ_CST)

// The following return the old value; sums are modulo 2^64.
#define sct_atomic_exchange(atomic, value) \
    sct_atomic_exchange_explicit((atomic), (value), SCT_SEQ_CST)
#define sct_atomic_fetch_add(atomic, value) \
    sct_atomic_fetch_add_explicit((atomic), (value), SCT_SEQ_CST)
#define sct_atomic_fetch_sub(atomic, value) \
    sct_atomic_fetch_sub_explicit((atomic), (value), SCT_SEQ_CST)
#define sct_atomic_fetch_and(atomic, value) \
    sct_atomic_fetch_and_explicit((atomic), (value), SCT_SEQ_CST)
#define sct_atomic_fetch_or(atomic, value) \
    sct_atomic_fetch_or_explicit((atomic), (value), SCT_SEQ_CST)
#define sct_atomic_fetch_xor(atomic, value) \
    sct_atomic_fetch_xor_explicit((atomic), (value), SCT_SEQ_CST)

// If the value is *[expected] it becomes [desired], and the result is true; else *[expected]
// becomes the value.
#define sct_atomic_compare_exchange(atomic, expected, desired) \
    sct_atomic_compare_exchange_explicit((atomic), (expected), (desired), SCT_SEQ_CST, SCT_SEQ_CST)

// The same, but may fail although the values are equal: a value choice then.
#define sct_atomic_compare_exchange_weak(atomic, expected, desired)                         \
    sct_atomic_compare_exchange_weak_explicit((atomic), (expected), (desired), SCT_SEQ_CST, \
                                              SCT_SEQ_CST)

// The same with orders. As in C11 a load takes none that releases, a store none that acquires
// (program errors); the order of a failure takes none that releases.
#define sct_atomic_load_explicit(atomic, order) sct_atomic_load_at((atomic), (order), HERE)
#define sct_atomic_store_explicit(atomic, value, order) \
    sct_atomic_store_at((atomic), (value), (order), HERE)
#define sct_atomic_exchange_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_EXCHANGE, (value), (order), HERE)
#define sct_atomic_fetch_add_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_ADD, (value), (order), HERE)
#define sct_atomic_fetch_sub_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_SUB, (value), (order), HERE)
#define sct_atomic_fetch_and_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_AND, (value), (order), HERE)
#define sct_atomic_fetch_or_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_OR, (value), (order), HERE)
#define sct_atomic_fetch_xor_explicit(atomic, value, order) \
    sct_atomic_change_at((atomic), SCT_CHANGE_XOR, (value), (order), HERE)
#define sct_atomic_compare_exchange_explicit(atomic, expected, desired, success, failure)     \
    sct_atomic_compare_exchange_at((atomic), (expected), (desired),                           \
                                   (struct sct_exchange_orders){(success), (failure), false}, \
                                   HERE)
#define sct_atomic_compare_exchange_weak_explicit(atomic, expected, desired, success, failure) \
    sct_atomic_compare_exchange_at((atomic), (expected), (desired),                            \
                                   (struct sct_exchange_orders){(success), (failure), true}, HERE)

// A fence, of any order but RELAXED.
#define sct_fence(order) sct_fence_at((order), HERE)

struct sct_exchange_orders {
    enum sct_order success, failure;
    bool is_weak;
};

SCT_API uint64_t sct_atomic_load_at(struct sct_atomic *atomic, enum sct_order order,
                                    const char *where);
SCT_API void sct_atomic_store_at(struct sct_atomic *atomic, uint64_t value, enum sct_order order,
                                 const char *where);
SCT_API uint64_t sct_atomic_change_at(struct sct_atomic *atomic, enum sct_change change,
                                      uint64_t value, enum sct_order order, const char *where);
SCT_API bool sct_atomic_compare_exchange_at(struct sct_atomic *atomic, uint64_t *expected,
                                            uint64_t desired, struct sct_exchange_orders orders,
                                            const char *where);
SCT_API void sct_fence_at(enum sct_order order, const char *where);

// ---- Plain variables ---------------------------------------------------------------------------

// Stands for one plain variable, or several that are used together; these are the program's own.
struct sct_shared {
    struct sct_object object;
    struct sct_cell *cell; // who has accessed it; NULL: the program has no memory
};

SCT_API void sct_shared_init(struct sct_shared *shared, const char *name);

// Scheduling point: what the caller does next, up to its next scheduling point, reads (or may
// write) what [shared] stands for. One access each: `x = x + 1` is a read, then a write. Where the
// program's memory looks for races, two accesses that nothing orders are a violation of kind
// `data-race`.
#define sct_shared_read(shared) sct_shared_read_at((shared), HERE)
#define sct_shared_write(shared) sct_shared_write_at((shared), HERE)

SCT_API void sct_shared_read_at(struct sct_shared *shared, const char *where);
SCT_API void sct_shared_write_at(struct sct_shared *shared, const char *where);

#endif
