// The calls that compilers make for atomic operations under -fsanitize=thread, as of
// tsan_interface_atomic.h in compiler-rt. The library in compiler-rt has 128-bit ones, too;
// programs that use those are not linked.
#include "core/posix/atomic.h"
#include "core/posix/hook.h"
#include "core/posix/registers.h"

// Orders come as the numbers of C11's memory_order, and are used as they come.
_Static_assert((int)SCT_RELAXED == __ATOMIC_RELAXED, "memory_order_relaxed");
_Static_assert((int)SCT_CONSUME == __ATOMIC_CONSUME, "memory_order_consume");
_Static_assert((int)SCT_ACQUIRE == __ATOMIC_ACQUIRE, "memory_order_acquire");
_Static_assert((int)SCT_RELEASE == __ATOMIC_RELEASE, "memory_order_release");
_Static_assert((int)SCT_ACQ_REL == __ATOMIC_ACQ_REL, "memory_order_acq_rel");
_Static_assert((int)SCT_SEQ_CST == __ATOMIC_SEQ_CST, "memory_order_seq_cst");

#define AT(target, size)                                     \
    (struct posix_atomic) {                                  \
        (volatile void *)(uintptr_t)(target), (size), CALLER \
    }

#define CHANGE_HOOK(bits, type, name, change)                                                \
    HOOK_WITH_REGISTERS(__tsan_atomic##bits##_##name, posix_atomic##bits##_##name)           \
    type posix_atomic##bits##_##name(volatile type *target, type operand, int order);        \
    INNER type posix_atomic##bits##_##name(volatile type *target, type operand, int order) { \
        return (type)posix_atomic_change(AT(target, sizeof(type)), (change), operand,        \
                                         (enum sct_order)order);                             \
    }

#define EXCHANGE_HOOK(bits, type, name, is_weak_one)                                          \
    HOOK_WITH_REGISTERS(__tsan_atomic##bits##_compare_exchange_##name,                        \
                        posix_atomic##bits##_compare_exchange_##name)                         \
    int posix_atomic##bits##_compare_exchange_##name(volatile type *target, type *expected,   \
                                                     type desired, int success, int failure); \
    INNER int posix_atomic##bits##_compare_exchange_##name(                                   \
        volatile type *target, type *expected, type desired, int success, int failure) {      \
        struct sct_exchange exchange = {                                                      \
            *expected,     desired, (enum sct_order)success, (enum sct_order)failure,         \
            (is_weak_one), false};                                                            \
        bool is_done = posix_atomic_exchange(AT(target, sizeof(type)), &exchange);            \
        if (!is_done)                                                                         \
            *expected = (type)exchange.expected;                                              \
        return is_done;                                                                       \
    }

#define LOAD_HOOK(bits, type)                                                            \
    HOOK_WITH_REGISTERS(__tsan_atomic##bits##_load, posix_atomic##bits##_load)           \
    type posix_atomic##bits##_load(const volatile type *target, int order);              \
    INNER type posix_atomic##bits##_load(const volatile type *target, int order) {       \
        return (type)posix_atomic_load(AT(target, sizeof(type)), (enum sct_order)order); \
    }

#define STORE_HOOK(bits, type)                                                            \
    void __tsan_atomic##bits##_store(volatile type *target, type value, int order);       \
    HOOK void __tsan_atomic##bits##_store(volatile type *target, type value, int order) { \
        posix_atomic_store(AT(target, sizeof(type)), value, (enum sct_order)order);       \
    }

// What clang calls for both kinds of compare-exchange: it returns what was there. So a weak one is
// taken for strong; which it was is not in the call.
#define VALUE_HOOK(bits, type)                                                                     \
    HOOK_WITH_REGISTERS(__tsan_atomic##bits##_compare_exchange_val,                                \
                        posix_atomic##bits##_compare_exchange_val)                                 \
    type posix_atomic##bits##_compare_exchange_val(volatile type *target, type expected,           \
                                                   type desired, int success, int failure);        \
    INNER type posix_atomic##bits##_compare_exchange_val(volatile type *target, type expected,     \
                                                         type desired, int success, int failure) { \
        struct sct_exchange exchange = {                                                           \
            expected, desired, (enum sct_order)success, (enum sct_order)failure, false, false};    \
        posix_atomic_exchange(AT(target, sizeof(type)), &exchange);                                \
        return (type)exchange.expected;                                                            \
    }

LOAD_HOOK(8, uint8_t)
LOAD_HOOK(16, uint16_t)
LOAD_HOOK(32, uint32_t)
LOAD_HOOK(64, uint64_t)
STORE_HOOK(8, uint8_t)
STORE_HOOK(16, uint16_t)
STORE_HOOK(32, uint32_t)
STORE_HOOK(64, uint64_t)
CHANGE_HOOK(8, uint8_t, exchange, SCT_CHANGE_EXCHANGE)
CHANGE_HOOK(16, uint16_t, exchange, SCT_CHANGE_EXCHANGE)
CHANGE_HOOK(32, uint32_t, exchange, SCT_CHANGE_EXCHANGE)
CHANGE_HOOK(64, uint64_t, exchange, SCT_CHANGE_EXCHANGE)
CHANGE_HOOK(8, uint8_t, fetch_add, SCT_CHANGE_ADD)
CHANGE_HOOK(16, uint16_t, fetch_add, SCT_CHANGE_ADD)
CHANGE_HOOK(32, uint32_t, fetch_add, SCT_CHANGE_ADD)
CHANGE_HOOK(64, uint64_t, fetch_add, SCT_CHANGE_ADD)
CHANGE_HOOK(8, uint8_t, fetch_sub, SCT_CHANGE_SUB)
CHANGE_HOOK(16, uint16_t, fetch_sub, SCT_CHANGE_SUB)
CHANGE_HOOK(32, uint32_t, fetch_sub, SCT_CHANGE_SUB)
CHANGE_HOOK(64, uint64_t, fetch_sub, SCT_CHANGE_SUB)
CHANGE_HOOK(8, uint8_t, fetch_and, SCT_CHANGE_AND)
CHANGE_HOOK(16, uint16_t, fetch_and, SCT_CHANGE_AND)
CHANGE_HOOK(32, uint32_t, fetch_and, SCT_CHANGE_AND)
CHANGE_HOOK(64, uint64_t, fetch_and, SCT_CHANGE_AND)
CHANGE_HOOK(8, uint8_t, fetch_or, SCT_CHANGE_OR)
CHANGE_HOOK(16, uint16_t, fetch_or, SCT_CHANGE_OR)
CHANGE_HOOK(32, uint32_t, fetch_or, SCT_CHANGE_OR)
CHANGE_HOOK(64, uint64_t, fetch_or, SCT_CHANGE_OR)
CHANGE_HOOK(8, uint8_t, fetch_xor, SCT_CHANGE_XOR)
CHANGE_HOOK(16, uint16_t, fetch_xor, SCT_CHANGE_XOR)
CHANGE_HOOK(32, uint32_t, fetch_xor, SCT_CHANGE_XOR)
CHANGE_HOOK(64, uint64_t, fetch_xor, SCT_CHANGE_XOR)
CHANGE_HOOK(8, uint8_t, fetch_nand, SCT_CHANGE_NAND)
CHANGE_HOOK(16, uint16_t, fetch_nand, SCT_CHANGE_NAND)
CHANGE_HOOK(32, uint32_t, fetch_nand, SCT_CHANGE_NAND)
CHANGE_HOOK(64, uint64_t, fetch_nand, SCT_CHANGE_NAND)
EXCHANGE_HOOK(8, uint8_t, strong, false)
EXCHANGE_HOOK(16, uint16_t, strong, false)
EXCHANGE_HOOK(32, uint32_t, strong, false)
EXCHANGE_HOOK(64, uint64_t, strong, false)
EXCHANGE_HOOK(8, uint8_t, weak, true)
EXCHANGE_HOOK(16, uint16_t, weak, true)
EXCHANGE_HOOK(32, uint32_t, weak, true)
EXCHANGE_HOOK(64, uint64_t, weak, true)
VALUE_HOOK(8, uint8_t)
VALUE_HOOK(16, uint16_t)
VALUE_HOOK(32, uint32_t)
VALUE_HOOK(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
HOOK void __tsan_atomic_thread_fence(int order) {
    posix_atomic_fence((enum sct_order)order, CALLER);
}

// Between a thread and its own signal handlers, which run inside calls of the thread: they see all
// in order.
void __tsan_atomic_signal_fence(int order);
HOOK void __tsan_atomic_signal_fence(int order) {
    (void)order;
}
