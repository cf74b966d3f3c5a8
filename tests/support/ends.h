// The distinct ends of executions, for tests that claim that two searches come to the same. An end
// is a digest: of the final state, or of the violation.
#ifndef TESTS_SUPPORT_ENDS_H
#define TESTS_SUPPORT_ENDS_H

#include "tests/support/test.h"

#include "core/base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { ENDS_MAX = 1 << 14 };

static struct ends {
    uint64_t digests[ENDS_MAX];
    size_t count;
} ends; // of the last search

static inline void ends_add(struct digest end) {
    for (size_t i = 0; i < ends.count; i++)
        if (ends.digests[i] == end.low)
            return;
    assert_true(ends.count < ENDS_MAX);
    ends.digests[ends.count++] = end.low;
}

static inline int ends_compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// After a search: so that they can be compared.
static inline void ends_sort(void) {
    qsort(ends.digests, ends.count, sizeof *ends.digests, ends_compare);
}

static inline bool ends_equal(const struct ends *a, const struct ends *b) {
    return a->count == b->count &&
           memcmp(a->digests, b->digests, a->count * sizeof *a->digests) == 0;
}

#endif
