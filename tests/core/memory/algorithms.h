// Algorithms that are right or wrong by their memory orders, and by nothing else. The planted
// errors are the usual ones.
#ifndef TESTS_CORE_MEMORY_ALGORITHMS_H
#define TESTS_CORE_MEMORY_ALGORITHMS_H

#include "core/engine/inside.h"
#include "tests/support/programs.h"

#include "core/memory/race.h"
#include "core/threads/atomic.h"
#include "core/threads/thread.h"

// Two threads whose first steps touch nothing.
static inline void start_two(void (*first)(void *), void (*second)(void *), void *of_second) {
    sct_task_start_with(sct_machine_create("a"), "main", first, NULL, &sct_access_none);
    sct_task_start_with(sct_machine_create("b"), "main", second, of_second, &sct_access_none);
}

// The orders of a variant, by what the operation is for.
struct orders {
    enum sct_order store, load, fence;
};

static const struct orders *orders;

// ---- Mutual exclusion --------------------------------------------------------------------------

// Each asks once whether it may enter; who may not gives up.
static struct exclusion {
    struct sct_atomic wants[2], turn;
    struct sct_shared counter;
} * exclusion;

static inline void enter(void) {
    sct_shared_write(&exclusion->counter);
}

static inline void peterson(void *argument) {
    uintptr_t self = (uintptr_t)argument, other = 1 - self;
    sct_atomic_store_explicit(&exclusion->wants[self], 1, orders->store);
    sct_atomic_store_explicit(&exclusion->turn, other, orders->store);
    if (sct_atomic_load_explicit(&exclusion->wants[other], orders->load) == 0 ||
        sct_atomic_load_explicit(&exclusion->turn, orders->load) == self) {
        enter();
        sct_atomic_store_explicit(&exclusion->wants[self], 0, orders->store);
    }
}

static inline void dekker(void *argument) {
    uintptr_t self = (uintptr_t)argument;
    sct_atomic_store_explicit(&exclusion->wants[self], 1, SCT_RELAXED);
    if (orders->fence != SCT_RELAXED)
        sct_fence(orders->fence);
    if (sct_atomic_load_explicit(&exclusion->wants[1 - self], SCT_ACQUIRE) == 0)
        enter();
}

static inline void init_exclusion(const void *context) {
    orders = context;
    exclusion = ARENA_NEW(sct_arena(), struct exclusion);
    sct_atomic_init(&exclusion->wants[0], "wants[0]", 0);
    sct_atomic_init(&exclusion->wants[1], "wants[1]", 0);
    sct_atomic_init(&exclusion->turn, "turn", 0);
    sct_shared_init(&exclusion->counter, "counter");
}

static inline void set_up_peterson(void *context) {
    init_exclusion(context);
    start_two(peterson, peterson, (void *)1);
}

static inline void set_up_dekker(void *context) {
    init_exclusion(context);
    start_two(dekker, dekker, (void *)1);
}

// ---- Seqlock -----------------------------------------------------------------------------------

static struct seqlock { struct sct_atomic sequence, words[2]; } * seqlock;

static inline void write_pairs(void *unused) {
    (void)unused;
    for (uint64_t i = 0; i < 2; i++) {
        sct_atomic_store_explicit(&seqlock->sequence, 2 * i + 1, SCT_RELAXED);
        sct_fence(SCT_RELEASE);
        sct_atomic_store_explicit(&seqlock->words[0], i + 1, SCT_RELAXED);
        sct_atomic_store_explicit(&seqlock->words[1], i + 1, SCT_RELAXED);
        sct_atomic_store_explicit(&seqlock->sequence, 2 * i + 2, SCT_RELEASE);
    }
}

static inline void read_pair(void *unused) {
    (void)unused;
    for (int i = 0; i < 2; i++) {
        uint64_t before = sct_atomic_load_explicit(&seqlock->sequence, SCT_ACQUIRE);
        if (before & 1)
            continue;
        uint64_t first = sct_atomic_load_explicit(&seqlock->words[0], SCT_RELAXED);
        uint64_t second = sct_atomic_load_explicit(&seqlock->words[1], SCT_RELAXED);
        if (orders->fence != SCT_RELAXED)
            sct_fence(orders->fence);
        if (sct_atomic_load_explicit(&seqlock->sequence, SCT_RELAXED) == before) {
            sct_check(first == second, "torn", "a torn pair");
            return;
        }
    }
}

static inline void set_up_seqlock(void *context) {
    orders = context;
    seqlock = ARENA_NEW(sct_arena(), struct seqlock);
    sct_atomic_init(&seqlock->sequence, "sequence", 0);
    sct_atomic_init(&seqlock->words[0], "words[0]", 0);
    sct_atomic_init(&seqlock->words[1], "words[1]", 0);
    start_two(write_pairs, read_pair, NULL);
}

// ---- Work-stealing deque -----------------------------------------------------------------------

// Chase, Lev, SPAA 2005, as in Le, Pop, Cohen, Nardelli, PPoPP 2013; it does not grow.
enum { DEQUE = 4, EMPTY = 100, ABORTED };

static struct deque {
    struct sct_atomic top, bottom, slots[DEQUE];
    uint32_t taken[2];
} * deque;

static inline void push(uint64_t value) {
    uint64_t bottom = sct_atomic_load_explicit(&deque->bottom, SCT_RELAXED);
    sct_atomic_store_explicit(&deque->slots[bottom % DEQUE], value, SCT_RELAXED);
    sct_fence(SCT_RELEASE);
    sct_atomic_store_explicit(&deque->bottom, bottom + 1, SCT_RELAXED);
}

static inline bool advance_top(uint64_t top) {
    return sct_atomic_compare_exchange_explicit(&deque->top, &top, top + 1, SCT_SEQ_CST,
                                                SCT_RELAXED);
}

static inline uint64_t take(void) {
    uint64_t bottom = sct_atomic_load_explicit(&deque->bottom, SCT_RELAXED) - 1;
    sct_atomic_store_explicit(&deque->bottom, bottom, SCT_RELAXED);
    sct_fence(orders->fence);
    uint64_t top = sct_atomic_load_explicit(&deque->top, SCT_RELAXED), value = EMPTY;
    if ((int64_t)top <= (int64_t)bottom)
        value = sct_atomic_load_explicit(&deque->slots[bottom % DEQUE], SCT_RELAXED);
    if (top == bottom && !advance_top(top))
        value = EMPTY;
    if ((int64_t)top >= (int64_t)bottom)
        sct_atomic_store_explicit(&deque->bottom, bottom + 1, SCT_RELAXED);
    return value;
}

static inline uint64_t steal(void) {
    uint64_t top = sct_atomic_load_explicit(&deque->top, SCT_ACQUIRE);
    sct_fence(orders->fence);
    uint64_t bottom = sct_atomic_load_explicit(&deque->bottom, SCT_ACQUIRE);
    if ((int64_t)top >= (int64_t)bottom)
        return EMPTY;
    uint64_t value = sct_atomic_load_explicit(&deque->slots[top % DEQUE], SCT_RELAXED);
    return advance_top(top) ? value : ABORTED;
}

static inline void note_taken(uint64_t value) {
    if (value < EMPTY)
        sct_check(++deque->taken[value] == 1, "twice", "taken twice");
}

static inline void own(void *unused) {
    (void)unused;
    push(0);
    push(1);
    note_taken(take());
    note_taken(take());
}

static inline void thieve(void *unused) {
    (void)unused;
    note_taken(steal());
    note_taken(steal());
}

static inline void set_up_deque(void *context) {
    orders = context;
    deque = ARENA_NEW(sct_arena(), struct deque);
    sct_atomic_init(&deque->top, "top", 1);
    sct_atomic_init(&deque->bottom, "bottom", 1);
    for (int i = 0; i < DEQUE; i++)
        sct_atomic_init(&deque->slots[i], "slot", EMPTY);
    start_two(own, thieve, NULL);
}

// ---- Objects that are published ----------------------------------------------------------------

static struct published {
    struct sct_atomic pointer, locked, count;
    struct sct_shared object;
} * published;

static inline void init_published(const void *context) {
    orders = context;
    published = ARENA_NEW(sct_arena(), struct published);
    sct_atomic_init(&published->pointer, "pointer", 0);
    sct_atomic_init(&published->locked, "locked", 0);
    sct_atomic_init(&published->count, "count", 2);
    sct_shared_init(&published->object, "object");
}

// Double-checked: who finds the lock taken gives up.
static inline void use_lazily(void *unused) {
    (void)unused;
    if (sct_atomic_load_explicit(&published->pointer, orders->load) == 0) {
        if (sct_atomic_exchange_explicit(&published->locked, 1, SCT_ACQUIRE))
            return;
        if (sct_atomic_load_explicit(&published->pointer, SCT_RELAXED) == 0) {
            sct_shared_write(&published->object);
            sct_atomic_store_explicit(&published->pointer, 1, orders->store);
        }
        sct_atomic_store_explicit(&published->locked, 0, SCT_RELEASE);
    }
    sct_shared_read(&published->object);
}

static inline void set_up_lazy(void *context) {
    init_published(context);
    start_two(use_lazily, use_lazily, NULL);
}

static inline void use_and_drop(void *unused) {
    (void)unused;
    sct_shared_read(&published->object);
    if (sct_atomic_fetch_sub_explicit(&published->count, 1, orders->store) == 1)
        sct_shared_write(&published->object); // freed
}

static inline void set_up_counted(void *context) {
    init_published(context);
    start_two(use_and_drop, use_and_drop, NULL);
}

// ---- Stack -------------------------------------------------------------------------------------

// Treiber 1986: nodes by number; [node].next is plain, as what the node holds.
enum { NODES = 3, TRIES = 2 };

static struct stack {
    struct sct_atomic head;
    struct sct_shared nodes[NODES + 1];
    uint64_t next[NODES + 1];
} * stack;

static inline void push_node(uint64_t node) {
    uint64_t head = sct_atomic_load_explicit(&stack->head, SCT_RELAXED);
    for (int i = 0; i < TRIES; i++) {
        sct_shared_write(&stack->nodes[node]);
        stack->next[node] = head;
        if (sct_atomic_compare_exchange_explicit(&stack->head, &head, node, orders->store,
                                                 SCT_RELAXED))
            return;
    }
}

static inline void pop_node(bool frees) {
    uint64_t head = sct_atomic_load_explicit(&stack->head, orders->load);
    for (int i = 0; i < TRIES && head != 0; i++) {
        sct_shared_read(&stack->nodes[head]);
        uint64_t next = stack->next[head], popped = head;
        if (!sct_atomic_compare_exchange_explicit(&stack->head, &head, next, orders->load,
                                                  orders->load))
            continue;
        if (frees)
            sct_shared_write(&stack->nodes[popped]);
        return;
    }
}

static bool frees_nodes;

static inline void push_and_pop(void *argument) {
    push_node((uint64_t)(uintptr_t)argument + 1);
    pop_node(frees_nodes);
}

static inline void set_up_stack(void *context) {
    static const char *const names[] = {"none", "node 1", "node 2", "node 3"};
    orders = context;
    stack = ARENA_NEW(sct_arena(), struct stack);
    sct_atomic_init(&stack->head, "head", 3);
    for (int i = 0; i <= NODES; i++)
        sct_shared_init(&stack->nodes[i], names[i]);
    start_two(push_and_pop, push_and_pop, (void *)1);
}

// ---- Giving up ---------------------------------------------------------------------------------

static inline void poll_three_times(void *unused) {
    (void)unused;
    for (int i = 0; i < 3; i++)
        if (sct_atomic_load_explicit(&published->pointer, SCT_ACQUIRE))
            return;
    sct_violation("gave-up", "gave up");
}

static inline void raise_flag(void *unused) {
    (void)unused;
    sct_atomic_store_explicit(&published->pointer, 1, SCT_RELEASE);
}

static inline void set_up_polls(void *context) {
    init_published(context);
    start_two(poll_three_times, raise_flag, NULL);
}

#endif
