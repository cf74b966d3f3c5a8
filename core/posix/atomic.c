#include "core/posix/atomic.h"
#include "core/posix/hook.h"
#include "core/posix/variable.h"

#include <inttypes.h>

// ---- Memory itself -----------------------------------------------------------------------------

static uint64_t get(struct posix_atomic atomic) {
    switch (atomic.bytes) {
    case 1:
        return __atomic_load_n((volatile uint8_t *)atomic.address, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_load_n((volatile uint16_t *)atomic.address, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_load_n((volatile uint32_t *)atomic.address, __ATOMIC_SEQ_CST);
    default:
        return __atomic_load_n((volatile uint64_t *)atomic.address, __ATOMIC_SEQ_CST);
    }
}

static void put(struct posix_atomic atomic, uint64_t value) {
    switch (atomic.bytes) {
    case 1:
        __atomic_store_n((volatile uint8_t *)atomic.address, (uint8_t)value, __ATOMIC_SEQ_CST);
        break;
    case 2:
        __atomic_store_n((volatile uint16_t *)atomic.address, (uint16_t)value, __ATOMIC_SEQ_CST);
        break;
    case 4:
        __atomic_store_n((volatile uint32_t *)atomic.address, (uint32_t)value, __ATOMIC_SEQ_CST);
        break;
    default:
        __atomic_store_n((volatile uint64_t *)atomic.address, value, __ATOMIC_SEQ_CST);
    }
}

// If memory holds [expected] it becomes [desired]; whether it did. The one operation that the
// others are made of where nobody is under control and threads are the system's.
static bool swap(struct posix_atomic atomic, uint64_t expected, uint64_t desired) {
    enum { ORDER = __ATOMIC_SEQ_CST };
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
    return bytes == 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

// ---- Points ------------------------------------------------------------------------------------

static void point(struct posix_atomic atomic, const char *verb, enum sct_access_mode mode) {
    const void *address = (const void *)(uintptr_t)atomic.address;
    const struct sct_access access = posix_access(address, atomic.bytes, mode);
    sct_point(posix_variable_step(verb, address), posix_place(atomic.caller), &access);
}

__attribute__((noinline, cold)) static void tell(const char *what, uint64_t value) {
    sct_note("%s %" PRIu64, what, value);
}

// ---- Operations --------------------------------------------------------------------------------

uint64_t posix_atomic_load(struct posix_atomic atomic, enum sct_order order) {
    (void)order;
    if (!posix_controls())
        return get(atomic);
    point(atomic, "load", SCT_ACCESS_READ);
    uint64_t value = get(atomic);
    if (sct_narrating())
        tell("reads", value);
    return value;
}

void posix_atomic_store(struct posix_atomic atomic, uint64_t value, enum sct_order order) {
    (void)order;
    value = truncate_to(atomic.bytes, value);
    if (posix_controls()) {
        point(atomic, "store", SCT_ACCESS_WRITE);
        if (sct_narrating())
            tell("writes", value);
    }
    put(atomic, value);
}

static const char *const change_verbs[] = {
    [SCT_CHANGE_EXCHANGE] = "exchange", [SCT_CHANGE_ADD] = "add", [SCT_CHANGE_SUB] = "subtract",
    [SCT_CHANGE_AND] = "and",           [SCT_CHANGE_OR] = "or",   [SCT_CHANGE_XOR] = "xor",
    [SCT_CHANGE_NAND] = "nand",
};

static uint64_t apply(enum sct_change change, uint64_t old, uint64_t operand) {
    switch (change) {
    case SCT_CHANGE_ADD:
        return old + operand;
    case SCT_CHANGE_SUB:
        return old - operand;
    case SCT_CHANGE_AND:
        return old & operand;
    case SCT_CHANGE_OR:
        return old | operand;
    case SCT_CHANGE_XOR:
        return old ^ operand;
    case SCT_CHANGE_NAND:
        return ~(old & operand);
    case SCT_CHANGE_EXCHANGE:
    default:
        return operand;
    }
}

uint64_t posix_atomic_change(struct posix_atomic atomic, enum sct_change change, uint64_t operand,
                             enum sct_order order) {
    (void)order;
    bool is_controlled = posix_controls();
    if (is_controlled)
        point(atomic, change_verbs[change], SCT_ACCESS_WRITE);
    uint64_t old, value;
    do {
        old = get(atomic);
        value = truncate_to(atomic.bytes, apply(change, old, operand));
    } while (!swap(atomic, old, value));
    if (is_controlled && sct_narrating())
        sct_note("reads %" PRIu64 ", writes %" PRIu64, old, value);
    return old;
}

bool posix_atomic_exchange(struct posix_atomic atomic, struct sct_exchange *exchange) {
    exchange->expected = truncate_to(atomic.bytes, exchange->expected);
    exchange->desired = truncate_to(atomic.bytes, exchange->desired);
    bool is_controlled = posix_controls();
    if (is_controlled)
        point(atomic, "compare-exchange", SCT_ACCESS_WRITE);
    bool has_swapped = swap(atomic, exchange->expected, exchange->desired);
    if (!has_swapped)
        exchange->expected = get(atomic);
    if (is_controlled && sct_narrating())
        tell(has_swapped ? "finds what it expects, writes" : "fails, reads",
             has_swapped ? exchange->desired : exchange->expected);
    return has_swapped;
}

void posix_atomic_fence(enum sct_order order, const void *caller) {
    (void)caller;
    (void)order;
    if (!posix_controls())
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
