#include "harness/schema/coverage.h"

#define ANY (~0u)
#define ONE(value) (1u << (value))
#define MODIFICATIONS (ONE(ERRAND_UPDATE) | ONE(ERRAND_CHOOSE))
#define BELOW_R2 (ONE(SU_R1_STRICT) | ONE(SU_R1_TOLERANT) | ONE(SU_R1_5))

static const struct coverage_rule rules[] = {
#define CELLS(expectation, operations, outcomes, releases, versions, why) \
    {expectation, {operations, outcomes, releases, versions}, why},
#include "harness/schema/coverage.def"
#undef CELLS
};

const char *const schema_operation_names[ERRAND_COUNT] = {
    "insert", "update", "choose", "delete", "read", "scan", "upgrade",
};

static const char *const outcome_names[ENDED_COUNT] = {"done", "retried", "404", "409"};

static const char *const release_names[SU_RELEASE_COUNT] = {
    "R1-strict", "R1-tolerant", "R1.5", "R2", "R3",
};

static const char *const version_names[VERSIONS] = {"1.0", "1.5", "2.0", "3.0", "none"};

static uint64_t counts[ERRAND_COUNT][ENDED_COUNT][SU_RELEASE_COUNT][VERSIONS];

const struct coverage schema_coverage = {
    .axes = {{"operation", schema_operation_names, ERRAND_COUNT},
             {"outcome", outcome_names, ENDED_COUNT},
             {"release", release_names, SU_RELEASE_COUNT},
             {"version", version_names, VERSIONS}},
    .counts = &counts[0][0][0][0],
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

void schema_cover(struct schema_cell cell) {
    size_t index = (size_t)cell.operation * ENDED_COUNT + cell.outcome;
    index = index * SU_RELEASE_COUNT + cell.release;
    coverage_reach(&schema_coverage, index * VERSIONS + cell.version);
}

uint64_t schema_coverage_of(struct schema_cell cell) {
    return counts[cell.operation][cell.outcome][cell.release][cell.version];
}
