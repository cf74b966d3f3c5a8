// Generated programs: a few tasks of a few instructions over shared cells, a mutex, a latch and
// mailboxes, for tests that compare one way to search with another. Their ends are the cells.
#ifndef TESTS_SUPPORT_GENERATED_H
#define TESTS_SUPPORT_GENERATED_H

#include "tests/support/programs.h"

#include "core/base/rng.h"
#include "core/engine/sync.h"

// Tasks of a few instructions over shared cells, drawn from a seed.
enum { TASKS = 3, INSTRUCTIONS = 3, CELLS = 2 };
enum opcode { WRITE, ADD, CHOOSE, LOCKED_ADD, SEND, RECEIVE, AWAIT, COUNT_DOWN, CHECK, OPCODES };

static struct {
    enum opcode code;
    uint32_t cell, value;
} program_text[TASKS][INSTRUCTIONS];

static struct world {
    uint32_t cells[CELLS];
    struct sct_mutex mutex;
    struct sct_latch latch;
    struct sct_machine *machines[TASKS];
} * world;

struct letter {
    struct sct_message message;
    uint32_t value;
};

static inline void draw_program(uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < TASKS; t++)
        for (int i = 0; i < INSTRUCTIONS; i++) {
            program_text[t][i].code = (enum opcode)rng_below(&rng, OPCODES);
            program_text[t][i].cell = rng_below(&rng, CELLS);
            program_text[t][i].value = rng_below(&rng, 3);
        }
}

static inline uint32_t read_cell(uint32_t cell) {
    uint32_t value = world->cells[cell];
    sct_observe(&value, sizeof value);
    return value;
}

static inline void locked_add(uint32_t cell, uint32_t value) {
    sct_mutex_acquire(&world->mutex, "the mutex");
    uint32_t old = read_cell(cell);
    step("locked");
    world->cells[cell] = (old + value) % 4;
    sct_mutex_release(&world->mutex);
}

static inline void execute(enum opcode code, uint32_t cell, uint32_t value, uint32_t *own) {
    struct letter *letter;
    switch (code) {
    case WRITE:
        world->cells[cell] = value;
        return;
    case ADD:
        *own += read_cell(cell);
        step("between");
        world->cells[cell] = (*own + value) % 4;
        return;
    case CHOOSE:
        *own += sct_choose(2, "bit");
        return;
    case LOCKED_ADD:
        locked_add(cell, value);
        return;
    case SEND:
        letter = ARENA_NEW(sct_arena(), struct letter);
        letter->value = *own;
        sct_send(world->machines[value], &letter->message, "send", "here:1");
        return;
    case RECEIVE:
        letter = (struct letter *)sct_receive(1, true, "a letter");
        *own += letter->value;
        return;
    case AWAIT:
        sct_latch_wait(&world->latch, "the latch");
        return;
    case COUNT_DOWN:
        if (world->latch.count > 0)
            sct_latch_count_down(&world->latch);
        return;
    case CHECK:
        sct_check(read_cell(cell) != 3, "three", "cell %c is three", cell == 0 ? 'a' : 'b');
        return;
    case OPCODES:
        return;
    }
}

static inline void interpret(void *argument) {
    uint32_t task = (uint32_t)(uintptr_t)argument, own = 0;
    for (int i = 0; i < INSTRUCTIONS; i++) {
        step("instruction");
        execute(program_text[task][i].code, program_text[task][i].cell, program_text[task][i].value,
                &own);
    }
    world->cells[task % CELLS] = (world->cells[task % CELLS] + own) % 4;
}

static inline void set_up(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    sct_mutex_init(&world->mutex);
    sct_latch_init(&world->latch, 1);
    for (int t = 0; t < TASKS; t++)
        world->machines[t] = sct_machine_create("m");
    for (int t = 0; t < TASKS; t++)
        sct_task_start(world->machines[t], "main", interpret, (void *)(uintptr_t)t);
}

static inline void add_cells(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(world->cells, sizeof world->cells));
}

#endif
