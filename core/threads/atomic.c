#include "core/threads/atomic.h"
#include "core/engine/monitor.h"
#include "core/engine/state.h"

#include <inttypes.h>

static bool are_unshown; // for good: of all executions

bool sct_orders_are_unshown(void) {
    return are_unshown;
}

// Where states are compared; a program with a memory is not.
static void become(struct sct_atomic *atomic) {
    if (sct_comparing())
        sct_object_become(&atomic->object, (struct digest){atomic->value, 5});
}

void sct_atomic_init(struct sct_atomic *atomic, const char *name, uint64_t value) {
    sct_object_init(&atomic->object, "atomic", name);
    atomic->value = value;
    // The first value is a store like others, by who initialises it: who has not synchronised with
    // that reads it all the same, as there is no older one.
    atomic->location = sct_memory_now ? sct_location_new(sizeof value, value) : NULL;
    become(atomic);
}

// After an operation that might have changed the atomic from [old].
static void tell_change(const struct sct_atomic *atomic, uint64_t old) {
    // A store of what is there already, a compare-exchange that fails: for the fair tail this is no
    // progress, and a lock that spins on it spins (core/engine/monitor.h).
    if (atomic->value == old)
        sct_changed_nothing();
}

// ---- Scheduling points -------------------------------------------------------------------------

// A clean report must not look like one that has seen what weaker orders allow: it says so itself.
static void note_use(enum sct_order order) {
    if (order != SCT_SEQ_CST && !sct_memory_shows_orders())
        are_unshown = true;
}

static void touch_place(const struct sct_atomic *atomic, enum sct_atomic_kind operation,
                        enum sct_order order) {
    uint32_t key = atomic->object.number;
    const struct sct_access place = sct_memory_place(operation, order, key, key);
    sct_touch(&place);
}

// Before the step "[verb] NAME".
static void take_point(struct sct_atomic *atomic, const char *verb, enum sct_atomic_kind operation,
                       enum sct_order order, const char *where) {
    // The point says which atomic, for strategies; with a reduction the place says more: by order,
    // what a load may read and what a store may precede.
    sct_object_point(&atomic->object, verb, sct_memory_mode(operation), where);
    note_use(order);
    if (sct_reducing())
        touch_place(atomic, operation, order);
}

// ---- The story ---------------------------------------------------------------------------------

// Not of pointers, which are different in every process.
static bool may_tell(uint64_t a, uint64_t b) {
    return sct_narrating() && a <= UINT32_MAX && b <= UINT32_MAX;
}

static void tell_load(const struct sct_atomic *atomic, uint64_t value) {
    if (!may_tell(value, atomic->value))
        return;
    if (value == atomic->value)
        sct_note("%s is %" PRIu64, atomic->object.name, value);
    else
        sct_note("%s: reads %" PRIu64 ", though %" PRIu64 " is newer", atomic->object.name, value,
                 atomic->value);
}

static void tell_store(const struct sct_atomic *atomic, uint64_t old, uint64_t stored) {
    if (!may_tell(old, stored))
        return;
    if (atomic->value != stored)
        sct_note("%s: stores %" PRIu64 " before what is newer, %" PRIu64, atomic->object.name,
                 stored, atomic->value);
    else if (old == stored)
        sct_note("%s is %" PRIu64, atomic->object.name, old);
    else
        sct_note("%s: %" PRIu64 " becomes %" PRIu64, atomic->object.name, old, stored);
}

// ---- Operations --------------------------------------------------------------------------------

uint64_t sct_atomic_load_at(struct sct_atomic *atomic, enum sct_order order, const char *where) {
    REQUIRE(order != SCT_RELEASE && order != SCT_ACQ_REL, "a load that releases");
    take_point(atomic, "load", SCT_LOADS, order, where);
    // Under a memory the value may be an older store's; [atomic->value] is always the newest one.
    uint64_t value = atomic->location ? sct_location_load(atomic->location, order) : atomic->value;
    tell_load(atomic, value);
    sct_object_learn(value);
    return value;
}

void sct_atomic_store_at(struct sct_atomic *atomic, uint64_t value, enum sct_order order,
                         const char *where) {
    REQUIRE(order != SCT_CONSUME && order != SCT_ACQUIRE && order != SCT_ACQ_REL,
            "a store that acquires");
    take_point(atomic, "store", SCT_STORES, order, where);
    uint64_t old = atomic->value;
    atomic->value = value;
    if (atomic->location) {
        sct_location_store(atomic->location, value, order);
        atomic->value = sct_location_newest(atomic->location);
    }
    become(atomic);
    tell_change(atomic, old);
    tell_store(atomic, old, value);
}

static const char *const verbs[] = {
    [SCT_CHANGE_EXCHANGE] = "exchange", [SCT_CHANGE_ADD] = "fetch-add",
    [SCT_CHANGE_SUB] = "fetch-sub",     [SCT_CHANGE_AND] = "fetch-and",
    [SCT_CHANGE_OR] = "fetch-or",       [SCT_CHANGE_XOR] = "fetch-xor",
    [SCT_CHANGE_NAND] = "fetch-nand",
};

uint64_t sct_atomic_change_at(struct sct_atomic *atomic, enum sct_change change, uint64_t value,
                              enum sct_order order, const char *where) {
    ASSERT((size_t)change < sizeof verbs / sizeof verbs[0]);
    // One step: nobody comes between its load and its store, whatever the orders.
    take_point(atomic, verbs[change], SCT_UPDATES, order, where);
    // A read-modify-write reads the newest store in the order of its location, which need not be
    // the one that was made last.
    uint64_t old = atomic->value, newest = old;
    if (atomic->location) {
        old = sct_location_change(atomic->location, change, value, order);
        atomic->value = sct_location_newest(atomic->location);
    } else {
        atomic->value = sct_change_apply(change, old, value);
    }
    sct_object_learn(old);
    become(atomic);
    tell_change(atomic, newest);
    tell_store(atomic, old, sct_change_apply(change, old, value));
    return old;
}

// The exchange of an atomic that has one value; whether it succeeds.
static bool exchange_value(struct sct_atomic *atomic, struct sct_exchange *exchange) {
    // The choice only where it would succeed: where the values differ it fails anyway.
    ASSERT(!atomic->location);
    if (atomic->value == exchange->expected &&
        !(exchange->is_weak && sct_choose(2, "fail spuriously"))) {
        atomic->value = exchange->desired;
        return true;
    }
    exchange->expected = atomic->value;
    return false;
}

// Searches are told that it stores when it does.
static void take_exchange_point(struct sct_atomic *atomic, const struct sct_exchange_orders *orders,
                                const char *where) {
    enum sct_atomic_kind operation = sct_reducing() ? SCT_LOADS : SCT_UPDATES;
    sct_object_point(&atomic->object, "compare-exchange", sct_memory_mode(operation), where);
    // Whether it will succeed is not known before the step: what it touches is the larger of both.
    enum sct_order order = orders->failure == SCT_SEQ_CST ? SCT_SEQ_CST : orders->success;
    note_use(order);
    if (sct_reducing())
        touch_place(atomic, SCT_UPDATES, order);
}

bool sct_atomic_compare_exchange_at(struct sct_atomic *atomic, uint64_t *expected, uint64_t desired,
                                    struct sct_exchange_orders orders, const char *where) {
    REQUIRE(orders.failure != SCT_RELEASE && orders.failure != SCT_ACQ_REL,
            "a compare-exchange that releases where it fails");
    take_exchange_point(atomic, &orders, where);
    struct sct_exchange exchange = {*expected,      desired,        orders.success,
                                    orders.failure, orders.is_weak, false};
    uint64_t old = atomic->value;
    bool succeeds = atomic->location ? sct_location_exchange(atomic->location, &exchange)
                                     : exchange_value(atomic, &exchange);
    if (atomic->location)
        atomic->value = sct_location_newest(atomic->location);
    sct_object_learn(exchange.expected);
    become(atomic);
    tell_change(atomic, old);
    // One that fails has only read, and need not be ordered with other reads, unless a store that
    // another has taken would have made it succeed: then the order of the two matters.
    if (succeeds || exchange.is_too_late)
        sct_object_touch(&atomic->object, sct_memory_mode(SCT_UPDATES));
    if (succeeds)
        tell_store(atomic, exchange.expected, desired);
    else
        tell_load(atomic, exchange.expected);
    ASSERT(!succeeds || exchange.expected == *expected);
    *expected = exchange.expected;
    return succeeds;
}

void sct_fence_at(enum sct_order order, const char *where) {
    REQUIRE(order != SCT_RELAXED, "a relaxed fence");
    note_use(order);
    // The others change only what the running thread itself will read and publish later.
    if (order == SCT_SEQ_CST) {
        const struct sct_access place = sct_memory_place(SCT_FENCES, order, 0, 0);
        sct_point("fence", where, &place);
    }
    // Behind the point: those of SEQ_CST have one order, which is that of their steps.
    sct_memory_fence(order);
}

// ---- Plain variables ---------------------------------------------------------------------------

void sct_shared_init(struct sct_shared *shared, const char *name) {
    sct_object_init(&shared->object, "variable", name);
    shared->cell = sct_memory_now ? sct_cell_new() : NULL;
}

// A plain variable has a scheduling point like everything shared, so that a race is not only found
// by clocks but also seen, by what the other order does.
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
