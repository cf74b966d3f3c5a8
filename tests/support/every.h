// Runs a small program with every sequence of decisions there is, for tests that claim exactly what
// can happen. Independent of the engine's own systematic strategies.
#ifndef TESTS_SUPPORT_EVERY_H
#define TESTS_SUPPORT_EVERY_H

#include "tests/support/programs.h"

enum { EVERY_DEPTH_MAX = 256 };

// Answers as the path says, then with 0.
struct every {
    struct sct_strategy base;
    uint32_t counts[EVERY_DEPTH_MAX], answers[EVERY_DEPTH_MAX];
    size_t length, position;
};

static inline void every_begin(struct sct_strategy *strategy) {
    ((struct every *)strategy)->position = 0;
}

static inline uint32_t every_choose(struct sct_strategy *strategy, uint32_t count) {
    struct every *every = (struct every *)strategy;
    size_t position = every->position++;
    if (position == every->length) {
        ASSERT(every->length < EVERY_DEPTH_MAX);
        every->answers[every->length++] = 0;
    }
    every->counts[position] = count;
    return every->answers[position];
}

static inline unsigned every_pick(struct sct_strategy *strategy,
                                  const struct sct_schedule_point *point) {
    return sct_alternative_slot(point, every_choose(strategy, point->count));
}

// The next path; whether there is one.
static inline bool every_advance(struct every *every) {
    while (every->length > 0 &&
           every->answers[every->length - 1] + 1 == every->counts[every->length - 1])
        every->length--;
    if (every->length == 0)
        return false;
    every->answers[every->length - 1]++;
    return true;
}

// Tells [visit] the result of every execution of [program]; returns how many there were.
static inline uint64_t run_every(const struct sct_program *program,
                                 void (*visit)(const struct sct_result *result)) {
    static const struct sct_strategy_ops ops = {
        .name = "every",
        .size = sizeof(struct every),
        .begin = every_begin,
        .pick = every_pick,
        .choose = every_choose,
    };
    struct every every = {.base.ops = &ops};
    uint64_t count = 0;
    do {
        visit(run_with(&every.base, program, 0));
        count++;
    } while (every_advance(&every));
    return count;
}

static inline uint64_t run_every_setup(void (*setup)(void *),
                                       void (*visit)(const struct sct_result *result)) {
    return run_every(&(struct sct_program){.setup = setup}, visit);
}

#endif
