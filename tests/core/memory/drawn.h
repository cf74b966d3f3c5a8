// Little programs drawn at random, for tests that compare one way to search with another.
#ifndef TESTS_CORE_MEMORY_DRAWN_H
#define TESTS_CORE_MEMORY_DRAWN_H

#include "tests/core/memory/little.h"

#include "core/base/rng.h"

// Which orders they have: none of SEQ_CST, those of fences too, no others, all.
enum draw_profile { DRAW_WEAK, DRAW_FENCES, DRAW_SEQ_CST_ONLY, DRAW_ANY };

static inline enum sct_order draw_order(struct rng *rng, enum draw_profile profile,
                                        enum little_op op) {
    static const enum sct_order loads[] = {SCT_RELAXED, SCT_ACQUIRE, SCT_SEQ_CST};
    static const enum sct_order stores[] = {SCT_RELAXED, SCT_RELEASE, SCT_SEQ_CST};
    static const enum sct_order both[] = {SCT_RELAXED, SCT_ACQUIRE, SCT_RELEASE, SCT_ACQ_REL,
                                          SCT_SEQ_CST};
    bool is_fence = op == FENCE;
    if (profile == DRAW_SEQ_CST_ONLY)
        return SCT_SEQ_CST;
    uint32_t without = profile == DRAW_ANY || (profile == DRAW_FENCES && is_fence) ? 0 : 1;
    if (op == LOAD)
        return loads[rng_below(rng, 3 - without)];
    if (op == STORE)
        return stores[rng_below(rng, 3 - without)];
    return is_fence ? both[1 + rng_below(rng, 4 - without)] : both[rng_below(rng, 5 - without)];
}

static inline void draw_step(struct rng *rng, enum draw_profile profile, uint32_t value,
                             struct little_step *step) {
    static const enum little_op ops[] = {LOAD,  LOAD,     LOAD, STORE, STORE,
                                         STORE, EXCHANGE, CAS,  FENCE, FENCE};
    step->op = ops[rng_below(rng, 10)];
    step->location = rng_below(rng, 2);
    step->value = value;
    step->expected = rng_below(rng, 4);
    step->order = draw_order(rng, profile, step->op);
    step->failure = profile == DRAW_SEQ_CST_ONLY ? SCT_SEQ_CST : draw_order(rng, profile, LOAD);
}

// Two or three threads of at most [left] steps together, over two locations.
static inline void draw_little(struct rng *rng, enum draw_profile profile, uint32_t left,
                               struct little *little) {
    memset(little, 0, sizeof *little);
    little->name = "random";
    uint32_t threads = 2 + rng_below(rng, 2), value = 0;
    for (uint32_t t = 0; t < threads; t++) {
        uint32_t length = 1 + rng_below(rng, threads == 2 ? 5 : 4);
        for (uint32_t i = 0; i < length && left > 0; i++, left--)
            draw_step(rng, profile, ++value, &little->steps[t][i]);
    }
}

// Some loads and stores happen under a lock.
static inline void draw_locks(struct rng *rng, struct little *little) {
    for (int t = 0; t < LITTLE_THREADS; t++)
        for (int i = 0; i < LITTLE_LENGTH; i++) {
            struct little_step *step = &little->steps[t][i];
            if ((step->op == LOAD || step->op == STORE) && rng_below(rng, 2) == 0)
                step->op = step->op == LOAD ? LOCKED_LOAD : LOCKED_STORE;
        }
}

static inline void print_little(const struct little *little) {
    static const char *const ops[] = {"end", "load",  "store",       "exchange",
                                      "cas", "fence", "locked load", "locked store"};
    static const char *const orders[] = {"rlx", "con", "acq", "rel", "acq_rel", "sc"};
    for (int t = 0; t < LITTLE_THREADS; t++) {
        for (int i = 0; i < LITTLE_LENGTH && little->steps[t][i].op != END; i++) {
            const struct little_step *step = &little->steps[t][i];
            print_message("  %c: %s %c %u (%u) %s %s\n", 'a' + t, ops[step->op],
                          'x' + (int)step->location, step->value, step->expected,
                          orders[step->order], orders[step->failure]);
        }
    }
}

#endif
