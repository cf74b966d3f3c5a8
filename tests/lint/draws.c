// Planted cases for `scripts/lint draws`, which must find the lines marked so and no other line.
// Not part of any program.
#include "core/engine/machine.h"

struct pair {
    uint32_t first, second;
};

struct seam {
    uint32_t (*ask)(uint32_t count);
};

#define COIN() (sct_choose(2, "coin") == 1)

static uint32_t add(uint32_t a, uint32_t b) {
    return a + b;
}

static uint32_t die(uint32_t sides) {
    return add(1, sct_choose(sides, "die"));
}

static uint32_t reroll(uint32_t sides) {
    return COIN() ? die(sides) : 0;
}

static uint32_t by_table(uint32_t sides) {
    static const uint32_t least[] = {1, 2};
    return least[0] + die(sides);
}

static const struct seam seam = {.ask = reroll};

void planted_unordered(uint32_t *table, const struct seam *by) {
    add(die(6), die(6));                                      // found
    add(die(6), COIN());                                      // found
    table[die(3)] = reroll(6);                                // found
    table[0] = die(6) + (1 + reroll(2));                      // found
    struct pair pair = {.first = die(6), .second = die(6)};   // found
    pair = (struct pair){die(6), sct_choose(2, "b")};         // found
    add(by->ask(2), seam.ask(3));                             // found
    if (die(6) == die(6))                                     // found
        table[1] = die(6) < 3 ? die(6) : add(die(2), die(2)); // found
    add(by_table(6), by_table(2));                            // found
    for (uint32_t i = 0; i < die(2) * die(2); i++)            // found
        add(pair.first, add(1, COIN() && COIN()) + die(6));   // found
}

uint32_t planted_ordered(uint32_t *table) {
    uint32_t a = die(6), b = die(6);
    add(a, die(6));
    add(add(a, die(6)), b);
    reroll(die(6));
    if (COIN() && (COIN() || COIN()))
        table[0] = COIN() ? die(6) : die(2);
    table[1] = die(6), table[2] = die(6);
    for (uint32_t i = die(6); i < die(6); i += die(6))
        add(i, die(6)); // add(die(6), die(6)) in a comment, and in "add(die(6), die(6))"
    struct pair pair = {.first = a, .second = die(6)};
    return COIN() ? pair.first : add(die(6), sizeof(struct pair));
}
