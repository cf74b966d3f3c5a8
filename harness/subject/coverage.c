#include "harness/subject/coverage.h"
#include "core/base/assert.h"

#include <string.h>

size_t coverage_cell_count(const struct coverage *coverage) {
    size_t count = 1;
    for (size_t i = 0; i < COVERAGE_AXES; i++)
        count *= coverage->axes[i].count;
    return count;
}

void coverage_values(const struct coverage *coverage, size_t index, size_t *values) {
    ASSERT(index < coverage_cell_count(coverage));
    // Mixed radix, the last axis quickest; coverage_index is the inverse.
    for (size_t i = COVERAGE_AXES; i-- > 0; index /= coverage->axes[i].count)
        values[i] = index % coverage->axes[i].count;
}

size_t coverage_index(const struct coverage *coverage, const size_t *values) {
    size_t index = 0;
    for (size_t i = 0; i < COVERAGE_AXES; i++) {
        ASSERT(values[i] < coverage->axes[i].count);
        index = index * coverage->axes[i].count + values[i];
    }
    return index;
}

void coverage_reset(const struct coverage *coverage) {
    memset(coverage->counts, 0, coverage_cell_count(coverage) * sizeof *coverage->counts);
}

static bool contains(const unsigned *sets, const size_t *values) {
    for (size_t i = 0; i < COVERAGE_AXES; i++)
        if (!(sets[i] >> values[i] & 1))
            return false;
    return true;
}

enum coverage_expectation coverage_expectation(const struct coverage *coverage, size_t index,
                                               const char **why) {
    size_t values[COVERAGE_AXES];
    coverage_values(coverage, index, values);
    *why = NULL;
    // The first rule that has the cell decides, so special ones stand before general ones.
    for (size_t i = 0; i < coverage->rule_count; i++) {
        const struct coverage_rule *rule = &coverage->rules[i];
        if (!contains(rule->sets, values))
            continue;
        *why = rule->why;
        return rule->expectation;
    }
    // What no rule speaks of must be reached: a new value of an axis shows by itself.
    return COVERAGE_REQUIRED;
}

bool coverage_is_missing(const struct coverage *coverage, size_t index) {
    const char *why;
    return coverage->counts[index] == 0 &&
           coverage_expectation(coverage, index, &why) == COVERAGE_REQUIRED;
}

size_t coverage_missing_count(const struct coverage *coverage) {
    size_t missing = 0;
    for (size_t i = 0; i < coverage_cell_count(coverage); i++)
        missing += coverage_is_missing(coverage, i);
    return missing;
}

void coverage_name(const struct coverage *coverage, size_t index, struct text *text) {
    size_t values[COVERAGE_AXES];
    coverage_values(coverage, index, values);
    for (size_t i = 0; i < COVERAGE_AXES; i++)
        text_add(text, "%s%s", i > 0 ? " " : "", coverage->axes[i].values[values[i]]);
}
