// Generated programs whose steps declare what they touch and whose tasks observe what they read: a
// few tasks of a few instructions over shared cells, locks, mailboxes and machines that are
// stopped. Each task leaves what it has got in a cell of its own.
#ifndef TESTS_SUPPORT_DECLARED_H
#define TESTS_SUPPORT_DECLARED_H

#include "core/engine/inside.h"
#include "tests/support/programs.h"

#include "core/base/rng.h"
#include "core/threads/lock.h"
#include "core/threads/semaphore.h"
#include "core/engine/sync.h"

enum { TASKS = 3, INSTRUCTIONS = 3, CELLS = 2 };

enum opcode {
    WRITE,
    ADD,
    CHOOSE,
    CHOOSE_CELL,
    MUTEX_ADD,
    LOCK_BOTH,
    LOCK_TIMED,
    SEMAPHORE,
    SEND,
    RECEIVE,
    AWAIT,
    COUNT_DOWN,
    CHECK,
    SPAWN,
    STOP,
    OPCODES,
    SPIN = OPCODES, // goes on for ever, where nobody writes
    OPCODES_AND_SPIN,
    STOP_PERHAPS = OPCODES_AND_SPIN, // as a choice says
    OPCODES_AND_ALL
};

static struct {
    enum opcode code;
    uint32_t cell, value;
} program_text[TASKS][INSTRUCTIONS];
static uint32_t lengths[TASKS];

static struct world {
    uint32_t cells[CELLS + TASKS];
    struct sct_mutex mutex;
    struct sct_latch latch;
    struct sct_lock locks[2];
    struct sct_semaphore semaphore;
    struct sct_machine *machines[TASKS];
} * world;

struct letter {
    struct sct_message message;
    uint32_t value;
};

// The state of locks and semaphores is in no digest.
static inline bool is_uncomparable(enum opcode code) {
    return code == LOCK_BOTH || code == LOCK_TIMED || code == SEMAPHORE;
}

// From the first [opcodes], or those of them with which states can be compared.
static inline void draw_program(uint64_t seed, enum opcode opcodes, bool is_comparable) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < TASKS; t++) {
        lengths[t] = t == 0 ? INSTRUCTIONS : rng_below(&rng, INSTRUCTIONS);
        for (uint32_t i = 0; i < lengths[t]; i++) {
            do
                program_text[t][i].code = (enum opcode)rng_below(&rng, opcodes);
            while (is_comparable && is_uncomparable(program_text[t][i].code));
            program_text[t][i].cell = rng_below(&rng, CELLS);
            program_text[t][i].value = rng_below(&rng, 3);
        }
    }
}

static inline uint32_t *touch_cell(uint32_t cell, enum sct_access_mode mode) {
    const struct sct_access access = {.mode = mode, .object = 1, .low = cell, .high = cell};
    sct_point("cell", "here:1", &access);
    return &world->cells[cell];
}

static inline uint32_t read_cell(uint32_t cell) {
    uint32_t value = *touch_cell(cell, SCT_ACCESS_READ);
    sct_observe(&value, sizeof value);
    return value;
}

static inline void add_to(uint32_t cell, uint32_t value, uint32_t *own) {
    *own += read_cell(cell);
    *touch_cell(cell, SCT_ACCESS_WRITE) = (*own + value) % 4;
}

static inline void spin(uint32_t cell) {
    struct digest mark = sct_observed();
    while (read_cell(cell) == 0)
        sct_forget(mark, "again", 5);
}

static inline void spawned(void *argument) {
    uint32_t own = 1;
    add_to((uint32_t)(uintptr_t)argument, 1, &own);
}

static inline void use_locks(enum opcode code, uint32_t cell, uint32_t value, uint32_t *own) {
    struct sct_lock *lock = &world->locks[cell], *other = &world->locks[1 - cell];
    if (code == LOCK_TIMED) {
        *own += sct_lock_acquire_timed(lock);
        if (*own & 1 && lock->holder == sct_self())
            sct_lock_release(lock);
        return;
    }
    if (lock->holder == sct_self() || other->holder == sct_self())
        return;
    sct_lock_acquire(lock);
    sct_lock_acquire(other);
    add_to(cell, value, own);
    sct_lock_release(other);
    sct_lock_release(lock);
}

static inline void communicate(enum opcode code, uint32_t value, uint32_t *own) {
    struct letter *letter;
    if (code == SEND) {
        letter = ARENA_NEW(sct_arena(), struct letter);
        letter->value = *own;
        sct_point("post", "here:1", &sct_access_none);
        sct_post(world->machines[value], &letter->message);
    } else if (code == RECEIVE) {
        sct_point("receive", "here:1", &sct_access_none);
        letter = (struct letter *)sct_receive(1, true, "a letter");
        *own += letter->value;
    } else if (code == AWAIT) {
        sct_point("await", "here:1", &sct_access_none);
        sct_latch_wait(&world->latch, "the latch");
    } else if (code == COUNT_DOWN) {
        const struct sct_access latch = {.mode = SCT_ACCESS_WRITE, .object = 2};
        sct_point("count down", "here:1", &latch);
        if (world->latch.count > 0)
            sct_latch_count_down(&world->latch);
    }
}

static inline void choose(enum opcode code, uint32_t *own) {
    sct_point("choose", "here:1", &sct_access_none);
    *own += sct_choose(2, "bit");
    if (code == CHOOSE_CELL) // what the step after it touches is a matter of choice
        *touch_cell(*own % CELLS, SCT_ACCESS_WRITE) = *own % 4;
}

static inline void execute(enum opcode code, uint32_t cell, uint32_t value, uint32_t *own) {
    switch (code) {
    case WRITE:
        *touch_cell(cell, SCT_ACCESS_WRITE) = value;
        return;
    case ADD:
        add_to(cell, value, own);
        return;
    case CHOOSE:
    case CHOOSE_CELL:
        choose(code, own);
        return;
    case MUTEX_ADD:
        sct_point("lock", "here:1", &sct_access_none);
        sct_mutex_acquire(&world->mutex, "the mutex");
        add_to(cell, value, own);
        sct_mutex_release(&world->mutex);
        return;
    case LOCK_BOTH:
    case LOCK_TIMED:
        use_locks(code, cell, value, own);
        return;
    case SEMAPHORE:
        if (value == 0)
            sct_semaphore_wait(&world->semaphore);
        else
            sct_semaphore_post(&world->semaphore);
        return;
    case CHECK:
        sct_check(read_cell(cell) != 3, "three", "cell %c is three", cell == 0 ? 'a' : 'b');
        return;
    case SPAWN:
        sct_point("spawn", "here:1", &sct_access_none);
        sct_task_start_with(sct_machine_self(), "spawned", spawned, (void *)(uintptr_t)cell,
                            &sct_access_none);
        return;
    case STOP:
        sct_point("stop", "here:1", &sct_access_none);
        if (value == 0)
            sct_machine_stop(world->machines[cell]);
        return;
    case SPIN:
        spin(cell);
        return;
    case STOP_PERHAPS:
        sct_point("stop", "here:1", &sct_access_none);
        if (sct_choose(2, "stop"))
            sct_machine_stop(world->machines[cell]);
        return;
    case SEND:
    case RECEIVE:
    case AWAIT:
    case COUNT_DOWN:
    case OPCODES_AND_ALL:
        communicate(code, value, own);
        return;
    }
}

static inline void interpret(void *argument) {
    uint32_t task = (uint32_t)(uintptr_t)argument, own = 0;
    for (uint32_t i = 0; i < lengths[task]; i++)
        execute(program_text[task][i].code, program_text[task][i].cell, program_text[task][i].value,
                &own);
    world->cells[CELLS + task] = own; // which nobody else looks at before the end
}

static inline void set_up(void *context) {
    (void)context;
    static const char *const names[TASKS] = {"m0", "m1", "m2"};
    world = ARENA_NEW(sct_arena(), struct world);
    sct_mutex_init(&world->mutex);
    sct_latch_init(&world->latch, 1);
    sct_lock_init(&world->locks[0], "first");
    sct_lock_init(&world->locks[1], "second");
    sct_semaphore_init(&world->semaphore, "semaphore", 1);
    for (int t = 0; t < TASKS; t++)
        world->machines[t] = sct_machine_create(names[t]);
    for (int t = 0; t < TASKS; t++)
        sct_task_start_with(world->machines[t], "main", interpret, (void *)(uintptr_t)t,
                            &sct_access_none);
}

static inline struct digest digest_cells(void) {
    return digest_of(world->cells, sizeof world->cells);
}

static inline void add_cells(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_cells());
}

#endif
