// Generated automata, whose states are mostly in cycles; their cells are those of declared.h.
#ifndef TESTS_SUPPORT_AUTOMATA_H
#define TESTS_SUPPORT_AUTOMATA_H

#include "tests/support/declared.h"

// Tasks that go from place to place for ever, so that most states are in cycles. A move may look at
// a cell, choose, and change a cell that depends on the choice, all in one step.
enum { PLACES = 3, VALUES = 2, AUTOMATA_CELLS = 3, NO_CELL };

static struct {
    uint32_t places;
    struct {
        uint32_t seen, changed, value; // cells, or NO_CELL
        bool chooses;
        uint32_t next[VALUES]; // by the value seen; PLACES: the end
    } moves[PLACES];
} automata[TASKS];

static inline uint32_t draw_cell(struct rng *rng) {
    return rng_below(rng, 5) < 2 ? rng_below(rng, AUTOMATA_CELLS) : NO_CELL;
}

static inline void draw_automata(uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < TASKS; t++) {
        uint32_t places = automata[t].places = 1 + rng_below(&rng, PLACES);
        for (uint32_t p = 0; p < places; p++) {
            automata[t].moves[p].seen = draw_cell(&rng);
            automata[t].moves[p].changed = draw_cell(&rng);
            automata[t].moves[p].value = rng_below(&rng, VALUES);
            automata[t].moves[p].chooses = rng_below(&rng, 2) == 0;
            for (int v = 0; v < VALUES; v++)
                automata[t].moves[p].next[v] =
                    rng_below(&rng, 12) == 0 ? PLACES : rng_below(&rng, places);
        }
    }
}

static inline uint32_t move(uint32_t task, uint32_t place) {
    uint32_t seen = automata[task].moves[place].seen, changed = automata[task].moves[place].changed;
    const struct sct_access look = {seen == NO_CELL ? SCT_ACCESS_NONE : SCT_ACCESS_READ, 1, seen,
                                    seen};
    sct_point("move", "here:1", &look);
    uint32_t value = seen == NO_CELL ? 0 : world->cells[seen];
    uint32_t cell = changed;
    if (automata[task].moves[place].chooses)
        cell = (cell + sct_choose(2, "cell")) % (NO_CELL + 1);
    if (cell != NO_CELL) {
        sct_touch(&(struct sct_access){SCT_ACCESS_WRITE, 1, cell, cell});
        world->cells[cell] = automata[task].moves[place].value;
    }
    return automata[task].moves[place].next[value];
}

static inline void go_round(void *argument) {
    uint32_t task = (uint32_t)(uintptr_t)argument, place = 0;
    while (place < PLACES) {
        place = move(task, place);
        sct_forget((struct digest){0, 0}, &place, sizeof place);
    }
}

static inline void set_up_automata(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    for (uintptr_t t = 0; t < TASKS; t++)
        sct_task_start_with(sct_machine_create("automaton"), "main", go_round, (void *)t,
                            &sct_access_none);
}

#endif
