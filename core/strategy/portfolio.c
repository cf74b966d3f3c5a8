// Portfolio: several strategies in a fixed rotation, one execution each. No single strategy is best
// for all bugs; what one misses another finds.
#include "core/strategy/strategy.h"

static const char *const members[] = {"random", "pct:2", "pct:3",    "pct:5", "pos",
                                      "urw",    "delay", "sticky:3", NULL};

extern const struct sct_strategy_ops sct_strategy_portfolio_ops;
const struct sct_strategy_ops sct_strategy_portfolio_ops = {
    .name = "portfolio",
    .summary = "random, pct:2, pct:3, pct:5, pos, urw, delay:5 and sticky:3 in turn",
    .size = sizeof(struct sct_strategy),
    .members = members,
};
