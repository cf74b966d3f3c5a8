// Atomic operations of the program: every one goes through here, with its order.
//
// A variable has 1, 2, 4 or 8 bytes. Under control an operation is a scheduling point before its
// effect; otherwise it is the processor's. [caller] is the return address of the call.
#ifndef CORE_POSIX_ATOMIC_H
#define CORE_POSIX_ATOMIC_H

#include "core/memory/location.h"

struct posix_atomic {
    volatile void *address;
    unsigned bytes;
    const void *caller;
};

// To be called when an execution begins.
void posix_atomics_begin(void);

uint64_t posix_atomic_load(struct posix_atomic atomic, enum sct_order order);
void posix_atomic_store(struct posix_atomic atomic, uint64_t value, enum sct_order order);

// Returns the old value.
uint64_t posix_atomic_change(struct posix_atomic atomic, enum sct_change change, uint64_t operand,
                             enum sct_order order);

bool posix_atomic_exchange(struct posix_atomic atomic, struct sct_exchange *exchange);

void posix_atomic_fence(enum sct_order order, const void *caller);

#endif
