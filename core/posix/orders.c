#include "core/posix/orders.h"

struct posix_orders posix_orders;

enum sct_order posix_orders_at(const void *caller, enum sct_atomic_kind kind, enum sct_order own) {
    // The same operation is the same place in every execution: return addresses do not change. One
    // beyond the room keeps its own order and is just not tried.
    struct posix_orders *orders = &posix_orders;
    ASSERT(orders->are_used && orders->count <= POSIX_ORDER_PLACES);
    // One by one: they are few, and asked for only while orders are tried.
    unsigned i = 0;
    while (i < orders->count && orders->places[i].caller != caller)
        i++;
    ASSERT(i == orders->count || orders->places[i].kind == kind);
    if (i < orders->count)
        return orders->places[i].tried;
    if (i < POSIX_ORDER_PLACES)
        orders->places[orders->count++] = (struct posix_order_place){caller, kind, own, own};
    return own;
}
