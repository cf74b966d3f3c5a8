// Generated programs of threads: three of a few instructions over the primitives of core/threads
// and two shared cells, for tests that compare one way to search with another. Cells are read and
// written inside steps of primitives, so that all of them matter.
#ifndef TESTS_SUPPORT_PRIMITIVES_H
#define TESTS_SUPPORT_PRIMITIVES_H

#include "tests/support/programs.h"

#include "core/base/rng.h"
#include "core/threads/atomic.h"
#include "core/threads/barrier.h"
#include "core/threads/lock.h"
#include "core/threads/rwlock.h"
#include "core/threads/semaphore.h"
#include "core/threads/thread.h"

enum { THREADS = 3, INSTRUCTIONS_MAX = 3, CELLS = 2 };

enum opcode {
    LOCK_ADD,
    LOCK_BOTH,
    LOCK_TIMED,
    LOCK_TRY,
    LOCK_KEPT,
    READ_LOCKED,
    READ_KEPT,
    WRITE_LOCKED,
    TRY_TO_WRITE,
    TAKE,
    TAKE_TIMED,
    TAKE_TRY,
    VALUE,
    POST,
    BARRIER,
    ATOMIC_ADD,
    ATOMIC_LOAD,
    ATOMIC_EXCHANGE,
    WAIT_FOR_SIGNAL,
    WAIT_TIMED,
    SIGNAL,
    BROADCAST,
    CREATE,
    CHOOSE,
    CHECK,
    OPCODES
};

static struct instruction {
    enum opcode code;
    uint32_t cell, value;
} program_text[THREADS][INSTRUCTIONS_MAX];
static uint32_t lengths[THREADS];

static struct world {
    uint32_t cells[CELLS], owned[THREADS];
    struct sct_lock locks[CELLS];
    struct sct_rwlock rwlock;
    struct sct_semaphore semaphore;
    struct sct_barrier barrier;
    struct sct_atomic atomic;
    struct sct_condition condition;
} * world;

static inline void draw_program(uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < THREADS; t++) {
        lengths[t] = t == 0 ? 2 : 1 + rng_below(&rng, 2);
        for (uint32_t i = 0; i < lengths[t]; i++) {
            program_text[t][i].code = (enum opcode)rng_below(&rng, OPCODES);
            program_text[t][i].cell = rng_below(&rng, CELLS);
            program_text[t][i].value = rng_below(&rng, 3);
        }
    }
}

// Reads are observed; where the program does not say so that is once more than is needed.
static inline uint32_t read_cell(uint32_t cell) {
    uint32_t value = world->cells[cell];
    sct_observe(&value, sizeof value);
    return value;
}

static inline void add_to(uint32_t cell, uint32_t value, uint32_t *own) {
    *own += read_cell(cell);
    world->cells[cell] = (*own + value) % 4;
}

static inline void use_lock(const struct instruction *at, uint32_t *own) {
    struct sct_lock *lock = &world->locks[at->cell], *other = &world->locks[1 - at->cell];
    bool is_taken = lock->holder != sct_self() && other->holder != sct_self();
    if (!is_taken)
        return;
    if (at->code == LOCK_TIMED)
        is_taken = sct_lock_acquire_timed(lock);
    else if (at->code == LOCK_TRY)
        is_taken = sct_lock_try(lock);
    else
        sct_lock_acquire(lock);
    *own += is_taken;
    if (!is_taken)
        return;
    if (at->code == LOCK_BOTH) {
        sct_lock_acquire(other);
        sct_lock_release(other);
    }
    add_to(at->cell, at->value, own);
    if (at->code != LOCK_KEPT)
        sct_lock_release(lock);
}

static inline void use_rwlock(const struct instruction *at, uint32_t *own) {
    if (at->code == TRY_TO_WRITE && !sct_rwlock_try_write(&world->rwlock))
        return;
    if (at->code == WRITE_LOCKED)
        sct_rwlock_write(&world->rwlock);
    bool reads = at->code == READ_LOCKED || at->code == READ_KEPT;
    if (reads)
        sct_rwlock_read(&world->rwlock);
    if (reads)
        *own += read_cell(at->cell);
    else
        add_to(at->cell, at->value, own);
    if (at->code != READ_KEPT)
        sct_rwlock_release(&world->rwlock);
}

static inline void use_atomic(const struct instruction *at, uint32_t *own) {
    uint64_t expected = at->value;
    if (at->code == ATOMIC_ADD)
        *own += (uint32_t)sct_atomic_fetch_add(&world->atomic, at->value);
    else if (at->code == ATOMIC_LOAD)
        *own += (uint32_t)sct_atomic_load(&world->atomic);
    else
        *own += sct_atomic_compare_exchange_weak(&world->atomic, &expected, at->cell + 5);
}

static inline void use_condition(const struct instruction *at, uint32_t *own) {
    struct sct_lock *lock = &world->locks[0];
    if (at->code == SIGNAL)
        sct_condition_signal(&world->condition);
    else if (at->code == BROADCAST)
        sct_condition_broadcast(&world->condition);
    if (at->code == SIGNAL || at->code == BROADCAST || lock->holder == sct_self())
        return;
    sct_lock_acquire(lock);
    if (at->code == WAIT_TIMED)
        *own += sct_condition_wait_timed(&world->condition, lock);
    else if (read_cell(at->cell) < 2)
        sct_condition_wait(&world->condition, lock);
    add_to(at->cell, at->value, own);
    sct_lock_release(lock);
}

static inline void *created(void *argument) {
    uint32_t own = 1;
    sct_lock_acquire(&world->locks[0]);
    add_to((uint32_t)(uintptr_t)argument, 1, &own);
    sct_lock_release(&world->locks[0]);
    return (void *)(uintptr_t)own;
}

static inline void create(const struct instruction *at, uint32_t *own) {
    struct sct_thread *thread = sct_thread_create("created", created, (void *)(uintptr_t)at->cell);
    if (at->value == 0)
        sct_thread_detach(thread);
    else
        *own += (uint32_t)(uintptr_t)sct_thread_join(thread);
}

static inline void execute(const struct instruction *at, uint32_t *own) {
    switch (at->code) {
    case LOCK_ADD:
    case LOCK_BOTH:
    case LOCK_TIMED:
    case LOCK_TRY:
    case LOCK_KEPT:
        use_lock(at, own);
        return;
    case READ_LOCKED:
    case READ_KEPT:
    case WRITE_LOCKED:
    case TRY_TO_WRITE:
        use_rwlock(at, own);
        return;
    case TAKE:
        sct_semaphore_wait(&world->semaphore);
        return;
    case TAKE_TIMED:
        *own += sct_semaphore_wait_timed(&world->semaphore);
        return;
    case TAKE_TRY:
        *own += sct_semaphore_try(&world->semaphore);
        return;
    case VALUE:
        *own += sct_semaphore_value(&world->semaphore);
        return;
    case POST:
        sct_semaphore_post(&world->semaphore);
        return;
    case BARRIER:
        *own += sct_barrier_wait(&world->barrier);
        return;
    case ATOMIC_ADD:
    case ATOMIC_LOAD:
    case ATOMIC_EXCHANGE:
        use_atomic(at, own);
        return;
    case WAIT_FOR_SIGNAL:
    case WAIT_TIMED:
    case SIGNAL:
    case BROADCAST:
        use_condition(at, own);
        return;
    case CREATE:
        create(at, own);
        return;
    case CHOOSE:
        *own += sct_choose(2, "bit");
        return;
    case CHECK:
        sct_check(sct_atomic_load(&world->atomic) != 3, "three", "the atomic is three");
        return;
    case OPCODES:
        return;
    }
}

// Whether threads come to a scheduling point before they look at anything.
static bool steps_in;

static inline void *interpret(void *argument) {
    uint32_t thread = (uint32_t)(uintptr_t)argument, own = 0;
    if (steps_in)
        sct_point("step in", HERE, &sct_access_none);
    for (uint32_t i = 0; i < lengths[thread]; i++)
        execute(&program_text[thread][i], &own);
    world->owned[thread] = own; // which nobody else looks at before the end
    return NULL;
}

static inline void set_up(void *context) {
    (void)context;
    static const char *const names[THREADS] = {"t0", "t1", "t2"};
    world = ARENA_NEW(sct_arena(), struct world);
    sct_lock_init(&world->locks[0], "first");
    sct_lock_init(&world->locks[1], "second");
    sct_rwlock_allow_waiting();
    sct_rwlock_init(&world->rwlock, "rwlock");
    sct_semaphore_init(&world->semaphore, "semaphore", 0);
    sct_barrier_init(&world->barrier, "barrier", 2);
    sct_atomic_init(&world->atomic, "atomic", 0);
    sct_condition_init(&world->condition, "condition");
    for (int t = 0; t < THREADS; t++)
        sct_thread_create(names[t], interpret, (void *)(uintptr_t)t);
}

// What an execution leaves behind.
static inline struct digest digest_world(void) {
    struct digest digest = digest_of(world->cells, sizeof world->cells);
    digest = digest_fold_bytes(digest, world->owned, sizeof world->owned);
    digest = digest_fold(digest, world->atomic.value);
    return digest_fold(digest, world->semaphore.value);
}

// The primitives add themselves.
static inline void add_cells(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(world->cells, sizeof world->cells));
    digest_add(state, digest_fold_bytes((struct digest){1, 0}, world->owned, sizeof world->owned));
}

#endif
