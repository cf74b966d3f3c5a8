// Failures of the code under test as failures that cmocka expects (expect_assert_failure).
#ifndef TESTS_SUPPORT_FAILURES_H
#define TESTS_SUPPORT_FAILURES_H

#include "tests/support/test.h"

#include "core/base/assert.h"

#include <stdio.h>

// The last failure.
static enum fail_kind failed_as;
static char failed_with[512];

static void raise_in_test(enum fail_kind kind, const char *where, const char *message) {
    failed_as = kind;
    snprintf(failed_with, sizeof failed_with, "%s", message);
    mock_assert(0, failed_with, where, 0);
}

#endif
