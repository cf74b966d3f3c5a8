// An arena for each test, whose failures are as of tests/support/failures.h.
#ifndef TESTS_SUPPORT_ARENA_H
#define TESTS_SUPPORT_ARENA_H

#include "tests/support/failures.h"

#include "core/base/arena.h"

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    fail_handler_set(raise_in_test);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    fail_handler_set(NULL);
    arena_deinit(&arena);
    return 0;
}

#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

#endif
