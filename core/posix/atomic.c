#include "core/posix/atomic.h"
#include "core/engine/inside.h"
#include "core/posix/await.h"
#include "core/posix/exit.h"
#include "core/posix/heap.h"
#include "core/posix/hook.h"
#include "core/posix/inspect.h"
#include "core/posix/orders.h"
#include "core/posix/twins.h"
#include "core/posix/variable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- Memory itself -----------------------------------------------------------------------------

// Values travel as 64 bits: an operand of the program's is cut to its size before it is compared.
_Static_assert(sizeof(uint64_t) >= sizeof(void *), "an atomic pointer fits into a value");

// By [order], a constant.
static inline uint64_t get_by(struct posix_atomic atomic, int order) {
    switch (atomic.bytes) {
    case 1:
        return __atomic_load_n((volatile uint8_t *)atomic.address, order);
    case 2:
        return __atomic_load_n((volatile uint16_t *)atomic.address, order);
    case 4:
        return __atomic_load_n((volatile uint32_t *)atomic.address, order);
    default:
        return __atomic_load_n((volatile uint64_t *)atomic.address, order);
    }
}

static inline void put_by(struct posix_atomic atomic, uint64_t value, int order) {
    switch (atomic.bytes) {
    case 1:
        __atomic_store_n((volatile uint8_t *)atomic.address, (uint8_t)value, order);
        break;
    case 2:
        __atomic_store_n((volatile uint16_t *)atomic.address, (uint16_t)value, order);
        break;
    case 4:
        __atomic_store_n((volatile uint32_t *)atomic.address, (uint32_t)value, order);
        break;
    default:
        __atomic_store_n((volatile uint64_t *)atomic.address, value, order);
    }
}

// SEQ_CST whatever the order: as strong at least as what the program asked for.
static uint64_t get(struct posix_atomic atomic) {
    return get_by(atomic, __ATOMIC_SEQ_CST);
}

static void put(struct posix_atomic atomic, uint64_t value) {
    put_by(atomic, value, __ATOMIC_SEQ_CST);
}

// If memory holds [expected] it becomes [desired]; whether it did. The one operation that the
// others are made of where nobody is under control and threads are the system's.
static bool swap(struct posix_atomic atomic, uint64_t expected, uint64_t desired) {
    enum { ORDER = __ATOMIC_SEQ_CST };
    // Of the size of the operation: the built-in writes what it has found over the value that it
    // was to find.
    uint8_t one = (uint8_t)expected;
    uint16_t two = (uint16_t)expected;
    uint32_t four = (uint32_t)expected;
    switch (atomic.bytes) {
    case 1:
        return __atomic_compare_exchange_n((volatile uint8_t *)atomic.address, &one,
                                           (uint8_t)desired, false, ORDER, ORDER);
    case 2:
        return __atomic_compare_exchange_n((volatile uint16_t *)atomic.address, &two,
                                           (uint16_t)desired, false, ORDER, ORDER);
    case 4:
        return __atomic_compare_exchange_n((volatile uint32_t *)atomic.address, &four,
                                           (uint32_t)desired, false, ORDER, ORDER);
    default:
        return __atomic_compare_exchange_n((volatile uint64_t *)atomic.address, &expected, desired,
                                           false, ORDER, ORDER);
    }
}

static uint64_t truncate_to(unsigned bytes, uint64_t value) {
    ASSERT(bytes >= 1 && bytes <= 8); // a shift by 64 or more is undefined
    return bytes == 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

// ---- What was used -----------------------------------------------------------------------------

enum { SHOWN_MAX = 64 };

struct shown {
    const char *name;
    struct posix_atomic atomic;
};

// Of an execution that is told.
static struct {
    uint32_t count;
    struct shown list[SHOWN_MAX];
} shown;

void posix_atomics_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    shown.count = 0;
}

static void show(struct posix_atomic atomic) {
    ASSERT(posix_world.is_told);
    const char *name = posix_variable((const void *)(uintptr_t)atomic.address);
    for (uint32_t i = 0; i < shown.count; i++)
        if (shown.list[i].atomic.address == atomic.address)
            return;
    // What has no symbol has no name that would mean the same in another execution.
    if (name && shown.count < SHOWN_MAX)
        shown.list[shown.count++] = (struct shown){name, atomic};
}

static int compare_shown(const void *a, const void *b) {
    return strcmp(((const struct shown *)a)->name, ((const struct shown *)b)->name);
}

void posix_atomics_inspect(void (*visit)(void *context, const char *name, uint64_t value),
                           void *context) {
    ASSERT(shown.count <= SHOWN_MAX);
    // By name: the order of first use is one of the schedule, and a page compares steps line by
    // line.
    qsort(shown.list, shown.count, sizeof shown.list[0], compare_shown);
    for (uint32_t i = 0; i < shown.count; i++)
        visit(context, shown.list[i].name, get(shown.list[i].atomic));
}

// ---- Points ------------------------------------------------------------------------------------

static const void *address_of(struct posix_atomic atomic) {
    return (const void *)(uintptr_t)atomic.address;
}

// What a step is called, and where it is: texts that stay as long as the process.
struct step {
    const void *address, *caller;
    const char *label, *where;
};

// The last ones that were asked for, which a loop asks for again and again.
enum { STEPS = 256 };
static struct step steps[STEPS];

// A call has one verb.
static inline const struct step *step_at(struct posix_atomic atomic, const char *verb) {
    const void *address = address_of(atomic);
    uint64_t hash =
        ((uintptr_t)address ^ (uintptr_t)atomic.caller << 3) * UINT64_C(0x9e3779b97f4a7c15);
    struct step *step = &steps[hash >> 56];
    // Two that meet in one place only take it from each other in turn: their texts stay, and to ask
    // for them again is slower, not wrong.
    if (__builtin_expect(step->address != address || step->caller != atomic.caller, 0))
        *step = (struct step){address, atomic.caller, posix_variable_step(verb, address),
                              posix_place(atomic.caller)};
    return step;
}
_Static_assert(STEPS == 1 << 8, "eight bits of a hash choose one");

// (C11, 6.3.2.3, 7: such a pointer is undefined already when it is made. Where processors do it at
// all it is not one access: it may be torn.)
_Noreturn __attribute__((noinline, cold)) static void refuse_misaligned(struct posix_atomic atomic,
                                                                        const char *verb) {
    posix_violate(SCT_KIND_PROGRAM_ERROR, posix_place(atomic.caller),
                  "misaligned: an atomic %s of %u bytes at an address that is no multiple of %u",
                  verb, atomic.bytes, atomic.bytes);
}

// Takes the point, and finds what is known of the variable then. [look] NULL: it does not read.
// Made anew for each kind of operation, so that what they differ in is not asked at run time.
__attribute__((always_inline)) static inline struct sct_location *
take_point(struct posix_atomic atomic, struct posix_look *look, const char *verb,
           enum sct_atomic_kind kind, bool is_exchange, enum sct_order order) {
    ASSERT(posix_world.in_tool == 0);
    const void *address = address_of(atomic);
    if (__builtin_expect(((uintptr_t)address & (atomic.bytes - 1)) != 0, 0))
        refuse_misaligned(atomic, verb);
    // Searches are told that a compare-exchange stores when it does (posix_atomic_exchange).
    bool may_fail = kind == SCT_UPDATES && is_exchange && sct_reducing();
    const struct sct_access access =
        posix_access(address, atomic.bytes, sct_memory_mode(may_fail ? SCT_LOADS : kind));
    const struct step *step = step_at(atomic, verb);
    if (look) {
        look->where = step->where;
        posix_look_point(look, step->label, &access);
    } else {
        sct_point(step->label, step->where, &access);
    }
    if (__builtin_expect(posix_world.is_told, 0))
        show(atomic);
    posix_memory_access(address, atomic.bytes,
                        kind == SCT_LOADS ? SCT_ATOMIC_READ : SCT_ATOMIC_WRITE, atomic.caller);
    // For searches with a reduction: how steps on one location depend on each other is a matter of
    // their orders, and of other locations too, which the access at the point does not say.
    if (sct_reducing()) {
        const struct sct_access place = sct_memory_place(kind, order, access.low, access.high);
        sct_touch(&place);
    }
    // (One thread runs at a time and the model decides what is read: memory needs no order of its
    // own, which on x86-64 would cost a store a locked instruction.)
    // Behind the point: before it the others may still have stored, or freed the memory, and what
    // is known of the variable would be out of date.
    struct sct_location *location =
        sct_location_at((uintptr_t)address, atomic.bytes, get_by(atomic, __ATOMIC_RELAXED));
    sct_location_place(atomic.caller);
    if (look)
        posix_look_limit(look);
    return location;
}

// The newest store is in memory, and whoever waits for it may have a look.
static void publish(struct posix_atomic atomic, const struct sct_location *location) {
    // Not what was stored just now: under c11 a store may come before one that is there already.
    put_by(atomic, sct_location_newest(location), __ATOMIC_RELAXED);
    posix_look_change(address_of(atomic), atomic.bytes);
}

// ---- The story ---------------------------------------------------------------------------------

// Memory holds the newest store's value; others may be read.
static const char *name_of(struct posix_atomic atomic) {
    const void *address = (const void *)(uintptr_t)atomic.address;
    const char *name = posix_variable(address);
    return name ? name : posix_is_heap(address) ? "the heap" : "a stack";
}

static void tell_load(struct posix_atomic atomic, uint64_t value) {
    uint64_t newest = get(atomic);
    const char *name = name_of(atomic);
    if (value == newest)
        sct_note("reads %" PRIu64 " from %s", value, name);
    else
        sct_note("reads %" PRIu64 " from %s, though %" PRIu64 " is newer", value, name, newest);
}

static void tell_store(struct posix_atomic atomic, uint64_t value) {
    uint64_t newest = get(atomic);
    const char *name = name_of(atomic);
    if (value == newest)
        sct_note("writes %" PRIu64 " to %s", value, name);
    else
        sct_note("writes %" PRIu64 " to %s, before what is newer, %" PRIu64, value, name, newest);
}

// ---- Operations --------------------------------------------------------------------------------

uint64_t posix_atomic_load(struct posix_atomic atomic, enum sct_order order) {
    if (!posix_controls())
        return get(atomic);
    order = posix_order(atomic.caller, SCT_LOADS, order);
    // First, while the registers that the hook has kept are still those of this call: at the point
    // others run, and keep theirs in the same place (await.h).
    struct posix_look look;
    posix_look_begin(&look, address_of(atomic), atomic.bytes, atomic.caller, false);
    struct sct_location *location = take_point(atomic, &look, "load", SCT_LOADS, false, order);
    uint64_t value = sct_location_load(location, order);
    posix_look_end(&look, location, value, POSIX_LOOK_READ);
    if (__builtin_expect(posix_world.is_told, 0))
        tell_load(atomic, value);
    return value;
}

void posix_atomic_store(struct posix_atomic atomic, uint64_t value, enum sct_order order) {
    value = truncate_to(atomic.bytes, value);
    if (!posix_controls()) {
        put(atomic, value);
        return;
    }
    order = posix_order(atomic.caller, SCT_STORES, order);
    struct sct_location *location = take_point(atomic, NULL, "store", SCT_STORES, false, order);
    sct_location_store(location, value, order);
    publish(atomic, location);
    if (__builtin_expect(posix_world.is_told, 0))
        tell_store(atomic, value);
}

// As the processor does it.
static uint64_t change_memory(struct posix_atomic atomic, enum sct_change change,
                              uint64_t operand) {
    uint64_t old;
    ASSERT(!posix_controls());
    do
        old = get(atomic);
    while (!swap(atomic, old, truncate_to(atomic.bytes, sct_change_apply(change, old, operand))));
    return old;
}

uint64_t posix_atomic_change(struct posix_atomic atomic, enum sct_change change, uint64_t operand,
                             enum sct_order order) {
    static const char *const verbs[] = {
        [SCT_CHANGE_EXCHANGE] = "exchange", [SCT_CHANGE_ADD] = "add", [SCT_CHANGE_SUB] = "subtract",
        [SCT_CHANGE_AND] = "and",           [SCT_CHANGE_OR] = "or",   [SCT_CHANGE_XOR] = "xor",
        [SCT_CHANGE_NAND] = "nand",
    };
    ASSERT((size_t)change < sizeof verbs / sizeof verbs[0]);
    if (!posix_controls())
        return change_memory(atomic, change, operand);
    order = posix_order(atomic.caller, SCT_UPDATES, order);
    struct posix_look look;
    posix_look_begin(&look, address_of(atomic), atomic.bytes, atomic.caller, true);
    struct sct_location *location =
        take_point(atomic, &look, verbs[change], SCT_UPDATES, false, order);
    uint64_t old = sct_location_change(location, change, operand, order);
    uint64_t new = truncate_to(atomic.bytes, sct_change_apply(change, old, operand));
    publish(atomic, location);
    // Only where the value stays is it a look (await.h): a spinning exchange that finds the lock
    // taken writes what was there.
    if (old == new)
        posix_look_end(&look, location, old, POSIX_LOOK_UPDATE);
    if (__builtin_expect(posix_world.is_told, 0))
        sct_note("reads %" PRIu64 " from %s, writes %" PRIu64, old, name_of(atomic), new);
    return old;
}

static bool exchange_memory(struct posix_atomic atomic, struct sct_exchange *exchange) {
    ASSERT(!posix_controls());
    while (!swap(atomic, exchange->expected, exchange->desired)) {
        uint64_t found = get(atomic);
        if (found == exchange->expected)
            continue; // it has come back meanwhile
        exchange->expected = found;
        return false;
    }
    return true;
}

// Where it fails it is as strong as it can be beside the order of its success, if that is another.
// (C11, 7.17.7.4: the order of failure is neither release nor acq_rel.)
static void use_orders(struct posix_atomic atomic, struct sct_exchange *exchange) {
    enum sct_order order = posix_order(atomic.caller, SCT_UPDATES, exchange->success);
    if (order == exchange->success)
        return;
    exchange->success = order;
    if (order == SCT_SEQ_CST)
        exchange->failure = SCT_SEQ_CST;
    else if (sct_order_acquires(order) && exchange->failure == SCT_RELAXED)
        exchange->failure = SCT_ACQUIRE;
}

bool posix_atomic_exchange(struct posix_atomic atomic, struct sct_exchange *exchange) {
    exchange->expected = truncate_to(atomic.bytes, exchange->expected);
    exchange->desired = truncate_to(atomic.bytes, exchange->desired);
    if (!posix_controls())
        return exchange_memory(atomic, exchange);
    use_orders(atomic, exchange);
    // What the point declares is the stronger of both: whether it succeeds is only known behind it.
    enum sct_order order = exchange->failure == SCT_SEQ_CST ? SCT_SEQ_CST : exchange->success;
    struct posix_look look;
    posix_look_begin(&look, address_of(atomic), atomic.bytes, atomic.caller, true);
    // Not again and again, which no loop would survive.
    exchange->is_weak = exchange->is_weak && posix_world.options.wakes_spuriously && !look.round;
    uint64_t expected = exchange->expected;
    struct sct_location *location =
        take_point(atomic, &look, "compare-exchange", SCT_UPDATES, true, order);
    bool has_swapped = sct_location_exchange(location, exchange);
    ASSERT(!has_swapped || exchange->expected == expected);
    // One that fails has only read, and need not be ordered with other reads, unless a store that
    // another has taken would have made it succeed: then the order of the two matters.
    if (sct_reducing() && (has_swapped || exchange->is_too_late)) {
        const struct sct_access access =
            posix_access(address_of(atomic), atomic.bytes, sct_memory_mode(SCT_UPDATES));
        sct_touch(&access);
    }
    if (has_swapped)
        publish(atomic, location);
    // One that has found what it expects, and failed, may succeed at the next try though nobody has
    // changed anything: it must not wait for that.
    if (!has_swapped)
        posix_look_end(&look, location, exchange->expected,
                       exchange->expected == expected ? POSIX_LOOK_SPURIOUS : POSIX_LOOK_READ);
    else if (expected == exchange->desired)
        posix_look_end(&look, location, expected, POSIX_LOOK_UPDATE);
    if (posix_world.is_told && has_swapped)
        tell_store(atomic, exchange->desired);
    else if (posix_world.is_told)
        tell_load(atomic, exchange->expected);
    return has_swapped;
}

void posix_atomic_fence(enum sct_order order, const void *caller) {
    if (!posix_controls()) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST); // as strong as any that was asked for
        return;
    }
    order = posix_order(caller, SCT_FENCES, order);
    posix_twins_access(NULL, 0, true, caller);
    // A weaker fence orders what its own thread has done and will do: it is the same wherever it
    // stands among the steps of others, so it is no step. Those of SEQ_CST have one order.
    if (order == SCT_SEQ_CST) {
        const struct sct_access place = sct_memory_place(SCT_FENCES, order, 0, 0);
        sct_point("fence", posix_place(caller), &place);
    }
    if (order != SCT_RELAXED)
        sct_memory_fence(order);
}
