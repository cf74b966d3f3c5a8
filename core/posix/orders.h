// Orders of atomic operations other than the program's, to find out which ones it lacks.
#ifndef CORE_POSIX_ORDERS_H
#define CORE_POSIX_ORDERS_H

#include "core/memory/memory.h"

#include <stdbool.h>

enum { POSIX_ORDER_PLACES = 64 };

// An operation in the program's code.
struct posix_order_place {
    const void *caller; // see places.h
    enum sct_atomic_kind kind;
    enum sct_order own;   // what the program says, of a compare-exchange if it succeeds
    enum sct_order tried; // what is done
};

struct posix_orders {
    bool are_used; // else nobody asks
    unsigned count;
    struct posix_order_place places[POSIX_ORDER_PLACES]; // in the order in which they were met
};

extern struct posix_orders posix_orders;

// The order to use for the operation at [caller] in place of [own]. A place that was not met before
// is added, with its own order.
enum sct_order posix_orders_at(const void *caller, enum sct_atomic_kind kind, enum sct_order own);

static inline enum sct_order posix_order(const void *caller, enum sct_atomic_kind kind,
                                         enum sct_order own) {
    return __builtin_expect(posix_orders.are_used, 0) ? posix_orders_at(caller, kind, own) : own;
}

#endif
