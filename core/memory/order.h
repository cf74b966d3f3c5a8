// The orders of C11's atomic operations.
//
// Stability: the numbers stay.
#ifndef CORE_MEMORY_ORDER_H
#define CORE_MEMORY_ORDER_H

#include <stdbool.h>

// As memory_order of <stdatomic.h>, with the same numbers as gcc's and clang's. Consume is acquire.
enum sct_order {
    SCT_RELAXED,
    SCT_CONSUME,
    SCT_ACQUIRE,
    SCT_RELEASE,
    SCT_ACQ_REL,
    SCT_SEQ_CST,
};

static inline bool sct_order_acquires(enum sct_order order) {
    return order != SCT_RELAXED && order != SCT_RELEASE;
}

static inline bool sct_order_releases(enum sct_order order) {
    return order >= SCT_RELEASE;
}

#endif
